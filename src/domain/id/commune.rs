//! The commune, by its INSEE code; never by postal code, which several communes share.
//!
//! Invariant: the code has five characters and its department exists.
//! Deliberately absent: the list of communes; a code of the right form is accepted whether or not a commune bears it.

use std::fmt;

use super::IdError;
use super::text::{Ascii, all_digits, bad_shape, trimmed};
use crate::domain::code::shown;
use crate::domain::department::Department;

const KIND: &str = "commune code";
const EXPECTED: &str = "an INSEE code: 5 digits, or `2A`/`2B` and 3 digits (not a postal code)";

/// A French commune, or a municipal arrondissement of Paris, Lyon or Marseille, by INSEE code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommuneCode {
    code: Ascii<5>,
    department: Department,
}

impl CommuneCode {
    /// Reads an INSEE code; `2a` is read as `2A`.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty, has another form, or opens with a department that does not exist (Corsica is 2A and 2B, not 20).
    pub fn parse(given: &str) -> Result<Self, IdError> {
        let text = trimmed(given, KIND, EXPECTED)?.to_ascii_uppercase();
        let digits = text.strip_prefix("2A").or_else(|| text.strip_prefix("2B")).unwrap_or(&text);
        let code = Ascii::new(&text).filter(|_| all_digits(digits)).ok_or_else(|| bad_shape(KIND, &text, EXPECTED))?;
        let overseas = text.starts_with("97") || text.starts_with("98");
        let prefix = text.get(..if overseas { 3 } else { 2 }).unwrap_or_default();
        let department =
            Department::parse(prefix).map_err(|source| IdError::UnknownDepartment { given: shown(&text), source })?;
        Ok(Self { code, department })
    }

    /// The five characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.code.as_str()
    }

    /// The department the commune lies in.
    #[must_use]
    pub fn department(&self) -> Department {
        self.department
    }

    /// Whether it is a municipal arrondissement: Paris 75101-75120, Lyon 69381-69389, Marseille 13201-13216.
    #[must_use]
    pub fn is_arrondissement(&self) -> bool {
        self.enclosing().is_some()
    }

    /// The commune itself: an arrondissement gives its city, every other code itself.
    #[must_use]
    pub fn commune(&self) -> Self {
        let city = self.enclosing().and_then(Ascii::new);
        Self { code: city.unwrap_or(self.code), department: self.department }
    }

    fn enclosing(&self) -> Option<&'static str> {
        match self.as_str().parse::<u32>() {
            Ok(75_101..=75_120) => Some("75056"),
            Ok(69_381..=69_389) => Some("69123"),
            Ok(13_201..=13_216) => Some("13055"),
            Ok(_) | Err(_) => None,
        }
    }
}

impl fmt::Display for CommuneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)
    }
}

impl fmt::Debug for CommuneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommuneCode({self})")
    }
}
