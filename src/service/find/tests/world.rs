//! The small world of the tests: agendas around a patient in Vénissieux, on Monday 2026-11-23 at 10:00.

use std::sync::Arc;

use crate::domain::code::{AppointmentType, Modality, ModalitySet, Specialty, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule};
use crate::domain::emergency::{AccessRules, Capabilities, EmergencySite, EmergencySiteKind, WeeklyAccess};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{EmergencySiteId, PlaceId, PractitionerId, ScheduleId, SlotId, SourceId};
use crate::domain::patient::NeedSet;
use crate::domain::query::CareQueryDraft;
use crate::domain::record::{Body, Change, Position};
use crate::domain::slot::{Published, Slot, SlotTraits};
use crate::domain::time::{UtcInstant, Window};
use crate::index::Index;

/// Degrees of latitude of a kilometre.
pub(super) const KM: f64 = 1.0 / 111.195;

pub(super) fn at(text: &str) -> UtcInstant {
    UtcInstant::parse_rfc3339(&format!("2026-11-23T{text}:00+01:00")).unwrap()
}

pub(super) fn ten() -> UtcInstant {
    at("10:00")
}

pub(super) fn general() -> SpecialtySet {
    SpecialtySet::of(&["SM54", "SM53", "SM26"].map(|code| Specialty::parse(code).unwrap()))
}

/// One professional at one place with one slot, before it is put into the world.
#[derive(Clone)]
pub(super) struct Agenda {
    pub(super) place: Place,
    pub(super) practitioner: Practitioner,
    pub(super) schedule: Schedule,
    pub(super) slot: Slot,
}

/// A general practitioner some kilometres north with an appointment at a local time.
pub(super) fn agenda(name: &'static str, north_km: f64, start: &str, minutes: u32) -> Agenda {
    let practitioner_id = PractitionerId::parse(&format!("internal:{name}")).unwrap().value;
    let schedule_id = ScheduleId::parse(name).unwrap();
    let place = Place {
        id: PlaceId::parse(name).unwrap(),
        name: format!("Cabinet {name}").into(),
        address: "1 rue de la Paix".into(),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune: None,
        department: Department::parse("69").unwrap(),
        position: Some(GeoPoint::new(45.70 + north_km * KM, 4.88).unwrap()),
        zone: chrono_tz::Europe::Paris,
        structure: None,
        phone: None,
        needs_met: NeedSet::EMPTY,
        needs_unmet: NeedSet::EMPTY,
    };
    let practitioner = Practitioner {
        id: practitioner_id.clone(),
        family_name: name.into(),
        given_name: "".into(),
        profession: None,
        specialties: SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]),
        languages: vec![],
        phone: None,
    };
    let schedule = Schedule {
        id: schedule_id.clone(),
        source_id: SourceId::parse("test").unwrap(),
        place_id: place.id.clone(),
        practitioner_id: Some(practitioner_id),
        territories: vec![],
        specialties: SpecialtySet::EMPTY,
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: "".into(),
        source_revision: 1,
        received_at: at("09:58"),
        first_published_at: None,
    };
    let traits = SlotTraits {
        modalities: ModalitySet::of(&[Modality::Amb]),
        appointment_type: AppointmentType::Routine,
        visibilities: VisibilitySet::of(&[Visibility::Public]),
        specialties: SpecialtySet::EMPTY,
        territories: vec![],
        motives: vec![],
        booking_url: "".into(),
    };
    let published = Published {
        id: SlotId::parse(&format!("{name}/1")).unwrap(),
        schedule_id,
        window: Window::new(at(start), at(start).plus_minutes(minutes)).unwrap(),
        capacity: 1,
        traits: Arc::new(traits),
    };
    Agenda { place, practitioner, schedule, slot: Slot::from_published(published, 1, at("09:58")) }
}

impl Agenda {
    /// Puts it at a place that others share, and with a professional whom they share.
    pub(super) fn share_place(&mut self, shares_practitioner: bool) {
        let shared = agenda("shared", 1.0, "10:00", 15);
        self.schedule.place_id = shared.place.id.clone();
        self.place = shared.place;
        if shares_practitioner {
            self.schedule.practitioner_id = Some(shared.practitioner.id.clone());
            self.practitioner = shared.practitioner;
        }
    }

    pub(super) fn with(mut self, alter: impl FnOnce(&mut Self)) -> Self {
        alter(&mut self);
        self
    }

    pub(super) fn traits(mut self, alter: impl FnOnce(&mut SlotTraits)) -> Self {
        alter(Arc::make_mut(&mut self.slot.traits));
        self
    }
}

pub(super) fn world(agendas: &[Agenda], others: &[Body]) -> Index {
    let index = Index::new();
    let of_agenda = |agenda: &Agenda| {
        let Agenda { place, practitioner, schedule, slot } = agenda.clone();
        [
            Body::Place(Arc::new(place)),
            Body::Practitioner(Arc::new(practitioner)),
            Body::Schedule(Arc::new(schedule)),
            Body::Slot(Arc::new(slot)),
        ]
    };
    let bodies = agendas.iter().flat_map(of_agenda).chain(others.iter().cloned());
    let changes = (1..).zip(bodies).map(|(sequence, body)| Change {
        position: Position { partition: 0, epoch: 1, sequence },
        key: body.key(),
        version: 1,
        body: Some(body),
    });
    index.apply(&changes.collect::<Vec<_>>());
    index
}

pub(super) fn draft() -> CareQueryDraft {
    CareQueryDraft {
        position: GeoPoint::new(45.70, 4.88).ok(),
        department: Department::parse("69").ok(),
        needed_within_minutes: Some(120),
        specialties: general(),
        ..CareQueryDraft::default()
    }
}

pub(super) fn site(name: &str, kind: EmergencySiteKind, north_km: f64, weekly: Vec<WeeklyAccess>) -> Body {
    Body::EmergencySite(Arc::new(EmergencySite {
        id: EmergencySiteId::parse(name).unwrap(),
        name: name.into(),
        kind,
        position: GeoPoint::new(45.70 + north_km * KM, 4.88).unwrap(),
        structure: None,
        department: Department::parse("69").unwrap(),
        phone: None,
        zone: chrono_tz::Europe::Paris,
        rules: AccessRules { weekly, ..AccessRules::default() },
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    }))
}
