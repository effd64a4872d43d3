//! Identifiers: of people, structures, communes and phones as France writes them, and the opaque ones of publishers.
//!
//! Invariant: a value of these types has its canonical form, so equality, order and hash need no further cleaning.
//! A failed check digit is a warning beside the value ([`Checked`]), because published samples and real directories contain such numbers.
//! Deliberately absent: any look-up in a directory; nothing here knows whether an identifier exists.

mod claim;
mod commune;
mod opaque;
mod phone;
mod practitioner;
mod structure;
mod text;

use std::fmt;

pub use claim::ClaimId;
pub use commune::CommuneCode;
pub use opaque::{
    CaseId, EmergencySiteId, OPAQUE_ID_MAX_BYTES, PlaceId, PrincipalId, RequestId, ScheduleId, SlotId, SourceId,
};
pub use phone::PhoneNumber;
pub use practitioner::{PractitionerId, PractitionerIdKind};
pub use structure::{StructureId, StructureIdKind, TerritoryId};

use crate::domain::code::UnknownCode;

/// A value that was accepted, and what is doubtful about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T> {
    /// The accepted value, in canonical form.
    pub value: T,
    /// Set when the check digit of the value fails; the value is usable all the same.
    pub warning: Option<CheckDigitWarning>,
}

impl<T> Checked<T> {
    /// A value without any doubt.
    pub fn sound(value: T) -> Self {
        Self { value, warning: None }
    }

    /// The same warning on another value made from this one.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Checked<U> {
        Checked { value: convert(self.value), warning: self.warning }
    }
}

/// An identifier whose check digit does not fit its other digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckDigitWarning {
    /// Which identifier it is: `RPPS`, `FINESS` or `SIRET`.
    pub kind: &'static str,
    /// The identifier in canonical form, without national prefix.
    pub value: String,
}

impl fmt::Display for CheckDigitWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value } = self;
        write!(
            f,
            "the check digit of {kind} `{value}` is wrong; it was accepted as given, compare it with the national directory"
        )
    }
}

/// Why a text is not an identifier; every message says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing but whitespace was given.
    #[error("the {kind} is empty; expected {expected}")]
    Empty {
        /// The identifier that was asked for.
        kind: &'static str,
        /// The accepted forms, in words.
        expected: &'static str,
    },
    /// The text is longer than the identifier may be.
    #[error("the {kind} has {given_bytes} bytes; expected at most {max_bytes}")]
    TooLong {
        /// The identifier that was asked for.
        kind: &'static str,
        /// Length of the trimmed text, in bytes.
        given_bytes: usize,
        /// Longest accepted length, in bytes.
        max_bytes: usize,
    },
    /// The text has another form than the identifier.
    #[error("`{given}` is not a {kind}; expected {expected}")]
    BadShape {
        /// The identifier that was asked for.
        kind: &'static str,
        /// The text, cut to 64 characters, control characters escaped.
        given: String,
        /// The accepted forms, in words.
        expected: &'static str,
    },
    /// A commune code names a department that does not exist.
    #[error("`{given}` is not a commune code: {source}")]
    UnknownDepartment {
        /// The text that was given.
        given: String,
        /// The department part and the nearest known ones.
        source: UnknownCode,
    },
}

#[cfg(test)]
mod tests;
