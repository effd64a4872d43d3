//! What matching sees of a schedule: facts resolved once, openings in order of start, and the judge that looks at them.
//!
//! The index keeps these and walks over them; the judge (in `routing`) knows the rules. Neither names the other: this is
//! the vocabulary between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::code::{AppointmentType, ModalitySet, Profession, ProfessionSet, SpecialtySet, VisibilitySet};
use super::directory::{PatientLimits, Place, Practitioner, Schedule};
use super::geo::EarthVector;
use super::id::{ScheduleId, SlotId, TerritoryId};
use super::patient::{Language, NeedSet};
use super::slot::{Slot, SlotTraits};
use super::time::UtcInstant;

/// A schedule with its place and professional, as matching sees it.
///
/// What the rules ask of every candidate stands here once more, side by side: looking it up in four records would cost
/// a query more than the rules themselves.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Where it is on Earth, when known.
    pub vector: Option<EarthVector>,
    /// Which patients are taken.
    pub limits: PatientLimits,
    /// Needs that the place is stated to meet.
    pub needs_met: NeedSet,
    /// Needs that the place is stated not to meet.
    pub needs_unmet: NeedSet,
    /// How far home visits go, in metres; absent for the policy's default.
    pub home_visit_radius_m: Option<u32>,
    /// When the source was last heard.
    pub received_at: UtcInstant,
    /// Specialties: the schedule's, else the practitioner's.
    pub specialties: SpecialtySet,
    /// Professions: of the practitioner and of the specialties.
    pub professions: ProfessionSet,
    /// The schedule.
    pub schedule: Arc<Schedule>,
    /// Where care is given.
    pub place: Arc<Place>,
    /// Who gives care, when known.
    pub practitioner: Option<Arc<Practitioner>>,
}

impl Offer {
    /// Resolves a schedule.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, place: Arc<Place>, practitioner: Option<Arc<Practitioner>>) -> Self {
        let specialties = match &practitioner {
            Some(practitioner) if schedule.specialties.is_empty() => practitioner.specialties,
            Some(_) | None => schedule.specialties,
        };
        let mut professions = professions_of(specialties);
        if let Some(profession) = practitioner.as_ref().and_then(|practitioner| practitioner.profession) {
            professions.insert(profession);
        }
        Self {
            vector: place.position.as_ref().map(EarthVector::from),
            limits: schedule.limits,
            needs_met: place.needs_met,
            needs_unmet: place.needs_unmet,
            home_visit_radius_m: schedule.home_visit_radius_m,
            received_at: schedule.received_at,
            specialties,
            professions,
            schedule,
            place,
            practitioner,
        }
    }

    /// Languages that are spoken; empty when nobody said.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        self.practitioner.as_ref().map_or(&[], |practitioner| &practitioner.languages)
    }
}

/// The professions to which specialties belong.
fn professions_of(specialties: SpecialtySet) -> ProfessionSet {
    let mut professions = ProfessionSet::EMPTY;
    for specialty in specialties.iter() {
        professions.insert(specialty.profession());
    }
    professions
}

/// What several openings of a schedule share.
#[derive(Clone, PartialEq, Debug)]
pub struct OpeningKind {
    /// How care may be given.
    pub modalities: ModalitySet,
    /// With or without appointment.
    pub appointment_type: AppointmentType,
    /// Who may see it.
    pub visibilities: VisibilitySet,
    /// Specialties: the slot's, else the offer's; empty when nobody said.
    pub specialties: SpecialtySet,
    /// Professions of those specialties and of the practitioner.
    pub professions: ProfessionSet,
    /// Territories: the slot's, else the schedule's.
    pub territories: Arc<[TerritoryId]>,
}

impl OpeningKind {
    /// The kind of a slot with these traits in this offer.
    #[must_use]
    pub fn new(traits: &SlotTraits, offer: &Offer) -> Self {
        let own = !traits.specialties.is_empty();
        let territories = if traits.territories.is_empty() { &offer.schedule.territories } else { &traits.territories };
        Self {
            modalities: traits.modalities,
            appointment_type: traits.appointment_type,
            visibilities: traits.visibilities,
            specialties: if own { traits.specialties } else { offer.specialties },
            professions: if own { professions_of(traits.specialties) } else { offer.professions },
            territories: territories.as_slice().into(),
        }
    }

