//! The file: its tables, its format, and how it is opened.
//!
//! Invariant: `meta` says how far the other tables are; all five change in one transaction.
//! Deliberately absent: any decision; see [`batch`].

pub(in crate::ledger) mod batch;
mod requests;

use std::path::{Path, PathBuf};

use prost::Message as _;
use redb::{
    CommitError, Database, DatabaseError, ReadableDatabase as _, StorageError, TableDefinition, TableError,
    TransactionError, WriteTransaction,
};
use uuid::{NoContext, Timestamp, Uuid};

use super::{OpenError, STORE_FORMAT};
use crate::domain::record::{Change, Key, Position};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::proto::ledger as pb;
use requests::RequestIndex;

/// How the store stands, under [`META_STATE`].
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// The one key of [`META`].
const META_STATE: &str = "state";
/// Key of a record → its version and image.
pub(in crate::ledger) const RECORDS: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("records");
/// Sequence number → `LogEntry`; the last [`LOG_ENTRIES_KEPT`], none older than [`LOG_KEPT_MS`] once trimmed.
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
/// Number in order of time → `RequestOutcome`; found by [`RequestIndex`].
const REQUESTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("requests");

/// How many changes the log keeps; far more than one batch, so that a healed writer finds what the sink missed.
pub(in crate::ledger) const LOG_ENTRIES_KEPT: u64 = 65_536;

/// How long the log keeps a change at most, in milliseconds: 24 hours. A change holds the record as it was then, claims
/// included, so it is kept no longer than a slot is after its end.
pub(in crate::ledger) const LOG_KEPT_MS: i64 = 24 * 3_600 * 1_000;

/// How a store stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ledger) struct State {
    /// Generation of the history.
    pub(in crate::ledger) epoch: u64,
    /// Sequence number of the last change.
    pub(in crate::ledger) sequence: u64,
    /// Latest instant that the store's clock has shown.
    pub(in crate::ledger) shown_at: UtcInstant,
    /// Latest instant that was recorded by a steady clock.
    pub(in crate::ledger) steady_at: UtcInstant,
    /// Identifies the store among all others.
    pub(in crate::ledger) deployment_id: Uuid,
}

impl State {
    /// A store that begins at an instant.
    fn new(now: UtcInstant) -> Self {
        let ms = u64::try_from(now.ms()).unwrap_or_default();
        let nanoseconds = u32::try_from(ms % 1_000).unwrap_or_default() * 1_000_000;
        let deployment_id = Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1_000, nanoseconds));
        Self { epoch: 1, sequence: 0, shown_at: now, steady_at: now, deployment_id }
    }

    /// Where the last change stands.
    pub(in crate::ledger) const fn head(&self) -> Position {
        Position { partition: 0, epoch: self.epoch, sequence: self.sequence }
    }

    fn to_bytes(self) -> Vec<u8> {
        let Self { epoch, sequence, shown_at, steady_at, deployment_id } = self;
        let state = pb::StoreState {
            format: STORE_FORMAT,
            epoch,
            sequence,
            clock_at_ms: shown_at.ms(),
            deployment_id: deployment_id.into_bytes().to_vec(),
            steady_at_ms: steady_at.ms(),
        };
        state.encode_to_vec()
    }

    fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, OpenError> {
        let damaged = |problem: String| OpenError::Damaged { path: path.to_owned(), problem };
        let message = pb::StoreState::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        let pb::StoreState { format, epoch, sequence, clock_at_ms, deployment_id, steady_at_ms } = message;
        if format > STORE_FORMAT {
            return Err(OpenError::NewerFormat { found: format, known: STORE_FORMAT, path: path.to_owned() });
        }
        let deployment_id = Uuid::from_slice(&deployment_id).map_err(|error| damaged(error.to_string()))?;
        let shown_at = UtcInstant::from_ms(clock_at_ms);
        let steady_at = if steady_at_ms == 0 { shown_at } else { UtcInstant::from_ms(steady_at_ms) };
        Ok(Self { epoch, sequence, shown_at, steady_at, deployment_id })
    }
}

