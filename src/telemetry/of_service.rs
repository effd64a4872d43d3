//! How the service stands, as readings: its ledger, sources, slots and conditions.
//!
//! Invariant: reading takes no lock that a question or a write waits for longer than a look, and asks neither disk nor network. Of
//! directories nothing is told but identifiers of territories and sources. Deliberately absent: what happened, which is recorded,
//! and the process, which is there before its service.

use std::time::Duration;

use crate::domain::source::Confidence;
use crate::domain::time::MS_PER_SECOND;
use crate::service::{Census, ConditionKind, Overview, Service, SourceView, Status, TensionBoard, TensionState};

use super::readings::{IntoF64 as _, Readings};

/// How old the last word of the ledger's server may be: heartbeats come every 5 seconds.
const HEARD_WITHIN: Duration = Duration::from_secs(15);

/// Reads off how a service stands.
pub(super) fn read(service: &Service, readings: &mut Readings) {
    let status = service.status();
    read_state(&status, readings);
    read_ledger(&status, readings);
    read_overview(&status.ledger, readings);
    readings.count("sas.ledger.queue", service.appends_under_way(), &[]);
    readings.count("sas.watches.active", service.open_watches(), &[]);
    readings.count("sas.booking.beyond_delay", status.beyond_delay_count, &[]);
    readings.count("sas.booking.quarantined", service.quarantined(None).claim_count, &[]);
    read_sources(&status, service.sources(), readings);
    read_census(&service.census(), readings);
    if let Some(board) = service.board_here() {
        read_tension(&board.tension, readings);
    }
    if let Some(roads) = &status.roads {
        let tables = [("asked", roads.asked_count), ("failed", roads.failed_count), ("skipped", roads.skipped_count)];
        tables.into_iter().for_each(|(result, count)| readings.count("sas.road.tables", count, &[result]));
    }
}

fn read_state(status: &Status, readings: &mut Readings) {
    let stands = |kind| status.conditions.iter().any(|condition| condition.kind == kind);
    for kind in ConditionKind::ALL {
        let degrades = if kind.degrades() { "true" } else { "false" };
        readings.note("sas.conditions", one_if(stands(kind)), &[kind.code(), degrades]);
    }
    let kept = &status.counts;
    let kinds = [
        ("territory", kept.territories),
        ("place", kept.places),
        ("practitioner", kept.practitioners),
        ("schedule", kept.schedules),
        ("slot", kept.slots),
        ("emergency_site", kept.emergency_sites),
        ("claim", kept.claims),
    ];
    kinds.into_iter().for_each(|(kind, count)| readings.count("sas.index.records", count, &[kind]));
}

fn read_ledger(status: &Status, readings: &mut Readings) {
    let position = status.stamp.position;
    readings.count("sas.ledger.position", position.sequence, &[]);
    readings.count("sas.ledger.epoch", position.epoch, &[]);
    readings.note("sas.ledger.durability", 1.0, &[status.durability_class]);
    readings.note("sas.ledger.writable", one_if(status.refusal.is_none()), &[]);
}

/// What there is of a ledger that is shared.
fn read_overview(ledger: &Overview, readings: &mut Readings) {
    for (name, count) in &ledger.counters {
        readings.count(name, *count, &[]);
    }
    // What the last heartbeat found grows old while the ledger's server is away; what others say is not known then.
    let age = ledger.seen_age.unwrap_or_default();
    let is_stale = age > HEARD_WITHIN;
    if let Some(own) = ledger.instances.iter().find(|instance| instance.is_self) {
        readings.count("sas.ledger.lag", own.lag_changes, &[]);
        let stale_s = if is_stale { age.as_secs_f64() } else { 0.0 };
        readings.note("sas.ledger.lag.duration", own.lag_ms.into_f64() / 1_000.0 + stale_s, &[]);
    }
    if !ledger.instances.is_empty() && !is_stale {
        let silent = ledger.instances.iter().filter(|instance| instance.is_silent).count();
        readings.count("sas.instances", ledger.instances.len() - silent, &["live"]);
        readings.count("sas.instances", silent, &["silent"]);
    }
}

fn read_sources(status: &Status, sources: Vec<SourceView>, readings: &mut Readings) {
    let now = status.stamp.answered_at;
    let silent = |view: &&SourceView| view.source.lease_seconds.is_some() && view.confidence != Confidence::Certain;
    readings.count("sas.sources.silent", sources.iter().filter(silent).count(), &[]);
    for confidence in Confidence::ALL {
        let count = sources.iter().filter(|view| view.confidence == confidence).count();
        readings.count("sas.sources", count, &[confidence.code()]);
    }
    for view in &sources {
        let id = view.source.id.as_str();
        // One that only ever sent heartbeats, or none, was heard when it did.
        let heartbeat_at = view.source.lease_seconds.is_some().then_some(view.source.heard_at);
        let heard_at = heartbeat_at.max(view.extent.last_received_at).unwrap_or(view.source.heard_at);
        readings.note("sas.source.age", seconds(now.ms_since(heard_at).max(0)), &[id]);
        readings.count("sas.source.schedules", view.extent.schedule_count, &[id]);
    }
}

fn read_census(census: &Census, readings: &mut Readings) {
    for ((territory, standing, visibilities), count) in &census.slots {
        let territory = territory.map(|territory| territory.wire()).unwrap_or_default();
        let seen_by: Vec<_> = visibilities.iter().map(|visibility| visibility.code()).collect();
        readings.count("sas.slots", *count, &[&territory, standing.code(), &seen_by.join("+")]);
    }
    for (territory, fill) in census.fill.iter().filter(|(_, fill)| fill.units > 0) {
        readings.note("sas.booking.fill", fill.booked.into_f64() / fill.units.into_f64(), &[&territory.wire()]);
    }
    readings.count("sas.booking.holds", census.live_holds, &[]);
    readings.count("sas.booking.expired_holds", census.expired_holds, &[]);
}

fn read_tension(tension: &TensionBoard, readings: &mut Readings) {
    // The least tense are left out, of which something is free.
    for name in ["sas.tension.first_slot", "sas.tension.threshold"] {
        readings.leave_out(name, tension.left_out_count);
    }
    for row in &tension.rows {
        let by = [&*row.territory.wire(), row.need.code(), row.age_band.code()];
        if let Some(first) = row.first_slot_seconds {
            readings.note("sas.tension.first_slot", f64::from(first), &by);
        }
        readings.note("sas.tension.threshold", f64::from(row.threshold_seconds), &by);
    }
    for (territory, counts) in &tension.by_territory {
        for (state, count) in TensionState::ALL.iter().zip(counts) {
            let by = [&*territory.wire(), &state.code().to_ascii_lowercase()];
            readings.count("sas.tension.needs", *count, &by);
        }
    }
}

fn one_if(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of a process or a source are far below 2⁵³")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / MS_PER_SECOND as f64
}
