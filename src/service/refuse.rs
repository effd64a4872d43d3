//! Offers that came to nothing: recorded for the case, so that they are not made again, and told to the CPTS.
//!
//! Deliberately absent: giving a hold on the slot back, which is a release.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::case::{Case, Refusal, RefusalReason};
use crate::domain::id::{CaseId, PrincipalId, RequestId, ScheduleId, SlotId, TerritoryId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::Entry;
use crate::routing::contact::is_doubted;

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::limits::{CASE_REFUSALS_MAX, REFUSED_SCHEDULES_MAX};
use super::outcome::{OutcomeError, decode_refused, encode_refused};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// A refusal that is to be recorded.
#[derive(Clone, PartialEq, Debug)]
pub struct RefusalRequest {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// Regulation file.
    pub case_id: CaseId,
    /// The slot that was offered.
    pub slot_id: SlotId,
    /// Why it came to nothing.
    pub reason: RefusalReason,
    /// Who records it, when stated.
    pub regulator_id: Option<PrincipalId>,
}

/// Of which schedules refusals are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RefusalScope {
    /// Those of a territory.
    Territory(TerritoryId),
    /// This one.
    Schedule(ScheduleId),
}

/// What was refused of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleRefusals {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// In how many cases, by reason, and when last.
    pub counts: BTreeMap<RefusalReason, (u32, UtcInstant)>,
    /// Whether ranking doubts it, because nobody could be contacted repeatedly.
    pub doubted: bool,
}

/// What was refused, schedule by schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusalList {
    /// Those refused in most cases first, at most [`REFUSED_SCHEDULES_MAX`].
    pub schedules: Vec<ScheduleRefusals>,
    /// Whether there are more.
    pub truncated: bool,
}

impl Service {
    /// Records that an offer came to nothing for a case; the same again is told as it is.
    ///
    /// # Errors
    /// When the slot is unknown, the case has too many refusals, or the ledger cannot write.
    pub async fn record_refusal(&self, caller: &Caller, request: RefusalRequest) -> Result<Done<Refusal>, Error> {
        let RefusalRequest { request_id, case_id, slot_id, reason, regulator_id } = request;
        let mut digest = Digest::of("refuse");
        digest.text(case_id.as_str()).text(slot_id.as_str()).text(reason.code());
        digest.optional(regulator_id.as_ref().map(PrincipalId::as_str));
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint: digest.finish() };
        let job = RefusalJob { case_id, slot_id: slot_id.clone(), reason, regulator_id };
        let written = self.write(head, job).await.map_err(|error| error.about(&slot_id))?;
        if !written.replayed {
            self.tell_refused(reason, &written.outcome.refusal.schedule_id);
        }
        Ok(self.done(written, |refused| refused.refusal))
    }

    /// What was refused of the last day's offers, for a CPTS or an agenda; cases are counted, not named.
    ///
    /// # Errors
    /// When the territory or the schedule is unknown.
    pub fn refusals(&self, scope: &RefusalScope) -> Result<RefusalList, Error> {
        let index = &self.parts().index;
        match scope {
            RefusalScope::Territory(id) => drop(self.territory(id)?),
            RefusalScope::Schedule(id) => drop(self.schedule(id)?),
        }
        let is_wanted = |refusal: &Refusal| match scope {
            RefusalScope::Schedule(id) => refusal.schedule_id == *id,
            RefusalScope::Territory(id) => self.is_of_territory(refusal, id),
        };
        let mut by_schedule: BTreeMap<ScheduleId, BTreeMap<RefusalReason, (u32, UtcInstant)>> = BTreeMap::new();
        for case in index.cases_with_refusals() {
            for refusal in case.value.refusals.iter().filter(|refusal| is_wanted(refusal)) {
                let counts = by_schedule.entry(refusal.schedule_id.clone()).or_default();
                let (count, last_at) = counts.entry(refusal.reason).or_insert((0, refusal.refused_at));
                (*count, *last_at) = (*count + 1, refusal.refused_at.max(*last_at));
            }
        }
        let told = |(schedule_id, counts): (ScheduleId, BTreeMap<RefusalReason, (u32, UtcInstant)>)| ScheduleRefusals {
            // Ranking doubts a schedule for all of its refusals, those of slots of other territories included.
            doubted: index.offer(&schedule_id).is_some_and(|offer| is_doubted(&offer)),
            schedule_id,
            counts,
        };
        let mut schedules: Vec<_> = by_schedule.into_iter().map(told).collect();
        schedules
            .sort_by_key(|refused| std::cmp::Reverse(refused.counts.values().map(|(count, _)| count).sum::<u32>()));
        let truncated = schedules.len() > REFUSED_SCHEDULES_MAX;
        schedules.truncate(REFUSED_SCHEDULES_MAX);
        Ok(RefusalList { schedules, truncated })
    }

    /// Whether the slot that was refused is a territory's: its own territories, else those of its schedule, which also stand
    /// in for those of a slot that is no longer kept.
    fn is_of_territory(&self, refusal: &Refusal, id: &TerritoryId) -> bool {
        let index = &self.parts().index;
        let Some(slot) = index.slot(&refusal.slot_id) else {
            return index
                .schedule(&refusal.schedule_id)
                .is_some_and(|schedule| schedule.value.territories.contains(id));
        };
        let offer = index.offer(&slot.value.schedule_id);
        offer.is_some_and(|offer| offer.practice_with(&slot.value.traits).territories.contains(id))
    }
}

