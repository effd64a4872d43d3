//! One transaction: several appends, each all or nothing.
//!
//! Invariant: an append is judged against the records as the appends before it in the batch left them, and writes
//! nothing before it is judged. Deliberately absent: the commit, and answering.

use prost::Message as _;
use redb::{ReadableTable as _, Table, WriteTransaction};

use super::{Fault, LOG, LOG_ENTRIES_KEPT, RECORDS, REQUESTS, REQUESTS_BY_TIME, State};
use crate::clock::SharedClock;
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::decision::{KeptOutcome, Records, has_lapsed, judge};
use crate::ledger::embedded::queue::Prepared;
use crate::ledger::{AppendOutcome, Entry, Fingerprint, Request, Unavailable, Write};
use crate::proto::ledger as pb;

/// How many lapsed request ids a batch forgets beyond as many as it keeps, so that they run out.
const REQUESTS_FORGOTTEN_EXTRA: usize = 8;

/// A transaction under way.
pub(in crate::ledger::embedded) struct Batch<'a> {
    records: Table<'a, &'static str, (u64, &'static [u8])>,
    log: Table<'a, u64, &'static [u8]>,
    requests: Table<'a, &'static str, &'static [u8]>,
    requests_by_time: Table<'a, (i64, &'static str), ()>,
    clock: &'a SharedClock,
    requests_kept: usize,
    /// How the store stands after what was written so far.
    pub(in crate::ledger::embedded) state: State,
    /// What was written so far.
    pub(in crate::ledger::embedded) changes: Vec<Change>,
}

/// Why a record cannot be read.
pub(in crate::ledger::embedded) enum ReadError {
    /// The file fails.
    Fault(Fault),
    /// What stands there is wrong.
    Damaged(String),
}

impl<E: Into<Fault>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

