//! Clients as real ones are: they hold, confirm, release, cancel and rebook on few slots, through any instance, and repeat
//! under the same request id what they do not know the outcome of.
//!
//! Invariant: every call is noted with what was told, also when nobody told anything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use sas_router::tasks::Tasks;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use super::call::send;
use super::history::{Attempt, Call, Operation, Recorder, Said, now_ms};
use super::patience::Patience;
use super::pause::pause;
use crate::support::random::Random;

/// Clients at the same time.
const CLIENTS: u64 = 8;
/// Slots that clients choose from.
const SLOTS: usize = 12;
/// How long before a slot begins it is published, in seconds.
const SLOTS_BEGIN_IN_S: i64 = 4 * 3_600;
/// How often slots are published, two at a time.
const PUBLISHED_EVERY: Duration = Duration::from_millis(700);
/// How long a client waits for an answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a client waits before it asks again.
const RETRY_AFTER: Duration = Duration::from_millis(60);
/// Longest pause between two cases of a client, in milliseconds.
const THINK_MS: usize = 40;
/// Tries that follow the end of the load before a client gives up.
const LAST_TRIES: usize = 200;

/// The clients of a run.
pub(super) struct Load {
    /// What they noted.
    pub(super) recorder: Recorder,
    board: Arc<Board>,
    running: Vec<JoinHandle<()>>,
}

/// What all clients see.
struct Board {
    channels: Vec<Channel>,
    slots: Mutex<VecDeque<String>>,
    is_over: AtomicBool,
    recorder: Recorder,
}

impl Load {
    /// Starts clients of these instances.
    pub(super) fn start(seed: u64, channels: Vec<Channel>) -> Self {
        let recorder = Recorder::default();
        let board =
            Board { channels, slots: Mutex::default(), is_over: AtomicBool::new(false), recorder: recorder.clone() };
        let board = Arc::new(board);
        let client = |number| Client {
            board: Arc::clone(&board),
            random: Random::new(seed.wrapping_mul(1_000).wrapping_add(number)),
            name: number,
            count: 0,
            left: VecDeque::new(),
        };
        let tasks = Tasks::new();
        let mut running = vec![tasks.spawn(publish(client(CLIENTS)))];
        running.extend((0..CLIENTS).map(|number| tasks.spawn(work(client(number)))));
        Self { recorder, board, running }
    }

    /// Waits until so many more operations are acknowledged; `false` when they are not in time.
    pub(super) async fn goes_on(&self, count: usize, patience: &Patience) -> bool {
        let target = self.recorder.acknowledged() + count;
        while self.recorder.acknowledged() < target {
            if patience.is_over() {
                return false;
            }
            pause(Duration::from_millis(10)).await;
        }
        true
    }

    /// Ends the load once every client knows, or has given up; what they noted.
    pub(super) async fn end(self) -> Vec<Operation> {
        self.board.is_over.store(true, Ordering::SeqCst);
        for client in self.running {
            client.await.unwrap();
        }
        self.recorder.take()
    }
}

struct Client {
    board: Arc<Board>,
    random: Random,
    name: u64,
    count: u64,
    /// Holds that are left to end: slot, claim, end.
    left: VecDeque<(String, String, i64)>,
}

async fn work(mut client: Client) {
    while !client.board.is_over.load(Ordering::SeqCst) {
        client.case().await;
        client.come_late().await;
        let thinks_ms = u64::try_from(client.random.below(THINK_MS)).unwrap();
        pause(Duration::from_millis(thinks_ms)).await;
    }
}

async fn publish(mut client: Client) {
    while !client.board.is_over.load(Ordering::SeqCst) {
        let slots: Vec<_> = (0..2)
            .map(|_| {
                client.count += 1;
                (format!("slot-{}", client.count), 1 + client.random.below(3))
            })
            .collect();
        let call = Call::Publish { slots: slots.clone(), start_s: now_ms() / 1_000 + SLOTS_BEGIN_IN_S };
        if client.ask(&format!("revision {}", client.count), "", call).await.is_some() {
            let mut board = client.board.slots.lock();
            board.extend(slots.into_iter().map(|(slot_id, _)| slot_id));
            while board.len() > SLOTS {
                board.pop_front();
            }
        }
        if client.board.slots.lock().len() == SLOTS {
            pause(PUBLISHED_EVERY).await;
        }
    }
}

