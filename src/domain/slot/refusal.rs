//! Why a slot refuses what regulation asks of it, each reason with what to do.

use super::claim::NO_SHOWS_CANCELLED_MAX;

/// Why a slot refuses regulation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClaimRefusal {
    /// Every unit is held or booked.
    #[error("the slot is taken: choose another option")]
    Taken,
    /// The publisher took it back or closed it.
    #[error("the slot was withdrawn by its publisher: choose another option")]
    Withdrawn,
    /// It is over.
    #[error("the slot is over: choose another option")]
    Past,
    /// The hold ended before it was confirmed.
    #[error("the hold has expired: hold the slot again")]
    HoldExpired,
    /// The hold was given back before.
    #[error("the hold was released: hold the slot again")]
    HoldReleased,
    /// The claim is no hold any more.
    #[error("the hold is confirmed already: cancel the booking instead")]
    AlreadyBooked,
    /// The claim is no booking.
    #[error("there is no booking to cancel: release the hold instead")]
    NotBooked,
    /// The booking was cancelled before.
    #[error("the booking is cancelled")]
    Cancelled,
    /// Care was given, so that nothing is left to be given up.
    #[error("the patient was seen: hold another slot for what comes next, or correct the attendance")]
    Seen,
    /// More patients did not come than a slot keeps beside those who take its units.
    #[error(
        "{NO_SHOWS_CANCELLED_MAX} patients of the slot who did not come are cancelled, no more are: hold another slot"
    )]
    TooManyNoShows,
    /// It is too early to know whether the patient comes.
    #[error("the slot has not begun: say that the patient came late or not at all once it has")]
    NotBegun,
    /// No unit would be free but for claims that the ledger lost.
    #[error(
        "the ledger lost who had the slot, which is in quarantine: choose another option until its publisher or an operator \
         has settled that"
    )]
    SlotQuarantined,
    /// The ledger lost the claim.
    #[error(
        "the ledger lost this claim, which keeps its place in quarantine: ask the professional, and have the publisher or an \
         operator settle it as standing or free"
    )]
    ClaimQuarantined,
    /// There is nothing to be settled.
    #[error("the claim is not in quarantine")]
    NotQuarantined,
    /// Others came in the place of a claim in quarantine.
    #[error(
        "others have every unit of the slot since the ledger lost this claim: find the patient another slot, then settle it \
         as free"
    )]
    Overtaken,
    /// The slot knows no such claim.
    #[error("the hold is unknown or no longer kept")]
    Unknown,
}
