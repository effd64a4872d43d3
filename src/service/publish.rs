//! Taking batches of slots from their publishers: one result per row, a bad row never takes down the good ones.
//!
//! A batch is cut into chunks by its content alone ([`chunk`]), so a retry cuts it in the same way. Each is a part of the
//! request. The first is written first: it finds out whether the request id was used for other content before anything
//! else is written. The others are written side by side, so that the ledger commits them together; only those of one and the same schedule follow each other. Each chunk keeps its results with it: after a crash between two chunks a retry is told what the first
//! attempt wrote and writes the rest. Until then the caller has no answer, or one that says that the outcome is unknown.
//! Deliberately absent: parsing; rows come parsed or refused by the transport.

mod chunk;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use crate::clock::Stopwatch;
use crate::domain::id::{RequestId, SlotId, SourceId};
use crate::domain::record::Position;
use crate::domain::slot::Published;
use crate::domain::violation::Violation;

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::heard::Voice;
use super::limits::{PUBLISH_ROWS_MAX, RETRY_BUSY_AFTER_MS, SLOT_CAPACITY_MAX, SLOT_LENGTH_MAX_MS};
use super::witness::RowCounts;
use super::write::{Head, Written};
use super::{Caller, Done, Service};
use crate::trace::{self, Attribute};

use chunk::{Chunk, ChunkRow};

/// Rows that a source publishes together.
#[derive(Clone, PartialEq, Debug)]
pub struct PublishBatch {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// Publishing system; must own the schedules of the rows.
    pub source_id: SourceId,
    /// The source's revision.
    pub source_revision: u64,
    /// At most [`PUBLISH_ROWS_MAX`] rows.
    pub rows: Vec<PublishRow>,
}

/// One row as the transport read it.
#[derive(Clone, PartialEq, Debug)]
pub enum PublishRow {
    /// It says something.
    Parsed {
        /// What it says.
        published: Published,
        /// Odd values that were accepted.
        warnings: Vec<Violation>,
    },
    /// It cannot be read; carried along so that its result stands in its place.
    Refused {
        /// Identifier as it was given.
        slot_id: String,
        /// What is wrong; fields with the path from the batch.
        violations: Vec<Violation>,
    },
}

/// What became of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowOutcome {
    /// Identifier as it was given.
    pub slot_id: String,
    /// What was done.
    pub status: RowStatus,
    /// Why it was refused.
    pub reason: Option<Reason>,
    /// What to do when it was refused.
    pub message: String,
    /// Path of the wrong field in the batch; empty when none is at fault.
    pub field: String,
    /// Odd values that were accepted.
    pub warnings: Vec<Violation>,
}

/// What was done with a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RowStatus {
    /// The slot is new.
    Created,
    /// The slot was there and changed.
    Updated,
    /// The slot was there and is the same.
    Unchanged,
    /// Nothing was done.
    Refused,
}

impl RowStatus {
    /// All of them, in the order of their stored numbers, from 1.
    const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unchanged, Self::Refused];

    /// The number under which it is stored.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Created => 1,
            Self::Updated => 2,
            Self::Unchanged => 3,
            Self::Refused => 4,
        }
    }

    /// The status that is stored under a number.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.number() == number)
    }
}

impl RowOutcome {
    pub(super) fn accepted(slot_id: String, status: RowStatus, warnings: Vec<Violation>) -> Self {
        Self { slot_id, status, reason: None, message: String::new(), field: String::new(), warnings }
    }

    pub(super) fn refused(
        slot_id: String,
        reason: Reason,
        message: impl Into<String>,
        field: impl Into<String>,
    ) -> Self {
        let (message, field) = (message.into(), field.into());
        Self { slot_id, status: RowStatus::Refused, reason: Some(reason), message, field, warnings: Vec::new() }
    }
}

