//! A schedule with its slots and what was claimed of them.

use comfy_table::ColumnConstraint;

use super::answer::stamp_line;
use super::table::{joined, table, wrapped};
use super::time::{instant, local_window, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// Longest slot identifier that is shown in one piece.
const SLOT_ID_WHOLE_CHARACTERS: usize = 48;

/// The schedule's slots in the zone of its place.
#[must_use]
pub fn schedule(response: &pb::GetScheduleResponse, time_zone: &str, layout: &Layout) -> String {
    let zone = zone(time_zone);
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut parts = Vec::new();
    if let Some(schedule) = &response.schedule {
        let territories: Vec<_> = schedule.territory_ids.iter().map(|id| layout.names.territory(id)).collect();
        let heading = joined([
            format!("Agenda {}", schedule.schedule_id),
            format!("lieu {}", schedule.place_id),
            prefixed("professionnel ", &schedule.practitioner_id),
            prefixed("CPTS : ", &territories.join(", ")),
            prefixed("éditeur ", &schedule.source_id),
            format!("révision {}", schedule.source_revision),
        ]);
        parts.push(wrapped(&heading, layout.width, 2));
    }
    let mut table = table(layout.width, &["Créneau", "Heure locale", "Comment, pour qui", "État", "Pris", "Libres"]);
    let longest_id =
        response.slots.iter().filter_map(|slot| slot.input.as_ref()).map(|input| input.slot_id.len()).max();
    // An identifier in one piece can be copied; a longer one would leave no room for the rest.
    if layout.is_wide()
        && longest_id.is_some_and(|length| length <= SLOT_ID_WHOLE_CHARACTERS)
        && let Some(column) = table.column_mut(0)
    {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for slot in &response.slots {
        let Some(input) = &slot.input else { continue };
        let manner: Vec<_> = input.modalities.iter().map(|code| words::modality(code)).collect();
        let capacity = input.capacity.unwrap_or(1);
        let held = counted(slot.held_count, "tenu");
        let lost = slot.claims.iter().filter(|claim| claim.state() == pb::ClaimState::Quarantined).count();
        let lost = counted(u32::try_from(lost).unwrap_or(u32::MAX), "en quarantaine");
        let taken = format!("{}{held}{lost} / {capacity}", slot.booked_count);
        table.add_row([
            input.slot_id.clone(),
            local_window(input.window.as_ref(), zone, now),
            format!(
                "{}, {}\n{}",
                manner.join(", "),
                words::appointment_type(&input.appointment_type),
                input.visibilities.join(" ")
            ),
            words::labelled(words::slot_state(slot.state)),
            taken,
            slot.remaining_count.to_string(),
        ]);
    }
    parts.push(if response.slots.is_empty() { "Aucun créneau.".to_owned() } else { table.to_string() });
    if let Some(stamp) = &response.stamp {
        parts.push(stamp_line(stamp, zone));
    }
    parts.join("\n")
}

fn counted(count: u32, what: &str) -> String {
    if count == 0 { String::new() } else { format!(" + {count} {what}") }
}

fn prefixed(prefix: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{prefix}{text}") }
}
