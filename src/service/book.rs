//! From an option to a booking that nobody else can take: hold, confirm, release, cancel.
//!
//! Decisions are the slot's own; the ledger's version check and time guards make them hold against every other writer.
//! Expiry is judged when read; whether a confirm came in time only the ledger's clock decides.
//! Deliberately absent: a sweeper of expired holds, and a limit of bookings per case, which needs `rebook` first.

use std::sync::Arc;

use uuid::{NoContext, Timestamp, Uuid};

use crate::domain::answer::CareOption;
use crate::domain::code::Priority;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, SlotId};
use crate::domain::offer::Offer;
use crate::domain::query::CareQuery;
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Claim, ClaimRefusal, ClaimState, NewHold, Slot, Transition};
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::index::Index;
use crate::ledger::{Entry, Fingerprint, Write};

use super::condition::ledger_clock_ahead;
use super::error::{Error, Reason, from_claim_refusal};
use super::fingerprint::Digest;
use super::limits::{
    ALTERNATIVES_MAX, CANCEL_REASON_MAX_CHARS, HOLD_TTL_MAX_SECONDS, HOLD_TTL_MIN_SECONDS, RETRY_REFUSED_AFTER_MS,
};
use super::outcome::{OutcomeError, decode_claimed, encode_claimed};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Parts, Service};

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
        let HoldRequest { request_id, slot_id, case_id, ttl_seconds, query, regulator_id } = request;
        if ttl_seconds.is_some_and(|seconds| !(HOLD_TTL_MIN_SECONDS..=HOLD_TTL_MAX_SECONDS).contains(&seconds)) {
            let message = format!("give {HOLD_TTL_MIN_SECONDS} to {HOLD_TTL_MAX_SECONDS} seconds");
            return Err(Error::invalid(vec![Violation::new("ttl_seconds", message)]));
        }
        let mut digest = Digest::of("hold");
        digest.text(slot_id.as_str()).text(case_id.as_str()).number(u64::from(ttl_seconds.unwrap_or(0)));
        digest.optional(regulator_id.as_ref().map(PrincipalId::as_str));
        let priority = query.as_ref().map_or(Priority::P2, CareQuery::priority);
        let ttl_seconds = ttl_seconds.unwrap_or_else(|| {
            let policy = query.as_ref().map_or_else(|| self.policy(), |query| self.policy_of(query));
            policy.hold_seconds(priority)
        });
        let id = new_claim_id(self.parts().clock.now());
        let job = HoldJob { id, slot_id: slot_id.clone(), case_id, regulator_id, ttl_seconds };
        let written = self.write(head(caller, request_id, digest.finish()), job).await;
        let refused = |error: Error| {
            let error = self.blame_ledger_clock(error, &slot_id);
            let alternatives = query.map(|query| self.alternatives(&query, &slot_id, &error)).unwrap_or_default();
            Error { alternatives, ..error.about(&slot_id) }
        };
        let written = written.map_err(refused)?;
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
        if reason.chars().count() > CANCEL_REASON_MAX_CHARS {
            let message = format!("give at most {CANCEL_REASON_MAX_CHARS} characters");
            return Err(Error::invalid(vec![Violation::new("reason", message)]));
        }
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
            ClaimState::Booked | ClaimState::ToReplace | ClaimState::Cancelled => {
                let offer = self.parts().index.offer(&slot.schedule_id);
                Ok(BookingView { claim, slot, offer, state })
            }
            ClaimState::Held | ClaimState::Released | ClaimState::Expired => Err(unknown()),
        }
    }

    async fn alter<T>(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
        action: Action,
        view: impl FnOnce(Receipt) -> T,
    ) -> Result<Done<T>, Error> {
        let mut digest = Digest::of(action.name());
        digest.text(&id.to_string());
        if let Action::Cancel { reason } = &action {
            digest.text(reason);
        }
        let job = ClaimJob { id, action };
        let written = self.write(head(caller, request_id, digest.finish()), job).await;
        Ok(self.done(written.map_err(|error| error.about(id))?, view))
    }

    /// Names the cause when a slot is over by the ledger's clock only.
    fn blame_ledger_clock(&self, error: Error, id: &SlotId) -> Error {
        let Parts { index, ledger, clock, .. } = self.parts();
        let is_over = |slot: Versioned<Arc<Slot>>| slot.value.window.end_at() <= clock.now();
        if error.reason != Reason::SlotPast || index.slot(id).is_none_or(is_over) {
            return error;
        }
        let Some(cause) = ledger_clock_ahead(&ledger.health(), clock.now()) else { return error };
        Error { retry_after_ms: Some(RETRY_REFUSED_AFTER_MS), ..Error::new(Reason::LedgerUnavailable, cause) }
    }

    /// The next best options after a refusal that another slot would heal.
    fn alternatives(&self, query: &CareQuery, refused: &SlotId, error: &Error) -> Vec<CareOption> {
        if !matches!(error.reason, Reason::SlotTaken | Reason::SlotWithdrawn | Reason::SlotPast | Reason::UnknownSlot) {
            return Vec::new();
        }
        let others = self.find(query).options.into_iter().filter(|option| option.slot.id != *refused);
        others.take(ALTERNATIVES_MAX).collect()
    }
}

