//! Everything that an opening fails, in each modality: what near misses, explanations and silences are told from.

use crate::domain::answer::Rule;
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::offer::{Candidate, Opening, OpeningKind};
use crate::domain::time::UtcInstant;

use super::eligibility::{OfferRules, RuleSet, kind_rules, modality_rules, opening_rules};
use super::question::Question;

/// What the openings of one kind fail whatever their time, by modality.
pub(super) struct KindFailures {
    pub(super) kind: OpeningKind,
    tried: ModalitySet,
    failed: [RuleSet; Modality::ALL.len()],
}

impl KindFailures {
    pub(super) fn of(
        question: &Question<'_>,
        rules: &OfferRules,
        candidate: &Candidate<'_>,
        kind: OpeningKind,
    ) -> Self {
        let practice = candidate.offer.practice_of(kind);
        let of_kind = kind_rules(question, kind, practice);
        let asked = ModalitySet::from_bits(kind.modalities().bits() & question.parts.modalities.bits());
        let tried = if asked.is_empty() { kind.modalities() } else { asked };
        let mut failed = [RuleSet::EMPTY; Modality::ALL.len()];
        for (failed, modality) in failed.iter_mut().zip(Modality::ALL) {
            let distance = modality_rules(question, (candidate.offer, practice), *modality, candidate.distance_m);
            *failed = of_kind.union(rules.failed(*modality)).union(distance);
        }
        Self { kind, tried, failed }
    }

    /// Everything that an opening fails in a modality, and when care could begin.
    pub(super) fn failed(
        &self,
        question: &Question<'_>,
        opening: &Opening,
        modality: Modality,
        distance_m: Option<u32>,
    ) -> (RuleSet, UtcInstant) {
        let (timing, begins_at) = opening_rules(question, opening, modality, distance_m);
        let whatever = self.failed.get(usize::from(modality.index())).copied().unwrap_or_default();
        (whatever.union(timing), begins_at)
    }

    /// The modality that was not asked for in which an opening fails nothing else, and when care could begin; nothing when
    /// none of its modalities was asked for, since that is what it fails then.
    pub(super) fn suits_otherwise(
        &self,
        question: &Question<'_>,
        opening: &Opening,
        distance_m: Option<u32>,
    ) -> Option<(Modality, UtcInstant)> {
        let others = ModalitySet::from_bits(self.kind.modalities().bits() & !self.tried.bits());
        let suits = others.iter().filter_map(|modality| {
            let (failed, begins_at) = self.failed(question, opening, modality, distance_m);
            (failed.only() == Some(Rule::Modality)).then_some((modality, begins_at))
        });
        suits.min_by_key(|(modality, begins_at)| (*begins_at, *modality as u8))
    }

    /// The modality in which an opening fails least, and what it fails.
    pub(super) fn least_failing(
        &self,
        question: &Question<'_>,
        opening: &Opening,
        distance_m: Option<u32>,
    ) -> Option<(RuleSet, Modality, UtcInstant)> {
        let failures = self.tried.iter().map(|modality| {
            let (failed, begins_at) = self.failed(question, opening, modality, distance_m);
            (failed, modality, begins_at)
        });
        failures.min_by_key(|(failed, modality, begins_at)| (failed.count(), *begins_at, *modality as u8))
    }
}
