//! What is kept of a regulation file: the booking that lives, so that there is never a second one, and the offers that
//! came to nothing, so that none is made twice.
//!
//! Invariant: a case has at most one live booking; a booking lives until it is cancelled, it is known what became of it, or
//! its slot is over. What is kept of a case is opaque and ends with the day, like the slots that it names.
//! Deliberately absent: holds, which several options may carry while the patient makes up his mind.

mod refusal;

use std::cmp::Ordering;

use super::id::{CaseId, ClaimId, SlotId};
use super::slot::Slot;
use super::time::UtcInstant;

pub use refusal::{Refusal, RefusalReason};

/// What is kept of a regulation file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// Regulation file.
    pub id: CaseId,
    /// The last booking, unless it was cancelled or it is known what became of it; whether it lives is judged when read.
    pub booking: Option<CaseBooking>,
    /// Offers that came to nothing, one for each schedule and reason.
    pub refusals: Vec<Refusal>,
    /// When the last of the slots is over of which the case tells anything.
    pub ends_at: UtcInstant,
}

/// The booking of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseBooking {
    /// The booking.
    pub claim_id: ClaimId,
    /// Its slot.
    pub slot_id: SlotId,
    /// When the slot is over, and the booking with it.
    pub ends_at: UtcInstant,
}

/// That a case has a live booking already.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the case has a live booking `{}` on slot `{}`: rebook that booking, or cancel it first", booking.claim_id, booking.slot_id)]
pub struct HasBooking {
    /// The booking.
    pub booking: CaseBooking,
}

impl Case {
    /// A case of which nothing is known.
    #[must_use]
    pub const fn new(id: CaseId) -> Self {
        Self { id, booking: None, refusals: Vec::new(), ends_at: UtcInstant::MIN }
    }

    /// The booking that lives at an instant.
    #[must_use]
    pub fn live_booking(&self, now: UtcInstant) -> Option<&CaseBooking> {
        self.booking.as_ref().filter(|booking| now < booking.ends_at)
    }

    /// Makes sure that no other booking lives than the one that is to be replaced.
    ///
    /// What is returned is the instant that the ledger's own clock must have reached for that to be so: the end of a
    /// booking that is over.
    ///
    /// # Errors
    /// When another booking lives.
    pub fn check_free(&self, replaced: Option<ClaimId>, now: UtcInstant) -> Result<Option<UtcInstant>, HasBooking> {
        let other = self.booking.as_ref().filter(|booking| Some(booking.claim_id) != replaced);
        match other.map(|booking| (booking, booking.ends_at.cmp(&now))) {
            None => Ok(None),
            Some((booking, Ordering::Less | Ordering::Equal)) => Ok(Some(booking.ends_at)),
            Some((booking, Ordering::Greater)) => Err(HasBooking { booking: booking.clone() }),
        }
    }

    /// The case with this booking on a slot.
    #[must_use]
    pub fn booked(&self, claim_id: ClaimId, slot: &Slot) -> Self {
        let ends_at = slot.window.end_at();
        let booking = Some(CaseBooking { claim_id, slot_id: slot.id.clone(), ends_at });
        Self { booking, ends_at: self.ends_at.max(ends_at), ..self.clone() }
    }

    /// The case with this refusal of a slot that is over at an instant; a refusal of the same schedule for the same reason
    /// makes room for it.
    #[must_use]
    pub fn refused(&self, refusal: Refusal, ends_at: UtcInstant) -> Self {
        let mut next = Self { ends_at: self.ends_at.max(ends_at), ..self.clone() };
        next.refusals.retain(|known| known.schedule_id != refusal.schedule_id || known.reason != refusal.reason);
        next.refusals.push(refusal);
        next
    }

    /// The case without this booking; `None` when it is not the one that is kept.
    #[must_use]
    pub fn freed(&self, claim_id: ClaimId) -> Option<Self> {
        let booking = self.booking.as_ref().filter(|booking| booking.claim_id == claim_id);
        booking.map(|_| Self { booking: None, ..self.clone() })
    }
}

#[cfg(test)]
mod tests;
