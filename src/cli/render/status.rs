//! How an instance stands, and the others that share its ledger.

use super::Layout;
use super::answer::stamp_line;
use super::table::table;
use super::time::{instant, local, zone};
use crate::proto::routing as pb;

/// Characters of a digest that are shown.
const DIGEST_SHOWN: usize = 12;

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
    table.add_row(["Durabilité", &format!("{} ({})", status.durability, status.durability_class)]);
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
    let shared = status.shared_ledger.as_ref().map_or(String::new(), |ledger| shared_ledger(ledger, layout));
    let counters = counters(&status.counters);
    format!("{table}{shared}{counters}{stamp}")
}

/// The ledger that instances share, and each of them.
fn shared_ledger(ledger: &pb::SharedLedger, layout: &Layout) -> String {
    let zone = zone("");
    let seen_at = instant(ledger.seen_at.as_ref());
    let pb::SharedLedger { epoch, position, digest, .. } = ledger;
    let mut table =
        table(layout.width, &["Instance", "État", "Position", "Retard", "Empreinte", "Entendue", "Version"]);
    for instance in &ledger.instances {
        let here = if instance.is_self { " (celle-ci)" } else { "" };
        let address = if instance.address.is_empty() { String::new() } else { format!("\n{}", instance.address) };
        let state = match instance.state() {
            pb::InstanceState::Live => "active",
            pb::InstanceState::Silent => "MUETTE",
            pb::InstanceState::Unspecified => "?",
        };
        let lag = match instance.lag_changes {
            0 => "à jour".to_owned(),
            changes => format!("{changes} changements, {} ms", instance.lag_ms),
        };
        let differs = if instance.digest_differs { "\nDIFFÉRENTE" } else { "" };
        table.add_row([
            format!("{}{here}{address}", instance.instance_id),
            state.to_owned(),
            format!("{}-{}", instance.epoch, instance.position),
            lag,
            format!("{}{differs}", short(&instance.digest)),
            local(instant(instance.last_heard_at.as_ref()), zone, seen_at),
            instance.version.clone(),
        ]);
    }
    let seen = local(seen_at, zone, seen_at);
    format!("\n{table}\nRegistre partagé : époque {epoch}, position {position}, empreinte {}, vu {seen}", short(digest))
}

/// What happened at least once.
fn counters(counters: &[pb::Counter]) -> String {
    let counted = counters.iter().filter(|counter| counter.value > 0);
    let counted: Vec<_> = counted.map(|counter| format!("{} {}", counter.name, counter.value)).collect();
    if counted.is_empty() { String::new() } else { format!("\nDepuis l'ouverture : {}", counted.join(", ")) }
}

/// The beginning of a digest, enough to compare by eye.
fn short(digest: &str) -> String {
    digest.chars().take(DIGEST_SHOWN).collect()
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
