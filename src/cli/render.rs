//! Answers for people: French text and tables, codes beside their labels, times in the place's zone.
//!
//! Invariant: pure functions from a message and a width to text; a field that is absent or unknown is shown as such, never a panic.
//! Deliberately absent: writing (see `terminal`), asking the service, and sentences that the service already gives.

pub mod policy;
pub mod policy_activation;
pub mod policy_diff;
pub mod table;
pub mod time;
pub mod words;
pub mod answer;
pub mod options;
pub mod booking;
pub mod import;
pub mod schedule;
pub mod sites;
pub mod source;
pub mod explanation;
pub mod orientation;
pub mod tension;
pub mod status;
pub mod verify;
pub mod scenario;
pub mod board;
pub mod watch;
pub mod refusal;
pub mod refusals;
pub mod quarantine;

pub use options::Names;

use crate::domain::time::UtcInstant;

/// How a text is laid out.
#[derive(Clone, Debug)]
pub struct Layout {
    /// Columns of the screen.
    pub width: usize,
    /// Names of territories, for identifiers that people do not know by heart.
    pub names: Names,
    /// Today, for times that carry no day; absent to show the day of every time that no answer dates.
    pub now: Option<UtcInstant>,
}

impl Layout {
    /// Columns from which tables show every field in a column of its own.
    const WIDE_COLUMNS: usize = 116;

    /// A layout without names.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { width, names: Names::default(), now: None }
    }

    /// The same, at an instant.
    #[must_use]
    pub fn at(self, now: UtcInstant) -> Self {
        Self { now: Some(now), ..self }
    }

    /// Whether every field has a column of its own.
    #[must_use]
    pub const fn is_wide(&self) -> bool {
        self.width >= Self::WIDE_COLUMNS
    }
}

#[cfg(test)]
mod tests;
