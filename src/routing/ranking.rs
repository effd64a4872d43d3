//! Which openings suit, best first: the cost of each, the best few of all, and when to stop looking.
//!
//! The order is total: step of cost and turn ([`Precedence`]), then cost, then schedule, then slot, then modality. So the same
//! state gives the same options, whatever the order in which candidates come.

use std::cmp::Ordering;
use std::hint::black_box;
use std::sync::Arc;

use crate::domain::code::{Modality, ModalitySet};
use crate::domain::id::{ScheduleId, TerritoryId};
use crate::domain::offer::{Candidate, CareWays, Judge, Offer, Opening, OpeningKind, Practice, ReadAhead};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;

use super::contact::contact_cost_seconds;
use super::eligibility::{OfferRules, kind_rules, modality_rules, opening_rules, ready_at};
use super::fairness::Precedence;
use super::question::Question;

/// How many schedules of a cell are judged in order of cost: then the bound has mostly sunk so far that few others matter.
const JUDGED_IN_ORDER: usize = 24;

/// An opening that suits.
#[derive(Clone, Debug)]
pub struct Match {
    /// Number of the schedule in the index.
    pub number: u64,
    /// Weighted sum in seconds.
    pub cost_seconds: u32,
    /// What comes before the cost; the same for all that has no rank.
    pub precedence: Precedence,
    /// The schedule with its openings.
    pub offer: Arc<Offer>,
    /// Which of them.
    pub opening: usize,
    /// What it has in common with others.
    pub kind: OpeningKind,
    /// How care would be given.
    pub modality: Modality,
    /// When care can begin.
    pub care_begins_at: UtcInstant,
    /// Straight line in metres, when both positions are known.
    pub distance_m: Option<u32>,
}

impl Match {
    /// The slot as it was matched.
    #[must_use]
    pub fn slot(&self) -> Option<Arc<Slot>> {
        self.offer.slot(self.opening).map(|slot| slot.value)
    }

    /// In what and for which territories care is given.
    #[must_use]
    pub fn practice(&self) -> &Practice {
        self.offer.practice_of(self.kind)
    }

    /// The total order of matches, best first.
    #[must_use]
    #[inline]
    pub fn order(&self, other: &Self) -> Ordering {
        self.precedence.cmp(&other.precedence).then_with(|| self.order_by_cost(other))
    }

    /// The order of matches were it not for turns.
    #[must_use]
    #[inline]
    pub fn order_by_cost(&self, other: &Self) -> Ordering {
        self.cost_seconds.cmp(&other.cost_seconds).then_with(|| self.order_at_same_cost(other))
    }

    fn order_at_same_cost(&self, other: &Self) -> Ordering {
        let slots = || self.offer.row.order_of_slots(self.opening, &other.offer.row, other.opening);
        let schedules = self.offer.schedule.id.cmp(&other.offer.schedule.id);
        schedules.then_with(slots).then_with(|| (self.modality as u8).cmp(&(other.modality as u8)))
    }
}

/// Reads a word of all that will be told of matches, so that it comes together instead of one after the other: most of it
/// was not needed to find them.
pub fn read_ahead(matches: &[Match]) {
    for step in [ReadAhead::Records, ReadAhead::Texts] {
        black_box(matches.iter().fold(0, |read, found| read ^ found.offer.read_ahead(found.opening, step)));
    }
}

/// Cost in seconds of care that begins at an instant, at a distance, from a schedule and practice.
#[must_use]
pub fn cost_seconds(
    question: &Question<'_>,
    offer: &Offer,
    practice: &Practice,
    modality: Modality,
    care_begins_at: UtcInstant,
    distance_m: Option<u32>,
) -> u32 {
    let by_time = question.time_cost_seconds(care_begins_at, modality, distance_m);
    by_time.saturating_add(surcharge_seconds(question, offer, practice))
}

/// The distance that somebody travels: nobody for a teleconsultation.
#[must_use]
#[inline]
pub fn travelled_m(modality: Modality, distance_m: Option<u32>) -> Option<u32> {
    distance_m.filter(|_| modality != Modality::Vr)
}

/// What is added to the cost of waiting and travelling: territory, staleness, and that nobody could be contacted.
#[inline]
pub(super) fn surcharge_seconds(question: &Question<'_>, offer: &Offer, practice: &Practice) -> u32 {
    let preference = question.preference_cost_seconds(question.preference(&practice.territories));
    let doubt = question.doubt_cost_seconds(offer).saturating_add(contact_cost_seconds(offer));
    preference.saturating_add(doubt)
}

