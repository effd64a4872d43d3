//! What the service does while the ledger does not.

use super::world::*;
use crate::ledger::Unavailable;
use crate::service::*;

#[tokio::test]
async fn while_the_ledger_refuses_writes_reads_go_on() {
    let world = World::with_slot(1).await;
    let id = world.hold("hold").await.unwrap().value.claim.id;
    world.ledger.fail(|_| Some(Unavailable::Refused("the disk is full".to_owned())));
    let errors = [
        world.hold("a").await.map(drop).unwrap_err(),
        world.confirm("b", id).await.map(drop).unwrap_err(),
        world.release("c", id).await.map(drop).unwrap_err(),
        world.service.publish(&Caller::local(), batch("d", 1, slots("schedule-1", 3))).await.map(drop).unwrap_err(),
        world.service.upsert_place(&Caller::local(), request("e"), place("place-2")).await.map(drop).unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.reason), (ErrorKind::Unavailable, Reason::LedgerUnavailable));
        assert!(error.retry_after_ms.is_some_and(|ms| ms > 0));
        assert!(error.message.contains("the disk is full"));
    }
    assert_eq!(world.service.get_hold(id).unwrap().claim.id, id);
    let status = world.service.status();
    assert!(status.stamp.degraded && status.refusal.is_some());
    assert_eq!((status.counts.slots, status.counts.claims), (1, 1));

    world.ledger.heal();
    assert!(!world.service.stamp().degraded);
    world.confirm("b", id).await.unwrap();
}

#[tokio::test]
async fn every_way_of_being_unavailable_has_its_reason() {
    let world = World::with_slot(1).await;
    let table = [
        (Unavailable::OutcomeUnknown(String::new()), Reason::OutcomeUnknown, ErrorKind::Unavailable),
        (Unavailable::Overloaded, Reason::Overloaded, ErrorKind::ResourceExhausted),
        (Unavailable::Closing, Reason::ShuttingDown, ErrorKind::Unavailable),
    ];
    for (unavailable, reason, kind) in table {
        world.ledger.fail(move |_| Some(unavailable.clone()));
        let error = world.hold("hold").await.unwrap_err();
        assert_eq!((error.reason, error.kind()), (reason, kind));
    }
}

#[tokio::test]
async fn status_says_what_an_acknowledged_write_survives() {
    let world = World::new().await;
    let status = world.service.status();
    assert_eq!((status.ledger_kind, status.version, status.refusal), ("memory", "test", None));
    assert_eq!(status.started_at, world.now());
    assert!(!status.durability.is_empty());
    assert_eq!((status.counts.places, status.counts.schedules), (1, 2));
}
