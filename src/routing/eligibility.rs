//! Each rule of matching, by name: does this opening of this schedule suit this patient?
//!
//! The rules are written once. Ranking asks for openings that fail none and stops at the first failure; the examination
//! of near misses asks which ones fail.

use crate::domain::answer::{Rule, Unknown};
use crate::domain::code::{AppointmentType, Modality, Sex, Visibility, VisibilitySet};
use crate::domain::directory::sex_bit;
use crate::domain::offer::{Offer, Opening, OpeningKind, Practice};
use crate::domain::patient::{Need, NeedSet};
use crate::domain::slot::FREE_ONCE_SETTLED;
use crate::domain::source::Confidence;
use crate::domain::time::UtcInstant;

use super::question::Question;

/// Needs that concern the place, and so only care given there.
const NEEDS_OF_THE_PLACE: NeedSet = NeedSet::EMPTY.with(Need::Wheelchair).with(Need::LowVision).with(Need::Parking);

/// A set of rules, for those that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RuleSet(u32);

impl RuleSet {
    /// No rule.
    pub const EMPTY: Self = Self(0);

    /// This rule when `failed`, else none.
    #[must_use]
    #[inline]
    pub const fn when(failed: bool, rule: Rule) -> Self {
        if failed { Self(1 << rule as u32) } else { Self::EMPTY }
    }

    /// Both sets together.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no rule is in it.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a rule is in it.
    #[must_use]
    pub const fn contains(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u32) != 0
    }

    /// How many rules are in it.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The first rule in order.
    #[must_use]
    #[inline]
    pub fn first(self) -> Option<Rule> {
        // Rules are numbered in their order; the empty set has none at its place.
        Rule::ALL.get(usize::try_from(self.0.trailing_zeros()).ok()?).copied()
    }

    /// The rule when it is the only one.
    #[must_use]
    #[inline]
    pub fn only(self) -> Option<Rule> {
        if self.0.is_power_of_two() { self.first() } else { None }
    }
}

/// Which rules a schedule fails whatever its opening: age, sex, language, silence, exclusion; and needs, by modality.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OfferRules {
    failed: RuleSet,
    need_at_place: RuleSet,
    need_elsewhere: RuleSet,
}

impl OfferRules {
    /// Judges a schedule.
    #[must_use]
    #[inline]
    pub fn of(question: &Question<'_>, offer: &Offer) -> Self {
        let limits = &offer.limits;
        let age = question.parts.age;
        let too_young = age.zip(limits.min_age).is_some_and(|(age, min)| age < min);
        let too_old = age.zip(limits.max_age).is_some_and(|(age, max)| age > max);
        let other_sex = limits.sexes != 0 && question.sex != Sex::Un && limits.sexes & sex_bit(question.sex) == 0;
        let asked = &question.parts.languages;
        let no_language = !asked.is_empty() && {
            let spoken = offer.languages();
            !spoken.is_empty() && !asked.iter().any(|one| spoken.contains(one))
        };
        let needs = question.parts.needs;
        let unmet = offer.needs_unmet;
        Self {
            failed: RuleSet::when(too_young || too_old, Rule::Age)
                .union(RuleSet::when(question.confidence(offer) == Confidence::Hidden, Rule::Silence))
                .union(RuleSet::when(other_sex, Rule::Sex))
                .union(RuleSet::when(no_language, Rule::Language))
                .union(RuleSet::when(is_excluded(question, offer), Rule::Excluded)),
            need_at_place: RuleSet::when(unmet.intersects(needs), Rule::Need),
            need_elsewhere: RuleSet::when(unmet.intersects(needs.minus(NEEDS_OF_THE_PLACE)), Rule::Need),
        }
    }

    /// What fails when care is given in a modality.
    #[must_use]
    #[inline]
    pub const fn failed(&self, modality: Modality) -> RuleSet {
        match modality {
            Modality::Amb => self.failed.union(self.need_at_place),
            Modality::Vr | Modality::Hh => self.failed.union(self.need_elsewhere),
        }
    }
}

/// Whether the case refused a schedule or its practitioner, or the question excludes them.
#[inline]
fn is_excluded(question: &Question<'_>, offer: &Offer) -> bool {
    let (schedules, practitioners) = (&question.parts.excluded_schedules, &question.parts.excluded_practitioners);
    if schedules.is_empty() && practitioners.is_empty() {
        return false;
    }
    let practitioner = offer.schedule.practitioner_id.as_ref();
    schedules.contains(&offer.schedule.id) || practitioner.is_some_and(|id| practitioners.contains(id))
}

/// Which rules a kind of opening fails whatever the time: visibility, specialty, appointment type.
#[must_use]
#[inline]
pub fn kind_rules(question: &Question<'_>, kind: OpeningKind, practice: &Practice) -> RuleSet {
    let parts = question.parts;
    let to_all = VisibilitySet::of(&[Visibility::Public, Visibility::Pro, Visibility::Snp]);
    let to_cpts = || {
        kind.visibilities().contains(Visibility::Cpts)
            && practice.territories.iter().any(|territory| parts.territories.contains(territory))
    };
    let visible = kind.visibilities().intersects(to_all) || to_cpts();
    let suits = practice.specialties.intersects(parts.specialties)
        || practice.professions.intersects(parts.professions)
        || (question.general_practice && practice.is_unspecified());
    RuleSet::when(!visible, Rule::Visibility)
        .union(RuleSet::when(!suits, Rule::Specialty))
        .union(RuleSet::when(!parts.appointment_types.contains(kind.appointment_type()), Rule::AppointmentType))
}

