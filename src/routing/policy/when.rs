//! Whom a rule of a policy is about: care level, priority, motive, age.

use super::reader::{Reader, Section};
use crate::domain::code::{CareLevel, Motive, Priority};
use crate::domain::patient::Age;
use crate::domain::query::CareQuery;

/// What rules ask of a question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Care level.
    pub care_level: CareLevel,
    /// Priority.
    pub priority: Priority,
    /// Motive, when one was given.
    pub motive: Option<Motive>,
    /// Age in days, when known.
    pub age: Option<Age>,
}

impl From<&CareQuery> for Facts {
    fn from(query: &CareQuery) -> Self {
        let parts = query.parts();
        Self { care_level: query.care_level(), priority: query.priority(), motive: parts.motive, age: parts.age }
    }
}

/// Whom a rule is about; what is empty or absent does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// One bit a care level; 0 for any.
    care_levels: u8,
    /// One bit a priority; 0 for any.
    priorities: u8,
    /// One bit a motive; 0 for any.
    motives: u64,
    /// From this age on, in days. An unknown age is none.
    from_days: Option<u32>,
    /// Under this age, in days. An unknown age is none.
    under_days: Option<u32>,
}

impl When {
    /// Reads the keys of a condition.
    pub(super) fn read(section: &Section<'_, '_>, reader: &Reader) -> Self {
        let levels = section.texts("care_levels", CareLevel::parse);
        let priorities = section.texts("priorities", Priority::parse);
        let motives = section.texts("motives", Motive::parse);
        let age = |text: &str| Age::parse(text).map_err(|error| error.to_string());
        let from = section.optional_text("min_age", age);
        let under = section.optional_text("under_age", age);
        if let (Some(from), Some(under)) = (&from, &under)
            && from.value >= under.value
        {
            from.refuse(
                reader,
                format!("is not below under_age ({} days): no age fits; change one", under.value.days()),
            );
        }
        Self {
            care_levels: levels.iter().fold(0, |bits, level| bits | 1 << level.value.index()),
            priorities: priorities.iter().fold(0, |bits, priority| bits | 1 << priority.value.index()),
            motives: motives.iter().fold(0, |bits, motive| bits | 1 << motive.value.index()),
            from_days: from.map(|from| from.value.days()),
            under_days: under.map(|under| under.value.days()),
        }
    }

    /// Whether it is about this question.
    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        let has = |bits: u64, index: u8| bits == 0 || bits & (1 << index) != 0;
        let motive = facts.motive.map_or(self.motives == 0, |motive| has(self.motives, motive.index()));
        has(u64::from(self.care_levels), facts.care_level.index())
            && has(u64::from(self.priorities), facts.priority.index())
            && motive
            && self.from_days.is_none_or(|from| facts.age.is_some_and(|age| age.days() >= from))
            && self.under_days.is_none_or(|under| facts.age.is_some_and(|age| age.days() < under))
    }

    /// Whether it is about everybody.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it asks for a motive or an age, which a question may lack.
    #[must_use]
    pub const fn asks_more_than_urgency(&self) -> bool {
        self.motives != 0 || self.from_days.is_some() || self.under_days.is_some()
    }

    /// Whether it holds wherever another does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let has_all = |of: u64, all: u64| of == 0 || (all != 0 && all & !of == 0);
        has_all(u64::from(self.care_levels), u64::from(other.care_levels))
            && has_all(u64::from(self.priorities), u64::from(other.priorities))
            && has_all(self.motives, other.motives)
            && self.from_days.is_none_or(|from| other.from_days.is_some_and(|others| others >= from))
            && self.under_days.is_none_or(|under| other.under_days.is_some_and(|others| others <= under))
    }

    /// The ages at which it begins or ends to hold.
    pub(super) fn ages(&self) -> impl Iterator<Item = u32> {
        self.from_days.into_iter().chain(self.under_days)
    }

    /// The care levels, priorities and motives that it names, and its ages, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let levels = CareLevel::ALL.iter().filter(|level| self.care_levels & (1 << level.index()) != 0);
        let priorities = Priority::ALL.iter().filter(|priority| self.priorities & (1 << priority.index()) != 0);
        let motives = Motive::ALL.iter().filter(|motive| self.motives & (1 << motive.index()) != 0);
        let mut words: Vec<String> = levels.map(ToString::to_string).collect();
        words.extend(priorities.map(ToString::to_string));
        words.extend(motives.map(ToString::to_string));
        words.extend(self.from_days.map(|days| format!("dès {days} j")));
        words.extend(self.under_days.map(|days| format!("avant {days} j")));
        if words.is_empty() { "toujours".to_owned() } else { words.join(" ") }
    }
}
