//! Structures: FINESS, SIRET and the two practice ranks; and the territory, which is a structure of category 604 (CPTS).
//!
//! Invariant: FINESS and SIRET are held without their national prefix, ranks with it, because only the prefix tells what a rank is.
//! Where lengths meet: 9 characters are a FINESS, 14 digits a SIRET (even opening with 0 or 4); ranks are accepted with their prefix only.
//! Deliberately absent: the check digit of FINESS numbers with a letter (Corsica), whose rule nobody published; the category of a structure.

use std::fmt;
use std::sync::Arc;

use super::text::{Ascii, all_digits, bad_shape, checked, digit_sum_is_multiple_of_five, luhn_holds, trimmed};
use super::{Checked, IdError};

const KIND: &str = "structure id";
const EXPECTED: &str = "a FINESS (9 characters, or 10 with prefix 1), a SIRET (14 digits, or 15 with prefix 3), an RPPS-rang (prefix 4 and 9 to 18 digits) or an ADELI-rang (prefix 0 and 9 to 18 characters)";
const TERRITORY_KIND: &str = "territory id";
const TERRITORY_EXPECTED: &str = "the FINESS of a CPTS: 9 characters, or 10 with prefix 1";
/// Business number of La Poste, whose establishments follow another rule than Luhn.
const LA_POSTE_SIREN: &str = "356000000";

/// A care structure or practice; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructureId(Form);

/// Which numbering a [`StructureId`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StructureIdKind {
    /// National register of health structures, 9 characters.
    Finess,
    /// Business register, 14 digits.
    Siret,
    /// One practice of an RPPS holder, opaque.
    RppsRang,
    /// One practice of an ADELI holder, opaque.
    AdeliRang,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Finess(Ascii<9>),
    Siret(Ascii<14>),
    RppsRang(Arc<str>),
    AdeliRang(Arc<str>),
}

impl StructureId {
    /// Reads a number with or without its national prefix; a wrong check digit is a warning.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty or has none of the accepted forms.
    pub fn parse(given: &str) -> Result<Checked<Self>, IdError> {
        let text = trimmed(given, KIND, EXPECTED)?;
        if let Some(found) = finess(text) {
            return Ok(found.map(|number| Self(Form::Finess(number))));
        }
        if let Some(found) = siret(text) {
            return Ok(found.map(|number| Self(Form::Siret(number))));
        }
        rank(text).map(|form| Checked::sound(Self(form))).ok_or_else(|| bad_shape(KIND, text, EXPECTED))
    }

    /// The form of the national interfaces: `1` + FINESS, `3` + SIRET, ranks with their `4` or `0`.
    #[must_use]
    pub fn wire(&self) -> String {
        match &self.0 {
            Form::Finess(number) => format!("1{number}"),
            Form::Siret(number) => format!("3{number}"),
            Form::RppsRang(text) | Form::AdeliRang(text) => text.to_string(),
        }
    }

    /// Which numbering it belongs to.
    #[must_use]
    pub fn kind(&self) -> StructureIdKind {
        match &self.0 {
            Form::Finess(_) => StructureIdKind::Finess,
            Form::Siret(_) => StructureIdKind::Siret,
            Form::RppsRang(_) => StructureIdKind::RppsRang,
            Form::AdeliRang(_) => StructureIdKind::AdeliRang,
        }
    }
}

/// FINESS: nine digits, or `2A`/`2B` and seven digits.
fn finess(text: &str) -> Option<Checked<Ascii<9>>> {
    let canonical = if text.len() == 10 { text.strip_prefix('1')? } else { text };
    let canonical = canonical.to_ascii_uppercase();
    let number = Ascii::new(&canonical)?;
    if all_digits(&canonical) {
        return Some(checked(number, luhn_holds(&canonical), "FINESS", &canonical));
    }
    let after_corsica = canonical.strip_prefix("2A").or_else(|| canonical.strip_prefix("2B"))?;
    all_digits(after_corsica).then(|| Checked::sound(number))
}

fn siret(text: &str) -> Option<Checked<Ascii<14>>> {
    let canonical = if text.len() == 15 { text.strip_prefix('3')? } else { text };
    let number = Ascii::new(canonical).filter(|_| all_digits(canonical))?;
    let of_la_poste = canonical.starts_with(LA_POSTE_SIREN) && digit_sum_is_multiple_of_five(canonical);
    Some(checked(number, luhn_holds(canonical) || of_la_poste, "SIRET", canonical))
}

/// The official sources disagree on the length of a rank, so it is only bounded.
fn rank(text: &str) -> Option<Form> {
    if !(10..=19).contains(&text.len()) {
        return None;
    }
    if text.starts_with('4') && all_digits(text) {
        return Some(Form::RppsRang(text.into()));
    }
    let is_adeli_rank = text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_adeli_rank.then(|| Form::AdeliRang(text.to_ascii_uppercase().into()))
}

impl fmt::Display for StructureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Finess(number) => number.fmt(f),
            Form::Siret(number) => number.fmt(f),
            Form::RppsRang(text) | Form::AdeliRang(text) => f.pad(text),
        }
    }
}

impl fmt::Debug for StructureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StructureId({self})")
    }
}

/// A territorial community of professionals (CPTS), by the FINESS of its legal entity (category 604).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerritoryId(Ascii<9>);

impl TerritoryId {
    /// Reads a FINESS with or without prefix `1`; a wrong check digit is a warning.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty or no FINESS.
    pub fn parse(given: &str) -> Result<Checked<Self>, IdError> {
        let text = trimmed(given, TERRITORY_KIND, TERRITORY_EXPECTED)?;
        let number = finess(text).ok_or_else(|| bad_shape(TERRITORY_KIND, text, TERRITORY_EXPECTED))?;
        Ok(number.map(Self))
    }

    /// The form of the national interfaces: `1` + FINESS.
    #[must_use]
    pub fn wire(&self) -> String {
        self.wire_parts().concat()
    }

    /// The same as its prefix and the rest.
    #[must_use]
    pub fn wire_parts(&self) -> [&str; 2] {
        ["1", self.as_str()]
    }

    /// The nine characters, without prefix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<TerritoryId> for StructureId {
    fn from(territory: TerritoryId) -> Self {
        Self(Form::Finess(territory.0))
    }
}

impl fmt::Display for TerritoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TerritoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TerritoryId({self})")
    }
}
