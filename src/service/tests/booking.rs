//! Hold, confirm, release, cancel, one caller at a time.

use super::world::*;
use crate::domain::code::Priority;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{ClaimId, SlotId};
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::slot::ClaimState;
use crate::service::*;

#[tokio::test]
async fn a_held_slot_is_taken_until_the_hold_ends() {
    let world = World::with_slot(1).await;
    let held = world.hold("a").await.unwrap();
    assert_eq!((held.replayed, held.value.state), (false, ClaimState::Held));
    assert_eq!(held.value.claim.expires_at, world.now().plus_seconds(120));
    assert_eq!(held.stamp.position, world.head());
    assert_eq!(world.hold("b").await.unwrap_err().reason, Reason::SlotTaken);
    world.advance_seconds(119);
    assert_eq!(world.hold("c").await.unwrap_err().reason, Reason::SlotTaken);
    world.advance_seconds(1);
    let next = world.hold("d").await.unwrap();
    assert_ne!(next.value.claim.id, held.value.claim.id);
    assert_eq!(world.service.get_hold(held.value.claim.id).unwrap().state, ClaimState::Expired);
}

#[tokio::test]
async fn how_long_a_hold_lives_follows_from_the_request_or_from_its_urgency() {
    let world = World::with_slot(5).await;
    let query = |priority| {
        let position = GeoPoint::new(45.7, 4.9).ok();
        CareQuery::parse(CareQueryDraft { position, priority: Some(priority), ..CareQueryDraft::default() }).ok()
    };
    let table = [
        (None, None, 120),
        (None, query(Priority::P1), 90),
        (None, query(Priority::P3), 180),
        (Some(5), query(Priority::P3), 5),
        (Some(900), None, 900),
    ];
    for (number, (ttl_seconds, query, seconds)) in table.into_iter().enumerate() {
        let request = HoldRequest { ttl_seconds, query, ..hold_request(&format!("hold {number}")) };
        let held = world.service.hold(&Caller::local(), request).await.unwrap().value;
        assert_eq!(held.claim.expires_at, world.now().plus_seconds(seconds));
    }
}

#[tokio::test]
async fn a_lone_hold_costs_one_append() {
    let world = World::with_slot(1).await;
    let held = world.hold("a").await.unwrap();
    assert_eq!(world.ledger.take_sizes(), [2], "the slot, and that its case has no booking");
    world.confirm("b", held.value.claim.id).await.unwrap();
    assert_eq!(world.ledger.take_sizes(), [2], "the slot and its case");
}

#[tokio::test]
async fn a_hold_becomes_a_booking_and_is_cancelled() {
    let world = World::with_slot(1).await;
    let id = world.hold("hold").await.unwrap().value.claim.id;
    assert_eq!(world.service.get_booking(id).unwrap_err().reason, Reason::UnknownBooking);
    let booked = world.confirm("confirm", id).await.unwrap().value;
    assert_eq!((booked.state, booked.claim.id), (ClaimState::Booked, id));
    assert!(booked.offer.is_some(), "the booking says where care is given");
    world.advance_seconds(3_600);
    assert_eq!(world.service.get_booking(id).unwrap().state, ClaimState::Booked);
    assert_eq!(world.release("release", id).await.unwrap_err().reason, Reason::AlreadyBooked);
    assert_eq!(world.confirm("again", id).await.unwrap_err().reason, Reason::AlreadyBooked);
    let cancelled = world.cancel("cancel", id).await.unwrap().value;
    assert_eq!((cancelled.state, &*cancelled.claim.cancel_reason), (ClaimState::Cancelled, "patient called off"));
    assert_eq!(world.cancel("cancel twice", id).await.unwrap().value.state, ClaimState::Cancelled);
    assert_eq!(world.confirm("too late", id).await.unwrap_err().reason, Reason::BookingCancelled);
    assert_eq!(world.service.get_booking(id).unwrap().state, ClaimState::Cancelled);
}

