//! From a tree to a policy: every section read, every contradiction noted.

use std::collections::HashMap;
use std::sync::Arc;

use super::pace::TravelPolicy;
use super::problem::PolicyProblem;
use super::reader::{At, Reader, Section};
use super::rules::{DelayRule, ModalityRule, RedFlag, read_all, rule};
use super::tree::Node;
use super::when::{Facts, When};
use super::{BeyondTerritory, Diversity, Fairness, Fallback, Policy, TeleconsultationRule};
use crate::domain::answer::PolicyRule;
use crate::domain::code::{CareLevel, ModalitySet, Motive, Priority};
use crate::domain::id::TerritoryId;
use crate::domain::patient::Age;
use crate::domain::source::Fading;

/// The one format.
const FORMAT: u32 = 1;
/// Most characters of a version.
const VERSION_MAX_CHARACTERS: usize = 64;

/// Reads a whole policy.
///
/// # Errors
/// With every problem, in no particular order.
pub(super) fn read(root: &Node) -> Result<Policy, Vec<PolicyProblem>> {
    let reader = Reader::default();
    let section = Section::new(&reader, root, String::new());
    let policy = read_root(&section, &reader);
    section.finish();
    let problems = reader.into_problems();
    match policy {
        Some(policy) if problems.is_empty() => Ok(policy),
        Some(_) | None => Err(problems),
    }
}

fn read_root(root: &Section<'_, '_>, reader: &Reader) -> Option<Policy> {
    root.number("format", FORMAT..=FORMAT);
    let name = root.text("version", "give a version, for instance \"national-2026-3\"", version_of);
    let red_flags = read_all(root, "red_flag", reader, RedFlag::read, |one| (&one.rule, &one.when), true);
    let delays = read_all(root, "delay", reader, DelayRule::read, |one| (&one.rule, &one.when), true);
    let modalities = read_all(root, "modality", reader, ModalityRule::read, |one| (&one.rule, &one.when), false);
    let teleconsultation = read_section(root, "teleconsultation", teleconsultation);
    let hold = read_section(root, "hold_seconds", hold_seconds);
    let margin = read_section(root, "arrival", |section| Some(section.number("margin_minutes", 0..=120)?.value));
    let search = read_section(root, "search", search);
    let travel = read_section(root, "travel", |section| TravelPolicy::read(section, reader));
    let territory = read_section(root, "territory_preference", territory_preference);
    let data_age = read_section(root, "data_age", data_age);
    let fallback = read_section(root, "fallback", fallback);
    let fairness = read_section(root, "fairness", fairness);
    let diversity = read_section(root, "diversity", diversity);
    let mut rules: Vec<At<PolicyRule>> = Vec::new();
    rules.extend(red_flags.iter().map(|one| of(one, one.value.rule.clone())));
    rules.extend(delays.iter().map(|one| of(one, one.value.rule.clone())));
    rules.extend(modalities.iter().map(|one| of(one, one.value.rule.clone())));
    rules.extend(teleconsultation.iter().map(|one| root.at(one.rule.clone())));
    check_ids(&rules, reader);
    check_delays(root, &delays);
    check_modalities(&modalities, reader);
    let (enough_options, widened_max, step_percent, home_visit_radius_m) = search?;
    let (neighbour_cost_seconds, other_territory_cost_seconds, neighbours) = territory?;
    let (fading, doubt_cost_seconds) = data_age?;
    Some(Policy {
        version: Arc::clone(&name.as_ref()?.value),
        name: name?.value,
        red_flags: values(red_flags),
        delays: values(delays),
        modalities: values(modalities),
        teleconsultation: teleconsultation?,
        hold_seconds: hold?,
        arrival_margin_minutes: margin?,
        enough_options,
        widened_max,
        step_percent,
        home_visit_radius_m,
        travel: travel?,
        neighbour_cost_seconds,
        other_territory_cost_seconds,
        neighbours,
        fading,
        doubt_cost_seconds,
        fallback: fallback?,
        fairness: fairness?,
        diversity: diversity?,
    })
}

