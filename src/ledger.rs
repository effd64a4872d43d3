//! How state is kept: records with conditional append.
//!
//! All decisions are taken above, in the pure state machines of the domain. A ledger only checks versions, time guards
//! and request ids, makes the accepted entries durable, all or none, and hands every change, in one order, to the one
//! [`ChangeSink`]; it knows nothing of slots. What an implementation promises is stated by the conformance suite, which
//! each passes unchanged.
//!
//! Deliberately absent: queries. Reads are served from the index, which the sink feeds.

pub mod codec;
mod decision;
mod kind;
mod queue;
mod overview;
pub mod memory;
pub mod embedded;
pub mod redis;
pub mod transfer;
pub mod verify;

use std::collections::HashSet;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::domain::id::{PrincipalId, RequestId};
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::time::UtcInstant;

pub use overview::{Counters, InstanceView, Overview, Standpoint};

/// Most entries of one append.
pub const APPEND_ENTRIES_MAX: usize = 1_024;
/// Longest result that is kept for a request, in bytes.
pub const REQUEST_RESULT_MAX_BYTES: usize = 64 * 1_024;
/// Most that one trim forgets.
pub const TRIM_STEP_MAX: usize = 1_024;
/// How far a steady clock must be from the instant that it recorded last to be recorded anew, in milliseconds: 1 minute.
pub const STEADY_RECORDED_AFTER_MS: i64 = 60 * 1_000;
/// How long the first outcome of a request is kept for retries, in milliseconds: 48 hours.
pub const REQUEST_KEPT_MS: i64 = 48 * 3_600 * 1_000;

/// What an entry does to its record.
#[derive(Clone, PartialEq, Debug)]
pub enum Write {
    /// Makes it this.
    Put(Body),
    /// Removes it.
    Remove,
    /// Leaves it, but insists on its version.
    Check,
}

/// One record of an append, and the conditions under which it may be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The record.
    pub key: Key,
    /// The version that it must have; 0 when it must not be there.
    pub expected_version: u64,
    /// The ledger's clock must have reached this instant.
    pub not_before: Option<UtcInstant>,
    /// The ledger's clock must not have reached this instant.
    pub not_after: Option<UtcInstant>,
    /// What is done.
    pub write: Write,
}

impl Entry {
    /// Makes a record this, without time guards.
    #[must_use]
    pub fn put(body: Body, expected_version: u64) -> Self {
        Self { key: body.key(), expected_version, not_before: None, not_after: None, write: Write::Put(body) }
    }

    /// Removes a record.
    #[must_use]
    pub const fn remove(key: Key, expected_version: u64) -> Self {
        Self { key, expected_version, not_before: None, not_after: None, write: Write::Remove }
    }

    /// Insists on a record's version.
    #[must_use]
    pub const fn check(key: Key, expected_version: u64) -> Self {
        Self { key, expected_version, not_before: None, not_after: None, write: Write::Check }
    }
}

/// Digest of a request's content, by which a retry is told from a reuse of its id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// The request on whose behalf an append is made.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// Who asks.
    pub principal: PrincipalId,
    /// The caller's name for the request.
    pub request_id: RequestId,
    /// Which part of the request this append carries out, 0 for the first or only one. Callers name requests, never
    /// parts, so no id that a caller chooses can be another request's part.
    pub part: u16,
    /// Digest of its content.
    pub fingerprint: Fingerprint,
    /// What a retry is told, in the service's own encoding.
    pub result: Bytes,
}

/// What is to be written, all or nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Append {
    /// At most [`APPEND_ENTRIES_MAX`] entries of one partition, each record at most once.
    pub entries: Vec<Entry>,
    /// The request, when it may be retried.
    pub request: Option<Request>,
}