/// Which rule a modality fails at a distance: asked for at all, suitable, within the radius and within the professional's;
/// for teleconsultation, of the patient's territory.
#[must_use]
#[inline]
pub fn modality_rules(
    question: &Question<'_>,
    (offer, practice): (&Offer, &Practice),
    modality: Modality,
    distance_m: Option<u32>,
) -> RuleSet {
    let asked = question.parts.modalities.contains(modality);
    let at_distance = match modality {
        Modality::Amb | Modality::Hh => {
            let farther = distance_m.is_none_or(|distance_m| distance_m > reach_m(question, offer, modality));
            RuleSet::when(farther, Rule::Radius)
        }
        Modality::Vr => RuleSet::when(is_beyond_territory(question, practice, distance_m), Rule::Territory),
    };
    RuleSet::when(!asked, Rule::Modality)
        .union(RuleSet::when(asked && !question.suitable.contains(modality), Rule::Suitability))
        .union(at_distance)
}

/// Whether a teleconsultation is from farther than the patient's territory, which it may not be for this question.
#[inline]
fn is_beyond_territory(question: &Question<'_>, practice: &Practice, distance_m: Option<u32>) -> bool {
    let Some(near_m) = question.remote_near_m else { return false };
    distance_m.is_none_or(|distance_m| distance_m > near_m) && !question.is_of_territory(&practice.territories)
}

/// How far a modality reaches, in metres.
#[must_use]
#[inline]
pub fn reach_m(question: &Question<'_>, offer: &Offer, modality: Modality) -> u32 {
    match modality {
        Modality::Amb | Modality::Hh => own_reach_m(question, offer, modality).min(question.radius_m),
        Modality::Vr => u32::MAX,
    }
}

/// The same whatever the radius that is asked for.
#[must_use]
#[inline]
pub fn own_reach_m(question: &Question<'_>, offer: &Offer, modality: Modality) -> u32 {
    match modality {
        Modality::Hh => offer.home_visit_radius_m.unwrap_or(question.policy.home_visit_radius_m),
        Modality::Amb | Modality::Vr => u32::MAX,
    }
}

/// When care begins in an opening for somebody who can be there, or be called, at an instant: at its start, but for a walk-in
/// window, which is entered on arrival.
#[must_use]
#[inline]
pub fn care_begins_at(appointment_type: AppointmentType, start_at: UtcInstant, arrival_at: UtcInstant) -> UtcInstant {
    match appointment_type {
        AppointmentType::Routine => start_at,
        AppointmentType::Walkin => start_at.max(arrival_at),
    }
}

/// From when on care could begin at a distance: only to the place does the patient travel, elsewhere it can begin at once.
#[must_use]
#[inline]
pub fn ready_at(question: &Question<'_>, modality: Modality, distance_m: Option<u32>) -> UtcInstant {
    match modality {
        Modality::Amb => question.arrival_at(distance_m.unwrap_or(0)),
        Modality::Vr | Modality::Hh => question.now,
    }
}

/// When care can begin in an opening for which all are there at an instant ([`ready_at`]), and which rules that fails:
/// arrival, delay, capacity, quarantine.
#[must_use]
#[inline]
pub fn opening_rules(
    question: &Question<'_>,
    opening: &Opening,
    modality: Modality,
    arrival_at: UtcInstant,
) -> (RuleSet, UtcInstant) {
    let margin = question.policy.arrival_margin_minutes;
    let too_late = match (opening.kind.appointment_type(), modality) {
        (AppointmentType::Routine, Modality::Amb) => opening.start_at < arrival_at.plus_minutes(margin),
        (AppointmentType::Routine, Modality::Vr | Modality::Hh) => opening.start_at < arrival_at,
        (AppointmentType::Walkin, Modality::Amb | Modality::Vr | Modality::Hh) => {
            arrival_at.plus_minutes(margin) > opening.end_at()
        }
    };
    let begins_at = care_begins_at(opening.kind.appointment_type(), opening.start_at, arrival_at);
    let failed = RuleSet::when(too_late, Rule::Arrival)
        .union(RuleSet::when(begins_at > question.needed_by_at, Rule::Delay))
        .union(RuleSet::when(opening.free_from() > question.now, capacity_rule(opening)));
    (failed, begins_at)
}

/// The rule behind an opening of which no unit is free.
#[inline]
fn capacity_rule(opening: &Opening) -> Rule {
    if opening.free_from() == FREE_ONCE_SETTLED { Rule::Quarantine } else { Rule::Capacity }
}

/// What the patient needs when care is given in a modality.
#[must_use]
pub fn needs_in(question: &Question<'_>, modality: Modality) -> NeedSet {
    match modality {
        Modality::Amb => question.parts.needs,
        Modality::Vr | Modality::Hh => question.parts.needs.minus(NEEDS_OF_THE_PLACE),
    }
}

/// What the patient needs to know and nobody stated.
#[must_use]
pub fn unknowns(question: &Question<'_>, offer: &Offer, practice: &Practice, modality: Modality) -> Vec<Unknown> {
    let mut unknowns = Vec::new();
    let unsaid = needs_in(question, modality).minus(offer.needs_met).minus(offer.needs_unmet);
    unknowns.extend(unsaid.iter().map(Unknown::Need));
    if !question.parts.languages.is_empty() && offer.languages().is_empty() {
        unknowns.push(Unknown::Language);
    }
    if practice.specialties.is_empty() {
        unknowns.push(Unknown::Specialty);
    }
    let limits = &offer.limits;
    if question.parts.age.is_none() && (limits.min_age.is_some() || limits.max_age.is_some()) {
        unknowns.push(Unknown::Age);
    }
    if question.sex == Sex::Un && limits.sexes != 0 {
        unknowns.push(Unknown::Sex);
    }
    unknowns
}
