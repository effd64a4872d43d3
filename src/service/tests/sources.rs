//! Heartbeats, leases, and what is told of sources.

use super::world::*;
use crate::clock::Clock as _;
use crate::domain::id::SourceId;
use crate::domain::source::Confidence;
use crate::service::*;

fn editor() -> SourceId {
    SourceId::parse("editor").unwrap()
}

#[tokio::test]
async fn a_heartbeat_is_kept_and_one_that_says_little_more_is_not_written() {
    let world = World::new().await;
    let (stamp, source) = world.service.heartbeat(&editor(), Some(120)).await.unwrap();
    assert_eq!(source.lease_ends_at(), Some(world.clock.now().plus_seconds(120)));
    assert_eq!(stamp.position, world.index.head());
    world.ledger.take_sizes();
    world.clock.advance_ms(29_999);
    let (_, again) = world.service.heartbeat(&editor(), Some(120)).await.unwrap();
    assert_eq!((again, world.ledger.take_sizes().len()), (source.clone(), 0), "less than a quarter of the lease");
    world.clock.advance_ms(1);
    let (_, renewed) = world.service.heartbeat(&editor(), Some(120)).await.unwrap();
    assert_eq!((renewed.heard_at, world.ledger.take_sizes().len()), (source.heard_at.plus_seconds(30), 1));
    let (_, longer) = world.service.heartbeat(&editor(), Some(600)).await.unwrap();
    assert_eq!(
        (longer.lease_seconds, world.ledger.take_sizes().len()),
        (Some(600), 1),
        "another lease is news at once"
    );
}

#[tokio::test]
async fn a_source_without_schedules_has_no_heartbeat() {
    let world = World::new().await;
    let refused = world.service.heartbeat(&SourceId::parse("edito").unwrap(), Some(60)).await.unwrap_err();
    assert_eq!(refused.reason, Reason::UnknownSource);
    assert!(refused.message.contains("`edito`"), "{}", refused.message);
}

#[tokio::test]
async fn racing_heartbeats_all_succeed() {
    let world = World::new().await;
    let other = world.service.clone();
    world.ledger.overtake(async move {
        other.heartbeat(&editor(), Some(300)).await.unwrap();
    });
    let (_, source) = world.service.heartbeat(&editor(), Some(60)).await.unwrap();
    assert_eq!(source.lease_seconds, Some(60));
    assert_eq!(world.service.sources()[0].source, source);
}

#[tokio::test]
async fn a_lease_that_is_not_kept_is_a_condition_until_the_source_is_heard() {
    let world = World::new().await;
    let silent = || {
        let conditions = world.service.conditions();
        conditions.into_iter().find(|one| one.kind == ConditionKind::SourceSilent).map(|one| one.message)
    };
    let confidence = || world.service.sources()[0].confidence;
    assert_eq!((silent(), confidence()), (None, Confidence::Certain));
    world.service.heartbeat(&editor(), Some(60)).await.unwrap();
    world.clock.advance_ms(60_000);
    assert_eq!((silent(), confidence()), (None, Confidence::Certain));
    world.clock.advance_ms(1);
    assert!(silent().unwrap().starts_with("past their lease: editor; "), "{:?}", silent());
    assert_eq!(confidence(), Confidence::Uncertain);
    world.clock.advance_ms(30 * 60_000);
    assert_eq!(confidence(), Confidence::Hidden);
    let view = &world.service.sources()[0];
    assert_eq!(view.hidden_after.plus_ms(1), world.clock.now());
    assert_eq!(view.extent.schedule_count, 2);
    assert!(world.service.heartbeat(&editor(), Some(60)).await.is_ok());
    assert_eq!((silent(), confidence()), (None, Confidence::Certain));
    world.service.heartbeat(&editor(), None).await.unwrap();
    world.clock.advance_ms(3_600_000);
    assert_eq!((silent(), confidence()), (None, Confidence::Certain), "without a lease an hour is nothing");
}

#[tokio::test]
async fn a_heartbeat_that_cannot_be_kept_is_refused() {
    let world = World::new().await;
    world.ledger.fail(|_| Some(crate::ledger::Unavailable::Refused("the disk is full".to_owned())));
    let refused = world.service.heartbeat(&editor(), Some(60)).await.unwrap_err();
    assert_eq!(refused.reason, Reason::LedgerUnavailable);
    assert_eq!(world.service.sources()[0].source.lease_seconds, None);
}
