//! The regulator's question: triage, then the walk through the index, then reasons.
//!
//! Takes microseconds and never fails: escalation is decided before the index is touched, "nothing found" is an outcome,
//! and the ledger is not asked.

use std::sync::Arc;

use crate::domain::answer::{
    Alike, Availability, CareAnswer, CareOption, CareOutcome, NearMiss, PolicyRule, Radius, Stamp, WhatIf,
};
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::id::TerritoryId;
use crate::domain::offer::Judge;
use crate::domain::query::CareQuery;
use crate::domain::record::Position;
use crate::domain::road::RoadDoubt;
use crate::domain::time::UtcInstant;
use crate::index::{Index, Reach, RemoteFrom};
use crate::routing::diversity::Choice;
use crate::routing::explanation::{near_miss, options, outcome_of, outcome_sentence};
use crate::routing::near::{Examination, Examiner, Miss};
use crate::routing::policy::{BeyondTerritory, Policy};
use crate::routing::question::{BY_PLACE, Question, Surroundings};
use crate::routing::radius::RadiusPlan;
use crate::routing::ranking::{Match, Matcher, read_ahead, travelled_m};
use crate::routing::sites::{SitesQuery, nearest, sites_sentence};
use crate::routing::triage::{Triage, triage};

use super::Service;
use super::policy::InForce;
use crate::trace::{Attribute, part, timed};

pub(super) use choice::RANKED_MAX;

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

/// What matched a question, and the question as it was settled.
pub(super) struct Survey<'q> {
    /// The question, within the radius in which it is answered.
    pub(super) question: Question<'q>,
    /// The radius.
    pub(super) plan: RadiusPlan,
    /// What suits, and what of it is told.
    choice: Choice,
    /// Whether only teleconsultation from beyond the patient's territory did.
    from_anywhere: bool,
}

/// What a search found; the default is that of none made.
#[derive(Default)]
struct Search {
    options: Vec<CareOption>,
    near_misses: Vec<NearMiss>,
    what_ifs: Vec<WhatIf>,
    examination: Examination,
    radius: Option<Radius>,
    needed_by_at: Option<UtcInstant>,
    policy_rules: Vec<PolicyRule>,
    road_doubt: Option<RoadDoubt>,
    alike: Vec<Alike>,
}

impl Service {
    /// Answers the regulator's question; never fails, and asks neither disk nor network.
    #[must_use]
    pub fn find(&self, query: &CareQuery) -> CareAnswer {
        let now = self.parts().clock.now();
        self.answered(query, now).1
    }

    /// What answers a question at an instant, under these policies.
    pub(super) fn finder<'a>(&'a self, in_force: &'a InForce, query: &CareQuery, now: UtcInstant) -> Finder<'a> {
        Finder { index: &self.parts().index, policy: in_force.set.of_query(query), degraded: self.is_degraded(now) }
    }
}

