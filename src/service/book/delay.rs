//! Who may take a slot that begins after the clinical delay: a physician, who says why.
//!
//! The delay is that of the question beside the hold, counted from the hold. Without a question nothing is known of the
//! patient's delay, so nothing is checked and nothing noted: a slot that was agreed on by telephone is held without one.

use std::sync::Arc;

use crate::domain::query::CareQuery;
use crate::domain::regulator::{BeyondDelay, RegulatorRole};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::routing::question::{Question, Surroundings};
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
    /// The clinical delay in milliseconds; `None` without a question.
    delay_ms: Option<i64>,
    role: Option<RegulatorRole>,
    reason: Arc<str>,
}

impl DelayRule {
    /// The rule for a caller with this question.
    pub(super) fn of(service: &Service, caller: &Caller, query: Option<&CareQuery>, authority: Authority) -> Self {
        let now = service.parts().clock.now();
        let needed_by_at = |query| {
            let surroundings = Surroundings { department: None, neighbours: &[] };
            Question::new(query, &service.policy_of(query), now, 0, surroundings).needed_by_at
        };
        Self {
            delay_ms: query.map(|query| needed_by_at(query).ms_since(now)),
            // What a caller proved counts more than what a request states.
            role: caller.role.or(authority.role),
            reason: Arc::from(authority.beyond_delay_reason.trim()),
        }
    }

    /// What is noted of a slot that is taken at an instant: nothing when it begins in time.
    ///
    /// # Errors
    /// When it begins late and no physician says why.
    pub(super) fn judge(&self, slot: &Slot, now: UtcInstant) -> Result<Option<Arc<BeyondDelay>>, Error> {
        let Some(needed_by_at) = self.delay_ms.map(|delay_ms| now.plus_ms(delay_ms)) else { return Ok(None) };
        if slot.window.start_at() <= needed_by_at {
            return Ok(None);
        }
        match self.role {
            Some(role @ RegulatorRole::Physician) if !self.reason.is_empty() => {
                Ok(Some(Arc::new(BeyondDelay { needed_by_at, role, reason: Arc::clone(&self.reason) })))
            }
            Some(RegulatorRole::Physician) => Err(refused(slot, needed_by_at, "state why in `beyond_delay_reason`")),
            Some(RegulatorRole::CallTaker | RegulatorRole::CareOperator) | None => {
                let what =
                    "choose one in time, or have a physician take it (`regulator_role` PHYSICIAN) who states why";
                Err(refused(slot, needed_by_at, what))
            }
        }
    }
}

fn refused(slot: &Slot, needed_by_at: UtcInstant, what_to_do: &str) -> Error {
    let minutes = slot.window.start_at().minutes_since(needed_by_at);
    let message = format!("the slot begins {minutes} min after the clinical delay of the question: {what_to_do}");
    Error::new(Reason::BeyondDelay, message)
}
