//! What becomes of single rows.

use super::world::*;
use crate::domain::id::{ScheduleId, SourceId};
use crate::domain::slot::{Published, SlotState};
use crate::domain::violation::Violation;
use crate::service::*;

/// Publishes one row and returns its result.
async fn publish_one(world: &World, revision: u64, row: Published) -> RowOutcome {
    let request_id = format!("{revision} {row:?} {:?}", world.head());
    let digest: u32 = request_id.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    world.publish(&format!("publish {digest}"), revision, vec![row]).await.remove(0)
}

#[tokio::test]
async fn a_row_is_created_then_unchanged_then_updated() {
    let world = World::new().await;
    let row = slot("slot-1", "schedule-1", 60);
    assert_eq!(publish_one(&world, 1, row.clone()).await.status, RowStatus::Created);
    assert_eq!(publish_one(&world, 2, row.clone()).await.status, RowStatus::Unchanged);
    let moved = Published { window: window(90, 105), capacity: 3, ..row };
    assert_eq!(publish_one(&world, 3, moved.clone()).await.status, RowStatus::Updated);
    let slot = world.slot("slot-1");
    assert_eq!((slot.window, slot.capacity, slot.source_revision), (moved.window, 3, 3));
    assert_eq!(world.schedule("schedule-1").source_revision, 3);
}

#[tokio::test]
async fn every_refusal_has_its_reason_and_its_field() {
    let world = World::with_slot(2).await;
    world.book("one").await;
    world.book("two").await;
    let base = || Published { capacity: 2, ..slot("slot-1", "schedule-1", 60) };
    let table = [
        (slot("slot-2", "schedule-9", 60), Reason::UnknownSchedule, "rows[0].schedule_id"),
        (
            Published { schedule_id: ScheduleId::parse("schedule-2").unwrap(), ..base() },
            Reason::SlotIdInUse,
            "rows[0].slot_id",
        ),
        (Published { window: window(90, 105), ..base() }, Reason::SlotClaimed, "rows[0].window"),
        (Published { capacity: 1, ..base() }, Reason::CapacityBelowClaims, "rows[0].capacity"),
        (Published { capacity: 0, ..slot("slot-2", "schedule-1", 60) }, Reason::InvalidArgument, "rows[0].capacity"),
        (Published { capacity: 501, ..slot("slot-2", "schedule-1", 60) }, Reason::InvalidArgument, "rows[0].capacity"),
        (
            Published { window: window(60, 60 + 1_441), ..slot("slot-2", "schedule-1", 60) },
            Reason::InvalidArgument,
            "rows[0].window",
        ),
        (slot("slot-2", "schedule-1", -15), Reason::SlotPast, "rows[0].window.end_at"),
    ];
    for (row, reason, field) in table {
        let outcome = publish_one(&world, 2, row.clone()).await;
        assert_eq!((outcome.status, outcome.reason), (RowStatus::Refused, Some(reason)), "{row:?}");
        assert_eq!(outcome.field, field, "{row:?}");
        assert!(!outcome.message.is_empty());
    }
    assert_eq!(world.index.counts().slots, 1, "nothing was written");
    let day = Published { window: window(60, 60 + 1_440), ..slot("slot-2", "schedule-1", 60) };
    assert_eq!(publish_one(&world, 2, day).await.status, RowStatus::Created, "24 hours are allowed");
    let running = slot("slot-3", "schedule-1", -14);
    assert_eq!(publish_one(&world, 2, running).await.status, RowStatus::Created, "a slot that runs is allowed");
}

#[tokio::test]
async fn an_older_revision_is_refused_and_told_the_newer() {
    let world = World::new().await;
    publish_one(&world, 7, slot("slot-1", "schedule-1", 60)).await;
    let late = publish_one(&world, 6, slot("slot-2", "schedule-1", 90)).await;
    assert_eq!((late.reason, late.field.as_str()), (Some(Reason::StaleRevision), "source_revision"));
    assert!(late.message.contains('7') && late.message.contains('6'), "{}", late.message);
    assert_eq!(publish_one(&world, 6, slot("slot-3", "schedule-2", 90)).await.status, RowStatus::Created);
    assert_eq!(publish_one(&world, 7, slot("slot-2", "schedule-1", 90)).await.status, RowStatus::Created);
}

