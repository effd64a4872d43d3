//! How the service refuses: a closed set of kinds, a stable reason, and what to do about it.
//!
//! Transports translate [`ErrorKind`] by one table each and pass [`Reason::code`] on; nothing else of an error is a
//! promise to callers. Deliberately absent: conversions that would let a failure of a lower layer out unnamed.

use crate::domain::answer::CareOption;
use crate::domain::case::HasBooking;
use crate::domain::id::ClaimId;
use crate::domain::slot::{ClaimRefusal, PublishRefusal};
use crate::domain::violation::Violation;
use crate::ledger::Unavailable;

use super::limits::{RETRY_BUSY_AFTER_MS, RETRY_REFUSED_AFTER_MS};

/// What kind of failure it is, whatever the transport.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ErrorKind {
    /// The request is wrong in itself.
    InvalidArgument,
    /// Something that the request names is not there.
    NotFound,
    /// The state does not allow it: look again, choose again.
    FailedPrecondition,
    /// Somebody else was faster or newer: read again, then repeat.
    Aborted,
    /// The name is taken by something else.
    AlreadyExists,
    /// Too much at once.
    ResourceExhausted,
    /// Not now: repeat later with the same request id.
    Unavailable,
    /// The caller is not known.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// A defect of the service.
    Internal,
}

macro_rules! reasons {
    ($($name:ident $code:literal $kind:ident $help:literal;)+) => {
        /// Why a request or a row is refused; codes are stable for ever.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        pub enum Reason {
            $(#[doc = $help] $name,)+
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Stable code, for instance `SLOT_TAKEN`.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What kind of failure it is.
            #[must_use]
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind,)+ }
            }

            /// One sentence: what to do.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)+ }
            }
        }
    };
}

