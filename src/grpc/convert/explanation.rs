//! What became of slots in an answer.

use super::answer::{radius_to_proto, rule_to_proto};
use super::choice::likeness_to_proto;
use super::common::{instant_to_proto, position_to_proto, stamp_to_proto, window_to_proto};
use super::option::parts_to_proto;
use super::practitioner::specialties_to_proto;
use super::slot::state_to_proto;
use crate::domain::explanation::{
    Failure, ModalityExplanation, Rank, ScheduleExplanation, SlotExplanation, Subject, Verdict,
};
use crate::domain::id::{PractitionerId, ScheduleId, SlotId};
use crate::domain::query::CareQuery;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::Explained;

/// Reads what slots are explained.
pub(in crate::grpc) fn subject_from_proto(
    message: Option<pb::explain_slot_request::Subject>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Subject> {
    match message {
        Some(pb::explain_slot_request::Subject::SlotId(id)) => {
            findings.take(path.field("slot_id"), SlotId::parse(&id)).map(Subject::Slot)
        }
        Some(pb::explain_slot_request::Subject::ScheduleId(id)) => {
            findings.take(path.field("schedule_id"), ScheduleId::parse(&id)).map(Subject::Schedule)
        }
        Some(pb::explain_slot_request::Subject::PractitionerId(id)) => {
            let id = findings.take(path.field("practitioner_id"), PractitionerId::parse(&id));
            id.map(|id| Subject::Practitioner(id.value))
        }
        None => {
            findings.refuse(path.field("subject"), "missing: give slot_id, schedule_id or practitioner_id");
            None
        }
    }
}

/// Writes what became of slots.
pub(in crate::grpc) fn explained_to_proto(explained: &Explained) -> pb::ExplainSlotResponse {
    let Explained { schedules, complete, stamp } = explained;
    pb::ExplainSlotResponse {
        schedules: schedules.iter().map(schedule_to_proto).collect(),
        complete: *complete,
        stamp: Some(stamp_to_proto(stamp)),
    }
}

fn schedule_to_proto(schedule: &ScheduleExplanation) -> pb::ExplainedSchedule {
    let ScheduleExplanation { schedule_id, offer, publisher_form, rule_id, radius, needed_by_at, slots, sentence } =
        schedule;
    let practitioner = offer.as_ref().and_then(|offer| offer.practitioner.as_ref());
    pb::ExplainedSchedule {
        schedule_id: schedule_id.to_string(),
        practitioner_id: practitioner.map(|practitioner| practitioner.id.wire()).unwrap_or_default(),
        time_zone: offer.as_ref().map(|offer| offer.place.zone.name().to_owned()).unwrap_or_default(),
        publisher_form: publisher_form.as_ref().map(form_to_proto),
        rule_id: rule_id.to_string(),
        radius: radius.as_ref().map(radius_to_proto),
        needed_by_at: needed_by_at.map(instant_to_proto),
        slots: slots.iter().map(slot_to_proto).collect(),
        sentence: sentence.clone(),
    }
}

fn form_to_proto(form: &CareQuery) -> pb::PublisherForm {
    let parts = form.parts();
    pb::PublisherForm {
        position: parts.position.as_ref().map(position_to_proto),
        age_days: parts.age.map_or(0, |age| age.days()),
        specialties: specialties_to_proto(parts.specialties),
        professions: parts.professions.iter().map(|profession| profession.code().to_owned()).collect(),
        needed_within_minutes: parts.needed_within_minutes.unwrap_or(0),
    }
}

fn slot_to_proto(explained: &SlotExplanation) -> pb::ExplainedSlot {
    let SlotExplanation { slot, verdict, modalities, sentence } = explained;
    let (verdict, Rank { rank, in_answer, behind, set_aside }) = match verdict {
        Verdict::Option(rank) => (pb::SlotVerdict::Option, rank.clone()),
        Verdict::BehindOwn(first) => {
            (pb::SlotVerdict::BehindOwn, Rank { behind: vec![first.clone()], ..Rank::default() })
        }
        Verdict::Excluded => (pb::SlotVerdict::Excluded, Rank::default()),
        Verdict::NotSearched => (pb::SlotVerdict::NotSearched, Rank::default()),
        Verdict::Unresolved => (pb::SlotVerdict::Unresolved, Rank::default()),
    };
    pb::ExplainedSlot {
        slot_id: slot.id.to_string(),
        window: Some(window_to_proto(slot.window)),
        state: state_to_proto(slot.state).into(),
        verdict: verdict.into(),
        rank,
        in_answer,
        behind_slot_ids: behind.iter().map(ToString::to_string).collect(),
        modalities: modalities.iter().map(modality_to_proto).collect(),
        sentence: sentence.clone(),
        set_aside: set_aside.map_or(pb::Likeness::Unspecified, likeness_to_proto).into(),
    }
}

fn modality_to_proto(explained: &ModalityExplanation) -> pb::ExplainedModality {
    let ModalityExplanation { modality, care_begins_at, parts, failures } = explained;
    pb::ExplainedModality {
        modality: modality.code().to_owned(),
        care_begins_at: Some(instant_to_proto(*care_begins_at)),
        parts: Some(parts_to_proto(parts)),
        failed_rules: failures.iter().map(failure_to_proto).collect(),
    }
}

fn failure_to_proto(failure: &Failure) -> pb::FailedRule {
    let Failure { rule, excess, cause, sentence } = failure;
    pb::FailedRule {
        rule: rule_to_proto(*rule).into(),
        excess: *excess,
        cause: cause.map(|cause| cause.code().to_owned()).unwrap_or_default(),
        sentence: sentence.clone(),
    }
}