impl Finder<'_> {
    /// Answers a question at an instant. What one answer costs is counted in this function, which therefore stays one.
    #[must_use]
    #[inline(never)]
    pub fn find(&self, query: &CareQuery, now: UtcInstant) -> CareAnswer {
        // Of before the search: whatever is applied meanwhile may or may not be taken into account.
        let position = self.index.head();
        let refused = self.without_refused(query);
        let query = refused.as_ref().unwrap_or(query);
        let triage = timed("triage", || triage(query, self.policy));
        let search = if triage.searches { self.search(query, now) } else { Search::default() };
        stages::answering(|| self.answer(query, (position, now), triage, search))
    }

    /// The best openings only, without reasons: what the benches time.
    #[must_use]
    pub fn matches(&self, query: &CareQuery, now: UtcInstant) -> (Vec<Match>, RadiusPlan) {
        let neighbours = self.neighbours(query);
        let surroundings = Surroundings { department: query.department(), neighbours: &neighbours };
        let Survey { choice, plan, .. } = self.matched(query, now, surroundings, query.limit());
        (choice.told, plan)
    }

    /// What suits a query, chosen from at least so many, and the question that is answered in the end.
    pub(super) fn survey<'q>(
        &'q self,
        query: &'q CareQuery,
        now: UtcInstant,
        neighbours: &'q [TerritoryId],
        pool: usize,
    ) -> Survey<'q> {
        self.matched(query, now, Surroundings { department: query.department(), neighbours }, pool)
    }

    /// What suits a query, chosen from at least so many: widened until there is enough choice.
    fn matched<'q>(
        &'q self,
        query: &'q CareQuery,
        now: UtcInstant,
        surroundings: Surroundings<'q>,
        pool: usize,
    ) -> Survey<'q> {
        let mut plan = RadiusPlan::new(query, self.policy);
        let enough = self.policy.enough_options.min(query.limit());
        let mut matches = Vec::with_capacity(pool + 1);
        let (mut is_first, mut widenings) = (true, 0_usize);
        let mut question = Question::new(query, self.policy, now, plan.radius().radius_m, surroundings);
        loop {
            let mut matcher = Matcher::resumed(&question, pool, matches);
            let by_place = searches_by_place(question.suitable);
            if by_place {
                self.look_around(&question, &mut matcher);
            }
            // Teleconsultation knows no radius: widening it finds none that was not found before.
            if is_first && question.suitable.contains(Modality::Vr) {
                self.look_remotely(&question, &mut matcher);
            }
            is_first = false;
            matches = matcher.into_matches();
            if matches.len() >= enough || !by_place || !plan.widen() {
                break;
            }
            question.radius_m = plan.radius().radius_m;
            widenings += 1;
        }
        let last_resort = self.policy.teleconsultation.beyond == BeyondTerritory::LastResort;
        let near_m = question.remote_near_m;
        let is_held_back = near_m.is_some() && question.suitable.contains(Modality::Vr);
        let from_anywhere = matches.is_empty() && last_resort && is_held_back;
        if from_anywhere {
            question.remote_near_m = None;
            let mut matcher = Matcher::resumed(&question, pool, matches);
            self.look_remotely(&question, &mut matcher);
            matches = matcher.into_matches();
        }
        let span = part("ranking");
        span.set(Attribute::MATCHES, matches.len());
        span.set(Attribute::WIDENINGS, widenings);
        read_ahead(&matches);
        let choice = self.chosen(&question, matches, pool, query.limit());
        drop(span);
        let from_anywhere = from_anywhere && !choice.told.is_empty();
        // Where that found nothing either, what is told is told of the question as it was asked.
        question.remote_near_m = near_m.filter(|_| !from_anywhere);
        Survey { question, plan, choice, from_anywhere }
    }

    /// Looks for care to which somebody travels.
    fn look_around(&self, question: &Question<'_>, judge: &mut impl Judge) {
        let places = ModalitySet::from_bits(question.suitable.bits() & BY_PLACE.bits());
        let walk = Reach { modalities: places, by_place: true, ..reach(question, question.radius_m) };
        stages::search(self.index, &walk, judge);
    }

    /// Looks for teleconsultation by time; when the patient's territory matters, of it and of its surroundings only.
    fn look_remotely(&self, question: &Question<'_>, judge: &mut impl Judge) {
        let territory_bits = question.territory_bits;
        let walk = Reach {
            modalities: ModalitySet::of(&[Modality::Vr]),
            by_time: true,
            remote_from: question.remote_near_m.map(|near_m| RemoteFrom { near_m, territory_bits }),
            ..reach(question, question.radius_m)
        };
        stages::search(self.index, &walk, judge);
    }

    fn search(&self, query: &CareQuery, now: UtcInstant) -> Search {
        let neighbours = self.neighbours(query);
        let survey = self.survey(query, now, &neighbours, query.limit());
        let (search, misses) = stages::examining(|| self.examine(query, &survey));
        let Survey { question, choice, .. } = survey;
        let near_misses = misses.into_iter().filter_map(|miss| told_miss(&question, miss)).collect();
        let alike = choice.alike();
        let options = timed("explanation", || options(&question, choice.told));
        Search { options, near_misses, alike, ..search }
    }

    /// What is to be told around the options that matched: everything but these and the near misses, which come beside.
    fn examine(&self, query: &CareQuery, survey: &Survey<'_>) -> (Search, Vec<Miss>) {
        let Survey { question, plan, choice, from_anywhere } = survey;
        let matches = &choice.told;
        let short = matches.len() < query.limit();
        let schedules_max = if short { EXAMINED_WITHOUT_OPTIONS } else { EXAMINED_BESIDE_OPTIONS };
        let mut examiner = Examiner::new(question, schedules_max);
        // Beside options enough, what is about as near as they are says enough; beside teleconsultations, what is around.
        let travelled = matches.iter().filter_map(|found| travelled_m(found.modality, found.distance_m));
        let options_m = travelled.max().unwrap_or(plan.radius().radius_m);
        let examined_m = if short { plan.one_step_farther_m() } else { options_m.max(EXAMINED_AT_LEAST_M) };
        let examines_places = query.parts().position.is_some();
        // By place, teleconsulting schedules around are examined too; by time, the whole country would be.
        let farther = Reach {
            until: examiner.until(),
            exhaustive: true,
            by_place: examines_places,
            by_time: !examines_places && query.parts().modalities.contains(Modality::Vr),
            ..reach(question, examined_m)
        };
        self.index.search(&farther, &mut examiner);
        let mut examination = examiner.finish();
        examination.complete &= short && examines_places;
        let misses = std::mem::take(&mut examination.misses);
        if matches.is_empty() && examination.silent_count == 0 {
            examination.hear(self.silent_for(question.clone()));
        }
        let first_begins_at = matches.iter().map(|found| found.care_begins_at).min();
        let what_ifs = std::mem::take(&mut examination.additions).what_ifs(question, first_begins_at);
        let by_place = question.parts.position.is_some() && searches_by_place(question.suitable);
        let search = Search {
            what_ifs,
            radius: by_place.then(|| plan.radius()),
            needed_by_at: Some(question.needed_by_at),
            examination,
            policy_rules: applied(question, *from_anywhere),
            ..Search::default()
        };
        (search, misses)
    }

    fn answer(
        &self,
        query: &CareQuery,
        (position, now): (Position, UtcInstant),
        triage: Triage,
        search: Search,
    ) -> CareAnswer {
        let Search { options, near_misses, what_ifs, examination, radius, needed_by_at, policy_rules, .. } = search;
        let Search { road_doubt, alike, .. } = search;
        let best = options.first();
        let outcome = triage.outcome.unwrap_or_else(|| {
            best.map_or(CareOutcome::NoSlotInTime, |best| outcome_of(best.modality, best.appointment_type))
        });
        let dispatch = outcome == CareOutcome::EmergencyDispatch;
        let emergency_sites = nearest(&self.index.sites(), &SitesQuery::new(query, self.policy, dispatch, now));
        let delay_minutes = needed_by_at.map_or(0, |needed_by_at| needed_by_at.minutes_since(now));
        let availability = match (needed_by_at, best, examination.silent_count) {
            (None, _, _) => Availability::NotAsked,
            (Some(_), Some(_), _) => Availability::Free,
            (Some(_), None, 0) => Availability::None,
            (Some(_), None, _) => Availability::Unknown,
        };
        let mut sentence = outcome_sentence(outcome, best, (delay_minutes, availability));
        if outcome == CareOutcome::EmergencyDepartment && !emergency_sites.is_empty() {
            sentence.push(' ');
            sentence.push_str(&sites_sentence(&emergency_sites));
        }
        CareAnswer {
            outcome,
            rule_id: triage.rule_id,
            policy_rules: triage.red_flag.into_iter().chain(policy_rules).collect(),
            sentence,
            stamp: Stamp {
                position,
                answered_at: now,
                data_age_seconds: options.iter().map(|option| option.parts.data_age_seconds).max(),
                policy_version: Arc::clone(&self.policy.version),
                degraded: self.degraded,
                // A question writes nothing; the service, which has the ledger, says it of its answer.
                durability_reduced: false,
            },
            emergency_sites,
            warnings: warnings::warnings(query, self.index, needed_by_at.is_some()),
            needed_by_at,
            radius,
            examined_count: examination.examined_count,
            examined_all: examination.complete,
            exclusions: examination.exclusions,
            alike,
            availability,
            silent_sources: examination.silent_sources,
            near_misses,
            what_ifs,
            options,
            road_doubt,
        }
    }

    /// The query without what its case refused, when it refused anything.
    pub(super) fn without_refused(&self, query: &CareQuery) -> Option<CareQuery> {
        let case = self.index.case(query.parts().case_id.as_ref()?)?.value;
        (!case.refusals.is_empty()).then(|| query.without_refused(&case.refusals))
    }

    /// The territories that share patients with the patient's own.
    pub(super) fn neighbours(&self, query: &CareQuery) -> Vec<TerritoryId> {
        let own = query.parts().territories.first().and_then(|own| self.index.territory(own));
        let mut neighbours = own.map(|own| own.value.neighbours.clone()).unwrap_or_default();
        neighbours.extend_from_slice(&self.policy.neighbours);
        neighbours
    }
}