reasons! {
    InvalidArgument "INVALID_ARGUMENT" InvalidArgument "Correct the fields that are named and send the request again.";
    TooManyRows "TOO_MANY_ROWS" InvalidArgument "Cut the request into smaller ones, each with a request id of its own.";
    DuplicateSlotId "DUPLICATE_SLOT_ID" InvalidArgument "State each slot once in a batch.";
    UnknownSlot "UNKNOWN_SLOT" NotFound "Search again: the slot was never published or is no longer kept.";
    UnknownSchedule "UNKNOWN_SCHEDULE" NotFound "Create the schedule first, or correct its identifier.";
    UnknownSource "UNKNOWN_SOURCE" NotFound "Create a schedule of the source first, or correct the identifier.";
    UnknownPlace "UNKNOWN_PLACE" NotFound "Create the place first, or correct its identifier.";
    UnknownPractitioner "UNKNOWN_PRACTITIONER" NotFound "Create the practitioner first, or correct the identifier.";
    UnknownTerritory "UNKNOWN_TERRITORY" NotFound "Create the territory first, or correct its identifier.";
    UnknownEmergencySite "UNKNOWN_EMERGENCY_SITE" NotFound "Create the emergency site first, or correct its identifier.";
    UnknownHold "UNKNOWN_HOLD" NotFound "Hold the slot again: the hold never was or is no longer kept.";
    UnknownBooking "UNKNOWN_BOOKING" NotFound "Check the identifier: the booking never was or is no longer kept.";
    SlotTaken "SLOT_TAKEN" FailedPrecondition "Choose one of the alternatives, or search again.";
    SlotWithdrawn "SLOT_WITHDRAWN" FailedPrecondition "Choose one of the alternatives: the publisher took the slot back.";
    SlotPast "SLOT_PAST" FailedPrecondition "Choose or state a slot that is not over.";
    SlotQuarantined "SLOT_QUARANTINED" FailedPrecondition "Choose one of the alternatives: the ledger lost who had the slot, and its publisher or an operator must settle that.";
    ClaimQuarantined "CLAIM_QUARANTINED" FailedPrecondition "Ask the professional, then have the publisher or an operator settle the claim: the ledger lost it.";
    NotQuarantined "NOT_QUARANTINED" FailedPrecondition "List what is in quarantine: somebody settled it, or it never was lost.";
    HoldExpired "HOLD_EXPIRED" FailedPrecondition "Hold the slot again: the hold ended before it was confirmed.";
    HoldReleased "HOLD_RELEASED" FailedPrecondition "Hold the slot again: the hold was given back.";
    AlreadyBooked "ALREADY_BOOKED" FailedPrecondition "Read the booking: the hold is confirmed already; cancel it to give it back.";
    NotBooked "NOT_BOOKED" FailedPrecondition "Release the hold instead: there is no booking to cancel.";
    BookingCancelled "BOOKING_CANCELLED" FailedPrecondition "Hold a slot again: the booking was cancelled.";
    BookingAttended "BOOKING_ATTENDED" FailedPrecondition "Hold another slot for what comes next, or correct the attendance first: the patient was seen.";
    CaseBooked "CASE_BOOKED" FailedPrecondition "Rebook the booking that is named, or cancel it first: a case has one live booking.";
    BeyondDelay "BEYOND_DELAY" FailedPrecondition "Choose an option within the clinical delay, or have a physician take it and state why.";
    CaseMismatch "CASE_MISMATCH" FailedPrecondition "Give the case for which the booking was made; rebook to a hold of the same case, or to a slot.";
    SameSlot "SAME_SLOT" FailedPrecondition "Rebook to another slot: the booking is on this one.";
    SlotNotBegun "SLOT_NOT_BEGUN" FailedPrecondition "Say that the patient came late or not at all once the slot has begun.";
    SourceMismatch "SOURCE_MISMATCH" FailedPrecondition "Publish under the source that owns the schedule.";
    SlotClaimed "SLOT_CLAIMED" FailedPrecondition "Withdraw the slot instead of moving it: patients rely on it.";
    CapacityBelowClaims "CAPACITY_BELOW_CLAIMS" FailedPrecondition "Keep the capacity at or above what is booked and held, or withdraw the slot.";
    SlotIdInUse "SLOT_ID_IN_USE" FailedPrecondition "Give the slot an identifier of its own: another schedule uses this one.";
    PolicyNameInUse "POLICY_NAME_IN_USE" FailedPrecondition "Give the policy a version name of its own: another text is in force under this one.";
    StaleRevision "STALE_REVISION" Aborted "Read the source again and publish its newest revision.";
    PolicyChanged "POLICY_CHANGED" Aborted "Read the policies in force, then activate with their version as the expected one.";
    Contention "CONTENTION" Aborted "Repeat the request with the same request id: others changed the same records meanwhile.";
    RequestIdReused "REQUEST_ID_REUSED" AlreadyExists "Give every new request a new request id; reuse one only to repeat the same content.";
    Overloaded "OVERLOADED" ResourceExhausted "Repeat with the same request id after the stated time.";
    QuotaExceeded "QUOTA_EXCEEDED" ResourceExhausted "Release what is no longer needed, then repeat.";
    TooManyWatches "TOO_MANY_WATCHES" ResourceExhausted "Close watches whose calls are over, or try again after the stated time; questions are answered meanwhile.";
    LedgerUnavailable "LEDGER_UNAVAILABLE" Unavailable "Repeat with the same request id after the stated time; nothing was written.";
    PositionLost "POSITION_LOST" FailedPrecondition "Read again without the position, and check what was written: the ledger went on without it.";
    PositionNotReached "POSITION_NOT_REACHED" Unavailable "Read again after the stated time or on another instance: this one has not followed that far.";
    Starting "STARTING" Unavailable "Repeat after the stated time, or ask another instance: this one has not read the ledger yet.";
    OutcomeUnknown "OUTCOME_UNKNOWN" Unavailable "Repeat with the same request id: the write may or may not have been made.";
    ShuttingDown "SHUTTING_DOWN" Unavailable "Repeat with the same request id on another instance.";
    Unauthenticated "UNAUTHENTICATED" Unauthenticated "Present a certificate or a token that the service knows.";
    PermissionDenied "PERMISSION_DENIED" PermissionDenied "Ask the operator for the right to do this.";
    Internal "INTERNAL" Internal "Report the request id to the operator.";
}

impl Reason {
    /// The reason with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

/// A refusal.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Why, as a stable code.
    pub reason: Reason,
    /// Why, in one sentence for people.
    pub message: String,
    /// Every wrong field at once.
    pub violations: Vec<Violation>,
    /// When to repeat, in milliseconds; absent when repeating alone does not help.
    pub retry_after_ms: Option<u32>,
    /// The next best options beside a refused hold.
    pub alternatives: Box<[CareOption]>,
    /// Claims that stand in the way: the live booking of a case, or the live holds of a regulator.
    pub blocking: Box<[ClaimId]>,
    /// Identifier of what it is about.
    pub subject: Option<String>,
}

