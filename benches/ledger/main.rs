//! What a ledger takes and how fast it is back: the embedded one, or with `--site` the one in Redis that instances share.
//!
//! Embedded: measures, on a store in a temporary folder of the machine's disk, through the ledger's own interface:
//! - publish: slots a second in appends of 64 slots, 8 appends in flight;
//! - restore: opening the store with all of them, until the sink was told the last; once after a clean close and once
//!   from a copy taken while the store was open, as after a crash;
//! - lone append: one caller, one hold on a random slot at a time, with a request id;
//! - 64 in flight: 64 callers, each doing the same;
//! - the size of the file.
//!
//! Run: `cargo bench --bench ledger -- [--slots 1000000] [--seconds 5] [--dir FOLDER]`. The sink counts and forgets, so
//! building an index is not in the figures. Appends are durable: the disk's fsync is in every one of them.
//!
//! A site: see `site.rs`. Run: `cargo bench --bench ledger -- --site [--slots 100000]`, with `redis-server` installed.
#![allow(clippy::print_stdout, reason = "a bench reports to the terminal")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench that fails has no caller"
)]
#![allow(clippy::cast_possible_truncation, reason = "figures are small")]

mod bare;
mod figures;
mod instance;
mod outage;
#[allow(dead_code, reason = "shared with the integration tests; either uses a part of it")]
#[path = "../../tests/it/harness/redis_server.rs"]
mod redis_server;
#[allow(dead_code, reason = "shared with the integration tests; either uses a part of it")]
#[path = "../../tests/it/harness/redis_topology.rs"]
mod redis_topology;
mod site;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use hdrhistogram::Histogram;
use sas_router::clock::{Clock as _, SharedClock, Stopwatch, SystemClock};
use sas_router::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use sas_router::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, ScheduleId, SlotId};
use sas_router::domain::record::{Body, Change, Position, Versioned};
use sas_router::domain::slot::{NewHold, Published, Slot, SlotTraits};
use sas_router::domain::time::Window;
use sas_router::ledger::embedded::{EmbeddedLedger, EmbeddedOptions, FILE_NAME};
use sas_router::ledger::{Append, AppendOutcome, ChangeSink, Entry, Fingerprint, Ledger, Request};
use uuid::Uuid;

/// Slots of one append when publishing.
const SLOTS_PER_APPEND: u64 = 64;
/// Slots of one schedule.
const SLOTS_PER_SCHEDULE: u64 = 10;
/// Slots of a site when none are said: the size for which most of its targets are stated.
const SITE_SLOTS: usize = 100_000;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Counts and forgets.
#[derive(Default)]
struct Counter(AtomicU64);

impl ChangeSink for Counter {
    fn apply(&self, changes: &[Change]) {
        self.0.fetch_add(changes.len() as u64, Ordering::Relaxed);
    }

    fn begin_reload(&self, _: Position) {}

    fn reload(&self, _: &[Change]) {}

    fn finish_reload(&self) {}

    fn advance(&self, _: Position) {}

    fn records(&self, _: &mut dyn FnMut(Versioned<Body>)) {}
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value =
        |name: &str| arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if arguments.iter().any(|argument| argument == "--site") {
        return site::measure(&runtime, value("--slots").map_or(SITE_SLOTS, |slots| slots.parse().unwrap()));
    }
    let slots: u64 = value("--slots").map_or(1_000_000, |slots| slots.parse().unwrap());
    let seconds: u64 = value("--seconds").map_or(5, |seconds| seconds.parse().unwrap());
    let folder = match value("--dir") {
        Some(folder) => tempfile::tempdir_in(folder),
        None => tempfile::tempdir(),
    }
    .unwrap();
    println!("embedded ledger, {slots} slots, {seconds} s a measure");

    let ledger: Arc<dyn Ledger> = open(folder.path());
    runtime.block_on(publish(&ledger, slots));
    let crashed = tempfile::tempdir_in(folder.path()).unwrap();
    std::fs::copy(folder.path().join(FILE_NAME), crashed.path().join(FILE_NAME)).unwrap();
    drop(ledger);
    println!(
        "file size            {:>12} MB",
        std::fs::metadata(folder.path().join(FILE_NAME)).unwrap().len() / 1_000_000
    );
    restore("restore, closed", folder.path(), slots);
    restore("restore, crashed", crashed.path(), slots);

    let ledger: Arc<dyn Ledger> = open(folder.path());
    runtime.block_on(hold(&ledger, "lone append", 1, slots, seconds));
    runtime.block_on(hold(&ledger, "16 in flight", 16, slots, seconds));
    runtime.block_on(hold(&ledger, "64 in flight", 64, slots, seconds));
    drop(ledger);
    println!(
        "file size            {:>12} MB",
        std::fs::metadata(folder.path().join(FILE_NAME)).unwrap().len() / 1_000_000
    );
}

