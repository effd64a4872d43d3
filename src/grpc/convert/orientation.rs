//! What regulation decided in the end, what became of bookings, and whose figures are asked for.

use chrono::NaiveDate;

use super::answer::outcome_to_proto;
use super::common::{department_from_proto, instant_to_proto, optional_id};
use crate::domain::answer::CareOutcome;
use crate::domain::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use crate::domain::department::Department;
use crate::domain::id::{CaseId, ClaimId, RequestId, TerritoryId};
use crate::domain::orientation::Orientation;
use crate::domain::slot::AttendanceKind;
use crate::domain::tally::{Scope, parse_day};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::OrientationRequest;

/// Reads a decision; its output fields are ignored. What comes back makes it a request of an identifier.
pub(in crate::grpc) fn orientation_from_proto(
    message: Option<pb::Orientation>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<impl FnOnce(RequestId) -> OrientationRequest + use<>> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the orientation");
        return None;
    };
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
        day: _,
        recorded_at: _,
    } = message;
    let case_id = findings.take(path.field("case_id"), CaseId::parse(&case_id));
    let outcome = outcome_from_proto(outcome, path.field("outcome"), findings);
    let decision_type = findings.optional(path.field("decision_type"), &decision_type, DecisionType::parse);
    let orientation_type = findings.optional(path.field("orientation_type"), &orientation_type, OrientationType::parse);
    let booking_id = optional_id(&booking_id, path.field("booking_id"), findings, ClaimId::parse);
    let territory = if territory_id.trim().is_empty() {
        None
    } else {
        findings.checked(path.field("territory_id"), TerritoryId::parse(&territory_id))
    };
    let department = department_from_proto(&department, path.field("department"), findings);
    let specialty = findings.optional(path.field("specialty"), &specialty, Specialty::parse);
    let age_band = findings.optional(path.field("age_band"), &age_band, PatientCategory::parse);
    let (case_id, outcome) = case_id.zip(outcome)?;
    Some(move |request_id| OrientationRequest {
        request_id,
        case_id,
        outcome,
        decision_type,
        orientation_type,
        booking_id,
        territory,
        department,
        specialty,
        age_band,
    })
}

/// Writes a decision.
pub(in crate::grpc) fn orientation_to_proto(orientation: &Orientation) -> pb::Orientation {
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
    let text = |code: Option<&'static str>| code.unwrap_or_default().to_owned();
    pb::Orientation {
        case_id: case_id.to_string(),
        outcome: outcome_to_proto(*outcome).into(),
        decision_type: text(decision_type.map(DecisionType::code)),
        orientation_type: text(orientation_type.map(OrientationType::code)),
        booking_id: booking_id.map(|id| id.to_string()).unwrap_or_default(),
        territory_id: territory.map(|id| id.wire()).unwrap_or_default(),
        department: department.code().to_owned(),
        specialty: text(specialty.map(Specialty::code)),
        age_band: text(age_band.map(PatientCategory::code)),
        day: day.to_string(),
        recorded_at: Some(instant_to_proto(*recorded_at)),
    }
}

fn outcome_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> Option<CareOutcome> {
    match pb::CareOutcome::try_from(number) {
        Ok(pb::CareOutcome::EmergencyDispatch) => Some(CareOutcome::EmergencyDispatch),
        Ok(pb::CareOutcome::EmergencyDepartment) => Some(CareOutcome::EmergencyDepartment),
        Ok(pb::CareOutcome::Appointment) => Some(CareOutcome::Appointment),
        Ok(pb::CareOutcome::WalkIn) => Some(CareOutcome::WalkIn),
        Ok(pb::CareOutcome::Teleconsultation) => Some(CareOutcome::Teleconsultation),
        Ok(pb::CareOutcome::HomeVisit) => Some(CareOutcome::HomeVisit),
        Ok(pb::CareOutcome::MedicalAdvice) => Some(CareOutcome::MedicalAdvice),
        Ok(pb::CareOutcome::NoSlotInTime) => Some(CareOutcome::NoSlotInTime),
        Ok(pb::CareOutcome::Unspecified) | Err(_) => {
            let give = "give 1 (CARE_OUTCOME_EMERGENCY_DISPATCH) to 8 (CARE_OUTCOME_NO_SLOT_IN_TIME)";
            findings.refuse(path, format_args!("{number} is no outcome: {give}"));
            None
        }
    }
}

/// Reads what became of a booking.
pub(in crate::grpc) fn attendance_from_proto(
    number: i32,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<AttendanceKind> {
    match pb::Attendance::try_from(number) {
        Ok(pb::Attendance::Seen) => Some(AttendanceKind::Seen),
        Ok(pb::Attendance::Late) => Some(AttendanceKind::Late),
        Ok(pb::Attendance::NoShow) => Some(AttendanceKind::NoShow),
        Ok(pb::Attendance::Unspecified) | Err(_) => {
            let give = "give 1 (ATTENDANCE_SEEN) to 3 (ATTENDANCE_NO_SHOW)";
            findings.refuse(path, format_args!("{number} is no attendance: {give}"));
            None
        }
    }
}

/// Writes what became of a booking.
pub(in crate::grpc) const fn attendance_to_proto(kind: AttendanceKind) -> pb::Attendance {
    match kind {
        AttendanceKind::Seen => pb::Attendance::Seen,
        AttendanceKind::Late => pb::Attendance::Late,
        AttendanceKind::NoShow => pb::Attendance::NoShow,
    }
}

/// Reads whose figures are asked for: a territory or a department.
pub(in crate::grpc) fn scope_from_proto(
    territory_id: Option<&str>,
    department: Option<&str>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Scope> {
    match (territory_id, department) {
        (Some(id), _) => findings.checked(path.field("territory_id"), TerritoryId::parse(id)).map(Scope::Territory),
        (None, Some(code)) => findings.take(path.field("department"), Department::parse(code)).map(Scope::Department),
        (None, None) => {
            findings.refuse(path.field("scope"), "missing: give territory_id or department");
            None
        }
    }
}

/// Reads a civil day.
pub(in crate::grpc) fn day_from_proto(text: &str, path: Path<'_>, findings: &mut Findings) -> Option<NaiveDate> {
    let day = parse_day(text.trim());
    if day.is_none() {
        findings.refuse(path, "no day: write YEAR-MONTH-DAY of the years 2000 to 2199, for instance 2026-11-23");
    }
    day
}
