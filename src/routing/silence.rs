//! Whether a silent source would have had what nobody else has: "nothing" is said only when no source that might have
//! served is silent.
//!
//! Judges only schedules that are not believed any more; what is believed was looked at by the match itself.

use crate::domain::answer::{Rule, SilentSource};
use crate::domain::id::{ScheduleId, TerritoryId};
use crate::domain::offer::{Candidate, CareWays, Judge};
use crate::domain::source::Confidence;
use crate::domain::time::UtcInstant;

use super::eligibility::OfferRules;
use super::failures::KindFailures;
use super::question::Question;

/// Looks for openings that fail nothing but that their source is silent.
#[derive(Debug)]
pub struct SilenceProbe<'q> {
    question: &'q Question<'q>,
    silent: Vec<SilentSource>,
}

impl<'q> SilenceProbe<'q> {
    /// Nothing was heard yet of any silence.
    #[must_use]
    pub const fn new(question: &'q Question<'q>) -> Self {
        Self { question, silent: Vec::new() }
    }

    /// The silent sources that would have served, in order of identifier.
    #[must_use]
    pub fn into_sources(mut self) -> Vec<SilentSource> {
        self.silent.sort_by(|a, b| a.id.cmp(&b.id));
        self.silent
    }

    fn would_serve(&self, candidate: &Candidate<'_>) -> bool {
        let (question, offer) = (self.question, candidate.offer);
        let rules = OfferRules::of(question, offer);
        let first = offer.row.first_running_at(question.now);
        let openings = offer.row.openings().iter().skip(first);
        openings.take_while(|opening| opening.start_at <= question.needed_by_at).any(|opening| {
            let failures = KindFailures::after(None, question, &rules, candidate, opening.kind);
            let least = failures.least_failing(question, opening);
            least.is_some_and(|(failed, _, _)| failed.only() == Some(Rule::Silence))
        })
    }
}

impl Judge for SilenceProbe<'_> {
    fn earliest_at(&self, distance_m: u32, ways: CareWays) -> UtcInstant {
        self.question.earliest_at(distance_m, ways)
    }

    fn least_cost(&self, _distance_m: u32, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn least_remote_cost(&self, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn territory_cost(&self, _territories: &[TerritoryId]) -> u32 {
        0
    }

    /// What was received lately is believed; whether a lease holds is known of each schedule alone.
    fn staleness_cost(&self, received_at: UtcInstant) -> u32 {
        let may_be_silent = received_at == UtcInstant::MAX || self.question.is_stale(received_at);
        if may_be_silent { 0 } else { u32::MAX }
    }

    fn bound(&self) -> u32 {
        0
    }

    fn admits_at_bound(&self, _id: &ScheduleId) -> bool {
        true
    }

    /// Whoever is silent is told, in whatever order.
    fn judged_in_order(&self) -> usize {
        0
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let offer = candidate.offer;
        if self.question.confidence(offer) != Confidence::Hidden || !self.would_serve(&candidate) {
            return;
        }
        let (id, heard_at) = (&offer.schedule.source_id, offer.heard_at());
        match self.silent.iter_mut().find(|known| known.id == *id) {
            Some(known) => {
                known.last_heard_at = known.last_heard_at.max(heard_at);
                known.schedule_count += 1;
            }
            None => self.silent.push(SilentSource {
                id: id.clone(),
                confidence: Confidence::Hidden,
                last_heard_at: heard_at,
                schedule_count: 1,
            }),
        }
    }
}
