//! What the identifiers share: fixed ASCII text, the Luhn sum, and the cleaning of untrusted text.
//!
//! Invariant: an [`Ascii`] holds ASCII only, so that it is always readable as text.
//! Deliberately absent: anything national; the forms are in the files of their identifiers.

use std::fmt;

use super::{CheckDigitWarning, Checked, IdError};
use crate::domain::code::shown;

/// ASCII text of exactly `N` bytes, without allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ascii<const N: usize>([u8; N]);

impl<const N: usize> Ascii<N> {
    /// The text when it has `N` bytes, all ASCII.
    pub(super) fn new(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        text.as_bytes().try_into().ok().map(Self)
    }

    /// The text itself.
    pub(super) fn as_str(&self) -> &str {
        // Only ASCII gets in, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Ascii<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether the text is made of the digits 0 to 9 only, and of at least one.
pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sum of the decimal digits, the Luhn way (every second digit from the right doubled) or plainly.
fn digit_sum(digits: &str, doubled: bool) -> u32 {
    let mut sum = 0;
    for (place, digit) in digits.chars().rev().filter_map(|character| character.to_digit(10)).enumerate() {
        let weighted = if doubled && place % 2 == 1 { digit * 2 } else { digit };
        sum += if weighted > 9 { weighted - 9 } else { weighted };
    }
    sum
}

/// Whether the last digit is the Luhn key of the others.
pub(super) fn luhn_holds(digits: &str) -> bool {
    digit_sum(digits, true).is_multiple_of(10)
}

/// Whether the plain sum of the digits is a multiple of five: the rule of La Poste's establishments.
pub(super) fn digit_sum_is_multiple_of_five(digits: &str) -> bool {
    digit_sum(digits, false).is_multiple_of(5)
}

/// The value, with a warning when its check digit does not hold.
pub(super) fn checked<T>(value: T, holds: bool, kind: &'static str, digits: &str) -> Checked<T> {
    let warning = (!holds).then(|| CheckDigitWarning { kind, value: digits.to_owned() });
    Checked { value, warning }
}

/// The text without surrounding whitespace.
///
/// # Errors
/// [`IdError::Empty`] when nothing is left.
pub(super) fn trimmed<'a>(given: &'a str, kind: &'static str, expected: &'static str) -> Result<&'a str, IdError> {
    let text = given.trim();
    if text.is_empty() {
        return Err(IdError::Empty { kind, expected });
    }
    Ok(text)
}

/// The refusal of a text that has another form.
pub(super) fn bad_shape(kind: &'static str, given: &str, expected: &'static str) -> IdError {
    IdError::BadShape { kind, given: shown(given), expected }
}

/// The trimmed text when it has 1 to `max_bytes` bytes and every character can be seen; plain spaces may stand inside.
///
/// # Errors
/// [`IdError::Empty`], [`IdError::TooLong`] or [`IdError::BadShape`].
pub(super) fn visible<'a>(
    given: &'a str,
    kind: &'static str,
    expected: &'static str,
    max_bytes: usize,
) -> Result<&'a str, IdError> {
    let text = trimmed(given, kind, expected)?;
    if text.len() > max_bytes {
        return Err(IdError::TooLong { kind, given_bytes: text.len(), max_bytes });
    }
    if !text.chars().all(is_visible) {
        return Err(bad_shape(kind, text, expected));
    }
    Ok(text)
}

/// Two identifiers that look the same must be the same, so characters that leave no mark are refused.
fn is_visible(character: char) -> bool {
    let leaves_no_mark = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    );
    character == ' ' || !(character.is_control() || character.is_whitespace() || leaves_no_mark)
}
