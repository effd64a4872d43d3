//! Offers that came to nothing, and how often.

use super::common::{instant_to_proto, optional_id, request_id_from_proto};
use crate::domain::case::{Refusal, RefusalReason};
use crate::domain::id::{CaseId, PractitionerId, PrincipalId, ScheduleId, SlotId, TerritoryId};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::{RefusalList, RefusalRequest, RefusalScope, ScheduleRefusals};

/// Reads a refusal that is to be recorded.
pub(in crate::grpc) fn refusal_from_proto(
    message: pb::RecordRefusalRequest,
    findings: &mut Findings,
) -> Option<RefusalRequest> {
    let pb::RecordRefusalRequest { request_id, case_id, slot_id, reason, regulator_id } = message;
    let path = Path::ROOT;
    let request_id = request_id_from_proto(&request_id, findings);
    let case_id = findings.take(path.field("case_id"), CaseId::parse(&case_id));
    let slot_id = findings.take(path.field("slot_id"), SlotId::parse(&slot_id));
    let reason = reason_from_proto(reason, findings);
    let regulator_id = optional_id(&regulator_id, path.field("regulator_id"), findings, PrincipalId::parse);
    let read = request_id.zip(case_id).zip(slot_id).zip(reason).filter(|_| findings.violations.is_empty());
    read.map(|(((request_id, case_id), slot_id), reason)| RefusalRequest {
        request_id,
        case_id,
        slot_id,
        reason,
        regulator_id,
    })
}

/// Reads of which schedules refusals are asked for.
pub(in crate::grpc) fn scope_from_proto(
    message: pb::ListRefusalsRequest,
    findings: &mut Findings,
) -> Option<RefusalScope> {
    use pb::list_refusals_request::Scope;
    let pb::ListRefusalsRequest { scope } = message;
    let path = Path::ROOT;
    match scope {
        Some(Scope::TerritoryId(id)) => {
            let id = findings.checked(path.field("territory_id"), TerritoryId::parse(&id));
            id.map(RefusalScope::Territory)
        }
        Some(Scope::ScheduleId(id)) => {
            findings.take(path.field("schedule_id"), ScheduleId::parse(&id)).map(RefusalScope::Schedule)
        }
        None => {
            findings.refuse(path.field("territory_id"), "missing: give a territory or a schedule");
            None
        }
    }
}

fn reason_from_proto(number: i32, findings: &mut Findings) -> Option<RefusalReason> {
    let reason = match pb::RefusalReason::try_from(number) {
        Ok(pb::RefusalReason::CouldNotContact) => Some(RefusalReason::CouldNotContact),
        Ok(pb::RefusalReason::Declined) => Some(RefusalReason::Declined),
        Ok(pb::RefusalReason::NoAppointment) => Some(RefusalReason::NoAppointment),
        Ok(pb::RefusalReason::TooFar) => Some(RefusalReason::TooFar),
        Ok(pb::RefusalReason::Transport) => Some(RefusalReason::Transport),
        Ok(pb::RefusalReason::NotAppropriate) => Some(RefusalReason::NotAppropriate),
        Ok(pb::RefusalReason::PatientChoice) => Some(RefusalReason::PatientChoice),
        Ok(pb::RefusalReason::Unspecified) | Err(_) => None,
    };
    if reason.is_none() {
        let known = RefusalReason::ALL.map(RefusalReason::code).join(", ");
        findings.refuse(Path::ROOT.field("reason"), format_args!("missing or unknown: give one of {known}"));
    }
    reason
}

const fn reason_to_proto(reason: RefusalReason) -> pb::RefusalReason {
    match reason {
        RefusalReason::CouldNotContact => pb::RefusalReason::CouldNotContact,
        RefusalReason::Declined => pb::RefusalReason::Declined,
        RefusalReason::NoAppointment => pb::RefusalReason::NoAppointment,
        RefusalReason::TooFar => pb::RefusalReason::TooFar,
        RefusalReason::Transport => pb::RefusalReason::Transport,
        RefusalReason::NotAppropriate => pb::RefusalReason::NotAppropriate,
        RefusalReason::PatientChoice => pb::RefusalReason::PatientChoice,
    }
}

/// Writes a refusal as it was recorded; who recorded it stays with regulation.
pub(in crate::grpc) fn refusal_to_proto(refusal: &Refusal) -> pb::Refusal {
    let Refusal { slot_id, schedule_id, practitioner_id, reason, refused_at, regulator_id: _ } = refusal;
    pb::Refusal {
        slot_id: slot_id.to_string(),
        schedule_id: schedule_id.to_string(),
        practitioner_id: practitioner_id.as_ref().map(PractitionerId::wire).unwrap_or_default(),
        reason: reason_to_proto(*reason).into(),
        refused_at: Some(instant_to_proto(*refused_at)),
    }
}

/// Writes what was refused, schedule by schedule.
pub(in crate::grpc) fn refusals_to_proto(list: RefusalList) -> (Vec<pb::ScheduleRefusals>, bool) {
    let RefusalList { schedules, truncated } = list;
    (schedules.into_iter().map(schedule_to_proto).collect(), truncated)
}

fn schedule_to_proto(refused: ScheduleRefusals) -> pb::ScheduleRefusals {
    let ScheduleRefusals { schedule_id, counts, doubted } = refused;
    let counts = counts.into_iter().map(|(reason, (cases, last_at))| pb::RefusalCount {
        reason: reason_to_proto(reason).into(),
        case_count: cases,
        last_refused_at: Some(instant_to_proto(last_at)),
    });
    let counts: Vec<_> = counts.collect();
    pb::ScheduleRefusals { schedule_id: schedule_id.to_string(), counts, doubted }
}
