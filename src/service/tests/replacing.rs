//! Replacing a schedule: the difference, who stays, whole or not at all.

use super::world::*;
use crate::domain::id::{ScheduleId, SlotId, SourceId};
use crate::domain::slot::{ClaimState, Published, SlotState};
use crate::ledger::Unavailable;
use crate::service::*;

fn replacement(request_id: &str, source_revision: u64, rows: Vec<Published>) -> Replacement {
    Replacement {
        request_id: request(request_id),
        schedule_id: ScheduleId::parse("schedule-1").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision,
        window: window(0, 24 * 60),
        rows,
        validate_only: false,
    }
}

fn ids(ids: &[SlotId]) -> Vec<&str> {
    ids.iter().map(SlotId::as_str).collect()
}

/// `slot-1` booked at 60 minutes, and `same`, `moved`, `dropped` beside it.
async fn day() -> World {
    let world = World::with_slot(1).await;
    world.book("one").await;
    let others = vec![
        slot("same", "schedule-1", 90),
        slot("moved", "schedule-1", 120),
        slot("dropped", "schedule-1", 150),
        slot("tomorrow", "schedule-1", 25 * 60),
        slot("elsewhere", "schedule-2", 90),
    ];
    world.publish("day", 1, others).await;
    world.ledger.take_sizes();
    world
}

fn next_day() -> Vec<Published> {
    vec![slot("same", "schedule-1", 90), slot("moved", "schedule-1", 135), slot("new", "schedule-1", 180)]
}

#[tokio::test]
async fn the_difference_is_told_and_made_in_one_append() {
    let world = day().await;
    let done = world.service.replace(&Caller::local(), replacement("replace", 2, next_day())).await.unwrap();
    let outcome = &done.value;
    assert_eq!(ids(&outcome.added), ["new"]);
    assert_eq!(ids(&outcome.changed), ["moved"]);
    assert_eq!(ids(&outcome.withdrawn), ["dropped"]);
    assert_eq!((outcome.unchanged_count, outcome.applied), (1, true));
    assert_eq!(outcome.kept.len(), 1);
    let kept = &outcome.kept[0];
    assert_eq!((kept.slot_id.as_str(), kept.booked_count, kept.held_count), ("slot-1", 1, 0));
    assert_eq!(kept.case_ids[0].as_str(), "dossier of hold one");
    assert_eq!(
        world.ledger.take_sizes(),
        [6],
        "three changed slots, the kept one, the one that is the same, the schedule"
    );
    assert_eq!(world.slot("slot-1").state, SlotState::Closed);
    assert_eq!(world.slot("slot-1").claims[0].state, ClaimState::Booked);
    assert_eq!(world.slot("dropped").state, SlotState::Withdrawn);
    assert_eq!(world.slot("moved").window, window(135, 150));
    assert_eq!(world.slot("tomorrow").state, SlotState::Open, "it starts outside the window");
    assert_eq!(world.slot("elsewhere").state, SlotState::Open, "it is another schedule's");
    assert_eq!(world.schedule("schedule-1").source_revision, 2);

    let again = world.service.replace(&Caller::local(), replacement("replace", 2, next_day())).await.unwrap();
    assert_eq!((again.replayed, again.value), (true, done.value));
    let repeated = world.service.replace(&Caller::local(), replacement("repeat", 3, next_day())).await.unwrap().value;
    assert_eq!((repeated.unchanged_count, repeated.kept.len()), (3, 1));
    assert!(repeated.added.is_empty() && repeated.changed.is_empty() && repeated.withdrawn.is_empty());
}

#[tokio::test]
async fn a_preview_changes_nothing() {
    let world = day().await;
    let position = world.head();
    let preview = Replacement { validate_only: true, ..replacement("replace", 2, next_day()) };
    let told = world.service.replace(&Caller::local(), preview).await.unwrap().value;
    assert_eq!((ids(&told.withdrawn), told.applied), (vec!["dropped"], false));
    assert_eq!((world.head(), world.ledger.take_sizes()), (position, vec![]));
    let applied = world.service.replace(&Caller::local(), replacement("replace", 2, next_day())).await.unwrap().value;
    assert_eq!(applied, ReplaceOutcome { applied: true, ..told });
}

