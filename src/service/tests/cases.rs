//! One live booking a case, whoever asks and however many at once.

use super::world::*;
use crate::domain::case::Case;
use crate::domain::id::{CaseId, ClaimId, RequestId, SlotId, SourceId};
use crate::domain::record::{Body, Key};
use crate::domain::slot::{AttendanceKind, ClaimState};
use crate::ledger::{Append, AppendOutcome, Entry};
use crate::service::*;

/// A hold of a slot of `schedule-1` for a case.
fn hold_for(request_id: &str, slot_id: &str, case_id: &str) -> HoldRequest {
    HoldRequest {
        slot_id: SlotId::parse(slot_id).unwrap(),
        case_id: CaseId::parse(case_id).unwrap(),
        ..hold_request(request_id)
    }
}

async fn with_slots(count: usize) -> World {
    let world = World::new().await;
    world.publish("slots", 1, slots("schedule-1", count)).await;
    world.ledger.take_sizes();
    world
}

async fn held(world: &World, request_id: &str, slot_id: &str) -> ClaimId {
    let held = world.service.hold(&Caller::local(), hold_for(request_id, slot_id, "dossier-1")).await;
    held.unwrap().value.claim.id
}

#[tokio::test]
async fn a_case_with_a_live_booking_is_refused_another_one_which_is_named() {
    let world = with_slots(3).await;
    let (first, second) = (held(&world, "h0", "schedule-1-0").await, held(&world, "h1", "schedule-1-1").await);
    world.confirm("c0", first).await.unwrap();
    let position = world.head();
    let confirmed = world.confirm("c1", second).await.unwrap_err();
    assert_eq!((confirmed.reason, &confirmed.blocking), (Reason::CaseBooked, &[first].into()));
    assert_eq!(confirmed.subject, Some(first.to_string()));
    let third = world.service.hold(&Caller::local(), hold_for("h2", "schedule-1-2", "dossier-1")).await.unwrap_err();
    assert_eq!((third.reason, third.blocking), (Reason::CaseBooked, [first].into()));
    assert!(third.message.contains(&first.to_string()) && third.message.contains("schedule-1-0"), "{}", third.message);
    assert_eq!(world.head(), position, "refusals leave nothing");
    world.service.hold(&Caller::local(), hold_for("h3", "schedule-1-2", "dossier-2")).await.unwrap();
}

#[tokio::test]
async fn a_case_may_hold_several_slots_until_one_is_booked() {
    let world = with_slots(3).await;
    for number in 0..3 {
        held(&world, &format!("h{number}"), &format!("schedule-1-{number}")).await;
    }
}

