//! An offer that a case refused, or that refused the case: it is not offered again.

use crate::domain::id::{PractitionerId, PrincipalId, ScheduleId, SlotId};
use crate::domain::time::UtcInstant;

/// Why an offer came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum RefusalReason {
    /// Nobody answered.
    CouldNotContact,
    /// The professional did not take the patient.
    Declined,
    /// The appointment that was shown is not there.
    NoAppointment,
    /// Too far for the patient.
    TooFar,
    /// The patient has no way to get there.
    Transport,
    /// It does not suit the patient's state.
    NotAppropriate,
    /// The patient wishes otherwise.
    PatientChoice,
}

impl RefusalReason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::CouldNotContact,
        Self::Declined,
        Self::NoAppointment,
        Self::TooFar,
        Self::Transport,
        Self::NotAppropriate,
        Self::PatientChoice,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CouldNotContact => "COULD_NOT_CONTACT",
            Self::Declined => "DECLINED",
            Self::NoAppointment => "NO_APPOINTMENT",
            Self::TooFar => "TOO_FAR",
            Self::Transport => "TRANSPORT",
            Self::NotAppropriate => "NOT_APPROPRIATE",
            Self::PatientChoice => "PATIENT_CHOICE",
        }
    }

    /// The reason with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

/// An offer that came to nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The slot that was offered.
    pub slot_id: SlotId,
    /// Its schedule.
    pub schedule_id: ScheduleId,
    /// Who would have given care, when known.
    pub practitioner_id: Option<PractitionerId>,
    /// Why it came to nothing.
    pub reason: RefusalReason,
    /// When it was recorded.
    pub refused_at: UtcInstant,
    /// Who recorded it, when stated.
    pub regulator_id: Option<PrincipalId>,
}
