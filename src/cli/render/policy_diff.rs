//! Which answers would differ under a candidate policy.

use super::answer::stamp_line;
use super::table::{joined, table, wrapped};
use super::time::zone;
use super::{Layout, words};
use crate::proto::routing as pb;

/// The answer of `PreviewPolicy`.
#[must_use]
pub fn preview(response: &pb::PreviewPolicyResponse, layout: &Layout) -> String {
    let pb::PreviewPolicyResponse { active_version, candidate_version, .. } = response;
    let heading = joined([
        format!("Règles en vigueur {active_version}, candidates {candidate_version}"),
        format!("questions gardées : {}", response.kept_count),
        format!("rejouées : {}", response.compared_count),
        format!("réponses changées : {}", response.changed_count),
    ]);
    let mut parts = vec![wrapped(&heading, layout.width, 2)];
    if !response.change_counts.is_empty() {
        let counts = response.change_counts.iter();
        let counts = counts.map(|one| format!("{} : {}", words::answer_change(one.change).1, one.count));
        parts.push(wrapped(&format!("Dont {}", counts.collect::<Vec<_>>().join(", ")), layout.width, 2));
    }
    if !response.changes.is_empty() {
        let mut table = table(layout.width, &["Demande", "Change", "En vigueur", "Candidates"]);
        for change in &response.changes {
            let sorts: Vec<_> = change.changes.iter().map(|sort| words::answer_change(*sort).1).collect();
            let rank = match (change.first_rank_after, has_first(change.before.as_ref())) {
                (Some(rank), true) if rank > 1 => format!("\nl'ancien premier choix est {rank}e"),
                (None, true) => "\nl'ancien premier choix disparaît".to_owned(),
                (Some(_) | None, _) => String::new(),
            };
            let after = format!("{}{rank}", answer(change.after.as_ref()));
            table.add_row([asked(change), sorts.join(", "), answer(change.before.as_ref()), after]);
        }
        parts.push(table.to_string());
        let left_out =
            usize::try_from(response.changed_count).unwrap_or(usize::MAX).saturating_sub(response.changes.len());
        if left_out > 0 {
            parts.push(format!("Et {left_out} de plus (--changes en montre 200 au plus)."));
        }
    }
    parts.extend(response.stamp.as_ref().map(|stamp| wrapped(&stamp_line(stamp, zone("")), layout.width, 2)));
    parts.join("\n")
}

fn has_first(answer: Option<&pb::AnswerDigest>) -> bool {
    answer.is_some_and(|answer| answer.option_count > 0)
}

/// Who asked for what, as far as it tells no patient.
fn asked(change: &pb::ChangedAnswer) -> String {
    let department = if change.department.is_empty() { String::new() } else { format!("dép. {}", change.department) };
    joined([
        format!("{:02} h", change.local_hour),
        department,
        change.care_level.clone(),
        change.priority.clone(),
        change.age_band.clone(),
        change.specialties.join(" "),
        change.modalities.join(" "),
    ])
}

/// An answer in short.
fn answer(answer: Option<&pb::AnswerDigest>) -> String {
    let Some(answer) = answer else { return String::new() };
    let mut lines = vec![words::outcome(answer.outcome).0];
    if let Some(minutes) = answer.first_begins_in_minutes {
        let (modality, appointment_type) = (&answer.first_modality, &answer.first_appointment_type);
        lines.push(format!("{} choix, d'abord {modality} {appointment_type} dans {minutes} min", answer.option_count));
    }
    if !answer.rule_ids.is_empty() {
        lines.push(answer.rule_ids.join(", "));
    }
    lines.join("\n")
}