impl Error {
    /// A refusal for a reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
            violations: Vec::new(),
            retry_after_ms: None,
            alternatives: Box::default(),
            blocking: Box::default(),
            subject: None,
        }
    }

    /// The refusal of wrong fields, all at once.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        let message = format!("{} field(s) are wrong: {}", fields.len(), fields.join(", "));
        Self { violations, ..Self::new(Reason::InvalidArgument, message) }
    }

    /// The same about an identifier, unless it is about a nearer one already.
    #[must_use]
    pub fn about(mut self, subject: impl ToString) -> Self {
        self.subject.get_or_insert_with(|| subject.to_string());
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.reason.kind()
    }

    /// A defect; the message is for logs, not for callers.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(Reason::Internal, message)
    }

    /// Nothing was read yet, for this cause.
    pub(super) fn starting(cause: &str) -> Self {
        let message = format!("this instance has not read the ledger yet and answers escalations only: {cause}");
        Self { retry_after_ms: Some(RETRY_REFUSED_AFTER_MS), ..Self::new(Reason::Starting, message) }
    }

    /// Too many writers on the same records.
    pub(super) fn contention() -> Self {
        let message = "others kept changing the same records: repeat with the same request id";
        Self { retry_after_ms: Some(RETRY_BUSY_AFTER_MS), ..Self::new(Reason::Contention, message) }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        let (reason, retry_after_ms) = match unavailable {
            Unavailable::Refused(_) => (Reason::LedgerUnavailable, RETRY_REFUSED_AFTER_MS),
            Unavailable::OutcomeUnknown(_) => (Reason::OutcomeUnknown, RETRY_BUSY_AFTER_MS),
            Unavailable::Overloaded => (Reason::Overloaded, RETRY_BUSY_AFTER_MS),
            Unavailable::Closing => (Reason::ShuttingDown, RETRY_REFUSED_AFTER_MS),
        };
        Self { retry_after_ms: Some(retry_after_ms), ..Self::new(reason, unavailable.to_string()) }
    }
}

/// The reason of a claim's refusal, where `unknown` says what was looked for.
pub(super) fn from_claim_refusal(refusal: ClaimRefusal, unknown: Reason) -> Error {
    let reason = match refusal {
        ClaimRefusal::Taken => Reason::SlotTaken,
        ClaimRefusal::Withdrawn => Reason::SlotWithdrawn,
        ClaimRefusal::Past => Reason::SlotPast,
        ClaimRefusal::HoldExpired => Reason::HoldExpired,
        ClaimRefusal::HoldReleased => Reason::HoldReleased,
        ClaimRefusal::AlreadyBooked => Reason::AlreadyBooked,
        ClaimRefusal::NotBooked => Reason::NotBooked,
        ClaimRefusal::Cancelled => Reason::BookingCancelled,
        ClaimRefusal::Seen => Reason::BookingAttended,
        ClaimRefusal::TooManyNoShows => Reason::QuotaExceeded,
        ClaimRefusal::NotBegun => Reason::SlotNotBegun,
        ClaimRefusal::SlotQuarantined => Reason::SlotQuarantined,
        ClaimRefusal::ClaimQuarantined => Reason::ClaimQuarantined,
        ClaimRefusal::NotQuarantined => Reason::NotQuarantined,
        ClaimRefusal::Overtaken => Reason::SlotTaken,
        ClaimRefusal::Unknown => unknown,
    };
    Error::new(reason, refusal.to_string())
}

/// The refusal of a second booking, which is about the first.
pub(super) fn from_has_booking(has: &HasBooking) -> Error {
    let id = has.booking.claim_id;
    Error { blocking: [id].into(), ..Error::new(Reason::CaseBooked, has.to_string()) }.about(id)
}

/// The reason of a published row's refusal, and the field that is at fault.
pub(super) const fn from_publish_refusal(refusal: &PublishRefusal) -> (Reason, &'static str) {
    match refusal {
        PublishRefusal::OtherSchedule(_) => (Reason::SlotIdInUse, "slot_id"),
        PublishRefusal::Claimed { .. } => (Reason::SlotClaimed, "window"),
        PublishRefusal::BelowClaims { .. } => (Reason::CapacityBelowClaims, "capacity"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_says_what_to_do() {
        for (place, reason) in Reason::ALL.iter().enumerate() {
            let code = reason.code();
            assert!(code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{code}");
            assert_eq!(Reason::parse(code), Some(*reason), "{code}");
            assert!(reason.help().ends_with('.') && reason.help().len() > 20, "{code}");
            assert!(Reason::ALL.iter().skip(place + 1).all(|other| other.help() != reason.help()), "{code}");
        }
        assert_eq!(Reason::parse("NO_SUCH_REASON"), None);
    }

    #[test]
    fn what_can_be_repeated_says_when() {
        let table = [
            (Unavailable::Refused("disk full".to_owned()), "LEDGER_UNAVAILABLE"),
            (Unavailable::OutcomeUnknown("cut".to_owned()), "OUTCOME_UNKNOWN"),
            (Unavailable::Overloaded, "OVERLOADED"),
            (Unavailable::Closing, "SHUTTING_DOWN"),
        ];
        for (unavailable, code) in table {
            let error = Error::from(unavailable);
            assert_eq!(error.reason.code(), code);
            assert!(error.retry_after_ms.is_some_and(|ms| ms > 0), "{code}");
        }
    }
}
