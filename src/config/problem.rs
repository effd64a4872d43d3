//! What is wrong with a configuration.

use std::fmt;

/// One wrong setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Path of the setting, for instance `server.listen`; empty when a whole source is at fault.
    pub path: String,
    /// Where it came from, in words.
    pub origin: String,
    /// The value as given; empty when there is none.
    pub given: String,
    /// What to give.
    pub expected: String,
}

impl Problem {
    /// A source that cannot be read at all.
    pub(super) fn whole(origin: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: String::new(), origin: origin.into(), given: String::new(), expected: expected.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, origin, given, expected } = self;
        if path.is_empty() {
            return write!(f, "{origin}: {expected}");
        }
        if given.is_empty() {
            return write!(f, "{path}: {expected}");
        }
        write!(f, "{path} = {given} ({origin}): {expected}")
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(
    /// At least one.
    pub Vec<Problem>,
);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