fn open(folder: &Path) -> Arc<EmbeddedLedger> {
    let clock: SharedClock = Arc::new(SystemClock);
    Arc::new(EmbeddedLedger::open(folder, EmbeddedOptions::default(), clock, Arc::new(Counter::default())).unwrap())
}

/// The slot of a number, free; numbers follow a scattered order of keys, as publishers' own names do.
fn slot(number: u64) -> Slot {
    let schedule = number / SLOTS_PER_SCHEDULE;
    let now = SystemClock.now();
    let start_at = now.plus_ms(3_600_000 + i64::try_from(number % SLOTS_PER_SCHEDULE).unwrap() * 900_000);
    let published = Published {
        id: SlotId::parse(&format!("{:08x}-slot-{number}", schedule.wrapping_mul(2_654_435_761) & 0xffff_ffff))
            .unwrap(),
        schedule_id: ScheduleId::parse(&format!("schedule-{schedule}")).unwrap(),
        window: Window::new(start_at, start_at.plus_ms(900_000)).unwrap(),
        capacity: 1,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Snp]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        }),
    };
    Slot::from_published(published, 1, now)
}

async fn publish(ledger: &Arc<dyn Ledger>, slots: u64) {
    let stopwatch = Stopwatch::start();
    let next = Arc::new(AtomicU64::new(0));
    let mut publishers = Vec::new();
    for _ in 0..8 {
        let (ledger, next) = (Arc::clone(ledger), Arc::clone(&next));
        publishers.push(tokio::spawn(async move {
            loop {
                let first = next.fetch_add(SLOTS_PER_APPEND, Ordering::Relaxed);
                if first >= slots {
                    return;
                }
                let numbers = first..(first + SLOTS_PER_APPEND).min(slots);
                let entries = numbers.map(|number| Entry::put(Body::Slot(Arc::new(slot(number))), 0)).collect();
                let outcome = ledger.append(Append { entries, request: None }).await;
                assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
            }
        }));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let rate = slots as f64 / stopwatch.elapsed().as_secs_f64();
    println!("publish              {rate:>12.0} slots/s");
}

fn restore(name: &str, folder: &Path, slots: u64) {
    let stopwatch = Stopwatch::start();
    let ledger = open(folder);
    let elapsed = stopwatch.elapsed();
    assert_eq!(ledger.records_restored(), slots);
    println!("{name:<20} {:>12.2} s", elapsed.as_secs_f64());
}

/// Each caller holds random slots for a while; a conflict gives the current slot, which is held in its place.
async fn hold(ledger: &Arc<dyn Ledger>, name: &str, callers: u64, slots: u64, seconds: u64) {
    let stopwatch = Stopwatch::start();
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let ledger = Arc::clone(ledger);
        tasks.push(tokio::spawn(async move {
            let mut latencies = Histogram::<u64>::new(3).unwrap();
            let mut random = caller.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678 ^ (callers << 32);
            let mut version = 1;
            let mut known = None;
            while stopwatch.elapsed().as_secs() < seconds {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let now = SystemClock.now();
                let slot = known.take().unwrap_or_else(|| slot(random % slots));
                let id = ClaimId::from_uuid(Uuid::from_u64_pair(random, caller));
                let case_id = CaseId::parse(&format!("case-{random}")).unwrap();
                let hold = NewHold { id, case_id, regulator_id: None, expires_at: now.plus_seconds(1) };
                let Ok(next) = slot.hold(hold, now) else {
                    version = 1;
                    continue;
                };
                let request = Request {
                    principal: PrincipalId::parse("bench").unwrap(),
                    request_id: RequestId::parse(&id.to_string()).unwrap(),
                    part: 0,
                    fingerprint: Fingerprint([7; 16]),
                    result: Bytes::from_static(&[7; 200]),
                };
                let entry =
                    Entry { not_before: next.not_before, ..Entry::put(Body::Slot(Arc::new(next.slot)), version) };
                let asked = Stopwatch::start();
                let outcome = ledger.append(Append { entries: vec![entry], request: Some(request) }).await;
                if matches!(outcome, AppendOutcome::Appended { .. }) {
                    latencies.record(u64::try_from(asked.elapsed().as_micros()).unwrap()).unwrap();
                    version = 1;
                    continue;
                }
                let AppendOutcome::Conflict { key: _, current: Some(current) } = outcome else { panic!("{outcome:?}") };
                let Body::Slot(held) = current.value else { panic!("{:?}", current.value) };
                version = current.version;
                known = Some(Slot::clone(&held));
            }
            latencies
        }));
    }
    let mut latencies = Histogram::<u64>::new(3).unwrap();
    for task in tasks {
        latencies.add(task.await.unwrap()).unwrap();
    }
    let rate = latencies.len() as f64 / stopwatch.elapsed().as_secs_f64();
    let (p50, p99) = (latencies.value_at_quantile(0.5) as f64 / 1e3, latencies.value_at_quantile(0.99) as f64 / 1e3);
    println!("{name:<20} {rate:>12.0} appends/s   p50 {p50:.2} ms   p99 {p99:.2} ms");
}
