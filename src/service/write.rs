//! The one way in which anything is written: decide on an image, append, decide again on the image that came back.
//!
//! A [`Job`] is a pure decision over a [`Sight`] of the state. Invariant: nothing is refused and nothing is said to stand
//! already before the ledger itself was asked whether the request was carried out earlier; where no entry would be
//! written, a probe asks, an append that can never be taken. So a retry is told the first outcome whatever became of the
//! state since, and every refusal is judged on an image that the ledger showed. A refusal leaves nothing, not even its
//! request id.
//! Deliberately absent: waiting between tries; each try starts from a newer image, so somebody made progress.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::case::Case;
use crate::domain::directory::Schedule;
use crate::domain::id::{CaseId, ClaimId, PrincipalId, RequestId, ScheduleId, SlotId};
use crate::domain::record::{Body, Key, Position, Versioned};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;
use crate::index::Index;
use crate::ledger::{Append, AppendOutcome, Entry, Fingerprint, Request};
use crate::trace;

use super::Service;
use super::error::{Error, Reason};
use super::limits::WRITE_TRIES_MAX;
use super::outcome::OutcomeError;

/// A version that no record reaches, so that a check for it always fails; the greatest one no ledger takes.
const NEVER_VERSION: u64 = u64::MAX - 1;

/// Images that the ledger showed in the course of a write; `None` for a record that is not there.
pub(super) type Shown = HashMap<Key, Option<Versioned<Body>>>;

/// The state as a decision sees it.
pub(super) struct Sight<'a> {
    pub(super) index: &'a Index,
    shown: &'a Shown,
    /// The instant by which to judge.
    pub(super) now: UtcInstant,
    /// Whether that is the ledger's own clock.
    pub(super) is_ledger_time: bool,
}

impl<'a> Sight<'a> {
    /// The state as readers see it.
    pub(super) fn of_reader(index: &'a Index, shown: &'a Shown, now: UtcInstant) -> Self {
        Self { index, shown, now, is_ledger_time: false }
    }

    /// The newest known image of a record.
    pub(super) fn record(&self, key: &Key) -> Option<Versioned<Body>> {
        let kept = self.kept(key);
        match self.shown.get(key) {
            None => kept,
            Some(None) => None,
            Some(Some(shown)) => kept.filter(|kept| kept.version > shown.version).or_else(|| Some(shown.clone())),
        }
    }

    /// The newest known image of a slot.
    pub(super) fn slot(&self, id: &SlotId) -> Option<Versioned<Arc<Slot>>> {
        if self.shown.is_empty() {
            return self.index.slot(id);
        }
        let Versioned { version, value } = self.record(&Key::Slot(id.clone()))?;
        if let Body::Slot(slot) = value { Some(Versioned { version, value: slot }) } else { None }
    }

    /// The newest known image of a schedule.
    pub(super) fn schedule(&self, id: &ScheduleId) -> Option<Versioned<Arc<Schedule>>> {
        if self.shown.is_empty() {
            return self.index.schedule(id);
        }
        let Versioned { version, value } = self.record(&Key::Schedule(id.clone()))?;
        if let Body::Schedule(schedule) = value { Some(Versioned { version, value: schedule }) } else { None }
    }

    /// A schedule for a decision on its slots as a whole: every slot that appeared up to its version is in the index.
    ///
    /// So it is the index's image and not one that the ledger showed, which the index may not have reached.
    pub(super) fn whole_schedule(&self, id: &ScheduleId) -> Option<Versioned<Arc<Schedule>>> {
        let schedule = self.index.schedule(id);
        self.index.settle();
        schedule
    }

    /// The newest known image of the slot on which a claim stands.
    pub(super) fn slot_of_claim(&self, id: ClaimId) -> Option<Versioned<Arc<Slot>>> {
        self.slot(&self.index.slot_of_claim(id)?)
    }

    /// The newest known image of a case; version 0 and a case without anything when none is kept.
    pub(super) fn case(&self, id: &CaseId) -> Versioned<Arc<Case>> {
        match self.record(&Key::Case(id.clone())) {
            Some(Versioned { version, value: Body::Case(case) }) => Versioned { version, value: case },
            Some(_) | None => Versioned { version: 0, value: Arc::new(Case::new(id.clone())) },
        }
    }

    fn kept(&self, key: &Key) -> Option<Versioned<Body>> {
        fn body<T>(record: Versioned<Arc<T>>, wrap: impl Fn(Arc<T>) -> Body) -> Versioned<Body> {
            Versioned { version: record.version, value: wrap(record.value) }
        }
        match key {
            Key::Territory(id) => self.index.territory(id).map(|record| body(record, Body::Territory)),
            Key::Place(id) => self.index.place(id).map(|record| body(record, Body::Place)),
            Key::Practitioner(id) => self.index.practitioner(id).map(|record| body(record, Body::Practitioner)),
            Key::Schedule(id) => self.index.schedule(id).map(|record| body(record, Body::Schedule)),
            Key::EmergencySite(id) => self.index.emergency_site(id).map(|record| body(record, Body::EmergencySite)),
            Key::Source(id) => self.index.source(id).map(|record| body(record, Body::Source)),
            Key::Slot(id) => self.index.slot(id).map(|record| body(record, Body::Slot)),
            Key::Case(id) => self.index.case(id).map(|record| body(record, Body::Case)),
            Key::Orientation(id) => self.index.orientation(id).map(|record| body(record, Body::Orientation)),
            Key::Tally(id) => self.index.tally(*id).map(|record| body(record, Body::Tally)),
            Key::Policy => self.index.active_policy().map(|record| body(record, Body::Policy)),
        }
    }
}

