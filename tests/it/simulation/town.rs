//! What every simulated run begins with: one place, one schedule, a few slots.

use std::sync::Arc;

use sas_router::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use sas_router::domain::department::Department;
use sas_router::domain::directory::{PatientLimits, Place, Schedule};
use sas_router::domain::id::{PlaceId, ScheduleId, SlotId, SourceId};
use sas_router::domain::patient::NeedSet;
use sas_router::domain::record::Body;
use sas_router::domain::slot::{Published, Slot, SlotTraits};
use sas_router::domain::time::{UtcInstant, Window};
use sas_router::ledger::{Append, Entry};

/// Patients that each slot takes.
pub(super) const CAPACITIES: [u16; 3] = [1, 1, 2];

pub(super) fn slot_id(number: usize) -> SlotId {
    SlotId::parse(&format!("slot-{number}")).unwrap()
}

/// The directory and the slots, in one append.
pub(super) fn append(now: UtcInstant) -> Append {
    let mut bodies = vec![Body::Place(Arc::new(place())), Body::Schedule(Arc::new(schedule(now)))];
    bodies.extend((0..CAPACITIES.len()).map(|number| Body::Slot(Arc::new(slot(number, now)))));
    Append { entries: bodies.into_iter().map(|body| Entry::put(body, 0)).collect(), request: None }
}

fn slot(number: usize, now: UtcInstant) -> Slot {
    let start_at = now.plus_seconds(86_400);
    let published = Published {
        id: slot_id(number),
        schedule_id: ScheduleId::parse("schedule").unwrap(),
        window: Window::new(start_at, start_at.plus_seconds(900)).unwrap(),
        capacity: CAPACITIES[number],
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        }),
    };
    Slot::from_published(published, 1, now)
}

fn place() -> Place {
    let department = Department::parse("69").unwrap();
    Place {
        id: PlaceId::parse("place").unwrap(),
        name: Arc::from("Maison de santé"),
        address: Arc::from("1 rue de la Gare"),
        postal_code: Arc::from("69200"),
        city: Arc::from("Vénissieux"),
        commune: None,
        department,
        position: None,
        zone: department.zone(),
        structure: None,
        phone: None,
        needs_met: NeedSet::default(),
        needs_unmet: NeedSet::default(),
    }
}

fn schedule(now: UtcInstant) -> Schedule {
    Schedule {
        id: ScheduleId::parse("schedule").unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        place_id: PlaceId::parse("place").unwrap(),
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::EMPTY,
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: Arc::from(""),
        source_revision: 0,
        received_at: now,
        first_published_at: None,
    }
}