/// A refusal of a case.
struct Refused {
    case_id: CaseId,
    refusal: Refusal,
}

struct RefusalJob {
    case_id: CaseId,
    slot_id: SlotId,
    reason: RefusalReason,
    regulator_id: Option<PrincipalId>,
}

impl Job for RefusalJob {
    type Outcome = Refused;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Refused>, Error> {
        let case: Versioned<Arc<Case>> = sight.case(&self.case_id);
        let unknown = || Error::new(Reason::UnknownSlot, format!("slot `{}` is unknown: search again", self.slot_id));
        let slot = sight.slot(&self.slot_id).ok_or_else(unknown)?.value;
        let practitioner = sight.schedule(&slot.schedule_id).and_then(|found| found.value.practitioner_id.clone());
        let refusal = Refusal {
            slot_id: self.slot_id.clone(),
            schedule_id: slot.schedule_id.clone(),
            practitioner_id: practitioner,
            reason: self.reason,
            refused_at: sight.now,
            regulator_id: self.regulator_id.clone(),
        };
        let next = case.value.refused(refusal.clone(), slot.window.end_at());
        if next.refusals.len() > CASE_REFUSALS_MAX {
            let message = format!("the case has {CASE_REFUSALS_MAX} refusals, no more are kept: widen the question");
            return Err(Error::new(Reason::QuotaExceeded, message));
        }
        let outcome = Refused { case_id: self.case_id.clone(), refusal };
        Ok(Plan::Write { entries: vec![Entry::put(Body::Case(Arc::new(next)), case.version)], outcome })
    }

    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error> {
        let is_known = sight.slot(&self.slot_id).is_some();
        Ok(if is_known { Key::Case(self.case_id.clone()) } else { Key::Slot(self.slot_id.clone()) })
    }

    fn encode(&self, refused: &Refused) -> Vec<u8> {
        let case = Case::new(refused.case_id.clone()).refused(refused.refusal.clone(), UtcInstant::MIN);
        encode_refused(&Arc::new(case))
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Refused, OutcomeError> {
        let case = decode_refused(stored)?;
        let refusal = case.refusals.first().ok_or_else(|| OutcomeError::new("it has no refusal"))?.clone();
        Ok(Refused { case_id: case.id.clone(), refusal })
    }
}
