//! The ledger in Redis, which many instances share: one order of changes for the whole site.
//!
//! One thread talks to the server: it appends what waits in groups through one script, and follows the log of changes,
//! its own among them, into the sink. An append is answered after the server has it, after as many replicas as configured
//! have it, and after the sink was told.
//!
//! A server that restarted, was promoted or emptied accepts nothing until the instances have recovered the ledger on it:
//! they give back what they have seen and it lost, and begin a new epoch. While Redis is away appends are refused at once
//! and reads go on from the index. One that is away at the start is waited for; the ledger says that it is not open yet.
//!
//! While a replica is away fewer are asked for, or writes are refused, as configured; which is told.
//!
//! The log keeps the last 65,536 changes and none for longer than 24 hours; outcomes of requests stay 48 hours.
//!
//! Invariant: the sink has been told exactly the changes up to the position that [`Ledger::health`] shows. Deliberately
//! absent: any knowledge of what records mean, in Rust and in the scripts.

mod address;
mod answers;
mod bootstrap;
mod engine;
mod heart;
mod history;
mod keys;
mod link;
mod preflight;
mod recover;
mod replicas;
mod script;
mod shared;
mod tail;
mod topology;
mod trouble;
pub mod whole;
mod writer;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::codec::Interner;
use super::queue::QUEUE_APPENDS_MAX;
use super::{
    Append, AppendOutcome, ChangeSink, Ledger, LedgerHealth, Overview, PendingAppend, PendingTrim, Unavailable,
};
use crate::clock::SharedClock;
use crate::domain::time::UtcInstant;
use engine::Engine;
use history::History;
use link::LinkError;
use replicas::Replicas;
use script::Scripts;
use shared::{Job, Shared};
use topology::Topology;

pub use address::{AddressError, RedisAddress};
pub use heart::beat::Identity;
pub use replicas::demand::{AckReplicas, WhenReplicaAway};
pub use trouble::Trouble;

/// Format of the ledger in Redis that is written: since 2 the log carries the outcomes of requests.
pub const LEDGER_FORMAT: u32 = 2;
/// Changes that the log keeps; an instance that missed more reads every record anew.
const LOG_CHANGES_KEPT: u64 = 65_536;
/// How long the log keeps a change at most, in milliseconds: 24 hours, as long as a slot is kept after its end.
const LOG_KEPT_MS: i64 = 24 * 3_600 * 1_000;
/// Longest wait for outcomes under way when the ledger closes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How an instance works with Redis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedisOptions {
    /// How many replicas must have a write before it is acknowledged.
    pub ack_replicas: AckReplicas,
    /// What becomes of writes while a replica is away.
    pub when_replica_away: WhenReplicaAway,
    /// How long a replica must not have confirmed anything to be given up for a while.
    pub replica_away_after: Duration,
    /// How long a recovery waits for other instances to report what they have seen.
    pub recovery_window: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            ack_replicas: AckReplicas::All,
            when_replica_away: WhenReplicaAway::Reduce,
            replica_away_after: Duration::from_secs(10),
            recovery_window: Duration::from_secs(3),
        }
    }
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("Redis at {address} cannot be used: {trouble}")]
pub struct OpenError {
    /// Where it is, without credentials.
    pub address: String,
    /// What is the matter, and what to do.
    pub trouble: Box<Trouble>,
}

/// Why a session ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
enum Ended {
    /// The connection.
    #[error("{0}")]
    Lost(LinkError),
    /// The server has begun anew.
    #[error("it has begun anew, and the ledger is being recovered")]
    Fenced,
    /// The log went another way than was followed.
    #[error("its log went another way ({0}), and is read anew")]
    Diverged(String),
    /// What stands there cannot be used.
    #[error("{0}")]
    Unusable(Trouble),
    /// The ledger closes.
    #[error("the ledger is closing")]
    Closing,
}

/// An instance that opens a ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Identifies the process.
    pub instance_id: Uuid,
    /// What the others are told of it.
    pub identity: Identity,
}

impl From<Uuid> for Member {
    fn from(instance_id: Uuid) -> Self {
        Self { instance_id, identity: Identity::default() }
    }
}

/// A ledger in Redis.
pub struct RedisLedger {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl RedisLedger {
    /// Opens the ledger of a server, beginning one on an empty server, and hands every record to the sink; blocks until
    /// that is done, or until the server turns out to be away. That is waited for meanwhile: [`Ledger::health`] says
    /// whether the ledger is open.
    ///
    /// # Errors
    /// When the server cannot be used and waiting would not help; the error says what to do.
    pub fn open(
        address: &RedisAddress,
        options: RedisOptions,
        member: impl Into<Member>,
        sink: Arc<dyn ChangeSink>,
    ) -> Result<Self, OpenError> {
        Self::open_by(address, options, member, None, sink)
    }

