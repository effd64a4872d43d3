//! What is kept of a case, as facts and as properties.

use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::id::ScheduleId;
use crate::domain::slot::{Published, SlotTraits};
use crate::domain::time::Window;

fn at(minutes: i64) -> UtcInstant {
    UtcInstant::from_ms(1_800_000_000_000).plus_ms(minutes * 60_000)
}

fn slot(number: u32, end_minutes: i64) -> Slot {
    let traits = SlotTraits {
        modalities: ModalitySet::of(&[Modality::Amb]),
        appointment_type: AppointmentType::Routine,
        visibilities: VisibilitySet::of(&[Visibility::Public]),
        specialties: SpecialtySet::EMPTY,
        territories: vec![],
        motives: vec![],
        booking_url: Arc::from(""),
    };
    let published = Published {
        id: SlotId::parse(&format!("slot-{number}")).unwrap(),
        schedule_id: ScheduleId::parse("schedule-1").unwrap(),
        window: Window::new(at(end_minutes - 15), at(end_minutes)).unwrap(),
        capacity: 1,
        traits: Arc::new(traits),
    };
    Slot::from_published(published, 1, at(0))
}

fn claim(number: u128) -> ClaimId {
    ClaimId::from_uuid(Uuid::from_u128(number))
}

fn case() -> Case {
    Case::new(CaseId::parse("dossier-1").unwrap())
}

#[test]
fn a_booking_lives_until_its_slot_is_over() {
    let booked = case().booked(claim(1), &slot(1, 60));
    let refused = booked.check_free(None, at(59)).unwrap_err();
    assert_eq!(refused.booking.claim_id, claim(1));
    assert!(refused.to_string().contains(&claim(1).to_string()), "{refused}");
    assert_eq!(booked.check_free(None, at(60)), Ok(Some(at(60))), "the ledger's clock must agree that it is over");
    assert_eq!((booked.live_booking(at(59)).is_some(), booked.live_booking(at(60))), (true, None));
}

#[test]
fn the_booking_that_is_replaced_does_not_stand_in_the_way() {
    let booked = case().booked(claim(1), &slot(1, 60));
    assert_eq!(booked.check_free(Some(claim(1)), at(0)), Ok(None));
    assert!(booked.check_free(Some(claim(2)), at(0)).is_err());
}

#[test]
fn a_case_is_freed_by_its_own_booking_only() {
    let booked = case().booked(claim(1), &slot(1, 60));
    assert_eq!(booked.freed(claim(2)), None);
    let freed = booked.freed(claim(1)).unwrap();
    assert_eq!((freed.check_free(None, at(0)), freed.ends_at), (Ok(None), at(60)));
}

#[test]
fn a_case_ends_with_the_last_of_its_slots() {
    let booked = case().booked(claim(1), &slot(1, 90)).booked(claim(2), &slot(2, 60));
    assert_eq!((booked.ends_at, booked.booking.unwrap().claim_id), (at(90), claim(2)));
}

fn refusal(schedule: &str, reason: RefusalReason, minutes: i64) -> Refusal {
    Refusal {
        slot_id: SlotId::parse("slot-1").unwrap(),
        schedule_id: ScheduleId::parse(schedule).unwrap(),
        practitioner_id: None,
        reason,
        refused_at: at(minutes),
        regulator_id: None,
    }
}

#[test]
fn a_refusal_is_kept_once_for_each_schedule_and_reason() {
    let twice = case().refused(refusal("a", RefusalReason::Declined, 1), at(60));
    let twice = twice.refused(refusal("a", RefusalReason::Declined, 2), at(30));
    assert_eq!((twice.refusals.len(), twice.refusals[0].refused_at, twice.ends_at), (1, at(2), at(60)));
    let more = twice.refused(refusal("b", RefusalReason::Declined, 3), at(90));
    let more = more.refused(refusal("a", RefusalReason::CouldNotContact, 4), at(60));
    assert_eq!((more.refusals.len(), more.ends_at), (3, at(90)));
}

#[test]
fn every_reason_of_a_refusal_has_a_code_of_its_own() {
    for reason in RefusalReason::ALL {
        assert_eq!(RefusalReason::parse(reason.code()), Some(reason));
    }
    assert_eq!(RefusalReason::parse("BORED"), None);
}

proptest! {
    #[test]
    fn a_case_never_has_two_live_bookings(steps in prop::collection::vec((0u8..3, 1u128..6, 15i64..200, 0i64..40), 1..60)) {
        let (mut current, mut now) = (case(), 0);
        let mut standing: Vec<(ClaimId, UtcInstant)> = Vec::new();
        for (step, number, end_minutes, wait_minutes) in steps {
            now += wait_minutes;
            let (id, slot) = (claim(number), slot(1, now + end_minutes));
            match step {
                0 => if let Ok(guard) = current.check_free(None, at(now)) {
                    prop_assert!(guard.is_none_or(|guard| guard <= at(now)));
                    current = current.booked(id, &slot);
                    standing.push((id, slot.window.end_at()));
                },
                1 => if let Some(freed) = current.freed(id) {
                    current = freed;
                    standing.retain(|(standing, _)| *standing != id);
                },
                _ => if current.check_free(Some(id), at(now)).is_ok() {
                    standing.retain(|(standing, _)| *standing != id);
                    current = current.booked(claim(number + 100), &slot);
                    standing.push((claim(number + 100), slot.window.end_at()));
                },
            }
            let live: Vec<_> = standing.iter().filter(|(_, ends_at)| at(now) < *ends_at).map(|(id, _)| *id).collect();
            prop_assert!(live.len() <= 1, "{live:?}");
            prop_assert_eq!(current.live_booking(at(now)).map(|booking| booking.claim_id), live.first().copied());
        }
    }
}
