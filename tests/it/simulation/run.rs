//! One simulated run: instances of the real service, a network that loses, repeats and delays, clocks that differ, and a
//! server that loses its last writes. Every choice comes from the seed.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use sas_router::domain::id::{CaseId, ClaimId, RequestId};
use sas_router::domain::record::Position;
use sas_router::domain::time::UtcInstant;
use sas_router::ledger::AppendOutcome;
use sas_router::service::{Authority, Caller, Error, HoldRequest, Reason};
use sas_router::tasks::Tasks;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::deed::{Deed, Done, claims_of};
use super::instance::{Instance, Message, unknown};
use super::judge::has_free_unit;
use super::recovery::Recovery;
use super::store::Store;
use super::town;
use crate::support::random::Random;

/// When every run begins.
const START_MS: i64 = 1_800_000_000_000;
pub(super) const INSTANCES: usize = 3;
/// How often a caller asks again.
const TRIES_MAX: usize = 6;

/// After so long every hold is over, by any clock.
const HOLDS_END_SECONDS: i64 = 4 * 3_600;
/// Cases that callers hold and book for.
const CASES: usize = 8;

/// An outcome that waits until its instance shows as much.
struct Told {
    from: (usize, u64),
    server_start: u64,
    head: u64,
    outcome: AppendOutcome,
    answer: oneshot::Sender<AppendOutcome>,
}

/// What a caller wants, under one request id until something is known of it.
struct Call {
    deed: Deed,
    /// Names the request.
    name: String,
    case: usize,
    slot: usize,
    claim: Option<ClaimId>,
    at: usize,
    tries: usize,
    running: JoinHandle<Result<(ClaimId, Position), Error>>,
}

