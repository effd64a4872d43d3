//! Phone numbers of France and its overseas territories, in the international form E.164.
//!
//! Invariant: a country code of France and the number of digits it asks for.
//! Deliberately absent: short numbers (15, 116117) and foreign ones; whether somebody answers.

use std::fmt;

use super::IdError;
use super::text::{all_digits, bad_shape, trimmed};

const KIND: &str = "French phone number";
const EXPECTED: &str = "10 digits opening with 0, or +33, +262, +590, +594, +596 and 9 digits, +508, +681, +687 and 6 digits, +689 and 8 digits";

/// Country codes with the lengths of the number that follows.
const COUNTRIES: [(&str, &[usize]); 9] = [
    ("33", &[9]),
    ("262", &[9]),
    ("590", &[9]),
    ("594", &[9]),
    ("596", &[9]),
    // Saint-Pierre-et-Miquelon: 6 digits, 9 in the newer ranges.
    ("508", &[6, 9]),
    ("681", &[6]),
    ("687", &[6]),
    ("689", &[8]),
];

/// First three digits of national numbers that belong to an overseas country code, with that code.
const OVERSEAS: [(&str, &str); 14] = [
    ("262", "262"),
    ("263", "262"),
    ("269", "262"),
    ("639", "262"),
    ("692", "262"),
    ("693", "262"),
    ("590", "590"),
    ("690", "590"),
    ("691", "590"),
    ("594", "594"),
    ("694", "594"),
    ("596", "596"),
    ("696", "596"),
    ("697", "596"),
];

/// A phone number that can be dialled from anywhere; written `+` and its digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(u64);

impl PhoneNumber {
    /// Reads a national (`06 12 34 56 78`) or international (`+33 6…`, `0033 6…`) number; spaces, dots, hyphens, slashes and `(0)` are dropped.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty or no number of France or its overseas territories.
    pub fn parse(given: &str) -> Result<Self, IdError> {
        let text = trimmed(given, KIND, EXPECTED)?;
        international(text).ok_or_else(|| bad_shape(KIND, text, EXPECTED))
    }
}

fn international(text: &str) -> Option<PhoneNumber> {
    let text = text.strip_prefix("tel:").unwrap_or(text).replace("(0)", "");
    let dialled: String = text.chars().filter(|character| !is_separator(*character)).collect();
    let abroad = dialled.strip_prefix('+').or_else(|| dialled.strip_prefix("00"));
    let digits = match abroad {
        Some(digits) => digits,
        None => &format!("33{}", dialled.strip_prefix('0')?),
    };
    if !all_digits(digits) {
        return None;
    }
    let digits = match digits.strip_prefix("33") {
        Some(national) => from_national(national)?,
        None => digits.to_owned(),
    };
    let (code, lengths) = COUNTRIES.iter().find(|(code, _)| digits.starts_with(code))?;
    let number = digits.strip_prefix(code)?;
    if number.starts_with('0') || !lengths.contains(&number.len()) {
        return None;
    }
    digits.parse().ok().map(PhoneNumber)
}

/// The number behind `0` or `+33` under the country code it belongs to: an overseas number dialled from France looks like a French one.
fn from_national(national: &str) -> Option<String> {
    if national.len() != 9 {
        return None;
    }
    if let Some(number) = national.strip_prefix("508") {
        return Some(format!("508{number}"));
    }
    let overseas = OVERSEAS.iter().find(|(range, _)| national.starts_with(range));
    Some(format!("{}{national}", overseas.map_or("33", |(_, code)| code)))
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '.' | '-' | '/' | '\u{2010}' | '\u{2011}')
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({self})")
    }
}
