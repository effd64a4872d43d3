//! One transaction: several appends, each all or nothing.
//!
//! Invariant: an append is judged against the records as the appends before it in the batch left them, and writes
//! nothing before it is judged. Deliberately absent: the commit, and answering.

use prost::Message as _;
use redb::{ReadableTable as _, Table, WriteTransaction};

use super::requests::{Name, RequestIndex};
use super::{Fault, LOG, LOG_ENTRIES_KEPT, LOG_KEPT_MS, RECORDS, REQUESTS, State, Store};
use crate::clock::SharedClock;
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::decision::{KeptOutcome, Records, has_lapsed, judge};
use crate::ledger::queue::Prepared;
use crate::ledger::{AppendOutcome, Entry, Fingerprint, Request, TRIM_STEP_MAX, Unavailable, Write};
use crate::proto::ledger as pb;

/// How many lapsed request ids a batch forgets beyond as many as it keeps, so that they run out.
const REQUESTS_FORGOTTEN_EXTRA: usize = 8;

/// A transaction under way.
pub(in crate::ledger::embedded) struct Batch<'a> {
    records: Table<'a, &'static str, (u64, &'static [u8])>,
    log: Table<'a, u64, &'static [u8]>,
    requests: Table<'a, u64, &'static [u8]>,
    index: &'a mut RequestIndex,
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
        store: &'a mut Store,
        state: State,
        clock: &'a SharedClock,
    ) -> Result<Self, Fault> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            log: transaction.open_table(LOG)?,
            requests: transaction.open_table(REQUESTS)?,
            index: &mut store.requests,
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

    /// Forgets at most [`TRIM_STEP_MAX`] changes and outcomes that are past their time; says how many.
    pub(in crate::ledger::embedded) fn trim(&mut self) -> Result<usize, Fault> {
        self.state.shown_at = self.state.shown_at.max(self.clock.now());
        let mut count = 0;
        while count < TRIM_STEP_MAX && (self.forget_oldest_change()? || self.forget_oldest_lapsed()?) {
            count += 1;
        }
        Ok(count)
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
        let written_at_ms = self.state.shown_at.ms();
        let logged = pb::LogEntry { key: text, version, image: image.to_vec(), written_at_ms };
        self.log.insert(self.state.sequence, logged.encode_to_vec().as_slice())?;
        self.changes.push(Change { position: self.state.head(), key: key.clone(), version, body });
        Ok(())
    }

    fn keep(&mut self, request: &Request) -> Result<(), Fault> {
        let Request { principal, request_id, part, fingerprint, result } = request;
        let kept = pb::RequestOutcome {
            fingerprint: fingerprint.0.to_vec(),
            result: result.to_vec(),
            kept_at_ms: self.state.shown_at.ms(),
            epoch: self.state.epoch,
            sequence: self.state.sequence,
            principal: principal.to_string(),
            request_id: request_id.to_string(),
            part: Some(u32::from(*part)),
        };
        let number = self.index.next_number();
        self.requests.insert(number, kept.encode_to_vec().as_slice())?;
        self.index.insert(number, &kept);
        self.requests_kept += 1;
        Ok(())
    }

    /// Takes the oldest change out of the log when it is past its time, or cannot be read; whether it did.
    fn forget_oldest_change(&mut self) -> Result<bool, Fault> {
        let written_at = |entry: &[u8]| pb::LogEntry::decode(entry).map_or(0, |entry| entry.written_at_ms);
        let oldest = self.log.first()?.map(|(sequence, entry)| (sequence.value(), written_at(entry.value())));
        let is_old = |(_, written_at_ms): &(u64, i64)| {
            self.state.shown_at.ms_since(UtcInstant::from_ms(*written_at_ms)) >= LOG_KEPT_MS
        };
        let Some((sequence, _)) = oldest.filter(is_old) else {
            return Ok(false);
        };
        self.log.remove(sequence)?;
        Ok(true)
    }

    /// Forgets the oldest outcome when it has lapsed, or cannot be read; whether it did.
    fn forget_oldest_lapsed(&mut self) -> Result<bool, Fault> {
        let oldest = self.requests.first()?.map(|(number, kept)| (number.value(), kept.value().to_vec()));
        let Some((number, kept)) = oldest else {
            return Ok(false);
        };
        if let Ok(kept) = pb::RequestOutcome::decode(kept.as_slice()) {
            if !has_lapsed(UtcInstant::from_ms(kept.kept_at_ms), self.state.shown_at) {
                return Ok(false);
            }
            self.index.remove(number, &kept);
        }
        self.requests.remove(number)?;
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
        let name = Name::of_request(request);
        for number in self.index.candidates(name) {
            let Some(kept) = self.requests.get(number)? else { continue };
            let kept = pb::RequestOutcome::decode(kept.value());
            let kept = kept.map_err(|error| ReadError::Damaged(format!("outcome {number} is damaged: {error}")))?;
            if name.is_of(&kept, request.fingerprint) {
                return from_outcome(kept).map(Some);
            }
        }
        Ok(None)
    }
}

fn from_outcome(kept: pb::RequestOutcome) -> Result<KeptOutcome, ReadError> {
    let pb::RequestOutcome { fingerprint, result, kept_at_ms, epoch, sequence, .. } = kept;
    let fingerprint = <[u8; 16]>::try_from(fingerprint);
    let damaged = |_| ReadError::Damaged("the fingerprint of the request's outcome is damaged".to_owned());
    Ok(KeptOutcome {
        fingerprint: Fingerprint(fingerprint.map_err(damaged)?),
        result: result.into(),
        kept_at: UtcInstant::from_ms(kept_at_ms),
        position: Position { partition: 0, epoch, sequence },
    })
}
