//! What must be answered. Whatever a scenario does not state is free to be anything.

use std::ops::RangeInclusive;

use super::fields::{Fields, Item};
use super::given::{Given, known};
use super::local_time::LocalTime;
use super::words::{availability, outcome, preference, radius_source, rule, unknown, what_if};
use crate::domain::answer::{Availability, CareOutcome, RadiusSource, Rule, TerritoryPreference};
use crate::domain::code::{DecisionType, Modality, OrientationType};
use crate::domain::emergency::EmergencyAccess;
use crate::domain::time::{UtcInstant, Window};

/// What may be doubtful about a question, by code.
const WARNINGS: [&str; 3] = ["UNKNOWN_TERRITORY", "SWAPPED_POSITION", "OUTSIDE_FRANCE"];

/// What a scenario states of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Expectation {
    pub(super) outcome: Option<CareOutcome>,
    pub(super) rule: Option<String>,
    pub(super) sentence: Option<String>,
    pub(super) decision: Option<DecisionType>,
    pub(super) orientation: Option<OrientationType>,
    /// All options in order.
    pub(super) options: Option<Vec<ExpectedOption>>,
    /// The first options in order.
    pub(super) first: Option<Vec<ExpectedOption>>,
    /// Options anywhere in the list.
    pub(super) offered: Option<Vec<ExpectedOption>>,
    /// Schedules of which nothing is offered.
    pub(super) not_offered: Option<Vec<String>>,
    /// All near misses in order.
    pub(super) near_misses: Option<Vec<ExpectedMiss>>,
    /// Near misses anywhere in the list.
    pub(super) missed: Option<Vec<ExpectedMiss>>,
    pub(super) excluded: Vec<(Rule, u32)>,
    pub(super) availability: Option<Availability>,
    /// Sources that are not heard, in order.
    pub(super) silent_sources: Option<Vec<String>>,
    /// What more would add, in order.
    pub(super) what_ifs: Option<Vec<String>>,
    /// All emergency sites in order.
    pub(super) emergency_sites: Option<Vec<ExpectedSite>>,
    pub(super) warnings: Option<Vec<&'static str>>,
    pub(super) radius_km: Option<RangeInclusive<u32>>,
    pub(super) radius_source: Option<RadiusSource>,
    pub(super) widened: Option<RangeInclusive<u32>>,
    pub(super) needed_by: Option<UtcInstant>,
    pub(super) examined_all: Option<bool>,
    pub(super) degraded: Option<bool>,
    pub(super) data_age_minutes: Option<RangeInclusive<u32>>,
}

/// What a scenario states of an option.
#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedOption {
    pub(super) schedule: String,
    /// Start of the slot, and the local times in which it is said.
    pub(super) at: Option<UtcInstant>,
    pub(super) local: Option<LocalTime>,
    /// Between which instants care can begin.
    pub(super) begins: Option<Window>,
    pub(super) modality: Option<Modality>,
    pub(super) walk_in: Option<bool>,
    pub(super) travel_minutes: Option<RangeInclusive<u32>>,
    pub(super) wait_minutes: Option<RangeInclusive<u32>>,
    pub(super) remaining: Option<u32>,
    pub(super) territory: Option<TerritoryPreference>,
    pub(super) unknown: Option<Vec<&'static str>>,
    pub(super) sentence: Option<String>,
}

/// What a scenario states of a near miss.
#[derive(Clone, Debug)]
pub(super) struct ExpectedMiss {
    pub(super) option: ExpectedOption,
    pub(super) rule: Option<Rule>,
    pub(super) excess: Option<RangeInclusive<u32>>,
    pub(super) sentence: Option<String>,
}

