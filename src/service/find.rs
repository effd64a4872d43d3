//! The regulator's question: triage, then the walk through the index, then reasons.
//!
//! Takes microseconds and never fails: escalation is decided before the index is touched, "nothing found" is an outcome,
//! and the ledger is not asked.

use std::sync::Arc;

use crate::domain::answer::{CareAnswer, CareOption, CareOutcome, NearMiss, Radius, Stamp};
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::id::TerritoryId;
use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;
use crate::index::{Index, Reach};
use crate::routing::explanation::{near_miss, option, outcome_of, outcome_sentence};
use crate::routing::near::{Examination, Examiner};
use crate::routing::policy::Policy;
use crate::routing::question::Question;
use crate::routing::radius::RadiusPlan;
use crate::routing::ranking::{Match, Matcher, travelled_m};
use crate::routing::sites::{SitesQuery, nearest, sites_sentence};
use crate::routing::suitability::SiteNeeds;
use crate::routing::triage::{Triage, triage};

use super::Service;
use super::condition::is_degraded;

/// Schedules examined for near misses when there are options enough: cell by cell around the patient, the nearest first.
const EXAMINED_BESIDE_OPTIONS: usize = 16;
/// How far the examination goes at least beside options enough, in metres.
const EXAMINED_AT_LEAST_M: u32 = 2_000;
/// Schedules examined for near misses when there are not.
const EXAMINED_WITHOUT_OPTIONS: usize = 128;

/// Answers questions from an index, under a policy.
#[derive(Clone, Copy, Debug)]
pub struct Finder<'a> {
    /// State in memory.
    pub index: &'a Index,
    /// Figures in force.
    pub policy: &'a Policy,
    /// Whether the service works with less than it should.
    pub degraded: bool,
}

/// What a search found; the default is that of none made.
#[derive(Default)]
struct Search {
    options: Vec<CareOption>,
    near_misses: Vec<NearMiss>,
    examination: Examination,
    radius: Option<Radius>,
    needed_by_at: Option<UtcInstant>,
}

impl Service {
    /// Answers the regulator's question; never fails, and asks neither disk nor network.
    #[must_use]
    pub fn find(&self, query: &CareQuery) -> CareAnswer {
        let parts = self.parts();
        let now = parts.clock.now();
        let degraded = is_degraded(&parts.ledger.health(), now);
        Finder { index: &parts.index, policy: self.policy(), degraded }.find(query, now)
    }
}

