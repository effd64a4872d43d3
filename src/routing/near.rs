//! What almost suited, and why the rest did not: each examined opening, with the rules that it fails.

use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::domain::answer::{Exclusion, Rule, SilentSource};
use crate::domain::code::{AppointmentType, Modality};
use crate::domain::id::{ScheduleId, TerritoryId};
use crate::domain::offer::{Candidate, CareWays, Judge, Offer, Opening};
use crate::domain::source::{Confidence, Pulse};
use crate::domain::time::{MS_PER_DAY, UtcInstant};

use super::eligibility::{OfferRules, reach_m};
use super::failures::KindFailures;
use super::fairness::Precedence;
use super::question::Question;
use super::ranking::Match;
use super::what_if::Additions;

/// Most near misses in an answer.
pub const NEAR_MISSES_MAX: usize = 3;
/// How long after the clinical delay openings are still examined, in milliseconds.
const EXAMINED_AFTER_DELAY_MS: i64 = MS_PER_DAY;

/// An opening that failed exactly one rule.
#[derive(Clone, Debug)]
pub struct Miss {
    /// The opening as if it fitted.
    pub found: Match,
    /// The rule.
    pub rule: Rule,
    /// By how much, in the rule's unit.
    pub excess: u32,
}

/// Examines candidates: counts what failed, keeps what failed one rule only.
#[derive(Debug)]
pub struct Examiner<'q> {
    question: &'q Question<'q>,
    schedules_max: usize,
    seen: FxHashSet<u64>,
    /// The best miss of each rule.
    misses: Vec<Miss>,
    /// What failed only a rule that the question could ease.
    additions: Additions,
    counts: [u32; Rule::ALL.len()],
    /// Each with its pulse, by which schedules of one source know each other without a look at its identifier.
    silent_sources: Vec<(Arc<Pulse>, SilentSource)>,
    /// Openings that are left out only because their source is silent.
    silent_count: u32,
    examined_count: u32,
    stopped: bool,
}

/// What an examination found; the default is that of none made.
#[derive(Debug, Default)]
pub struct Examination {
    /// Nearest to fitting first, each for another rule.
    pub misses: Vec<Miss>,
    /// What easing the question would add.
    pub additions: Additions,
    /// In the order of the rules.
    pub exclusions: Vec<Exclusion>,
    /// Sources of examined schedules that are not believed in full, in order of identifier.
    pub silent_sources: Vec<SilentSource>,
    /// How many openings would have fitted if their source were not silent.
    pub silent_count: u32,
    /// How many openings were examined.
    pub examined_count: u32,
    /// Whether the examination saw everything that it was led to.
    pub complete: bool,
}

