//! Compares an answer with what is stated of it, and says the difference in the words of scenarios.

use std::ops::RangeInclusive;

use super::expectation::{Expectation, ExpectedMiss, ExpectedOption, ExpectedSite};
use super::given::{Given, GivenSchedule};
use super::local_time::LocalTime;
use super::words::{preference_word, radius_source_word, unknown_word, what_if_word};
use crate::domain::answer::{Availability, CareAnswer, CareOption, NearMiss, SiteDistance};
use crate::domain::code::AppointmentType;
use crate::domain::time::UtcInstant;

/// One thing that is not as stated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Which part of the answer.
    pub what: String,
    /// What is stated.
    pub expected: String,
    /// What is answered.
    pub actual: String,
}

impl Difference {
    pub(super) fn new(what: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { what: what.into(), expected: expected.into(), actual: actual.into() }
    }

    /// The same, in a part of the scenario.
    pub(super) fn within(self, place: &str) -> Self {
        Self { what: format!("{place}, {}", self.what), ..self }
    }
}

/// Collects differences.
#[derive(Default)]
struct Differences(Vec<Difference>);

impl Differences {
    /// Compares words, when something is stated.
    fn word(&mut self, what: &str, expected: Option<impl ToString>, actual: impl ToString) {
        let Some(expected) = expected.map(|expected| expected.to_string()) else { return };
        let actual = actual.to_string();
        if expected != actual {
            self.0.push(Difference::new(what, expected, actual));
        }
    }

    /// Compares a figure with the range that is stated.
    fn figure(&mut self, what: &str, expected: Option<&RangeInclusive<u32>>, actual: Option<u32>) {
        let Some(expected) = expected else { return };
        if actual.is_none_or(|actual| !expected.contains(&actual)) {
            let actual = actual.map_or_else(|| "none".to_owned(), |actual| actual.to_string());
            self.0.push(Difference::new(what, range_word(expected), actual));
        }
    }
}

fn range_word(range: &RangeInclusive<u32>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}

/// Where an answer is not what is stated.
pub(super) fn answer(expected: &Expectation, answer: &CareAnswer, given: &Given) -> Vec<Difference> {
    let mut found = Differences::default();
    let (decision, orientation) = answer.outcome.hub_codes();
    found.word("outcome", expected.outcome.map(|outcome| outcome.code()), answer.outcome.code());
    found.word("rule", expected.rule.as_ref(), answer.rule_id.to_string());
    found.word("sentence", expected.sentence.as_ref(), &answer.sentence);
    found.word("decision", expected.decision.map(|code| code.code()), decision.map_or("none", |code| code.code()));
    found.word(
        "orientation",
        expected.orientation.map(|code| code.code()),
        orientation.map_or("none", |code| code.code()),
    );
    check_options(&mut found, expected, answer, given);
    check_misses(&mut found, expected, answer, given);
    for (rule, count) in &expected.excluded {
        let actual = answer.exclusions.iter().find(|exclusion| exclusion.rule == *rule);
        found.word(&format!("excluded by {}", rule.code()), Some(count), actual.map_or(0, |actual| actual.count));
    }
    found.word("availability", expected.availability.map(Availability::code), answer.availability.code());
    let silent: Vec<_> = answer.silent_sources.iter().map(|source| source.id.to_string()).collect();
    found.word("silent_sources", expected.silent_sources.as_ref().map(|names| list(names)), list(&silent));
    let gains: Vec<_> = answer.what_ifs.iter().map(what_if_word).collect();
    found.word("what_ifs", expected.what_ifs.as_ref().map(|words| list(words)), list(&gains));
    if let Some(sites) = &expected.emergency_sites {
        check_sites(&mut found, sites, &answer.emergency_sites, given);
    }
    let warnings: Vec<_> = answer.warnings.iter().map(|warning| warning.doubt.code()).collect();
    found.word("warnings", expected.warnings.as_ref().map(|codes| list(codes)), list(&warnings));
    check_stamp(&mut found, expected, answer, given);
    found.0
}

