//! Who looks at candidates: the words between an index that knows where they are and rules that know whom they suit.

use std::sync::Arc;

use super::Offer;
use crate::domain::code::{AppointmentType, AppointmentTypeSet, Modality, ModalitySet};
use crate::domain::id::{ScheduleId, TerritoryId};
use crate::domain::time::UtcInstant;

/// A schedule that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Number of the schedule in the index: the same whenever it is handed over.
    pub number: u64,
    /// The schedule with its openings.
    pub offer: &'a Arc<Offer>,
    /// Straight line to the patient in metres; absent when either position is unknown.
    pub distance_m: Option<u32>,
}

/// Ways in which care is given: each modality, with and without appointment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CareWays(u8);

impl CareWays {
    /// These modalities with these appointment types.
    #[must_use]
    pub const fn new(modalities: ModalitySet, types: AppointmentTypeSet) -> Self {
        let routine = if types.contains(AppointmentType::Routine) { modalities.bits() } else { 0 };
        let walk_in = if types.contains(AppointmentType::Walkin) { modalities.bits() } else { 0 };
        Self(routine | walk_in << Modality::ALL.len())
    }

    /// The ways with these bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// One bit a way.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The ways in both.
    #[must_use]
    #[inline]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a way is in both.
    #[must_use]
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Looks at candidates, and says what it would cost them to matter.
///
/// A cost is whatever the judge orders by; bounds must never be above what [`Self::judge`] would find.
pub trait Judge {
    /// The earliest instant at which care could begin at this distance, in the best of these ways; never earlier for a
    /// longer distance.
    fn earliest_at(&self, distance_m: u32, ways: CareWays) -> UtcInstant;

    /// The least cost of care at this distance that begins at this instant; never less for a longer distance.
    fn least_cost(&self, distance_m: u32, care_begins_at: UtcInstant) -> u32;

    /// The least cost of teleconsultation that begins at this instant.
    fn least_remote_cost(&self, care_begins_at: UtcInstant) -> u32;

    /// The least that is added when openings are of some of these territories.
    fn territory_cost(&self, territories: &[TerritoryId]) -> u32;

    /// What is added when the source was heard at this instant.
    fn staleness_cost(&self, received_at: UtcInstant) -> u32;

    /// The cost above which nothing matters any more; it only sinks.
    fn bound(&self) -> u32;

    /// Whether a schedule whose least cost is the bound itself could still matter.
    fn admits_at_bound(&self, id: &ScheduleId) -> bool;

    /// How many of the schedules of a cell are worth being put in order of cost before they are judged.
    fn judged_in_order(&self) -> usize;

    /// Looks at a candidate.
    fn judge(&mut self, candidate: Candidate<'_>);
}