#[tokio::test]
async fn a_released_unit_is_free_and_the_release_can_be_repeated() {
    let world = World::with_slot(1).await;
    let id = world.hold("hold").await.unwrap().value.claim.id;
    assert_eq!(world.release("release", id).await.unwrap().value.state, ClaimState::Released);
    assert_eq!(world.release("release twice", id).await.unwrap().value.state, ClaimState::Released);
    assert_eq!(world.confirm("late", id).await.unwrap_err().reason, Reason::HoldReleased);
    assert_eq!(world.cancel("cancel", id).await.unwrap_err().reason, Reason::NotBooked);
    world.hold("next").await.unwrap();
}

#[tokio::test]
async fn an_expired_hold_is_released_as_expired_and_confirmed_too_late() {
    let world = World::with_slot(1).await;
    let id = world.hold("hold").await.unwrap().value.claim.id;
    world.advance_seconds(120);
    let position = world.head();
    assert_eq!(world.release("release", id).await.unwrap().value.state, ClaimState::Expired);
    assert_eq!(world.confirm("late", id).await.unwrap_err().reason, Reason::HoldExpired);
    assert_eq!(world.head(), position, "nothing was written");
}

#[tokio::test]
async fn the_ledgers_clock_decides_which_confirm_is_late() {
    let behind = World::with_slot(1).await;
    let id = behind.hold("hold").await.unwrap().value.claim.id;
    behind.ledger_clock.advance_seconds(120);
    assert_eq!(behind.confirm("late", id).await.unwrap_err().reason, Reason::HoldExpired, "own clock is behind");

    let ahead = World::with_slot(1).await;
    let id = ahead.hold("hold").await.unwrap().value.claim.id;
    ahead.clock.advance_seconds(120);
    ahead.ledger_clock.advance_seconds(119);
    assert_eq!(ahead.confirm("in time", id).await.unwrap().value.state, ClaimState::Booked, "own clock is ahead");
}

#[tokio::test]
async fn a_hold_over_an_expired_one_waits_for_the_ledgers_clock() {
    let world = World::with_slot(1).await;
    let first = world.hold("first").await.unwrap().value.claim.id;
    world.clock.advance_seconds(120);
    world.ledger_clock.advance_seconds(119);
    assert_eq!(world.hold("second").await.unwrap_err().reason, Reason::SlotTaken);
    world.confirm("confirm", first).await.unwrap();
    world.advance_seconds(1);
    assert_eq!(world.hold("third").await.unwrap_err().reason, Reason::SlotTaken);
}

#[tokio::test]
async fn what_cannot_be_held_says_why() {
    let world = World::with_slot(1).await;
    let unknown = HoldRequest { slot_id: SlotId::parse("slot-9").unwrap(), ..hold_request("unknown") };
    let error = world.service.hold(&Caller::local(), unknown).await.unwrap_err();
    assert_eq!((error.reason, error.subject.as_deref()), (Reason::UnknownSlot, Some("slot-9")));
    for ttl_seconds in [0, 4, 901, u32::MAX] {
        let wrong = HoldRequest { ttl_seconds: Some(ttl_seconds), ..hold_request("ttl") };
        let error = world.service.hold(&Caller::local(), wrong).await.unwrap_err();
        assert_eq!((error.reason, error.violations[0].field.as_str()), (Reason::InvalidArgument, "ttl_seconds"));
    }
    world.advance_seconds(75 * 60);
    assert_eq!(world.hold("past").await.unwrap_err().reason, Reason::SlotPast);
}

#[tokio::test]
async fn unknown_claims_are_named() {
    let world = World::with_slot(1).await;
    let id = ClaimId::from_uuid(uuid::Uuid::from_u128(7));
    assert_eq!(world.confirm("a", id).await.unwrap_err().reason, Reason::UnknownHold);
    assert_eq!(world.release("b", id).await.unwrap_err().reason, Reason::UnknownHold);
    assert_eq!(world.cancel("c", id).await.unwrap_err().reason, Reason::UnknownBooking);
    let error = world.service.get_hold(id).unwrap_err();
    assert_eq!((error.reason, error.subject), (Reason::UnknownHold, Some(id.to_string())));
    let long = world.service.cancel(&Caller::local(), request("d"), id, "x".repeat(201)).await.unwrap_err();
    assert_eq!(long.reason, Reason::InvalidArgument);
}
