//! One simulated run: instances of the real service, a network that loses, repeats and delays, clocks that differ, and a
//! ledger that loses its end. Every choice comes from the seed.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::domain::id::{CaseId, ClaimId, RequestId};
use sas_router::domain::record::{Body, Key, Position};
use sas_router::domain::slot::ClaimState;
use sas_router::domain::time::UtcInstant;
use sas_router::ledger::AppendOutcome;
use sas_router::service::{Authority, Caller, Error, HoldRequest, Reason};
use sas_router::tasks::Tasks;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::instance::{Instance, Message, unknown};
use super::store::Store;
use super::town;
use crate::support::random::Random;

/// When every run begins.
const START_MS: i64 = 1_800_000_000_000;
const INSTANCES: usize = 3;
/// How often a caller asks again.
const TRIES_MAX: usize = 6;

/// An outcome that waits until its instance shows as much.
struct Told {
    from: (usize, u64),
    epoch: u64,
    head: usize,
    outcome: AppendOutcome,
    answer: oneshot::Sender<AppendOutcome>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deed {
    Hold,
    Confirm,
    Release,
    Cancel,
}

/// What a caller wants, under one request id until something is known of it.
struct Call {
    deed: Deed,
    /// Names the request, and the case of a hold.
    name: String,
    slot: usize,
    claim: Option<ClaimId>,
    at: usize,
    tries: usize,
    running: JoinHandle<Result<(ClaimId, Position), Error>>,
}

/// Something that a caller was told is done.
#[derive(Clone, Debug)]
pub(super) struct Done {
    pub(super) deed: Deed,
    pub(super) claim: ClaimId,
    /// Who said so, and which start of it.
    by: (usize, u64),
    sequence: usize,
}

pub(super) struct Run {
    random: Random,
    pub(super) store: Store,
    messages: Arc<Mutex<Vec<Message>>>,
    told: Vec<Told>,
    instances: Vec<Instance>,
    calls: Vec<Call>,
    pub(super) done: Vec<Done>,
    /// Which deeds were asked for on a claim.
    pub(super) asked: HashMap<ClaimId, Vec<Deed>>,
    names: usize,
    pub(super) losses: usize,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let now = UtcInstant::from_ms(START_MS);
        let mut store = Store::new(now);
        assert!(matches!(store.append(town::append(now)), AppendOutcome::Appended { .. }));
        let mut run = Self {
            random: Random::new(seed),
            store,
            messages: Arc::default(),
            told: Vec::new(),
            instances: Vec::new(),
            calls: Vec::new(),
            done: Vec::new(),
            asked: HashMap::new(),
            names: 0,
            losses: 0,
        };
        for number in 0..INSTANCES {
            let instance = run.start(number, 0);
            run.instances.push(instance);
        }
        run
    }

    fn start(&mut self, number: usize, start: u64) -> Instance {
        let skew = i64::try_from(self.random.below(40_000)).unwrap() - 20_000;
        Instance::start((number, start), START_MS + skew, Arc::clone(&self.messages), &self.store)
    }

    /// Lets something happen.
    pub(super) async fn step(&mut self) {
        match self.random.below(20) {
            0..4 => self.call(),
            4..9 => self.deliver(),
            9..12 => self.answer(),
            12..16 => {
                let number = self.random.below(INSTANCES);
                let most = 1 + self.random.below(3);
                self.instances[number].follow(&self.store, most);
            }
            16 => self.move_clocks(),
            17 if self.random.chance(0.3) => self.restart(),
            18 if self.random.chance(0.3) => self.lose(),
            _ if self.store.is_fenced => self.recover(),
            _ => {}
        }
        self.settle().await;
    }

    /// Lets everything that is under way come to its end, without further faults.
    pub(super) async fn finish(&mut self) {
        for _ in 0..10_000 {
            if self.store.is_fenced {
                self.recover();
            }
            while !self.messages.lock().is_empty() {
                let message = self.messages.lock().remove(0);
                self.carry_out(message, false);
            }
            for instance in &mut self.instances {
                instance.follow(&self.store, usize::MAX);
            }
            while !self.told.is_empty() {
                self.answer();
            }
            self.settle().await;
            if self.calls.is_empty() && self.messages.lock().is_empty() && self.told.is_empty() {
                return;
            }
        }
        panic!("calls do not come to an end");
    }