/// What a scenario states of an emergency site.
#[derive(Clone, Debug, Default)]
pub(super) struct ExpectedSite {
    pub(super) site: String,
    pub(super) access: Option<EmergencyAccess>,
    pub(super) changes_at: Option<UtcInstant>,
    pub(super) saturated_until: Option<UtcInstant>,
    pub(super) unknown: Option<Vec<&'static str>>,
    pub(super) sentence: Option<String>,
    pub(super) travel_minutes: Option<RangeInclusive<u32>>,
}

impl Expectation {
    /// Reads what is stated; a table that states nothing is refused.
    pub(super) fn read(mut fields: Fields<'_>, given: &Given) -> Self {
        if fields.layers().iter().all(|table| table.is_empty()) {
            fields.log().refuse(fields.at(), "states nothing: say what must be answered");
        }
        let local = given.local;
        let expectation = Self {
            outcome: fields.parsed("outcome", outcome),
            rule: fields.text("rule").map(str::to_owned),
            sentence: fields.text("sentence").map(str::to_owned),
            decision: fields.parsed("decision", DecisionType::parse),
            orientation: fields.parsed("orientation", OrientationType::parse),
            options: read_options(&mut fields, "options", given),
            first: read_options(&mut fields, "first", given),
            offered: read_options(&mut fields, "offered", given),
            not_offered: fields.all("not_offered", |name| given.schedule(name).map(|_| name.to_owned())),
            near_misses: read_misses(&mut fields, "near_misses", given),
            missed: read_misses(&mut fields, "missed", given),
            excluded: read_excluded(&mut fields),
            availability: fields.parsed("availability", availability),
            silent_sources: fields.all("silent_sources", |name| source_of(name, given)),
            what_ifs: fields.all("what_ifs", what_if),
            emergency_sites: read_sites(&mut fields, given),
            warnings: fields.all("warnings", |text| super::words::one_of(&WARNINGS, |word| word, text)),
            radius_km: fields.range("radius_km"),
            radius_source: fields.parsed("radius_source", radius_source),
            widened: fields.range("widened"),
            needed_by: fields.parsed("needed_by", |text| local.parse(text)),
            examined_all: fields.flag("examined_all"),
            degraded: fields.flag("degraded"),
            data_age_minutes: fields.range("data_age_minutes"),
        };
        for key in ["first", "offered", "not_offered", "missed"] {
            // These are about what is in a list; an empty one says nothing.
            if fields.items(key).is_some_and(|items| items.is_empty()) {
                fields.refuse(key, "is empty and so states nothing; `options = []` says that there are none");
            }
        }
        fields.finish();
        expectation
    }
}

/// A source that one of the schedules is of.
pub(super) fn source_of(name: &str, given: &Given) -> Result<String, String> {
    let mut sources = given.schedules.values().map(|schedule| schedule.schedule.source_id.as_str());
    let found = sources.find(|source| *source == name).map(str::to_owned);
    found.ok_or_else(|| format!("no schedule is of source `{name}`"))
}

fn read_options(fields: &mut Fields<'_>, key: &'static str, given: &Given) -> Option<Vec<ExpectedOption>> {
    let items = fields.items(key)?;
    let read = |item| match item {
        Item::Text(text, at) => {
            named_slot(text, given).map_err(|error| fields.log().refuse(at, format!("`{key}`: {error}"))).ok()
        }
        Item::Table(mut table) => {
            let option = read_option(&mut table, given);
            table.finish();
            option
        }
    };
    Some(items.into_iter().filter_map(read).collect())
}

/// `martin` or `martin 10:30`.
pub(super) fn named_slot(text: &str, given: &Given) -> Result<ExpectedOption, String> {
    let (name, time) = text.split_once(' ').unwrap_or((text, ""));
    let schedule = given.schedule(name)?;
    let at = if time.is_empty() { None } else { Some(schedule.local.parse(time)?) };
    if let Some(at) = at
        && !schedule.slots.iter().any(|slot| slot.published.window.start_at() == at)
    {
        return Err(format!("schedule `{name}` has no slot at {time}"));
    }
    Ok(ExpectedOption { schedule: name.to_owned(), at, local: Some(schedule.local), ..ExpectedOption::default() })
}

