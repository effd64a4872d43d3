//! From an option to a booking that nobody else can take: hold, confirm, release, cancel.
//!
//! Decisions are the slot's own; the ledger's version check and time guards make them hold against every other writer.
//! Expiry is judged when read; whether a confirm came in time only the ledger's clock decides. A case has one live booking
//! at most: the record of the case is written, or insisted on, in the same append as the slot.
//! Deliberately absent: a sweeper of expired holds.

mod claim;
mod delay;
mod hold;
mod rebook;
mod receipt;
mod refused;
mod settle;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::{NoContext, Timestamp, Uuid};

use crate::domain::answer::CareOption;
use crate::domain::code::Priority;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, SlotId};
use crate::domain::offer::Offer;
use crate::domain::query::CareQuery;
use crate::domain::record::Versioned;
use crate::domain::slot::{Claim, ClaimRefusal, ClaimState, Slot};
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::ledger::Fingerprint;

use super::condition::ledger_clock_ahead;
use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::limits::{
    ALTERNATIVES_MAX, CANCEL_REASON_MAX_CHARS, HOLD_TTL_MAX_SECONDS, HOLD_TTL_MIN_SECONDS, RETRY_REFUSED_AFTER_MS,
};
use super::witness::Operation;
use super::write::{Head, Job, Written};
use super::{Caller, Done, Parts, Service};

pub use delay::Authority;
pub use rebook::{RebookRequest, RebookTarget, RebookView};
pub use settle::SettleRequest;

use claim::{Action, ClaimJob};
use delay::DelayRule;
use hold::HoldJob;
use receipt::Receipt;

/// A hold that is asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct HoldRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// The slot.
    pub slot_id: SlotId,
    /// Regulation file.
    pub case_id: CaseId,
    /// How long, in seconds; absent for the policy's time at the query's priority.
    pub ttl_seconds: Option<u32>,
    /// The question that led to the slot; with it a refusal carries the next best options.
    pub query: Option<CareQuery>,
    /// Who holds, when stated.
    pub regulator_id: Option<PrincipalId>,
    /// The live booking of the case that this hold is meant to replace: without it the booking stands in the way.
    pub rebooks: Option<ClaimId>,
    /// Who holds, and why the slot may begin late.
    pub authority: Authority,
}

/// A hold and its slot.
#[derive(Clone, PartialEq, Debug)]
pub struct HoldView {
    /// The claim.
    pub claim: Claim,
    /// The slot; in the answer to a write it carries this claim only, so that a retry is told the same.
    pub slot: Arc<Slot>,
    /// Where the claim stands: now when read, then when told again to a retry.
    pub state: ClaimState,
}

/// A booking and its slot.
#[derive(Clone, Debug)]
pub struct BookingView {
    /// The claim.
    pub claim: Claim,
    /// The slot; in the answer to a write it carries this claim only, so that a retry is told the same.
    pub slot: Arc<Slot>,
    /// Schedule, place and practitioner as they are known now.
    pub offer: Option<Arc<Offer>>,
    /// Where the claim stands: now when read, then when told again to a retry.
    pub state: ClaimState,
}

impl Service {
    /// Holds one unit of a slot.
    ///
    /// # Errors
    /// When the slot cannot be held (with alternatives if the request carries a query), a field is wrong, or the ledger
    /// cannot write.
    pub async fn hold(&self, caller: &Caller, request: HoldRequest) -> Result<Done<HoldView>, Error> {
        let slot_id = request.slot_id.clone();
        let ended = self.try_hold(caller, request).await;
        let beyond_delay = |hold: &HoldView| hold.claim.beyond_delay.is_some();
        self.tell_operated(Operation::Hold, &ended, beyond_delay, || Some(slot_id.clone()));
        ended
    }

