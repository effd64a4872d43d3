//! The part of a published batch that is written in one append.
//!
//! Invariant: how a batch is cut depends on its rows alone; a slot stands in one chunk only; a chunk with the records of
//! its schedules has at most [`CHUNK_ENTRIES_MAX`] entries.

use std::collections::HashMap;

use crate::domain::id::ScheduleId;
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Published, Slot, SlotState};
use crate::domain::violation::Violation;
use crate::ledger::Entry;
use crate::service::error::{Error, Reason, from_publish_refusal};
use crate::service::heard::{Effect, Heard, Unheard, Voice};
use crate::service::limits::CHUNK_ENTRIES_MAX;
use crate::service::outcome::{OutcomeError, decode_rows, encode_rows};
use crate::service::write::{Job, Plan, Sight};

use super::{RowOutcome, RowStatus};

/// A row that its content alone does not refuse.
#[derive(Clone, Debug)]
pub(super) struct ChunkRow {
    /// Index in the batch.
    pub(super) place: usize,
    /// What it says.
    pub(super) published: Published,
    /// Odd values that were accepted.
    pub(super) warnings: Vec<Violation>,
}

/// Rows that are written together.
#[derive(Debug)]
pub(super) struct Chunk {
    rows: Vec<ChunkRow>,
    voice: Voice,
}

/// What becomes of a row that is accepted.
struct Accepted {
    status: RowStatus,
    effect: Effect,
    /// What makes it so.
    entry: Option<Entry>,
}

