//! Another slot for a patient who is booked: the new booking is made and the old one freed in one append.
//!
//! Invariant: the case has a live booking before, after and at every moment between; when the new one cannot be had, the
//! old one stays as it is.

use std::sync::Arc;

use crate::domain::case::Case;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, SlotId};
use crate::domain::query::CareQuery;
use crate::domain::record::{Key, Versioned};
use crate::domain::slot::{ClaimRefusal, NewHold, Slot, Transition};
use crate::service::error::{Error, Reason, from_claim_refusal};
use crate::service::fingerprint::Digest;
use crate::service::outcome::{OutcomeError, decode_rebooking, encode_rebooking};
use crate::service::witness::Operation;
use crate::service::write::{Job, Plan, Sight};
use crate::service::{Caller, Done, Service};

use super::claim::confirmed;
use super::delay::{Authority, DelayRule};
use super::receipt::{Receipt, written};
use super::refused::{Refused, case_entry, rests_on, slot_key};
use super::{BeginsLate, BookingView, check_cancel_reason, check_query_case, head, new_claim_id};

/// Another slot that is asked for.
#[derive(Clone, PartialEq, Debug)]
pub struct RebookRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// The booking to be replaced.
    pub booking_id: ClaimId,
    /// What replaces it.
    pub target: RebookTarget,
    /// The question that led to the slot; with it a refusal carries the next best options.
    pub query: Option<CareQuery>,
    /// Who books, when stated.
    pub regulator_id: Option<PrincipalId>,
    /// Why the old booking is given up.
    pub cancel_reason: String,
    /// Who books, and why the slot may begin late.
    pub authority: Authority,
}

/// What replaces a booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RebookTarget {
    /// A slot, of which one unit is taken at once.
    Slot(SlotId),
    /// A live hold of the same case, made for this.
    Hold(ClaimId),
}

/// The new booking and the old one.
#[derive(Clone, Debug)]
pub struct RebookView {
    /// The booking that was made.
    pub booked: BookingView,
    /// The booking that it replaced, cancelled.
    pub replaced: BookingView,
}

impl Service {
    /// Books another slot for a case and cancels its booking, both or neither.
    ///
    /// # Errors
    /// When the slot cannot be had (with alternatives if the request carries a query), the booking is unknown or
    /// cancelled, a field is wrong, or the ledger cannot write.
    pub async fn rebook(&self, caller: &Caller, request: RebookRequest) -> Result<Done<RebookView>, Error> {
        let target = request.target.clone();
        let ended = self.try_rebook(caller, request).await;
        let beyond_delay = |rebooked: &RebookView| rebooked.booked.claim.beyond_delay.is_some();
        self.tell_operated(Operation::Rebook, &ended, beyond_delay, || self.slot_of_target(&target));
        ended
    }

    fn slot_of_target(&self, target: &RebookTarget) -> Option<SlotId> {
        match target {
            RebookTarget::Slot(id) => Some(id.clone()),
            RebookTarget::Hold(id) => self.parts().index.slot_of_claim(*id),
        }
    }

    async fn try_rebook(&self, caller: &Caller, request: RebookRequest) -> Result<Done<RebookView>, Error> {
        let RebookRequest { request_id, booking_id, target, query, regulator_id, cancel_reason, authority } = request;
        authority.check()?;
        check_cancel_reason(&cancel_reason, "cancel_reason")?;
        let mut digest = Digest::of("rebook");
        digest.text(&booking_id.to_string());
        match &target {
            RebookTarget::Slot(id) => digest.text("slot").text(id.as_str()),
            RebookTarget::Hold(id) => digest.text("hold").text(&id.to_string()),
        };
        digest.text(&cancel_reason).optional(regulator_id.as_ref().map(PrincipalId::as_str));
        authority.digest(&mut digest);
        let subject = self.slot_of_target(&target);
        let delay = DelayRule::of(self, caller, (query.as_ref(), subject.as_ref()), authority);
        let id = match &target {
            RebookTarget::Slot(_) => new_claim_id(self.parts().clock.now()),
            RebookTarget::Hold(id) => *id,
        };
        let ttl_seconds = self.hold_seconds_of(query.as_ref());
        let asked = query.clone();
        let job = RebookJob { booking_id, target, id, regulator_id, ttl_seconds, cancel_reason, query: asked, delay };
        let written = self.write_claim(head(caller, request_id, digest.finish()), job, None).await;
        let written = written.map_err(|error| match &subject {
            Some(slot_id) => self.told_of(error, slot_id, self.query_of_booking(query, booking_id).as_ref()),
            None => error.about(id),
        })?;
        let index = &self.parts().index;
        Ok(self.done(written, |Rebooked { booked, replaced }| RebookView {
            booked: booked.into_booking(index),
            replaced: replaced.into_booking(index),
        }))
    }

    /// The question for the case of a booking: what the case refused is no alternative.
    fn query_of_booking(&self, query: Option<CareQuery>, id: ClaimId) -> Option<CareQuery> {
        let index = &self.parts().index;
        let slot = index.slot(&index.slot_of_claim(id)?)?.value;
        Some(query?.of_case(slot.claim(id)?.case_id.clone()))
    }
}

/// Both receipts of a rebooking.
struct Rebooked {
    booked: Receipt,
    replaced: Receipt,
}

struct RebookJob {
    booking_id: ClaimId,
    target: RebookTarget,
    /// The claim that will be the new booking.
    id: ClaimId,
    regulator_id: Option<PrincipalId>,
    ttl_seconds: u32,
    cancel_reason: String,
    query: Option<CareQuery>,
    delay: DelayRule,
}