    /// A new caller, or another deed on a claim that was told.
    fn call(&mut self) {
        let at = self.random.below(INSTANCES);
        let slot = self.random.below(town::CAPACITIES.len());
        self.names += 1;
        let name = format!("call-{}", self.names);
        let known = match self.done.len() {
            0 => None,
            count => self.done.get(self.random.below(2 * count)).map(|done| done.claim),
        };
        let deed = match known {
            None => Deed::Hold,
            Some(_) => [Deed::Confirm, Deed::Confirm, Deed::Release, Deed::Cancel][self.random.below(4)],
        };
        if let Some(claim) = known {
            self.asked.entry(claim).or_default().push(deed);
        }
        let running = self.ask(deed, &name, slot, known, at);
        self.calls.push(Call { deed, name, slot, claim: known, at, tries: 1, running });
    }

    fn ask(
        &self,
        deed: Deed,
        name: &str,
        slot: usize,
        claim: Option<ClaimId>,
        at: usize,
    ) -> JoinHandle<Result<(ClaimId, Position), Error>> {
        let service = self.instances[at].service.clone();
        let request_id = RequestId::parse(name).unwrap();
        let case_id = CaseId::parse(name).unwrap();
        Tasks::new().spawn(async move {
            let caller = Caller::local();
            let Some(claim) = claim else {
                let request = HoldRequest {
                    request_id,
                    slot_id: town::slot_id(slot),
                    case_id,
                    ttl_seconds: None,
                    query: None,
                    regulator_id: None,
                    rebooks: None,
                    authority: Authority::default(),
                };
                let done = service.hold(&caller, request).await?;
                return Ok((done.value.claim.id, done.stamp.position));
            };
            let position = match deed {
                Deed::Hold | Deed::Confirm => service.confirm(&caller, request_id, claim).await?.stamp.position,
                Deed::Release => service.release(&caller, request_id, claim).await?.stamp.position,
                Deed::Cancel => service.cancel(&caller, request_id, claim, "called off".into()).await?.stamp.position,
            };
            Ok((claim, position))
        })
    }

    /// One of the messages reaches the ledger, or does not, or does twice.
    fn deliver(&mut self) {
        let count = self.messages.lock().len();
        if count == 0 {
            return;
        }
        let message = self.messages.lock().remove(self.random.below(count));
        if self.random.chance(0.1) {
            return;
        }
        if self.random.chance(0.1) {
            let again = Message { from: message.from, append: message.append.clone(), answer: None };
            self.messages.lock().push(again);
        }
        let is_lost = self.random.chance(0.1);
        self.carry_out(message, is_lost);
    }

    fn carry_out(&mut self, message: Message, is_answer_lost: bool) {
        let Message { from, append, answer } = message;
        let outcome = self.store.append(append);
        let (epoch, head) = (self.store.epoch, self.store.len());
        if let Some(answer) = answer.filter(|_| !is_answer_lost) {
            self.told.push(Told { from, epoch, head, outcome, answer });
        }
    }

    /// One of the outcomes is told, when its instance shows as much; one of an epoch that ended is not known.
    fn answer(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let at = self.random.below(self.told.len());
        let Told { from: (number, start), epoch, head, .. } = self.told[at];
        let instance = &self.instances[number];
        let is_current = instance.start == start && instance.epoch == epoch && self.store.epoch == epoch;
        if is_current && instance.followed.len() < head && !self.store.is_fenced {
            return;
        }
        let Told { outcome, answer, .. } = self.told.swap_remove(at);
        let shows = is_current && instance.followed.len() >= head;
        // Whoever no longer waits needs no answer.
        let _ = answer.send(if shows { outcome } else { AppendOutcome::Unavailable(unknown()) });
    }

