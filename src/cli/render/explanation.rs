//! What became of slots in an answer: one table a schedule, then every failed rule.

use super::answer::stamp_line;
use super::table::{joined, table, wrapped};
use super::time::{instant, local, local_window, metres, minutes, zone};
use super::{Layout, words};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// The answer of `ExplainSlot`.
#[must_use]
pub fn explanation(response: &pb::ExplainSlotResponse, layout: &Layout) -> String {
    let today = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut parts: Vec<String> =
        response.schedules.iter().map(|schedule| of_schedule(schedule, today, layout)).collect();
    if response.schedules.is_empty() {
        parts.push("Aucun agenda.".to_owned());
    }
    if !response.complete {
        parts.push("D'autres créneaux ne sont pas montrés : demander par agenda ou par créneau.".to_owned());
    }
    if let Some(stamp) = &response.stamp {
        let first = response.schedules.first();
        parts.push(wrapped(&stamp_line(stamp, zone(first.map_or("", |one| &one.time_zone))), layout.width, 2));
    }
    parts.join("\n\n")
}

fn of_schedule(schedule: &pb::ExplainedSchedule, today: Option<UtcInstant>, layout: &Layout) -> String {
    let zone = zone(&schedule.time_zone);
    let practitioner = match schedule.practitioner_id.as_str() {
        "" => String::new(),
        id => format!("professionnel {id}"),
    };
    let radius = schedule.radius.as_ref().map_or(String::new(), |radius| format!("rayon {}", metres(radius.radius_m)));
    let needed_by = instant(schedule.needed_by_at.as_ref());
    let needed_by =
        needed_by.map_or(String::new(), |at| format!("début au plus tard {}", local(Some(at), zone, today)));
    let form = schedule.publisher_form.as_ref().map_or("", |_| "sans patient : comme pour quelqu'un sur place");
    let heading = format!("Agenda {}", schedule.schedule_id);
    let heading = joined([heading, practitioner, radius, needed_by, form.to_owned()]);
    let mut lines = vec![wrapped(&heading, layout.width, 2), wrapped(&schedule.sentence, layout.width, 0)];
    if schedule.slots.is_empty() {
        return lines.join("\n");
    }
    let mut table = table(layout.width, &["Créneau", "Heure locale", "État", "Verdict", "Rang", "Pourquoi"]);
    for slot in &schedule.slots {
        table.add_row([
            slot.slot_id.clone(),
            local_window(slot.window.as_ref(), zone, today),
            words::labelled(words::slot_state(slot.state)),
            words::labelled(words::slot_verdict(slot.verdict)),
            slot.rank.map_or("-".to_owned(), |rank| rank.to_string()),
            why(slot),
        ]);
    }
    lines.push(table.to_string());
    lines.join("\n")
}

/// Every modality with every rule that it fails; the sentence when none fails.
fn why(slot: &pb::ExplainedSlot) -> String {
    let failing = slot.modalities.iter().filter(|modality| !modality.failed_rules.is_empty());
    let failures: Vec<String> = failing
        .map(|modality| {
            let rules: Vec<String> = modality.failed_rules.iter().map(failed_rule).collect();
            format!("{} : {}", modality.modality, rules.join(" ; "))
        })
        .collect();
    let suits = failures.len() < slot.modalities.len() || failures.is_empty();
    let sentence = if suits { vec![slot.sentence.clone()] } else { Vec::new() };
    sentence.into_iter().chain(failures).collect::<Vec<_>>().join("\n")
}

fn failed_rule(failed: &pb::FailedRule) -> String {
    let code = words::rule(failed.rule).0;
    let code = if failed.cause.is_empty() { code } else { format!("{code}/{}", failed.cause) };
    let by = match (pb::Rule::try_from(failed.rule), failed.excess) {
        (_, 0) | (Err(_), _) => String::new(),
        (Ok(pb::Rule::Radius), excess) => format!(" de {}", metres(excess)),
        (Ok(pb::Rule::Age), excess) => format!(" de {excess} jours"),
        (Ok(_), excess) => format!(" de {}", minutes(excess)),
    };
    format!("{} ({code}{by})", failed.sentence)
}