#[tokio::test]
async fn another_source_may_not_publish() {
    let world = World::new().await;
    let foreign = PublishBatch {
        source_id: SourceId::parse("another").unwrap(),
        ..batch("foreign", 1, vec![slot("slot-1", "schedule-1", 60)])
    };
    let rows = world.service.publish(&Caller::local(), foreign).await.unwrap().value;
    assert_eq!((rows[0].reason, rows[0].field.as_str()), (Some(Reason::SourceMismatch), "source_id"));
}

#[tokio::test]
async fn a_bad_row_never_takes_down_the_good_ones() {
    let world = World::new().await;
    let mut mixed = batch(
        "mixed",
        1,
        vec![
            slot("slot-1", "schedule-1", 60),
            slot("slot-1", "schedule-1", 90),
            slot("slot-2", "schedule-9", 60),
            slot("slot-3", "schedule-2", 60),
        ],
    );
    let warnings = vec![Violation::new("rows[5].practitioner_id", "the check digit is wrong")];
    let violations = vec![Violation::new("rows[4].window", "the window is empty")];
    mixed.rows.push(PublishRow::Refused { slot_id: "slot-4".to_owned(), violations });
    mixed.rows.push(PublishRow::Parsed { published: slot("slot-5", "schedule-1", 75), warnings: warnings.clone() });
    let rows = world.service.publish(&Caller::local(), mixed).await.unwrap().value;
    let said: Vec<_> = rows.iter().map(|row| (row.slot_id.as_str(), row.status, row.reason)).collect();
    assert_eq!(
        said,
        [
            ("slot-1", RowStatus::Created, None),
            ("slot-1", RowStatus::Refused, Some(Reason::DuplicateSlotId)),
            ("slot-2", RowStatus::Refused, Some(Reason::UnknownSchedule)),
            ("slot-3", RowStatus::Created, None),
            ("slot-4", RowStatus::Refused, Some(Reason::InvalidArgument)),
            ("slot-5", RowStatus::Created, None),
        ]
    );
    assert_eq!(rows[1].field, "rows[1].slot_id");
    assert!(rows[1].message.contains("row 0"));
    assert_eq!(rows[4].field, "rows[4].window");
    assert_eq!(rows[5].warnings, warnings);
    assert_eq!(world.slot("slot-1").window, window(60, 75));
}

#[tokio::test]
async fn a_withdrawn_slot_that_is_published_again_is_open() {
    let world = World::with_slot(1).await;
    let withdrawal = Withdrawal {
        request_id: request("withdraw"),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: 2,
        slot_ids: vec![world.slot("slot-1").id.clone()],
    };
    world.service.withdraw(&Caller::local(), withdrawal).await.unwrap();
    let again = publish_one(&world, 3, slot("slot-1", "schedule-1", 60)).await;
    assert_eq!((again.status, world.slot("slot-1").state), (RowStatus::Updated, SlotState::Open));
}

#[tokio::test]
async fn a_schedule_remembers_when_it_was_heard() {
    let world = World::new().await;
    let row = slot("slot-1", "schedule-1", 60);
    publish_one(&world, 1, row.clone()).await;
    let first_heard = world.schedule("schedule-1").received_at;
    world.advance_seconds(29);
    world.publish("lately", 1, vec![row.clone()]).await;
    assert_eq!(world.schedule("schedule-1").received_at, first_heard, "it was heard lately");
    world.advance_seconds(1);
    world.publish("later", 1, vec![row.clone()]).await;
    assert_eq!(world.schedule("schedule-1").received_at, world.now(), "an unchanged row is a word too");
    world.advance_seconds(1);
    world.publish("newer", 2, vec![row]).await;
    assert_eq!(world.schedule("schedule-1").received_at, world.now(), "the revision grew");
    let refused = slot("slot-1", "schedule-2", 60);
    let before = world.schedule("schedule-2");
    world.advance_seconds(60);
    world.publish("refused", 3, vec![refused]).await;
    assert_eq!(world.schedule("schedule-2"), before, "a refused row is no word");
}
