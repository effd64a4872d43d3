//! What the whole service does over the embedded ledger, without the transport: publish, hold, restart, memory.
//!
//! Method: a region of 10⁶ slots (or the size given) is published through `Service::publish` in batches of 500 rows, 4 in
//! flight, into a ledger in a temporary folder; then 64 callers hold free slots, each its own, for as many calls as said,
//! then one caller alone. Then the program starts itself anew on that folder and says how long it took until the index was
//! complete, and how much memory is resident then. Every write is durable (fsync) before it counts.
//! Run: `cargo bench --bench service`, or with `-- 100000` for a size.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and panics"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "figures are small"
)]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments, and starts tasks")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sas_router::clock::{ManualClock, SharedClock};
use sas_router::domain::id::{CaseId, RequestId, SlotId, SourceId};
use sas_router::domain::record::Body;
use sas_router::domain::slot::{Published, Slot};
use sas_router::index::Index;
use sas_router::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use sas_router::service::{Applier, Caller, HoldRequest, Parts, PublishBatch, PublishRow, RowStatus, Service};
use sas_router::tasks::Tasks;

use support::region::{at_minute, region};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCH: usize = 500;
const BATCHES_IN_FLIGHT: usize = 4;
const HOLDERS: usize = 64;
const HOLDS: usize = 64_000;
const LONE_HOLDS: usize = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Some(at) = arguments.iter().position(|argument| argument == "--restart") {
        return restart(Path::new(&arguments[at + 1]));
    }
    let size = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(run(size, folder.path()));
    let status =
        std::process::Command::new(std::env::current_exe().unwrap()).arg("--restart").arg(folder.path()).status();
    assert!(status.unwrap().success());
}

fn open(folder: &Path) -> (Arc<Index>, Arc<EmbeddedLedger>, SharedClock) {
    let index = Arc::new(Index::new());
    let clock: SharedClock = Arc::new(ManualClock::new(at_minute(5)));
    let sink = Arc::new(Applier(Arc::clone(&index)));
    let ledger = EmbeddedLedger::open(folder, EmbeddedOptions::default(), Arc::clone(&clock), sink).unwrap();
    (index, Arc::new(ledger), clock)
}

fn restart(folder: &Path) {
    let started = Instant::now();
    let (index, ledger, _) = open(folder);
    let (slots, seconds, resident) = (index.counts().slots, started.elapsed().as_secs_f64(), resident_bytes());
    println!("restart      {slots} slots ready in {seconds:.2} s, {} bytes resident a slot", resident / slots as u64);
    ledger.close();
}

async fn run(size: usize, folder: &Path) {
    let (index, ledger, clock) = open(folder);
    let parts = Parts {
        index,
        ledger: ledger.clone(),
        clock,
        tasks: Tasks::new(),
        instance_id: uuid::Uuid::nil(),
        version: "bench",
    };
    let service = Service::new(parts);
    let region = region(size, 42);
    directory(&service, &region.directory).await;
    publish(&service, &region.slots).await;
    let ids: Vec<SlotId> = region.slots.iter().filter(|slot| slot.capacity == 1).map(|slot| slot.id.clone()).collect();
    drop(region);
    hold(&service, ids).await;
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
}