fn check_stamp(found: &mut Differences, expected: &Expectation, answer: &CareAnswer, given: &Given) {
    let radius = answer.radius;
    found.figure("radius_km", expected.radius_km.as_ref(), radius.map(|radius| radius.radius_m.div_ceil(1_000)));
    found.figure("widened", expected.widened.as_ref(), radius.map(|radius| radius.widened_count));
    let source = radius.map_or("none", |radius| radius_source_word(radius.source));
    found.word("radius_source", expected.radius_source.map(radius_source_word), source);
    let needed_by = answer.needed_by_at.map_or_else(|| "none".to_owned(), |at| given.local.show(at));
    found.word("needed_by", expected.needed_by.map(|at| given.local.show(at)), needed_by);
    found.word("examined_all", expected.examined_all, answer.examined_all);
    found.word("degraded", expected.degraded, answer.stamp.degraded);
    let age_minutes = answer.stamp.data_age_seconds.map(|seconds| seconds / 60);
    found.figure("data_age_minutes", expected.data_age_minutes.as_ref(), age_minutes);
}

fn list<T: ToString>(all: &[T]) -> String {
    if all.is_empty() { "none".to_owned() } else { all.iter().map(T::to_string).collect::<Vec<_>>().join(" · ") }
}

fn check_options(found: &mut Differences, expected: &Expectation, answer: &CareAnswer, given: &Given) {
    let options = || answer.options.iter().map(|option| slot_word(option, given)).collect::<Vec<_>>();
    if let Some(stated) = &expected.options {
        let same = stated.len() == answer.options.len()
            && stated.iter().zip(&answer.options).all(|(stated, option)| is_named(stated, option));
        if !same {
            let stated: Vec<_> = stated.iter().map(stated_word).collect();
            found.0.push(Difference::new("options", list(&stated), list(&options())));
        } else {
            stated.iter().zip(&answer.options).for_each(|(stated, option)| check_option(found, stated, option, given));
        }
    }
    if let Some(stated) = &expected.first {
        let same = stated.len() <= answer.options.len()
            && stated.iter().zip(&answer.options).all(|(stated, option)| is_named(stated, option));
        if !same {
            let stated: Vec<_> = stated.iter().map(stated_word).collect();
            found.0.push(Difference::new("first options", list(&stated), list(&options())));
        } else {
            stated.iter().zip(&answer.options).for_each(|(stated, option)| check_option(found, stated, option, given));
        }
    }
    for stated in expected.offered.iter().flatten() {
        match answer.options.iter().find(|option| is_named(stated, option)) {
            Some(option) => check_option(found, stated, option, given),
            None => found.0.push(Difference::new("offered", stated_word(stated), list(&options()))),
        }
    }
    for name in expected.not_offered.iter().flatten() {
        if answer.options.iter().any(|option| option.offer.schedule.id.as_str() == name) {
            found.0.push(Difference::new("not_offered", format!("nothing of {name}"), list(&options())));
        }
    }
}

fn check_misses(found: &mut Differences, expected: &Expectation, answer: &CareAnswer, given: &Given) {
    let misses = || {
        let word = |miss: &NearMiss| format!("{} {}", slot_word(&miss.option, given), miss.rule.code());
        answer.near_misses.iter().map(word).collect::<Vec<_>>()
    };
    let is_meant = |stated: &ExpectedMiss, miss: &NearMiss| {
        is_named(&stated.option, &miss.option) && stated.rule.is_none_or(|rule| rule == miss.rule)
    };
    let word = |stated: &ExpectedMiss| {
        let rule = stated.rule.map_or("", |rule| rule.code());
        format!("{} {rule}", stated_word(&stated.option)).trim_end().to_owned()
    };
    if let Some(stated) = &expected.near_misses {
        let same = stated.len() == answer.near_misses.len()
            && stated.iter().zip(&answer.near_misses).all(|(stated, miss)| is_meant(stated, miss));
        if !same {
            let stated: Vec<_> = stated.iter().map(word).collect();
            found.0.push(Difference::new("near_misses", list(&stated), list(&misses())));
        } else {
            stated.iter().zip(&answer.near_misses).for_each(|(stated, miss)| check_miss(found, stated, miss, given));
        }
    }
    for stated in expected.missed.iter().flatten() {
        match answer.near_misses.iter().find(|miss| is_meant(stated, miss)) {
            Some(miss) => check_miss(found, stated, miss, given),
            None => found.0.push(Difference::new("missed", word(stated), list(&misses()))),
        }
    }
}

fn check_miss(found: &mut Differences, stated: &ExpectedMiss, miss: &NearMiss, given: &Given) {
    let name = format!("near miss {}", slot_word(&miss.option, given));
    found.figure(&format!("{name}, excess"), stated.excess.as_ref(), Some(miss.excess));
    found.word(&format!("{name}, sentence"), stated.sentence.as_ref(), &miss.sentence);
    check_option(found, &stated.option, &miss.option, given);
}