    /// The same; with a clock, the server goes by it instead of its own.
    fn open_by(
        address: &RedisAddress,
        options: RedisOptions,
        member: impl Into<Member>,
        clock: Option<SharedClock>,
        sink: Arc<dyn ChangeSink>,
    ) -> Result<Self, OpenError> {
        let Member { instance_id, identity } = member.into();
        let failed = |trouble| OpenError { address: address.to_string(), trouble: Box::new(trouble) };
        let shared = Arc::new(Shared::new());
        let engine = Engine {
            topology: Topology::new(address.clone()),
            options,
            clock,
            sink,
            shared: Arc::clone(&shared),
            instance: instance_id.to_string(),
            identity,
            deployment: String::new(),
            replicas: Replicas::new(&options),
            history: History::default(),
            interner: Interner::new(),
            scripts: Scripts::new(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(Trouble::Thread(error.to_string())))?;
        let (jobs, waiting) = channel(QUEUE_APPENDS_MAX);
        let (usable, told) = sync_channel(1);
        let thread = std::thread::Builder::new().name("ledger-redis".to_owned());
        let thread = thread.spawn(move || runtime.block_on(engine.run(waiting, usable)));
        let thread = thread.map_err(|error| failed(Trouble::Thread(error.to_string())))?;
        let told = told.recv().unwrap_or_else(|_| Err(failed(Trouble::Thread("it ended by a panic".to_owned()))));
        told?;
        Ok(Self { shared, jobs, thread: Mutex::new(Some(thread)) })
    }

    /// Identifies the ledger among all others; `None` before it is open.
    #[must_use]
    pub fn deployment_id(&self) -> Option<&str> {
        self.shared.opened().map(|opened| opened.deployment.as_str())
    }

    /// How many records it handed to the sink when it was opened.
    #[must_use]
    pub fn records_restored(&self) -> u64 {
        self.shared.opened().map_or(0, |opened| opened.records)
    }

    /// Carries out what waits, then leaves the server; blocks until that is done. Dropping the ledger does the same.
    pub fn close(&self) {
        self.shared.start_closing();
        if let Some(thread) = self.thread.lock().take() {
            // A full queue is being emptied: the thread sees that the ledger closes when it is done.
            let mut close = Job::Close;
            while let Err(TrySendError::Full(again)) = self.jobs.try_send(close) {
                close = again;
                std::thread::yield_now();
            }
            if thread.join().is_err() {
                tracing::error!("the ledger's thread ended by a panic");
            }
        }
    }

    fn enqueue(&self, append: Append) -> Result<oneshot::Receiver<AppendOutcome>, AppendOutcome> {
        append.check().map_err(AppendOutcome::Invalid)?;
        self.check_open().map_err(AppendOutcome::Unavailable)?;
        let send = |prepared, answer| self.send(Job::Append { prepared, answer });
        self.shared.room.hand_over(append, send).map_err(AppendOutcome::Unavailable)
    }

    fn check_open(&self) -> Result<(), Unavailable> {
        if self.shared.is_closing() {
            return Err(Unavailable::Closing);
        }
        self.shared.refusal().map_or(Ok(()), |reason| Err(Unavailable::Refused(reason)))
    }

    fn send(&self, job: Job) -> Result<(), Unavailable> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Unavailable::Overloaded),
            Err(TrySendError::Closed(_)) if self.shared.is_closing() => Err(Unavailable::Closing),
            Err(TrySendError::Closed(_)) => {
                const ENDED: &str = "the ledger's thread has ended: restart the service";
                self.shared.refuse(ENDED);
                Err(Unavailable::Refused(ENDED.to_owned()))
            }
        }
    }

    fn enqueue_trim(
        &self,
        steady_at: UtcInstant,
    ) -> Result<oneshot::Receiver<Result<usize, Unavailable>>, Unavailable> {
        self.check_open()?;
        let (answer, trimmed) = oneshot::channel();
        self.send(Job::Trim { steady_at, answer })?;
        Ok(trimmed)
    }
}

impl Drop for RedisLedger {
    fn drop(&mut self) {
        self.close();
    }
}

impl Ledger for RedisLedger {
    fn kind(&self) -> &'static str {
        "redis"
    }

    fn durability(&self) -> &'static str {
        match self.shared.is_reduced() {
            true => "reduced: fewer replicas than wanted confirm writes, and an acknowledged one survives less",
            false => self.shared.durability().words(),
        }
    }

    fn durability_class(&self) -> &'static str {
        self.shared.durability().code()
    }

    fn append(&self, append: Append) -> PendingAppend {
        match self.enqueue(append) {
            Ok(outcome) => {
                Box::pin(async move { outcome.await.unwrap_or_else(|_| AppendOutcome::Unavailable(unknown())) })
            }
            Err(refused) => Box::pin(std::future::ready(refused)),
        }
    }

    fn trim(&self, steady_at: UtcInstant) -> PendingTrim {
        match self.enqueue_trim(steady_at) {
            Ok(trimmed) => Box::pin(async move { trimmed.await.unwrap_or_else(|_| Err(unknown())) }),
            Err(refused) => Box::pin(std::future::ready(Err(refused))),
        }
    }

    fn health(&self) -> LedgerHealth {
        self.shared.health()
    }

    fn overview(&self) -> Overview {
        self.shared.overview()
    }

    fn end_of_epoch(&self, epoch: u64) -> Option<u64> {
        self.shared.trail.end_of(epoch)
    }
}

/// What is told when the connection was lost before the outcome was known here.
fn unknown() -> Unavailable {
    Unavailable::OutcomeUnknown("the connection to Redis was lost meanwhile".to_owned())
}

#[cfg(test)]
mod tests;