fn values<T>(all: Vec<At<T>>) -> Vec<T> {
    all.into_iter().map(|one| one.value).collect()
}

fn of<T, U>(at: &At<T>, value: U) -> At<U> {
    At { value, place: at.place.clone(), path: at.path.clone() }
}

/// Reads the table at a key; absent is a problem, and so is what nobody asked for in it.
fn read_section<'r, 't, T>(
    root: &Section<'r, 't>,
    key: &'static str,
    read: impl FnOnce(&Section<'r, 't>) -> Option<T>,
) -> Option<T> {
    let section = root.section(key)?;
    let value = read(&section);
    section.finish();
    value
}

pub(super) fn version_of(text: &str) -> Result<Arc<str>, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let fits = (1..=VERSION_MAX_CHARACTERS).contains(&text.len()) && text.chars().all(is_plain);
    let expected = || format!("give at most {VERSION_MAX_CHARACTERS} letters, digits, dots, dashes and underscores");
    fits.then(|| Arc::from(text)).ok_or_else(expected)
}

fn cost(section: &Section<'_, '_>, key: &'static str) -> Option<u32> {
    Some(section.number(key, 0..=86_400)?.value)
}

fn teleconsultation(section: &Section<'_, '_>) -> Option<TeleconsultationRule> {
    const BEYOND: &str = "give last_resort, never or always";
    let near = section.number("near_km", 0..=300);
    let beyond = section.text("beyond", BEYOND, |text| match text {
        "last_resort" => Ok(BeyondTerritory::LastResort),
        "never" => Ok(BeyondTerritory::Never),
        "always" => Ok(BeyondTerritory::Always),
        _ => Err(BEYOND.to_owned()),
    });
    Some(TeleconsultationRule { rule: rule(section)?, near_m: near?.value * 1_000, beyond: beyond?.value })
}

fn hold_seconds(section: &Section<'_, '_>) -> Option<[u32; Priority::ALL.len()]> {
    const KEYS: [&str; Priority::ALL.len()] = ["P0", "P1", "P2", "P3", "NR"];
    let read = KEYS.map(|key| section.number(key, 30..=600));
    let mut seconds = [0; Priority::ALL.len()];
    for (into, read) in seconds.iter_mut().zip(read) {
        *into = read?.value;
    }
    Some(seconds)
}

fn search(section: &Section<'_, '_>) -> Option<(usize, u32, u32, u32)> {
    let enough = section.number("enough_options", 1..=20);
    let widened = section.number("widened_max", 0..=20);
    let step = section.number("step_percent", 10..=1_000);
    let home = section.number("home_visit_radius_km", 1..=300);
    Some((usize::try_from(enough?.value).unwrap_or(1), widened?.value, step?.value, home?.value * 1_000))
}

fn territory_preference(section: &Section<'_, '_>) -> Option<(u32, u32, Vec<TerritoryId>)> {
    let (neighbour, other) = (cost(section, "neighbour_cost_seconds"), cost(section, "other_cost_seconds"));
    let neighbours = section.texts("neighbours", |text| TerritoryId::parse(text).map(|checked| checked.value));
    if neighbour > other {
        section.refuse("a neighbour costs more than any other territory: lower neighbour_cost_seconds");
    }
    Some((neighbour?, other?, values(neighbours)))
}

fn data_age(section: &Section<'_, '_>) -> Option<(Fading, u32)> {
    let uncertain = section.number("doubted_after_minutes", 1..=10_080);
    let hidden = section.number("hidden_after_minutes", 1..=20_160);
    let after_lease = section.number("hidden_after_lease_minutes", 0..=1_440);
    let cost = cost(section, "cost_seconds");
    let fading = Fading {
        uncertain_after_seconds: uncertain?.value * 60,
        hidden_after_seconds: hidden?.value * 60,
        hidden_after_lease_seconds: after_lease?.value * 60,
    };
    if fading.hidden_after_seconds <= fading.uncertain_after_seconds {
        section
            .refuse("data are hidden before they are doubted: raise hidden_after_minutes above doubted_after_minutes");
    }
    Some((fading, cost?))
}

