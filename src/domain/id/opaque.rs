//! Identifiers that others chose: text we keep, compare and give back, and never interpret.
//!
//! Invariant: 1 to [`OPAQUE_ID_MAX_BYTES`] bytes, no control or invisible character, no whitespace at the ends; case matters.
//! Deliberately absent: any meaning; two identifiers are equal when their bytes are.

use std::borrow::Borrow;
use std::fmt;

use arcstr::ArcStr;
use uuid::Uuid;

use super::IdError;
use super::text::visible;

/// Longest opaque identifier, in bytes.
pub const OPAQUE_ID_MAX_BYTES: usize = 128;

const EXPECTED: &str = "1 to 128 bytes of visible characters";

macro_rules! opaque_ids {
    ($($(#[$doc:meta])+ $name:ident = $kind:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ArcStr);

        impl $name {
            /// Reads the identifier; whitespace at the ends is dropped.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, longer than [`OPAQUE_ID_MAX_BYTES`], or holds an invisible character.
            pub fn parse(given: &str) -> Result<Self, IdError> {
                visible(given, $kind, EXPECTED, OPAQUE_ID_MAX_BYTES).map(|text| Self(text.into()))
            }

            /// The text as it was given, without whitespace at the ends.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

opaque_ids! {
    /// A slot, as its publisher named it; unique in the whole service.
    SlotId = "slot id";
    /// A schedule, as its publisher named it.
    ScheduleId = "schedule id";
    /// A place of care.
    PlaceId = "place id";
    /// A system that publishes.
    SourceId = "source id";
    /// A regulation file, opaque to us: kept verbatim, never taken apart, and no key to a patient here.
    CaseId = "case id";
    /// An emergency department or SMUR base.
    EmergencySiteId = "emergency site id";
    /// One write of one caller; the same id with the same content gives the first outcome again.
    RequestId = "request id";
    /// An authenticated caller: a regulator, a publisher, an operator.
    PrincipalId = "principal id";
}

impl SlotId {
    /// The identifier that is a UUID, hyphenated in lower case.
    #[must_use]
    pub fn of_uuid(uuid: Uuid) -> Self {
        Self(arcstr::format!("{}", uuid.hyphenated()))
    }

    /// The identifier with the text of one that was parsed before, cut in two.
    pub(in crate::domain) fn kept(first: &str, rest: &str) -> Self {
        Self(arcstr::format!("{first}{rest}"))
    }
}

impl PrincipalId {
    /// Whoever reaches the service while callers present neither certificate nor token.
    #[must_use]
    pub fn local() -> Self {
        Self(arcstr::literal!("local"))
    }
}
