//! A query made ready for many candidates: every look-up done, every default filled in, everything comparable by bits.

use super::clocks::Clocks;
use super::policy::{BeyondTerritory, Facts, ModalityRule, Pace, Policy};
use crate::domain::answer::{PolicyRule, TerritoryPreference};
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, Modality, ModalitySet, Sex, SpecialtySet, Visibility, VisibilitySet,
};
use crate::domain::department::Department;
use crate::domain::id::TerritoryId;
use crate::domain::offer::{CareWays, Offer, territory_bits};
use crate::domain::patient::TravelMode;
use crate::domain::query::{CareQuery, CareQueryDraft, NEEDED_WITHIN_MAX_MINUTES};
use crate::domain::road::{RoadTime, TravelMethod};
use crate::domain::share::CaseNumber;
use crate::domain::source::{Confidence, Fading};
use crate::domain::time::{MS_PER_SECOND, UtcInstant};

/// A query at an instant, under a policy.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The query's parts.
    pub parts: &'q CareQueryDraft,
    /// The policy.
    pub policy: &'q Policy,
    /// Now.
    pub now: UtcInstant,
    /// The same by the clock.
    pub clocks: Clocks,
    /// Care begins at this instant at the latest.
    pub needed_by_at: UtcInstant,
    /// Radius in metres.
    pub radius_m: u32,
    /// Sex of the patient.
    pub sex: Sex,
    /// Whether general practice is among the accepted specialties.
    pub general_practice: bool,
    /// Accepted ways of care for which somebody travels.
    pub ways: CareWays,
    /// Modalities that are asked for and suit the patient.
    pub suitable: ModalitySet,
    /// The rules that leave modalities out.
    pub unsuitable_rules: Vec<&'q ModalityRule>,
    /// The rule that gave the delay, when the query gave none.
    pub delay_rule: Option<&'q PolicyRule>,
    /// How near a professional beyond the patient's territories must be to teleconsult, in metres; absent when anybody may.
    pub remote_near_m: Option<u32>,
    /// Territories that share patients with the patient's own.
    pub neighbours: &'q [TerritoryId],
    /// The case, in whose eyes turns are counted.
    pub case: CaseNumber,
    /// Whether newcomers go before their equivalents.
    pub newcomers_first: bool,
    /// How long the step of costs has run in which now is, in seconds.
    into_step_seconds: u32,
    fading: Fading,
    /// Bits of the patient's territories and of those neighbours: most others have none of them.
    pub territory_bits: u64,
    /// How the patient travels.
    patient_pace: Pace,
    /// How a professional travels.
    professional_pace: Pace,
    /// Slower than neither of those who may travel.
    least_pace: Pace,
    /// Where the question is asked about one place only: what a road table says of it.
    road: PlaceByRoad,
}

/// What a road table says of one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlaceByRoad {
    /// Of the patient's way there.
    pub patient: Option<RoadTime>,
    /// Of a professional's way to the patient.
    pub professional: Option<RoadTime>,
}

/// Where a question is asked from.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'q> {
    /// Department, given or estimated.
    pub department: Option<Department>,
    /// Territories that share patients with the patient's own.
    pub neighbours: &'q [TerritoryId],
}

