//! How an instance stands.

use super::Layout;
use super::answer::stamp_line;
use super::table::table;
use super::time::{instant, local, zone};
use crate::proto::routing as pb;

/// The status of one instance.
#[must_use]
pub fn status(status: &pb::GetStatusResponse, layout: &Layout) -> String {
    let zone = zone("");
    let now = status.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let writable =
        if status.writable { "acceptées".to_owned() } else { format!("REFUSÉES : {}", status.write_refusal) };
    let counts = status.counts.unwrap_or_default();
    let mut table = table(layout.width, &["Service", ""]);
    table.add_row(["Version", &status.version]);
    table.add_row(["Instance", &status.instance_id]);
    table.add_row(["Prête depuis", &local(instant(status.started_at.as_ref()), zone, now)]);
    table.add_row(["Registre", &status.ledger_kind]);
    table.add_row(["Durabilité", &status.durability]);
    table.add_row(["Écritures", &writable]);
    for pb::Condition { code, message, degrades: _ } in &status.conditions {
        table.add_row(["À surveiller", &format!("{code} : {message}")]);
    }
    if let Some(roads) = &status.road_times {
        table.add_row(["Temps routiers", &road_times(roads)]);
    }
    table.add_row(["CPTS", &counts.territories.to_string()]);
    table.add_row(["Lieux", &counts.places.to_string()]);
    table.add_row(["Professionnels", &counts.practitioners.to_string()]);
    table.add_row(["Agendas", &counts.schedules.to_string()]);
    table.add_row(["Créneaux", &counts.slots.to_string()]);
    table.add_row(["Sites d'urgence", &counts.emergency_sites.to_string()]);
    table.add_row(["Réservations", &counts.claims.to_string()]);
    table.add_row(["Pris hors délai", &status.beyond_delay_count.to_string()]);
    let stamp = status.stamp.as_ref().map_or(String::new(), |stamp| format!("\n{}", stamp_line(stamp, zone)));
    format!("{table}{stamp}")
}

/// What came of the road tables that were asked for.
fn road_times(roads: &pb::RoadTimesStatus) -> String {
    let pb::RoadTimesStatus { engine, asked_count, failed_count, known_count, skipped_count, last_failure, .. } = roads;
    let failure = if last_failure.is_empty() { String::new() } else { format!(", dernier échec {last_failure}") };
    format!(
        "{engine} : {asked_count} tables demandées dont {failed_count} en échec, {skipped_count} non demandées, {known_count} \
         temps déjà connus{failure}"
    )
}
