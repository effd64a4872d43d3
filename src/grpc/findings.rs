//! What is wrong or odd in a message, by path.
//!
//! Invariant: a conversion that returns `None` has recorded why. Paths are built only when something is wrong, so that a
//! sound message costs no allocation here. A message is read to its end, but at most [`VIOLATIONS_MAX`] violations are
//! kept: a hostile one must not cost more than a wrong one.

use std::fmt;

use crate::domain::code::UnknownCode;
use crate::domain::id::{Checked, IdError};
use crate::domain::violation::Violation;

/// Most violations that are kept of one message.
pub(super) const VIOLATIONS_MAX: usize = 100;
/// Most warnings that are kept of one message.
pub(super) const WARNINGS_MAX: usize = 1_000;

/// Where a field stands in its message; borrows its parents, so it costs nothing until it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Root,
    Field(&'static str),
    Index(usize),
}

impl Path<'_> {
    /// The message itself.
    pub(super) const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// A field of this message.
    pub(super) const fn field(&self, name: &'static str) -> Path<'_> {
        Path { parent: Some(self), step: Step::Field(name) }
    }

    /// An element of this list.
    pub(super) const fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    const fn is_root(&self) -> bool {
        matches!(self.step, Step::Root)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) if self.parent.is_none_or(Path::is_root) => f.write_str(name),
            Step::Field(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// What was found while a message was read.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What is wrong: the message is refused.
    pub(super) violations: Vec<Violation>,
    /// What is odd: the message is accepted and its sender told.
    pub(super) warnings: Vec<Violation>,
}

impl Findings {
    /// Records what is wrong with a field.
    pub(super) fn refuse(&mut self, path: Path<'_>, message: impl fmt::Display) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Violation::new(path.to_string(), message.to_string()));
        }
    }

    /// Records what is odd with a field.
    pub(super) fn warn(&mut self, path: Path<'_>, message: impl fmt::Display) {
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(Violation::new(path.to_string(), message.to_string()));
        }
    }

    /// The value, or `None` with its error recorded.
    pub(super) fn take<T, E: fmt::Display>(&mut self, path: Path<'_>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.refuse(path, error)).ok()
    }

    /// The value of an identifier with a check digit; a failed digit is a warning.
    pub(super) fn checked<T>(&mut self, path: Path<'_>, result: Result<Checked<T>, IdError>) -> Option<T> {
        let Checked { value, warning } = self.take(path, result)?;
        if let Some(warning) = warning {
            self.warn(path, warning);
        }
        Some(value)
    }

    /// The value of a text that may be empty; `None` when it is, or when it is wrong.
    pub(super) fn optional<T, E: fmt::Display>(
        &mut self,
        path: Path<'_>,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if text.trim().is_empty() { None } else { self.take(path, parse(text)) }
    }

    /// The values of a list of codes; unknown ones name the nearest known.
    pub(super) fn codes<T, C: FromIterator<T>>(
        &mut self,
        path: Path<'_>,
        texts: &[String],
        max: usize,
        parse: impl Fn(&str) -> Result<T, UnknownCode>,
    ) -> C {
        if !self.within(path, texts.len(), max) {
            return C::from_iter(None);
        }
        texts.iter().enumerate().filter_map(|(index, text)| self.take(path.index(index), parse(text))).collect()
    }

    /// Whether a list is no longer than it may be.
    pub(super) fn within(&mut self, path: Path<'_>, length: usize, max: usize) -> bool {
        if length > max {
            self.refuse(path, format_args!("{length} entries are too many: give at most {max}"));
        }
        length <= max
    }

    /// The trimmed text when it has `min` to `max` characters and no control character but line ends and tabs.
    pub(super) fn text<'t>(&mut self, path: Path<'_>, text: &'t str, min: usize, max: usize) -> Option<&'t str> {
        let text = text.trim();
        let length = text.chars().count();
        if length < min || length > max {
            let range = if min == 0 { format!("at most {max}") } else { format!("{min} to {max}") };
            self.refuse(path, format_args!("{length} characters: give {range}"));
            return None;
        }
        if text.chars().any(|character| character.is_control() && !character.is_whitespace()) {
            self.refuse(path, "control characters cannot be shown: leave them out");
            return None;
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_people_write_them() {
        let rows = Path::ROOT.field("rows");
        let row = rows.index(3);
        let window = row.field("window");
        assert_eq!(window.field("end_at").to_string(), "rows[3].window.end_at");
    }

    #[test]
    fn a_hostile_message_does_not_grow_the_findings_without_end() {
        let mut findings = Findings::default();
        (0..10_000).for_each(|index| findings.refuse(Path::ROOT.index(index), "wrong"));
        assert_eq!(findings.violations.len(), VIOLATIONS_MAX);
    }

    #[test]
    fn control_characters_are_refused_in_text() {
        let mut findings = Findings::default();
        assert_eq!(findings.text(Path::ROOT.field("name"), "Cabinet\u{7}", 1, 200), None);
        assert_eq!(findings.text(Path::ROOT.field("name"), " Cabinet\n", 1, 200), Some("Cabinet"));
        assert_eq!(findings.violations.len(), 1);
    }
}