/// Looks for the best few openings, one a schedule.
#[derive(Debug)]
pub struct Matcher<'q> {
    question: &'q Question<'q>,
    limit: usize,
    /// The best so far, in order, at most `limit`.
    best: Vec<Match>,
    /// The cost above which nothing can be among them any more.
    bound: u32,
}

/// The best opening of one schedule so far.
#[derive(Clone, Copy)]
struct Best {
    cost_seconds: u32,
    opening: usize,
    kind: OpeningKind,
    modality: Modality,
    care_begins_at: UtcInstant,
}

impl Best {
    /// Whether it comes before another of the same schedule.
    #[inline]
    fn is_before(&self, other: &Self, offer: &Offer) -> bool {
        let by_slot = || offer.row.order_of_slots(self.opening, &offer.row, other.opening);
        let order = self.cost_seconds.cmp(&other.cost_seconds).then_with(by_slot);
        order.then_with(|| (self.modality as u8).cmp(&(other.modality as u8))).is_lt()
    }
}

impl<'q> Matcher<'q> {
    /// Looks for at most `limit` openings.
    #[must_use]
    pub fn new(question: &'q Question<'q>, limit: usize) -> Self {
        Self::resumed(question, limit, Vec::with_capacity(limit + 1))
    }

    /// Goes on from the best that a question with a smaller radius found: what suited then suits now.
    #[must_use]
    pub fn resumed(question: &'q Question<'q>, limit: usize, best: Vec<Match>) -> Self {
        let mut matcher = Self { question, limit, best, bound: u32::MAX };
        matcher.lower_bound();
        matcher
    }

    /// The best openings, best first.
    #[must_use]
    pub fn into_matches(self) -> Vec<Match> {
        self.best
    }

    /// Takes the bound from the last of the best.
    fn lower_bound(&mut self) {
        if let Some(last) = self.best.last().filter(|_| self.best.len() >= self.limit) {
            self.bound = last.precedence.reach_seconds(self.question, last.cost_seconds);
        }
    }

    #[inline]
    fn admits(&self, cost_seconds: u32) -> bool {
        cost_seconds <= self.bound()
    }

    /// The best of the modalities in which an opening may suit.
    #[inline]
    fn look(&self, candidate: &Candidate<'_>, usable: &Usable, at: usize, opening: &Opening) -> Option<Best> {
        let (question, distance_m) = (self.question, candidate.distance_m);
        let mut best: Option<Best> = None;
        for modality in usable.modalities.iter() {
            let (failed, care_begins_at) =
                opening_rules(question, opening, modality, usable.arrival_at(question, modality));
            if !failed.is_empty() {
                continue;
            }
            let by_time = question.time_cost_seconds(care_begins_at, modality, distance_m);
            let cost = by_time.saturating_add(usable.of_practice.surcharge_seconds);
            if best.as_ref().is_none_or(|best| cost < best.cost_seconds) {
                best = Some(Best { cost_seconds: cost, opening: at, kind: opening.kind, modality, care_begins_at });
            }
        }
        best
    }

    fn enter(&mut self, candidate: &Candidate<'_>, best: &Best) {
        let found = Match {
            number: candidate.number,
            cost_seconds: best.cost_seconds,
            precedence: Precedence::of(self.question, candidate.offer, best.opening, best.cost_seconds),
            offer: Arc::clone(candidate.offer),
            opening: best.opening,
            kind: best.kind,
            modality: best.modality,
            care_begins_at: best.care_begins_at,
            distance_m: candidate.distance_m,
        };
        if let Some(at) = self.best.iter().position(|known| known.number == found.number) {
            if self.best.get(at).is_some_and(|known| known.order(&found).is_le()) {
                return;
            }
            self.best.remove(at);
        }
        let at = self.best.partition_point(|known| known.order(&found).is_lt());
        self.best.insert(at, found);
        self.best.truncate(self.limit);
        self.lower_bound();
    }
}

/// What the openings of one kind have in common for one question.
struct Usable {
    /// The modalities in which nothing but time and capacity may still fail.
    modalities: ModalitySet,
    of_practice: UsablePractice,
}

/// What the openings of one practice have in common: kinds alternate, practices hardly ever do.
#[derive(Clone, Copy)]
struct UsablePractice {
    /// The modalities in which nothing but kind, time and capacity may still fail.
    modalities: ModalitySet,
    /// What is added to the cost of waiting and travelling.
    surcharge_seconds: u32,
    /// When the patient would be at the place.
    at_place: UtcInstant,
}

