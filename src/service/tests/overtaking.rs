//! A replacement that a batch overtakes, decided before the batch was written and appended after it: it must judge again.
//!
//! The batch is of the replacement's own revision and the schedule was heard lately, so that nothing but what the rows do
//! makes it write the schedule's record.

use super::world::*;
use crate::domain::id::{ScheduleId, SourceId};
use crate::domain::slot::{Published, SlotState};
use crate::service::*;

const REVISION: u64 = 7;

/// States `same` alone for the first six hours.
fn replacement() -> Replacement {
    Replacement {
        request_id: request("replace"),
        schedule_id: ScheduleId::parse("schedule-1").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: REVISION,
        window: window(0, 6 * 60),
        rows: vec![slot("same", "schedule-1", 60)],
        validate_only: false,
    }
}

/// `same` and `dropped` within the window, `evening` after it, `back` withdrawn.
async fn day() -> World {
    let world = World::new().await;
    let rows = [("same", 60), ("dropped", 90), ("back", 120), ("evening", 10 * 60)];
    let rows = rows.map(|(id, start)| slot(id, "schedule-1", start)).to_vec();
    world.publish("day", REVISION, rows).await;
    let withdrawal = Withdrawal {
        request_id: request("withdraw"),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: REVISION,
        slot_ids: vec![world.slot("back").id.clone()],
    };
    world.service.withdraw(&Caller::local(), withdrawal).await.unwrap();
    world
}

/// Replaces while the row is published between the replacement's decision and its append.
async fn overtaken_by(row: Published) -> (World, ReplaceOutcome) {
    let world = day().await;
    let (service, batch) = (world.service.clone(), batch("overtake", REVISION, vec![row]));
    world.ledger.overtake(async move {
        let rows = service.publish(&Caller::local(), batch).await.unwrap().value;
        assert!(rows[0].reason.is_none(), "{rows:?}");
    });
    let outcome = world.service.replace(&Caller::local(), replacement()).await.unwrap().value;
    (world, outcome)
}

#[tokio::test]
async fn a_slot_that_appears_before_a_replacement_does_not_outlive_it() {
    let table = [
        ("a new slot", slot("new", "schedule-1", 180)),
        ("a withdrawn slot that is opened again", slot("back", "schedule-1", 120)),
        ("a slot that is moved into the window", slot("evening", "schedule-1", 180)),
        ("a slot that is moved within it", slot("dropped", "schedule-1", 180)),
    ];
    for (what, row) in table {
        let id = row.id.clone();
        let (world, outcome) = overtaken_by(row).await;
        assert_eq!(world.slot(id.as_str()).state, SlotState::Withdrawn, "{what}");
        assert!(outcome.withdrawn.contains(&id), "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_slot_that_changes_before_a_replacement_is_as_the_replacement_states_it() {
    let row = Published { capacity: 9, ..slot("same", "schedule-1", 60) };
    let (world, outcome) = overtaken_by(row).await;
    assert_eq!(world.slot("same").capacity, 1);
    assert_eq!((outcome.changed.len(), outcome.unchanged_count), (1, 0), "{outcome:?}");
}

#[tokio::test]
async fn writers_that_only_alter_a_schedule_do_not_meet() {
    let world = day().await;
    let version = || world.index.schedule(&ScheduleId::parse("schedule-1").unwrap()).unwrap().version;
    let before = version();
    let other = Published { capacity: 3, ..slot("dropped", "schedule-1", 90) };
    let (service, batch) = (world.service.clone(), batch("overtake", REVISION, vec![other]));
    world.ledger.overtake(async move {
        service.publish(&Caller::local(), batch).await.unwrap();
    });
    world.ledger.take_sizes();
    world.publish("alter", REVISION, vec![Published { capacity: 2, ..slot("same", "schedule-1", 60) }]).await;
    assert_eq!(world.ledger.take_sizes(), [2, 2], "each was appended once");
    assert_eq!((world.slot("same").capacity, world.slot("dropped").capacity), (2, 3));
    assert_eq!(version(), before);
    world.publish("add", REVISION, vec![slot("new", "schedule-1", 180)]).await;
    assert_eq!(version(), before + 1, "a slot that appears is told to all who judge the schedule");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_large_batch_of_one_schedule_does_not_stand_in_its_own_way() {
    let world = World::new().await;
    let rows = world.publish("batch", 1, slots("schedule-1", 500)).await;
    assert!(rows.iter().all(|row| row.status == RowStatus::Created));
    assert_eq!(world.ledger.take_sizes(), [64, 64, 64, 64, 64, 64, 64, 60], "no append was repeated");
}
