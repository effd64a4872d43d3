//! Orientations and the anonymous counts of days, and their stored form.
//!
//! Invariant: both directions name every field.

use uuid::Uuid;

use super::field::{DecodeError, Of, text_of};
use crate::domain::answer::CareOutcome;
use crate::domain::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use crate::domain::department::Department;
use crate::domain::id::{CaseId, ClaimId, TerritoryId};
use crate::domain::orientation::Orientation;
use crate::domain::tally::{Counts, Measure, Tally, TallyId, parse_day};
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of an orientation.
pub(super) fn to_orientation(orientation: &Orientation) -> pb::Orientation {
    let Orientation {
        case_id,
        outcome,
        decision_type,
        orientation_type,
        booking_id,
        territory,
        department,
        specialty,
        age_band,
        day,
        recorded_at,
    } = orientation;
    pb::Orientation {
        case_id: case_id.to_string(),
        outcome: outcome.code().to_owned(),
        decision_type: text_of(decision_type.as_ref()),
        orientation_type: text_of(orientation_type.as_ref()),
        booking_id: booking_id.map(|id| id.as_uuid().into_bytes().to_vec()).unwrap_or_default(),
        territory_id: text_of(territory.as_ref()),
        department: department.code().to_owned(),
        specialty: specialty.map(|specialty| specialty.code().to_owned()).unwrap_or_default(),
        age_band: text_of(age_band.as_ref()),
        day: day.to_string(),
        recorded_at_ms: recorded_at.ms(),
    }
}

/// The orientation of a stored form.
pub(super) fn from_orientation(message: pb::Orientation) -> Result<Orientation, DecodeError> {
    let pb::Orientation {
        case_id,
        outcome,
        decision_type,
        orientation_type,
        booking_id,
        territory_id,
        department,
        specialty,
        age_band,
        day,
        recorded_at_ms,
    } = message;
    let of = Of { kind: "orientation", id: &case_id };
    let given = |text: String| Some(text).filter(|text| !text.is_empty());
    let decision_type = given(decision_type).map(|code| of.read("decision_type", DecisionType::parse(&code)));
    let orientation_type =
        given(orientation_type).map(|code| of.read("orientation_type", OrientationType::parse(&code)));
    let booking_id = Some(booking_id).filter(|bytes| !bytes.is_empty());
    let booking_id = booking_id.map(|bytes| of.read("booking_id", Uuid::from_slice(&bytes))).transpose()?;
    let territory = given(territory_id).map(|text| of.read("territory_id", TerritoryId::parse(&text)));
    Ok(Orientation {
        case_id: of.read("case_id", CaseId::parse(&case_id))?,
        outcome: of.code("outcome", &outcome, CareOutcome::parse(&outcome))?,
        decision_type: decision_type.transpose()?,
        orientation_type: orientation_type.transpose()?,
        booking_id: booking_id.map(ClaimId::from_uuid),
        territory: territory.transpose()?.map(|id| id.value),
        department: of.read("department", Department::parse(&department))?,
        specialty: given(specialty).map(|code| of.read("specialty", Specialty::parse(&code))).transpose()?,
        age_band: given(age_band).map(|code| of.read("age_band", PatientCategory::parse(&code))).transpose()?,
        day: of.code("day", &day, parse_day(&day))?,
        recorded_at: UtcInstant::from_ms(recorded_at_ms),
    })
}

/// The stored form of a day's counts.
pub(super) fn to_tally(tally: &Tally) -> pb::Tally {
    let Tally { id, counts } = tally;
    let count = |(Measure { kind, detail }, count)| pb::Count {
        measure: kind.code().to_owned(),
        detail: detail.to_owned(),
        count,
    };
    pb::Tally { id: id.to_string(), counts: counts.iter().map(count).collect() }
}

/// The counts of a stored form.
pub(super) fn from_tally(message: pb::Tally) -> Result<Tally, DecodeError> {
    let pb::Tally { id, counts: stored } = message;
    let of = Of { kind: "tally", id: &id };
    let mut counts = Counts::default();
    for pb::Count { measure, detail, count } in stored {
        counts.add(of.code("counts", &measure, Measure::parse(&measure, &detail))?, count);
    }
    Ok(Tally { id: of.read("id", TallyId::parse(&id))?, counts })
}