impl BeginsLate for Rebooked {
    /// A hold was counted when it was made.
    fn begins_late(&self) -> bool {
        self.booked.claim.beyond_delay.is_some() && self.booked.claim.held_at == self.booked.claim.changed_at
    }
}

impl RebookJob {
    fn judge(&self, sight: &Sight<'_>) -> Result<Plan<Rebooked>, Refused> {
        let old = self.old_slot(sight)?;
        let refuse = |refusal| Refused::by_slot(from_claim_refusal(refusal, Reason::UnknownBooking), &old.value.id);
        let case_id = old.value.claim(self.booking_id).ok_or_else(|| refuse(ClaimRefusal::Unknown))?.case_id.clone();
        check_query_case(self.query.as_ref(), &case_id).map_err(|error| Refused::by_slot(error, &old.value.id))?;
        let freed = old.value.replace(self.booking_id, self.id, &self.cancel_reason, sight.now).map_err(refuse)?;
        let (new, transition) = self.new_booking(sight, &old.value, &case_id)?;
        let case = self.case(sight, &case_id, &new.value)?;
        let by_new = |error| Refused::by_slot(error, &new.value.id);
        // A hold was judged when it was made, with the question of then.
        let beyond_delay = match &self.target {
            RebookTarget::Slot(_) => self.delay.judge(&new.value, sight.now).map_err(by_new)?,
            RebookTarget::Hold(_) => None,
        };
        let transition = transition.noting(self.id, |claim| {
            claim.replaces = Some(self.booking_id);
            claim.beyond_delay = beyond_delay.clone().or_else(|| claim.beyond_delay.clone());
        });
        let (booked_entry, booked) = written(transition, new.version, self.id).map_err(by_new)?;
        let (freed_entry, replaced) = written(freed, old.version, self.booking_id).map_err(by_new)?;
        Ok(Plan::Write { entries: vec![booked_entry, freed_entry, case], outcome: Rebooked { booked, replaced } })
    }

    fn old_slot(&self, sight: &Sight<'_>) -> Result<Versioned<Arc<Slot>>, Refused> {
        sight.slot_of_claim(self.booking_id).ok_or_else(|| Refused {
            error: from_claim_refusal(ClaimRefusal::Unknown, Reason::UnknownBooking).about(self.booking_id).into(),
            rests_on: self.stand_in(),
        })
    }

    /// The slot of the new booking, and how it comes to be there.
    fn new_booking(
        &self,
        sight: &Sight<'_>,
        old: &Slot,
        case_id: &CaseId,
    ) -> Result<(Versioned<Arc<Slot>>, Transition), Refused> {
        let slot = match &self.target {
            RebookTarget::Slot(id) => sight.slot(id).ok_or_else(|| {
                let message = format!("slot `{id}` is unknown: search again");
                Refused::by_slot(Error::new(Reason::UnknownSlot, message), id)
            })?,
            RebookTarget::Hold(id) => sight.slot_of_claim(*id).ok_or_else(|| Refused {
                error: from_claim_refusal(ClaimRefusal::Unknown, Reason::UnknownHold).about(id).into(),
                rests_on: self.stand_in(),
            })?,
        };
        let by_slot = |error| Refused::by_slot(error, &slot.value.id);
        if slot.value.id == old.id {
            let message = format!("the booking is on slot `{}` already: rebook to another one", old.id);
            return Err(by_slot(Error::new(Reason::SameSlot, message)));
        }
        let decided = match &self.target {
            RebookTarget::Slot(_) => {
                let expires_at = sight.now.plus_seconds(self.ttl_seconds);
                let (case_id, regulator_id) = (case_id.clone(), self.regulator_id.clone());
                slot.value.book(NewHold { id: self.id, case_id, regulator_id, expires_at }, sight.now)
            }
            RebookTarget::Hold(id) => {
                if slot.value.claim(*id).is_some_and(|claim| claim.case_id != *case_id) {
                    let message = format!("hold `{id}` is of another case than booking `{}`", self.booking_id);
                    return Err(by_slot(Error::new(Reason::CaseMismatch, message).about(id)));
                }
                confirmed(&slot.value, *id, sight)
            }
        };
        let transition = decided.map_err(|refusal| by_slot(from_claim_refusal(refusal, Reason::UnknownHold)))?;
        Ok((slot, transition))
    }

    fn case(&self, sight: &Sight<'_>, case_id: &CaseId, new: &Slot) -> Result<crate::ledger::Entry, Refused> {
        let case: Versioned<Arc<Case>> = sight.case(case_id);
        let next = case.value.booked(self.id, new);
        case_entry(sight, &case, Some(self.booking_id), Some(next))
    }

    /// Nothing is known of a claim: any record will do to ask whether the request is known.
    fn stand_in(&self) -> Key {
        Key::Slot(SlotId::of_uuid(self.booking_id.as_uuid()))
    }
}

impl Job for RebookJob {
    type Outcome = Rebooked;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Rebooked>, Error> {
        self.judge(sight).map_err(|refused| *refused.error)
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        let slot = sight.slot_of_claim(self.booking_id).map_or_else(|| self.stand_in(), |slot| slot_key(&slot.value));
        Ok(rests_on(self.judge(sight), slot))
    }

    fn encode(&self, rebooked: &Rebooked) -> Vec<u8> {
        encode_rebooking(&rebooked.booked.slot, &rebooked.replaced.slot)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Rebooked, OutcomeError> {
        let (booked, replaced) = decode_rebooking(stored)?;
        Ok(Rebooked { booked: Receipt::of_slot(booked)?, replaced: Receipt::of_slot(replaced)? })
    }
}