/// Opens the database; a seam through which tests pass a failing disk.
pub(in crate::ledger) trait OpenFile: Send + 'static {
    /// Opens it, the first time or anew.
    fn open(&self) -> Result<Database, DatabaseError>;

    /// Where it is, for messages.
    fn path(&self) -> &Path;
}

/// The real file.
pub(in crate::ledger) struct LedgerFile {
    /// Where it is.
    pub(in crate::ledger) path: PathBuf,
    /// Memory for its pages, in bytes.
    pub(in crate::ledger) cache_bytes: usize,
    /// Whether it is made when it is not there.
    pub(in crate::ledger) may_create: bool,
}

impl OpenFile for LedgerFile {
    fn open(&self) -> Result<Database, DatabaseError> {
        let mut builder = Database::builder();
        builder.set_cache_size(self.cache_bytes);
        // A file that was altered from outside is refused here; unchecked, it could end the process later.
        builder.set_check_integrity_on_open(true);
        if self.may_create { builder.create(&self.path) } else { builder.open(&self.path) }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the data folder, readable for its owner only, when it is not there.
pub(in crate::ledger) fn make_folder(path: &Path) -> Result<(), OpenError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| OpenError::Folder { path: path.to_owned(), source })
}

/// An open file.
pub(in crate::ledger) struct Store {
    database: Database,
    path: PathBuf,
    /// Of the file as committed; a batch that fails leaves the store unusable, and it with it.
    requests: RequestIndex,
}

impl Store {
    /// Opens the file and reads how it stands. With `begin_at` an empty file becomes a ledger that begins then.
    pub(in crate::ledger) fn open(
        file: &dyn OpenFile,
        begin_at: Option<UtcInstant>,
    ) -> Result<(Self, State), OpenError> {
        let path = file.path().to_owned();
        let database = file.open().map_err(|error| of_database(&path, error))?;
        let mut store = Self { database, path, requests: RequestIndex::default() };
        let state = match store.read_state()? {
            Some(state) => state,
            None => store.begin(begin_at)?,
        };
        store.requests = store.index_requests().map_err(|fault| store.refused(fault))?;
        Ok((store, state))
    }

    /// Where the file is.
    pub(in crate::ledger) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts a transaction that writes.
    pub(in crate::ledger) fn write(&self) -> Result<WriteTransaction, Fault> {
        Ok(self.database.begin_write()?)
    }

    /// Starts a transaction that reads.
    pub(in crate::ledger) fn read(&self) -> Result<redb::ReadTransaction, Fault> {
        Ok(self.database.begin_read()?)
    }

    /// The error that a fault of this file is while it opens.
    pub(in crate::ledger) fn refused(&self, fault: Fault) -> OpenError {
        of_fault(&self.path, fault)
    }

    /// The error that a record of this file cannot be read.
    pub(in crate::ledger) fn damaged(&self, problem: String) -> OpenError {
        OpenError::Damaged { path: self.path.clone(), problem }
    }

