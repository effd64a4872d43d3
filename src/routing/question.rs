//! A query made ready for many candidates: every look-up done, every default filled in, everything comparable by bits.

use super::policy::Policy;
use super::travel::travel_seconds;
use crate::domain::answer::TerritoryPreference;
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, Modality, ModalitySet, Sex, SpecialtySet, Visibility, VisibilitySet,
};
use crate::domain::id::TerritoryId;
use crate::domain::offer::CareWays;
use crate::domain::query::{CareQuery, CareQueryDraft};
use crate::domain::time::{MS_PER_SECOND, UtcInstant};

/// A query at an instant, under a policy.
#[derive(Debug)]
pub struct Question<'q> {
    /// The query's parts.
    pub parts: &'q CareQueryDraft,
    /// The policy.
    pub policy: &'q Policy,
    /// Now.
    pub now: UtcInstant,
    /// Care begins at this instant at the latest.
    pub needed_by_at: UtcInstant,
    /// Radius in metres.
    pub radius_m: u32,
    /// Sex of the patient.
    pub sex: Sex,
    /// Whether general practice is among the accepted specialties.
    pub general_practice: bool,
    /// Accepted ways of care.
    pub ways: CareWays,
    /// Territories that share patients with the patient's own.
    pub neighbours: &'q [TerritoryId],
}

/// Ways for which the patient does not travel.
const AT_A_DISTANCE: CareWays = CareWays::new(ModalitySet::of(&[Modality::Hh, Modality::Vr]), AppointmentTypeSet::ALL);
/// Care at the place without appointment, which begins on arrival.
const WALK_IN: CareWays =
    CareWays::new(ModalitySet::of(&[Modality::Amb]), AppointmentTypeSet::of(&[AppointmentType::Walkin]));

impl<'q> Question<'q> {
    /// The question that a query asks at an instant.
    #[must_use]
    pub fn new(
        query: &'q CareQuery,
        policy: &'q Policy,
        now: UtcInstant,
        radius_m: u32,
        neighbours: &'q [TerritoryId],
    ) -> Self {
        let parts = query.parts();
        let within = parts.needed_within_minutes;
        let minutes = within.unwrap_or_else(|| policy.needed_within_minutes(query.care_level(), query.priority()));
        Self {
            parts,
            policy,
            now,
            needed_by_at: now.plus_minutes(minutes),
            radius_m,
            sex: query.sex(),
            general_practice: has_general_practice(parts.specialties),
            ways: CareWays::new(parts.modalities, parts.appointment_types),
            neighbours,
        }
    }

    /// What regulation may see: public, professional and SNP slots always, a CPTS' own only when asked on its behalf.
    #[must_use]
    pub fn visibilities(&self) -> VisibilitySet {
        let mut visible = VisibilitySet::of(&[Visibility::Public, Visibility::Pro, Visibility::Snp]);
        if !self.parts.territories.is_empty() {
            visible.insert(Visibility::Cpts);
        }
        visible
    }

    /// When a patient who leaves now arrives at a distance.
    #[must_use]
    #[inline]
    pub fn arrival_at(&self, distance_m: u32) -> UtcInstant {
        self.now.plus_seconds(travel_seconds(self.policy, distance_m))
    }

    /// The least cost in seconds of care that begins at an instant, at a distance, whatever else holds.
    #[must_use]
    #[inline]
    pub fn least_cost_seconds(&self, care_begins_at: UtcInstant, distance_m: Option<u32>) -> u32 {
        let wait = care_begins_at.seconds_since(self.now);
        wait.saturating_add(distance_m.map_or(0, |distance_m| travel_seconds(self.policy, distance_m)))
    }

    /// How territories stand to the patient's own.
    #[must_use]
    #[inline]
    pub fn preference(&self, territories: &[TerritoryId]) -> TerritoryPreference {
        let Some(own) = self.parts.territories.first() else { return TerritoryPreference::Unspecified };
        if territories.contains(own) {
            return TerritoryPreference::Own;
        }
        if territories.iter().any(|territory| self.neighbours.contains(territory)) {
            return TerritoryPreference::Neighbour;
        }
        TerritoryPreference::Other
    }

    /// Cost in seconds of a preference.
    #[must_use]
    #[inline]
    pub const fn preference_cost_seconds(&self, preference: TerritoryPreference) -> u32 {
        match preference {
            TerritoryPreference::Unspecified | TerritoryPreference::Own => 0,
            TerritoryPreference::Neighbour => self.policy.neighbour_cost_seconds,
            TerritoryPreference::Other => self.policy.other_territory_cost_seconds,
        }
    }

    /// Cost in seconds of data that were received at an instant.
    #[must_use]
    #[inline]
    pub fn staleness_cost_seconds(&self, received_at: UtcInstant) -> u32 {
        let stale = self.now.ms_since(received_at) > i64::from(self.policy.stale_after_seconds) * MS_PER_SECOND;
        if stale { self.policy.stale_cost_seconds } else { 0 }
    }

    /// When care could begin at a distance at the earliest, in the best of these ways.
    #[must_use]
    #[inline]
    pub fn earliest_at(&self, distance_m: u32, ways: CareWays) -> UtcInstant {
        let ways = self.ways.and(ways);
        if ways.intersects(AT_A_DISTANCE) {
            return self.now;
        }
        let arrival_at = self.arrival_at(distance_m);
        if ways.intersects(WALK_IN) { arrival_at } else { arrival_at.plus_minutes(self.policy.arrival_margin_minutes) }
    }
}

fn has_general_practice(specialties: SpecialtySet) -> bool {
    specialties.iter().any(|specialty| specialty.is_general_practice())
}
