//! The index answers as brute force does, on any state and any question, also after holds and withdrawals.

use std::sync::Arc;

use sas_router::domain::record::Body;
use sas_router::domain::time::Window;
use sas_router::index::Index;
use sas_router::routing::policy::Policy;

use crate::support::oracle::{Found, Oracle};
use crate::support::questions::questions;
use crate::support::region::{Region, at_minute, changes, held, region};

fn index_of(region: &Region) -> Index {
    let index = Index::new();
    index.apply(&changes(region.directory.iter().cloned(), 1));
    let slots = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
    for batch in changes(slots, 10_000_000).chunks(500) {
        index.apply(batch);
    }
    index
}

fn compare(index: &Index, oracle: &Oracle, region: &Region, seed: u64) {
    let policy = Policy { widened_max: 0, ..Policy::default() };
    let mut found_something = 0;
    for (class, query, now) in questions(region, 1_000, seed) {
        let finder = sas_router::service::Finder { index, policy: &policy, degraded: false };
        let (matches, _) = finder.matches(&query, now);
        let found: Vec<Found> = matches
            .iter()
            .map(|one| {
                (one.cost_seconds, one.offer.schedule.id.to_string(), one.slot().unwrap().id.to_string(), one.modality)
            })
            .collect();
        let expected = oracle.find(&query, now);
        assert_eq!(found, expected, "{class:?} {now} {query:?}");
        found_something += usize::from(!expected.is_empty());
    }
    assert!(found_something > 300, "only {found_something} questions had an answer: the comparison says little");
}

/// The region as sources really publish it: some openings begin off the five minutes, some sources were heard lately.
fn uneven(mut region: Region) -> Region {
    for (number, slot) in region.slots.iter_mut().enumerate().filter(|(number, _)| number % 11 == 0) {
        let shift = i64::try_from(1 + number % 4).unwrap();
        let window = slot.window;
        let shifted = Window::new(window.start_at().plus_ms(shift * 60_000), window.end_at().plus_ms(shift * 60_000));
        Arc::make_mut(slot).window = shifted.unwrap();
    }
    for (number, body) in region.directory.iter_mut().enumerate() {
        if let (Body::Schedule(schedule), 0) = (body, number % 5) {
            Arc::make_mut(schedule).received_at = at_minute(i64::try_from(number % 900).unwrap());
        }
    }
    region
}

#[test]
fn the_index_answers_as_brute_force_does() {
    let region = uneven(region(60_000, 42));
    let index = index_of(&region);
    let mut oracle = Oracle::new(&region);
    compare(&index, &oracle, &region, 1);
    let mut number = 20_000_000;
    for at in (0..region.slots.len()).filter(|at| at % 3 == 0) {
        let slot = &region.slots[at];
        // Some holds live through all questions, some end among them; some slots are withdrawn.
        let changed = match at % 4 {
            0 => slot.withdraw(2, at_minute(1)).unwrap(),
            1 => held(slot, at_minute(12 * 60), at as u128),
            _ => held(slot, at_minute(3 * 24 * 60), at as u128),
        };
        let changed = Arc::new(changed);
        number += 1;
        index.apply(&changes(std::iter::once(Body::Slot(Arc::clone(&changed))), number));
        oracle.replace(at, changed);
    }
    compare(&index, &oracle, &region, 2);
}
