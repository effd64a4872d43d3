//! Batches as a whole: how they are cut, retried, completed, and how fast they are.

use super::world::*;
use crate::clock::Stopwatch;
use crate::ledger::Unavailable;
use crate::service::limits::{CHUNK_ENTRIES_MAX, PUBLISH_ROWS_MAX};
use crate::service::*;

#[tokio::test]
async fn a_batch_is_cut_into_small_appends() {
    let world = World::new().await;
    let rows = world.publish("batch", 1, slots("schedule-1", 200)).await;
    assert!(rows.iter().all(|row| row.status == RowStatus::Created));
    let sizes = world.ledger.take_sizes();
    assert!(sizes.iter().all(|size| *size <= CHUNK_ENTRIES_MAX), "{sizes:?}");
    assert_eq!(sizes, [64, 64, 64, 12], "63 slots and their schedule; the first chunk raises the revision for all");

    let mut many = Vec::new();
    for number in 0..100 {
        world.add_schedule(&format!("busy-{number}")).await;
        many.extend(slots(&format!("busy-{number}"), 4));
    }
    world.ledger.take_sizes();
    world.publish("many", 1, many).await;
    let sizes = world.ledger.take_sizes();
    assert!(sizes.iter().all(|size| *size <= CHUNK_ENTRIES_MAX), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 500, "400 slots and 100 schedules, nothing twice");
}