fn read_option(fields: &mut Fields<'_>, given: &Given) -> Option<ExpectedOption> {
    let named = fields.parsed("slot", |text| named_slot(text, given));
    if !fields.has("slot") {
        fields.refuse("slot", "is missing: name the schedule, and the time of the slot: `martin 10:30`");
    }
    let local = named.as_ref().and_then(|named| named.local).unwrap_or(given.local);
    let option = ExpectedOption {
        begins: fields.parsed("begins", |text| local.window(text)),
        modality: fields.parsed("modality", Modality::parse),
        walk_in: fields.flag("walk_in"),
        travel_minutes: fields.range("travel_minutes"),
        wait_minutes: fields.range("wait_minutes"),
        remaining: fields.whole("remaining", 0..=u32::MAX),
        territory: fields.parsed("territory", preference),
        unknown: fields.all("unknown", unknown),
        sentence: fields.text("sentence").map(str::to_owned),
        ..named.clone().unwrap_or_default()
    };
    named.map(|_| option)
}

fn read_misses(fields: &mut Fields<'_>, key: &'static str, given: &Given) -> Option<Vec<ExpectedMiss>> {
    if !fields.has(key) {
        fields.items(key);
        return None;
    }
    let read = |mut table: Fields<'_>| {
        // The sentence of a near miss is its own, not that of the option that it nearly was.
        let sentence = table.text("sentence").map(str::to_owned);
        let (rule, excess) = (table.parsed("rule", rule), table.range("excess"));
        let option = read_option(&mut table, given).map(|option| ExpectedOption { sentence: None, ..option });
        table.finish();
        Some(ExpectedMiss { option: option?, rule, excess, sentence })
    };
    Some(fields.tables(key).into_iter().filter_map(read).collect())
}

fn read_excluded(fields: &mut Fields<'_>) -> Vec<(Rule, u32)> {
    let counts = fields.numbers("excluded");
    let read = |(code, count, at): (&str, u32, usize)| match rule(code) {
        Ok(rule) => Some((rule, count)),
        Err(error) => {
            fields.log().refuse(at, format!("`excluded`: {error}"));
            None
        }
    };
    counts.into_iter().filter_map(read).collect()
}

fn read_sites(fields: &mut Fields<'_>, given: &Given) -> Option<Vec<ExpectedSite>> {
    let items = fields.items("emergency_sites")?;
    let named = |name: &str| known(&given.sites, "emergency site", name).map(|_| name.to_owned());
    let read = |item| match item {
        Item::Text(name, at) => match named(name) {
            Ok(site) => Some(ExpectedSite { site, ..ExpectedSite::default() }),
            Err(error) => {
                fields.log().refuse(at, format!("`emergency_sites`: {error}"));
                None
            }
        },
        Item::Table(mut table) => {
            let zone = table.text("site").and_then(|name| given.sites.get(name)).map(|site| site.zone);
            let local = zone.map_or(given.local, |zone| LocalTime::at(zone, given.now));
            let site = table.parsed("site", named);
            if !table.has("site") {
                table.refuse("site", "is missing: name the emergency site");
            }
            let access = |text: &str| EmergencyAccess::parse(text).ok_or("give OPEN, REGULATED or CLOSED");
            let expected = ExpectedSite {
                site: site.clone().unwrap_or_default(),
                access: table.parsed("access", access),
                changes_at: table.parsed("changes_at", |text| local.parse(text)),
                saturated_until: table.parsed("saturated_until", |text| local.parse(text)),
                unknown: table.all("unknown", unknown),
                sentence: table.text("sentence").map(str::to_owned),
                travel_minutes: table.range("travel_minutes"),
            };
            table.finish();
            site.map(|_| expected)
        }
    };
    Some(items.into_iter().filter_map(read).collect())
}
