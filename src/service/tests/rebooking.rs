//! Another slot for a patient who is booked: both bookings change together or not at all.

use super::world::*;
use crate::domain::id::{CaseId, ClaimId, RequestId, SlotId, SourceId};
use crate::domain::slot::ClaimState;
use crate::service::*;

async fn booked(world: &World, name: &str, slot_id: &str, case_id: &str) -> ClaimId {
    let request = HoldRequest { slot_id: slot_named(slot_id), ..hold_for(&format!("hold {name}"), case_id, None) };
    let id = world.service.hold(&Caller::local(), request).await.unwrap().value.claim.id;
    world.confirm(&format!("confirm {name}"), id).await.unwrap();
    id
}

fn slot_named(id: &str) -> SlotId {
    SlotId::parse(id).unwrap()
}

fn hold_for(request_id: &str, case_id: &str, rebooks: Option<ClaimId>) -> HoldRequest {
    HoldRequest {
        slot_id: slot_named("schedule-1-1"),
        case_id: CaseId::parse(case_id).unwrap(),
        rebooks,
        ..hold_request(request_id)
    }
}

fn rebook(request_id: &str, booking_id: ClaimId, target: RebookTarget) -> RebookRequest {
    RebookRequest {
        request_id: request(request_id),
        booking_id,
        target,
        query: None,
        regulator_id: None,
        cancel_reason: "too far".to_owned(),
        authority: Authority::default(),
    }
}

fn to_slot(request_id: &str, booking_id: ClaimId, slot_id: &str) -> RebookRequest {
    rebook(request_id, booking_id, RebookTarget::Slot(slot_named(slot_id)))
}

/// Three slots, the first booked for `dossier-1`.
async fn world() -> (World, ClaimId) {
    let world = World::new().await;
    world.publish("slots", 1, slots("schedule-1", 3)).await;
    let id = booked(&world, "first", "schedule-1-0", "dossier-1").await;
    world.ledger.take_sizes();
    (world, id)
}

fn state(world: &World, id: ClaimId) -> ClaimState {
    world.service.get_hold(id).unwrap().state
}

#[tokio::test]
async fn the_new_booking_is_made_and_the_old_one_freed_in_one_append() {
    let (world, old) = world().await;
    let done = world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap();
    assert_eq!(world.ledger.take_sizes(), [3], "two slots and the case");
    let RebookView { booked, replaced } = &done.value;
    assert_eq!((booked.state, replaced.state), (ClaimState::Booked, ClaimState::Cancelled));
    assert_eq!((booked.claim.replaces, replaced.claim.replaced_by), (Some(old), Some(booked.claim.id)));
    assert_eq!(&*replaced.claim.cancel_reason, "too far");
    assert_eq!(booked.claim.case_id.as_str(), "dossier-1");
    assert_eq!(state(&world, old), ClaimState::Cancelled);
    assert_eq!(world.slot("schedule-1-0").remaining_count(world.now()), 1);
    assert_eq!(world.slot("schedule-1-1").remaining_count(world.now()), 0);
    let second = world.service.hold(&Caller::local(), hold_for("h", "dossier-1", None)).await.unwrap_err();
    assert_eq!((second.reason, second.blocking), (Reason::CaseBooked, [booked.claim.id].into()));
}

#[tokio::test]
async fn a_retry_is_told_both_bookings_as_they_were() {
    let (world, old) = world().await;
    let first = world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap().value;
    world.cancel("x", first.booked.claim.id).await.unwrap();
    let again = world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value.booked.claim, first.booked.claim);
    assert_eq!(again.value.replaced.claim, first.replaced.claim);
    let other = world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-2")).await.unwrap_err();
    assert_eq!(other.reason, Reason::RequestIdReused);
    let second = world.service.rebook(&Caller::local(), to_slot("r2", old, "schedule-1-2")).await.unwrap_err();
    assert_eq!(second.reason, Reason::BookingCancelled);
}

