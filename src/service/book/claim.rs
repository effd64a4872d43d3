//! The decision on a claim that is there: confirm, release, cancel.
//!
//! Invariant: whatever makes or ends a booking writes the record of its case in the same append.

use std::sync::Arc;

use crate::domain::case::Case;
use crate::domain::id::{ClaimId, SlotId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Claim, ClaimRefusal, Slot, Transition};
use crate::ledger::Entry;
use crate::service::error::{Error, Reason, from_claim_refusal};
use crate::service::outcome::OutcomeError;
use crate::service::witness::Operation;
use crate::service::write::{Job, Plan, Sight};

use super::receipt::{Receipt, written};
use super::refused::{Refused, case_entry, rests_on, slot_key};

/// What becomes of a claim.
pub(super) enum Action {
    Confirm,
    Release,
    Cancel { reason: String },
}

impl Action {
    /// The operation that it is; its code stands in the digests of requests.
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Confirm => Operation::Confirm,
            Self::Release => Operation::Release,
            Self::Cancel { .. } => Operation::Cancel,
        }
    }

    const fn unknown(&self) -> Reason {
        match self {
            Self::Confirm | Self::Release => Reason::UnknownHold,
            Self::Cancel { .. } => Reason::UnknownBooking,
        }
    }
}

/// Alters a claim that is there.
pub(super) struct ClaimJob {
    pub(super) id: ClaimId,
    pub(super) action: Action,
}

impl ClaimJob {
    /// The transition, or `None` when the claim stands where the action would bring it.
    fn transition(&self, slot: &Slot, sight: &Sight<'_>) -> Result<Option<Transition>, ClaimRefusal> {
        let now = sight.now;
        match &self.action {
            Action::Confirm => confirmed(slot, self.id, sight).map(Some),
            Action::Release => match slot.release(self.id, now) {
                Err(ClaimRefusal::HoldReleased | ClaimRefusal::HoldExpired) => Ok(None),
                decided => decided.map(Some),
            },
            Action::Cancel { reason } => match slot.cancel(self.id, reason, now) {
                Err(ClaimRefusal::Cancelled) => Ok(None),
                decided => decided.map(Some),
            },
        }
    }

    /// What is to be written of the case beside the slot.
    fn case_entry(&self, sight: &Sight<'_>, slot: &Slot, claim: &Claim) -> Result<Option<Entry>, Refused> {
        let case = sight.case(&claim.case_id);
        let entry = |next: Case| Entry::put(Body::Case(Arc::new(next)), case.version);
        match &self.action {
            Action::Confirm => case_entry(sight, &case, None, Some(case.value.booked(self.id, slot))).map(Some),
            Action::Release => Ok(None),
            // A reader may see the slot booked a moment before the case is: then the case is insisted on as it is seen.
            Action::Cancel { reason: _ } => {
                let checked = || Entry::check(Key::Case(claim.case_id.clone()), case.version);
                Ok(Some(case.value.freed(self.id).map_or_else(checked, entry)))
            }
        }
    }

    fn judge(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Refused> {
        let refusal = |refusal| from_claim_refusal(refusal, self.action.unknown());
        let unknown = || Refused { error: refusal(ClaimRefusal::Unknown).into(), rests_on: self.stand_in() };
        let Versioned { version, value: slot } = sight.slot_of_claim(self.id).ok_or_else(unknown)?;
        let by_slot = |error| Refused::by_slot(error, &slot.id);
        let Some(transition) = self.transition(&slot, sight).map_err(|refused| by_slot(refusal(refused)))? else {
            return Ok(Plan::Stand(Receipt::new(&slot, self.id, sight.now).map_err(by_slot)?));
        };
        let claim = slot.claim(self.id).ok_or_else(unknown)?;
        let case = self.case_entry(sight, &slot, claim)?;
        let (entry, outcome) = written(transition, version, self.id).map_err(by_slot)?;
        Ok(Plan::Write { entries: [entry].into_iter().chain(case).collect(), outcome })
    }

    /// Nothing is known of the claim: any record will do to ask whether the request is known.
    fn stand_in(&self) -> Key {
        Key::Slot(SlotId::of_uuid(self.id.as_uuid()))
    }
}

/// The transition of a confirmation.
///
/// # Errors
/// When the hold ended, by the ledger's clock, or the slot was withdrawn.
pub(super) fn confirmed(slot: &Slot, id: ClaimId, sight: &Sight<'_>) -> Result<Transition, ClaimRefusal> {
    match slot.confirm(id, sight.now) {
        // Only the ledger's clock decides what is late: the guard of a transition made in time asks it.
        Err(ClaimRefusal::HoldExpired) if !sight.is_ledger_time => {
            let claim = slot.claim(id).ok_or(ClaimRefusal::Unknown)?;
            slot.confirm(id, claim.expires_at.plus_ms(-1))
        }
        decided => decided,
    }
}

impl Job for ClaimJob {
    type Outcome = Receipt;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Error> {
        self.judge(sight).map_err(|refused| *refused.error)
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        let slot = sight.slot_of_claim(self.id).map_or_else(|| self.stand_in(), |slot| slot_key(&slot.value));
        Ok(rests_on(self.judge(sight), slot))
    }

    fn encode(&self, receipt: &Receipt) -> Vec<u8> {
        receipt.encode()
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Receipt, OutcomeError> {
        Receipt::decode(stored)
    }
}
