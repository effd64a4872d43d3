//! The state machine of a slot, as facts and as properties.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::id::{CaseId, ClaimId};

const START_MS: i64 = 1_800_000_000_000;

pub(super) fn at(seconds: i64) -> UtcInstant {
    UtcInstant::from_ms(START_MS + seconds * 1_000)
}

fn published(capacity: u16) -> Published {
    Published {
        id: SlotId::parse("slot-1").unwrap(),
        schedule_id: ScheduleId::parse("schedule-1").unwrap(),
        window: Window::new(at(3_600), at(4_500)).unwrap(),
        capacity,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        }),
    }
}

pub(super) fn slot(capacity: u16) -> Slot {
    Slot::from_published(published(capacity), 1, at(0))
}

pub(super) fn claim_id(number: u128) -> ClaimId {
    ClaimId::from_uuid(uuid::Uuid::from_u128(number))
}

pub(super) fn hold(number: u128, expires_at: UtcInstant) -> NewHold {
    NewHold { id: claim_id(number), case_id: CaseId::parse("dossier-1").unwrap(), regulator_id: None, expires_at }
}

#[test]
fn a_held_slot_is_taken_until_the_hold_expires() {
    let held = slot(1).hold(hold(1, at(120)), at(0)).unwrap().slot;
    assert_eq!(held.hold(hold(2, at(200)), at(119)).unwrap_err(), ClaimRefusal::Taken);
    assert_eq!(held.remaining_count(at(119)), 0);
    assert_eq!(held.remaining_count(at(120)), 1);
    let again = held.hold(hold(2, at(300)), at(120)).unwrap();
    assert_eq!(again.not_before, Some(at(120)), "the ledger's clock must agree that the first hold is over");
    assert_eq!(again.slot.claim(claim_id(1)).unwrap().state, ClaimState::Expired);
}

#[test]
fn a_late_confirm_loses() {
    let held = slot(1).hold(hold(1, at(120)), at(0)).unwrap().slot;
    let confirmed = held.confirm(claim_id(1), at(119)).unwrap();
    assert_eq!(confirmed.not_after, Some(at(120)));
    assert_eq!(confirmed.slot.booked_count(), 1);
    assert_eq!(held.confirm(claim_id(1), at(120)).unwrap_err(), ClaimRefusal::HoldExpired);
}

#[test]
fn release_and_cancel_free_the_unit() {
    let held = slot(1).hold(hold(1, at(120)), at(0)).unwrap().slot;
    assert_eq!(held.release(claim_id(1), at(1)).unwrap().slot.remaining_count(at(1)), 1);
    let booked = held.confirm(claim_id(1), at(1)).unwrap().slot;
    assert_eq!(booked.remaining_count(at(9_999)), 0);
    let cancelled = booked.cancel(claim_id(1), "changed plans", at(2)).unwrap().slot;
    assert_eq!(cancelled.remaining_count(at(2)), 1);
    assert_eq!(cancelled.cancel(claim_id(1), "again", at(3)).unwrap_err(), ClaimRefusal::Cancelled);
}

#[test]
fn a_withdrawn_slot_keeps_its_bookings_to_be_re_placed() {
    let booked = slot(2).hold(hold(1, at(120)), at(0)).unwrap().slot.confirm(claim_id(1), at(1)).unwrap().slot;
    let held_too = booked.hold(hold(2, at(120)), at(2)).unwrap().slot;
    let withdrawn = held_too.withdraw(2, at(3)).unwrap();
    assert_eq!(withdrawn.claim(claim_id(1)).unwrap().state, ClaimState::ToReplace);
    assert_eq!(withdrawn.confirm(claim_id(2), at(4)).unwrap_err(), ClaimRefusal::Withdrawn);
    assert_eq!(withdrawn.hold(hold(3, at(99)), at(4)).unwrap_err(), ClaimRefusal::Withdrawn);
    assert!(withdrawn.withdraw(3, at(5)).is_none());
}

#[test]
fn a_dropped_slot_with_a_booking_stays_closed() {
    let booked = slot(2).hold(hold(1, at(120)), at(0)).unwrap().slot.confirm(claim_id(1), at(1)).unwrap().slot;
    let dropped = booked.drop_from_schedule(2, at(2)).unwrap();
    assert_eq!((dropped.state, dropped.booked_count(), dropped.remaining_count(at(2))), (SlotState::Closed, 1, 0));
    assert_eq!(slot(1).drop_from_schedule(2, at(2)).unwrap().state, SlotState::Withdrawn);
}