impl Append {
    /// Refuses an append that no ledger takes, whatever it holds.
    ///
    /// # Errors
    /// The first of the limits that it breaks.
    pub fn check(&self) -> Result<(), InvalidAppend> {
        if self.entries.len() > APPEND_ENTRIES_MAX {
            return Err(InvalidAppend::TooManyEntries { entries: self.entries.len() });
        }
        let mut keys = HashSet::with_capacity(self.entries.len());
        for Entry { key, expected_version, not_before: _, not_after: _, write } in &self.entries {
            if !keys.insert(key) {
                return Err(InvalidAppend::DuplicateKey { key: key.clone() });
            }
            if *expected_version == u64::MAX {
                return Err(InvalidAppend::VersionExhausted { key: key.clone() });
            }
            if let Write::Put(body) = write
                && body.key() != *key
            {
                return Err(InvalidAppend::OtherBody { key: key.clone(), body: body.key() });
            }
        }
        let result_bytes = self.request.as_ref().map_or(0, |request| request.result.len());
        if result_bytes > REQUEST_RESULT_MAX_BYTES {
            return Err(InvalidAppend::ResultTooLong { bytes: result_bytes });
        }
        Ok(())
    }
}

/// Why no ledger takes an append; nothing was written, and the same append is refused again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidAppend {
    /// More entries than [`APPEND_ENTRIES_MAX`].
    #[error("{entries} entries are too many: append at most {APPEND_ENTRIES_MAX} at once")]
    TooManyEntries {
        /// How many there are.
        entries: usize,
    },
    /// A record stands twice in it.
    #[error("`{key}` stands twice in one append: merge its entries")]
    DuplicateKey {
        /// The record.
        key: Key,
    },
    /// A body belongs to another record.
    #[error("`{key}` cannot be made `{body}`: give the entry the key of its body")]
    OtherBody {
        /// Key of the entry.
        key: Key,
        /// Key of the body.
        body: Key,
    },
    /// No version follows the expected one.
    #[error("`{key}` has no version after {}", u64::MAX)]
    VersionExhausted {
        /// The record.
        key: Key,
    },
    /// More bytes of result than [`REQUEST_RESULT_MAX_BYTES`].
    #[error("a result of {bytes} bytes is too long: keep at most {REQUEST_RESULT_MAX_BYTES}")]
    ResultTooLong {
        /// How long it is.
        bytes: usize,
    },
}

/// What became of an append.
#[derive(Clone, PartialEq, Debug)]
pub enum AppendOutcome {
    /// Everything is durable and has been handed to the sink.
    Appended {
        /// Where its last change stands; the head when it changed nothing.
        position: Position,
    },
    /// A record has another version; nothing was written.
    Conflict {
        /// The record.
        key: Key,
        /// The record as it is; `None` when it is not there.
        current: Option<Versioned<Body>>,
    },
    /// A time guard failed; nothing was written.
    OutOfTime {
        /// What the ledger's clock shows.
        now: UtcInstant,
    },
    /// The request was carried out before; nothing was written again.
    Replayed {
        /// What was said then.
        result: Bytes,
        /// Where its last change stands.
        position: Position,
    },
    /// The request's id was used for other content; nothing was written.
    RequestIdReused,
    /// No ledger takes this append; nothing was written.
    Invalid(InvalidAppend),
    /// The ledger cannot write now.
    Unavailable(Unavailable),
}

/// Why a ledger cannot write.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unavailable {
    /// Nothing was written.
    #[error("the ledger refuses writes: {0}")]
    Refused(String),
    /// It may or may not have been written; the same request id may be retried.
    #[error("the outcome of the write is unknown: {0}")]
    OutcomeUnknown(String),
    /// The queue of writes is full; nothing was written.
    #[error("the ledger's queue is full")]
    Overloaded,
    /// The ledger is closing; nothing was written.
    #[error("the ledger is closing")]
    Closing,
}

/// An append under way; dropping it does not undo it.
pub type PendingAppend = Pin<Box<dyn Future<Output = AppendOutcome> + Send>>;

/// A trim under way: how much was forgotten.
pub type PendingTrim = Pin<Box<dyn Future<Output = Result<usize, Unavailable>> + Send>>;

