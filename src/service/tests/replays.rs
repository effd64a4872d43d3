//! Retries are told the first outcome; an id with other content is refused.

use super::world::*;
use crate::domain::id::{CaseId, PrincipalId};
use crate::domain::slot::ClaimState;
use crate::service::*;

#[tokio::test]
async fn a_retry_is_told_the_first_outcome_after_the_slot_changed() {
    let world = World::with_slot(1).await;
    let held = world.hold("hold").await.unwrap();
    let id = held.value.claim.id;
    let booked = world.confirm("confirm", id).await.unwrap();
    let cancelled = world.cancel("cancel", id).await.unwrap();
    world.book("another").await;

    let again = world.hold("hold").await.unwrap();
    assert!(again.replayed);
    assert_eq!(told(&again), told(&held));
    assert_eq!(again.stamp.position, held.stamp.position);
    let again = world.confirm("confirm", id).await.unwrap();
    assert_eq!((again.replayed, again.value.state), (true, ClaimState::Booked));
    assert_eq!((&again.value.claim, &again.value.slot), (&booked.value.claim, &booked.value.slot));
    let again = world.cancel("cancel", id).await.unwrap();
    assert_eq!((again.replayed, &again.value.claim), (true, &cancelled.value.claim));
}

#[tokio::test]
async fn a_retry_is_told_the_first_outcome_after_the_slot_is_gone() {
    let world = World::with_slot(1).await;
    let held = world.hold("hold").await.unwrap();
    world.advance_seconds(26 * 3_600);
    assert_eq!(world.service.purge_ended().await.unwrap(), 1);
    let again = world.hold("hold").await.unwrap();
    assert_eq!((again.replayed, told(&again)), (true, told(&held)));
    let id = held.value.claim.id;
    assert_eq!(world.confirm("confirm", id).await.unwrap_err().reason, Reason::UnknownHold);
}

#[tokio::test]
async fn a_request_id_with_other_content_is_refused() {
    let world = World::with_slot(5).await;
    let id = world.hold("hold").await.unwrap().value.claim.id;
    let others = [
        HoldRequest { case_id: CaseId::parse("dossier-2").unwrap(), ..hold_request("hold") },
        HoldRequest { ttl_seconds: Some(60), ..hold_request("hold") },
        HoldRequest { regulator_id: Some(PrincipalId::parse("arm-1").unwrap()), ..hold_request("hold") },
    ];
    for other in others {
        let error = world.service.hold(&Caller::local(), other).await.unwrap_err();
        assert_eq!(error.reason, Reason::RequestIdReused);
    }
    assert_eq!(world.confirm("hold", id).await.unwrap_err().reason, Reason::RequestIdReused);
    let batch = batch("hold", 2, vec![slot("slot-2", "schedule-1", 90)]);
    let error = world.service.publish(&Caller::local(), batch).await.unwrap_err();
    assert_eq!(error.reason, Reason::RequestIdReused);
    assert_eq!(world.slot("slot-1").claims.len(), 1);
}

#[tokio::test]
async fn a_refused_request_with_a_reused_id_is_told_so() {
    let world = World::with_slot(1).await;
    world.hold("first").await.unwrap();
    let other = HoldRequest { case_id: CaseId::parse("dossier-2").unwrap(), ..hold_request("first") };
    // The slot is taken, which would be the answer to a new request.
    assert_eq!(world.service.hold(&Caller::local(), other).await.unwrap_err().reason, Reason::RequestIdReused);
}

#[tokio::test]
async fn a_refusal_is_decided_again() {
    let world = World::with_slot(1).await;
    let id = world.hold("first").await.unwrap().value.claim.id;
    assert_eq!(world.hold("second").await.unwrap_err().reason, Reason::SlotTaken);
    world.release("release", id).await.unwrap();
    assert!(!world.hold("second").await.unwrap().replayed);
}

#[tokio::test]
async fn a_refusal_leaves_its_request_id_to_whatever_is_carried_out_first() {
    let world = World::with_slot(1).await;
    let id = world.hold("first").await.unwrap().value.claim.id;
    let position = world.head();
    assert_eq!(world.hold("shared").await.unwrap_err().reason, Reason::SlotTaken);
    let wrong = HoldRequest { ttl_seconds: Some(1), ..hold_request("shared") };
    assert_eq!(world.service.hold(&Caller::local(), wrong).await.unwrap_err().reason, Reason::InvalidArgument);
    assert_eq!(world.head(), position, "refusals leave nothing");
    world.release("release", id).await.unwrap();

    let other = || HoldRequest { case_id: CaseId::parse("dossier-2").unwrap(), ..hold_request("shared") };
    let held = world.service.hold(&Caller::local(), other()).await.unwrap();
    assert!(!held.replayed, "the id was free");
    // The refused request comes late, once more: it has no second effect.
    assert_eq!(world.hold("shared").await.unwrap_err().reason, Reason::RequestIdReused);
    let again = world.service.hold(&Caller::local(), other()).await.unwrap();
    assert_eq!((again.replayed, told(&again)), (true, told(&held)));
    assert_eq!(world.slot("slot-1").held_count(world.now()), 1);
}

#[tokio::test]
async fn results_of_refused_rows_are_an_outcome() {
    let world = World::new().await;
    let rows = world.publish("batch", 1, vec![slot("slot-1", "schedule-9", 60)]).await;
    assert_eq!(statuses(&rows), [RowStatus::Refused]);
    world.add_schedule("schedule-9").await;
    let again = world.publish("batch", 1, vec![slot("slot-1", "schedule-9", 60)]).await;
    assert_eq!(again, rows, "although it would be accepted now");
    let corrected = batch("batch", 1, vec![slot("slot-1", "schedule-1", 60)]);
    let error = world.service.publish(&Caller::local(), corrected).await.unwrap_err();
    assert_eq!(error.reason, Reason::RequestIdReused);
}

#[tokio::test]
async fn request_ids_are_each_callers_own() {
    let world = World::with_slot(2).await;
    let one = world.hold("hold").await.unwrap();
    let stranger = Caller { principal: PrincipalId::parse("another").unwrap(), ..Caller::local() };
    let other = world.service.hold(&stranger, hold_request("hold")).await.unwrap();
    assert_ne!(one.value.claim.id, other.value.claim.id);
}
