//! Schedules.

use std::sync::Arc;

use super::common::{URL_MAX_CHARACTERS, instant_to_proto, territories_from_proto, territories_to_proto};
use super::practitioner::{SPECIALTIES_MAX, specialties_to_proto};
use crate::domain::code::{Sex, Specialty};
use crate::domain::directory::{PatientLimits, Schedule, sex_bit};
use crate::domain::id::{PlaceId, PractitionerId, ScheduleId, SourceId};
use crate::domain::patient::Age;
use crate::domain::time::UtcInstant;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Most territories of a schedule or a slot.
pub(in crate::grpc) const TERRITORIES_MAX: usize = 10;
/// Farthest home visits, in metres.
const HOME_VISIT_RADIUS_MAX_M: u32 = 100_000;

/// Reads a schedule; its output fields are ignored.
pub(in crate::grpc) fn schedule_from_proto(
    message: Option<pb::Schedule>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Schedule> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the schedule");
        return None;
    };
    let pb::Schedule {
        schedule_id,
        source_id,
        place_id,
        practitioner_id,
        territory_ids,
        specialties,
        min_age_days,
        max_age_days,
        accepted_sexes,
        home_visit_radius_m,
        booking_url,
        source_revision: _,
        received_at: _,
        no_show_call_back,
    } = message;
    let id = findings.take(path.field("schedule_id"), ScheduleId::parse(&schedule_id));
    let source_id = findings.take(path.field("source_id"), SourceId::parse(&source_id));
    let place_id = findings.take(path.field("place_id"), PlaceId::parse(&place_id));
    let practitioner_id = if practitioner_id.trim().is_empty() {
        None
    } else {
        findings.checked(path.field("practitioner_id"), PractitionerId::parse(&practitioner_id))
    };
    let territories = territories_from_proto(&territory_ids, path.field("territory_ids"), TERRITORIES_MAX, findings);
    let specialties = findings.codes(path.field("specialties"), &specialties, SPECIALTIES_MAX, Specialty::parse);
    if min_age_days.zip(max_age_days).is_some_and(|(min, max)| max < min) {
        findings.refuse(path.field("max_age_days"), "below the youngest age: give at least min_age_days");
    }
    let sexes = sexes_from_proto(&accepted_sexes, path.field("accepted_sexes"), findings);
    if home_visit_radius_m.is_some_and(|radius_m| radius_m > HOME_VISIT_RADIUS_MAX_M) {
        let message = format_args!("too far: give at most {HOME_VISIT_RADIUS_MAX_M} metres");
        findings.refuse(path.field("home_visit_radius_m"), message);
    }
    let booking_url = findings.text(path.field("booking_url"), &booking_url, 0, URL_MAX_CHARACTERS);
    Some(Schedule {
        id: id?,
        source_id: source_id?,
        place_id: place_id?,
        practitioner_id,
        territories,
        specialties,
        limits: PatientLimits {
            min_age: min_age_days.map(Age::from_days),
            max_age: max_age_days.map(Age::from_days),
            sexes,
        },
        home_visit_radius_m,
        no_show_call_back,
        booking_url: Arc::from(booking_url?),
        source_revision: 0,
        received_at: UtcInstant::from_ms(0),
        first_published_at: None,
    })
}

/// The accepted sexes as bits; 0 when all are.
fn sexes_from_proto(texts: &[String], path: Path<'_>, findings: &mut Findings) -> u8 {
    let sexes: Vec<Sex> = findings.codes(path, texts, Sex::ALL.len(), Sex::parse);
    sexes.into_iter().fold(0, |bits, sex| bits | sex_bit(sex))
}

/// Writes a schedule.
pub(in crate::grpc) fn schedule_to_proto(schedule: &Schedule) -> pb::Schedule {
    let Schedule {
        id,
        source_id,
        place_id,
        practitioner_id,
        territories,
        specialties,
        limits: PatientLimits { min_age, max_age, sexes },
        home_visit_radius_m,
        no_show_call_back,
        booking_url,
        source_revision,
        received_at,
        first_published_at: _,
    } = schedule;
    let accepted = Sex::ALL.iter().filter(|sex| sexes & sex_bit(**sex) != 0);
    pb::Schedule {
        schedule_id: id.to_string(),
        source_id: source_id.to_string(),
        place_id: place_id.to_string(),
        practitioner_id: practitioner_id.as_ref().map(PractitionerId::wire).unwrap_or_default(),
        territory_ids: territories_to_proto(territories),
        specialties: specialties_to_proto(*specialties),
        min_age_days: min_age.map(Age::days),
        max_age_days: max_age.map(Age::days),
        accepted_sexes: accepted.map(|sex| sex.code().to_owned()).collect(),
        home_visit_radius_m: *home_visit_radius_m,
        booking_url: booking_url.to_string(),
        source_revision: *source_revision,
        received_at: Some(instant_to_proto(*received_at)),
        no_show_call_back: *no_show_call_back,
    }
}
