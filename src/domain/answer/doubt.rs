//! What is doubtful about a question that was answered all the same.

use crate::domain::geo::PositionDoubt;

/// What may be doubtful about a question that is answered all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum QueryDoubt {
    /// A territory on whose behalf regulation asks is not known.
    UnknownTerritory,
    /// The patient's position is not where a patient of the service would be.
    Position(PositionDoubt),
}

impl QueryDoubt {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownTerritory => "UNKNOWN_TERRITORY",
            Self::Position(doubt) => doubt.code(),
        }
    }

    /// The field of the question that it is about.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::UnknownTerritory => "territory_ids",
            Self::Position(_) => "position",
        }
    }
}

/// A doubt about a question that was answered all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryWarning {
    /// What is doubtful.
    pub doubt: QueryDoubt,
    /// The value in doubt, as the interface writes it; empty when it is the field as a whole.
    pub value: String,
    /// What it means and what to check, in one French sentence.
    pub sentence: String,
}
