//! The real service with what a scenario is given, over a ledger in memory and a clock that stands still.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::given::{Given, GivenSchedule, GivenSlot};
use crate::clock::ManualClock;
use crate::domain::case::RefusalReason;
use crate::domain::emergency::EmergencySite;
use crate::domain::id::{CaseId, ClaimId, RequestId, SlotId, SourceId};
use crate::domain::policy::PolicyDocument;
use crate::domain::query::CareQuery;
use crate::domain::slot::Published;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant};
use crate::index::Index;
use crate::ledger::memory::MemoryLedger;
use crate::service::{
    Applier, Authority, Caller, Error, HoldRequest, Parts, PolicyRequest, PublishBatch, PublishRow, Reason,
    RebookRequest, RebookTarget, RefusalRequest, RowStatus, SaturationEnd, Service, Withdrawal,
};
use crate::tasks::Tasks;

/// How long before the moment of the question a world begins at least, in milliseconds.
const BEGINS_BEFORE_MS: i64 = MS_PER_MINUTE;

/// A service in which a scenario plays.
pub(super) struct World {
    pub(super) service: Service,
    clock: Arc<ManualClock>,
    now: UtcInstant,
    caller: Caller,
    requests: u64,
    /// The last claim on each slot.
    claims: HashMap<SlotId, ClaimId>,
}

impl World {
    /// A world as it is given, under these policies where it does not keep its own.
    ///
    /// # Errors
    /// With what the service refuses of it.
    pub(super) async fn open(given: &Given, candidate: &[PolicyDocument]) -> Result<Self, String> {
        let first = given.schedules.values().map(|schedule| schedule.known_since).min().unwrap_or(given.now);
        let begin = first.min(given.now).plus_ms(-BEGINS_BEFORE_MS);
        let clock = Arc::new(ManualClock::new(begin));
        let index = Arc::new(Index::new());
        let ledger = MemoryLedger::new(clock.clone(), Arc::new(Applier(Arc::clone(&index))));
        let service = Service::new(Parts {
            index,
            ledger: Arc::new(ledger),
            clock: clock.clone(),
            tasks: Tasks::new(),
            instance_id: Uuid::nil(),
            version: env!("CARGO_PKG_VERSION"),
        });
        let caller = Caller::local();
        let mut world = Self { service, clock, now: begin, caller, requests: 0, claims: HashMap::new() };
        world.govern(given, candidate).await?;
        world.fill(given).await?;
        Ok(world)
    }

    /// Puts the policies in force under which the scenario plays.
    async fn govern(&mut self, given: &Given, candidate: &[PolicyDocument]) -> Result<(), String> {
        let documents = match &given.policy {
            Some(own) if own.kept || candidate.is_empty() => vec![own.document.clone()],
            Some(_) | None => candidate.to_vec(),
        };
        if documents.is_empty() {
            return Ok(());
        }
        let request = PolicyRequest {
            request_id: self.request_id()?,
            expected_version: self.service.policy_view().version.to_string(),
            reason: "scenario".to_owned(),
            documents: Some(documents),
        };
        let done = self.service.change_policy(&self.caller, request).await;
        done.map(drop).map_err(|error| refused("the policy", &error))
    }

