//! What regulation decided in the end for a case: recorded once, corrected while it is kept, forgotten with the day.
//!
//! Deliberately absent: a check that the decision goes with the booking's modality; regulation decides.

use std::sync::Arc;

use crate::domain::answer::CareOutcome;
use crate::domain::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use crate::domain::department::Department;
use crate::domain::id::{CaseId, ClaimId, RequestId, TerritoryId};
use crate::domain::orientation::Orientation;
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::ClaimState;
use crate::domain::time::civil_date;
use crate::domain::violation::Violation;
use crate::ledger::Entry;

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::outcome::{OutcomeError, decode_oriented, encode_oriented};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// A decision that is to be recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrientationRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// Regulation file.
    pub case_id: CaseId,
    /// What was decided.
    pub outcome: CareOutcome,
    /// Decision type of Hub Santé; absent for the one that goes with the outcome.
    pub decision_type: Option<DecisionType>,
    /// Orientation type of Hub Santé; absent for the one that goes with the outcome.
    pub orientation_type: Option<OrientationType>,
    /// The booking, when there is one.
    pub booking_id: Option<ClaimId>,
    /// Territory of the patient, when there is one.
    pub territory: Option<TerritoryId>,
    /// Department of the patient; absent to take the territory's or the booking's.
    pub department: Option<Department>,
    /// Specialty that was asked for, when stated.
    pub specialty: Option<Specialty>,
    /// Band of ages, when stated.
    pub age_band: Option<PatientCategory>,
}

impl Service {
    /// Records what was decided for a case, in place of what was recorded for it before.
    ///
    /// # Errors
    /// When the territory or booking is unknown, the booking is another case's, no department can be told, or the ledger
    /// cannot write.
    pub async fn record_orientation(
        &self,
        caller: &Caller,
        request: OrientationRequest,
    ) -> Result<Done<Arc<Orientation>>, Error> {
        let mut digest = Digest::of("orientation");
        digest.text(request.case_id.as_str()).text(request.outcome.code());
        digest.optional(request.decision_type.map(DecisionType::code));
        digest.optional(request.orientation_type.map(OrientationType::code));
        digest.optional(request.booking_id.map(|id| id.to_string()).as_deref());
        digest.optional(request.territory.as_ref().map(TerritoryId::as_str));
        digest.optional(request.department.map(Department::code));
        digest.optional(request.specialty.map(Specialty::code));
        digest.optional(request.age_band.map(PatientCategory::code));
        let head = Head {
            principal: caller.principal.clone(),
            request_id: request.request_id.clone(),
            fingerprint: digest.finish(),
        };
        let written = self.write(head, OrientationJob { request }).await?;
        Ok(self.done(written, |orientation| orientation))
    }
}

struct OrientationJob {
    request: OrientationRequest,
}

impl OrientationJob {
    fn key(&self) -> Key {
        Key::Orientation(self.request.case_id.clone())
    }

    /// The department of the territory, which must be known.
    fn territory_department(&self, sight: &Sight<'_>) -> Result<Option<Department>, Error> {
        let Some(id) = self.request.territory else { return Ok(None) };
        let known = sight.index.territory(&id).ok_or_else(|| {
            let message = format!("territory `{id}` is unknown: create it first, or correct its identifier");
            Error::new(Reason::UnknownTerritory, message).about(id)
        })?;
        Ok(known.value.department())
    }

    /// The department of the booking's place; the booking must be one, and of this case. One that the orientation names
    /// already was, and may be forgotten since.
    fn booking_department(&self, sight: &Sight<'_>, known: Option<&Orientation>) -> Result<Option<Department>, Error> {
        let Some(id) = self.request.booking_id else { return Ok(None) };
        let slot = sight.slot_of_claim(id).map(|slot| slot.value);
        let claim = slot.as_ref().and_then(|slot| slot.claim(id));
        let (Some(slot), Some(claim)) = (&slot, claim) else {
            if let Some(known) = known.filter(|known| known.booking_id == Some(id)) {
                return Ok(Some(known.department));
            }
            return Err(Error::new(Reason::UnknownBooking, "the booking is unknown or no longer kept").about(id));
        };
        match claim.state {
            ClaimState::Booked | ClaimState::ToReplace | ClaimState::Cancelled => {}
            // What regulation decided is so whether or not the ledger lost the booking.
            ClaimState::Quarantined if claim.confirmed_at.is_some() => {}
            ClaimState::Held | ClaimState::Released | ClaimState::Expired | ClaimState::Quarantined => {
                let message = "the hold was never confirmed: record the orientation without a booking";
                return Err(Error::new(Reason::NotBooked, message).about(id));
            }
        }
        if claim.case_id != self.request.case_id {
            let message = "the booking was made for another case: give that case, or leave the booking out";
            return Err(Error::new(Reason::CaseMismatch, message).about(id));
        }
        Ok(sight.index.offer(&slot.schedule_id).map(|offer| offer.place.department))
    }
}

impl Job for OrientationJob {
    type Outcome = Arc<Orientation>;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Arc<Orientation>>, Error> {
        let request = &self.request;
        let known = match sight.record(&self.key()) {
            Some(Versioned { version, value: Body::Orientation(known) }) => Some((version, known)),
            Some(_) | None => None,
        };
        let of_territory = self.territory_department(sight)?;
        let of_booking = self.booking_department(sight, known.as_ref().map(|(_, known)| &**known))?;
        let department = request.department.or(of_territory).or(of_booking).ok_or_else(|| {
            let message = "nothing tells the department: give it, or a territory with communes, or the booking";
            Error::invalid(vec![Violation::new("department", message)])
        })?;
        let (decision_type, orientation_type) = Orientation::hub_codes(request.outcome);
        let orientation = Orientation {
            case_id: request.case_id.clone(),
            outcome: request.outcome,
            decision_type: request.decision_type.or(decision_type),
            orientation_type: request.orientation_type.or(orientation_type),
            booking_id: request.booking_id,
            territory: request.territory,
            department,
            specialty: request.specialty,
            age_band: request.age_band,
            day: known.as_ref().map_or_else(|| civil_date(department.zone(), sight.now), |(_, known)| known.day),
            recorded_at: sight.now,
        };
        let orientation = Arc::new(orientation);
        let version = known.map_or(0, |(version, _)| version);
        let entry = Entry::put(Body::Orientation(Arc::clone(&orientation)), version);
        Ok(Plan::Write { entries: vec![entry], outcome: orientation })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(self.key())
    }

    fn encode(&self, orientation: &Arc<Orientation>) -> Vec<u8> {
        encode_oriented(orientation)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Arc<Orientation>, OutcomeError> {
        decode_oriented(stored)
    }
}
