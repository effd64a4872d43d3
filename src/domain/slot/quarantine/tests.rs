//! What is lost, what is kept, and how a quarantine ends.

use super::*;
use crate::domain::id::CaseId;
use crate::domain::slot::tests::{at, claim_id, hold, slot};
use crate::domain::slot::{FREE_ONCE_SETTLED, NewHold};

fn hold_of(number: u128) -> NewHold {
    NewHold { case_id: CaseId::parse(&format!("dossier-{number}")).unwrap(), ..hold(number, at(120)) }
}

fn held(slot: &Slot, number: u128) -> Slot {
    slot.hold(hold_of(number), at(0)).unwrap().slot
}

fn booked(slot: &Slot, number: u128) -> Slot {
    held(slot, number).confirm(claim_id(number), at(1)).unwrap().slot
}

fn quarantine(after: &Slot, before: &Slot) -> Option<Slot> {
    after.quarantine(before, Uuid::from_u128(9), at(10))
}

fn settlement(verdict: Verdict, second: i64) -> Settlement {
    let settled_by = PrincipalId::parse("secretariat").unwrap();
    Settlement { verdict, settled_at: at(second), settled_by, reason: "vu au cabinet".into() }
}

#[test]
fn a_lost_claim_takes_its_unit_and_no_other() {
    let free = slot(2);
    for before in [held(&free, 1), booked(&free, 1)] {
        let after = quarantine(&free, &before).unwrap();
        let claim = after.claim(claim_id(1)).unwrap();
        assert_eq!((claim.state, &claim.case_id), (ClaimState::Quarantined, &before.claims[0].case_id));
        let quarantine = claim.quarantine.as_ref().unwrap();
        assert_eq!((quarantine.since, quarantine.reported_by), (at(10), Uuid::from_u128(9)));
        assert_eq!((after.remaining_count(at(500)), after.booked_count()), (1, 0));
        let full = booked(&after, 2);
        assert_eq!((full.remaining_count(at(500)), full.free_from()), (0, FREE_ONCE_SETTLED));
        assert_eq!(full.hold(hold_of(3), at(11)).unwrap_err(), ClaimRefusal::SlotQuarantined);
    }
}

#[test]
fn only_what_the_ledger_does_not_keep_is_lost() {
    let free = slot(2);
    let (held_1, booked_1) = (held(&free, 1), booked(&free, 1));
    let cancelled = booked_1.cancel(claim_id(1), "", at(5)).unwrap().slot;
    let released = held_1.release(claim_id(1), at(5)).unwrap().slot;
    let same_case = Slot { claims: [Claim { id: claim_id(7), ..booked_1.claims[0].clone() }].into(), ..free.clone() };
    let expired = Claim { state: ClaimState::Expired, ..held_1.claims[0].clone() };
    let expired = Slot { claims: [expired].into(), ..free.clone() };
    let cases = [
        ("the same", &booked_1, &booked_1, false),
        ("gone", &booked_1, &free, true),
        ("held, but not confirmed any more", &booked_1, &held_1, true),
        ("confirmed, then expired for want of the confirmation", &booked_1, &expired, true),
        ("a hold that ended", &held_1, &expired, false),
        ("cancelled since", &booked_1, &cancelled, false),
        ("released since", &held_1, &released, false),
        ("booked since", &held_1, &booked_1, false),
        ("booked again for the same case", &booked_1, &same_case, false),
        ("another's booking", &booked_1, &booked(&free, 2), true),
        ("promised nothing", &cancelled, &free, false),
    ];
    for (what, before, after, is_lost) in cases {
        assert_eq!(quarantine(after, before).is_some(), is_lost, "{what}");
    }
    let late = |before: &Slot, second| free.quarantine(before, Uuid::nil(), at(second));
    assert!(late(&held_1, 120).is_none(), "the hold is over");
    assert!(late(&booked_1, 4_499).is_some() && late(&booked_1, 4_500).is_none(), "the slot is over");
}

#[test]
fn several_instances_report_a_loss_once_and_the_fuller_memory_counts() {
    let free = slot(1);
    let (held, booked) = (held(&free, 1), booked(&free, 1));
    let first = quarantine(&free, &held).unwrap();
    assert_eq!(quarantine(&first, &held), None);
    let second = quarantine(&first, &booked).unwrap();
    assert_eq!(second.quarantined_count(), 1);
    assert!(second.claim(claim_id(1)).unwrap().confirmed_at.is_some());
    assert_eq!((quarantine(&second, &held), quarantine(&second, &booked)), (None, None));
    let settled = second.settle(claim_id(1), &settlement(Verdict::Free, 20)).unwrap().slot;
    assert_eq!(quarantine(&settled, &booked), None, "a late report changes nothing");
}

