//! What does each part of an answer, and of a change, cost by itself?
//!
//! Method: criterion, one thread; the region and the questions of `support`, at 10⁴, 10⁵ and 10⁶ slots. `candidates` walks 5 km
//! around the patient and judges nobody; `eligibility` asks all rules of openings in memory that comes in order; `ranking` is the
//! plain match and `answer` the whole one; `apply` takes a change of one slot; `record` makes the stored form of a slot;
//! `append` writes one durably and waits. What an answer costs on the wire is in `transport`.
//! Run: `cargo bench --bench micro`, or with `-- eligibility/10000` for some of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench panics")]
#![allow(clippy::disallowed_methods, reason = "a bench reads its arguments")]

mod support;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use sas_router::clock::ManualClock;
use sas_router::domain::code::{Modality, VisibilitySet};
use sas_router::domain::id::{ScheduleId, TerritoryId};
use sas_router::domain::offer::{Candidate, CareWays, Judge, Offer, Opening};
use sas_router::domain::record::Body;
use sas_router::domain::slot::Slot;
use sas_router::domain::time::UtcInstant;
use sas_router::index::{Index, Reach};
use sas_router::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use sas_router::ledger::{Append, AppendOutcome, Entry, Ledger as _, codec};
use sas_router::routing::eligibility::{OfferRules, kind_rules, modality_rules, opening_rules, ready_at};
use sas_router::routing::policy::Policy;
use sas_router::routing::question::{Question, Surroundings};
use sas_router::service::{Applier, Finder};

use support::questions::{Asked, questions};
use support::region::{Region, at_minute, changes, region};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const QUESTIONS: usize = 2_000;
/// Schedules whose openings are judged.
const JUDGED: usize = 256;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
        .configure_from_args();
    // A region takes seconds to make: only those that some bench was asked about.
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_asked = |size: &usize| asked.iter().all(|word| !word.contains('/') || word.ends_with(&format!("/{size}")));
    for size in SIZES.into_iter().filter(is_asked) {
        let region = region(size, 42);
        let index = index_of(&region);
        let asked = questions(&region, QUESTIONS, 7);
        answers(&mut criterion, size, &index, &asked);
        eligibility(&mut criterion, size, &index, &asked);
        apply(&mut criterion, size, &index, &region);
    }
    record(&mut criterion);
    append(&mut criterion);
    criterion.final_summary();
}

fn index_of(region: &Region) -> Index {
    let index = Index::new();
    index.apply(&changes(region.directory.iter().cloned(), 1));
    let slots = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
    for batch in changes(slots, 10_000_000).chunks(500) {
        index.apply(batch);
    }
    index
}

/// One question after the other, as they come.
fn answers(criterion: &mut Criterion, size: usize, index: &Index, asked: &[Asked]) {
    let policy = Policy::default();
    let finder = Finder { index, policy: &policy, degraded: false };
    let mut turns = asked.iter().cycle();
    let mut next = move || turns.next().unwrap();
    criterion.bench_function(&format!("candidates/{size}"), |bencher| {
        bencher.iter(|| {
            let (_, query, now) = next();
            let mut counter = Counter { now: *now, count: 0 };
            let parts = query.parts();
            let reach = Reach {
                position: parts.position,
                radius_m: 5_000,
                now: *now,
                until: now.plus_minutes(parts.needed_within_minutes.unwrap_or(60)),
                modalities: parts.modalities,
                appointment_types: parts.appointment_types,
                visibilities: VisibilitySet::ALL,
                specialties: parts.specialties,
                professions: parts.professions,
                by_place: true,
                by_time: false,
                remote_from: None,
                exhaustive: false,
            };
            index.search(&reach, &mut counter);
            counter.count
        });
    });
    let mut turns = asked.iter().cycle();
    criterion.bench_function(&format!("ranking/{size}"), |bencher| {
        bencher.iter(|| {
            let (_, query, now) = turns.next().unwrap();
            finder.matches(query, *now)
        });
    });
    let mut turns = asked.iter().cycle();
    criterion.bench_function(&format!("answer/{size}"), |bencher| {
        bencher.iter(|| {
            let (_, query, now) = turns.next().unwrap();
            finder.find(query, *now)
        });
    });
}

