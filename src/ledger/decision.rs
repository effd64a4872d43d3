//! Whether an append may be written: the one place that compares request ids, time guards and versions.
//!
//! Pure; each implementation shows its records through [`Records`]. Deliberately absent: writing.

use bytes::Bytes;

use super::{Append, AppendOutcome, Entry, Fingerprint, REQUEST_KEPT_MS, Request};
use crate::domain::record::{Body, Key, Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::seeded::{Fault, is_awake};

/// What was said to a request.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct KeptOutcome {
    /// Digest of the request's content.
    pub(super) fingerprint: Fingerprint,
    /// What was said.
    pub(super) result: Bytes,
    /// When.
    pub(super) kept_at: UtcInstant,
    /// Where the last change stood.
    pub(super) position: Position,
}

/// The records as they stand when an append is judged.
pub(super) trait Records {
    /// Why they cannot be read.
    type Error;

    /// Version of a record; 0 when it is not there.
    fn version(&self, key: &Key) -> Result<u64, Self::Error>;

    /// A record.
    fn current(&self, key: &Key) -> Result<Option<Versioned<Body>>, Self::Error>;

    /// What was said to a request before.
    fn kept(&self, request: &Request) -> Result<Option<KeptOutcome>, Self::Error>;
}

/// The outcome of an append that is not written; `None` when it may be.
pub(super) fn judge<R: Records>(
    records: &R,
    append: &Append,
    now: UtcInstant,
) -> Result<Option<AppendOutcome>, R::Error> {
    if let Some(request) = append.request.as_ref().filter(|_| !is_awake(Fault::RequestIdIgnored))
        && let Some(kept) = records.kept(request)?.filter(|kept| !has_lapsed(kept.kept_at, now))
    {
        if kept.fingerprint != request.fingerprint {
            return Ok(Some(AppendOutcome::RequestIdReused));
        }
        return Ok(Some(AppendOutcome::Replayed { result: kept.result, position: kept.position }));
    }
    if !append.entries.iter().all(|entry| is_in_time(entry, now) || is_awake(Fault::TimeIgnored)) {
        return Ok(Some(AppendOutcome::OutOfTime { now }));
    }
    for Entry { key, expected_version, not_before: _, not_after: _, write: _ } in &append.entries {
        if records.version(key)? != *expected_version && !is_awake(Fault::VersionIgnored) {
            return Ok(Some(AppendOutcome::Conflict { key: key.clone(), current: records.current(key)? }));
        }
    }
    Ok(None)
}

/// Whether the outcome of a request is kept no longer.
pub(super) fn has_lapsed(kept_at: UtcInstant, now: UtcInstant) -> bool {
    now.ms_since(kept_at) >= REQUEST_KEPT_MS
}

fn is_in_time(entry: &Entry, now: UtcInstant) -> bool {
    entry.not_before.is_none_or(|at| at <= now) && entry.not_after.is_none_or(|at| now < at)
}
