//! Holds and bookings that the ledger lost, and what became of them.

use comfy_table::ColumnConstraint;

use super::table::table;
use super::time::{instant, local, local_window, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// What is in quarantine, with whom to call.
#[must_use]
pub fn list(response: &pb::ListQuarantinedResponse, layout: &Layout) -> String {
    if response.slots.is_empty() {
        return "Rien en quarantaine.".to_owned();
    }
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let titles = ["Créneau", "Heure de Paris", "Qui appeler", "Dossier", "Perdu", "Identifiant"];
    let mut table = table(layout.width, &titles);
    // An identifier in one piece can be copied.
    if layout.is_wide()
        && let Some(column) = table.column_mut(titles.len() - 1)
    {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for slot in &response.slots {
        for claim in &slot.claims {
            let what = if claim.confirmed_at.is_some() { "réservation" } else { "pré-réservation" };
            let since = local(instant(claim.since.as_ref()), zone(""), now);
            table.add_row([
                format!("{}\nagenda {}", slot.slot_id, slot.schedule_id),
                local_window(slot.window.as_ref(), zone(""), now),
                format!("{}\n{}", slot.place_name, slot.phone),
                claim.case_id.clone(),
                format!("{what}\ndepuis {since}"),
                claim.claim_id.clone(),
            ]);
        }
    }
    let more = if response.truncated { "\nD'autres créneaux ne sont pas montrés." } else { "" };
    format!("{table}{more}")
}

/// What was settled.
#[must_use]
pub fn settled(response: &pb::SettleQuarantineResponse, layout: &Layout) -> String {
    let mut table = table(layout.width, &["Identifiant", "Dossier", "État"]);
    for claim in &response.claims {
        let state = words::labelled(words::claim_state(claim.state));
        table.add_row([claim.claim_id.clone(), claim.case_id.clone(), state]);
    }
    table.to_string()
}
