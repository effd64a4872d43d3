//! How does the time of a question grow with the number of slots?
//!
//! Method: one thread, in process; regions of 10⁴ to 5·10⁶ slots as in `matching`; 5,000 questions in its mix after 500 to
//! warm up, each timed alone; the medians, the exponent of the power law through them, and a plot.
//! Run: `cargo bench --bench growth`, or with `-- 10000 100000` for other sizes and `--svg FILE` for another file.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and panics"
)]
#![allow(clippy::cast_precision_loss, reason = "figures are small")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments")]

mod support;

use std::time::{Duration, Instant};

use sas_router::routing::policy::Policy;
use sas_router::service::Finder;

use support::fit::power_law;
use support::load::quantile;
use support::plot::{Line, svg};
use support::questions::questions;
use support::region::region;
use support::served::index_of;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 6] = [10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000];
const WARM_UP: usize = 500;
const TIMED: usize = 5_000;
/// What the median may grow like, as a power of the number of slots.
const EXPONENT_MAX: f64 = 0.45;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let given: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if given.is_empty() { SIZES.to_vec() } else { given };
    let file = arguments.iter().position(|argument| argument == "--svg").map(|at| arguments[at + 1].clone());
    let file = file.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/benches/growth.svg").to_owned());
    let mut lines = ["match", "whole answer"].map(|name| Line { name: name.to_owned(), points: vec![] });
    for size in sizes {
        let medians = medians(size);
        println!("{size:>9} slots: match p50 {:>7.1} us, whole answer p50 {:>7.1} us", medians[0], medians[1]);
        for (line, median) in lines.iter_mut().zip(medians) {
            line.points.push((size as f64, median));
        }
    }
    for line in &lines {
        if let Some((exponent, _)) = power_law(&line.points) {
            println!("{}: p50 grows like n^{exponent:.2} (target: at most {EXPONENT_MAX})", line.name);
        }
    }
    std::fs::write(&file, svg("Median time of a question", "slots", &lines)).unwrap();
    println!("written to {file}");
}

/// Of the plain match and of the whole answer, in microseconds.
fn medians(size: usize) -> [f64; 2] {
    let region = region(size, 42);
    let index = index_of(&region);
    let asked = questions(&region, WARM_UP + TIMED, 7);
    drop(region);
    let policy = Policy { widened_max: 0, ..Policy::default() };
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let median = |mut times: Vec<Duration>| quantile(&mut times[WARM_UP..], 0.5).as_secs_f64() * 1e6;
    let timed = |answer: &dyn Fn(usize)| {
        let one = |number| {
            let started = Instant::now();
            answer(number);
            started.elapsed()
        };
        median((0..asked.len()).map(one).collect())
    };
    [
        timed(&|at| drop(std::hint::black_box(finder.matches(&asked[at].1, asked[at].2)))),
        timed(&|at| drop(std::hint::black_box(finder.find(&asked[at].1, asked[at].2)))),
    ]
}