impl<'a> Batch<'a> {
    /// A batch that has written nothing.
    pub(in crate::ledger::embedded) fn new(
        transaction: &'a WriteTransaction,
        state: State,
        clock: &'a SharedClock,
    ) -> Result<Self, Fault> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            log: transaction.open_table(LOG)?,
            requests: transaction.open_table(REQUESTS)?,
            requests_by_time: transaction.open_table(REQUESTS_BY_TIME)?,
            clock,
            requests_kept: 0,
            state,
            changes: Vec::new(),
        })
    }

    /// Carries out one append.
    pub(in crate::ledger::embedded) fn carry_out(&mut self, prepared: &Prepared) -> Result<AppendOutcome, Fault> {
        self.state.shown_at = self.state.shown_at.max(self.clock.now());
        match judge(self, &prepared.append, self.state.shown_at) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            Err(ReadError::Fault(fault)) => return Err(fault),
            Err(ReadError::Damaged(problem)) => {
                return Ok(AppendOutcome::Unavailable(Unavailable::Refused(problem)));
            }
        }
        for (entry, image) in prepared.append.entries.iter().zip(&prepared.images) {
            self.write(entry, image)?;
        }
        if let Some(request) = &prepared.append.request {
            self.keep(request)?;
        }
        Ok(AppendOutcome::Appended { position: self.state.head() })
    }

    /// Whether there is anything to commit.
    pub(in crate::ledger::embedded) fn has_written(&self) -> bool {
        self.requests_kept > 0 || !self.changes.is_empty()
    }

    /// Forgets what is too old, and gives what the batch came to.
    pub(in crate::ledger::embedded) fn finish(mut self) -> Result<(State, Vec<Change>), Fault> {
        let first_kept = self.state.sequence.saturating_sub(LOG_ENTRIES_KEPT - 1);
        self.log.retain_in(..first_kept, |_, _| false)?;
        for _ in 0..self.requests_kept + REQUESTS_FORGOTTEN_EXTRA {
            if !self.forget_oldest_lapsed()? {
                break;
            }
        }
        Ok((self.state, self.changes))
    }

    fn write(&mut self, entry: &Entry, image: &[u8]) -> Result<(), Fault> {
        let Entry { key, expected_version, not_before: _, not_after: _, write } = entry;
        let text = key.to_string();
        let version = expected_version + 1;
        let body = match write {
            Write::Put(body) => {
                self.records.insert(text.as_str(), (version, image))?;
                Some(body.clone())
            }
            Write::Remove if *expected_version > 0 => {
                self.records.remove(text.as_str())?;
                None
            }
            Write::Remove | Write::Check => return Ok(()),
        };
        self.state.sequence += 1;
        let logged = pb::LogEntry { key: text, version, image: image.to_vec() };
        self.log.insert(self.state.sequence, logged.encode_to_vec().as_slice())?;
        self.changes.push(Change { position: self.state.head(), key: key.clone(), version, body });
        Ok(())
    }

    fn keep(&mut self, request: &Request) -> Result<(), Fault> {
        let key = request_key(request);
        let kept_at_ms = self.state.shown_at.ms();
        let kept = pb::RequestOutcome {
            fingerprint: request.fingerprint.0.to_vec(),
            result: request.result.to_vec(),
            kept_at_ms,
            epoch: self.state.epoch,
            sequence: self.state.sequence,
        };
        self.requests.insert(key.as_str(), kept.encode_to_vec().as_slice())?;
        self.requests_by_time.insert((kept_at_ms, key.as_str()), ())?;
        self.requests_kept += 1;
        Ok(())
    }

    /// Forgets the oldest request id when it has lapsed; whether it had.
    fn forget_oldest_lapsed(&mut self) -> Result<bool, Fault> {
        let oldest = self.requests_by_time.first()?.map(|(oldest, _)| {
            let (kept_at_ms, key) = oldest.value();
            (kept_at_ms, key.to_owned())
        });
        let Some((kept_at_ms, key)) =
            oldest.filter(|(kept_at_ms, _)| has_lapsed(UtcInstant::from_ms(*kept_at_ms), self.state.shown_at))
        else {
            return Ok(false);
        };
        self.requests_by_time.remove((kept_at_ms, key.as_str()))?;
        // The id may have been used again since it lapsed; then a younger entry stands for it.
        let kept = self.requests.get(key.as_str())?.map(|kept| pb::RequestOutcome::decode(kept.value()));
        let is_younger = matches!(kept, Some(Ok(kept)) if kept.kept_at_ms != kept_at_ms);
        if !is_younger {
            self.requests.remove(key.as_str())?;
        }
        Ok(true)
    }
}

impl Records for Batch<'_> {
    type Error = ReadError;

    fn version(&self, key: &Key) -> Result<u64, ReadError> {
        let record = self.records.get(key.to_string().as_str())?;
        Ok(record.map_or(0, |record| record.value().0))
    }

    fn current(&self, key: &Key) -> Result<Option<Versioned<Body>>, ReadError> {
        let Some(record) = self.records.get(key.to_string().as_str())? else {
            return Ok(None);
        };
        let (version, image) = record.value();
        let value = codec::decode(image, &mut Interner::new());
        Ok(Some(Versioned { version, value: value.map_err(|error| ReadError::Damaged(error.to_string()))? }))
    }

    fn kept(&self, request: &Request) -> Result<Option<KeptOutcome>, ReadError> {
        let Some(kept) = self.requests.get(request_key(request).as_str())? else {
            return Ok(None);
        };
        let damaged = |problem: String| ReadError::Damaged(format!("the outcome of the request is damaged: {problem}"));
        let kept = pb::RequestOutcome::decode(kept.value()).map_err(|error| damaged(error.to_string()))?;
        let pb::RequestOutcome { fingerprint, result, kept_at_ms, epoch, sequence } = kept;
        let fingerprint = <[u8; 16]>::try_from(fingerprint).map_err(|_| damaged("fingerprint".to_owned()))?;
        Ok(Some(KeptOutcome {
            fingerprint: Fingerprint(fingerprint),
            result: result.into(),
            kept_at: UtcInstant::from_ms(kept_at_ms),
            position: Position { partition: 0, epoch, sequence },
        }))
    }
}

/// Identifiers hold no control character, so NUL keeps the two apart.
fn request_key(request: &Request) -> String {
    format!("{}\0{}", request.principal, request.request_id)
}
