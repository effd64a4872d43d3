//! Offers that came to nothing, and how often.

use super::answer::stamp_line;
use super::table::table;
use super::time::{instant, local, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// A refusal that was recorded.
#[must_use]
pub fn refusal(response: &pb::RecordRefusalResponse, layout: &Layout) -> String {
    let refusal = response.refusal.clone().unwrap_or_default();
    let mut table = table(layout.width, &["Refus enregistré", ""]);
    table.add_row(["Motif", &words::labelled(words::refusal_reason(refusal.reason))]);
    table.add_row(["Créneau", &refusal.slot_id]);
    table.add_row(["Agenda", &refusal.schedule_id]);
    if !refusal.practitioner_id.is_empty() {
        table.add_row(["Professionnel", &refusal.practitioner_id]);
    }
    let stamp = response.stamp.as_ref().map_or(String::new(), |stamp| format!("\n{}", stamp_line(stamp, zone(""))));
    format!("{table}{stamp}")
}

/// How often offers came to nothing, schedule by schedule.
#[must_use]
pub fn refusals(response: &pb::ListRefusalsResponse, layout: &Layout) -> String {
    if response.schedules.is_empty() {
        return "Aucun refus enregistré.".to_owned();
    }
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut table = table(layout.width, &["Agenda", "Motif", "Dossiers", "Dernier (heure de Paris)", "Confiance"]);
    for schedule in &response.schedules {
        let confidence = if schedule.doubted { "abaissée" } else { "" };
        for count in &schedule.counts {
            table.add_row([
                schedule.schedule_id.clone(),
                words::labelled(words::refusal_reason(count.reason)),
                count.case_count.to_string(),
                local(instant(count.last_refused_at.as_ref()), zone(""), now),
                confidence.to_owned(),
            ]);
        }
    }
    let more = if response.truncated { "\nD'autres agendas ne sont pas montrés." } else { "" };
    format!("{table}{more}")
}