impl Examination {
    /// Adds silent sources that would have served, found by another look.
    pub fn hear(&mut self, silent: Vec<SilentSource>) {
        for source in silent {
            self.silent_count += source.schedule_count;
            if !self.silent_sources.iter().any(|known| known.id == source.id) {
                self.silent_sources.push(source);
            }
        }
        self.silent_sources.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

impl<'q> Examiner<'q> {
    /// Examines at most `schedules_max` schedules.
    #[must_use]
    pub fn new(question: &'q Question<'q>, schedules_max: usize) -> Self {
        Self {
            question,
            schedules_max,
            seen: FxHashSet::with_capacity_and_hasher(schedules_max.min(64), FxBuildHasher),
            misses: Vec::new(),
            additions: Additions::default(),
            counts: [0; Rule::ALL.len()],
            silent_sources: Vec::new(),
            silent_count: 0,
            examined_count: 0,
            stopped: false,
        }
    }

    /// Openings that begin later are not examined.
    #[must_use]
    pub fn until(&self) -> UtcInstant {
        self.question.needed_by_at.plus_ms(EXAMINED_AFTER_DELAY_MS)
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Examination {
        self.misses.sort_by(|a, b| a.found.order(&b.found));
        self.misses.truncate(NEAR_MISSES_MAX);
        let mut silent_sources: Vec<_> = self.silent_sources.into_iter().map(|(_, source)| source).collect();
        silent_sources.sort_by(|a, b| a.id.cmp(&b.id));
        let counted = Rule::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0);
        Examination {
            misses: self.misses,
            additions: self.additions,
            exclusions: counted.map(|(rule, count)| Exclusion { rule, count }).collect(),
            silent_sources,
            silent_count: self.silent_count,
            examined_count: self.examined_count,
            complete: !self.stopped,
        }
    }

    /// Notes the source of a schedule that is not believed in full.
    fn note_silence(&mut self, offer: &Offer) {
        let (confidence, heard_at) = (self.question.confidence(offer), offer.heard_at());
        if confidence == Confidence::Certain {
            return;
        }
        let same_pulse = self.silent_sources.iter().position(|(pulse, _)| Arc::ptr_eq(pulse, &offer.pulse));
        let same_source = || self.silent_sources.iter().position(|(_, known)| known.id == offer.schedule.source_id);
        match same_pulse.or_else(same_source).and_then(|at| self.silent_sources.get_mut(at)) {
            Some((_, known)) => {
                known.confidence = known.confidence.max(confidence);
                known.last_heard_at = known.last_heard_at.max(heard_at);
                known.schedule_count += 1;
            }
            None => {
                let id = offer.schedule.source_id.clone();
                let source = SilentSource { id, confidence, last_heard_at: heard_at, schedule_count: 1 };
                self.silent_sources.push((Arc::clone(&offer.pulse), source));
            }
        }
    }

    fn miss(
        &mut self,
        candidate: &Candidate<'_>,
        (at, opening): (usize, &Opening),
        failures: &KindFailures,
        (rule, modality, care_begins_at): (Rule, Modality, UtcInstant),
    ) {
        let cost = failures.cost_seconds(self.question, (modality, care_begins_at), candidate.distance_m);
        let sighting = Sighting { candidate, opening: (at, opening), modality, care_begins_at, cost_seconds: cost };
        self.additions.note(self.question, rule, &sighting);
        let known = self.misses.iter().position(|known| known.rule == rule);
        let worse = known.and_then(|at| self.misses.get(at)).is_some_and(|known| known.found.cost_seconds < cost);
        if worse {
            return;
        }
        let found = sighting.to_match();
        let excess = Self::excess(self.question, rule, candidate, opening, (modality, care_begins_at));
        match known.and_then(|at| self.misses.get_mut(at)) {
            Some(known) if found.order(&known.found).is_lt() => *known = Miss { found, rule, excess },
            Some(_) => {}
            None => self.misses.push(Miss { found, rule, excess }),
        }
    }

    /// Notes that an opening would be offered if one more modality were accepted.
    fn note_otherwise(
        &mut self,
        candidate: &Candidate<'_>,
        opening: (usize, &Opening),
        failures: &KindFailures,
        (modality, begins_at): (Modality, UtcInstant),
    ) {
        let cost = failures.cost_seconds(self.question, (modality, begins_at), candidate.distance_m);
        let sighting = Sighting { candidate, opening, modality, care_begins_at: begins_at, cost_seconds: cost };
        self.additions.note(self.question, Rule::Modality, &sighting);
    }

    /// By how much an opening fails a rule, in the rule's unit.
    pub(super) fn excess(
        question: &Question<'_>,
        rule: Rule,
        candidate: &Candidate<'_>,
        opening: &Opening,
        (modality, begins_at): (Modality, UtcInstant),
    ) -> u32 {
        match rule {
            Rule::Delay => begins_at.minutes_since(question.needed_by_at),
            Rule::Arrival => {
                let arrival_at = match modality {
                    Modality::Amb => question.arrival_at(candidate.distance_m.unwrap_or(0)),
                    Modality::Vr | Modality::Hh => question.now,
                };
                let margin = question.policy.arrival_margin_minutes;
                let (ready_at, by_at) = match (opening.kind.appointment_type(), modality) {
                    // Nobody travels to an appointment elsewhere, so there is no margin.
                    (AppointmentType::Routine, Modality::Vr | Modality::Hh) => (arrival_at, opening.start_at),
                    (AppointmentType::Routine, Modality::Amb) => (arrival_at.plus_minutes(margin), opening.start_at),
                    (AppointmentType::Walkin, _) => (arrival_at.plus_minutes(margin), opening.end_at()),
                };
                ready_at.minutes_since(by_at)
            }
            Rule::Radius => {
                let reach = reach_m(question, candidate.offer, modality);
                candidate.distance_m.map_or(0, |distance_m| distance_m.saturating_sub(reach))
            }
            Rule::Territory => {
                let near_m = question.remote_near_m.unwrap_or(u32::MAX);
                candidate.distance_m.map_or(0, |distance_m| distance_m.saturating_sub(near_m))
            }
            Rule::Age => {
                let (limits, age) = (&candidate.offer.limits, question.parts.age);
                let young = age.zip(limits.min_age).map_or(0, |(age, min)| min.days().saturating_sub(age.days()));
                let old = age.zip(limits.max_age).map_or(0, |(age, max)| age.days().saturating_sub(max.days()));
                young.max(old)
            }
            Rule::Visibility
            | Rule::Specialty
            | Rule::Modality
            | Rule::Suitability
            | Rule::AppointmentType
            | Rule::Sex
            | Rule::Need
            | Rule::Language
            | Rule::Capacity
            | Rule::Excluded
            | Rule::Quarantine => 0,
            Rule::Silence => question.now.minutes_since(candidate.offer.heard_at()),
        }
    }
}

/// An opening as if it fitted, where it is seen: most are counted and not kept.
#[derive(Clone, Copy)]
pub(super) struct Sighting<'c> {
    pub(super) candidate: &'c Candidate<'c>,
    opening: (usize, &'c Opening),
    pub(super) modality: Modality,
    pub(super) care_begins_at: UtcInstant,
    pub(super) cost_seconds: u32,
}

impl Sighting<'_> {
    pub(super) fn to_match(self) -> Match {
        let (at, opening) = self.opening;
        Match {
            number: self.candidate.number,
            cost_seconds: self.cost_seconds,
            precedence: Precedence::default(),
            offer: Arc::clone(self.candidate.offer),
            opening: at,
            kind: opening.kind,
            modality: self.modality,
            care_begins_at: self.care_begins_at,
            distance_m: self.candidate.distance_m,
        }
    }
}

impl Judge for Examiner<'_> {
    fn earliest_at(&self, _distance_m: u32, _ways: CareWays) -> UtcInstant {
        self.question.now
    }

