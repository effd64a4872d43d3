//! What a candidate policy would change, on the wire.

use std::ops::RangeInclusive;

use super::answer::outcome_to_proto;
use super::common::{count, stamp_to_proto};
use super::policy::document_from_proto;
use crate::domain::code::{Modality, PatientCategory, Specialty};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::limits::{PREVIEW_CHANGES_MAX, QUESTIONS_KEPT_MAX};
use crate::service::{AnswerDigest, ChangeSort, ChangedAnswer, Preview, PreviewRequest};

/// Reads what is to be tried; the service judges the candidate.
pub(in crate::grpc) fn preview_from_proto(
    message: pb::PreviewPolicyRequest,
    findings: &mut Findings,
) -> PreviewRequest {
    let pb::PreviewPolicyRequest { documents, questions_max, changes_max } = message;
    let documents: Vec<_> = documents.into_iter().map(document_from_proto).collect();
    PreviewRequest {
        documents: (!documents.is_empty()).then_some(documents),
        questions_max: limited(questions_max, 1..=QUESTIONS_KEPT_MAX, "questions_max", findings),
        changes_max: limited(changes_max, 0..=PREVIEW_CHANGES_MAX, "changes_max", findings),
    }
}

fn limited(
    given: Option<u32>,
    range: RangeInclusive<usize>,
    field: &'static str,
    findings: &mut Findings,
) -> Option<usize> {
    let given = usize::try_from(given?).unwrap_or(usize::MAX);
    if !range.contains(&given) {
        findings.refuse(Path::ROOT.field(field), format_args!("give {} to {}", range.start(), range.end()));
    }
    Some(given)
}

/// Writes what would change.
pub(in crate::grpc) fn preview_to_proto(preview: Preview) -> pb::PreviewPolicyResponse {
    let Preview { active_version, candidate_version, kept_count, compared_count, changed_count, sorts, changes, stamp } =
        preview;
    let change_counts = sorts.into_iter().filter(|(_, found)| *found > 0);
    let change_counts = change_counts
        .map(|(sort, found)| pb::AnswerChangeCount { change: sort_to_proto(sort).into(), count: count(found) });
    pb::PreviewPolicyResponse {
        active_version,
        candidate_version,
        kept_count: count(kept_count),
        compared_count: count(compared_count),
        changed_count: count(changed_count),
        change_counts: change_counts.collect(),
        changes: changes.into_iter().map(changed_to_proto).collect(),
        stamp: Some(stamp_to_proto(&stamp)),
    }
}

fn changed_to_proto(changed: ChangedAnswer) -> pb::ChangedAnswer {
    let ChangedAnswer {
        local_hour,
        department,
        care_level,
        priority,
        age_band,
        specialties,
        modalities,
        sorts,
        before,
        after,
        first_rank_after,
    } = changed;
    pb::ChangedAnswer {
        local_hour,
        department: department.map(|department| department.code().to_owned()).unwrap_or_default(),
        care_level: care_level.code().to_owned(),
        priority: priority.code().to_owned(),
        age_band: age_band.map(PatientCategory::code).unwrap_or_default().to_owned(),
        specialties: specialties.iter().map(Specialty::code).map(str::to_owned).collect(),
        modalities: modalities.iter().map(Modality::code).map(str::to_owned).collect(),
        changes: sorts.into_iter().map(|sort| sort_to_proto(sort).into()).collect(),
        before: Some(digest_to_proto(before)),
        after: Some(digest_to_proto(after)),
        first_rank_after: first_rank_after.map(count),
    }
}

fn digest_to_proto(digest: AnswerDigest) -> pb::AnswerDigest {
    let AnswerDigest { outcome, option_count, first, rule_ids } = digest;
    let (modality, appointment_type) =
        first.map_or(("", ""), |(modality, appointment_type, _)| (modality.code(), appointment_type.code()));
    pb::AnswerDigest {
        outcome: outcome_to_proto(outcome).into(),
        option_count: count(option_count),
        first_modality: modality.to_owned(),
        first_appointment_type: appointment_type.to_owned(),
        first_begins_in_minutes: first.map(|(_, _, minutes)| minutes),
        rule_ids,
    }
}

const fn sort_to_proto(sort: ChangeSort) -> pb::AnswerChange {
    match sort {
        ChangeSort::Outcome => pb::AnswerChange::Outcome,
        ChangeSort::FirstOption => pb::AnswerChange::FirstOption,
        ChangeSort::Options => pb::AnswerChange::Options,
        ChangeSort::Order => pb::AnswerChange::Order,
        ChangeSort::EmergencySites => pb::AnswerChange::EmergencySites,
        ChangeSort::Rules => pb::AnswerChange::Rules,
    }
}
