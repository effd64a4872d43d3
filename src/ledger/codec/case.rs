//! What is kept of regulation files, and its stored form.
//!
//! Invariant: both directions name every field.

use uuid::Uuid;

use super::field::{DecodeError, Of, text_of};
use crate::domain::case::{Case, CaseBooking, Refusal, RefusalReason};
use crate::domain::id::{CaseId, ClaimId, PractitionerId, PrincipalId, ScheduleId, SlotId};
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of a case.
pub(super) fn to_case(case: &Case) -> pb::Case {
    let Case { id, booking, refusals, ends_at } = case;
    pb::Case {
        id: id.to_string(),
        booking: booking.as_ref().map(to_booking),
        refusals: refusals.iter().map(to_refusal).collect(),
        ends_at_ms: ends_at.ms(),
    }
}

/// The case of a stored form.
pub(super) fn from_case(message: pb::Case) -> Result<Case, DecodeError> {
    let pb::Case { id, booking, refusals, ends_at_ms } = message;
    let of = Of { kind: "case", id: &id };
    Ok(Case {
        id: of.read("id", CaseId::parse(&id))?,
        booking: booking.map(|booking| from_booking(of, booking)).transpose()?,
        refusals: refusals.into_iter().map(|refusal| from_refusal(of, refusal)).collect::<Result<_, _>>()?,
        ends_at: UtcInstant::from_ms(ends_at_ms),
    })
}

fn to_booking(booking: &CaseBooking) -> pb::CaseBooking {
    let CaseBooking { claim_id, slot_id, ends_at } = booking;
    pb::CaseBooking {
        claim_id: claim_id.as_uuid().into_bytes().to_vec(),
        slot_id: slot_id.to_string(),
        ends_at_ms: ends_at.ms(),
    }
}

fn from_booking(of: Of<'_>, message: pb::CaseBooking) -> Result<CaseBooking, DecodeError> {
    let pb::CaseBooking { claim_id, slot_id, ends_at_ms } = message;
    Ok(CaseBooking {
        claim_id: ClaimId::from_uuid(of.read("booking.claim_id", Uuid::from_slice(&claim_id))?),
        slot_id: of.read("booking.slot_id", SlotId::parse(&slot_id))?,
        ends_at: UtcInstant::from_ms(ends_at_ms),
    })
}

fn to_refusal(refusal: &Refusal) -> pb::Refusal {
    let Refusal { slot_id, schedule_id, practitioner_id, reason, refused_at, regulator_id } = refusal;
    pb::Refusal {
        slot_id: slot_id.to_string(),
        schedule_id: schedule_id.to_string(),
        practitioner_id: practitioner_id.as_ref().map(PractitionerId::wire).unwrap_or_default(),
        reason: reason.code().to_owned(),
        refused_at_ms: refused_at.ms(),
        regulator_id: text_of(regulator_id.as_ref()),
    }
}

fn from_refusal(of: Of<'_>, message: pb::Refusal) -> Result<Refusal, DecodeError> {
    let pb::Refusal { slot_id, schedule_id, practitioner_id, reason, refused_at_ms, regulator_id } = message;
    let practitioner = Some(practitioner_id).filter(|id| !id.is_empty());
    let practitioner = practitioner.map(|id| of.read("refusals.practitioner_id", PractitionerId::parse(&id)));
    let regulator = Some(regulator_id).filter(|id| !id.is_empty());
    let regulator = regulator.map(|id| of.read("refusals.regulator_id", PrincipalId::parse(&id)));
    Ok(Refusal {
        slot_id: of.read("refusals.slot_id", SlotId::parse(&slot_id))?,
        schedule_id: of.read("refusals.schedule_id", ScheduleId::parse(&schedule_id))?,
        practitioner_id: practitioner.transpose()?.map(|id| id.value),
        reason: of.code("refusals.reason", &reason, RefusalReason::parse(&reason))?,
        refused_at: UtcInstant::from_ms(refused_at_ms),
        regulator_id: regulator.transpose()?,
    })
}