/// A claim as it was written, on its slot without the others' claims.
struct Receipt {
    slot: Arc<Slot>,
    claim: Claim,
}

impl Receipt {
    /// The receipt of a claim, in the state in which it stands at an instant.
    fn new(slot: &Slot, id: ClaimId, now: UtcInstant) -> Result<Self, Error> {
        let mut claim = slot.claim(id).ok_or_else(|| Error::internal("a transition lost its claim"))?.clone();
        claim.state = claim.state_at(now);
        let slot = Slot { claims: [claim.clone()].into(), ..slot.clone() };
        Ok(Self { slot: Arc::new(slot), claim })
    }

    fn decode(stored: &[u8]) -> Result<Self, OutcomeError> {
        let slot = decode_claimed(stored)?;
        let claim = slot.claims.first().ok_or_else(|| OutcomeError::new("it has no claim"))?.clone();
        Ok(Self { slot, claim })
    }

    fn into_hold(self) -> HoldView {
        HoldView { state: self.claim.state, claim: self.claim, slot: self.slot }
    }

    fn into_booking(self, index: &Index) -> BookingView {
        let offer = index.offer(&self.slot.schedule_id);
        BookingView { state: self.claim.state, claim: self.claim, slot: self.slot, offer }
    }
}

struct HoldJob {
    id: ClaimId,
    slot_id: SlotId,
    case_id: CaseId,
    regulator_id: Option<PrincipalId>,
    ttl_seconds: u32,
}

impl Job for HoldJob {
    type Outcome = Receipt;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Error> {
        let unknown = || Error::new(Reason::UnknownSlot, format!("slot `{}` is unknown: search again", self.slot_id));
        let Versioned { version, value: slot } = sight.slot(&self.slot_id).ok_or_else(unknown)?;
        let hold = NewHold {
            id: self.id,
            case_id: self.case_id.clone(),
            regulator_id: self.regulator_id.clone(),
            expires_at: sight.now.plus_seconds(self.ttl_seconds),
        };
        let transition = slot.hold(hold, sight.now);
        write_claim(transition.map_err(|refusal| from_claim_refusal(refusal, Reason::UnknownHold))?, version, self.id)
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(Key::Slot(self.slot_id.clone()))
    }

    fn encode(&self, receipt: &Receipt) -> Vec<u8> {
        encode_claimed(&receipt.slot)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Receipt, OutcomeError> {
        Receipt::decode(stored)
    }
}

enum Action {
    Confirm,
    Release,
    Cancel { reason: String },
}

impl Action {
    const fn name(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Cancel { .. } => "cancel",
        }
    }

    const fn unknown(&self) -> Reason {
        match self {
            Self::Confirm | Self::Release => Reason::UnknownHold,
            Self::Cancel { .. } => Reason::UnknownBooking,
        }
    }
}

struct ClaimJob {
    id: ClaimId,
    action: Action,
}

impl ClaimJob {
    /// The transition, or `None` when the claim stands where the action would bring it.
    fn transition(&self, slot: &Slot, sight: &Sight<'_>) -> Result<Option<Transition>, ClaimRefusal> {
        let now = sight.now;
        match &self.action {
            Action::Confirm => match slot.confirm(self.id, now) {
                // Only the ledger's clock decides what is late: the guard of a transition made in time asks it.
                Err(ClaimRefusal::HoldExpired) if !sight.is_ledger_time => {
                    let claim = slot.claim(self.id).ok_or(ClaimRefusal::Unknown)?;
                    slot.confirm(self.id, claim.expires_at.plus_ms(-1)).map(Some)
                }
                decided => decided.map(Some),
            },
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
}

impl Job for ClaimJob {
    type Outcome = Receipt;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Receipt>, Error> {
        let refuse = |refusal| from_claim_refusal(refusal, self.action.unknown());
        let found = sight.slot_of_claim(self.id);
        let Versioned { version, value: slot } = found.ok_or_else(|| refuse(ClaimRefusal::Unknown))?;
        match self.transition(&slot, sight).map_err(refuse)? {
            Some(transition) => write_claim(transition, version, self.id),
            None => Ok(Plan::Stand(Receipt::new(&slot, self.id, sight.now)?)),
        }
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        if let Some(slot) = sight.slot_of_claim(self.id) {
            return Ok(Key::Slot(slot.value.id.clone()));
        }
        // Nothing is known of the claim: any record will do to ask whether the request is known.
        let stand_in = SlotId::parse(&self.id.to_string()).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Key::Slot(stand_in))
    }

    fn encode(&self, receipt: &Receipt) -> Vec<u8> {
        encode_claimed(&receipt.slot)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Receipt, OutcomeError> {
        Receipt::decode(stored)
    }
}

fn write_claim(transition: Transition, expected_version: u64, id: ClaimId) -> Result<Plan<Receipt>, Error> {
    let Transition { slot, not_before, not_after } = transition;
    let outcome = Receipt::new(&slot, id, slot.changed_at)?;
    let write = Write::Put(Body::Slot(Arc::new(slot)));
    let key = Key::Slot(outcome.slot.id.clone());
    Ok(Plan::Write { entries: vec![Entry { key, expected_version, not_before, not_after, write }], outcome })
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