/// Puts the case with or without its booking, as a reader may see it before the rest of the append shows.
async fn put_case(ledger: &WatchedLedger, version: u64, case: Case) {
    let entries = vec![Entry::put(Body::Case(Arc::new(case)), version)];
    let outcome = ledger.append(Append { entries, request: None }).await;
    assert!(matches!(outcome, AppendOutcome::Appended { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_cancellation_or_an_attendance_that_sees_the_slot_before_the_case_frees_the_case_all_the_same() {
    for is_cancelled in [true, false] {
        let world = with_slots(1).await;
        let booked = held(&world, "h0", "schedule-1-0").await;
        world.confirm("c0", booked).await.unwrap();
        let seen = || world.index.case(&CaseId::parse("dossier-1").unwrap()).unwrap();
        let whole = Case::clone(&seen().value);
        put_case(&world.ledger, seen().version, whole.freed(booked).unwrap()).await;
        world.advance_seconds(6 * 3_600);
        let (ledger, version) = (Arc::clone(&world.ledger), seen().version);
        world.ledger.overtake(async move { put_case(&ledger, version, whole).await });
        if is_cancelled {
            world.cancel("x0", booked).await.unwrap();
        } else {
            let (caller, kind) = (Caller::local(), AttendanceKind::Seen);
            world.service.record_attendance(&caller, request("a0"), booked, kind).await.unwrap();
        }
        assert_eq!(seen().value.booking, None);
    }
}

#[tokio::test]
async fn a_cancelled_booking_makes_room_for_the_next() {
    let world = with_slots(2).await;
    let first = held(&world, "h0", "schedule-1-0").await;
    world.confirm("c0", first).await.unwrap();
    world.cancel("x0", first).await.unwrap();
    let second = held(&world, "h1", "schedule-1-1").await;
    world.confirm("c1", second).await.unwrap();
    // Cancelling the first again does not make room beside the second.
    world.cancel("x1", first).await.unwrap();
    let again = world.service.hold(&Caller::local(), hold_for("h2", "schedule-1-0", "dossier-1")).await.unwrap_err();
    assert_eq!(*again.blocking, [second]);
}

#[tokio::test]
async fn a_booking_that_is_to_be_re_placed_still_counts() {
    let world = with_slots(2).await;
    let first = held(&world, "h0", "schedule-1-0").await;
    world.confirm("c0", first).await.unwrap();
    let withdrawal = Withdrawal {
        request_id: RequestId::parse("w").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: 2,
        slot_ids: vec![SlotId::parse("schedule-1-0").unwrap()],
    };
    world.service.withdraw(&Caller::local(), withdrawal).await.unwrap();
    assert_eq!(world.service.get_booking(first).unwrap().state, ClaimState::ToReplace);
    let refused = world.service.hold(&Caller::local(), hold_for("h1", "schedule-1-1", "dossier-1")).await.unwrap_err();
    assert_eq!(refused.reason, Reason::CaseBooked);
}

#[tokio::test]
async fn a_booking_whose_slot_is_over_counts_no_more_by_the_ledgers_clock() {
    let world = World::new().await;
    world.publish("slots", 1, vec![slot("early", "schedule-1", 0), slot("late", "schedule-1", 120)]).await;
    let first = held(&world, "h0", "early").await;
    world.confirm("c0", first).await.unwrap();
    world.clock.advance_seconds(15 * 60);
    world.ledger_clock.advance_seconds(15 * 60 - 1);
    let refused = world.service.hold(&Caller::local(), hold_for("h1", "late", "dossier-1")).await.unwrap_err();
    assert_eq!(refused.reason, Reason::CaseBooked, "the ledger's clock finds it still running");
    world.ledger_clock.advance_seconds(1);
    let second = held(&world, "h1", "late").await;
    assert_eq!(world.confirm("c1", second).await.unwrap().value.state, ClaimState::Booked);
}

#[tokio::test]
async fn a_retry_of_the_confirmation_is_told_the_booking_not_that_there_is_one() {
    let world = with_slots(1).await;
    let id = held(&world, "h0", "schedule-1-0").await;
    world.confirm("c0", id).await.unwrap();
    assert!(world.confirm("c0", id).await.unwrap().replayed);
    assert_eq!(world.confirm("c1", id).await.unwrap_err().reason, Reason::AlreadyBooked);
    assert_eq!(held(&world, "h0", "schedule-1-0").await, id, "and so is a retry of the hold");
}

#[tokio::test]
async fn a_hold_that_a_booking_of_its_case_overtook_is_refused() {
    let world = with_slots(2).await;
    let first = held(&world, "h0", "schedule-1-0").await;
    let service = world.service.clone();
    world.ledger.overtake(async move {
        service.confirm(&Caller::local(), request("c0"), first).await.unwrap();
    });
    let late = world.service.hold(&Caller::local(), hold_for("h1", "schedule-1-1", "dossier-1")).await.unwrap_err();
    assert_eq!((late.reason, late.blocking), (Reason::CaseBooked, [first].into()));
}

#[tokio::test]
async fn a_refusal_rests_on_the_case_as_the_ledger_shows_it() {
    let world = with_slots(2).await;
    let (first, second) = (held(&world, "h0", "schedule-1-0").await, held(&world, "h1", "schedule-1-1").await);
    world.confirm("c0", first).await.unwrap();
    let service = world.service.clone();
    world.ledger.overtake(async move {
        service.cancel(&Caller::local(), request("x0"), first, String::new()).await.unwrap();
    });
    assert_eq!(
        world.confirm("c1", second).await.unwrap().value.state,
        ClaimState::Booked,
        "it was cancelled meanwhile"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_racing_confirmations_of_one_case_exactly_one_books() {
    let world = with_slots(64).await;
    let mut ids = Vec::new();
    for number in 0..64 {
        ids.push(held(&world, &format!("h{number}"), &format!("schedule-1-{number}")).await);
    }
    let barrier = Arc::new(tokio::sync::Barrier::new(64));
    let mut racers = tokio::task::JoinSet::new();
    for (number, id) in ids.iter().copied().enumerate() {
        let (service, barrier) = (world.service.clone(), Arc::clone(&barrier));
        racers.spawn(async move {
            barrier.wait().await;
            (id, service.confirm(&Caller::local(), request(&format!("c{number}")), id).await)
        });
    }
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for (id, outcome) in racers.join_all().await {
        match outcome {
            Ok(_) => won.push(id),
            Err(error) => lost.push(error),
        }
    }
    assert_eq!((won.len(), lost.len()), (1, 63));
    assert!(lost.iter().all(|error| error.reason == Reason::CaseBooked && *error.blocking == *won), "{lost:?}");
    let booked = ids.iter().filter(|id| world.service.get_booking(**id).is_ok());
    assert_eq!(booked.count(), 1);
}

#[tokio::test]
async fn what_is_kept_of_a_case_is_forgotten_with_its_slot() {
    let world = with_slots(1).await;
    let id = held(&world, "h0", "schedule-1-0").await;
    world.confirm("c0", id).await.unwrap();
    let case_id = CaseId::parse("dossier-1").unwrap();
    world.advance_seconds((60 + 15 + 24 * 60) * 60);
    assert_eq!(world.service.purge_ended_cases().await.unwrap(), 0, "not a moment too early");
    assert!(world.index.case(&case_id).is_some());
    world.advance_seconds(1);
    assert_eq!(world.service.purge_ended_cases().await.unwrap(), 1);
    assert_eq!(world.index.case(&case_id), None);
    let check = Append { entries: vec![Entry::check(Key::Case(case_id), 0)], request: None };
    assert!(matches!(world.ledger.append(check).await, AppendOutcome::Appended { .. }), "nor does the ledger know it");
}
