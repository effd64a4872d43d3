//! The decision on a hold.
//!
//! Invariant: a hold insists on the record of its case, so that none is made for a case while a booking of it lives.
//! The regulator's live holds are those that the index knows; whoever writes a hold waits for its regulator's turn.

use crate::domain::id::{CaseId, ClaimId, PrincipalId, SlotId};
use crate::domain::record::{Key, Versioned};
use crate::domain::slot::NewHold;
use crate::service::error::{Error, Reason, from_claim_refusal};
use crate::service::limits::HOLDS_PER_REGULATOR_MAX;
use crate::service::outcome::OutcomeError;
use crate::service::write::{Job, Plan, Sight};

use super::delay::DelayRule;
use super::receipt::{Receipt, written};
use super::refused::{Refused, case_entry, rests_on};

/// Holds one unit of a slot.
pub(super) struct HoldJob {
    pub(super) id: ClaimId,
    pub(super) slot_id: SlotId,
    pub(super) case_id: CaseId,
    pub(super) regulator_id: Option<PrincipalId>,
    pub(super) ttl_seconds: u32,
    /// The live booking of the case that is to be replaced later.
    pub(super) rebooks: Option<ClaimId>,
    pub(super) delay: DelayRule,
}

impl HoldJob {
    fn judge(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Refused> {
        let by_slot = |error| Refused::by_slot(error, &self.slot_id);
        let unknown =
            || by_slot(Error::new(Reason::UnknownSlot, format!("slot `{}` is unknown: search again", self.slot_id)));
        let Versioned { version, value: slot } = sight.slot(&self.slot_id).ok_or_else(unknown)?;
        let case = case_entry(sight, &sight.case(&self.case_id), self.rebooks, None)?;
        let hold = NewHold {
            id: self.id,
            case_id: self.case_id.clone(),
            regulator_id: self.regulator_id.clone(),
            expires_at: sight.now.plus_seconds(self.ttl_seconds),
        };
        let transition = slot.hold(hold, sight.now);
        let transition = transition.map_err(|refusal| by_slot(from_claim_refusal(refusal, Reason::UnknownHold)))?;
        let beyond_delay = self.delay.judge(&slot, sight.now).map_err(by_slot)?;
        self.check_quota(sight).map_err(by_slot)?;
        let transition = transition.noting(self.id, |claim| claim.beyond_delay.clone_from(&beyond_delay));
        let (entry, outcome) = written(transition, version, self.id).map_err(by_slot)?;
        Ok(Plan::Write { entries: vec![entry, case], outcome })
    }

    /// Makes sure that the regulator may hold one more; who is not named is not counted.
    fn check_quota(&self, sight: &Sight<'_>) -> Result<(), Error> {
        let Some(regulator_id) = &self.regulator_id else { return Ok(()) };
        let live = sight.index.live_holds_of(regulator_id, sight.now);
        if live.len() < HOLDS_PER_REGULATOR_MAX {
            return Ok(());
        }
        let names: Vec<_> = live.iter().map(ToString::to_string).collect();
        let message = format!(
            "the regulator holds {} slots, at most {HOLDS_PER_REGULATOR_MAX}: confirm or release one of {}",
            live.len(),
            names.join(", ")
        );
        Err(Error { blocking: live.into(), ..Error::new(Reason::QuotaExceeded, message) })
    }
}

impl Job for HoldJob {
    type Outcome = Receipt;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Error> {
        self.judge(sight).map_err(|refused| *refused.error)
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(rests_on(self.judge(sight), Key::Slot(self.slot_id.clone())))
    }

    fn encode(&self, receipt: &Receipt) -> Vec<u8> {
        receipt.encode()
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Receipt, OutcomeError> {
        Receipt::decode(stored)
    }
}
