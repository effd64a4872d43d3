//! Rows as properties: what was packed comes out again, in order.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, Specialty, Visibility, VisibilitySet};
use crate::domain::department::Department;
use crate::domain::id::{CaseId, ClaimId, PlaceId, ScheduleId, SlotId, SourceId};
use crate::domain::slot::{NewHold, Published};
use crate::domain::time::Window;

const NOON_MS: i64 = 1_795_431_600_000;

fn schedule_id() -> ScheduleId {
    ScheduleId::parse("agenda-1").unwrap()
}

fn traits(kind: usize) -> SlotTraits {
    let specialties = if kind.is_multiple_of(3) { vec![] } else { vec![Specialty::ALL[kind]] };
    SlotTraits {
        modalities: ModalitySet::of(&[if kind.is_multiple_of(2) { Modality::Amb } else { Modality::Vr }]),
        appointment_type: if kind > 7 { AppointmentType::Walkin } else { AppointmentType::Routine },
        visibilities: VisibilitySet::of(&[Visibility::Public]),
        specialties: SpecialtySet::of(&specialties),
        territories: vec![],
        motives: vec![],
        booking_url: format!("https://agenda.example/{kind}").into(),
    }
}

fn any_slot() -> impl Strategy<Value = (i64, i64, u16, usize, u64, u8)> {
    (0..300i64, 1..600i64, 1..4u16, 0..12usize, 1..5u64, 0..3u8)
}

fn slot(number: usize, facts: (i64, i64, u16, usize, u64, u8)) -> Versioned<Arc<Slot>> {
    let (start, minutes, capacity, kind, revision, holds) = facts;
    let at = |minute: i64| UtcInstant::from_ms(NOON_MS + minute * 60_000);
    let published = Published {
        // Identifiers of all lengths, some the beginning of others, some beyond ASCII.
        id: SlotId::parse(&format!("é{}", "x".repeat(number % 7)).repeat(1 + number / 7)).unwrap(),
        schedule_id: schedule_id(),
        window: Window::new(at(start), at(start + minutes)).unwrap(),
        capacity,
        traits: Arc::new(traits(kind)),
    };
    let mut slot = Slot::from_published(published, revision, at(-60));
    for hold in 0..u16::from(holds).min(capacity) {
        let new = NewHold {
            id: ClaimId::from_uuid(uuid::Uuid::from_u128(u128::from(hold) + 10 * number as u128)),
            case_id: CaseId::parse("dossier").unwrap(),
            regulator_id: None,
            expires_at: at(5 + i64::from(hold)),
        };
        slot = slot.hold(new, at(-1)).unwrap().slot;
    }
    if kind == 11 {
        slot = slot.withdraw(revision, at(0)).unwrap();
    }
    Versioned { version: revision + u64::from(holds), value: Arc::new(slot) }
}

fn offer() -> Offer {
    let schedule = Schedule {
        id: schedule_id(),
        source_id: SourceId::parse("test").unwrap(),
        place_id: PlaceId::parse("lieu-1").unwrap(),
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::of(&[Specialty::ALL[1]]),
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: "".into(),
        source_revision: 1,
        received_at: UtcInstant::from_ms(NOON_MS),
        first_published_at: None,
    };
    let place = Place {
        id: PlaceId::parse("lieu-1").unwrap(),
        name: "Cabinet".into(),
        address: "1 rue".into(),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune: None,
        department: Department::parse("69").unwrap(),
        position: None,
        zone: chrono_tz::Europe::Paris,
        structure: None,
        phone: None,
        needs_met: NeedSet::EMPTY,
        needs_unmet: NeedSet::EMPTY,
    };
    Offer::new(Arc::new(schedule), Arc::new(place), None, Arc::default())
}

proptest! {
    #[test]
    fn every_opening_is_of_the_practice_of_its_slot(all in prop::collection::vec(any_slot(), 0..40)) {
        let slots: Vec<_> = all.into_iter().enumerate().map(|(number, facts)| slot(number, facts)).collect();
        let offer = offer().with_slots(slots.iter().map(SlotView::of).collect());
        prop_assert_eq!(offer.row.openings().len(), slots.len());
        for (opening, slot) in offer.row.openings().iter().zip(offer.row.slots()) {
            prop_assert_eq!(offer.practice_of(opening.kind), &offer.practice_with(slot.traits));
        }
        prop_assert!(offer.without_slots().row.openings().is_empty());
    }

    #[test]
    fn a_row_gives_back_the_slots_it_was_made_of(all in prop::collection::vec(any_slot(), 0..40)) {
        let slots: Vec<_> = all.into_iter().enumerate().map(|(number, facts)| slot(number, facts)).collect();
        let row = Row::new(slots.iter().map(SlotView::of).collect(), None);
        // A row of a row's slots is the same row.
        let row = Row::new(row.slots().collect(), None);
        let mut sorted = slots.clone();
        sorted.sort_by_key(|slot| (slot.value.window.start_at(), slot.value.id.clone()));
        let unpacked: Vec<_> = row.slots().map(|slot| slot.to_slot(&schedule_id())).collect();
        prop_assert_eq!(&unpacked, &sorted);
        for (at, (slot, opening)) in sorted.iter().zip(row.openings()).enumerate() {
            let found = row.find(slot.value.id.as_str()).unwrap();
            prop_assert_eq!(&found.to_slot(&schedule_id()), slot);
            prop_assert_eq!(opening.start_at, slot.value.window.start_at());
            prop_assert_eq!(opening.end_at(), slot.value.window.end_at());
            prop_assert_eq!(opening.free_from(), slot.value.free_from());
            prop_assert_eq!(opening.kind.modalities(), slot.value.traits.modalities);
            prop_assert_eq!(opening.kind.appointment_type(), slot.value.traits.appointment_type);
            for (other_at, other) in sorted.iter().enumerate() {
                prop_assert_eq!(row.order_of_slots(at, &row, other_at), slot.value.id.cmp(&other.value.id));
            }
        }
        prop_assert!(row.find("é?").is_none());
    }
}
