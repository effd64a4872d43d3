//! After a reload the index is what an empty one would be, whatever it held before.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::code::Modality;
use crate::domain::id::{CaseId, ClaimId, SlotId};
use crate::domain::policy::ActivePolicy;
use crate::domain::slot::{NewHold, Slot};
use crate::index::tests::{Listener, body as slot_body, change, history, place, schedule, seen, slot};

/// Every record in one order.
fn held(index: &Index) -> Vec<(Key, Versioned<Body>)> {
    let mut held = Vec::new();
    index.each_record(&mut |record| held.push((record.value.key(), record)));
    held.sort_by(|a, b| a.0.cmp(&b.0));
    held
}

fn reload(index: &Index, records: &[Change], page: usize) {
    index.begin_reload(Position { partition: 0, epoch: 2, sequence: 1 });
    records.chunks(page).for_each(|page| index.reload(page));
    index.finish_reload();
}

fn assert_same(left: &Index, right: &Index) {
    assert_eq!(held(left), held(right));
    assert_eq!(left.counts(), right.counts());
    for modality in [Modality::Amb, Modality::Vr] {
        assert_eq!(seen(left, 20_000, modality), seen(right, 20_000, modality));
    }
}

#[test]
fn a_record_goes_back_to_an_older_version_and_a_missing_one_goes() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))]);
    let free = slot(1, 2, Modality::Amb);
    index.apply(&[change(3, 1, slot_body(free.clone())), change(4, 1, slot_body(slot(1, 3, Modality::Amb)))]);
    let withdrawn: Slot = free.withdraw(2, free.received_at).unwrap();
    index.apply(&[change(5, 2, slot_body(withdrawn))]);
    let older =
        [change(4, 1, place(1, 45.70, 4.89)), change(4, 1, schedule(1, 1)), change(4, 1, slot_body(free.clone()))];
    reload(&index, &older, 1);
    assert_eq!(index.slot(&free.id).map(|record| record.version), Some(1));
    let missing = SlotId::parse("schedule-1/3").unwrap();
    assert_eq!((index.slot(&missing), index.counts().slots), (None, 1));
    let offers = index.offers().count();
    assert_eq!((offers, seen(&index, 5_000, Modality::Amb).len()), (1, 1));
}

#[test]
fn an_epoch_without_a_change_moves_the_head_and_only_forward() {
    let index = Index::new();
    index.apply(&[change(7, 1, place(1, 45.70, 4.89))]);
    let next = Position { partition: 0, epoch: index.head().epoch + 1, sequence: 7 };
    index.advance(next);
    assert_eq!(index.head(), next);
    index.advance(Position { epoch: 0, ..next });
    assert_eq!(index.head(), next);
}

#[test]
fn the_head_stays_until_every_record_was_taken_anew() {
    let index = Index::new();
    let records = [change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))];
    index.apply(&records);
    let (before, after) = (index.head(), Position { partition: 0, epoch: 2, sequence: 1 });
    let anew = records.map(|record| Change { position: after, version: 2, ..record });
    index.begin_reload(after);
    index.reload(&anew[..1]);
    assert_eq!(index.head(), before, "the other page is still the old one");
    index.reload(&anew[1..]);
    assert_eq!(index.head(), before, "what did not come is still there");
    index.finish_reload();
    assert_eq!(index.head(), after);
    index.apply(&[Change { position: Position { sequence: 2, ..after }, ..change(2, 3, schedule(1, 1)) }]);
    assert_eq!(index.head().sequence, 2);
}

#[test]
fn a_reload_without_a_record_shows_its_position_and_one_that_is_cut_does_not() {
    let index = Index::new();
    let (cut, whole) = (Position { epoch: 3, ..Position::default() }, Position { epoch: 2, ..Position::default() });
    index.begin_reload(cut);
    index.reload(&[Change { position: cut, ..change(1, 1, place(1, 45.70, 4.89)) }]);
    index.begin_reload(whole);
    index.finish_reload();
    assert_eq!(index.head(), whole);
}

#[test]
fn the_policies_go_back_too() {
    let index = Index::new();
    let none = || Body::Policy(Arc::new(ActivePolicy { documents: Vec::new(), activations: Vec::new() }));
    let policy = |version| change(version, version, none());
    index.apply(&[policy(1)]);
    index.apply(&[policy(2)]);
    reload(&index, &[change(9, 1, none())], 1);
    assert_eq!(index.active_policy().map(|record| record.version), Some(1));
    reload(&index, &[], 1);
    assert_eq!(index.active_policy(), None);
    index.apply(&[policy(1)]);
    assert_eq!(index.active_policy().map(|record| record.version), Some(1), "and may be made anew");
}

/// A slot of two with bookings of these numbers.
fn booked(numbers: &[u128]) -> Slot {
    let wide = Slot { capacity: 2, ..slot(1, 2, Modality::Amb) };
    numbers.iter().fold(wide, |slot, number| {
        let case_id = CaseId::parse(&format!("dossier-{number}")).unwrap();
        let id = ClaimId::from_uuid(uuid::Uuid::from_u128(*number));
        let hold = NewHold { id, case_id, regulator_id: None, expires_at: slot.window.end_at() };
        slot.book(hold, slot.received_at).unwrap().slot
    })
}

