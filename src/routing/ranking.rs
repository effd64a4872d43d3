//! Which openings suit, best first: the cost of each, the best few of all, and when to stop looking.
//!
//! The order is total: cost, then schedule, then slot, then modality. So the same state gives the same options, whatever
//! the order in which candidates come.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::domain::code::{Modality, ModalitySet};
use crate::domain::id::{ScheduleId, SlotId, TerritoryId};
use crate::domain::offer::{Candidate, Judge, Offer, Opening, OpeningKind};
use crate::domain::time::UtcInstant;

use super::eligibility::{OfferRules, kind_rules, modality_rules, opening_rules};
use super::question::Question;

/// An opening that suits.
#[derive(Clone, Debug)]
pub struct Match {
    /// Weighted sum in seconds; the least comes first.
    pub cost_seconds: u32,
    /// The schedule.
    pub offer: Arc<Offer>,
    /// The slot.
    pub slot_id: SlotId,
    /// What it shares with others.
    pub kind: OpeningKind,
    /// How care would be given.
    pub modality: Modality,
    /// When care can begin.
    pub care_begins_at: UtcInstant,
    /// Straight line in metres, when both positions are known.
    pub distance_m: Option<u32>,
}

impl Match {
    /// The total order of matches, best first.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.cost_seconds
            .cmp(&other.cost_seconds)
            .then_with(|| self.offer.schedule.id.cmp(&other.offer.schedule.id))
            .then_with(|| self.slot_id.cmp(&other.slot_id))
            .then_with(|| (self.modality as u8).cmp(&(other.modality as u8)))
    }
}

/// Cost in seconds of care that begins at an instant, at a distance, from a schedule and territories.
#[must_use]
#[inline]
pub fn cost_seconds(
    question: &Question<'_>,
    offer: &Offer,
    territories: &[TerritoryId],
    modality: Modality,
    care_begins_at: UtcInstant,
    distance_m: Option<u32>,
) -> u32 {
    let travelled_m = match modality {
        Modality::Amb | Modality::Hh => distance_m,
        Modality::Vr => None,
    };
    question
        .least_cost_seconds(care_begins_at, travelled_m)
        .saturating_add(question.preference_cost_seconds(question.preference(territories)))
        .saturating_add(question.staleness_cost_seconds(offer.received_at))
}

/// Looks for the best few openings, one a schedule.
#[derive(Debug)]
pub struct Matcher<'q> {
    question: &'q Question<'q>,
    limit: usize,
    /// The best so far, in order, at most `limit`.
    best: Vec<Match>,
}

/// The best opening of one schedule, not yet owned.
struct Best<'a> {
    cost_seconds: u32,
    slot_id: &'a SlotId,
    kind: &'a OpeningKind,
    modality: Modality,
    care_begins_at: UtcInstant,
}

impl<'q> Matcher<'q> {
    /// Looks for at most `limit` openings.
    #[must_use]
    pub fn new(question: &'q Question<'q>, limit: usize) -> Self {
        Self { question, limit, best: Vec::with_capacity(limit + 1) }
    }

    /// The best openings, best first.
    #[must_use]
    pub fn into_matches(self) -> Vec<Match> {
        self.best
    }

    #[inline]
    fn admits(&self, cost_seconds: u32) -> bool {
        cost_seconds <= self.bound()
    }

    /// The best of the modalities in which an opening may suit.
    #[inline]
    fn look<'a>(
        &self,
        candidate: &Candidate<'a>,
        kind: &'a OpeningKind,
        usable: ModalitySet,
        opening: &Opening,
        slot_id: &'a SlotId,
    ) -> Option<Best<'a>> {
        let (question, distance_m) = (self.question, candidate.distance_m);
        let mut best: Option<Best<'a>> = None;
        for modality in usable.iter() {
            let (failed, care_begins_at) = opening_rules(question, kind, opening, modality, distance_m);
            if !failed.is_empty() {
                continue;
            }
            let cost = cost_seconds(question, candidate.offer, &kind.territories, modality, care_begins_at, distance_m);
            if best.as_ref().is_none_or(|best| cost < best.cost_seconds) {
                best = Some(Best { cost_seconds: cost, slot_id, kind, modality, care_begins_at });
            }
        }
        best
    }

    fn enter(&mut self, candidate: &Candidate<'_>, best: &Best<'_>) {
        let found = Match {
            cost_seconds: best.cost_seconds,
            offer: Arc::clone(candidate.offer),
            slot_id: best.slot_id.clone(),
            kind: best.kind.clone(),
            modality: best.modality,
            care_begins_at: best.care_begins_at,
            distance_m: candidate.distance_m,
        };
        let schedule_id = &found.offer.schedule.id;
        if let Some(at) = self.best.iter().position(|known| known.offer.schedule.id == *schedule_id) {
            if self.best.get(at).is_some_and(|known| known.order(&found).is_le()) {
                return;
            }
            self.best.remove(at);
        }
        let at = self.best.partition_point(|known| known.order(&found).is_lt());
        self.best.insert(at, found);
        self.best.truncate(self.limit);
    }
}

