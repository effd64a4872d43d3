//! Which of the best are told, so that a choice is one: not all at one place, not all with one professional.
//!
//! The best come first, in order; what would be one too many at its place or with its professional is set aside for the next
//! that is not. When others do not fill the answer, what was set aside does: an answer is never shorter for this rule.
//! The patient's own professional is never set aside.

use crate::domain::answer::{Alike, Likeness};

use super::question::Question;
use super::ranking::Match;

/// What of the matches is told, and what is not for being like others.
#[derive(Debug, Default)]
pub struct Choice {
    /// Best first.
    pub told: Vec<Match>,
    /// What would have been told but for others like it, best first.
    pub set_aside: Vec<(Match, Likeness)>,
    /// What comes after all that was needed, best first.
    pub beyond: Vec<Match>,
    /// Whether some are told although as many are like them as the policy allows, for want of others.
    pub filled_up: bool,
}

impl Choice {
    /// Chooses so many of matches, which come best first.
    #[must_use]
    pub fn of(question: &Question<'_>, matches: Vec<Match>, limit: usize) -> Self {
        let mut choice = Self { told: Vec::with_capacity(limit), ..Self::default() };
        let mut skipped: Vec<(usize, Match, Likeness)> = Vec::new();
        let mut places: Vec<usize> = Vec::with_capacity(limit);
        for (at, found) in matches.into_iter().enumerate() {
            if choice.told.len() == limit {
                choice.beyond.push(found);
            } else if let Some(likeness) = one_too_many(question, &choice.told, &found) {
                skipped.push((at, found, likeness));
            } else {
                choice.told.push(found);
                places.push(at);
            }
        }
        for (at, found, likeness) in skipped {
            if choice.told.len() < limit {
                choice.filled_up = true;
                let place = places.partition_point(|known| *known < at);
                places.insert(place, at);
                choice.told.insert(place, found);
            } else {
                choice.set_aside.push((found, likeness));
            }
        }
        choice
    }

    /// What is told, and the next so many of what is not, best first.
    #[must_use]
    pub fn into_candidates(self, next: usize) -> Vec<Match> {
        let set_aside = self.set_aside.into_iter().map(|(found, _)| found);
        let mut others: Vec<Match> = set_aside.chain(self.beyond).collect();
        others.sort_by(Match::order);
        others.truncate(next);
        self.told.into_iter().chain(others).collect()
    }

    /// How many were set aside, by what they are alike in.
    #[must_use]
    pub fn alike(&self) -> Vec<Alike> {
        let count = |likeness| self.set_aside.iter().filter(|(_, known)| *known == likeness).count();
        let counts = Likeness::ALL.into_iter().map(|likeness| (likeness, u32::try_from(count(likeness)).unwrap_or(0)));
        counts.filter(|(_, count)| *count > 0).map(|(likeness, count)| Alike { likeness, count }).collect()
    }
}

/// In what a match is like as many of those told as the policy allows.
fn one_too_many(question: &Question<'_>, told: &[Match], found: &Match) -> Option<Likeness> {
    let diversity = &question.policy.diversity;
    let schedule = &found.offer.schedule;
    if question.is_preferred(&found.offer) {
        return None;
    }
    let full = |max: u32, is_alike: &dyn Fn(&&Match) -> bool| {
        told.iter().filter(is_alike).count() >= usize::try_from(max).unwrap_or(usize::MAX)
    };
    let same_place = |other: &&Match| other.offer.schedule.place_id == schedule.place_id;
    let same_practitioner = |other: &&Match| {
        schedule.practitioner_id.is_some() && other.offer.schedule.practitioner_id == schedule.practitioner_id
    };
    if full(diversity.per_place_max, &same_place) {
        return Some(Likeness::Place);
    }
    full(diversity.per_practitioner_max, &same_practitioner).then_some(Likeness::Practitioner)
}