    /// Whether nobody said what is offered, so that general practice is a fair guess.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        let doctors = ProfessionSet::of(&[Profession::DOCTOR]);
        self.specialties.is_empty() && (self.professions.is_empty() || self.professions == doctors)
    }
}

/// A slot as matching sees it.
#[derive(Debug)]
pub struct Opening {
    /// First instant.
    pub start_at: UtcInstant,
    /// First instant after it.
    pub end_at: UtcInstant,
    /// Index of its kind in the row.
    pub kind: u16,
    free_from_ms: AtomicI64,
}

impl Opening {
    /// The opening of a slot whose kind has this index.
    #[must_use]
    pub fn new(slot: &Slot, kind: u16) -> Self {
        Self {
            start_at: slot.window.start_at(),
            end_at: slot.window.end_at(),
            kind,
            free_from_ms: AtomicI64::new(slot.free_from().ms()),
        }
    }

    /// First instant from which a unit is free; see [`Slot::free_from`].
    #[must_use]
    pub fn free_from(&self) -> UtcInstant {
        UtcInstant::from_ms(self.free_from_ms.load(Ordering::Relaxed))
    }

    /// Takes over what became of the slot's claims.
    pub fn set_free_from(&self, at: UtcInstant) {
        self.free_from_ms.store(at.ms(), Ordering::Relaxed);
    }
}

impl Clone for Opening {
    fn clone(&self) -> Self {
        Self {
            start_at: self.start_at,
            end_at: self.end_at,
            kind: self.kind,
            free_from_ms: AtomicI64::new(self.free_from_ms.load(Ordering::Relaxed)),
        }
    }
}

/// Openings up to which a row is walked from its start: memory that comes in order is sooner there than half as much
/// that does not.
const SHORT_ROW: usize = 48;

/// The openings of a schedule, in order of start, then identifier.
#[derive(Clone, Default, Debug)]
pub struct Row {
    /// The kinds that occur.
    pub kinds: Box<[OpeningKind]>,
    /// The openings.
    pub openings: Box<[Opening]>,
    /// The slots' identifiers, in the same order.
    pub slot_ids: Box<[SlotId]>,
    /// Length of the longest opening, in milliseconds.
    pub longest_ms: i64,
}

impl Row {
    /// Index of the first opening that may still run at an instant.
    #[must_use]
    pub fn first_running_at(&self, at: UtcInstant) -> usize {
        let from = at.plus_ms(-self.longest_ms);
        if self.openings.len() > SHORT_ROW {
            return self.openings.partition_point(|opening| opening.start_at < from);
        }
        self.openings.iter().take_while(|opening| opening.start_at < from).count()
    }
}

/// A schedule that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The schedule.
    pub offer: &'a Arc<Offer>,
    /// Its openings.
    pub row: &'a Row,
    /// Straight line to the patient in metres; absent when either position is unknown.
    pub distance_m: Option<u32>,
}

/// Looks at candidates, and says what it would cost them to matter.
///
/// A cost is whatever the judge orders by; bounds must never be above what [`Self::judge`] would find.
pub trait Judge {
    /// The earliest instant at which care could begin at this distance, by a schedule that may offer home visits or not.
    fn earliest_at(&self, distance_m: u32, home_visits: bool) -> UtcInstant;

    /// The least cost of care at this distance that begins at this instant.
    fn least_cost(&self, distance_m: u32, care_begins_at: UtcInstant) -> u32;

    /// The least cost of teleconsultation that begins at this instant, offered by these territories, or by the most
    /// preferred ones when not given.
    fn least_remote_cost(&self, care_begins_at: UtcInstant, territories: Option<&[TerritoryId]>) -> u32;

    /// The cost above which nothing matters any more; it only sinks.
    fn bound(&self) -> u32;

    /// Whether a schedule whose least cost is the bound itself could still matter.
    fn admits_at_bound(&self, id: &ScheduleId) -> bool;

    /// Looks at a candidate.
    fn judge(&mut self, candidate: Candidate<'_>);
}
