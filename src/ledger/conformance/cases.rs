//! What a record of a case beside slots must give: one booking a case, whoever comes first.

use std::sync::Barrier;

use super::{Bench, Factory, appended, put};
use crate::domain::case::Case;
use crate::domain::id::{CaseId, ClaimId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::Slot;
use crate::ledger::codec::samples::numbered_slot;
use crate::ledger::{AppendOutcome, Entry};

fn case_id() -> CaseId {
    CaseId::parse("dossier-1").unwrap()
}

fn booked(number: u64) -> Case {
    let slot: Slot = numbered_slot(number);
    Case::new(case_id()).booked(ClaimId::from_uuid(uuid::Uuid::from_u128(u128::from(number))), &slot)
}

/// A slot is altered and becomes the case's booking, if the case has none.
fn booking(number: u64) -> Vec<Entry> {
    vec![put(number, 2, 1), Entry::put(Body::Case(booked(number).into()), 0)]
}

pub(in crate::ledger) fn of_64_racing_bookings_of_one_case_exactly_one_wins<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append((0..64).map(|number| put(number, 1, 0)).collect());
    let barrier = Barrier::new(64);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..64)
            .map(|number| {
                let (bench, barrier) = (&bench, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    (number, bench.append(booking(number)))
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == appended(66)).map(|won| won.0).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let current = Some(Versioned { version: 1, value: Body::Case(booked(winners[0]).into()) });
    let conflict = AppendOutcome::Conflict { key: Key::Case(case_id()), current };
    assert_eq!(outcomes.iter().filter(|(_, outcome)| *outcome == conflict).count(), 63, "{outcomes:?}");
    let altered = (0..64).filter(|number| bench.has(*number, 2));
    assert_eq!(altered.collect::<Vec<_>>(), winners, "the slots of the others are as they were");
}

pub(in crate::ledger) fn a_case_is_kept_checked_and_forgotten_like_any_record<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let key = || Key::Case(case_id());
    assert_eq!(bench.append(vec![Entry::check(key(), 0), put(1, 1, 0)]), appended(1));
    assert_eq!(bench.append(booking(1)), appended(3));
    let current = Some(Versioned { version: 1, value: Body::Case(booked(1).into()) });
    let conflict = AppendOutcome::Conflict { key: key(), current };
    assert_eq!(bench.append(vec![Entry::check(key(), 0), put(2, 1, 0)]), conflict);
    assert_eq!(bench.append(vec![Entry::remove(key(), 1)]), appended(4));
    assert_eq!(bench.append(vec![Entry::check(key(), 0), put(2, 1, 0)]), appended(5));
}
