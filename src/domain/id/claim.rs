//! The identifier of a claim: the hold, and the booking it becomes.
//!
//! Invariant: written hyphenated in lower case, however it was given.
//! Deliberately absent: making one; the caller supplies the UUID, so that this module needs neither clock nor chance.

use std::fmt;

use uuid::Uuid;

use super::IdError;
use super::text::{bad_shape, trimmed};

const KIND: &str = "claim id";
const EXPECTED: &str = "a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057";

/// A hold or booking; ours are UUIDs of version 7, so their order is that of their making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimId(Uuid);

impl ClaimId {
    /// Reads a UUID in any of its usual spellings.
    ///
    /// # Errors
    /// [`IdError`] when the text is empty or no UUID.
    pub fn parse(given: &str) -> Result<Self, IdError> {
        let text = trimmed(given, KIND, EXPECTED)?;
        Uuid::try_parse(text).map(Self).map_err(|_| bad_shape(KIND, text, EXPECTED))
    }

    /// The identifier that is this UUID.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID it is.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ClaimId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