#[test]
fn claimed_units_are_neither_moved_nor_lost_by_publishing() {
    let booked = slot(2).hold(hold(1, at(120)), at(0)).unwrap().slot.confirm(claim_id(1), at(1)).unwrap().slot;
    let mut moved = published(2);
    moved.window = Window::new(at(7_200), at(8_100)).unwrap();
    assert_eq!(booked.republish(&moved, 2, at(2)), Err(PublishRefusal::Claimed { booked: 1, held: 0 }));
    assert_eq!(booked.republish(&published(0), 2, at(2)), Err(PublishRefusal::BelowClaims { capacity: 0, taken: 1 }));
    assert_eq!(booked.republish(&published(2), 2, at(2)), Ok(None));
    assert_eq!(booked.republish(&published(5), 2, at(2)).unwrap().unwrap().remaining_count(at(2)), 4);
}

#[test]
fn a_slot_of_another_schedule_is_not_taken_over() {
    let mut other = published(1);
    other.schedule_id = ScheduleId::parse("schedule-2").unwrap();
    assert!(matches!(slot(1).republish(&other, 2, at(0)), Err(PublishRefusal::OtherSchedule(_))));
}

#[test]
fn ended_claims_are_kept_up_to_the_limit() {
    let mut current = slot(1);
    for number in 0..20 {
        let held = current.hold(hold(number, at(1_000)), at(0)).unwrap().slot;
        current = held.release(claim_id(number), at(0)).unwrap().slot;
    }
    assert_eq!(current.claims.len(), claim::ENDED_CLAIMS_KEPT);
    assert!(current.claim(claim_id(19)).is_some() && current.claim(claim_id(0)).is_none());
}

#[test]
fn the_oldest_booking_can_be_cancelled_after_many_later_claims_ended() {
    let mut current = slot(2).hold(hold(1, at(120)), at(0)).unwrap().slot.confirm(claim_id(1), at(1)).unwrap().slot;
    for number in 2..30 {
        let held = current.hold(hold(number, at(1_000)), at(10)).unwrap().slot;
        current = held.release(claim_id(number), at(10)).unwrap().slot;
    }
    let cancelled = current.cancel(claim_id(1), "", at(20)).unwrap().slot;
    assert_eq!(cancelled.claim(claim_id(1)).unwrap().state, ClaimState::Cancelled);
    assert_eq!(cancelled.claims.len(), claim::ENDED_CLAIMS_KEPT);
    assert_eq!(cancelled.remaining_count(at(20)), 2);
}

/// The slot after somebody did not come to a booking of this number and it was cancelled.
fn missed(current: &Slot, number: u128, now: UtcInstant) -> Result<Slot, ClaimRefusal> {
    let booked = current.book(hold(number, now.plus_ms(1_000)), now)?.slot;
    let absent = booked.attend(claim_id(number), AttendanceKind::NoShow, now)?.slot;
    absent.cancel(claim_id(number), "", now).map(|cancelled| cancelled.slot)
}

#[test]
fn who_did_not_come_is_not_forgotten_with_the_claims_that_ended() {
    let mut current = missed(&slot(1), 1, at(3_601)).unwrap();
    for number in 2..30 {
        let held = current.hold(hold(number, at(4_000)), at(3_602)).unwrap().slot;
        current = held.release(claim_id(number), at(3_602)).unwrap().slot;
    }
    assert_eq!(current.claims.len(), claim::ENDED_CLAIMS_KEPT + 1);
    let seen = current.attend(claim_id(1), AttendanceKind::Seen, at(3_603)).unwrap().slot;
    let claim = seen.claim(claim_id(1)).unwrap();
    assert_eq!((claim.state, claim.was_seen(), seen.booked_count()), (ClaimState::Cancelled, true, 0));
    assert_eq!(seen.cancel(claim_id(1), "", at(3_604)), Err(ClaimRefusal::Cancelled));
}

#[test]
fn so_many_no_shows_of_a_slot_are_cancelled_and_no_more() {
    let mut current = slot(1);
    for number in 0..claim::NO_SHOWS_CANCELLED_MAX as u128 {
        current = missed(&current, number, at(3_601)).unwrap();
    }
    assert_eq!(missed(&current, 10_000, at(3_601)), Err(ClaimRefusal::TooManyNoShows));
}