/// What a decision asks for.
pub(super) enum Plan<T> {
    /// Write these entries, maybe none, and keep the outcome for retries.
    Write {
        /// The entries.
        entries: Vec<Entry>,
        /// What the caller is told.
        outcome: T,
    },
    /// Write nothing: it stands so already.
    Stand(T),
}

/// A write as a pure decision, and the stored form of its outcome.
pub(super) trait Job: Send + Sync + 'static {
    /// What the caller is told.
    type Outcome: Send + 'static;

    /// Decides on what is seen; called again with a newer sight when somebody else was faster.
    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Self::Outcome>, Error>;

    /// The record whose newest image a refusal rests on.
    fn probed(&self, sight: &Sight<'_>) -> Result<Key, Error>;

    /// The stored form of an outcome.
    fn encode(&self, outcome: &Self::Outcome) -> Vec<u8>;

    /// The outcome of a stored form.
    fn decode(&self, stored: &[u8], sight: &Sight<'_>) -> Result<Self::Outcome, OutcomeError>;
}

/// The request for which something is written.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) principal: PrincipalId,
    pub(super) request_id: RequestId,
    pub(super) fingerprint: Fingerprint,
}

/// What a write came to.
pub(super) struct Written<T> {
    pub(super) outcome: T,
    pub(super) replayed: bool,
    pub(super) position: Position,
}

impl Service {
    /// Runs a job in a task of its own, so that a caller who gives up does not cut the write in two.
    pub(super) async fn write<J: Job>(&self, head: Head, job: J) -> Result<Written<J::Outcome>, Error> {
        let service = self.clone();
        self.in_a_task(async move { service.carry_out(&head, 0, &job).await }).await
    }

    /// Carries out a write in a task of its own.
    pub(super) async fn in_a_task<T: Send + 'static>(
        &self,
        write: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.parts()
            .tasks
            .spawn(trace::carried(write))
            .await
            .unwrap_or_else(|stopped| Err(Error::internal(format!("a write stopped: {stopped}"))))
    }

    /// Decides, appends and decides again until the ledger takes it or the decision is a refusal; `part` tells the appends
    /// of one request apart.
    pub(super) async fn carry_out<J: Job>(
        &self,
        head: &Head,
        part: u16,
        job: &J,
    ) -> Result<Written<J::Outcome>, Error> {
        let parts = self.parts();
        let index = parts.index.as_ref();
        let mut shown = Shown::new();
        let (mut now, mut is_ledger_time) = (parts.clock.now(), false);
        let mut was_asked = false;
        for _ in 0..WRITE_TRIES_MAX {
            let sight = Sight { index, shown: &shown, now, is_ledger_time };
            let (entries, outcome) = match job.decide(&sight) {
                Ok(Plan::Write { entries, outcome }) => (entries, Some(outcome)),
                Ok(Plan::Stand(outcome)) if was_asked && rests_on_shown(job, &sight) => {
                    return Ok(Written { outcome, replayed: false, position: index.head() });
                }
                Err(refusal) if was_asked && rests_on_shown(job, &sight) => return Err(refusal),
                Ok(Plan::Stand(_)) | Err(_) => (vec![Entry::check(job.probed(&sight)?, NEVER_VERSION)], None),
            };
            let result = outcome.as_ref().map(|outcome| job.encode(outcome)).unwrap_or_default().into();
            let Head { principal, request_id, fingerprint } = head.clone();
            let request = Some(Request { principal, request_id, part, fingerprint, result });
            match self.append(Append { entries, request }).await {
                AppendOutcome::Appended { position } => {
                    let outcome = outcome.ok_or_else(|| Error::internal("the ledger took a probe"))?;
                    return Ok(Written { outcome, replayed: false, position });
                }
                AppendOutcome::Replayed { result, position } => {
                    let sight = Sight { index, shown: &shown, now, is_ledger_time };
                    let outcome = job.decode(&result, &sight).map_err(|error| Error::internal(error.to_string()))?;
                    return Ok(Written { outcome, replayed: true, position });
                }
                AppendOutcome::Conflict { key, current } => {
                    shown.insert(key, current);
                }
                AppendOutcome::OutOfTime { now: shows } => (now, is_ledger_time) = (shows, true),
                AppendOutcome::RequestIdReused => return Err(reused(&head.request_id)),
                AppendOutcome::Unavailable(unavailable) => return Err(unavailable.into()),
                AppendOutcome::Invalid(invalid) => return Err(Error::internal(invalid.to_string())),
            }
            was_asked = true;
        }
        Err(Error::contention())
    }
}

/// Whether what a decision rests on is an image, or an instant, that the ledger showed.
fn rests_on_shown(job: &impl Job, sight: &Sight<'_>) -> bool {
    sight.is_ledger_time || job.probed(sight).map_or(true, |key| sight.shown.contains_key(&key))
}

fn reused(request_id: &RequestId) -> Error {
    let message = format!("request id `{request_id}` was used for other content: give this request another one");
    Error::new(Reason::RequestIdReused, message).about(request_id)
}
