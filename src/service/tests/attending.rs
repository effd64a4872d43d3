//! What a booking means for its case once it is known what became of it.

use super::world::*;
use crate::domain::code::AppointmentType;
use crate::domain::id::{CaseId, ClaimId, RequestId, SlotId, SourceId};
use crate::domain::slot::{AttendanceKind, ClaimState, Published, SlotTraits};
use crate::service::*;

/// A walk-in window that is open for hours, and a slot in two hours.
async fn town() -> World {
    let world = World::new().await;
    let window_row = Published { window: window(0, 540), capacity: 9, ..slot("slot-1", "schedule-1", 0) };
    let traits = SlotTraits { appointment_type: AppointmentType::Walkin, ..(*window_row.traits).clone() };
    let open = Published { traits: traits.into(), ..window_row };
    world.publish("slots", 1, vec![open, slot("later", "schedule-2", 120)]).await;
    world
}

fn hold_for(request_id: &str, slot_id: &str) -> HoldRequest {
    HoldRequest {
        slot_id: SlotId::parse(slot_id).unwrap(),
        case_id: CaseId::parse("dossier-1").unwrap(),
        ..hold_request(request_id)
    }
}

async fn booked(world: &World, name: &str, slot_id: &str) -> Result<ClaimId, Error> {
    let held = world.service.hold(&Caller::local(), hold_for(&format!("hold {name}"), slot_id)).await?;
    let id = held.value.claim.id;
    world.confirm(&format!("confirm {name}"), id).await.map(|_| id)
}

async fn attend(world: &World, name: &str, id: ClaimId, kind: AttendanceKind) -> Result<Done<Attended>, Error> {
    world.service.record_attendance(&Caller::local(), request(name), id, kind).await
}

fn live_booking(world: &World) -> Option<ClaimId> {
    let case = world.index.case(&CaseId::parse("dossier-1").unwrap()).unwrap().value;
    case.live_booking(world.now()).map(|booking| booking.claim_id)
}

#[tokio::test]
async fn a_case_is_free_once_it_is_known_what_became_of_its_booking() {
    for (kind, name) in [(AttendanceKind::Seen, "seen"), (AttendanceKind::NoShow, "absent")] {
        let world = town().await;
        let first = booked(&world, "first", "slot-1").await.unwrap();
        world.advance_seconds(1_800);
        assert_eq!(booked(&world, "early", "later").await.unwrap_err().reason, Reason::CaseBooked);
        world.ledger.take_sizes();
        attend(&world, name, first, kind).await.unwrap();
        assert_eq!(world.ledger.take_sizes(), [2], "the slot and the case, in one append");
        assert_eq!(live_booking(&world), None);
        let second = booked(&world, "second", "later").await.unwrap();

        attend(&world, "corrected", first, AttendanceKind::Late).await.unwrap();
        assert_eq!(live_booking(&world), Some(second), "a correction leaves the newer booking alone");
        assert_eq!(world.slot("slot-1").claim(first).unwrap().state, ClaimState::Booked);
    }
}

#[tokio::test]
async fn a_no_show_is_rebooked_unless_the_case_has_another_booking() {
    let world = town().await;
    let first = booked(&world, "first", "slot-1").await.unwrap();
    world.advance_seconds(1_800);
    attend(&world, "absent", first, AttendanceKind::NoShow).await.unwrap();
    let rebook = |request_id: &str| RebookRequest {
        request_id: request(request_id),
        booking_id: first,
        target: RebookTarget::Slot(SlotId::parse("later").unwrap()),
        query: None,
        regulator_id: None,
        cancel_reason: String::new(),
        authority: Authority::default(),
    };
    let done = world.service.rebook(&Caller::local(), rebook("r1")).await.unwrap().value;
    assert_eq!(live_booking(&world), Some(done.booked.claim.id));
    world.cancel("x", done.booked.claim.id).await.unwrap();
    let other = booked(&world, "other", "slot-1").await.unwrap();
    attend(&world, "seen after all", first, AttendanceKind::Seen).await.unwrap();
    assert_eq!(live_booking(&world), Some(other));
    let again = world.service.rebook(&Caller::local(), rebook("r2")).await.unwrap_err();
    assert_eq!(again.reason, Reason::BookingCancelled);
}

#[tokio::test]
async fn what_is_withdrawn_is_to_be_re_placed_only_where_nobody_knows_what_became_of_it() {
    let world = town().await;
    let first = booked(&world, "first", "slot-1").await.unwrap();
    let second = world.book("second").await;
    world.advance_seconds(1_800);
    attend(&world, "seen", first, AttendanceKind::Seen).await.unwrap();
    let withdrawal = Withdrawal {
        request_id: RequestId::parse("w").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision: 2,
        slot_ids: vec![SlotId::parse("slot-1").unwrap()],
    };
    let done = world.service.withdraw(&Caller::local(), withdrawal).await.unwrap().value;
    let to_replace: Vec<_> = done.bookings_to_replace.iter().map(|booking| booking.claim.id).collect();
    assert_eq!(to_replace, [second]);
}