async fn directory(service: &Service, bodies: &[Body]) {
    let started = Instant::now();
    let mut calls = tokio::task::JoinSet::new();
    // Places and practitioners before the schedules that name them.
    for wave in 0..2 {
        for (number, body) in bodies.iter().enumerate() {
            let (service, body, caller) = (service.clone(), body.clone(), Caller::local());
            let request_id = RequestId::parse(&format!("directory-{number}")).unwrap();
            if matches!(body, Body::Schedule(_)) != (wave == 1) {
                continue;
            }
            if calls.len() >= HOLDERS {
                calls.join_next().await.unwrap().unwrap();
            }
            calls.spawn(async move {
                match body {
                    Body::Territory(one) => {
                        drop(service.upsert_territory(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Place(one) => drop(service.upsert_place(&caller, request_id, (*one).clone()).await.unwrap()),
                    Body::Practitioner(one) => {
                        drop(service.upsert_practitioner(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Schedule(one) => {
                        drop(service.upsert_schedule(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::EmergencySite(one) => {
                        drop(service.upsert_emergency_site(&caller, request_id, (*one).clone()).await.unwrap())
                    }
                    Body::Source(_)
                    | Body::Slot(_)
                    | Body::Case(_)
                    | Body::Orientation(_)
                    | Body::Tally(_)
                    | Body::Policy(_) => {}
                }
            });
        }
        while let Some(done) = calls.join_next().await {
            done.unwrap();
        }
    }
    let rate = bodies.len() as f64 / started.elapsed().as_secs_f64();
    println!("directory    {} records, {rate:.0}/s with {HOLDERS} in flight", bodies.len());
}

async fn publish(service: &Service, slots: &[Arc<Slot>]) {
    let started = Instant::now();
    let mut batches = tokio::task::JoinSet::new();
    for (number, chunk) in slots.chunks(BATCH).enumerate() {
        if batches.len() >= BATCHES_IN_FLIGHT {
            batches.join_next().await.unwrap().unwrap();
        }
        let rows = chunk.iter().map(|slot| PublishRow::Parsed { published: published(slot), warnings: vec![] });
        let batch = PublishBatch {
            request_id: RequestId::parse(&format!("publish-{number}")).unwrap(),
            source_id: SourceId::parse("bench").unwrap(),
            source_revision: 2,
            rows: rows.collect(),
        };
        let service = service.clone();
        batches.spawn(async move {
            let done = service.publish(&Caller::local(), batch).await.unwrap();
            assert!(done.value.iter().all(|row| row.status != RowStatus::Refused), "{:?}", done.value.first());
        });
    }
    while let Some(done) = batches.join_next().await {
        done.unwrap();
    }
    println!("publish      {:.0} slots/s", slots.len() as f64 / started.elapsed().as_secs_f64());
}

async fn hold(service: &Service, ids: Vec<SlotId>) {
    let (ids, next) = (Arc::new(ids), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let holders = (0..HOLDERS).map(|_| {
        let (service, ids, next) = (service.clone(), Arc::clone(&ids), Arc::clone(&next));
        tokio::spawn(async move { holds(&service, &ids, &next, HOLDS.min(ids.len() / 2)).await })
    });
    let mut times = Vec::new();
    for holder in holders.collect::<Vec<_>>() {
        times.extend(holder.await.unwrap());
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    report(&format!("holds, 64 in flight: {rate:.0}/s"), times);
    let until = next.load(Ordering::Relaxed).min(ids.len()) + LONE_HOLDS;
    report("lone hold", holds(service, &ids, &next, until).await);
}

async fn holds(service: &Service, ids: &[SlotId], next: &AtomicUsize, until: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(slot_id) = ids.get(number * 7_919 % ids.len()).filter(|_| number < until) else { return times };
        let request = HoldRequest {
            request_id: RequestId::parse(&format!("hold-{number}")).unwrap(),
            slot_id: slot_id.clone(),
            case_id: CaseId::parse(&format!("dossier-{number}")).unwrap(),
            ttl_seconds: Some(900),
            query: None,
            regulator_id: None,
            rebooks: None,
            authority: sas_router::service::Authority::default(),
        };
        let started = Instant::now();
        match service.hold(&Caller::local(), request).await {
            Ok(_) => times.push(started.elapsed()),
            // A few slots of the night are over; they are no holds.
            Err(refused) => assert!(refused.message.contains("over"), "{refused:?}"),
        }
    }
}

fn published(slot: &Slot) -> Published {
    Published {
        id: slot.id.clone(),
        schedule_id: slot.schedule_id.clone(),
        window: slot.window,
        capacity: slot.capacity,
        traits: Arc::clone(&slot.traits),
    }
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:<12} p50 {:.2?}  p99 {:.2?}  ({} calls)", at(0.5), at(0.99), times.len());
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1_024
}