impl Finder<'_> {
    /// Answers a question at an instant.
    #[must_use]
    pub fn find(&self, query: &CareQuery, now: UtcInstant) -> CareAnswer {
        let triage = triage(query);
        let search = if triage.searches { self.search(query, now) } else { Search::default() };
        self.answer(query, now, triage, search)
    }

    /// The best openings only, without reasons: what the benches time.
    #[must_use]
    pub fn matches(&self, query: &CareQuery, now: UtcInstant) -> (Vec<Match>, RadiusPlan) {
        self.matched(query, now, &self.neighbours(query))
    }

    fn matched(&self, query: &CareQuery, now: UtcInstant, neighbours: &[TerritoryId]) -> (Vec<Match>, RadiusPlan) {
        let mut plan = RadiusPlan::new(query, self.policy);
        let enough = self.policy.enough_options.min(query.limit());
        let widens = searches_by_place(query.parts().modalities);
        loop {
            let question = Question::new(query, self.policy, now, plan.radius().radius_m, neighbours);
            let mut matcher = Matcher::new(&question, query.limit());
            self.index.search(&reach(&question, question.radius_m, question.needed_by_at, false), &mut matcher);
            let matches = matcher.into_matches();
            if matches.len() >= enough || !widens || !plan.widen() {
                return (matches, plan);
            }
        }
    }

    fn search(&self, query: &CareQuery, now: UtcInstant) -> Search {
        let neighbours = self.neighbours(query);
        let (matches, plan) = self.matched(query, now, &neighbours);
        let question = Question::new(query, self.policy, now, plan.radius().radius_m, &neighbours);
        let short = matches.len() < query.limit();
        let schedules_max = if short { EXAMINED_WITHOUT_OPTIONS } else { EXAMINED_BESIDE_OPTIONS };
        let mut examiner = Examiner::new(&question, schedules_max);
        // Beside options enough, what is about as near as they are says enough; beside teleconsultations, what is around.
        let travelled = matches.iter().filter_map(|found| travelled_m(found.modality, found.distance_m));
        let options_m = travelled.max().unwrap_or(plan.radius().radius_m);
        let examined_m = if short { plan.one_step_farther_m() } else { options_m.max(EXAMINED_AT_LEAST_M) };
        let mut farther = reach(&question, examined_m, examiner.until(), true);
        let examines_places = farther.position.is_some();
        if examines_places {
            // By place, teleconsulting schedules around are examined too; by time, the whole country would be.
            farther.modalities = ModalitySet::of(&[Modality::Amb, Modality::Hh]);
        }
        self.index.search(&farther, &mut examiner);
        let mut examination = examiner.finish();
        examination.complete &= short && examines_places;
        let misses = std::mem::take(&mut examination.misses);
        let near_misses = misses.into_iter().filter_map(|miss| {
            let slot = miss.found.slot()?;
            Some(near_miss(&question, miss, slot))
        });
        let by_place = question.parts.position.is_some() && searches_by_place(question.parts.modalities);
        Search {
            near_misses: near_misses.collect(),
            radius: by_place.then(|| plan.radius()),
            needed_by_at: Some(question.needed_by_at),
            examination,
            options: options(&question, matches),
        }
    }

    fn answer(&self, query: &CareQuery, now: UtcInstant, triage: Triage, search: Search) -> CareAnswer {
        let Search { options, near_misses, examination, radius, needed_by_at } = search;
        let best = options.first();
        let outcome = triage.outcome.unwrap_or_else(|| {
            best.map_or(CareOutcome::NoSlotInTime, |best| outcome_of(best.modality, best.appointment_type))
        });
        let dispatch = outcome == CareOutcome::EmergencyDispatch;
        let (position, needs) = (query.parts().position.as_ref(), SiteNeeds::of(query.parts()));
        let emergency_sites = nearest(&self.index.sites(), &SitesQuery { position, needs, dispatch, now }, self.policy);
        let delay_minutes = needed_by_at.map_or(0, |needed_by_at| needed_by_at.minutes_since(now));
        let mut sentence = outcome_sentence(outcome, best, delay_minutes);
        if outcome == CareOutcome::EmergencyDepartment && !emergency_sites.is_empty() {
            sentence.push(' ');
            sentence.push_str(&sites_sentence(&emergency_sites));
        }
        CareAnswer {
            outcome,
            rule_id: triage.rule_id,
            sentence,
            stamp: Stamp {
                position: self.index.head(),
                answered_at: now,
                data_age_seconds: options.iter().map(|option| option.parts.data_age_seconds).max(),
                policy_version: Arc::clone(&self.policy.version),
                degraded: self.degraded,
            },
            emergency_sites,
            warnings: warnings::warnings(query, self.index, needed_by_at.is_some()),
            needed_by_at,
            radius,
            examined_count: examination.examined_count,
            examined_all: examination.complete,
            exclusions: examination.exclusions,
            near_misses,
            options,
        }
    }

    /// The territories that share patients with the patient's own.
    fn neighbours(&self, query: &CareQuery) -> Vec<TerritoryId> {
        let own = query.parts().territories.first().and_then(|own| self.index.territory(own));
        own.map(|own| own.value.neighbours.clone()).unwrap_or_default()
    }
}

/// The options that matches make, as the slots were when they matched.
fn options(question: &Question<'_>, matches: Vec<Match>) -> Vec<CareOption> {
    let made = |found: Match| {
        let slot = found.slot()?;
        Some(option(question, found, slot))
    };
    matches.into_iter().filter_map(made).collect()
}

const fn searches_by_place(modalities: ModalitySet) -> bool {
    modalities.intersects(ModalitySet::of(&[Modality::Amb, Modality::Hh]))
}

fn reach(question: &Question<'_>, radius_m: u32, until: UtcInstant, exhaustive: bool) -> Reach {
    Reach {
        position: question.parts.position,
        radius_m,
        now: question.now,
        until,
        modalities: question.parts.modalities,
        appointment_types: question.parts.appointment_types,
        visibilities: question.visibilities(),
        specialties: question.parts.specialties,
        professions: question.parts.professions,
        exhaustive,
    }
}

mod warnings;

#[cfg(test)]
mod tests;