/// All rules of all openings of some schedules.
fn eligibility(criterion: &mut Criterion, size: usize, index: &Index, asked: &[Asked]) {
    let policy = Policy::default();
    let (_, query, now) = &asked[0];
    let question =
        Question::new(query, &policy, *now, 20_000, Surroundings { department: query.department(), neighbours: &[] });
    let mut offers: Vec<Offer> = Vec::new();
    index.each_offer(|offer| {
        if offers.len() < JUDGED {
            offers.push(offer.clone());
        }
    });
    let openings: usize = offers.iter().map(|offer| offer.row.openings().len()).sum();
    let mut group = criterion.benchmark_group("eligibility");
    group.throughput(Throughput::Elements(openings as u64));
    group.bench_with_input(BenchmarkId::from_parameter(size), &offers, |bencher, offers| {
        bencher.iter(|| offers.iter().map(|offer| eligible(&question, offer)).sum::<usize>());
    });
    group.finish();
}

/// How many openings of a schedule 3 km away fail no rule.
fn eligible(question: &Question<'_>, offer: &Offer) -> usize {
    let rules = OfferRules::of(question, offer);
    let arrival_at = ready_at(question, Modality::Amb, Some(3_000));
    let suits = |opening: &&Opening| {
        let practice = offer.practice_of(opening.kind);
        let failed = kind_rules(question, opening.kind, practice)
            .union(rules.failed(Modality::Amb))
            .union(modality_rules(question, (offer, practice), Modality::Amb, Some(3_000)))
            .union(opening_rules(question, opening, Modality::Amb, arrival_at).0);
        black_box(failed).is_empty()
    };
    offer.row.openings().iter().filter(suits).count()
}

/// A change of one slot after the other: each is published anew, with one patient more or less.
fn apply(criterion: &mut Criterion, size: usize, index: &Index, region: &Region) {
    let mut number = 0;
    let mut sequence = 1_000_000_000;
    criterion.bench_function(&format!("apply/{size}"), |bencher| {
        bencher.iter_batched(
            || {
                (number, sequence) = ((number + 7_919) % region.slots.len(), sequence + 1);
                let slot = Slot::clone(&region.slots[number]);
                let capacity = slot.capacity % 20 + 1;
                changes(std::iter::once(Body::Slot(Arc::new(Slot { capacity, ..slot }))), sequence)
            },
            |change| index.apply(&change),
            BatchSize::SmallInput,
        );
    });
}

fn record(criterion: &mut Criterion) {
    let region = region(1_000, 42);
    let bodies: Vec<Body> = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot))).collect();
    let mut turns = bodies.iter().cycle();
    criterion.bench_function("record", |bencher| bencher.iter(|| codec::encode(turns.next().unwrap())));
}

/// One durable append after the other, each awaited: the disk decides.
fn append(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let sink = Arc::new(Applier(Arc::new(Index::new())));
    let clock = Arc::new(ManualClock::new(at_minute(5)));
    let ledger = EmbeddedLedger::open(folder.path(), EmbeddedOptions::default(), clock, sink).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let region = region(1_000, 42);
    let mut version = 0;
    criterion.bench_function("append", |bencher| {
        bencher.iter(|| {
            let body = Body::Slot(Arc::clone(&region.slots[0]));
            let append = Append { entries: vec![Entry::put(body, version)], request: None };
            let outcome = runtime.block_on(ledger.append(append));
            assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
            version += 1;
        });
    });
    ledger.close();
}

/// Counts candidates, and lets everybody come.
struct Counter {
    now: UtcInstant,
    count: usize,
}

impl Judge for Counter {
    fn earliest_at(&self, _distance_m: u32, _ways: CareWays) -> UtcInstant {
        self.now
    }

    fn least_cost(&self, _distance_m: u32, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn least_remote_cost(&self, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn territory_cost(&self, _territories: &[TerritoryId]) -> u32 {
        0
    }

    fn staleness_cost(&self, _received_at: UtcInstant) -> u32 {
        0
    }

    fn bound(&self) -> u32 {
        u32::MAX
    }

    fn admits_at_bound(&self, _id: &ScheduleId) -> bool {
        true
    }

    fn judged_in_order(&self) -> usize {
        0
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        self.count += candidate.offer.row.openings().len();
    }
}