/// Clinical delay in minutes where not even the policy has one: no question waits by mistake.
const SHORTEST_MINUTES: u32 = 60;
/// Modalities for which somebody travels.
pub const BY_PLACE: ModalitySet = ModalitySet::of(&[Modality::Amb, Modality::Hh]);
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
        surroundings: Surroundings<'q>,
    ) -> Self {
        let parts = query.parts();
        let Surroundings { department, neighbours } = surroundings;
        let by_policy = if parts.needed_within_minutes.is_some() { None } else { policy.delay(&Facts::from(query)) };
        let minutes = parts.needed_within_minutes.or(by_policy.map(|delay| delay.minutes)).unwrap_or(SHORTEST_MINUTES);
        let unsuitable_rules: Vec<&ModalityRule> = policy.unsuitable(query).collect();
        let unsuitable = unsuitable_rules.iter().fold(0, |bits, rule| bits | rule.unsuitable.bits());
        let suitable = ModalitySet::from_bits(parts.modalities.bits() & !unsuitable);
        let by_place = ModalitySet::from_bits(suitable.bits() & BY_PLACE.bits());
        let travel = policy.travel.at(department, now);
        let patient_pace = travel.pace(parts.travel_mode);
        let professional_pace = travel.pace(TravelMode::Car);
        let least_pace = match (by_place.contains(Modality::Amb), by_place.contains(Modality::Hh)) {
            (true, false) => patient_pace,
            (false, true) => professional_pace,
            (true, true) | (false, false) => patient_pace.at_most(professional_pace),
        };
        let case = parts.case_id.as_ref().map_or(CaseNumber::NONE, CaseNumber::of);
        let restricted = policy.teleconsultation.beyond != BeyondTerritory::Always && has_territory(parts);
        Self {
            parts,
            policy,
            now,
            clocks: travel.clocks,
            needed_by_at: parts.needed_by_at.map_or_else(
                || now.plus_minutes(minutes),
                |needed_by_at| needed_by_at.min(now.plus_minutes(NEEDED_WITHIN_MAX_MINUTES)),
            ),
            radius_m,
            sex: query.sex(),
            general_practice: has_general_practice(parts.specialties),
            ways: CareWays::new(by_place, parts.appointment_types),
            suitable,
            unsuitable_rules,
            delay_rule: by_policy.map(|delay| &delay.rule),
            remote_near_m: restricted.then_some(policy.teleconsultation.near_m),
            neighbours,
            case,
            newcomers_first: case.percentile(now) < policy.fairness.newcomer_percent,
            into_step_seconds: into_step_seconds(now, policy.fairness.equivalent_within_seconds),
            fading: policy.fading,
            territory_bits: territory_bits(&parts.territories) | territory_bits(neighbours),
            patient_pace,
            professional_pace,
            least_pace,
            road: PlaceByRoad::default(),
        }
    }

    /// The same asked about one place, of which a road table says how long the way is whatever the straight line.
    #[must_use]
    pub fn by_road(&self, road: PlaceByRoad) -> Self {
        let on_road = |pace: Pace, time: Option<RoadTime>| {
            time.map_or(pace, |time| Pace::even(pace.base_seconds.saturating_add(time.seconds), 0))
        };
        let (patient_pace, professional_pace) =
            (on_road(self.patient_pace, road.patient), on_road(self.professional_pace, road.professional));
        let least_pace = patient_pace.at_most(professional_pace);
        Self { patient_pace, professional_pace, least_pace, road, ..self.clone() }
    }

    /// How travel is reckoned for care in a modality.
    #[must_use]
    pub fn travel_method(&self, modality: Modality) -> TravelMethod {
        let time = match modality {
            Modality::Amb => self.road.patient,
            Modality::Hh => self.road.professional,
            Modality::Vr => return TravelMethod::None,
        };
        time.map_or(TravelMethod::StraightLine, |time| TravelMethod::RoadTable { age_seconds: time.age_seconds })
    }

    /// The same where teleconsultation from anywhere will do.
    #[must_use]
    pub fn from_anywhere(self) -> Self {
        Self { remote_near_m: None, ..self }
    }

    /// Whether it says where the patient is or belongs, so that a territory can be told from others.
    #[must_use]
    pub fn has_territory(&self) -> bool {
        has_territory(self.parts)
    }

    /// The number of the step in which a cost falls, from that of now; `None` when the policy has no steps.
    #[must_use]
    #[inline]
    pub fn steps_of_cost(&self, cost_seconds: u32) -> Option<u32> {
        let step_seconds = self.policy.fairness.equivalent_within_seconds;
        cost_seconds.saturating_add(self.into_step_seconds).checked_div(step_seconds)
    }

    /// The greatest cost in a step.
    #[must_use]
    #[inline]
    pub fn last_cost_of_step(&self, step: u32) -> u32 {
        let step_seconds = self.policy.fairness.equivalent_within_seconds;
        if step_seconds == 0 {
            return step;
        }
        step.saturating_add(1).saturating_mul(step_seconds).saturating_sub(1 + self.into_step_seconds)
    }

    /// Whether an offer is of the patient's own practitioner.
    #[must_use]
    pub fn is_preferred(&self, offer: &Offer) -> bool {
        let preferred = &self.parts.preferred_practitioner;
        preferred.is_some() && *preferred == offer.schedule.practitioner_id
    }

    /// The rule of the policy that leaves a modality out.
    #[must_use]
    pub fn unsuitable_by(&self, modality: Modality) -> Option<&'q PolicyRule> {
        self.unsuitable_rules.iter().find(|rule| rule.unsuitable.contains(modality)).map(|rule| &rule.rule)
    }

    /// Whether care is of the patient's territories or of a neighbour.
    #[must_use]
    #[inline]
    pub fn is_of_territory(&self, territories: &[TerritoryId]) -> bool {
        let is_near = |one: &TerritoryId| self.parts.territories.contains(one) || self.neighbours.contains(one);
        territories.iter().any(is_near)
    }

    /// Seconds that somebody travels for care at a distance: the patient to the place, the professional to the home.
    #[must_use]
    #[inline]
    pub fn travel_seconds(&self, modality: Modality, distance_m: u32) -> u32 {
        match modality {
            Modality::Amb => self.patient_pace.seconds(distance_m),
            Modality::Hh => self.professional_pace.seconds(distance_m),
            Modality::Vr => 0,
        }
    }

    /// What waiting and travelling cost in seconds.
    #[must_use]
    #[inline]
    pub fn time_cost_seconds(&self, care_begins_at: UtcInstant, modality: Modality, distance_m: Option<u32>) -> u32 {
        let travel = distance_m.map_or(0, |distance_m| self.travel_seconds(modality, distance_m));
        care_begins_at.seconds_since(self.now).saturating_add(travel)
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
        self.now.plus_seconds(self.patient_pace.seconds(distance_m))
    }

    /// The least cost in seconds of care that begins at an instant, at a distance, whatever else holds.
    #[must_use]
    #[inline]
    pub fn least_cost_seconds(&self, care_begins_at: UtcInstant, distance_m: Option<u32>) -> u32 {
        let wait = care_begins_at.seconds_since(self.now);
        wait.saturating_add(distance_m.map_or(0, |distance_m| self.least_pace.seconds(distance_m)))
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

    /// How far an offer is believed now.
    #[must_use]
    #[inline]
    pub fn confidence(&self, offer: &Offer) -> Confidence {
        offer.confidence(self.now, &self.fading)
    }

    /// Cost in seconds of how far an offer is believed.
    #[must_use]
    #[inline]
    pub fn doubt_cost_seconds(&self, offer: &Offer) -> u32 {
        match self.confidence(offer) {
            Confidence::Certain => 0,
            Confidence::Uncertain | Confidence::Hidden => self.policy.doubt_cost_seconds,
        }
    }

    /// The least cost in seconds of the word of a source that was received at an instant, lease or none.
    #[must_use]
    #[inline]
    pub fn staleness_cost_seconds(&self, received_at: UtcInstant) -> u32 {
        if self.is_stale(received_at) { self.policy.doubt_cost_seconds } else { 0 }
    }

    /// Whether the word of a source that was received at an instant is doubted, unless a lease says otherwise.
    #[must_use]
    #[inline]
    pub fn is_stale(&self, received_at: UtcInstant) -> bool {
        self.now.ms_since(received_at) > i64::from(self.policy.fading.uncertain_after_seconds) * MS_PER_SECOND
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

/// Steps begin at multiples of their width since 1970.
fn into_step_seconds(now: UtcInstant, step_seconds: u32) -> u32 {
    let into = now.ms().div_euclid(MS_PER_SECOND).checked_rem_euclid(i64::from(step_seconds));
    into.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0)
}

fn has_territory(parts: &CareQueryDraft) -> bool {
    parts.position.is_some() || !parts.territories.is_empty()
}

fn has_general_practice(specialties: SpecialtySet) -> bool {
    specialties.iter().any(|specialty| specialty.is_general_practice())
}