fn fallback(section: &Section<'_, '_>) -> Option<Fallback> {
    let (sites, closed) = (section.number("sites_max", 1..=10), section.number("closed_sites_max", 0..=10));
    let far = section.number("far_km", 1..=1_000);
    Some(Fallback {
        sites_max: usize::try_from(sites?.value).unwrap_or(1),
        closed_sites_max: usize::try_from(closed?.value).unwrap_or(0),
        far_m: far?.value * 1_000,
    })
}

fn fairness(section: &Section<'_, '_>) -> Option<Fairness> {
    let within = section.number("equivalent_within_seconds", 0..=3_600);
    let (recent, new) = (section.number("least_recent_percent", 0..=100), section.number("newcomer_percent", 0..=100));
    let days = section.number("newcomer_days", 0..=365);
    if let (Some(recent), Some(new)) = (&recent, &new)
        && recent.value + new.value != 100
    {
        section.refuse("least_recent_percent and newcomer_percent are not 100 together: give both");
    }
    Some(Fairness {
        equivalent_within_seconds: within?.value,
        least_recent_percent: recent?.value,
        newcomer_percent: new?.value,
        newcomer_days: days?.value,
    })
}

fn diversity(section: &Section<'_, '_>) -> Option<Diversity> {
    let place = section.number("options_per_place_max", 1..=20);
    let practitioner = section.number("options_per_practitioner_max", 1..=20);
    Some(Diversity { per_place_max: place?.value, per_practitioner_max: practitioner?.value })
}

fn check_ids(rules: &[At<PolicyRule>], reader: &Reader) {
    let mut seen: HashMap<&str, &At<PolicyRule>> = HashMap::new();
    for rule in rules {
        if let Some(other) = seen.insert(&rule.value.id, rule) {
            rule.refuse(reader, format!("the id `{}` is that of {} too: choose another", rule.value.id, other.path));
        }
    }
}

/// Every question has a delay, whatever its motive and age.
fn check_delays(root: &Section<'_, '_>, delays: &[At<DelayRule>]) {
    for care_level in CareLevel::ALL {
        for priority in Priority::ALL {
            let facts = Facts { care_level: *care_level, priority: *priority, motive: None, age: None };
            if !delays.iter().any(|delay| delay.value.when.holds(&facts)) {
                root.refuse(format!(
                    "no delay rule holds for {care_level} with {priority}: add one, without motive or age"
                ));
            }
        }
    }
}

/// No patient is left without any modality.
fn check_modalities(rules: &[At<ModalityRule>], reader: &Reader) {
    let whens: Vec<&When> = rules.iter().map(|rule| &rule.value.when).collect();
    let mut ages: Vec<Option<Age>> =
        whens.iter().flat_map(|when| when.ages()).map(|days| Some(Age::from_days(days))).collect();
    ages.extend([None, Some(Age::from_days(0))]);
    ages.sort_unstable();
    ages.dedup();
    for motive in Motive::ALL {
        for age in &ages {
            for care_level in CareLevel::ALL {
                for priority in Priority::ALL {
                    let facts =
                        Facts { care_level: *care_level, priority: *priority, motive: Some(*motive), age: *age };
                    let holding = || rules.iter().filter(|rule| rule.value.when.holds(&facts));
                    let forbidden = holding().fold(ModalitySet::EMPTY, |set, rule| set.union(rule.value.unsuitable));
                    if let (ModalitySet::ALL, Some(last)) = (forbidden, holding().next_back()) {
                        let ids: Vec<_> = holding().map(|rule| &*rule.value.rule.id).collect();
                        last.refuse(
                            reader,
                            format!(
                                "forbids every modality for {motive} together with {}: leave at least one",
                                ids.join(", ")
                            ),
                        );
                        return;
                    }
                }
            }
        }
    }
}