#[test]
fn who_was_seen_is_neither_cancelled_nor_to_be_re_placed() {
    for kind in [AttendanceKind::Seen, AttendanceKind::Late] {
        let booked = slot(2).book(hold(1, at(120)), at(0)).unwrap().slot.book(hold(2, at(120)), at(0)).unwrap().slot;
        let seen = booked.attend(claim_id(1), kind, at(3_601)).unwrap().slot;
        assert_eq!(seen.cancel(claim_id(1), "", at(3_602)), Err(ClaimRefusal::Seen));
        assert_eq!(seen.replace(claim_id(1), claim_id(3), "", at(3_602)), Err(ClaimRefusal::Seen));
        let withdrawn = seen.withdraw(2, at(3_603)).unwrap();
        let states = [1, 2].map(|number| withdrawn.claim(claim_id(number)).unwrap().state);
        assert_eq!(states, [ClaimState::Booked, ClaimState::ToReplace]);
    }
}

#[test]
fn a_hold_is_not_taken_by_a_ledger_whose_clock_finds_it_over() {
    assert_eq!(slot(1).hold(hold(1, at(120)), at(0)).unwrap().not_after, Some(at(120)));
}

#[derive(Clone, Debug)]
enum Step {
    Hold { ttl_seconds: i64 },
    Book,
    Replace(usize),
    Confirm(usize),
    Release(usize),
    Cancel(usize),
    Withdraw,
    Drop,
    Republish { capacity: u16 },
    Wait { seconds: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1i64..200).prop_map(|ttl_seconds| Step::Hold { ttl_seconds }),
        2 => Just(Step::Book),
        1 => (0usize..12).prop_map(Step::Replace),
        3 => (0usize..12).prop_map(Step::Confirm),
        2 => (0usize..12).prop_map(Step::Release),
        2 => (0usize..12).prop_map(Step::Cancel),
        1 => Just(Step::Withdraw),
        1 => Just(Step::Drop),
        2 => (0u16..5).prop_map(|capacity| Step::Republish { capacity }),
        3 => (1i64..150).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// Applies a step, and says whether the slot changed in an allowed way.
fn apply(slot: &Slot, step: &Step, number: u128, now: UtcInstant) -> Option<Transition> {
    let unguarded = |slot: Slot| Transition { slot, not_before: None, not_after: None };
    let pick = |index: usize| slot.claims.get(index % slot.claims.len().max(1)).map_or(claim_id(u128::MAX), |c| c.id);
    match step {
        Step::Hold { ttl_seconds } => slot.hold(hold(number, now.plus_ms(ttl_seconds * 1_000)), now).ok(),
        Step::Book => slot.book(hold(number, now.plus_ms(60_000)), now).ok(),
        Step::Replace(index) => slot.replace(pick(*index), claim_id(u128::MAX - 1), "", now).ok(),
        Step::Confirm(index) => slot.confirm(pick(*index), now).ok(),
        Step::Release(index) => slot.release(pick(*index), now).ok(),
        Step::Cancel(index) => slot.cancel(pick(*index), "", now).ok(),
        Step::Withdraw => slot.withdraw(2, now).map(unguarded),
        Step::Drop => slot.drop_from_schedule(2, now).map(unguarded),
        Step::Republish { capacity } => slot.republish(&published(*capacity), 3, now).ok().flatten().map(unguarded),
        Step::Wait { .. } => None,
    }
}

proptest! {
    #[test]
    fn capacity_is_never_exceeded(capacity in 1u16..4, steps in prop::collection::vec(step(), 1..80)) {
        let mut current = slot(capacity);
        let mut now = at(0);
        for (number, step) in steps.iter().enumerate() {
            if let Step::Wait { seconds } = step {
                now = now.plus_ms(seconds * 1_000);
            }
            if let Some(next) = apply(&current, step, number as u128, now) {
                prop_assert!(next.not_before.is_none_or(|guard| guard <= now));
                prop_assert!(next.not_after.is_none_or(|guard| now < guard));
                current = next.slot;
            }
            for later in [0, 30, 60, 120, 500] {
                let then = now.plus_ms(later * 1_000);
                let taken = current.booked_count() + current.held_count(then);
                prop_assert!(taken <= usize::from(current.capacity), "{taken} of {}", current.capacity);
                prop_assert_eq!(current.free_from() <= then, current.remaining_count(then) > 0);
            }
        }
    }
}