#[tokio::test]
async fn when_the_new_one_cannot_be_had_the_old_one_stays() {
    let (world, old) = world().await;
    booked(&world, "other", "schedule-1-1", "dossier-2").await;
    let position = world.head();
    let table = [
        (to_slot("r1", old, "schedule-1-1"), Reason::SlotTaken),
        (to_slot("r2", old, "nowhere"), Reason::UnknownSlot),
        (to_slot("r3", old, "schedule-1-0"), Reason::SameSlot),
        (rebook("r4", old, RebookTarget::Hold(ClaimId::from_uuid(Uuid::nil()))), Reason::UnknownHold),
    ];
    for (request, reason) in table {
        assert_eq!(world.service.rebook(&Caller::local(), request).await.unwrap_err().reason, reason);
    }
    assert_eq!((state(&world, old), world.head()), (ClaimState::Booked, position));
    let unknown = to_slot("r5", ClaimId::from_uuid(Uuid::nil()), "schedule-1-2");
    assert_eq!(world.service.rebook(&Caller::local(), unknown).await.unwrap_err().reason, Reason::UnknownBooking);
}

#[tokio::test]
async fn a_hold_made_for_it_is_confirmed_by_rebooking_only() {
    let (world, old) = world().await;
    let held = world.service.hold(&Caller::local(), hold_for("h", "dossier-1", Some(old))).await.unwrap();
    let hold = held.value.claim.id;
    let confirmed = world.confirm("c", hold).await.unwrap_err();
    assert_eq!((confirmed.reason, confirmed.blocking), (Reason::CaseBooked, [old].into()));
    let request = rebook("r", old, RebookTarget::Hold(hold));
    let done = world.service.rebook(&Caller::local(), request).await.unwrap().value;
    assert_eq!((done.booked.claim.id, done.booked.state), (hold, ClaimState::Booked));
    assert_eq!(state(&world, old), ClaimState::Cancelled);
}

#[tokio::test]
async fn a_hold_that_ended_or_is_anothers_does_not_replace_a_booking() {
    let (world, old) = world().await;
    let other = world.service.hold(&Caller::local(), hold_for("h1", "dossier-2", None)).await.unwrap().value.claim.id;
    let request = rebook("r1", old, RebookTarget::Hold(other));
    assert_eq!(world.service.rebook(&Caller::local(), request).await.unwrap_err().reason, Reason::CaseMismatch);
    world.release("x", other).await.unwrap();
    let held = world.service.hold(&Caller::local(), hold_for("h2", "dossier-1", Some(old))).await.unwrap();
    world.advance_seconds(120);
    let request = rebook("r2", old, RebookTarget::Hold(held.value.claim.id));
    assert_eq!(world.service.rebook(&Caller::local(), request).await.unwrap_err().reason, Reason::HoldExpired);
    assert_eq!(state(&world, old), ClaimState::Booked);
}

#[tokio::test]
async fn a_booking_to_be_re_placed_is_re_placed() {
    let (world, old) = world().await;
    let withdrawal = Withdrawal {
        request_id: RequestId::parse("w").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: 2,
        slot_ids: vec![slot_named("schedule-1-0")],
    };
    world.service.withdraw(&Caller::local(), withdrawal).await.unwrap();
    assert_eq!(state(&world, old), ClaimState::ToReplace);
    world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap();
    assert_eq!(state(&world, old), ClaimState::Cancelled);
}

#[tokio::test]
async fn a_rebooking_that_is_not_written_leaves_everything() {
    let (world, old) = world().await;
    world.ledger.fail(|_| Some(crate::ledger::Unavailable::Refused("the disk is full".to_owned())));
    let refused = world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap_err();
    assert_eq!((refused.reason, state(&world, old)), (Reason::LedgerUnavailable, ClaimState::Booked));
    world.ledger.heal();
    assert!(!world.service.rebook(&Caller::local(), to_slot("r", old, "schedule-1-1")).await.unwrap().replayed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_racing_rebookings_one_replaces_the_booking() {
    let world = World::new().await;
    world.publish("slots", 1, slots("schedule-1", 33)).await;
    let old = booked(&world, "first", "schedule-1-0", "dossier-1").await;
    let mut racers = tokio::task::JoinSet::new();
    for number in 1..33 {
        let service = world.service.clone();
        let request = to_slot(&format!("r{number}"), old, &format!("schedule-1-{number}"));
        racers.spawn(async move { service.rebook(&Caller::local(), request).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 31));
    assert!(lost.iter().all(|lost| lost.as_ref().is_err_and(|error| error.reason == Reason::BookingCancelled)));
    let taken = (0..33).filter(|number| world.slot(&format!("schedule-1-{number}")).booked_count() > 0);
    assert_eq!(taken.count(), 1);
}
