//! Claims that were acknowledged and that the ledger lost: each keeps its unit until somebody who knows says what became of it.
//!
//! Invariant: a claim in quarantine takes a unit, whatever the clock says; who was told of it may come. Settled, it is what it
//! was before, or has ended. Deliberately absent: finding out what was lost, which needs two histories.

use std::sync::Arc;

use uuid::Uuid;

use super::{Claim, ClaimRefusal, ClaimState, Slot, SlotState, Transition};
use crate::domain::id::{ClaimId, PrincipalId};
use crate::domain::time::UtcInstant;

/// That a claim was lost, who remembered it, and what was said of it since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quarantine {
    /// Since when it is known to be lost.
    pub since: UtcInstant,
    /// The instance that remembered it.
    pub reported_by: Uuid,
    /// How it ended; absent while nobody said what became of the claim.
    pub settlement: Option<Settlement>,
}

/// What somebody who knows said of a claim in quarantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement {
    /// What became of the claim.
    pub verdict: Verdict,
    /// When it was said.
    pub settled_at: UtcInstant,
    /// Who said it.
    pub settled_by: PrincipalId,
    /// Why.
    pub reason: Arc<str>,
}

/// What became of a claim in quarantine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Verdict {
    /// Nobody comes: the unit is free again.
    Free,
    /// The patient comes: the claim is what it was.
    Stands,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Free, Self::Stands];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Free => "FREE",
            Self::Stands => "STANDS",
        }
    }

    /// The verdict with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.code() == code)
    }
}

impl Claim {
    /// Whether somebody may rely on it at an instant.
    #[must_use]
    pub fn is_promise(&self, now: UtcInstant) -> bool {
        self.is_booked() || self.state == ClaimState::Quarantined || self.is_live_hold(now)
    }

    /// Whether this claim, as the ledger has it, keeps what another image of it or of its case promised.
    fn keeps(&self, promised: &Self, now: UtcInstant) -> bool {
        let is_same = self.id == promised.id;
        let was_confirmed = promised.confirmed_at.is_some();
        match self.state_at(now) {
            ClaimState::Booked | ClaimState::ToReplace => is_same || self.case_id == promised.case_id,
            ClaimState::Held => !was_confirmed && (is_same || self.case_id == promised.case_id),
            ClaimState::Quarantined => is_same && (self.confirmed_at.is_some() || !was_confirmed),
            ClaimState::Released | ClaimState::Cancelled => is_same,
            // A booking does not expire: what the ledger has is the hold, without its confirmation.
            ClaimState::Expired => is_same && !was_confirmed,
        }
    }
}

impl Slot {
    /// Whether anybody may rely on it, holds that are over included.
    #[must_use]
    pub fn has_promises(claims: &[Claim]) -> bool {
        claims.iter().any(|claim| claim.is_promise(UtcInstant::MIN))
    }

    /// Claims in quarantine.
    pub fn quarantined(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.state == ClaimState::Quarantined)
    }

    /// Units that claims in quarantine take.
    #[must_use]
    pub fn quarantined_count(&self) -> usize {
        self.quarantined().count()
    }

    /// Whether claims in quarantine leave no unit for another booking.
    pub(super) fn is_promised_away(&self) -> bool {
        let quarantined = self.quarantined_count();
        quarantined > 0 && self.booked_count() + quarantined >= usize::from(self.capacity)
    }

    /// The slot with those claims in quarantine that another image of it, which an instance remembers, promised and that this
    /// one does not keep; `None` when it keeps them all, or is over.
    #[must_use]
    pub fn quarantine(&self, remembered: &Self, reported_by: Uuid, now: UtcInstant) -> Option<Self> {
        if remembered.window.end_at() <= now {
            return None;
        }
        let is_kept = |promised: &Claim| self.claims.iter().any(|claim| claim.keeps(promised, now));
        let lost = remembered.claims.iter().filter(|claim| claim.is_promise(now) && !is_kept(claim));
        let mut lost = lost.peekable();
        lost.peek()?;
        let mut claims = self.claims.to_vec();
        for claim in lost {
            claims.retain(|known| known.id != claim.id);
            let quarantine = Quarantine { since: now, reported_by, settlement: None };
            claims.push(Claim {
                state: ClaimState::Quarantined,
                changed_at: now,
                quarantine: Some(quarantine.into()),
                ..claim.clone()
            });
        }
        claims.sort_by_key(|claim| claim.held_at);
        let mut next = self.clone();
        next.set_claims(claims, None, now);
        Some(next)
    }

    /// A slot that is not there any more, with the claims that it promised in quarantine, closed until its publisher states it
    /// again: stated anew it would be offered, with somebody on the way.
    #[must_use]
    pub fn stranded(remembered: &Self, reported_by: Uuid, now: UtcInstant) -> Option<Self> {
        let state = match remembered.state {
            SlotState::Open | SlotState::Closed => SlotState::Closed,
            SlotState::Withdrawn => SlotState::Withdrawn,
        };
        Self { state, claims: Arc::default(), ..remembered.clone() }.quarantine(remembered, reported_by, now)
    }

    /// Ends the quarantine of a claim.
    ///
    /// # Errors
    /// When the claim is not in quarantine, or stands and its unit was taken since or its hold is over.
    pub fn settle(&self, id: ClaimId, settlement: &Settlement) -> Result<Transition, ClaimRefusal> {
        let claim = self.claim(id).ok_or(ClaimRefusal::Unknown)?;
        if claim.state != ClaimState::Quarantined {
            return Err(ClaimRefusal::NotQuarantined);
        }
        let now = settlement.settled_at;
        let (state, not_before, not_after) = match (settlement.verdict, claim.confirmed_at) {
            (Verdict::Free, Some(_)) => (ClaimState::Cancelled, None, None),
            (Verdict::Free, None) => (ClaimState::Released, None, None),
            (Verdict::Stands, _) if self.booked_count() + self.held_count(now) >= usize::from(self.capacity) => {
                return Err(ClaimRefusal::Overtaken);
            }
            (Verdict::Stands, None) if claim.expires_at <= now => return Err(ClaimRefusal::HoldExpired),
            (Verdict::Stands, None) => (ClaimState::Held, self.over_by(now), Some(claim.expires_at)),
            (Verdict::Stands, Some(_)) if self.state == SlotState::Withdrawn => {
                (ClaimState::ToReplace, self.over_by(now), None)
            }
            (Verdict::Stands, Some(_)) => (ClaimState::Booked, self.over_by(now), None),
        };
        let settled = |claim: &mut Claim| {
            claim.state = state;
            if let Some(quarantine) = &claim.quarantine {
                let settlement = Some(settlement.clone());
                claim.quarantine = Some(Arc::new(Quarantine { settlement, ..Quarantine::clone(quarantine) }));
            }
            if state == ClaimState::Cancelled {
                claim.cancel_reason = Arc::clone(&settlement.reason);
            }
        };
        Ok(Transition { not_before, not_after, ..self.with_claim(id, now, settled) })
    }
}

#[cfg(test)]
mod tests;