    async fn try_hold(&self, caller: &Caller, request: HoldRequest) -> Result<Done<HoldView>, Error> {
        let HoldRequest { request_id, slot_id, case_id, ttl_seconds, query, regulator_id, rebooks, authority } =
            request;
        authority.check()?;
        check_query_case(query.as_ref(), &case_id)?;
        let query = query.map(|query| query.of_case(case_id.clone()));
        if ttl_seconds.is_some_and(|seconds| !(HOLD_TTL_MIN_SECONDS..=HOLD_TTL_MAX_SECONDS).contains(&seconds)) {
            let message = format!("give {HOLD_TTL_MIN_SECONDS} to {HOLD_TTL_MAX_SECONDS} seconds");
            return Err(Error::invalid(vec![Violation::new("ttl_seconds", message)]));
        }
        let mut digest = Digest::of("hold");
        digest.text(slot_id.as_str()).text(case_id.as_str()).number(u64::from(ttl_seconds.unwrap_or(0)));
        digest.optional(regulator_id.as_ref().map(PrincipalId::as_str));
        digest.added("rebooks", rebooks.map(|id| id.to_string()).as_deref());
        authority.digest(&mut digest);
        let delay = DelayRule::of(self, caller, (query.as_ref(), Some(&slot_id)), authority);
        let ttl_seconds = ttl_seconds.unwrap_or_else(|| self.hold_seconds_of(query.as_ref()));
        let id = new_claim_id(self.parts().clock.now());
        let whose = regulator_id.clone();
        let job = HoldJob { id, slot_id: slot_id.clone(), case_id, regulator_id, ttl_seconds, rebooks, delay };
        let written = self.write_claim(head(caller, request_id, digest.finish()), job, whose).await;
        let written = written.map_err(|error| self.told_of(error, &slot_id, query.as_ref()))?;
        Ok(self.done(written, |receipt| receipt.into_hold()))
    }

    /// Turns a hold that still lives into a booking.
    ///
    /// # Errors
    /// When the hold ended or is unknown, the slot was withdrawn, or the ledger cannot write.
    pub async fn confirm(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
    ) -> Result<Done<BookingView>, Error> {
        self.alter(caller, request_id, id, Action::Confirm, |receipt| receipt.into_booking(&self.parts().index)).await
    }

    /// Gives a hold back; one that ended already is told as it ended.
    ///
    /// # Errors
    /// When it is a booking or unknown, or the ledger cannot write.
    pub async fn release(&self, caller: &Caller, request_id: RequestId, id: ClaimId) -> Result<Done<HoldView>, Error> {
        self.alter(caller, request_id, id, Action::Release, Receipt::into_hold).await
    }

    /// Cancels a booking; one that is cancelled already is told as it is.
    ///
    /// # Errors
    /// When it is no booking or unknown, the reason is too long, or the ledger cannot write.
    pub async fn cancel(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
        reason: String,
    ) -> Result<Done<BookingView>, Error> {
        let action = Action::Cancel { reason };
        self.alter(caller, request_id, id, action, |receipt| receipt.into_booking(&self.parts().index)).await
    }

    /// A hold, or the booking that it became, as it stands now.
    ///
    /// # Errors
    /// When it never was or is no longer kept.
    pub fn get_hold(&self, id: ClaimId) -> Result<HoldView, Error> {
        let unknown = || Error::new(Reason::UnknownHold, ClaimRefusal::Unknown.to_string()).about(id);
        let index = &self.parts().index;
        let slot = index.slot_of_claim(id).and_then(|slot_id| index.slot(&slot_id)).ok_or_else(unknown)?.value;
        let claim = slot.claim(id).ok_or_else(unknown)?.clone();
        let state = claim.state_at(self.parts().clock.now());
        Ok(HoldView { claim, slot, state })
    }

    /// A booking as it stands now.
    ///
    /// # Errors
    /// When there is none of that identifier, or it is no longer kept.
    pub fn get_booking(&self, id: ClaimId) -> Result<BookingView, Error> {
        let unknown = || {
            let message = "the booking is unknown or no longer kept, or its hold was never confirmed";
            Error::new(Reason::UnknownBooking, message).about(id)
        };
        let HoldView { claim, slot, state } = self.get_hold(id).map_err(|_| unknown())?;
        match state {
            ClaimState::Quarantined if claim.confirmed_at.is_none() => Err(unknown()),
            ClaimState::Booked | ClaimState::ToReplace | ClaimState::Cancelled | ClaimState::Quarantined => {
                let offer = self.parts().index.offer(&slot.schedule_id);
                Ok(BookingView { claim, slot, offer, state })
            }
            ClaimState::Held | ClaimState::Released | ClaimState::Expired => Err(unknown()),
        }
    }

    /// Writes a claim in its regulator's turn, if one is named, and counts it when it begins beyond the clinical delay.
    async fn write_claim<J: Job<Outcome: BeginsLate>>(
        &self,
        head: Head,
        job: J,
        whose: Option<PrincipalId>,
    ) -> Result<Written<J::Outcome>, Error> {
        let service = self.clone();
        let carried_out = async move {
            let _turn = match whose {
                Some(whose) => Some(service.shared.turns.take(whose).await),
                None => None,
            };
            let written = service.carry_out(&head, 0, &job).await;
            if written.as_ref().is_ok_and(|written| !written.replayed && written.outcome.begins_late()) {
                service.shared.beyond_delay_count.fetch_add(1, Ordering::Relaxed);
            }
            written
        };
        self.in_a_task(carried_out).await
    }