impl Service {
    /// Publishes a batch; the results stand in the order of the rows.
    ///
    /// # Errors
    /// When there are too many rows, the request id was used for other content, or the ledger cannot write; what was
    /// written until then is completed by a retry with the same request id.
    pub async fn publish(&self, caller: &Caller, batch: PublishBatch) -> Result<Done<Vec<RowOutcome>>, Error> {
        if batch.rows.len() > PUBLISH_ROWS_MAX {
            let message = format!("{} rows are too many: publish at most {PUBLISH_ROWS_MAX}", batch.rows.len());
            return Err(Error::new(Reason::TooManyRows, message));
        }
        let (service, principal) = (self.clone(), caller.principal.clone());
        let span = trace::part("publish");
        span.set(Attribute::ROWS, batch.rows.len());
        let task = self.parts().tasks.spawn(span.parent().carry(async move {
            let fingerprint = digest(&batch).finish();
            let PublishBatch { request_id, source_id, source_revision, rows } = batch;
            let voice = Voice { source_id, source_revision };
            service.publish_rows(Head { principal, request_id, fingerprint }, voice, rows).await
        }));
        task.await.unwrap_or_else(|stopped| Err(Error::internal(format!("a batch stopped: {stopped}"))))
    }

    async fn publish_rows(
        &self,
        head: Head,
        voice: Voice,
        rows: Vec<PublishRow>,
    ) -> Result<Done<Vec<RowOutcome>>, Error> {
        let stopwatch = Stopwatch::start();
        let source_id = voice.source_id.clone();
        let (mut outcomes, accepted) = sort_out(rows);
        let mut chunks = chunk::cut(accepted, &voice).into_iter();
        let first = chunks.next().unwrap_or_else(|| Chunk::new(Vec::new(), &voice));
        let (first, written) = self.write_chunk(&head, 0, first).await;
        let mut all = Together::of(written?, &first, &mut outcomes);
        let chains = chunk::chain(chunks).into_iter();
        let pending: Vec<_> = chains
            .map(|chain| {
                let (service, head) = (self.clone(), head.clone());
                let writing = async move { service.write_chain(head, chain).await };
                self.parts().tasks.spawn(trace::carried(writing))
            })
            .collect();
        let mut failure = None;
        for chain in pending {
            let (written, stopped) = match chain.await {
                Ok((written, stopped)) => (written, stopped),
                Err(stopped) => (Vec::new(), Some(Error::internal(format!("a chunk stopped: {stopped}")))),
            };
            written.into_iter().for_each(|(chunk, written)| all.add(written, &chunk, &mut outcomes));
            failure = failure.or(stopped);
        }
        if let Some(error) = failure {
            return Err(incomplete(&error));
        }
        let missing = || RowOutcome::refused(String::new(), Reason::Internal, "the row got lost", "");
        let rows: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect();
        let Together { replayed, position } = all;
        if !replayed {
            self.tell_published(&source_id, RowCounts::of(&rows), stopwatch);
        }
        Ok(Done { value: rows, replayed, stamp: self.stamp_at(position) })
    }

    /// Writes chunks one after the other, up to the first that fails.
    async fn write_chain(&self, head: Head, chain: Vec<(u16, Chunk)>) -> (Vec<WrittenChunk>, Option<Error>) {
        let mut all = Vec::with_capacity(chain.len());
        for (part, chunk) in chain {
            match self.write_chunk(&head, part, chunk).await {
                (chunk, Ok(written)) => all.push((chunk, written)),
                (_, Err(error)) => return (all, Some(error)),
            }
        }
        (all, None)
    }

    async fn write_chunk(
        &self,
        head: &Head,
        part: u16,
        chunk: Chunk,
    ) -> (Chunk, Result<Written<Vec<RowOutcome>>, Error>) {
        let written = self.carry_out(head, part, &chunk).await;
        (chunk, written)
    }
}

/// A chunk and what it came to.
type WrittenChunk = (Chunk, Written<Vec<RowOutcome>>);

/// What the chunks of a batch came to.
struct Together {
    /// Whether every chunk was written by an earlier call.
    replayed: bool,
    /// The last of their positions.
    position: Position,
}

impl Together {
    fn of(written: Written<Vec<RowOutcome>>, chunk: &Chunk, outcomes: &mut [Option<RowOutcome>]) -> Self {
        let mut all = Self { replayed: true, position: written.position };
        all.add(written, chunk, outcomes);
        all
    }

