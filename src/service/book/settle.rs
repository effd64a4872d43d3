//! The end of a quarantine: the publisher or an operator says that nobody comes, or that the claim stands.
//!
//! Invariant: a booking that stands again is its case's live one, written in the same append; while another lives it does not.

use std::sync::Arc;

use crate::domain::id::{ClaimId, PrincipalId, RequestId, SlotId, SourceId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Claim, ClaimRefusal, ClaimState, Settlement, Slot, Transition, Verdict};
use crate::domain::violation::Violation;
use crate::ledger::{Entry, Write};
use crate::service::error::{Error, Reason, from_claim_refusal};
use crate::service::fingerprint::Digest;
use crate::service::limits::SETTLE_CLAIMS_MAX;
use crate::service::outcome::{OutcomeError, decode_claimed, encode_claimed};
use crate::service::write::{Job, Plan, Sight};
use crate::service::{Caller, Done, Service};

use super::head;
use super::refused::{Refused, case_entry, rests_on};

/// What became of claims in quarantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SettleRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// The slot.
    pub slot_id: SlotId,
    /// The claim; absent for all of the slot, which cannot all stand at once.
    pub claim_id: Option<ClaimId>,
    /// What became of it.
    pub verdict: Verdict,
    /// Who says so.
    pub settled_by: PrincipalId,
    /// Why.
    pub reason: String,
    /// The source on whose behalf this is said; absent for an operator.
    pub source_id: Option<SourceId>,
}

impl Service {
    /// Ends the quarantine of a claim, or of all of a slot; returns the slot with those claims only.
    ///
    /// # Errors
    /// When nothing is in quarantine there, the source does not own the schedule, the claim cannot stand any more, or the
    /// ledger cannot write.
    pub async fn settle(&self, caller: &Caller, request: SettleRequest) -> Result<Done<Arc<Slot>>, Error> {
        if request.verdict == Verdict::Stands && request.claim_id.is_none() {
            let message = "missing: name the claim that stands, as `ListQuarantined` shows it";
            return Err(Error::invalid(vec![Violation::new("claim_id", message)]));
        }
        let SettleRequest { request_id, slot_id, claim_id, verdict, settled_by, reason, source_id } = &request;
        let mut digest = Digest::of("settle");
        digest.text(slot_id.as_str()).optional(claim_id.map(|id| id.to_string()).as_deref()).text(verdict.code());
        digest.text(settled_by.as_str()).text(reason).optional(source_id.as_ref().map(SourceId::as_str));
        let (head, slot_id) = (head(caller, request_id.clone(), digest.finish()), slot_id.clone());
        let written = self.write(head, SettleJob(request)).await.map_err(|error| error.about(&slot_id))?;
        Ok(self.done(written, |slot| slot))
    }
}

struct SettleJob(SettleRequest);

impl SettleJob {
    fn judge(&self, sight: &Sight<'_>) -> Result<Plan<Arc<Slot>>, Refused> {
        let request = &self.0;
        let by_slot = |error| Refused::by_slot(error, &request.slot_id);
        let refusal = |refusal| by_slot(from_claim_refusal(refusal, Reason::UnknownHold));
        let unknown = || Error::new(Reason::UnknownSlot, format!("slot `{}` is unknown", request.slot_id));
        let Versioned { version, value: slot } = sight.slot(&request.slot_id).ok_or_else(|| by_slot(unknown()))?;
        self.check_source(sight, &slot).map_err(by_slot)?;
        let ids: Vec<ClaimId> = match request.claim_id {
            Some(id) => vec![id],
            None => slot.quarantined().take(SETTLE_CLAIMS_MAX).map(|claim| claim.id).collect(),
        };
        if ids.is_empty() {
            return Err(refusal(ClaimRefusal::NotQuarantined));
        }
        let settlement = Settlement {
            verdict: request.verdict,
            settled_at: sight.now,
            settled_by: request.settled_by.clone(),
            reason: request.reason.as_str().into(),
        };
        let mut next = Transition { slot: Slot::clone(&slot), not_before: None, not_after: None };
        let (mut entries, mut settled) = (Vec::new(), Vec::new());
        for id in ids {
            // One claim alone sets guards: of several none stands.
            next = next.slot.settle(id, &settlement).map_err(refusal)?;
            let claim = next.slot.claim(id).ok_or_else(|| refusal(ClaimRefusal::Unknown))?.clone();
            entries.extend(case_of(sight, &next.slot, &claim)?);
            settled.push(claim);
        }
        let Transition { slot, not_before, not_after } = next;
        let outcome = Arc::new(Slot { claims: settled.into(), ..slot.clone() });
        let write = Write::Put(Body::Slot(Arc::new(slot)));
        let key = Key::Slot(request.slot_id.clone());
        entries.push(Entry { key, expected_version: version, not_before, not_after, write });
        Ok(Plan::Write { entries, outcome })
    }

    /// Makes sure that the source, if one is named, owns the schedule.
    fn check_source(&self, sight: &Sight<'_>, slot: &Slot) -> Result<(), Error> {
        let Some(source_id) = &self.0.source_id else { return Ok(()) };
        let owner = sight.schedule(&slot.schedule_id).map(|schedule| schedule.value.source_id.clone());
        if owner.as_ref() == Some(source_id) {
            return Ok(());
        }
        let message = format!("schedule `{}` is not of source `{source_id}`", slot.schedule_id);
        Err(Error::new(Reason::SourceMismatch, message))
    }
}

/// What is written of the case of a claim that was settled: its booking that lives again, or that does not any more.
fn case_of(sight: &Sight<'_>, slot: &Slot, claim: &Claim) -> Result<Option<Entry>, Refused> {
    let case = sight.case(&claim.case_id);
    match claim.state {
        ClaimState::Booked | ClaimState::ToReplace => {
            case_entry(sight, &case, Some(claim.id), Some(case.value.booked(claim.id, slot))).map(Some)
        }
        ClaimState::Held
        | ClaimState::Released
        | ClaimState::Expired
        | ClaimState::Cancelled
        | ClaimState::Quarantined => {
            let freed = case.value.freed(claim.id);
            Ok(freed.map(|freed| Entry::put(Body::Case(Arc::new(freed)), case.version)))
        }
    }
}

impl Job for SettleJob {
    type Outcome = Arc<Slot>;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Arc<Slot>>, Error> {
        self.judge(sight).map_err(|refused| *refused.error)
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(rests_on(self.judge(sight), Key::Slot(self.0.slot_id.clone())))
    }

    fn encode(&self, outcome: &Arc<Slot>) -> Vec<u8> {
        encode_claimed(outcome)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Arc<Slot>, OutcomeError> {
        decode_claimed(stored)
    }
}