pub(super) struct Run {
    pub(super) random: Random,
    pub(super) store: Store,
    messages: Arc<Mutex<Vec<Message>>>,
    told: Vec<Told>,
    pub(super) instances: Vec<Instance>,
    calls: Vec<Call>,
    pub(super) recovery: Option<Recovery>,
    /// The epochs that were begun, each with the starts of the instances that took part.
    pub(super) recoveries: Vec<(u64, [Option<u64>; INSTANCES])>,
    pub(super) done: Vec<Done>,
    /// What was told and is not there any more.
    pub(super) lost: Vec<Done>,
    /// Claims that a caller asked to end.
    pub(super) ended: HashSet<ClaimId>,
    /// Appends that an instance remembers.
    memory: usize,
    names: usize,
    pub(super) losses: usize,
    pub(super) quarantined: usize,
}

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let now = UtcInstant::from_ms(START_MS);
        let mut store = Store::new(now);
        assert!(matches!(store.append(town::append(now)), AppendOutcome::Appended { .. }));
        let mut random = Random::new(seed);
        let memory = if random.chance(0.5) { usize::MAX } else { 4 + random.below(12) };
        let mut run = Self {
            random,
            store,
            messages: Arc::default(),
            told: Vec::new(),
            instances: Vec::new(),
            calls: Vec::new(),
            recovery: None,
            recoveries: Vec::new(),
            done: Vec::new(),
            lost: Vec::new(),
            ended: HashSet::new(),
            memory,
            names: 0,
            losses: 0,
            quarantined: 0,
        };
        for number in 0..INSTANCES {
            let instance = run.start(number, 0);
            run.instances.push(instance);
        }
        run
    }

    fn start(&mut self, number: usize, start: u64) -> Instance {
        let skew = i64::try_from(self.random.below(40_000)).unwrap() - 20_000;
        Instance::start((number, start), START_MS + skew, self.memory, Arc::clone(&self.messages), &self.store)
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
            19 if self.random.chance(0.5) => self.report(),
            _ if self.store.is_fenced => self.recover(true),
            _ => {}
        }
        self.settle().await;
    }

    /// Lets everything that is under way come to its end, without further faults.
    pub(super) async fn finish(&mut self) {
        for _ in 0..10_000 {
            if self.store.is_fenced {
                self.recover(false);
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
            let is_quiet = self.calls.is_empty() && self.messages.lock().is_empty() && self.told.is_empty();
            if is_quiet && !self.store.is_fenced && self.instances.iter().all(|one| one.has_reported) {
                return;
            }
            self.report();
        }
        panic!("calls do not come to an end");
    }

    /// Lets instances report what they remember and the ledger lost.
    fn report(&mut self) {
        for instance in self.instances.iter_mut().filter(|one| one.report.is_none() && !one.has_reported) {
            let service = instance.service.clone();
            instance.report = Some(Tasks::new().spawn(async move { service.quarantine_lost().await }));
        }
    }

    /// Once every hold is over, a slot is held anew where a unit is free, and nowhere else.
    pub(super) async fn claim_the_rest(&mut self) {
        self.store.clock.advance_seconds(HOLDS_END_SECONDS);
        self.instances.iter().for_each(|one| one.clock.advance_seconds(HOLDS_END_SECONDS));
        let at = self.random.below(INSTANCES);
        for slot in 0..town::CAPACITIES.len() {
            // An empty server whose only giver ended begins without any slot.
            let Some(known) = self.instances[at].index.slot(&town::slot_id(slot)) else { continue };
            let (name, case) = (format!("last-{slot}"), CASES + slot);
            let running = self.ask(Deed::Hold, &name, case, slot, None, at);
            self.calls.push(Call { deed: Deed::Hold, name, case, slot, claim: None, at, tries: 1, running });
            let before = self.done.len();
            self.finish().await;
            let is_held = self.done.len() > before;
            assert_eq!(
                is_held,
                has_free_unit(&known.value),
                "whether a unit was found when all holds are over: {known:?}"
            );
        }
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
        if let (Some(claim), Deed::Release | Deed::Cancel) = (known, deed) {
            self.ended.insert(claim);
        }
        let case = self.random.below(CASES);
        let running = self.ask(deed, &name, case, slot, known, at);
        self.calls.push(Call { deed, name, case, slot, claim: known, at, tries: 1, running });
    }

    fn ask(
        &self,
        deed: Deed,
        name: &str,
        case: usize,
        slot: usize,
        claim: Option<ClaimId>,
        at: usize,
    ) -> JoinHandle<Result<(ClaimId, Position), Error>> {
        let service = self.instances[at].service.clone();
        let request_id = RequestId::parse(name).unwrap();
        let case_id = CaseId::parse(&format!("case-{case}")).unwrap();
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
        let (server_start, head) = (self.store.start, self.store.mark().sequence);
        if let Some(answer) = answer.filter(|_| !is_answer_lost) {
            self.told.push(Told { from, server_start, head, outcome, answer });
        }
    }

    /// One of the outcomes is told, when its instance shows as much; one of a link that ended before is not known.
    fn answer(&mut self) {
        if self.told.is_empty() {
            return;
        }
        let at = self.random.below(self.told.len());
        let Told { from: (number, start), server_start, head, .. } = self.told[at];
        let instance = &self.instances[number];
        let is_linked = instance.start == start && instance.server_start == server_start;
        let shows = is_linked && instance.followed.mark().sequence >= head;
        if is_linked && !shows && self.store.start == server_start {
            return;
        }
        let Told { outcome, answer, .. } = self.told.swap_remove(at);
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

    /// The server comes back without its last writes, or without any.
    fn lose(&mut self) {
        if self.random.chance(0.1) {
            self.store.lose_all();
        } else {
            let writes = self.random.below(6);
            self.store.lose(writes);
        }
        self.losses += 1;
    }

    /// Lets tasks run until none can, and takes what callers were told.
    async fn settle(&mut self) {
        for _ in 0..12 {
            tokio::task::yield_now().await;
        }
        for instance in &mut self.instances {
            if let Some(report) = instance.report.take_if(|report| report.is_finished()) {
                let reported = report.await.unwrap();
                instance.has_reported = matches!(reported, Ok(0));
                self.quarantined += reported.unwrap_or_default();
            }
        }
        for at in (0..self.calls.len()).rev() {
            if !self.calls[at].running.is_finished() {
                continue;
            }
            let mut call = self.calls.swap_remove(at);
            match (&mut call.running).await.unwrap() {
                Ok((claim, position)) => self.note(call.deed, claim, call.at, position),
                Err(error) if is_passing(error.reason) && call.tries < TRIES_MAX => {
                    call.at = self.random.below(INSTANCES);
                    call.tries += 1;
                    call.running = self.ask(call.deed, &call.name, call.case, call.slot, call.claim, call.at);
                    self.calls.push(call);
                }
                Err(_) => {}
            }
        }
    }

    /// Notes what a caller was told, with the append that did it: whoever says so shows it.
    fn note(&mut self, deed: Deed, claim: ClaimId, at: usize, position: Position) {
        let instance = &self.instances[at];
        let shown = instance.followed.history.iter().take_while(|taken| taken.sequence <= position.sequence);
        let found =
            shown.map(|taken| (taken.digest, claims_of(taken).find(|one| one.id == claim && deed.is_done(one))));
        let Some((digest, case)) = found.filter_map(|(digest, one)| Some((digest, one?.case_id.clone()))).next() else {
            panic!("{deed:?} of {claim} was told and does not show at {position:?}");
        };
        let done = Done { deed, claim, case, by: (at, instance.start), digest };
        // A caller may hear late of what a recovery left behind meanwhile.
        let is_there = self.store.is_fenced || self.store.has(digest);
        if is_there { self.done.push(done) } else { self.lost.push(done) }
    }
}

fn is_passing(reason: Reason) -> bool {
    matches!(reason.code(), "OUTCOME_UNKNOWN" | "LEDGER_UNAVAILABLE" | "CONTENTION" | "OVERLOADED")
}