    async fn alter<T>(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
        action: Action,
        view: impl FnOnce(Receipt) -> T,
    ) -> Result<Done<T>, Error> {
        let operation = action.operation();
        let ended = self.try_alter(caller, request_id, id, action).await.map(|written| self.done(written, view));
        self.tell_operated(operation, &ended, |_| false, || self.parts().index.slot_of_claim(id));
        ended
    }

    async fn try_alter(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
        action: Action,
    ) -> Result<Written<Receipt>, Error> {
        let mut digest = Digest::of(action.operation().code());
        digest.text(&id.to_string());
        if let Action::Cancel { reason } = &action {
            check_cancel_reason(reason, "reason")?;
            digest.text(reason);
        }
        let job = ClaimJob { id, action };
        let written = self.write(head(caller, request_id, digest.finish()), job).await;
        written.map_err(|error| error.about(id))
    }

    /// How long a hold lives where the request does not say; P2, the national default, without a question.
    fn hold_seconds_of(&self, query: Option<&CareQuery>) -> u32 {
        match query {
            Some(query) => self.policy_of(query).hold_seconds(query.priority()),
            None => self.policy().hold_seconds(Priority::P2),
        }
    }

    /// The refusal of a slot, with its cause and the next best options.
    fn told_of(&self, error: Error, slot_id: &SlotId, query: Option<&CareQuery>) -> Error {
        let error = self.blame_ledger_clock(error, slot_id);
        let alternatives = query.map(|query| self.alternatives(query, slot_id, &error)).unwrap_or_default();
        Error { alternatives: alternatives.into(), ..error.about(slot_id) }
    }

    /// Names the cause when a slot is over by the ledger's clock only.
    fn blame_ledger_clock(&self, error: Error, id: &SlotId) -> Error {
        let Parts { index, ledger, clock, .. } = self.parts();
        let is_over = |slot: Versioned<Arc<Slot>>| slot.value.window.end_at() <= clock.now();
        if error.reason != Reason::SlotPast || index.slot(id).is_none_or(is_over) {
            return error;
        }
        let Some(cause) = ledger_clock_ahead(ledger.as_ref(), clock.now()) else { return error };
        Error { retry_after_ms: Some(RETRY_REFUSED_AFTER_MS), ..Error::new(Reason::LedgerUnavailable, cause) }
    }

    /// The next best options after a refusal that another slot would heal.
    fn alternatives(&self, query: &CareQuery, refused: &SlotId, error: &Error) -> Vec<CareOption> {
        let another_helps = matches!(
            error.reason,
            Reason::SlotTaken
                | Reason::SlotQuarantined
                | Reason::SlotWithdrawn
                | Reason::SlotPast
                | Reason::UnknownSlot
                | Reason::BeyondDelay
        );
        if !another_helps {
            return Vec::new();
        }
        let others = self.find_by_known_roads(query).options.into_iter().filter(|option| option.slot.id != *refused);
        others.take(ALTERNATIVES_MAX).collect()
    }
}

/// An outcome of which it matters whether care begins beyond the clinical delay.
trait BeginsLate {
    fn begins_late(&self) -> bool;
}

impl BeginsLate for Receipt {
    fn begins_late(&self) -> bool {
        self.claim.beyond_delay.is_some()
    }
}

/// Refuses a question that is another case's than what it stands beside: what the one refused may suit the other.
fn check_query_case(query: Option<&CareQuery>, case_id: &CaseId) -> Result<(), Error> {
    let asked = query.and_then(|query| query.parts().case_id.as_ref());
    if asked.is_none_or(|asked| asked == case_id) {
        return Ok(());
    }
    let message = format!("it is another case than `{case_id}`: give that one, or leave it empty");
    Err(Error::invalid(vec![Violation::new("query.case_id", message)]))
}

fn check_cancel_reason(reason: &str, field: &str) -> Result<(), Error> {
    if reason.chars().count() <= CANCEL_REASON_MAX_CHARS {
        return Ok(());
    }
    let message = format!("give at most {CANCEL_REASON_MAX_CHARS} characters");
    Err(Error::invalid(vec![Violation::new(field, message)]))
}

fn head(caller: &Caller, request_id: RequestId, fingerprint: Fingerprint) -> Head {
    Head { principal: caller.principal.clone(), request_id, fingerprint }
}

/// A new identifier; ordered by time and without meaning beyond it.
fn new_claim_id(now: UtcInstant) -> ClaimId {
    let ms = u64::try_from(now.ms()).unwrap_or(0);
    let nanoseconds = u32::try_from(ms % 1_000 * 1_000_000).unwrap_or(0);
    ClaimId::from_uuid(Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1_000, nanoseconds)))
}
