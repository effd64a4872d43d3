//! How long does the index take from records in memory until it answers?
//!
//! Method: one thread; regions as in `matching`, their records made before the clock starts. Once they are handed over as a
//! ledger does that opens (`begin_reload`, chunks of 4,096, `finish_reload`), once as changes of a running service in batches
//! of 64; both must keep the same. What is dropped is dropped after the clock stops. Run: `cargo bench --bench building`, or
//! with `-- 100000` for one size only.
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints and panics")]
#![allow(clippy::cast_precision_loss, reason = "figures are small")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments")]

mod support;

use std::time::Instant;

use sas_router::domain::record::{Body, Change, Position};
use sas_router::index::Index;

use support::region::{changes, region};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Records that an opening ledger hands over at once.
const RESTORED: usize = 4_096;
/// Entries of an append of a published batch.
const PUBLISHED: usize = 64;

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for size in if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes } {
        let region = region(size, 42);
        let slots = region.slots.into_iter().map(Body::Slot);
        let mut records = changes(region.directory.into_iter(), 1);
        records.extend(changes(slots, 10_000_000));
        let restored = timed("restored", size, || restored(&records));
        let published = timed("published", size, || published(&records));
        assert_eq!(restored.counts(), published.counts());
        assert_eq!(restored.offers().count(), published.offers().count());
    }
}

fn timed(name: &str, size: usize, build: impl FnOnce() -> Index) -> Index {
    let started = Instant::now();
    let index = build();
    let micros = started.elapsed().as_secs_f64() * 1e6;
    println!("{size} slots {name:<9} {:>6.2} us a slot ({:.2} s)", micros / size as f64, micros / 1e6);
    index
}

fn restored(records: &[Change]) -> Index {
    let (index, position) = (Index::new(), Position { partition: 0, epoch: 1, sequence: 1 });
    index.begin_reload(position);
    records.chunks(RESTORED).for_each(|chunk| index.reload(chunk));
    index.finish_reload();
    index
}

fn published(records: &[Change]) -> Index {
    let index = Index::new();
    records.chunks(PUBLISHED).for_each(|chunk| index.apply(chunk));
    index
}