    async fn fill(&mut self, given: &Given) -> Result<(), String> {
        for territory in given.territories.values() {
            let request_id = self.request_id()?;
            let done = self.service.upsert_territory(&self.caller, request_id, territory.clone()).await;
            done.map_err(|error| refused(&territory.name, &error))?;
        }
        for place in given.places.values() {
            let request_id = self.request_id()?;
            let done = self.service.upsert_place(&self.caller, request_id, place.clone()).await;
            done.map_err(|error| refused(&place.name, &error))?;
        }
        for practitioner in given.practitioners.values() {
            let request_id = self.request_id()?;
            let done = self.service.upsert_practitioner(&self.caller, request_id, practitioner.clone()).await;
            done.map_err(|error| refused(&practitioner.family_name, &error))?;
        }
        for site in given.sites.values() {
            let request_id = self.request_id()?;
            let done = self.service.upsert_emergency_site(&self.caller, request_id, site.clone()).await;
            done.map_err(|error| refused(&site.name, &error))?;
        }
        let schedules: Vec<_> = given.schedules.values().collect();
        let first = schedules.iter().map(|schedule| (schedule.known_since, true, *schedule));
        let last = schedules.iter().map(|schedule| (schedule.heard_at, false, *schedule));
        let mut statements: Vec<_> = first.chain(last).collect();
        statements.sort_by_key(|(at, is_first, _)| (*at, !is_first));
        for (at, is_first, schedule) in statements {
            self.advance_to(at);
            if is_first {
                self.state(schedule).await?;
            } else {
                self.publish(schedule).await?;
            }
        }
        self.advance_to(given.now);
        for site in given.sites.values() {
            let Some(saturation) = site.saturation else { continue };
            self.saturate(site, saturation.end_at()).await.map_err(|error| refused(&site.name, &error))?;
        }
        for slot in schedules.iter().flat_map(|schedule| &schedule.slots) {
            self.claim_before(slot).await?;
        }
        Ok(())
    }

    /// States a schedule without its slots.
    async fn state(&mut self, given: &GivenSchedule) -> Result<(), String> {
        let schedule = &given.schedule;
        let request_id = self.request_id()?;
        let done = self.service.upsert_schedule(&self.caller, request_id, schedule.clone()).await;
        done.map(drop).map_err(|error| refused(schedule.id.as_str(), &error))
    }

    /// States a schedule and its slots, when its source is heard last.
    async fn publish(&mut self, given: &GivenSchedule) -> Result<(), String> {
        self.state(given).await?;
        let schedule = &given.schedule;
        let parsed = |published: Published| PublishRow::Parsed { published, warnings: Vec::new() };
        let rows: Vec<_> = given.slots.iter().map(|slot| parsed(slot.published.clone())).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let batch = PublishBatch {
            request_id: self.request_id()?,
            source_id: schedule.source_id.clone(),
            source_revision: self.requests,
            rows,
        };
        let done = self.service.publish(&self.caller, batch).await;
        let rows = done.map_err(|error| refused(schedule.id.as_str(), &error))?.value;
        match rows.iter().find(|row| row.status == RowStatus::Refused) {
            Some(row) => Err(format!("the service refuses slot `{}`: {}", row.slot_id, row.message)),
            None => Ok(()),
        }
    }

    /// Books and holds what was taken of a slot before anybody asks.
    async fn claim_before(&mut self, slot: &GivenSlot) -> Result<(), String> {
        let id = &slot.published.id;
        for number in 0..slot.booked + slot.held {
            self.hold(id, None, Authority::default()).await.map_err(|error| refused(id.as_str(), &error))?;
            if number < slot.booked {
                self.confirm(id).await.map_err(|error| refused(id.as_str(), &error))?;
            }
        }
        Ok(())
    }

    /// Holds a unit of a slot for the case that the question names, or for one of its own.
    pub(super) async fn hold(
        &mut self,
        slot_id: &SlotId,
        query: Option<CareQuery>,
        authority: Authority,
    ) -> Result<(), Error> {
        let request_id = self.request_id().map_err(defect)?;
        let named = query.as_ref().and_then(|query| query.parts().case_id.clone());
        let another = || CaseId::parse(&format!("scenario-{}", self.requests)).map_err(defect);
        let request = HoldRequest {
            case_id: named.map_or_else(another, Ok)?,
            request_id,
            slot_id: slot_id.clone(),
            ttl_seconds: None,
            query,
            regulator_id: None,
            rebooks: None,
            authority,
        };
        let held = self.service.hold(&self.caller, request).await?;
        self.claims.insert(slot_id.clone(), held.value.claim.id);
        Ok(())
    }

    /// Confirms the last hold on a slot.
    pub(super) async fn confirm(&mut self, slot_id: &SlotId) -> Result<(), Error> {
        let (request_id, claim) = self.last_claim(slot_id)?;
        self.service.confirm(&self.caller, request_id, claim).await.map(drop)
    }

