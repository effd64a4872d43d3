//! What is wrong with a scenario file, with file, line and scenario.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong with a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// From 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Name of the scenario, when one is meant.
    pub scenario: Option<String>,
    /// What is wrong and what to write.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, scenario, message } = self;
        f.write_str(file)?;
        if *line > 0 {
            write!(f, ":{line}")?;
        }
        match scenario {
            Some(scenario) => write!(f, ": scenario `{scenario}`: {message}"),
            None => write!(f, ": {message}"),
        }
    }
}

/// Everything that is wrong with the files that were read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// Takes down what is wrong while one file is read.
#[derive(Debug)]
pub(super) struct Log<'t> {
    file: &'t str,
    text: &'t str,
    scenario: RefCell<Option<String>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Log<'t> {
    pub(super) const fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, scenario: RefCell::new(None), problems: RefCell::new(Vec::new()) }
    }

    pub(super) const fn file(&self) -> &'t str {
        self.file
    }

    /// What follows is about this scenario.
    pub(super) fn enter(&self, scenario: Option<String>) {
        *self.scenario.borrow_mut() = scenario;
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, byte: usize) -> usize {
        self.text.get(..byte).map_or(0, |before| before.matches('\n').count() + 1)
    }

    /// Notes a problem at a byte of the file.
    pub(super) fn refuse(&self, byte: usize, message: impl Into<String>) {
        let problem = Problem {
            file: self.file.to_owned(),
            line: self.line(byte),
            scenario: self.scenario.borrow().clone(),
            message: message.into(),
        };
        let mut problems = self.problems.borrow_mut();
        // What the whole file shares is read once for each scenario and told once.
        let known = |other: &Problem| other.line == problem.line && other.message == problem.message;
        if !problems.iter().any(known) {
            problems.push(problem);
        }
    }

    /// How many problems there are.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}
