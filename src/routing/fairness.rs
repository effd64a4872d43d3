//! Who goes first among equivalents: the newcomer in some cases, else who was chosen least recently.
//!
//! Costs are cut into steps of the policy's `equivalent_within_seconds`; within a step the turn comes before the cost, and no
//! step ever goes before a lesser one. Steps stand where they stand, whatever else is offered, so that the order of two
//! options is the same in every answer. Everything in it suits, so fairness cannot go beyond the clinical delay.

use crate::domain::share::{Share, Turn};

use super::question::Question;

/// What comes before the cost in the order of options.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Precedence {
    /// Number of the step of costs.
    step: u32,
    /// Whether newcomers of the same step go before it.
    behind_newcomers: bool,
    /// When it was last chosen.
    turn: Turn,
}

impl Precedence {
    /// That of an option at a cost, whoever shares it.
    #[must_use]
    #[inline]
    pub fn of(question: &Question<'_>, share: &Share, cost_seconds: u32) -> Self {
        let fairness = &question.policy.fairness;
        let Some(step) = cost_seconds.checked_div(fairness.equivalent_within_seconds) else {
            return Self { step: cost_seconds, ..Self::default() };
        };
        let behind_newcomers = question.newcomers_first && !share.is_newcomer(question.now, fairness.newcomer_days);
        Self { step, behind_newcomers, turn: share.turn(question.case).counted_at(question.now) }
    }

    /// The greatest cost at which something could still go before an option of this precedence and cost.
    #[must_use]
    #[inline]
    pub fn reach_seconds(self, question: &Question<'_>, cost_seconds: u32) -> u32 {
        if self.is_foremost() {
            return cost_seconds;
        }
        let step_seconds = question.policy.fairness.equivalent_within_seconds;
        self.step.saturating_add(1).saturating_mul(step_seconds).saturating_sub(1)
    }

    /// Whether nothing of the same step goes before it but for its cost.
    #[must_use]
    #[inline]
    pub fn is_foremost(self) -> bool {
        !self.behind_newcomers && self.turn == Turn::NEVER
    }

    /// Whether two options are equivalent.
    #[must_use]
    pub const fn is_equivalent(self, other: Self) -> bool {
        self.step == other.step
    }

    /// When it was last chosen.
    #[must_use]
    pub const fn turn(self) -> Turn {
        self.turn
    }
}
