//! Everything that an opening fails, in each modality: what near misses, explanations and silences are told from.

use crate::domain::answer::Rule;
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::offer::{Candidate, Opening, OpeningKind, Practice};
use crate::domain::time::UtcInstant;

use super::eligibility::{OfferRules, RuleSet, kind_rules, modality_rules, opening_rules, ready_at};
use super::question::Question;
use super::ranking::surcharge_seconds;

/// What the openings of one practice have in common for a question: kinds alternate, practices hardly ever do.
#[derive(Clone, Copy)]
struct OfPractice {
    /// What fails in each modality, whatever the kind.
    failed: [RuleSet; Modality::ALL.len()],
    /// What is added to the cost of waiting and travelling.
    surcharge_seconds: u32,
    /// When the patient would be at the place.
    at_place: UtcInstant,
}

impl OfPractice {
    fn of(question: &Question<'_>, rules: &OfferRules, candidate: &Candidate<'_>, practice: &Practice) -> Self {
        let mut failed = [RuleSet::EMPTY; Modality::ALL.len()];
        for (failed, modality) in failed.iter_mut().zip(Modality::ALL) {
            let distance = modality_rules(question, (candidate.offer, practice), *modality, candidate.distance_m);
            *failed = rules.failed(*modality).union(distance);
        }
        Self {
            failed,
            surcharge_seconds: surcharge_seconds(question, candidate.offer, practice),
            at_place: ready_at(question, Modality::Amb, candidate.distance_m),
        }
    }
}

/// What the openings of one kind fail whatever their time, by modality.
pub(super) struct KindFailures {
    pub(super) kind: OpeningKind,
    tried: ModalitySet,
    of_kind: RuleSet,
    of_practice: OfPractice,
}

impl KindFailures {
    /// What the openings of a kind fail, after those of another kind of the same schedule.
    #[inline]
    pub(super) fn after(
        before: Option<&Self>,
        question: &Question<'_>,
        rules: &OfferRules,
        candidate: &Candidate<'_>,
        kind: OpeningKind,
    ) -> Self {
        let practice = candidate.offer.practice_of(kind);
        let of_kind = kind_rules(question, kind, practice);
        let asked = ModalitySet::from_bits(kind.modalities().bits() & question.parts.modalities.bits());
        let tried = if asked.is_empty() { kind.modalities() } else { asked };
        let known = before.filter(|before| before.kind.practice == kind.practice).map(|before| before.of_practice);
        let of_practice = known.unwrap_or_else(|| OfPractice::of(question, rules, candidate, practice));
        Self { kind, tried, of_kind, of_practice }
    }

    /// The cost of care in an opening of this kind.
    #[inline]
    pub(super) fn cost_seconds(
        &self,
        question: &Question<'_>,
        (modality, care_begins_at): (Modality, UtcInstant),
        distance_m: Option<u32>,
    ) -> u32 {
        let by_time = question.time_cost_seconds(care_begins_at, modality, distance_m);
        by_time.saturating_add(self.of_practice.surcharge_seconds)
    }

    /// Everything that an opening fails in a modality, and when care could begin.
    #[inline]
    pub(super) fn failed(
        &self,
        question: &Question<'_>,
        opening: &Opening,
        modality: Modality,
    ) -> (RuleSet, UtcInstant) {
        let arrival_at = match modality {
            Modality::Amb => self.of_practice.at_place,
            Modality::Vr | Modality::Hh => question.now,
        };
        let (timing, begins_at) = opening_rules(question, opening, modality, arrival_at);
        let whatever = self.of_practice.failed.get(usize::from(modality.index())).copied().unwrap_or_default();
        (self.of_kind.union(whatever).union(timing), begins_at)
    }

    /// The modality that was not asked for in which an opening fails nothing else, and when care could begin; nothing when
    /// none of its modalities was asked for, since that is what it fails then.
    #[inline]
    pub(super) fn suits_otherwise(&self, question: &Question<'_>, opening: &Opening) -> Option<(Modality, UtcInstant)> {
        let others = ModalitySet::from_bits(self.kind.modalities().bits() & !self.tried.bits());
        if others.is_empty() {
            return None;
        }
        let suits = others.iter().filter_map(|modality| {
            let (failed, begins_at) = self.failed(question, opening, modality);
            (failed.only() == Some(Rule::Modality)).then_some((modality, begins_at))
        });
        suits.min_by_key(|(modality, begins_at)| (*begins_at, *modality as u8))
    }

    /// The modality in which an opening fails least, and what it fails.
    #[inline]
    pub(super) fn least_failing(
        &self,
        question: &Question<'_>,
        opening: &Opening,
    ) -> Option<(RuleSet, Modality, UtcInstant)> {
        let mut modalities = self.tried.iter();
        let of = |modality| {
            let (failed, begins_at) = self.failed(question, opening, modality);
            (failed, modality, begins_at)
        };
        let first = of(modalities.next()?);
        let order = |(failed, modality, begins_at): &(RuleSet, Modality, UtcInstant)| {
            (failed.count(), *begins_at, *modality as u8)
        };
        // Nearly all openings are of one modality.
        Some(modalities.map(of).fold(first, |least, other| if order(&other) < order(&least) { other } else { least }))
    }
}
