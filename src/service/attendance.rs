//! What became of a booking: seen, late, or not come; and whether somebody is to call the patient back.
//!
//! Invariant: once that is known, the booking no longer stands in the way of another one of its case; both are written in
//! one append, and a correction alters neither that nor a booking that was made since.
//! Deliberately absent: calling back; the service asks regulation, which has the telephone number.

use std::sync::Arc;

use crate::domain::id::{ClaimId, RequestId, SlotId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Attendance, AttendanceKind, Claim, ClaimRefusal, Slot, Transition};
use crate::ledger::{Entry, Write};

use super::book::BookingView;
use super::error::{Error, Reason, from_claim_refusal};
use super::fingerprint::Digest;
use super::limits::NO_SHOW_CALL_BACK_DEFAULT;
use super::outcome::{OutcomeError, decode_claimed, encode_claimed};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// What became of a booking.
#[derive(Clone, Debug)]
pub struct Attended {
    /// The booking.
    pub booking: BookingView,
    /// What became of it, and when that was said.
    pub attendance: Attendance,
    /// Whether regulation is asked to call the patient back, by the schedule's rule as it is now.
    pub call_back_requested: bool,
}

impl Service {
    /// Records what became of a booking; said again, the last word counts.
    ///
    /// # Errors
    /// When the booking is unknown, cancelled or none, it is too early to know, or the ledger cannot write.
    pub async fn record_attendance(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: ClaimId,
        kind: AttendanceKind,
    ) -> Result<Done<Attended>, Error> {
        let mut digest = Digest::of("attendance");
        digest.text(&id.to_string()).text(kind.code());
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint: digest.finish() };
        let written = self.write(head, AttendanceJob { id, kind }).await.map_err(|error| error.about(id))?;
        Ok(self.done(written, |told| self.attended(told)))
    }

    fn attended(&self, (slot, claim, attendance): Told) -> Attended {
        let offer = self.parts().index.offer(&slot.schedule_id);
        let rule = offer.as_ref().and_then(|offer| offer.schedule.no_show_call_back);
        let calls_back = rule.unwrap_or(NO_SHOW_CALL_BACK_DEFAULT);
        Attended {
            booking: BookingView { state: claim.state, claim, slot, offer },
            attendance,
            call_back_requested: calls_back && attendance.kind == AttendanceKind::NoShow,
        }
    }
}

/// The slot with this claim only, the claim, and what became of it.
type Told = (Arc<Slot>, Claim, Attendance);

fn told(slot: &Slot, id: ClaimId) -> Option<Told> {
    let claim = slot.claim(id)?.clone();
    let attendance = claim.attendance?;
    let slot = Slot { claims: [claim.clone()].into(), ..slot.clone() };
    Some((Arc::new(slot), claim, attendance))
}

struct AttendanceJob {
    id: ClaimId,
    kind: AttendanceKind,
}

impl Job for AttendanceJob {
    type Outcome = Told;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Told>, Error> {
        let refuse = |refusal| from_claim_refusal(refusal, Reason::UnknownBooking);
        let lost = || Error::internal("an attendance lost its claim");
        let found = sight.slot_of_claim(self.id);
        let Versioned { version, value: slot } = found.ok_or_else(|| refuse(ClaimRefusal::Unknown))?;
        let transition = slot.attend(self.id, self.kind, sight.now).map_err(refuse)?;
        let claim = slot.claim(self.id).ok_or_else(lost)?;
        let case = sight.case(&claim.case_id);
        let freed = case.value.freed(self.id);
        let is_said = claim.attendance.is_some_and(|known| known.kind == self.kind);
        if is_said && freed.is_none() {
            return Ok(Plan::Stand(told(&slot, self.id).ok_or_else(lost)?));
        }
        let Transition { slot, not_before, not_after } = transition;
        let outcome = told(&slot, self.id).ok_or_else(lost)?;
        let key = Key::Slot(slot.id.clone());
        let write = Write::Put(Body::Slot(Arc::new(slot)));
        let attended = Entry { key, expected_version: version, not_before, not_after, write };
        let freed = freed.map(|next| Entry::put(Body::Case(Arc::new(next)), case.version));
        Ok(Plan::Write { entries: [attended].into_iter().chain(freed).collect(), outcome })
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        if let Some(slot) = sight.slot_of_claim(self.id) {
            return Ok(Key::Slot(slot.value.id.clone()));
        }
        // Nothing is known of the booking: any record will do to ask whether the request is known.
        let stand_in = SlotId::parse(&self.id.to_string()).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Key::Slot(stand_in))
    }

    fn encode(&self, (slot, _, _): &Told) -> Vec<u8> {
        encode_claimed(slot)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Told, OutcomeError> {
        let slot = decode_claimed(stored)?;
        told(&slot, self.id).ok_or_else(|| OutcomeError::new("it is not about an attendance"))
    }
}
