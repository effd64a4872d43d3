//! Free, none or unknown: what silence of sources leaves of an answer.

use crate::domain::id::SourceId;
use crate::domain::source::Confidence;
use crate::domain::time::UtcInstant;

/// What is known about whether something is free in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Availability {
    /// Nothing was searched: the outcome needs no slot.
    #[default]
    NotAsked,
    /// Something is: see the options.
    Free,
    /// Nothing is, and no silent source would have had something.
    None,
    /// Nothing is among what is heard, but a source is silent that would have had something.
    Unknown,
}

impl Availability {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotAsked, Self::Free, Self::None, Self::Unknown];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotAsked => "NOT_ASKED",
            Self::Free => "FREE",
            Self::None => "NONE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A source that has not been heard for some time, with schedules around the patient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SilentSource {
    /// The source.
    pub id: SourceId,
    /// The worst that its examined schedules are believed.
    pub confidence: Confidence,
    /// When it was last heard of one of them.
    pub last_heard_at: UtcInstant,
    /// How many of its examined schedules are not believed in full.
    pub schedule_count: u32,
}
