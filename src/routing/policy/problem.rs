//! What is wrong with a policy: where it stands, and what to do.

use std::fmt;
use std::sync::Arc;

/// Where something stands: a file and a line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Name of the file, as it was given.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One thing that is wrong with a policy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PolicyProblem {
    /// Where.
    pub place: Place,
    /// Path of the value, for instance `travel.class[0].detour_percent`; empty when the file as a whole is at fault.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, path, message } = self;
        if path.is_empty() { write!(f, "{place}: {message}") } else { write!(f, "{place}: {path}: {message}") }
    }
}

/// Everything that is wrong with policies, in order of file and line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyProblems(
    /// At least one.
    pub Vec<PolicyProblem>,
);

impl fmt::Display for PolicyProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policy has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for PolicyProblems {}
