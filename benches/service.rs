//! What the whole service does over the embedded ledger, without the transport: publish, board, hold, restart, memory.
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
use std::time::{Duration, Instant};

use sas_router::clock::{ManualClock, SharedClock};
use sas_router::domain::id::SlotId;
use sas_router::index::Index;
use sas_router::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use sas_router::service::{Applier, Service};

use support::load::{Held, directory, hold_at_once, publish, quantile, single};
use support::region::{at_minute, region};
use support::server::service_of;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let service = service_of(&index, ledger.clone(), clock);
    let region = region(size, 42);
    let rate = directory(&service, &region.directory).await;
    println!("directory    {} records, {rate:.0}/s", region.directory.len());
    println!("publish      {:.0} slots/s", publish(&service, &region.slots).await);
    let started = Instant::now();
    let board = service.board().await;
    println!(
        "board        {:.2?} ({} rows, {} left out, {} places)",
        started.elapsed(),
        board.tension.rows.len(),
        board.tension.left_out_count,
        board.places.places.len()
    );
    let ids = single(&region.slots);
    drop(region);
    hold(&service, ids).await;
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
}

async fn hold(service: &Service, ids: Vec<SlotId>) {
    let (count, ids) = (HOLDS.min(ids.len() / 2), Arc::new(ids));
    let started = Instant::now();
    let held = hold_at_once(service, &ids, HOLDERS, 0..count).await;
    let rate = held.len() as f64 / started.elapsed().as_secs_f64();
    report(&format!("holds, 64 in flight: {rate:.0}/s"), &held);
    report("lone hold", &hold_at_once(service, &ids, 1, count..count + LONE_HOLDS).await);
}

fn report(name: &str, held: &[Held]) {
    let mut times: Vec<Duration> = held.iter().map(|held| held.took).collect();
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    println!("{name:<12} p50 {p50:.2?}  p99 {p99:.2?}  ({} calls)", times.len());
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1_024
}
