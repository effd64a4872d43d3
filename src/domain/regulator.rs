//! Who regulates, as far as the rules of booking ask.

use std::sync::Arc;

use super::time::UtcInstant;

/// Part that a person plays in regulation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RegulatorRole {
    /// Answers the call (ARM).
    CallTaker,
    /// Finds the appointment (OSNP).
    CareOperator,
    /// Decides on the patient's way.
    Physician,
}

impl RegulatorRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CallTaker, Self::CareOperator, Self::Physician];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CallTaker => "CALL_TAKER",
            Self::CareOperator => "CARE_OPERATOR",
            Self::Physician => "PHYSICIAN",
        }
    }

    /// The role with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }
}

/// That somebody took a slot which begins after the clinical delay, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BeyondDelay {
    /// When care should have begun at the latest.
    pub needed_by_at: UtcInstant,
    /// Who took it.
    pub role: RegulatorRole,
    /// Why.
    pub reason: Arc<str>,
}
