//! How much of the transport is left for the match, and what telemetry costs: full answers over gRPC against a no-op call of the
//! same size, and against the same with metrics and traces on.
//!
//! Method: one process, server and client on both cores; a region of 10⁶ slots (or the size given); 64 calls in flight on
//! 4 connections, closed loop; the no-op server is plain tonic and returns one prepared `FindCareResponse` of the mean
//! size of the real ones. Telemetry is what a site has: every metric, one call in a hundred traced, both sent to a collector in this
//! process, and a scrape a round. All are measured in turn, five rounds of 20,000 calls each; ratios are those of the medians.
//! Run: `cargo bench --bench transport`, or with `-- 100000` for a size, `-- 100000 500` for a size and calls a round.
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

use std::sync::Arc;
use std::time::{Duration, Instant};

use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;

use support::measured::Measuring;
use support::questions::questions;
use support::region::region;
use support::served::{CONNECTIONS, Client, connect, index_of, no_op, sample, serve, service};
use support::server::options;
use support::wire::wire;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const IN_FLIGHT: usize = 64;
/// Calls a round.
const CALLS: usize = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let (size, calls) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(CALLS));
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(size, calls));
}

async fn run(size: usize, calls: usize) {
    let region = region(size, 42);
    let (tasks, index) = (Tasks::new(), Arc::new(index_of(&region)));
    let (_server, address) = serve(service(&index), options(), &tasks).await;
    let measuring = Measuring::start().await;
    let measured = service(&index);
    let measured_options = measuring.options(&measured);
    let (_measured_server, measured_address) = serve(measured, measured_options, &tasks).await;
    let asked: Vec<pb::FindCareRequest> =
        questions(&region, 2_000, 7).iter().map(|(_, query, _)| wire(query)).collect();
    let asked = Arc::new(asked);
    let (full, measured) = (connect(address).await, connect(measured_address).await);
    let (sizes, typical) = sample(&full[0], &asked).await;
    let no_op = connect(no_op(typical).await).await;
    println!("{size} slots; mean answer {} bytes; {IN_FLIGHT} in flight on {CONNECTIONS} connections", sizes);
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let mut loads = Vec::new();
        for clients in [&no_op, &full, &measured] {
            loads.push(load(clients, &asked, calls).await);
        }
        let telemetry = Arc::clone(&measuring.telemetry);
        tokio::task::spawn_blocking(move || telemetry.scrape()).await.unwrap();
        // The first round warms up.
        if round > 0 {
            println!("round {round}: no-op {}   full {}   with telemetry {}", loads[0], loads[1], loads[2]);
            rounds.push(loads);
        }
    }
    let rate = |of: usize| median(rounds.iter().map(|loads| loads[of].per_second).collect());
    let p99 = |of: usize| median(rounds.iter().map(|loads| loads[of].p99.as_secs_f64()).collect());
    let (no_op, full, measured) = (rate(0), rate(1), rate(2));
    println!("medians: no-op {no_op:.0}/s, full match {full:.0}/s: {:.0} %", 100.0 * full / no_op);
    println!(
        "telemetry: {measured:.0}/s, {:+.1} % (-5 % allowed); p99 {:+.1} % (+10 % allowed); spans and batches dropped {:?}",
        100.0 * (measured / full - 1.0),
        100.0 * (p99(2) / p99(1) - 1.0),
        measuring.dropped()
    );
}

struct Load {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.0}/s p50 {:>5.2?} p99 {:>5.2?}", self.per_second, self.p50, self.p99)
    }
}

async fn load(clients: &[Client], asked: &Arc<Vec<pb::FindCareRequest>>, calls: usize) -> Load {
    let started = Instant::now();
    let workers = (0..IN_FLIGHT).map(|worker| {
        let (mut client, asked) = (clients[worker % CONNECTIONS].clone(), Arc::clone(asked));
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(calls / IN_FLIGHT);
            for call in 0..calls / IN_FLIGHT {
                let request = asked[(call * IN_FLIGHT + worker) % asked.len()].clone();
                let started = Instant::now();
                client.find_care(request).await.unwrap();
                times.push(started.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        times.extend(worker.await.unwrap());
    }
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort();
    Load { per_second, p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