/// The near miss that an examination found, with its slot as it is.
fn told_miss(question: &Question<'_>, miss: Miss) -> Option<NearMiss> {
    let slot = miss.found.slot()?;
    Some(near_miss(question, miss, slot))
}

/// The rules of the policy that made a search what it is.
fn applied(question: &Question<'_>, from_anywhere: bool) -> Vec<PolicyRule> {
    let delay = question.delay_rule;
    let unsuitable = question.unsuitable_rules.iter().map(|rule| &rule.rule);
    let territory = from_anywhere.then_some(&question.policy.teleconsultation.rule);
    delay.into_iter().chain(unsuitable).chain(territory).cloned().collect()
}

/// Whether any of these modalities is looked for by place.
pub(super) const fn searches_by_place(modalities: ModalitySet) -> bool {
    modalities.intersects(BY_PLACE)
}

/// What a question looks for within a radius, and nowhere yet.
fn reach(question: &Question<'_>, radius_m: u32) -> Reach {
    Reach {
        position: question.parts.position,
        radius_m,
        now: question.now,
        until: question.needed_by_at,
        modalities: question.parts.modalities,
        appointment_types: question.parts.appointment_types,
        visibilities: question.visibilities(),
        specialties: question.parts.specialties,
        professions: question.parts.professions,
        by_place: false,
        by_time: false,
        remote_from: None,
        exhaustive: false,
    }
}

mod choice;
mod gone;
mod preferred;
mod road;
mod silence;
mod stages;
mod turn;
mod warnings;

#[cfg(test)]
mod tests;