    fn move_clocks(&mut self) {
        let seconds = i64::try_from(self.random.below(90)).unwrap();
        self.store.clock.advance_seconds(if self.random.chance(0.1) { -seconds } else { seconds });
        let jump = self.random.chance(0.1);
        for instance in &self.instances {
            let drift = i64::try_from(self.random.below(if jump { 600 } else { 3 })).unwrap();
            instance.clock.advance_seconds(if jump { 300 - drift } else { seconds + drift - 1 });
        }
    }

    fn restart(&mut self) {
        if self.store.is_fenced {
            return;
        }
        let number = self.random.below(INSTANCES);
        let next = self.start(number, self.instances[number].start + 1);
        self.instances[number] = next;
    }

    /// The server comes back without its last appends.
    fn lose(&mut self) {
        let appends = self.random.below(4);
        self.store.lose(appends);
        self.losses += 1;
    }

    /// Some instances report; the one of this history that followed farthest gives back the rest.
    fn recover(&mut self) {
        let reports = |random: &mut Random| [(); INSTANCES].map(|()| random.chance(0.8));
        let mut reporters = reports(&mut self.random);
        while reporters == [false; INSTANCES] {
            reporters = reports(&mut self.random);
        }
        let epoch = self.store.epoch;
        // One of an epoch that the server has left behind gives nothing.
        let known = self.instances.iter().zip(reporters).filter(|(one, reports)| *reports && one.epoch >= epoch);
        let farthest = known.max_by_key(|(instance, _)| (instance.epoch, instance.followed.len()));
        let farthest = farthest.map(|(instance, _)| instance.followed.clone()).unwrap_or_default();
        self.store.recover(farthest.get(self.store.len()..).unwrap_or_default());
        let head = self.store.len();
        self.done.retain(|done| {
            let (number, start) = done.by;
            let has_reported = reporters[number] && self.instances[number].start == start;
            assert!(done.sequence <= head || !has_reported, "lost, though who said it has reported: {done:?}");
            done.sequence <= head
        });
    }

    /// Lets tasks run until none can, and takes what callers were told.
    async fn settle(&mut self) {
        for _ in 0..12 {
            tokio::task::yield_now().await;
        }
        for at in (0..self.calls.len()).rev() {
            if !self.calls[at].running.is_finished() {
                continue;
            }
            let mut call = self.calls.swap_remove(at);
            match (&mut call.running).await.unwrap() {
                Ok((claim, position)) => {
                    let by = (call.at, self.instances[call.at].start);
                    let sequence = usize::try_from(position.sequence).unwrap();
                    self.done.push(Done { deed: call.deed, claim, by, sequence });
                }
                Err(error) if is_passing(error.reason) && call.tries < TRIES_MAX => {
                    call.at = self.random.below(INSTANCES);
                    call.tries += 1;
                    call.running = self.ask(call.deed, &call.name, call.slot, call.claim, call.at);
                    self.calls.push(call);
                }
                Err(_) => {}
            }
        }
    }

    /// The records of each instance, by key.
    pub(super) fn shown(&self) -> Vec<HashMap<Key, (u64, Body)>> {
        let of = |instance: &Instance| {
            let mut records = HashMap::new();
            instance.index.each_record(&mut |record| {
                records.insert(record.value.key(), (record.version, record.value));
            });
            records
        };
        self.instances.iter().map(of).collect()
    }
}

fn is_passing(reason: Reason) -> bool {
    matches!(reason.code(), "OUTCOME_UNKNOWN" | "LEDGER_UNAVAILABLE" | "CONTENTION" | "OVERLOADED")
}

/// Whether a claim of a slot's image takes a unit at an instant, told without the product's own words for it.
pub(super) fn takes_a_unit(state: ClaimState, expires_at: UtcInstant, now: UtcInstant) -> bool {
    match state {
        ClaimState::Booked | ClaimState::ToReplace => true,
        ClaimState::Held => now < expires_at,
        ClaimState::Released | ClaimState::Expired | ClaimState::Cancelled => false,
    }
}