#[tokio::test]
async fn too_many_rows_are_refused_whole() {
    let world = World::new().await;
    let rows = slots("schedule-1", PUBLISH_ROWS_MAX + 1);
    let error = world.service.publish(&Caller::local(), batch("batch", 1, rows)).await.unwrap_err();
    assert_eq!(error.reason, Reason::TooManyRows);
    assert_eq!(world.publish("batch", 1, slots("schedule-1", PUBLISH_ROWS_MAX)).await.len(), PUBLISH_ROWS_MAX);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_repeated_batch_has_the_same_answer() {
    let world = World::new().await;
    let mut rows = slots("schedule-1", 150);
    rows.push(slot("past", "schedule-2", -60));
    rows.push(slot("lost", "schedule-9", 60));
    let first = world.service.publish(&Caller::local(), batch("batch", 1, rows.clone())).await.unwrap();
    world.add_schedule("schedule-9").await;
    world.publish("newer", 2, vec![slot("schedule-1-0", "schedule-1", 61)]).await;
    world.advance_seconds(3_600);
    let position = world.head();
    let again = world.service.publish(&Caller::local(), batch("batch", 1, rows)).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(again.value, first.value, "although time passed and the world changed");
    assert_eq!(world.head(), position, "nothing was written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_retry_completes_what_a_failure_cut_in_two() {
    for survivors in 0..4 {
        let world = World::new().await;
        let cut = Unavailable::OutcomeUnknown("the link is cut".to_owned());
        world.ledger.fail(move |number| (number >= survivors).then(|| cut.clone()));
        let rows = slots("schedule-1", 200);
        let error = world.service.publish(&Caller::local(), batch("batch", 1, rows.clone())).await.unwrap_err();
        assert_eq!(error.reason, Reason::OutcomeUnknown);
        assert!(error.retry_after_ms.is_some());
        let written = world.index.counts().slots;
        assert!(written < 200 && (written > 0) == (survivors > 0), "{survivors} chunks wrote {written} slots");
        world.ledger.heal();
        let done = world.service.publish(&Caller::local(), batch("batch", 1, rows.clone())).await.unwrap();
        assert!(!done.replayed, "a part is new");
        assert!(done.value.iter().all(|row| row.status == RowStatus::Created), "as if it had gone well at once");
        assert_eq!(world.index.counts().slots, 200);
        let again = world.service.publish(&Caller::local(), batch("batch", 1, rows)).await.unwrap();
        assert_eq!((again.replayed, again.value), (true, done.value));
    }
}

#[tokio::test]
async fn a_batch_with_a_reused_id_writes_nothing() {
    let world = World::new().await;
    world.publish("batch", 1, slots("schedule-1", 10)).await;
    let position = world.head();
    let error = world.service.publish(&Caller::local(), batch("batch", 1, slots("schedule-2", 300))).await.unwrap_err();
    assert_eq!(error.reason, Reason::RequestIdReused);
    assert_eq!(world.head(), position, "not even the chunks that the first batch did not have");
    let none = PublishBatch { rows: vec![], ..batch("batch", 1, vec![]) };
    assert_eq!(world.service.publish(&Caller::local(), none).await.unwrap_err().reason, Reason::RequestIdReused);
}

#[tokio::test]
async fn no_request_id_of_a_caller_is_in_the_way_of_a_batch() {
    let ids = ["batch#1", "batch#2", "batch#3", "batch"];
    for first in [true, false] {
        let world = World::with_slot(9).await;
        let rows = slots("schedule-2", 200);
        if !first {
            world.publish("batch", 1, rows.clone()).await;
        }
        for id in &ids[..3] {
            assert!(!world.hold(id).await.unwrap().replayed, "{id}");
        }
        let done = world.service.publish(&Caller::local(), batch("batch", 1, rows)).await.unwrap();
        assert!(done.value.iter().all(|row| row.status == RowStatus::Created));
        assert_eq!(done.replayed, !first);
        for id in &ids[..3] {
            assert!(world.hold(id).await.unwrap().replayed, "{id}");
        }
        assert_eq!(world.hold(ids[3]).await.unwrap_err().reason, Reason::RequestIdReused);
    }
}

#[tokio::test]
async fn a_long_request_id_still_names_its_chunks() {
    let world = World::new().await;
    let long = "x".repeat(128);
    let rows = world.publish(&long, 1, slots("schedule-1", 130)).await;
    assert!(rows.iter().all(|row| row.status == RowStatus::Created));
    let again = world.service.publish(&Caller::local(), batch(&long, 1, slots("schedule-1", 130))).await.unwrap();
    assert!(again.replayed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_revisions_leave_the_newest() {
    let world = World::new().await;
    let publishers: Vec<_> = (1..=20_u64)
        .map(|revision| {
            let service = world.service.clone();
            let mut rows = slots("schedule-1", 100);
            rows.iter_mut().for_each(|row| row.capacity = u16::try_from(revision).unwrap());
            let batch = batch(&format!("revision {revision}"), revision, rows);
            world.tasks.spawn(async move { service.publish(&Caller::local(), batch).await })
        })
        .collect();
    let mut newest_went_through = false;
    for publisher in publishers {
        match publisher.await.unwrap() {
            Ok(done) => {
                let is_whole = done.value.iter().all(|row| row.status != RowStatus::Refused);
                newest_went_through |= is_whole;
                let other =
                    done.value.iter().filter_map(|row| row.reason).find(|reason| *reason != Reason::StaleRevision);
                assert_eq!(other, None, "rows are refused as stale only");
            }
            Err(error) => assert!(matches!(error.reason, Reason::Contention | Reason::OutcomeUnknown), "{error}"),
        }
    }
    assert!(newest_went_through);
    let newest = world.schedule("schedule-1").source_revision;
    let slots = world.index.slots_of(&world.schedule("schedule-1").id);
    assert!(slots.iter().all(|slot| slot.value.source_revision <= newest));
    assert!(slots.iter().all(|slot| u64::from(slot.value.capacity) == slot.value.source_revision));
}

/// Not a limit, a sentence in the output: what a publisher gets in-process in this build.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stdout, reason = "the figure is for whoever reads the test's output")]
async fn ten_thousand_slots_are_published_and_counted() {
    let world = World::new().await;
    let mut batches = Vec::new();
    for number in 0..20 {
        let mut rows = Vec::new();
        for schedule in 0..25 {
            let id = format!("schedule-{number}-{schedule}");
            world.add_schedule(&id).await;
            rows.extend(slots(&id, 20));
        }
        batches.push(batch(&format!("batch {number}"), 1, rows));
    }
    let stopwatch = Stopwatch::start();
    for batch in batches {
        world.service.publish(&Caller::local(), batch).await.unwrap();
    }
    let seconds = stopwatch.elapsed().as_secs_f64();
    assert_eq!(world.index.counts().slots, 10_000);
    println!("10,000 slots in {seconds:.3} s: {:.0} slots/s", 10_000.0 / seconds);
}