/// Takes every change, in the ledger's order, before the append that caused it is answered.
///
/// While a ledger opens it also hands over every record that it keeps, an embedded one as a reload at the position of its head: the
/// directory first, then the slots, then the cases. From then on each change stands one sequence number after the one before.
pub trait ChangeSink: Send + Sync + 'static {
    /// Takes the next changes. It is called by one thread at a time, which must not wait for an append.
    fn apply(&self, changes: &[Change]);

    /// Begins to take every record as it is at a position, since the ledger opens or lost changes that were taken: until
    /// [`Self::finish_reload`] comes [`Self::reload`] only. Beginning twice is beginning anew.
    fn begin_reload(&self, position: Position);

    /// Takes these records as they are, also when what was taken is newer; they come in the order of opening.
    fn reload(&self, records: &[Change]);

    /// Ends taking every record anew: what did not come is not there.
    fn finish_reload(&self);

    /// What was taken stands at this position, though no change came: a new epoch goes on from there.
    fn advance(&self, head: Position);

    /// Every record that was taken and stands, for a ledger that lost them all.
    fn records(&self, take: &mut dyn FnMut(Versioned<Body>));
}

/// How a ledger stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerHealth {
    /// Where the last change stands.
    pub head: Position,
    /// Why writes are refused; `None` when they are accepted.
    pub refusal: Option<String>,
    /// Why an acknowledged write survives less than configured; `None` when it does not.
    pub reduction: Option<String>,
    /// Whether the sink was told all that is kept; false only while a store that was away at the start is waited for.
    pub is_open: bool,
    /// Latest instant that the ledger's own clock, which never goes back, has shown; `None` before it showed any.
    pub clock_at: Option<UtcInstant>,
    /// The last instant that a trim recorded as shown by a steady clock; `None` when none was.
    pub steady_at: Option<UtcInstant>,
}

/// Records with conditional append; see the module's documentation.
pub trait Ledger: Send + Sync + 'static {
    /// Name of the implementation: `memory`, `embedded`, `redis`.
    fn kind(&self) -> &'static str;

    /// What an acknowledged write survives, in plain words.
    fn durability(&self) -> &'static str;

    /// The same as a stable code, for instance `DISK_SYNCED`.
    fn durability_class(&self) -> &'static str;

    /// Appends all entries or none. The order of checks is: request id, time guards, versions.
    ///
    /// The append starts at once, whether or not its outcome is awaited. A time guard holds while `not_before <= now`
    /// and `now < not_after`, by the ledger's own clock, which never goes back. Removing a record that is not expected
    /// to be there changes nothing.
    fn append(&self, append: Append) -> PendingAppend;

    /// Forgets what is past its time by the ledger's own clock, the oldest first: outcomes of requests after
    /// [`REQUEST_KEPT_MS`], changes in the log after the time that the implementation states.
    ///
    /// One call forgets a bounded number, so that appends do not wait long; call it every few minutes, whether or not
    /// anything is appended, and then again until it says 0. Whoever calls it has found a clock to be steady and says what
    /// it shows; that is recorded to the minute, also when nothing is forgotten, so that a clock at the next start can be
    /// compared with it. Unlike the ledger's own clock it may go back.
    fn trim(&self, steady_at: UtcInstant) -> PendingTrim;

    /// How it stands.
    fn health(&self) -> LedgerHealth;

    /// What operators are told of it; nothing where nobody shares it.
    fn overview(&self) -> Overview {
        Overview::default()
    }

    /// The last number of an epoch that ended, as far as this history tells; `None` when it does not.
    fn end_of_epoch(&self, _epoch: u64) -> Option<u64> {
        None
    }
}

/// Whether what a steady clock shows is to be recorded, given what was recorded last.
fn is_news(steady_at: UtcInstant, recorded_at: Option<UtcInstant>) -> bool {
    recorded_at.is_none_or(|recorded_at| steady_at.ms_since(recorded_at).abs() >= STEADY_RECORDED_AFTER_MS)
}

#[cfg(test)]
mod conformance;