impl Client {
    /// One case, from the hold to whatever becomes of it.
    async fn case(&mut self) {
        let Some(slot_id) = self.choose() else { return };
        self.count += 1;
        let name = format!("{}-{}", self.name, self.count);
        let ttl_seconds = if self.random.chance(0.5) { 5 } else { 30 };
        let hold = Call::Hold { slot_id: slot_id.clone(), ttl_seconds };
        let Some((instance, claim_id, expires_at)) = self.ask(&format!("hold {name}"), &name, hold).await else {
            return;
        };
        if self.random.chance(0.4) {
            let read = Call::ReadOwn { claim_id: claim_id.clone() };
            self.once(instance, &format!("read {name}"), &name, read).await;
        }
        if self.random.chance(0.1) {
            let other = self.choose().unwrap_or_default();
            let reuse = Call::Reuse { slot_id: other };
            let instance = self.instance();
            self.once(instance, &format!("hold {name}"), &format!("{name}-other"), reuse).await;
        }
        let (confirm, release) = (
            Call::Confirm { slot_id: slot_id.clone(), claim_id: claim_id.clone(), expires_at },
            Call::Release { slot_id: slot_id.clone(), claim_id: claim_id.clone() },
        );
        let chance = self.random.unit();
        if chance < 0.2 {
            self.left.push_back((slot_id, claim_id, expires_at));
        } else if chance < 0.4 {
            self.ask(&format!("release {name}"), &name, release).await;
        } else if self.ask(&format!("confirm {name}"), &name, confirm).await.is_some() {
            self.booked(slot_id, claim_id, &name).await;
        }
    }

    /// What becomes of a booking.
    async fn booked(&mut self, slot_id: String, claim_id: String, name: &str) {
        let chance = self.random.unit();
        if chance < 0.3 {
            self.ask(&format!("cancel {name}"), name, Call::Cancel { slot_id, claim_id }).await;
        } else if chance < 0.5
            && let Some(other) = self.choose().filter(|other| *other != slot_id)
        {
            let rebook = Call::Rebook { from_slot_id: slot_id, claim_id, slot_id: other };
            self.ask(&format!("rebook {name}"), name, rebook).await;
        }
    }

    /// Confirms a hold that is over.
    async fn come_late(&mut self) {
        if self.left.front().is_some_and(|(_, _, expires_at)| *expires_at < now_ms())
            && let Some((slot_id, claim_id, expires_at)) = self.left.pop_front()
        {
            self.count += 1;
            let name = format!("late {}-{}", self.name, self.count);
            self.ask(&name, "", Call::Confirm { slot_id, claim_id, expires_at }).await;
        }
    }

    fn choose(&mut self) -> Option<String> {
        let slots = self.board.slots.lock();
        let at = self.random.below(slots.len().max(1));
        slots.get(at).cloned()
    }

    fn instance(&mut self) -> usize {
        self.random.below(self.board.channels.len())
    }

    /// Asks, mostly until it is known; the instance that said so, the claim and its end when it was done.
    async fn ask(&mut self, request_id: &str, case_id: &str, call: Call) -> Option<(usize, String, i64)> {
        let (request_id, case_id) = (request_id.to_owned(), case_id.to_owned());
        let mut operation = Operation { request_id, case_id, call, attempts: Vec::new() };
        // Some clients end with their machine, and some ask twice at once.
        let gives_up = !matches!(operation.call, Call::Publish { .. }) && self.random.chance(0.3);
        let is_twice = self.random.chance(0.2);
        let mut tries_left = LAST_TRIES;
        loop {
            let (first, second) = (self.instance(), self.instance());
            if is_twice {
                let both = tokio::join!(self.attempt(first, &operation), self.attempt(second, &operation));
                operation.attempts.extend([both.0, both.1]);
            } else {
                operation.attempts.push(self.attempt(first, &operation).await);
            }
            let is_known = operation.attempts.last().is_some_and(|attempt| match &attempt.said {
                Said::Done { .. } => true,
                Said::Refused(reason) => !matches!(reason.as_str(), "LEDGER_UNAVAILABLE" | "CONTENTION" | "OVERLOADED"),
                Said::Unknown(_) => false,
            });
            if self.board.is_over.load(Ordering::SeqCst) {
                tries_left -= 1;
            }
            if operation.done().is_some() || is_known || gives_up || tries_left == 0 {
                break;
            }
            pause(RETRY_AFTER).await;
        }
        let told = operation.done().map(|(attempt, claim_id, ends)| (attempt.instance, claim_id.to_owned(), ends));
        self.board.recorder.note(operation);
        told
    }

    /// Asks one instance once.
    async fn once(&self, instance: usize, request_id: &str, case_id: &str, call: Call) {
        let (request_id, case_id) = (request_id.to_owned(), case_id.to_owned());
        let mut operation = Operation { request_id, case_id, call, attempts: Vec::new() };
        operation.attempts.push(self.attempt(instance, &operation).await);
        self.board.recorder.note(operation);
    }

    async fn attempt(&self, instance: usize, operation: &Operation) -> Attempt {
        let channel = self.board.channels[instance].clone();
        let invoked_at = now_ms();
        let said = tokio::time::timeout(CALL_TIMEOUT, send(channel, operation)).await;
        let said = said.unwrap_or_else(|_| Said::Unknown("nobody answered in time".to_owned()));
        Attempt { instance, invoked_at, completed_at: now_ms(), said }
    }
}