    fn add(&mut self, written: Written<Vec<RowOutcome>>, chunk: &Chunk, outcomes: &mut [Option<RowOutcome>]) {
        self.replayed &= written.replayed;
        self.position = self.position.max(written.position);
        for (row, outcome) in chunk.rows().iter().zip(written.outcome) {
            if let Some(place) = outcomes.get_mut(row.place) {
                *place = Some(outcome);
            }
        }
    }
}

/// Violations of a published slot that its content alone shows; paths relative to the row.
pub(super) fn violations_of(published: &Published) -> Vec<Violation> {
    let mut violations = Vec::new();
    if published.window.length_ms() > SLOT_LENGTH_MAX_MS {
        violations.push(Violation::new("window", "the slot is longer than 24 hours: cut it into several"));
    }
    if !(1..=SLOT_CAPACITY_MAX).contains(&published.capacity) {
        violations.push(Violation::new("capacity", format!("give 1 to {SLOT_CAPACITY_MAX} patients")));
    }
    violations
}

/// Refuses what the content alone shows to be wrong, in its place; the rest is for the chunks.
fn sort_out(rows: Vec<PublishRow>) -> (Vec<Option<RowOutcome>>, Vec<ChunkRow>) {
    let mut first_places: HashMap<SlotId, usize> = HashMap::with_capacity(rows.len());
    let mut outcomes = Vec::with_capacity(rows.len());
    let mut accepted = Vec::with_capacity(rows.len());
    for (place, row) in rows.into_iter().enumerate() {
        let (published, warnings) = match row {
            PublishRow::Parsed { published, warnings } => (published, warnings),
            PublishRow::Refused { slot_id, violations } => {
                outcomes.push(Some(from_violations(slot_id, &violations)));
                continue;
            }
        };
        let slot_id = published.id.to_string();
        match first_places.entry(published.id.clone()) {
            Place::Occupied(first) => {
                let message = format!("row {} states the same slot: state each slot once in a batch", first.get());
                let field = format!("rows[{place}].slot_id");
                outcomes.push(Some(RowOutcome::refused(slot_id, Reason::DuplicateSlotId, message, field)));
                continue;
            }
            Place::Vacant(free) => free.insert(place),
        };
        let prefix = format!("rows[{place}]");
        let violations: Vec<_> = violations_of(&published).into_iter().map(|wrong| wrong.within(&prefix)).collect();
        if !violations.is_empty() {
            outcomes.push(Some(from_violations(slot_id, &violations)));
            continue;
        }
        outcomes.push(None);
        accepted.push(ChunkRow { place, published, warnings });
    }
    (outcomes, accepted)
}

fn from_violations(slot_id: String, violations: &[Violation]) -> RowOutcome {
    let field = violations.first().map(|violation| violation.field.clone()).unwrap_or_default();
    let said: Vec<String> =
        violations.iter().map(|Violation { field, message }| format!("{field}: {message}")).collect();
    RowOutcome::refused(slot_id, Reason::InvalidArgument, said.join("; "), field)
}

/// A batch of which a part is written: only a retry with the same request id tells what became of every row.
fn incomplete(error: &Error) -> Error {
    let message = format!("a part of the batch is written, repeat it with the same request id to complete it: {error}");
    let retry_after_ms = error.retry_after_ms.or(Some(RETRY_BUSY_AFTER_MS));
    Error { retry_after_ms, ..Error::new(Reason::OutcomeUnknown, message) }
}

fn digest(batch: &PublishBatch) -> Digest {
    let PublishBatch { request_id: _, source_id, source_revision, rows } = batch;
    let mut digest = Digest::of("publish");
    digest.text(source_id.as_str()).number(*source_revision).number(rows.len() as u64);
    for row in rows {
        match row {
            PublishRow::Parsed { published, warnings: _ } => digest.number(1).published(published),
            PublishRow::Refused { slot_id, violations } => digest.number(0).text(slot_id).violations(violations),
        };
    }
    digest
}
