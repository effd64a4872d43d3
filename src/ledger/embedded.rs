//! The ledger in one file of the data folder, for a service that runs alone: `ledger.redb`.
//!
//! One thread writes. It takes what waits in a bounded queue as one batch, one transaction and one fsync, in which each
//! append stands or falls alone; then it tells the sink, then it answers. An acknowledged append is therefore on disk.
//!
//! When the disk fails, nothing is acknowledged and appends are refused at once, while reads go on from the index. The
//! writer heals by itself: it opens the file anew, tells the sink what survived of the batch whose commit failed, and
//! accepts appends again.
//!
//! The log keeps the last 65,536 changes and none for longer than 24 hours, outcomes of requests stay 48 hours: what is
//! beyond goes with the next trim, a bounded number at a time, whether or not anything is appended.
//!
//! Invariant: the sink has been told exactly the changes up to the position that [`Ledger::health`] shows, and all of
//! them are on disk. Deliberately absent: reading records on behalf of others, and a second process on the same file.

mod queue;
mod restore;
pub(super) mod store;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::codec::DecodeError;
use super::queue::QUEUE_APPENDS_MAX;
use super::{Append, AppendOutcome, ChangeSink, Ledger, LedgerHealth, PendingAppend, PendingTrim, Unavailable};
use crate::clock::{SharedClock, Stopwatch};
use crate::domain::time::UtcInstant;
use queue::{Job, Shared};
use store::{LedgerFile, OpenFile, Store};
use writer::Writer;

/// Format of the store that is written.
pub const STORE_FORMAT: u32 = 1;
/// Name of the file within the data folder.
pub const FILE_NAME: &str = "ledger.redb";