    fn read_state(&self) -> Result<Option<State>, OpenError> {
        let read = || -> Result<Option<Vec<u8>>, Fault> {
            let transaction = self.read()?;
            let meta = match transaction.open_table(META) {
                Ok(meta) => meta,
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            Ok(meta.get(META_STATE)?.map(|state| state.value().to_vec()))
        };
        let bytes = read().map_err(|fault| self.refused(fault))?;
        bytes.map(|bytes| State::from_bytes(&bytes, &self.path)).transpose()
    }

    /// Makes an empty file a ledger.
    fn begin(&self, begin_at: Option<UtcInstant>) -> Result<State, OpenError> {
        let not_a_ledger = || OpenError::NotALedger { path: self.path.clone() };
        let state = State::new(begin_at.ok_or_else(not_a_ledger)?);
        let write = || -> Result<bool, Fault> {
            let transaction = self.write()?;
            if transaction.list_tables()?.next().is_some() {
                return Ok(false);
            }
            transaction.open_table(RECORDS)?;
            transaction.open_table(LOG)?;
            transaction.open_table(REQUESTS)?;
            self.commit_state(transaction, state)?;
            Ok(true)
        };
        let has_begun = write().map_err(|fault| self.refused(fault))?;
        sync_folder(&self.path);
        if has_begun { Ok(state) } else { Err(not_a_ledger()) }
    }

    /// Writes how the store stands and commits.
    pub(in crate::ledger) fn commit_state(&self, transaction: WriteTransaction, state: State) -> Result<(), Fault> {
        transaction.open_table(META)?.insert(META_STATE, state.to_bytes().as_slice())?;
        transaction.commit()?;
        Ok(())
    }

    fn index_requests(&self) -> Result<RequestIndex, Fault> {
        let mut index = RequestIndex::default();
        let requests = self.read()?.open_table(REQUESTS)?;
        for request in requests.range::<u64>(..)? {
            let (number, kept) = request?;
            index.insert_encoded(number.value(), kept.value());
        }
        Ok(index)
    }

    /// The changes after a sequence number, as the log keeps them.
    pub(in crate::ledger) fn changes_after(&self, sequence: u64, state: State) -> Result<Vec<Change>, OpenError> {
        let read = || -> Result<Vec<(u64, Vec<u8>)>, Fault> {
            let log = self.read()?.open_table(LOG)?;
            let entries = log.range(sequence.saturating_add(1)..)?.map(|entry| {
                let (sequence, entry) = entry?;
                Ok((sequence.value(), entry.value().to_vec()))
            });
            entries.collect()
        };
        let mut interner = Interner::new();
        let entries = read().map_err(|fault| self.refused(fault))?;
        entries.into_iter().map(|(sequence, entry)| self.change(sequence, &entry, state, &mut interner)).collect()
    }

    fn change(&self, sequence: u64, entry: &[u8], state: State, interner: &mut Interner) -> Result<Change, OpenError> {
        let entry = pb::LogEntry::decode(entry).map_err(|error| self.damaged(error.to_string()))?;
        let pb::LogEntry { key, version, image, written_at_ms: _ } = entry;
        let key = Key::parse(&key).map_err(|error| self.damaged(error.to_string()))?;
        let body = if image.is_empty() { None } else { Some(codec::decode(&image, interner)) };
        let body = body.transpose().map_err(|error| OpenError::of_record(&self.path, &error))?;
        Ok(Change { position: Position { sequence, ..state.head() }, key, version, body })
    }
}

/// A new file is there after a crash only when its folder is synced too; a system that cannot do so does without.
fn sync_folder(file: &Path) {
    if let Some(folder) = file.parent().and_then(|folder| std::fs::File::open(folder).ok())
        && let Err(error) = folder.sync_all()
    {
        tracing::warn!(%error, "the data folder cannot be synced");
    }
}

/// What the file answers when it fails.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(in crate::ledger) struct Fault(#[from] redb::Error);

macro_rules! faults {
    ($($error:ty),+) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self(error.into())
            }
        }
    )+};
}

faults!(StorageError, TableError, TransactionError, CommitError);

fn of_database(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    if matches!(error, DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch) {
        return OpenError::InUse { path };
    }
    if let DatabaseError::Storage(StorageError::Io(error)) = &error {
        if error.kind() == std::io::ErrorKind::NotFound {
            return OpenError::Missing { path };
        }
        // What redb says of a file that does not begin as its files do.
        if error.kind() == std::io::ErrorKind::InvalidData {
            return OpenError::NotALedger { path };
        }
    }
    of_fault(&path, Fault(error.into()))
}

fn of_fault(path: &Path, fault: Fault) -> OpenError {
    let path = path.to_owned();
    let problem = fault.to_string();
    if matches!(fault.0, redb::Error::Io(_) | redb::Error::PreviousIo) {
        return OpenError::Io { path, problem };
    }
    OpenError::Damaged { path, problem }
}