/// Cuts rows into chunks: schedule by schedule in order of first appearance, a schedule in one chunk where it fits.
pub(super) fn cut(rows: Vec<ChunkRow>, voice: &Voice) -> Vec<Chunk> {
    let mut groups: Vec<Vec<ChunkRow>> = Vec::new();
    let mut places: HashMap<ScheduleId, usize> = HashMap::new();
    for row in rows {
        let place = *places.entry(row.published.schedule_id.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    let mut chunks = Vec::new();
    let (mut current, mut entries) = (Vec::new(), 0);
    for mut group in groups {
        // One more for the schedule's own record.
        while entries + group.len() + 1 > CHUNK_ENTRIES_MAX {
            if current.is_empty() {
                let rest = group.split_off(group.len().min(CHUNK_ENTRIES_MAX - 1));
                chunks.push(Chunk::new(std::mem::replace(&mut group, rest), voice));
            } else {
                chunks.push(Chunk::new(std::mem::take(&mut current), voice));
                entries = 0;
            }
        }
        if !group.is_empty() {
            entries += group.len() + 1;
            current.append(&mut group);
        }
    }
    if !current.is_empty() {
        chunks.push(Chunk::new(current, voice));
    }
    chunks
}

/// Chunks after the first with their numbers, in chains: those that follow each other within one schedule are written one
/// after the other, because side by side each would alter the schedule's record under the next.
pub(super) fn chain(chunks: impl Iterator<Item = Chunk>) -> Vec<Vec<(u16, Chunk)>> {
    let mut chains: Vec<Vec<(u16, Chunk)>> = Vec::new();
    for (number, chunk) in (1..).zip(chunks) {
        match chains.last_mut() {
            Some(chain) if chain.last().is_some_and(|(_, before)| before.runs_into(&chunk)) => {
                chain.push((number, chunk));
            }
            Some(_) | None => chains.push(vec![(number, chunk)]),
        }
    }
    chains
}

impl Chunk {
    pub(super) fn new(rows: Vec<ChunkRow>, voice: &Voice) -> Self {
        Self { rows, voice: voice.clone() }
    }

    pub(super) fn rows(&self) -> &[ChunkRow] {
        &self.rows
    }

    /// Whether the last schedule of this chunk is the first of the next.
    fn runs_into(&self, next: &Self) -> bool {
        let schedule = |row: Option<&ChunkRow>| row.map(|row| row.published.schedule_id.clone());
        schedule(self.rows.last()) == schedule(next.rows.first())
    }
}

impl Job for Chunk {
    type Outcome = Vec<RowOutcome>;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Vec<RowOutcome>>, Error> {
        let mut heard = Heard::of(&self.voice);
        let mut entries = Vec::with_capacity(CHUNK_ENTRIES_MAX);
        let mut outcome = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let schedule_id = &row.published.schedule_id;
            let judged = match heard.judge(schedule_id, sight) {
                Ok(()) => row.judge(self.voice.source_revision, sight),
                Err(unheard) => Err(row.refuse_unheard(&unheard)),
            };
            match judged {
                Ok(Accepted { status, effect, entry }) => {
                    heard.accept(schedule_id, effect, sight);
                    entries.extend(entry);
                    outcome.push(RowOutcome::accepted(row.published.id.to_string(), status, row.warnings.clone()));
                }
                Err(refused) => outcome.push(refused),
            }
        }
        entries.extend(heard.into_entries(sight.now));
        Ok(Plan::Write { entries, outcome })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Err(Error::internal("a chunk is never refused whole"))
    }

    fn encode(&self, outcome: &Vec<RowOutcome>) -> Vec<u8> {
        encode_rows(outcome)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Vec<RowOutcome>, OutcomeError> {
        let mut rows = decode_rows(stored, self.rows.len(), |place| {
            let slot_id = self.rows.get(place).map(|row| row.published.id.to_string()).unwrap_or_default();
            RowOutcome::accepted(slot_id, RowStatus::Unchanged, Vec::new())
        })?;
        for (outcome, row) in rows.iter_mut().zip(&self.rows) {
            if outcome.status != RowStatus::Refused {
                outcome.warnings.clone_from(&row.warnings);
            }
        }
        Ok(rows)
    }
}

impl ChunkRow {
    /// What becomes of the row.
    fn judge(&self, source_revision: u64, sight: &Sight<'_>) -> Result<Accepted, RowOutcome> {
        let published = &self.published;
        if published.window.end_at() <= sight.now {
            let message = "the slot is over: leave it out, or correct its window";
            return Err(self.refuse(Reason::SlotPast, message, "window.end_at"));
        }
        let put = |slot: Slot, version| {
            let not_before = slot.over_by(sight.now);
            Some(Entry { not_before, ..Entry::put(Body::Slot(slot.into()), version) })
        };
        let Some(Versioned { version, value: slot }) = sight.slot(&published.id) else {
            let slot = Slot::from_published(published.clone(), source_revision, sight.now);
            return Ok(Accepted { status: RowStatus::Created, effect: Effect::Appears, entry: put(slot, 0) });
        };
        match slot.republish(published, source_revision, sight.now) {
            Ok(Some(next)) => {
                let stays = slot.state == SlotState::Open && slot.window == next.window;
                let effect = if stays { Effect::Alters } else { Effect::Appears };
                Ok(Accepted { status: RowStatus::Updated, effect, entry: put(next, version) })
            }
            Ok(None) => Ok(Accepted { status: RowStatus::Unchanged, effect: Effect::Nothing, entry: None }),
            Err(refusal) => {
                let (reason, field) = from_publish_refusal(&refusal);
                Err(self.refuse(reason, refusal.to_string(), field))
            }
        }
    }

    fn refuse(&self, reason: Reason, message: impl Into<String>, field: &str) -> RowOutcome {
        let field = format!("rows[{}].{field}", self.place);
        RowOutcome::refused(self.published.id.to_string(), reason, message, field)
    }

    fn refuse_unheard(&self, unheard: &Unheard) -> RowOutcome {
        let Unheard { reason, message, field } = unheard;
        if *reason == Reason::UnknownSchedule {
            return self.refuse(*reason, message, field);
        }
        // The other fields are the batch's own.
        RowOutcome::refused(self.published.id.to_string(), *reason, message, *field)
    }
}
