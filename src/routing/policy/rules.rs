//! The rules of a policy that have an id: red flags, clinical delays, modalities that do not suit.

use std::sync::Arc;

use super::reader::{At, Reader, Section};
use super::when::{Facts, When};
use crate::domain::answer::{CareOutcome, PolicyRule};
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::query::NEEDED_WITHIN_MAX_MINUTES;

/// Most characters of a rule's id.
const ID_MAX_CHARACTERS: usize = 64;
/// Most characters of a rule's French text.
const TEXT_MAX_CHARACTERS: usize = 300;
/// Most rules of one sort.
const RULES_MAX: usize = 200;
/// Beginnings of the ids of the rules that are not data.
pub(super) const BUILT_IN: [&str; 3] = ["escalation.", "options.", "advice."];

/// A rule by which a motive or an age alone decides the outcome.
#[derive(Clone, PartialEq, Debug)]
pub struct RedFlag {
    /// Id and French text.
    pub rule: PolicyRule,
    /// Whom it is about.
    pub when: When,
    /// What it decides.
    pub outcome: CareOutcome,
    /// Whether a physician who asks for options gets them all the same.
    pub physician_may_override: bool,
}

/// A clinical delay for questions that give none.
#[derive(Clone, PartialEq, Debug)]
pub struct DelayRule {
    /// Id and French text.
    pub rule: PolicyRule,
    /// Whom it is about.
    pub when: When,
    /// The delay.
    pub minutes: u32,
}

/// A modality that does not suit some patients.
#[derive(Clone, PartialEq, Debug)]
pub struct ModalityRule {
    /// Id and French text.
    pub rule: PolicyRule,
    /// Whom it is about.
    pub when: When,
    /// What does not suit them.
    pub unsuitable: ModalitySet,
    /// Whether a physician who asks for that modality alone gets it all the same.
    pub physician_may_override: bool,
}

impl RedFlag {
    pub(super) fn read(section: &Section<'_, '_>, reader: &Reader) -> Option<Self> {
        let when = When::read(section, reader);
        if !when.asks_more_than_urgency() {
            section.refuse("names neither motives nor an age: care levels and priorities escalate by themselves");
        }
        let outcome = section.text("outcome", OUTCOMES, |text| match text {
            "EMERGENCY_DISPATCH" => Ok(CareOutcome::EmergencyDispatch),
            "EMERGENCY_DEPARTMENT" => Ok(CareOutcome::EmergencyDepartment),
            _ => Err(OUTCOMES.to_owned()),
        });
        let physician_may_override = section.flag("physician_may_override", false);
        Some(Self { rule: rule(section)?, when, outcome: outcome?.value, physician_may_override })
    }
}

const OUTCOMES: &str = "give EMERGENCY_DISPATCH or EMERGENCY_DEPARTMENT";

impl DelayRule {
    pub(super) fn read(section: &Section<'_, '_>, reader: &Reader) -> Option<Self> {
        let when = When::read(section, reader);
        let minutes = section.number("minutes", 1..=NEEDED_WITHIN_MAX_MINUTES);
        Some(Self { rule: rule(section)?, when, minutes: minutes?.value })
    }
}

impl ModalityRule {
    pub(super) fn read(section: &Section<'_, '_>, reader: &Reader) -> Option<Self> {
        let when = When::read(section, reader);
        let unsuitable: Vec<_> = section.texts("unsuitable", Modality::parse);
        if unsuitable.is_empty() {
            section.refuse("forbids nothing: name the modalities that do not suit in `unsuitable`");
        }
        if when.is_always() {
            section.refuse("holds for every patient: name motives, ages, care levels or priorities");
        }
        Some(Self {
            physician_may_override: section.flag("physician_may_override", true),
            rule: rule(section)?,
            when,
            unsuitable: unsuitable.iter().map(|modality| modality.value).collect(),
        })
    }
}

/// Id and text of a rule.
pub(super) fn rule(section: &Section<'_, '_>) -> Option<PolicyRule> {
    let id = section.text("id", "give an id, for instance `red-flag.stroke`", |text| {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let fits = (1..=ID_MAX_CHARACTERS).contains(&text.len()) && text.chars().all(is_plain);
        if !fits {
            return Err(format!("give at most {ID_MAX_CHARACTERS} lower-case letters, digits, dots and dashes"));
        }
        if BUILT_IN.iter().any(|built_in| text.starts_with(built_in)) {
            return Err(format!("ids that begin with {} are the program's own: choose another", BUILT_IN.join(", ")));
        }
        Ok(Arc::from(text))
    });
    let text = section.text("text", "give one French sentence", |text| match text.trim() {
        "" => Err("give one French sentence".to_owned()),
        text if text.chars().count() > TEXT_MAX_CHARACTERS => {
            Err(format!("give at most {TEXT_MAX_CHARACTERS} characters"))
        }
        text => Ok(Arc::from(text)),
    });
    Some(PolicyRule { id: id?.value, text: text?.value })
}

/// Reads every rule of a list; a rule that can never decide because an earlier one always does is a problem.
pub(super) fn read_all<T>(
    root: &Section<'_, '_>,
    key: &'static str,
    reader: &Reader,
    read: impl Fn(&Section<'_, '_>, &Reader) -> Option<T>,
    when: impl Fn(&T) -> (&PolicyRule, &When),
    first_decides: bool,
) -> Vec<At<T>> {
    let sections = root.sections(key);
    if sections.len() > RULES_MAX {
        root.refuse(format!("{key} has {} rules: give at most {RULES_MAX}", sections.len()));
        return Vec::new();
    }
    let mut all: Vec<At<T>> = Vec::new();
    for section in sections {
        let one = read(&section, reader).map(|one| section.at(one));
        section.finish();
        let Some(one) = one else { continue };
        let (_, condition) = when(&one.value);
        let before = all.iter().map(|earlier| when(&earlier.value)).find(|(_, earlier)| earlier.covers(condition));
        if let (Some((earlier, _)), true) = (before, first_decides) {
            one.refuse(
                reader,
                format!("can never apply: `{}` comes first wherever this holds; move or remove it", earlier.id),
            );
        }
        all.push(one);
    }
    all
}

/// The first of the rules that holds.
pub(super) fn first<'p, T>(rules: &'p [T], facts: &Facts, when: impl Fn(&T) -> &When) -> Option<&'p T> {
    rules.iter().find(|rule| when(rule).holds(facts))
}
