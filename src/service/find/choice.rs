//! From what matched to what is told: the preferred practitioner first, then a choice that is one.
//!
//! Mostly nothing is alike and the best are told as they are. When something is set aside and nothing else of what matched
//! can take its place, more is matched, until there is enough or no more.

use crate::domain::code::Modality;
use crate::routing::diversity::Choice;
use crate::routing::question::Question;
use crate::routing::ranking::{Match, Matcher};

use super::{Finder, preferred, searches_by_place};

/// How many matches are looked at for others than those that are alike, and how many have a rank.
pub(in crate::service) const RANKED_MAX: usize = 500;
/// How many times more are matched when those before were not enough.
const POOL_GROWTH: usize = 4;

impl Finder<'_> {
    /// Chooses so many of the best that suit a question; `matches` are the best `pool` of them, or all.
    pub(super) fn chosen(
        &self,
        question: &Question<'_>,
        mut matches: Vec<Match>,
        mut pool: usize,
        limit: usize,
    ) -> Choice {
        loop {
            let is_all = matches.len() < pool;
            let ordered = preferred::first(self.index, question, matches, pool);
            let choice = Choice::of(question, ordered, limit);
            if is_all || !choice.filled_up || pool == RANKED_MAX {
                return choice;
            }
            pool = (pool * POOL_GROWTH).min(RANKED_MAX);
            matches = self.best(question, pool);
        }
    }

    /// The same choice, with all that has a rank.
    pub(in crate::service) fn ranked(&self, question: &Question<'_>, limit: usize) -> Choice {
        let matches = self.best(question, RANKED_MAX);
        Choice::of(question, preferred::first(self.index, question, matches, RANKED_MAX), limit)
    }

    /// At most so many openings that suit a question, best first, within its radius.
    fn best(&self, question: &Question<'_>, limit: usize) -> Vec<Match> {
        let mut matcher = Matcher::new(question, limit);
        if searches_by_place(question.suitable) {
            self.look_around(question, &mut matcher);
        }
        if question.suitable.contains(Modality::Vr) {
            self.look_remotely(question, &mut matcher);
        }
        matcher.into_matches()
    }
}
