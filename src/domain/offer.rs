//! What matching sees of a schedule: facts resolved once, openings in order of start, and the judge that looks at them.
//!
//! The index keeps these and walks over them; the judge (in `routing`) knows the rules. Neither names the other: this is
//! the vocabulary between them.

mod judge;
mod name;
mod packed;
mod row;

use std::hash::BuildHasher as _;
use std::sync::Arc;

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::code::{Profession, ProfessionSet, SpecialtySet};
use super::directory::{PatientLimits, Place, Practitioner, Schedule};
use super::geo::EarthVector;
use super::id::TerritoryId;
use super::patient::{Language, NeedSet};
use super::record::Versioned;
use super::share::Share;
use super::slot::{Slot, SlotTraits};
use super::source::{Confidence, Fading, Pulse};
use super::time::UtcInstant;

pub use judge::{Candidate, CareWays, Judge};
pub use name::SlotName;
pub use packed::{SlotView, Statement};
pub use row::{Opening, OpeningKind, Row};

/// Territories of an opening: mostly one, rarely more than two.
pub type Territories = SmallVec<[TerritoryId; 2]>;

/// One of 64 bits for each of these territories: what has none of the bits of others has none of the others.
#[must_use]
#[inline]
pub fn territory_bits(territories: &[TerritoryId]) -> u64 {
    territories.iter().fold(0, |bits, one| bits | 1 << (FxBuildHasher.hash_one(one) >> 58))
}

/// A schedule with its place, professional and openings, as matching sees it.
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
    /// When the source last stated it.
    pub received_at: UtcInstant,
    /// When the source was last heard at all.
    pub pulse: Arc<Pulse>,
    /// When those who share patients there were last chosen: the professional's, over all schedules, else its own.
    pub share: Arc<Share>,
    /// In how many of the last day's cases nobody could be contacted.
    pub contact_failures: u32,
    /// The openings.
    pub row: Row,
    /// In what and for which territories openings are that do not say otherwise.
    pub practice: Practice,
    /// The schedule.
    pub schedule: Arc<Schedule>,
    /// Where care is given.
    pub place: Arc<Place>,
    /// Who gives care, when known.
    pub practitioner: Option<Arc<Practitioner>>,
}

impl Offer {
    /// Resolves a schedule, without openings yet.
    #[must_use]
    pub fn new(
        schedule: Arc<Schedule>,
        place: Arc<Place>,
        practitioner: Option<Arc<Practitioner>>,
        pulse: Arc<Pulse>,
    ) -> Self {
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
            pulse,
            share: Arc::default(),
            contact_failures: 0,
            row: Row::default(),
            practice: Practice { specialties, professions, territories: Territories::from(&*schedule.territories) },
            schedule,
            place,
            practitioner,
        }
    }

    /// The same schedule with these slots, in any order, for its openings.
    #[must_use]
    pub fn with_slots(mut self, slots: Vec<SlotView<'_>>) -> Self {
        self.row = Row::new(slots, Some(&self));
        self
    }

    /// The same schedule with a row that was made before it was resolved.
    #[must_use]
    pub fn with_row(mut self, row: Row) -> Self {
        self.row = row.resolved(&self);
        self
    }

    /// The same schedule without openings.
    #[must_use]
    pub fn without_slots(&self) -> Self {
        Self {
            row: Row::default(),
            practice: self.practice.clone(),
            schedule: Arc::clone(&self.schedule),
            place: Arc::clone(&self.place),
            practitioner: self.practitioner.clone(),
            pulse: Arc::clone(&self.pulse),
            share: Arc::clone(&self.share),
            ..*self
        }
    }

    /// When the source was last heard of it.
    #[must_use]
    #[inline]
    pub fn heard_at(&self) -> UtcInstant {
        self.pulse.heard_at(self.received_at)
    }

    /// How far it is believed at an instant.
    #[must_use]
    #[inline]
    pub fn confidence(&self, now: UtcInstant, fading: &Fading) -> Confidence {
        self.pulse.confidence(self.received_at, now, fading)
    }

    /// The slot of an opening.
    #[must_use]
    pub fn slot(&self, at: usize) -> Option<Versioned<Arc<Slot>>> {
        self.row.slot(at).map(|slot| slot.to_slot(&self.schedule.id))
    }

    /// A word of each record that is told of it, and of the slot of an opening, read in two steps that a caller takes for several
    /// offers one after the other: what the second reads, the first has led to.
    #[must_use]
    #[inline]
    pub fn read_ahead(&self, at: usize, step: ReadAhead) -> usize {
        match step {
            ReadAhead::Records => {
                let department = self.place.department.index();
                usize::from(department) ^ self.schedule.territories.len() ^ self.row.read_ahead(at, step)
            }
            ReadAhead::Texts => {
                let texts = self.schedule.id.as_str().len() ^ self.schedule.place_id.as_str().len();
                texts ^ self.row.read_ahead(at, step)
            }
        }
    }

    /// Languages that are spoken; empty when nobody said.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        self.practitioner.as_ref().map_or(&[], |practitioner| &practitioner.languages)
    }

    /// The practice of an opening of this kind.
    #[must_use]
    #[inline]
    pub fn practice_of(&self, kind: OpeningKind) -> &Practice {
        let other = usize::from(kind.practice).checked_sub(1).and_then(|other| self.row.practices.get(other));
        other.unwrap_or(&self.practice)
    }

    /// The practice of a slot with these traits.
    #[must_use]
    pub fn practice_with(&self, traits: &SlotTraits) -> Practice {
        let mut practice = self.practice.clone();
        if !traits.specialties.is_empty() {
            practice.specialties = traits.specialties;
            practice.professions = professions_of(traits.specialties);
        }
        if !traits.territories.is_empty() {
            practice.territories = Territories::from(&*traits.territories);
        }
        practice
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

/// Which part of what is told of an offer is read ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadAhead {
    /// The schedule, its place, and where its slots stand.
    Records,
    /// The texts of those records, and the slot.
    Texts,
}

/// In what, and for which territories, care is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Practice {
    /// Specialties; empty when nobody said.
    pub specialties: SpecialtySet,
    /// Professions of those specialties and of the practitioner.
    pub professions: ProfessionSet,
    /// Territories.
    pub territories: Territories,
}

impl Practice {
    /// Whether nobody said what is offered, so that general practice is a fair guess.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        let doctors = ProfessionSet::of(&[Profession::DOCTOR]);
        self.specialties.is_empty() && (self.professions.is_empty() || self.professions == doctors)
    }
}

#[cfg(test)]
mod tests;
