//! Who may take a slot in which care begins after the clinical delay: a physician, who says why.
//!
//! Care begins as in matching: in a walk-in window not before the patient is there. The delay is that of the question beside
//! the hold: up to the instant that an answer named, else counted from the hold. Without a question nothing is known of the
//! patient's delay, so nothing is checked and nothing noted: a slot that was agreed on by telephone is held without one.

use std::sync::Arc;

use crate::domain::code::{Modality, ModalitySet};
use crate::domain::geo::EarthVector;
use crate::domain::id::SlotId;
use crate::domain::offer::Offer;
use crate::domain::query::CareQuery;
use crate::domain::regulator::{BeyondDelay, RegulatorRole};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::routing::eligibility::care_begins_at;
use crate::routing::question::{Question, Surroundings};
use crate::routing::road::{asked_by_road, journey};
use crate::service::error::{Error, Reason};
use crate::service::fingerprint::Digest;
use crate::service::limits::BEYOND_DELAY_REASON_MAX_CHARS;
use crate::service::{Caller, Service};

/// Who asks for a slot, and why it may begin late.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Authority {
    /// Role of the regulator, as the request states it.
    pub role: Option<RegulatorRole>,
    /// Why a slot beyond the clinical delay is taken; empty when none is meant to be.
    pub beyond_delay_reason: String,
}

impl Authority {
    /// Refuses a reason that is too long.
    ///
    /// # Errors
    /// With the field that is at fault.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.beyond_delay_reason.chars().count() <= BEYOND_DELAY_REASON_MAX_CHARS {
            return Ok(());
        }
        let message = format!("give at most {BEYOND_DELAY_REASON_MAX_CHARS} characters");
        Err(Error::invalid(vec![Violation::new("beyond_delay_reason", message)]))
    }

    /// Takes it into the digest of a request.
    pub(super) fn digest(&self, digest: &mut Digest) {
        digest.added("regulator_role", self.role.map(RegulatorRole::code));
        digest.added("beyond_delay_reason", Some(self.beyond_delay_reason.as_str()).filter(|text| !text.is_empty()));
    }
}

/// The rule for one request.
pub(super) struct DelayRule {
    /// What the question asks; `None` without one.
    asked: Option<Asked>,
    role: Option<RegulatorRole>,
    reason: Arc<str>,
}

/// When care must begin, and when it can.
#[derive(Clone, Copy)]
struct Asked {
    deadline: Deadline,
    /// Modalities that are asked for and suit the patient.
    modalities: ModalitySet,
    /// How long the patient travels to the place of the slot; 0 when either is unknown.
    travel_ms: i64,
}

/// The end of a clinical delay.
#[derive(Clone, Copy)]
enum Deadline {
    /// The instant that an answer named.
    At(UtcInstant),
    /// So long from the hold, in milliseconds.
    AfterMs(i64),
}

impl Asked {
    fn of(service: &Service, query: &CareQuery, slot_id: Option<&SlotId>) -> Self {
        let index = &service.parts().index;
        let now = service.parts().clock.now();
        let policy = service.policy_of(query);
        let surroundings = Surroundings { department: query.department(), neighbours: &[] };
        let question = Question::new(query, &policy, now, 0, surroundings);
        let offer = slot_id.and_then(|id| index.slot(id)).and_then(|slot| index.offer(&slot.value.schedule_id));
        let travel_ms = offer.and_then(|offer| travel_ms(service, &question, &offer)).unwrap_or(0);
        Self {
            deadline: match query.parts().needed_by_at {
                Some(_) => Deadline::At(question.needed_by_at),
                None => Deadline::AfterMs(question.needed_by_at.ms_since(now)),
            },
            modalities: question.suitable,
            travel_ms,
        }
    }

    fn needed_by_at(&self, now: UtcInstant) -> UtcInstant {
        match self.deadline {
            Deadline::At(at) => at,
            Deadline::AfterMs(ms) => now.plus_ms(ms),
        }
    }

    /// When care can begin at the earliest, in the modalities of the slot that the question accepts; in any of the slot's
    /// where it accepts none, since somebody agreed to one of them.
    fn care_begins_at(&self, slot: &Slot, now: UtcInstant) -> UtcInstant {
        let offered = slot.traits.modalities;
        let accepted = ModalitySet::from_bits(offered.bits() & self.modalities.bits());
        let modalities = if accepted.is_empty() { offered } else { accepted };
        let begins_at = |modality| {
            let arrival_at = match modality {
                Modality::Amb => now.plus_ms(self.travel_ms),
                Modality::Vr | Modality::Hh => now,
            };
            care_begins_at(slot.traits.appointment_type, slot.window.start_at(), arrival_at)
        };
        modalities.iter().map(begins_at).min().unwrap_or_else(|| slot.window.start_at())
    }
}

/// How long the patient travels to a place: by road where that is known already, as an answer said it, else by the policy's
/// pace; `None` when either position is unknown.
fn travel_ms(service: &Service, question: &Question<'_>, offer: &Offer) -> Option<i64> {
    let position = question.parts.position?;
    let distance_m = EarthVector::from(&position).distance_m(&offer.vector?);
    let journey = journey(question, offer, Modality::Amb);
    let times = journey.zip(service.roads()).map(|(journey, roads)| roads.known(position, &[journey], question.now));
    let by_road = times.and_then(|times| asked_by_road(question, offer, &times));
    Some(by_road.as_ref().unwrap_or(question).arrival_at(distance_m).ms_since(question.now))
}

impl DelayRule {
    /// The rule for a caller with this question who asks for a slot, if it is known which.
    pub(super) fn of(
        service: &Service,
        caller: &Caller,
        (query, slot_id): (Option<&CareQuery>, Option<&SlotId>),
        authority: Authority,
    ) -> Self {
        Self {
            asked: query.map(|query| Asked::of(service, query, slot_id)),
            // What a caller proved counts more than what a request states.
            role: caller.role.or(authority.role),
            reason: Arc::from(authority.beyond_delay_reason.trim()),
        }
    }

    /// What is noted of a slot that is taken at an instant: nothing when care can begin in time.
    ///
    /// # Errors
    /// When it cannot and no physician says why.
    pub(super) fn judge(&self, slot: &Slot, now: UtcInstant) -> Result<Option<Arc<BeyondDelay>>, Error> {
        let Some(asked) = self.asked else { return Ok(None) };
        let (needed_by_at, begins_at) = (asked.needed_by_at(now), asked.care_begins_at(slot, now));
        if begins_at <= needed_by_at {
            return Ok(None);
        }
        let late_minutes = begins_at.minutes_since(needed_by_at);
        match self.role {
            Some(role @ RegulatorRole::Physician) if !self.reason.is_empty() => {
                Ok(Some(Arc::new(BeyondDelay { needed_by_at, role, reason: Arc::clone(&self.reason) })))
            }
            Some(RegulatorRole::Physician) => Err(refused(late_minutes, "state why in `beyond_delay_reason`")),
            Some(RegulatorRole::CallTaker | RegulatorRole::CareOperator) | None => {
                let what =
                    "choose one in time, or have a physician take it (`regulator_role` PHYSICIAN) who states why";
                Err(refused(late_minutes, what))
            }
        }
    }
}

fn refused(late_minutes: u32, what_to_do: &str) -> Error {
    let message = format!("care begins {late_minutes} min after the clinical delay of the question: {what_to_do}");
    Error::new(Reason::BeyondDelay, message)
}