    /// Of a cell, the nearest are examined first.
    fn least_cost(&self, distance_m: u32, _care_begins_at: UtcInstant) -> u32 {
        distance_m
    }

    /// The soonest are examined first.
    fn least_remote_cost(&self, care_begins_at: UtcInstant) -> u32 {
        care_begins_at.seconds_since(self.question.now)
    }

    fn territory_cost(&self, _territories: &[TerritoryId]) -> u32 {
        0
    }

    fn staleness_cost(&self, _received_at: UtcInstant) -> u32 {
        0
    }

    fn bound(&self) -> u32 {
        if self.stopped { 0 } else { u32::MAX }
    }

    fn admits_at_bound(&self, _id: &ScheduleId) -> bool {
        !self.stopped
    }

    /// One more than are examined: it says that these were not all.
    fn judged_in_order(&self) -> usize {
        self.schedules_max.saturating_add(1)
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let question = self.question;
        if !self.seen.insert(candidate.number) {
            return;
        }
        if self.seen.len() > self.schedules_max {
            self.stopped = true;
            return;
        }
        let rules = OfferRules::of(question, candidate.offer);
        self.note_silence(candidate.offer);
        let row = &candidate.offer.row;
        let until = self.until();
        let first = row.first_running_at(question.now);
        // Neighbouring openings mostly are of one kind.
        let mut last: Option<KindFailures> = None;
        for (at, opening) in row.openings().iter().enumerate().skip(first) {
            if opening.start_at > until {
                break;
            }
            if opening.end_at() <= question.now {
                continue;
            }
            if last.as_ref().is_none_or(|last| last.kind != opening.kind) {
                last = Some(KindFailures::after(last.as_ref(), question, &rules, &candidate, opening.kind));
            }
            let Some(failures) = &last else { continue };
            let Some((failed, modality, begins_at)) = failures.least_failing(question, opening) else { continue };
            self.examined_count += 1;
            let Some(rule) = failed.first() else { continue };
            if let Some(count) = self.counts.get_mut(rule as usize) {
                *count += 1;
            }
            // What is kept for others is not shown, not even as a near miss.
            if failed.only() == Some(Rule::Silence) {
                self.silent_count += 1;
            }
            if let Some((modality, begins_at)) = failures.suits_otherwise(question, opening) {
                self.note_otherwise(&candidate, (at, opening), failures, (modality, begins_at));
            }
            if failed.only().is_some() && rule != Rule::Visibility {
                self.miss(&candidate, (at, opening), failures, (rule, modality, begins_at));
            }
        }
    }
}