#[tokio::test]
async fn a_slot_that_patients_rely_on_is_neither_moved_nor_shrunk() {
    let world = World::with_slot(2).await;
    world.book("one").await;
    world.hold("hold").await.unwrap();
    let base = Published { capacity: 2, ..slot("slot-1", "schedule-1", 60) };
    let table = [Published { window: window(90, 105), ..base.clone() }, Published { capacity: 1, ..base.clone() }];
    for (number, row) in table.into_iter().enumerate() {
        let revision = u64::try_from(number).unwrap() + 2;
        let name = format!("replace {number}");
        let done = world.service.replace(&Caller::local(), replacement(&name, revision, vec![row])).await.unwrap();
        assert_eq!((done.value.kept[0].booked_count, done.value.kept[0].held_count), (1, 1));
        let slot = world.slot("slot-1");
        assert_eq!((slot.window, slot.capacity, slot.state), (base.window, 2, SlotState::Closed));
    }
    let error = world.hold("closed").await.unwrap_err();
    assert_eq!(error.reason, Reason::SlotWithdrawn);
}

#[tokio::test]
async fn one_wrong_row_refuses_all_and_every_wrong_row_is_named() {
    let world = day().await;
    let position = world.head();
    let wrong = vec![
        slot("new", "schedule-1", 180),
        slot("new", "schedule-1", 195),
        slot("other", "schedule-2", 180),
        slot("outside", "schedule-1", 25 * 60),
        Published { capacity: 0, ..slot("empty", "schedule-1", 180) },
    ];
    let error = world.service.replace(&Caller::local(), replacement("wrong", 2, wrong)).await.unwrap_err();
    assert_eq!(error.reason, Reason::InvalidArgument);
    let fields: Vec<_> = error.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["rows[1].slot_id", "rows[2].schedule_id", "rows[3].window.start_at", "rows[4].capacity"]);

    let in_use = vec![slot("new", "schedule-1", 180), slot("elsewhere", "schedule-1", 195)];
    let error = world.service.replace(&Caller::local(), replacement("in use", 2, in_use)).await.unwrap_err();
    assert_eq!((error.reason, error.violations[0].field.as_str()), (Reason::SlotIdInUse, "rows[1].slot_id"));
    let stale = world.service.replace(&Caller::local(), replacement("stale", 0, next_day())).await.unwrap_err();
    assert_eq!(stale.reason, Reason::StaleRevision);
    let long = Replacement { window: window(0, 7 * 24 * 60 + 1), ..replacement("long", 2, next_day()) };
    assert_eq!(world.service.replace(&Caller::local(), long).await.unwrap_err().reason, Reason::InvalidArgument);
    let foreign =
        Replacement { source_id: SourceId::parse("another").unwrap(), ..replacement("foreign", 2, next_day()) };
    assert_eq!(world.service.replace(&Caller::local(), foreign).await.unwrap_err().reason, Reason::SourceMismatch);
    let many = replacement("many", 2, slots("schedule-1", 301));
    assert_eq!(world.service.replace(&Caller::local(), many).await.unwrap_err().reason, Reason::TooManyRows);
    assert_eq!(world.head(), position, "nothing was written");

    world.ledger.fail(|_| Some(Unavailable::Refused("the disk is full".to_owned())));
    let error = world.service.replace(&Caller::local(), replacement("full", 2, next_day())).await.unwrap_err();
    assert_eq!((error.reason, world.head()), (Reason::LedgerUnavailable, position));
}

#[tokio::test]
async fn slots_that_are_over_are_left_alone() {
    let world = day().await;
    world.advance_seconds(110 * 60);
    let stated_again = vec![slot("same", "schedule-1", 90), slot("moved", "schedule-1", 120)];
    let done = world.service.replace(&Caller::local(), replacement("replace", 2, stated_again)).await.unwrap();
    assert_eq!((done.value.unchanged_count, ids(&done.value.withdrawn)), (2, vec!["dropped"]));
    assert_eq!(world.slot("slot-1").state, SlotState::Open, "the booked slot is over");
    let new = vec![slot("new", "schedule-1", 30)];
    let error = world.service.replace(&Caller::local(), replacement("past", 3, new)).await.unwrap_err();
    assert_eq!(error.violations[0].field, "rows[0].window.end_at");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_older_outlives_a_replacement_that_races_it() {
    for run in 0..30 {
        let world = World::new().await;
        let (one, other) = (world.service.clone(), world.service.clone());
        let rows = vec![slot("old", "schedule-1", 90)];
        let publish = world.tasks.spawn(async move { one.publish(&Caller::local(), batch("publish", 1, rows)).await });
        let rows = vec![slot("new", "schedule-1", 90)];
        let replace =
            world.tasks.spawn(async move { other.replace(&Caller::local(), replacement("replace", 2, rows)).await });
        publish.await.unwrap().unwrap();
        replace.await.unwrap().unwrap();
        let old = world.index.slot(&SlotId::parse("old").unwrap());
        assert!(old.is_none_or(|old| old.value.state == SlotState::Withdrawn), "run {run}");
    }
}
