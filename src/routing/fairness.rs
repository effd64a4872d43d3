//! Who goes first among equivalents: the newcomer in some cases, else who was chosen least recently.
//!
//! Costs are cut into steps of the policy's `equivalent_within_seconds`; within a step the turn comes before the cost, and no
//! step ever goes before a lesser one. Steps begin at fixed instants, whenever it is asked and whatever else is offered: two
//! appointments that are equivalent now still are in a minute. All of them suit, so fairness never goes beyond the
//! clinical delay.

use crate::domain::answer::{FairShare, FairShareReason};
use crate::domain::offer::Offer;
use crate::domain::share::Turn;

use super::question::Question;
use super::ranking::Match;

/// What comes before the cost in the order of options.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Precedence {
    /// Number of the step of costs.
    step: u32,
    /// Its place in what whoever asks has before their eyes; behind all of that when it is not in it.
    place_shown: u8,
    /// Whether newcomers of the same step go before it.
    behind_newcomers: bool,
    /// When it was last chosen.
    turn: Turn,
}

impl Precedence {
    /// That of an opening of an offer at a cost.
    #[must_use]
    #[inline]
    pub fn of(question: &Question<'_>, offer: &Offer, opening: usize, cost_seconds: u32) -> Self {
        let fairness = &question.policy.fairness;
        let Some(step) = question.steps_of_cost(cost_seconds) else {
            return Self { step: cost_seconds, ..Self::default() };
        };
        Self {
            step,
            place_shown: place_shown(question, offer, opening),
            behind_newcomers: question.newcomers_first
                && !offer.share.is_newcomer(question.now, fairness.newcomer_days),
            turn: offer.share.turn(question.case).counted_at(question.now),
        }
    }

    /// The greatest cost at which something could still go before an option of this precedence and cost.
    #[must_use]
    #[inline]
    pub fn reach_seconds(self, question: &Question<'_>, cost_seconds: u32) -> u32 {
        if self.is_foremost(question) { cost_seconds } else { question.last_cost_of_step(self.step) }
    }

    /// Whether nothing of the same step goes before it but for its cost.
    #[must_use]
    #[inline]
    pub fn is_foremost(self, question: &Question<'_>) -> bool {
        question.parts.shown.is_empty() && !self.behind_newcomers && self.turn == Turn::NEVER
    }

    /// Whether two options are equivalent.
    #[must_use]
    pub const fn is_equivalent(self, other: Self) -> bool {
        self.step == other.step
    }
}

/// The place of an opening in what is shown to whoever asks; the last place of all when it is not.
fn place_shown(question: &Question<'_>, offer: &Offer, opening: usize) -> u8 {
    let shown = &question.parts.shown;
    if shown.is_empty() {
        return u8::MAX;
    }
    let slot = offer.row.slot(opening);
    let place = slot.and_then(|slot| shown.iter().position(|known| slot.id.is(known.as_str())));
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}

/// Of the options of an answer, best first, which go before equivalents that cost less, and why.
#[must_use]
pub fn fair_shares(question: &Question<'_>, told: &[Match]) -> Vec<Option<FairShare>> {
    let of = |(at, found): (usize, &Match)| {
        let is_equivalent = |other: &&Match| other.precedence.is_equivalent(found.precedence);
        let is_passed = |other: &&Match| is_equivalent(other) && other.order_by_cost(found).is_lt();
        let passed = || told.iter().skip(at + 1).filter(is_passed);
        let passed_count = passed().count();
        if passed_count == 0 || question.is_preferred(&found.offer) {
            return None;
        }
        let is_newcomer = !found.precedence.behind_newcomers && passed().any(|other| other.precedence.behind_newcomers);
        Some(FairShare {
            reason: if is_newcomer { FairShareReason::Newcomer } else { FairShareReason::LeastRecent },
            equivalent_count: u32::try_from(told.iter().filter(is_equivalent).count()).unwrap_or(u32::MAX),
            passed_count: u32::try_from(passed_count).unwrap_or(u32::MAX),
        })
    };
    told.iter().enumerate().map(of).collect()
}