/// Whether an option is of the schedule, and of the slot, that is named.
fn is_named(stated: &ExpectedOption, option: &CareOption) -> bool {
    option.offer.schedule.id.as_str() == stated.schedule
        && stated.at.is_none_or(|at| at == option.slot.window.start_at())
}

fn check_option(found: &mut Differences, stated: &ExpectedOption, option: &CareOption, given: &Given) {
    let name = slot_word(option, given);
    let of = |what: &str| format!("{name}, {what}");
    let (parts, local) = (&option.parts, stated.local.unwrap_or(given.local));
    found.word(&of("modality"), stated.modality.map(|code| code.code()), option.modality.code());
    found.word(&of("walk_in"), stated.walk_in, option.appointment_type == AppointmentType::Walkin);
    found.figure(&of("travel_minutes"), stated.travel_minutes.as_ref(), Some(parts.travel_minutes));
    found.figure(&of("wait_minutes"), stated.wait_minutes.as_ref(), Some(parts.wait_minutes));
    found.word(&of("remaining"), stated.remaining, option.remaining_count);
    found.word(&of("territory"), stated.territory.map(preference_word), preference_word(parts.territory_preference));
    let unknowns: Vec<_> = option.unknowns.iter().map(|unknown| unknown_word(*unknown)).collect();
    found.word(&of("unknown"), stated.unknown.as_ref().map(|words| list(words)), list(&unknowns));
    found.word(&of("sentence"), stated.sentence.as_ref(), &option.sentence);
    if let Some(begins) = stated.begins.filter(|begins| !begins.contains(option.care_begins_at)) {
        let expected = format!("{} to {}", local.show(begins.start_at()), local.show(begins.end_at()));
        found.0.push(Difference::new(of("begins"), expected, local.show(option.care_begins_at)));
    }
}

fn check_sites(found: &mut Differences, stated: &[ExpectedSite], sites: &[SiteDistance], given: &Given) {
    let names: Vec<_> = sites.iter().map(|seen| seen.site.id.to_string()).collect();
    let stated_names: Vec<_> = stated.iter().map(|stated| stated.site.clone()).collect();
    found.word("emergency_sites", Some(list(&stated_names)), list(&names));
    if names != stated_names {
        return;
    }
    for (stated, seen) in stated.iter().zip(sites) {
        let of = |what: &str| format!("emergency site {}, {what}", stated.site);
        let show = |at: UtcInstant| LocalTime::at(seen.site.zone, given.now).show(at);
        found.word(&of("access"), stated.access.map(|access| access.code()), seen.access.code());
        let changes_at = seen.access_changes_at.map_or_else(|| "never".to_owned(), show);
        found.word(&of("changes_at"), stated.changes_at.map(show), changes_at);
        let saturated = seen.saturated_until.map_or_else(|| "no".to_owned(), show);
        found.word(&of("saturated_until"), stated.saturated_until.map(show), saturated);
        let unknowns: Vec<_> = seen.unknowns.iter().map(|unknown| unknown_word(*unknown)).collect();
        found.word(&of("unknown"), stated.unknown.as_ref().map(|words| list(words)), list(&unknowns));
        found.word(&of("sentence"), stated.sentence.as_ref(), &seen.sentence);
        found.figure(&of("travel_minutes"), stated.travel_minutes.as_ref(), Some(seen.travel_minutes));
    }
}

/// Whether a refused hold names these schedules instead, in order.
pub(super) fn alternatives(expected: &[String], actual: &[CareOption]) -> Vec<Difference> {
    let mut found = Differences::default();
    let actual: Vec<_> = actual.iter().map(|option| option.offer.schedule.id.to_string()).collect();
    found.word("alternatives", Some(list(expected)), list(&actual));
    found.0
}

/// An option as scenarios name it: `martin 10:30`.
fn slot_word(option: &CareOption, given: &Given) -> String {
    let name = option.offer.schedule.id.as_str();
    let local = given.schedules.get(name).map_or(given.local, |schedule: &GivenSchedule| schedule.local);
    format!("{name} {}", local.show(option.slot.window.start_at()))
}

fn stated_word(stated: &ExpectedOption) -> String {
    match (stated.at, stated.local) {
        (Some(at), Some(local)) => format!("{} {}", stated.schedule, local.show(at)),
        (Some(_), None) | (None, _) => stated.schedule.clone(),
    }
}
