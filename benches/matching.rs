//! How long does the match itself take, against a brute-force scan of slot columns?
//!
//! Method: one thread; regions of 10⁴, 10⁵ and 10⁶ slots with France-like clustering, ten slots a schedule, made from a
//! seed; 10,000 questions in the mix of `support/questions.rs`, each timed alone, after 1,000 to warm up; the median and
//! the 99th percentile over all. The brute force answers the first 1,000 and must answer the same. `full` is the whole
//! answer with near misses, exclusions, emergency sites and sentences. Run: `cargo bench --bench matching`, or with
//! `-- 100000` for one size only. `after choices` is the
//! plain match once each question was answered, so that whoever came first has had a turn. Figures with machine and date stand in `README.md` beside this file.
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
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sas_router::clock::{Clock as _, ManualClock};
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::routing::policy::Policy;
use sas_router::service::{Applier, Finder};

use support::agree::agree;
use support::oracle::Oracle;
use support::questions::{Asked, Class, questions};
use support::region::region;
use support::served::index_of;
use support::server::service_of;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    let mut medians = Vec::new();
    for size in sizes {
        medians.push(measure(size));
    }
    if let (Some(first), Some(last)) = (medians.first(), medians.last()) {
        println!("growth of p50 from the first size to the last: {:.1}x", last / first);
    }
}

fn measure(size: usize) -> f64 {
    let region = region(size, 42);
    let before = resident_bytes();
    let started = Instant::now();
    let index = Arc::new(index_of(&region));
    println!(
        "\n{size} slots: index built in {:.2} s, {} kB more resident",
        started.elapsed().as_secs_f64(),
        (resident_bytes() - before) / 1_024
    );
    let asked = questions(&region, 11_000, 7);
    let policy = Policy { widened_max: 0, ..Policy::default() };
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let mut plain: Vec<(Class, Duration)> = Vec::new();
    for (class, query, now) in &asked {
        let started = Instant::now();
        std::hint::black_box(finder.matches(query, *now));
        plain.push((*class, started.elapsed()));
    }
    let plain = &plain[1_000..];
    let median = report("plain match", plain.iter().map(|(_, time)| *time));
    for class in Class::ALL {
        report(&format!("  {class:?}"), plain.iter().filter(|(of, _)| *of == class).map(|(_, time)| *time));
    }
    let full = asked.iter().map(|(_, query, now)| {
        let started = Instant::now();
        std::hint::black_box(finder.find(query, *now));
        started.elapsed()
    });
    report("full answer", full.collect::<Vec<_>>().into_iter().skip(1_000));
    counting(&index, &asked);
    let chosen = asked.iter().map(|(_, query, now)| {
        let started = Instant::now();
        std::hint::black_box(finder.matches(query, *now));
        started.elapsed()
    });
    report("plain match after choices", chosen.collect::<Vec<_>>().into_iter().skip(1_000));
    let brute = report("brute force", agree(&finder, &Oracle::new(&region), &asked[..1_000]).into_iter());
    println!("p50 of brute force / p50 of plain match: {:.0}x", brute / median);
    median
}

/// What counting adds to a whole answer: each question is answered both ways, so that both meet the same state of caches.
fn counting(index: &Arc<Index>, asked: &[Asked]) {
    let clock = Arc::new(ManualClock::new(asked[0].2));
    let ledger = MemoryLedger::new(clock.clone(), Arc::new(Applier(Arc::default())));
    let service = service_of(index, Arc::new(ledger), clock.clone());
    let timed = |answer: &dyn Fn()| {
        let started = Instant::now();
        answer();
        started.elapsed()
    };
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for (number, (_, query, now)) in asked.iter().enumerate() {
        clock.advance_ms(now.ms_since(clock.now()));
        let plain = || drop(std::hint::black_box(service.find(query)));
        let counted = || drop(std::hint::black_box(service.find_counted(query)));
        // Whoever comes second finds the caches warm, so they take turns.
        let (first, second) = if number % 2 == 0 {
            (timed(&plain), timed(&counted))
        } else {
            let second = timed(&counted);
            (timed(&plain), second)
        };
        times[0].push(first);
        times[1].push(second);
    }
    for (name, times) in ["not counted", "counted"].into_iter().zip(times) {
        report(name, times.into_iter().skip(1_000));
    }
}

/// Prints median and 99th percentile; returns the median in microseconds.
fn report(name: &str, times: impl Iterator<Item = Duration>) -> f64 {
    let mut micros: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e6).collect();
    micros.sort_by(f64::total_cmp);
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    println!(
        "{name:<14} p50 {:>9.1} us   p99 {:>9.1} us   max {:>9.1} us   ({} timed)",
        at(0.5),
        at(0.99),
        at(1.0),
        micros.len()
    );
    at(0.5)
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1_024
}