impl UsablePractice {
    #[inline]
    fn of(question: &Question<'_>, rules: &OfferRules, candidate: &Candidate<'_>, practice: &Practice) -> Self {
        let mut modalities = ModalitySet::EMPTY;
        for modality in question.suitable.iter() {
            let failed = rules.failed(modality);
            let at_distance = modality_rules(question, (candidate.offer, practice), modality, candidate.distance_m);
            if failed.union(at_distance).is_empty() {
                modalities.insert(modality);
            }
        }
        let surcharge_seconds = surcharge_seconds(question, candidate.offer, practice);
        Self { modalities, surcharge_seconds, at_place: ready_at(question, Modality::Amb, candidate.distance_m) }
    }
}

impl Usable {
    /// What openings of a kind have in common, after those of another kind of the same schedule.
    #[inline]
    fn after(
        before: Option<&(OpeningKind, Self)>,
        question: &Question<'_>,
        rules: &OfferRules,
        candidate: &Candidate<'_>,
        kind: OpeningKind,
    ) -> Self {
        let practice = candidate.offer.practice_of(kind);
        let known = before.filter(|(before, _)| before.practice == kind.practice).map(|(_, usable)| usable.of_practice);
        let of_practice = known.unwrap_or_else(|| UsablePractice::of(question, rules, candidate, practice));
        let mut modalities = ModalitySet::EMPTY;
        if kind_rules(question, kind, practice).is_empty() {
            modalities = ModalitySet::from_bits(of_practice.modalities.bits() & kind.modalities().bits());
        }
        Self { modalities, of_practice }
    }

    #[inline]
    const fn arrival_at(&self, question: &Question<'_>, modality: Modality) -> UtcInstant {
        match modality {
            Modality::Amb => self.of_practice.at_place,
            Modality::Vr | Modality::Hh => question.now,
        }
    }
}

impl Judge for Matcher<'_> {
    #[inline]
    fn earliest_at(&self, distance_m: u32, ways: CareWays) -> UtcInstant {
        self.question.earliest_at(distance_m, ways)
    }

    #[inline]
    fn least_cost(&self, distance_m: u32, care_begins_at: UtcInstant) -> u32 {
        self.question.least_cost_seconds(care_begins_at, Some(distance_m))
    }

    #[inline]
    fn least_remote_cost(&self, care_begins_at: UtcInstant) -> u32 {
        self.question.least_cost_seconds(care_begins_at, None)
    }

    #[inline]
    fn territory_cost(&self, territories: &[TerritoryId]) -> u32 {
        // Of each alone: openings of one schedule may be of different ones.
        let alone =
            |territory: &[TerritoryId]| self.question.preference_cost_seconds(self.question.preference(territory));
        territories.chunks(1).map(alone).min().unwrap_or_else(|| alone(&[]))
    }

    #[inline]
    fn staleness_cost(&self, received_at: UtcInstant) -> u32 {
        self.question.staleness_cost_seconds(received_at)
    }

    #[inline]
    fn bound(&self) -> u32 {
        self.bound
    }

    #[inline]
    fn admits_at_bound(&self, id: &ScheduleId) -> bool {
        let Some(last) = self.best.last().filter(|_| self.best.len() >= self.limit) else { return true };
        !last.precedence.is_foremost(self.question) || *id <= last.offer.schedule.id
    }

    #[inline]
    fn judged_in_order(&self) -> usize {
        JUDGED_IN_ORDER
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let question = self.question;
        let rules = OfferRules::of(question, candidate.offer);
        let row = &candidate.offer.row;
        let first = row.first_running_at(question.now);
        let mut best: Option<Best> = None;
        // Neighbouring openings mostly are of one kind: what it allows is worked out once.
        let mut last: Option<(OpeningKind, Usable)> = None;
        for (at, opening) in row.openings().iter().enumerate().skip(first) {
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
            if last.as_ref().is_none_or(|(kind, _)| *kind != opening.kind) {
                let usable = Usable::after(last.as_ref(), question, &rules, &candidate, opening.kind);
                last = Some((opening.kind, usable));
            }
            let Some((_, usable)) = &last else { continue };
            let Some(found) = self.look(&candidate, usable, at, opening) else { continue };
            if best.as_ref().is_none_or(|best| found.is_before(best, candidate.offer)) {
                best = Some(found);
            }
        }
        if let Some(best) = best.filter(|best| self.admits(best.cost_seconds)) {
            self.enter(&candidate, &best);
        }
    }
}
