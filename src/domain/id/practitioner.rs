//! Who gives care: the national numbers RPPS and ADELI, or a publisher's own identifier.
//!
//! Invariant: the national prefix is never part of the value; [`PractitionerId::wire`] puts it back.
//! The length alone decides: 9 characters ADELI, 10 with prefix `0` ADELI, 11 digits RPPS, 12 with prefix `8` RPPS; nothing is ambiguous.
//! Deliberately absent: a check that an RPPS starts with 10, which is today's range and not a rule; regulators, who are principals.

use std::fmt;
use std::sync::Arc;

use super::opaque::OPAQUE_ID_MAX_BYTES;
use super::text::{Ascii, all_digits, bad_shape, checked, luhn_holds, trimmed, visible};
use super::{Checked, IdError};

const KIND: &str = "practitioner id";
const EXPECTED: &str = "an RPPS (11 digits, or 12 with prefix 8), an ADELI (9 characters, or 10 with prefix 0), or `internal:` and the publisher's own id";
const INTERNAL_PREFIX: &str = "internal:";

/// A professional, by national number or by the publisher's own identifier; cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PractitionerId(Form);

/// Which numbering a [`PractitionerId`] belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PractitionerIdKind {
    /// National directory number, 11 digits.
    Rpps,
    /// Older national number, 9 characters.
    Adeli,
    /// Identifier of one publisher, without national meaning.
    Internal,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Rpps(Ascii<11>),
    Adeli(Ascii<9>),
    Internal(Arc<str>),
}

impl PractitionerId {
    /// Reads a number with or without its national prefix; a wrong RPPS check digit is a warning.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty or has none of the accepted forms.
    pub fn parse(given: &str) -> Result<Checked<Self>, IdError> {
        let text = trimmed(given, KIND, EXPECTED)?;
        if let Some(internal) = text.strip_prefix(INTERNAL_PREFIX) {
            let internal = visible(internal, KIND, EXPECTED, OPAQUE_ID_MAX_BYTES)?;
            return Ok(Checked::sound(Self(Form::Internal(internal.into()))));
        }
        let canonical = match text.len() {
            12 => text.strip_prefix('8'),
            10 => text.strip_prefix('0'),
            _ => Some(text),
        };
        let form = canonical.and_then(|canonical| rpps(canonical).or_else(|| adeli(canonical)));
        form.ok_or_else(|| bad_shape(KIND, text, EXPECTED))
    }

    /// The form of the national interfaces: `8` + RPPS, `0` + ADELI, an internal identifier unchanged.
    #[must_use]
    pub fn wire(&self) -> String {
        self.wire_parts().concat()
    }

    /// The same as what it begins with and the rest.
    #[must_use]
    pub fn wire_parts(&self) -> [&str; 2] {
        match &self.0 {
            Form::Rpps(number) => ["8", number.as_str()],
            Form::Adeli(number) => ["0", number.as_str()],
            Form::Internal(text) => [INTERNAL_PREFIX, text],
        }
    }

    /// Which numbering it belongs to.
    #[must_use]
    pub fn kind(&self) -> PractitionerIdKind {
        match &self.0 {
            Form::Rpps(_) => PractitionerIdKind::Rpps,
            Form::Adeli(_) => PractitionerIdKind::Adeli,
            Form::Internal(_) => PractitionerIdKind::Internal,
        }
    }
}

fn rpps(text: &str) -> Option<Checked<PractitionerId>> {
    let number = Ascii::new(text).filter(|_| all_digits(text))?;
    Some(checked(PractitionerId(Form::Rpps(number)), luhn_holds(text), "RPPS", text))
}

/// An ADELI opens with its department, so with a digit; it has no check digit we could verify.
fn adeli(text: &str) -> Option<Checked<PractitionerId>> {
    let opens_with_digit = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    if !opens_with_digit || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let number = Ascii::new(&text.to_ascii_uppercase())?;
    Some(Checked::sound(PractitionerId(Form::Adeli(number))))
}

impl fmt::Display for PractitionerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Rpps(number) => number.fmt(f),
            Form::Adeli(number) => number.fmt(f),
            Form::Internal(text) => write!(f, "{INTERNAL_PREFIX}{text}"),
        }
    }
}

impl fmt::Debug for PractitionerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PractitionerId({self})")
    }
}