#[test]
fn what_was_promised_before_is_kept_aside_as_it_was_first_even_when_a_reload_is_cut() {
    let index = Index::new();
    let directory = [change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))];
    let state = |version, slot: &Slot| [directory.to_vec(), vec![change(3, version, slot_body(slot.clone()))]].concat();
    let (free, one, both) = (booked(&[]), booked(&[1]), booked(&[1, 2]));
    index.apply(&state(3, &both));
    reload(&index, &state(3, &both), 1);
    assert!(index.take_doubtful().is_empty(), "everything came back");
    index.begin_reload(Position::default());
    index.reload(&state(2, &one));
    reload(&index, &state(1, &free), 1);
    let doubtful = index.take_doubtful();
    assert_eq!(doubtful.iter().map(|slot| slot.claims.len()).collect::<Vec<_>>(), [2]);
    index.return_doubtful(doubtful);
    assert_eq!((index.take_doubtful().len(), index.take_doubtful().len()), (1, 0));
}

#[test]
fn the_slots_in_quarantine_are_known_as_long_as_a_claim_on_them_is() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))]);
    let (free, one) = (booked(&[]), booked(&[1]));
    let lost = free.quarantine(&one, uuid::Uuid::nil(), free.received_at).unwrap();
    let known = || index.quarantined_slots().len();
    index.apply(&[change(3, 1, slot_body(free.clone()))]);
    assert_eq!(known(), 0);
    index.apply(&[change(4, 2, slot_body(lost.clone()))]);
    assert_eq!(known(), 1);
    index.apply(&[change(5, 3, slot_body(one))]);
    assert_eq!(known(), 0);
    index.apply(&[change(6, 4, slot_body(lost))]);
    index.apply(&[Change { body: None, ..change(7, 5, slot_body(free)) }]);
    assert_eq!(known(), 0, "it is gone");
}

#[test]
fn a_crowd_placed_at_once_stands_as_one_placed_one_by_one() {
    let at = |number: usize| (45.60 + 0.03 * f64::from(u32::try_from(number).unwrap()), 4.89);
    let mut records: Vec<_> = (0..6).map(|number| change(1, 1, place(number, at(number).0, at(number).1))).collect();
    for number in 0..90 {
        // The places from 6 on are not known.
        records.push(change(2, 1, schedule(number, number % 7)));
        let modality = if number % 3 == 0 { Modality::Vr } else { Modality::Amb };
        records.extend((1..4).map(|at| change(3, 1, slot_body(slot(number, at, modality)))));
    }
    records.push(change(4, 2, slot_body(booked(&[1, 2]))));
    let (at_once, one_by_one) = (Index::new(), Index::new());
    reload(&at_once, &records, 50);
    one_by_one.apply(&records);
    assert_same(&at_once, &one_by_one);
    assert_eq!(seen(&at_once, 20_000, Modality::Amb).len(), 52);
    assert_eq!(at_once.slot_of_claim(ClaimId::from_uuid(uuid::Uuid::from_u128(2))), Some(booked(&[]).id));
    let late = [change(5, 1, place(6, 45.70, 4.88)), change(5, 2, place(2, 45.71, 4.87))];
    for index in [&at_once, &one_by_one] {
        index.apply(&late);
    }
    assert_same(&at_once, &one_by_one);
    assert_eq!(seen(&at_once, 20_000, Modality::Amb).len(), 60);
}

#[test]
fn what_an_empty_index_takes_is_seen_from_the_end_on_and_announced_then() {
    let index = Arc::new(Index::new());
    let listener = Arc::new(Listener { index: Arc::downgrade(&index), told: parking_lot::Mutex::default() });
    index.observe(Arc::<Listener>::clone(&listener));
    let free = slot(1, 2, Modality::Amb);
    index.begin_reload(Position::default());
    index.reload(&[change(1, 1, place(1, 45.70, 4.89)), change(1, 1, schedule(1, 1))]);
    index.reload(&[change(1, 1, slot_body(free.clone()))]);
    assert_eq!((seen(&index, 5_000, Modality::Amb), index.slot(&free.id).map(|slot| slot.version)), (vec![], Some(1)));
    listener.told.lock().clear();
    index.finish_reload();
    assert_eq!(seen(&index, 5_000, Modality::Amb).len(), 1);
    assert!(listener.told.lock().iter().any(|(_, surroundings, _)| *surroundings));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn an_empty_index_that_takes_every_record_equals_one_that_took_changes(
        kept in proptest::collection::vec(any::<bool>(), 64), page in 1usize..8,
    ) {
        let history = history();
        let records: Vec<_> = history.iter().zip(kept).filter(|(_, kept)| *kept).map(|(record, _)| record.clone()).collect();
        let (index, fresh) = (Index::new(), Index::new());
        fresh.apply(&records);
        reload(&index, &records, page);
        assert_same(&index, &fresh);
        fresh.apply(&history);
        index.apply(&history);
        assert_same(&index, &fresh);
    }

    #[test]
    fn after_a_reload_an_index_equals_a_fresh_one(
        before in 0usize..33,
        kept in proptest::collection::vec(any::<bool>(), 33),
        page in 1usize..8,
    ) {
        let history = history();
        let index = Index::new();
        index.apply(&history);
        // What the ledger still has: an earlier state, of which some records are gone.
        let earlier = Index::new();
        earlier.apply(&history[..before.min(history.len())]);
        let records: Vec<Change> = held(&earlier)
            .into_iter()
            .zip(kept)
            .filter(|(_, kept)| *kept)
            .map(|((key, record), _)| {
                let position = Position { partition: 0, epoch: 2, sequence: 1 };
                Change { position, key, version: record.version, body: Some(record.value) }
            })
            .collect();
        let fresh = Index::new();
        fresh.apply(&records);
        reload(&index, &records, page);
        assert_same(&index, &fresh);
    }
}
