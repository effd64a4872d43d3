//! What a caller is told of a claim that was written, and what of it is kept for retries.

use std::sync::Arc;

use crate::domain::id::ClaimId;
use crate::domain::record::{Body, Key};
use crate::domain::slot::{Claim, Slot, Transition};
use crate::domain::time::UtcInstant;
use crate::index::Index;
use crate::ledger::{Entry, Write};
use crate::service::error::Error;
use crate::service::outcome::{OutcomeError, decode_claimed, encode_claimed};

use super::{BookingView, HoldView};

/// A claim as it was written, on its slot without the others' claims.
pub(super) struct Receipt {
    pub(super) slot: Arc<Slot>,
    pub(super) claim: Claim,
}

impl Receipt {
    /// The receipt of a claim, in the state in which it stands at an instant.
    pub(super) fn new(slot: &Slot, id: ClaimId, now: UtcInstant) -> Result<Self, Error> {
        let mut claim = slot.claim(id).ok_or_else(|| Error::internal("a transition lost its claim"))?.clone();
        claim.state = claim.state_at(now);
        let slot = Slot { claims: [claim.clone()].into(), ..slot.clone() };
        Ok(Self { slot: Arc::new(slot), claim })
    }

    /// The stored form.
    pub(super) fn encode(&self) -> Vec<u8> {
        encode_claimed(&self.slot)
    }

    /// The receipt of a stored form.
    pub(super) fn decode(stored: &[u8]) -> Result<Self, OutcomeError> {
        Self::of_slot(decode_claimed(stored)?)
    }

    /// The receipt of a slot with one claim.
    pub(super) fn of_slot(slot: Arc<Slot>) -> Result<Self, OutcomeError> {
        let claim = slot.claims.first().ok_or_else(|| OutcomeError::new("it has no claim"))?.clone();
        Ok(Self { slot, claim })
    }

    pub(super) fn into_hold(self) -> HoldView {
        HoldView { state: self.claim.state, claim: self.claim, slot: self.slot }
    }

    pub(super) fn into_booking(self, index: &Index) -> BookingView {
        let offer = index.offer(&self.slot.schedule_id);
        BookingView { state: self.claim.state, claim: self.claim, slot: self.slot, offer }
    }
}

/// The entry that a transition asks for, and the receipt of the claim that it altered.
pub(super) fn written(transition: Transition, expected_version: u64, id: ClaimId) -> Result<(Entry, Receipt), Error> {
    let Transition { slot, not_before, not_after } = transition;
    let receipt = Receipt::new(&slot, id, slot.changed_at)?;
    let key = Key::Slot(slot.id.clone());
    let write = Write::Put(Body::Slot(Arc::new(slot)));
    Ok((Entry { key, expected_version, not_before, not_after, write }, receipt))
}