/// The modalities of a kind in which nothing but time and capacity may still fail.
#[inline]
fn usable(question: &Question<'_>, rules: &OfferRules, candidate: &Candidate<'_>, kind: &OpeningKind) -> ModalitySet {
    let mut usable = ModalitySet::EMPTY;
    if !kind_rules(question, kind).is_empty() {
        return usable;
    }
    for modality in kind.modalities.iter() {
        let failed = rules.failed(modality);
        let at_distance = modality_rules(question, candidate.offer, modality, candidate.distance_m);
        if failed.union(at_distance).is_empty() {
            usable.insert(modality);
        }
    }
    usable
}

impl Judge for Matcher<'_> {
    #[inline]
    fn earliest_at(&self, distance_m: u32, home_visits: bool) -> UtcInstant {
        let comes = home_visits && self.question.accepts_home_visits();
        if comes { self.question.now } else { self.question.arrival_at(distance_m) }
    }

    #[inline]
    fn least_cost(&self, distance_m: u32, care_begins_at: UtcInstant) -> u32 {
        self.question.least_cost_seconds(care_begins_at, Some(distance_m))
    }

    #[inline]
    fn least_remote_cost(&self, care_begins_at: UtcInstant, territories: Option<&[TerritoryId]>) -> u32 {
        let preference = territories.map(|territories| self.question.preference(territories));
        let cost = preference.map_or(0, |preference| self.question.preference_cost_seconds(preference));
        self.question.least_cost_seconds(care_begins_at, None).saturating_add(cost)
    }

    #[inline]
    fn bound(&self) -> u32 {
        if self.best.len() < self.limit { u32::MAX } else { self.best.last().map_or(0, |last| last.cost_seconds) }
    }

    #[inline]
    fn admits_at_bound(&self, id: &ScheduleId) -> bool {
        self.best.len() < self.limit || self.best.last().is_some_and(|last| *id <= last.offer.schedule.id)
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let question = self.question;
        let rules = OfferRules::of(question, candidate.offer);
        let row = candidate.row;
        let first = row.first_running_at(question.now);
        let openings = row.openings.iter().zip(&row.slot_ids).skip(first);
        let mut best: Option<Best<'_>> = None;
        // Neighbouring openings mostly are of one kind: what it allows is worked out once.
        let mut last_kind = (u16::MAX, ModalitySet::EMPTY);
        for (opening, slot_id) in openings {
            if opening.start_at > question.needed_by_at {
                break;
            }
            let least = question.least_cost_seconds(opening.start_at, None);
            if !self.admits(least) || best.as_ref().is_some_and(|best| best.cost_seconds < least) {
                break;
            }
            if opening.free_from() > question.now {
                continue;
            }
            let Some(kind) = row.kinds.get(usize::from(opening.kind)) else { continue };
            if last_kind.0 != opening.kind {
                last_kind = (opening.kind, usable(question, &rules, &candidate, kind));
            }
            let Some(found) = self.look(&candidate, kind, last_kind.1, opening, slot_id) else { continue };
            let better = best.as_ref().is_none_or(|best| {
                (found.cost_seconds, found.slot_id, found.modality as u8)
                    < (best.cost_seconds, best.slot_id, best.modality as u8)
            });
            if better {
                best = Some(found);
            }
        }
        if let Some(best) = best.filter(|best| self.admits(best.cost_seconds)) {
            self.enter(&candidate, &best);
        }
    }
}