/// How an embedded ledger works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EmbeddedOptions {
    /// Memory for pages of the file, in bytes.
    pub cache_bytes: usize,
    /// Least time between attempts to write again after a failure.
    pub heal_interval: Duration,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { cache_bytes: 16 * 1_024 * 1_024, heal_interval: Duration::from_secs(1) }
    }
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data folder cannot be made or read.
    #[error("the data folder `{}` cannot be used: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no ledger where one must be.
    #[error("`{}` does not exist: name the data folder of a ledger", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Another process has opened it.
    #[error("`{}` is in use by another process: stop it, or choose another data folder", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of the program wrote it.
    #[error(
        "`{}` has format {found}, this version reads up to {known}: start the version that wrote it, or choose \
         another data folder",
        path.display()
    )]
    NewerFormat {
        /// Format of the file.
        found: u32,
        /// The newest format that is known here.
        known: u32,
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("`{}` is no ledger: choose another data folder", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("`{}` is damaged ({problem}): restore it from a backup or an export", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        problem: String,
    },
    /// The system refuses to read or write the file.
    #[error("`{}` cannot be read or written: {problem}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
    /// The system refuses a thread.
    #[error("the ledger's writer cannot be started: {0}")]
    Thread(std::io::Error),
}

impl OpenError {
    /// A record that cannot be decoded.
    fn of_record(path: &Path, error: &DecodeError) -> Self {
        if let DecodeError::NewerFormat { found, known } = *error {
            let (found, known) = (found.into(), known.into());
            return Self::NewerFormat { found, known, path: path.to_owned() };
        }
        Self::Damaged { path: path.to_owned(), problem: error.to_string() }
    }
}

/// A ledger in one file.
pub struct EmbeddedLedger {
    shared: Arc<Shared>,
    jobs: SyncSender<Job>,
    writer: Mutex<Option<JoinHandle<()>>>,
    deployment_id: Uuid,
    records_restored: u64,
}

impl EmbeddedLedger {
    /// Opens the ledger of a data folder, making both when they are not there, and hands every record to the sink.
    ///
    /// # Errors
    /// When the folder or the file cannot be used; the error says what to do.
    pub fn open(
        data_dir: &Path,
        options: EmbeddedOptions,
        clock: SharedClock,
        sink: Arc<dyn ChangeSink>,
    ) -> Result<Self, OpenError> {
        store::make_folder(data_dir)?;
        let file = LedgerFile { path: data_dir.join(FILE_NAME), cache_bytes: options.cache_bytes, may_create: true };
        Self::open_file(Box::new(file), options, clock, sink)
    }

    fn open_file(
        file: Box<dyn OpenFile>,
        options: EmbeddedOptions,
        clock: SharedClock,
        sink: Arc<dyn ChangeSink>,
    ) -> Result<Self, OpenError> {
        let stopwatch = Stopwatch::start();
        let (store, state) = Store::open(file.as_ref(), Some(clock.now()))?;
        let records_restored = restore::restore(&store, state, sink.as_ref())?;
        let duration_ms = stopwatch.elapsed().as_millis();
        tracing::info!(records = records_restored, sequence = state.sequence, duration_ms, "ledger opened");

        let shared = Arc::new(Shared::new(state, options.heal_interval));
        let (jobs, waiting) = sync_channel(QUEUE_APPENDS_MAX);
        let deployment_id = state.deployment_id;
        let writer = Writer::new(file, store, state, clock, sink, Arc::clone(&shared), waiting);
        let thread = std::thread::Builder::new().name("ledger-writer".to_owned());
        let writer = thread.spawn(move || writer.run()).map_err(OpenError::Thread)?;
        Ok(Self { shared, jobs, writer: Mutex::new(Some(writer)), deployment_id, records_restored })
    }

    /// Identifies the store among all others.
    #[must_use]
    pub const fn deployment_id(&self) -> Uuid {
        self.deployment_id
    }

    /// How many records it handed to the sink when it was opened.
    #[must_use]
    pub const fn records_restored(&self) -> u64 {
        self.records_restored
    }

    /// Carries out what waits, then closes the file; blocks until that is done. Dropping the ledger does the same.
    pub fn close(&self) {
        self.shared.start_closing();
        if let Some(writer) = self.writer.lock().take() {
            // A writer that is gone needs no word, and has reported its own failure.
            let _ = self.jobs.send(Job::Close);
            if writer.join().is_err() {
                tracing::error!("the ledger's writer ended by a panic");
            }
        }
    }

    fn enqueue(&self, append: Append) -> Result<oneshot::Receiver<AppendOutcome>, AppendOutcome> {
        append.check().map_err(AppendOutcome::Invalid)?;
        self.check_open().map_err(AppendOutcome::Unavailable)?;
        let send = |prepared, answer| self.send(Job::Append { prepared, answer });
        self.shared.room.hand_over(append, send).map_err(AppendOutcome::Unavailable)
    }

    /// Refuses at once while nothing can be written, and then asks the writer now and then to try again.
    fn check_open(&self) -> Result<(), Unavailable> {
        if self.shared.is_closing() {
            return Err(Unavailable::Closing);
        }
        let Some(reason) = self.shared.refusal() else {
            return Ok(());
        };
        if self.shared.heal_is_due() {
            // A full queue is being emptied by the writer; the next append asks again.
            let _ = self.jobs.try_send(Job::Heal);
        }
        Err(Unavailable::Refused(reason))
    }

    fn send(&self, job: Job) -> Result<(), Unavailable> {
        match self.jobs.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Unavailable::Overloaded),
            Err(TrySendError::Disconnected(_)) if self.shared.is_closing() => Err(Unavailable::Closing),
            Err(TrySendError::Disconnected(_)) => {
                const ENDED: &str = "the ledger's writer has ended: restart the service";
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

impl Drop for EmbeddedLedger {
    fn drop(&mut self) {
        self.close();
    }
}

impl Ledger for EmbeddedLedger {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn durability(&self) -> &'static str {
        "one disk: an acknowledged write is synced to the file and survives a crash of process or machine"
    }

    fn durability_class(&self) -> &'static str {
        "DISK_SYNCED"
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
}

/// What is told when the writer went away without an answer.
fn unknown() -> Unavailable {
    Unavailable::OutcomeUnknown("the ledger's writer ended".to_owned())
}

#[cfg(test)]
mod tests;
