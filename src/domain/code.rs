//! The national codes, spelled as published, and sets of them for the hot path.
//!
//! Invariant: a value of these types is a published code; an unknown one is refused with the nearest known ones, never guessed.
//! Deliberately absent: rules that use the codes (they are policy), and reading the lists at run time (they are compiled in).

mod closed;
mod motive;
mod profession;
mod set;
mod specialty;
mod table;

use std::fmt;

pub use closed::{
    AppointmentType, CareLevel, DecisionType, Delay, Modality, OrientationType, PatientCategory, Priority, Role, Sex,
    Visibility,
};
pub use motive::Motive;
pub use profession::Profession;
pub use set::{AppointmentTypeSet, ModalitySet, ProfessionSet, SpecialtySet, VisibilitySet};
pub use specialty::Specialty;

/// Most characters of a refused text that an error repeats.
const SHOWN_MAX_CHARACTERS: usize = 64;
/// Most codes that a refusal suggests.
const NEAREST_MAX: usize = 3;

/// A text that is not a code of its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCode {
    /// The list that was asked, in words: `specialty`, `care level`.
    pub list: &'static str,
    /// The trimmed text, cut to 64 characters, control characters escaped.
    pub given: String,
    /// At most three codes of the list, nearest first.
    pub nearest: Vec<&'static str>,
}

impl UnknownCode {
    /// The refusal of `given`, with the nearest of the list's codes: fewest edits, then the longest common beginning, then the order of the list.
    #[must_use]
    pub fn new(list: &'static str, given: &str, codes: impl Iterator<Item = &'static str>) -> Self {
        let given = shown(given.trim());
        let wanted = given.to_uppercase();
        let mut ranked: Vec<_> = codes
            .map(|code| (strsim::osa_distance(&wanted, code), -strsim::jaro_winkler(&wanted, code), code))
            .collect();
        ranked.sort_by(|left, right| left.0.cmp(&right.0).then(left.1.total_cmp(&right.1)));
        let nearest = ranked.into_iter().take(NEAREST_MAX).map(|(_, _, code)| code).collect();
        Self { list, given, nearest }
    }
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, given, nearest } = self;
        if given.is_empty() {
            write!(f, "empty {list} code; known are, for example: {}", nearest.join(", "))
        } else {
            write!(f, "unknown {list} code `{given}`; nearest known: {}", nearest.join(", "))
        }
    }
}

impl std::error::Error for UnknownCode {}

/// Untrusted text as an error may repeat it: cut to 64 characters, control characters escaped.
pub(super) fn shown(given: &str) -> String {
    let escaped = given.chars().flat_map(|character| {
        let is_control = character.is_control();
        let as_is = (!is_control).then_some(character);
        as_is.into_iter().chain(is_control.then(|| character.escape_default()).into_iter().flatten())
    });
    escaped.take(SHOWN_MAX_CHARACTERS).collect()
}

#[cfg(test)]
pub(super) mod tests;