    /// Gives the last hold on a slot back.
    pub(super) async fn release(&mut self, slot_id: &SlotId) -> Result<(), Error> {
        let (request_id, claim) = self.last_claim(slot_id)?;
        self.service.release(&self.caller, request_id, claim).await.map(drop)
    }

    /// Cancels the last booking of a slot.
    pub(super) async fn cancel(&mut self, slot_id: &SlotId) -> Result<(), Error> {
        let (request_id, claim) = self.last_claim(slot_id)?;
        self.service.cancel(&self.caller, request_id, claim, String::new()).await.map(drop)
    }

    /// Replaces the last booking of a slot by one of another, for the case of the booking whoever asks afterwards.
    pub(super) async fn rebook(
        &mut self,
        booked: &SlotId,
        instead: SlotId,
        query: CareQuery,
        authority: Authority,
    ) -> Result<(), Error> {
        let (request_id, booking_id) = self.last_claim(booked)?;
        let query = query.of_case(self.service.get_booking(booking_id)?.claim.case_id);
        let request = RebookRequest {
            request_id,
            booking_id,
            target: RebookTarget::Slot(instead.clone()),
            query: Some(query),
            regulator_id: None,
            cancel_reason: String::new(),
            authority,
        };
        let done = self.service.rebook(&self.caller, request).await?;
        self.claims.insert(instead, done.value.booked.claim.id);
        Ok(())
    }

    /// Records that an offer came to nothing for the case that the question names.
    pub(super) async fn refuse(
        &mut self,
        slot_id: &SlotId,
        query: &CareQuery,
        reason: RefusalReason,
    ) -> Result<(), Error> {
        let request_id = self.request_id().map_err(defect)?;
        let case_id = query.parts().case_id.clone().ok_or_else(|| defect("the question names no `case`"))?;
        let request = RefusalRequest { request_id, case_id, slot_id: slot_id.clone(), reason, regulator_id: None };
        self.service.record_refusal(&self.caller, request).await.map(drop)
    }

    /// A publishing system says that it is there.
    pub(super) async fn heartbeat(&self, source: &SourceId, lease_seconds: Option<u32>) -> Result<(), Error> {
        self.service.heartbeat(source, lease_seconds).await.map(drop)
    }

    /// An emergency site says that it is full.
    pub(super) async fn saturate(&mut self, site: &EmergencySite, until: UtcInstant) -> Result<(), Error> {
        let (request_id, end) = (self.request_id().map_err(defect)?, SaturationEnd::At(until));
        self.service.set_saturation(&self.caller, request_id, site.id.clone(), end).await.map(drop)
    }

    /// The publisher takes a slot back.
    pub(super) async fn withdraw(&mut self, given: &GivenSchedule, slot_id: &SlotId) -> Result<(), Error> {
        let withdrawal = Withdrawal {
            request_id: self.request_id().map_err(defect)?,
            source_id: given.schedule.source_id.clone(),
            source_revision: self.requests,
            slot_ids: vec![slot_id.clone()],
        };
        self.service.withdraw(&self.caller, withdrawal).await.map(drop)
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, seconds: u32) {
        self.advance_to(self.now.plus_seconds(seconds));
    }

    fn advance_to(&mut self, at: UtcInstant) {
        self.clock.advance_ms(at.ms_since(self.now));
        self.now = at;
    }

    fn last_claim(&mut self, slot_id: &SlotId) -> Result<(RequestId, ClaimId), Error> {
        let request_id = self.request_id().map_err(defect)?;
        let claim = self.claims.get(slot_id).copied();
        claim
            .map(|claim| (request_id, claim))
            .ok_or_else(|| Error::new(Reason::UnknownHold, format!("nobody has held `{slot_id}` in this scenario")))
    }

    fn request_id(&mut self) -> Result<RequestId, String> {
        self.requests += 1;
        RequestId::parse(&format!("scenario-{}", self.requests)).map_err(|error| error.to_string())
    }
}

fn refused(what: &str, error: &Error) -> String {
    format!("the service refuses `{what}`: {}: {error}", error.reason.code())
}

/// A failure of the runner itself, which no scenario should meet.
pub(super) fn defect(message: impl ToString) -> Error {
    Error::new(Reason::Internal, message.to_string())
}