#[test]
fn a_slot_that_is_gone_comes_back_closed_and_stays_barred_when_it_is_published_again() {
    let booked = booked(&slot(1), 1);
    let stranded = Slot::stranded(&booked, Uuid::nil(), at(10)).unwrap();
    assert_eq!((stranded.state, stranded.quarantined_count()), (SlotState::Closed, 1));
    let published = super::super::Published {
        id: booked.id.clone(),
        schedule_id: booked.schedule_id.clone(),
        window: booked.window,
        capacity: 1,
        traits: Arc::clone(&booked.traits),
    };
    let again = stranded.republish(&published, 1, at(11)).unwrap().unwrap();
    assert_eq!((again.state, again.remaining_count(at(12))), (SlotState::Open, 0));
    assert_eq!(Slot::stranded(&slot(1), Uuid::nil(), at(10)), None, "nobody relied on it");
}

#[test]
fn a_lost_claim_is_neither_confirmed_nor_attended_but_may_be_given_up() {
    let free = slot(1);
    let hold = quarantine(&free, &held(&free, 1)).unwrap();
    let booking = quarantine(&free, &booked(&free, 1)).unwrap();
    for slot in [&hold, &booking] {
        assert_eq!(slot.confirm(claim_id(1), at(11)).unwrap_err(), ClaimRefusal::ClaimQuarantined);
        let seen = slot.attend(claim_id(1), crate::domain::slot::AttendanceKind::Seen, at(3_700));
        assert_eq!(seen.unwrap_err(), ClaimRefusal::ClaimQuarantined);
    }
    let released = hold.release(claim_id(1), at(11)).unwrap().slot;
    let cancelled = booking.cancel(claim_id(1), "rappelé", at(11)).unwrap().slot;
    assert_eq!((released.remaining_count(at(12)), cancelled.remaining_count(at(12))), (1, 1));
    assert_eq!(booking.release(claim_id(1), at(11)).unwrap_err(), ClaimRefusal::AlreadyBooked);
    assert_eq!(hold.cancel(claim_id(1), "", at(11)).unwrap_err(), ClaimRefusal::NotBooked);
}

#[test]
fn a_hold_from_before_the_loss_was_known_is_not_confirmed() {
    let free = slot(1);
    let slot = quarantine(&held(&free, 2), &booked(&free, 1)).unwrap();
    assert_eq!(slot.confirm(claim_id(2), at(11)).unwrap_err(), ClaimRefusal::SlotQuarantined);
    let settled = slot.settle(claim_id(1), &settlement(Verdict::Free, 12)).unwrap().slot;
    assert!(settled.confirm(claim_id(2), at(13)).is_ok());
}

#[test]
fn settled_as_free_the_unit_is_offered_again_and_who_said_so_is_kept() {
    let free = slot(1);
    let booking = quarantine(&free, &booked(&free, 1)).unwrap();
    let said = settlement(Verdict::Free, 20);
    let settled = booking.settle(claim_id(1), &said).unwrap().slot;
    let claim = settled.claim(claim_id(1)).unwrap();
    assert_eq!((claim.state, claim.cancel_reason.as_ref()), (ClaimState::Cancelled, "vu au cabinet"));
    assert_eq!(claim.quarantine.as_ref().unwrap().settlement, Some(said.clone()));
    assert_eq!((settled.remaining_count(at(21)), settled.free_from()), (1, UtcInstant::MIN));
    assert_eq!(settled.settle(claim_id(1), &said).unwrap_err(), ClaimRefusal::NotQuarantined);
    let hold = quarantine(&free, &held(&free, 1)).unwrap().settle(claim_id(1), &said).unwrap().slot;
    assert_eq!(hold.claim(claim_id(1)).unwrap().state, ClaimState::Released);
}

#[test]
fn settled_as_standing_it_is_what_it_was_unless_others_came() {
    let free = slot(1);
    let (before_hold, before) = (held(&free, 1), booked(&free, 1));
    let stands = |slot: &Slot, second| slot.settle(claim_id(1), &settlement(Verdict::Stands, second));
    let booking = quarantine(&free, &before).unwrap();
    let back = stands(&booking, 20).unwrap().slot;
    let claim = back.claim(claim_id(1)).unwrap();
    assert_eq!((claim.state, claim.confirmed_at), (ClaimState::Booked, before.claims[0].confirmed_at));
    assert_eq!(back.booked_count(), 1);
    let withdrawn = stands(&booking.withdraw(2, at(15)).unwrap(), 20).unwrap().slot;
    assert_eq!(withdrawn.claim(claim_id(1)).unwrap().state, ClaimState::ToReplace);
    let hold = quarantine(&free, &before_hold).unwrap();
    let held = stands(&hold, 119).unwrap();
    assert_eq!((held.slot.held_count(at(119)), held.not_after), (1, Some(at(120))));
    assert_eq!(stands(&hold, 120).unwrap_err(), ClaimRefusal::HoldExpired);
    let overtaken = quarantine(&booked(&free, 2), &before).unwrap();
    assert_eq!(stands(&overtaken, 20).unwrap_err(), ClaimRefusal::Overtaken);
    let over = quarantine(&self::held(&free, 2), &before).unwrap();
    assert_eq!(stands(&over, 200).unwrap().not_before, Some(at(120)), "the ledger's clock must agree");
}
