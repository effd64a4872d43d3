//! Withdrawing slots, and forgetting those that are over.

use super::world::*;
use crate::domain::id::{SlotId, SourceId};
use crate::domain::slot::{ClaimState, SlotState};
use crate::service::*;

fn withdrawal(request_id: &str, source_revision: u64, slot_ids: &[&str]) -> Withdrawal {
    Withdrawal {
        request_id: request(request_id),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision,
        slot_ids: slot_ids.iter().map(|id| SlotId::parse(id).unwrap()).collect(),
    }
}

#[tokio::test]
async fn bookings_on_a_withdrawn_slot_are_to_be_replaced() {
    let world = World::with_slot(3).await;
    let booked = world.book("one").await;
    let held = world.hold("hold").await.unwrap().value.claim.id;
    let done = world.service.withdraw(&Caller::local(), withdrawal("withdraw", 2, &["slot-1"])).await.unwrap();
    assert_eq!(statuses(&done.value.rows), [RowStatus::Updated]);
    let to_replace: Vec<_> = done.value.bookings_to_replace.iter().map(|view| (view.claim.id, view.state)).collect();
    assert_eq!(to_replace, [(booked, ClaimState::ToReplace)]);
    assert!(done.value.bookings_to_replace[0].offer.is_some());
    assert_eq!(world.service.get_booking(booked).unwrap().state, ClaimState::ToReplace);
    assert_eq!(world.slot("slot-1").state, SlotState::Withdrawn);
    assert_eq!(world.confirm("confirm", held).await.unwrap_err().reason, Reason::SlotWithdrawn);
    assert_eq!(world.hold("new").await.unwrap_err().reason, Reason::SlotWithdrawn);

    let again = world.service.withdraw(&Caller::local(), withdrawal("withdraw", 2, &["slot-1"])).await.unwrap();
    assert_eq!((again.replayed, &again.value.rows), (true, &done.value.rows));
    assert_eq!(again.value.bookings_to_replace.len(), 1);
    let twice = world.service.withdraw(&Caller::local(), withdrawal("twice", 2, &["slot-1"])).await.unwrap();
    assert_eq!(statuses(&twice.value.rows), [RowStatus::Unchanged]);
    assert_eq!(twice.value.bookings_to_replace.len(), 1);
    world.cancel("cancel", booked).await.unwrap();
    let later = world.service.withdraw(&Caller::local(), withdrawal("withdraw", 2, &["slot-1"])).await.unwrap();
    assert!(later.value.bookings_to_replace.is_empty(), "nobody is left to re-place");
}

#[tokio::test]
async fn every_slot_has_its_own_answer() {
    let world = World::with_slot(1).await;
    world.publish("two", 5, vec![slot("slot-2", "schedule-2", 60)]).await;
    let ids = ["slot-1", "slot-9", "slot-2", "slot-1"];
    let rows = world.service.withdraw(&Caller::local(), withdrawal("withdraw", 4, &ids)).await.unwrap().value.rows;
    let said: Vec<_> = rows.iter().map(|row| (row.status, row.reason, row.field.as_str())).collect();
    assert_eq!(
        said,
        [
            (RowStatus::Updated, None, ""),
            (RowStatus::Refused, Some(Reason::UnknownSlot), "slot_ids[1]"),
            (RowStatus::Refused, Some(Reason::StaleRevision), "source_revision"),
            (RowStatus::Refused, Some(Reason::DuplicateSlotId), "slot_ids[3]"),
        ]
    );
    assert_eq!(world.slot("slot-2").state, SlotState::Open);
    let foreign =
        Withdrawal { source_id: SourceId::parse("another").unwrap(), ..withdrawal("foreign", 9, &["slot-2"]) };
    let rows = world.service.withdraw(&Caller::local(), foreign).await.unwrap().value.rows;
    assert_eq!(rows[0].reason, Some(Reason::SourceMismatch));
    let many = Withdrawal { slot_ids: vec![SlotId::parse("slot-2").unwrap(); 301], ..withdrawal("many", 9, &[]) };
    assert_eq!(world.service.withdraw(&Caller::local(), many).await.unwrap_err().reason, Reason::TooManyRows);
}

#[tokio::test]
async fn a_purge_removes_only_slots_that_ended_a_day_ago() {
    let world = World::with_slot(1).await;
    let booked = world.book("one").await;
    world.publish("more", 1, vec![slot("later", "schedule-1", 75)]).await;
    world.advance_seconds((75 + 24 * 60) * 60);
    assert_eq!(world.service.purge_ended().await.unwrap(), 0, "it ended exactly a day ago");
    world.advance_seconds(1);
    assert_eq!(world.service.purge_ended().await.unwrap(), 1);
    assert_eq!(world.index.counts().slots, 1);
    assert_eq!(world.service.get_booking(booked).unwrap_err().reason, Reason::UnknownBooking);
    assert_eq!(world.service.purge_ended().await.unwrap(), 0);
    world.advance_seconds(15 * 60);
    assert_eq!(world.service.purge_ended().await.unwrap(), 1);
}

#[tokio::test]
async fn a_purge_needs_the_ledgers_clock_to_agree() {
    let world = World::with_slot(1).await;
    world.clock.advance_seconds(48 * 3_600);
    assert_eq!(world.service.purge_ended().await.unwrap_err().reason, Reason::LedgerUnavailable);
    assert_eq!(world.index.counts().slots, 1);
    world.ledger_clock.advance_seconds(48 * 3_600 - 1);
    assert_eq!(world.service.purge_ended().await.unwrap(), 1);
}
