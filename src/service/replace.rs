//! Replacing what a schedule offers within a window: whole or not at all, in one append, with the difference told.
//!
//! Invariant: a patient is never lost: a slot that the rows drop, move or shrink while somebody is booked or held on it
//! stays as it is, is closed to newcomers and told as kept. What was published before the replacement is part of the
//! difference, what comes after is judged by it: the schedule's record is always written, from a sight of the slots that
//! is complete up to that version, and the append insists on every slot that it leaves as stated. Slots that are over are left alone: their patients were seen.
//! Deliberately absent: partial success; one wrong row refuses all.

use std::collections::{HashMap, HashSet};

use crate::clock::Stopwatch;
use crate::domain::id::{CaseId, RequestId, ScheduleId, SlotId, SourceId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::{Published, Slot, SlotState};
use crate::domain::time::{UtcInstant, Window};
use crate::domain::violation::Violation;
use crate::ledger::{APPEND_ENTRIES_MAX, Entry, REQUEST_RESULT_MAX_BYTES};
use crate::proto::ledger::{StoredKeptSlot, StoredReplacement};

use super::error::{Error, Reason, from_publish_refusal};
use super::fingerprint::Digest;
use super::heard::{Unheard, Voice};
use super::limits::{REPLACE_ROWS_MAX, REPLACE_WINDOW_MAX_MS};
use super::outcome::{OutcomeError, decode_replacement, encode_replacement};
use super::publish::violations_of;
use super::witness::RowCounts;
use super::write::{Head, Job, Plan, Shown, Sight};
use super::{Caller, Done, Service};

/// All slots of a schedule that start in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Replacement {
    /// Names this write for retries.
    pub request_id: RequestId,
    /// The schedule; the source must own it.
    pub schedule_id: ScheduleId,
    /// Publishing system.
    pub source_id: SourceId,
    /// The source's revision.
    pub source_revision: u64,
    /// Slots that start in it and are not in the rows are withdrawn; at most [`REPLACE_WINDOW_MAX_MS`] long.
    pub window: Window,
    /// At most [`REPLACE_ROWS_MAX`] slots.
    pub rows: Vec<Published>,
    /// Whether to tell the difference only.
    pub validate_only: bool,
}

/// The difference that a replacement makes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplaceOutcome {
    /// Slots that are new.
    pub added: Vec<SlotId>,
    /// Slots that changed.
    pub changed: Vec<SlotId>,
    /// Slots that are withdrawn.
    pub withdrawn: Vec<SlotId>,
    /// Slots that stay although the rows drop, move or shrink them.
    pub kept: Vec<KeptSlot>,
    /// How many slots are the same.
    pub unchanged_count: u32,
    /// Whether the replacement was applied.
    pub applied: bool,
}

/// A slot that stays because patients rely on it; it takes no new claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptSlot {
    /// The slot.
    pub slot_id: SlotId,
    /// Confirmed bookings.
    pub booked_count: usize,
    /// Live holds.
    pub held_count: usize,
    /// Regulation files concerned; in the answer to a retry, those that still are.
    pub case_ids: Vec<CaseId>,
}

impl Service {
    /// Replaces the slots of a schedule within a window, or tells what that would do.
    ///
    /// # Errors
    /// When a row is wrong (all are named), the schedule is unknown, another source's or newer, or the ledger cannot
    /// write; nothing is applied then.
    pub async fn replace(&self, caller: &Caller, replacement: Replacement) -> Result<Done<ReplaceOutcome>, Error> {
        check(&replacement)?;
        let fingerprint = digest(&replacement).finish();
        let Replacement { request_id, schedule_id, source_id, source_revision, window, rows, validate_only } =
            replacement;
        let stopwatch = Stopwatch::start();
        let voice = Voice { source_id: source_id.clone(), source_revision };
        let job = ReplaceJob { schedule_id, voice, window, rows };
        if validate_only {
            let parts = self.parts();
            let (outcome, _) = job.difference(&Sight::of_reader(&parts.index, &Shown::new(), parts.clock.now()))?;
            let value = ReplaceOutcome { applied: false, ..outcome };
            return Ok(Done { value, replayed: false, stamp: self.stamp() });
        }
        let principal = caller.principal.clone();
        let written = self.write(Head { principal, request_id, fingerprint }, job).await?;
        if !written.replayed {
            self.tell_published(&source_id, written.outcome.row_counts(), stopwatch);
        }
        Ok(self.done(written, |outcome| outcome))
    }
}

impl ReplaceOutcome {
    /// Slots that stay although the rows drop or shrink them are refused rows, as far as witnesses are told.
    fn row_counts(&self) -> RowCounts {
        RowCounts {
            created: self.added.len(),
            updated: self.changed.len(),
            unchanged: usize::try_from(self.unchanged_count).unwrap_or(usize::MAX),
            withdrawn: self.withdrawn.len(),
            refused: self.kept.len(),
        }
    }
}

struct ReplaceJob {
    schedule_id: ScheduleId,
    voice: Voice,
    window: Window,
    rows: Vec<Published>,
}

impl ReplaceJob {
    /// The difference, and the entries that make it.
    fn difference(&self, sight: &Sight<'_>) -> Result<(ReplaceOutcome, Vec<Entry>), Error> {
        let refuse = |Unheard { reason, message, field: _ }| Error::new(reason, message).about(&self.schedule_id);
        let known = sight.whole_schedule(&self.schedule_id);
        let schedule = self.voice.judge(&self.schedule_id, known).map_err(refuse)?;
        let mut difference = Difference { applied: ReplaceOutcome::default(), entries: Vec::new(), job: self, sight };
        let mut violations = Vec::new();
        let mut reason = Reason::InvalidArgument;
        for (place, row) in self.rows.iter().enumerate() {
            if let Err((why, violation)) = difference.state(row) {
                reason = why;
                violations.push(violation.within(&format!("rows[{place}]")));
            }
        }
        if !violations.is_empty() {
            return Err(Error { reason, ..Error::invalid(violations) });
        }
        difference.drop_unstated();
        let Difference { applied, mut entries, .. } = difference;
        // Last, so that whoever sees the schedule's new version sees its slots as they are then.
        entries.push(self.voice.put(&schedule, sight.now));
        if entries.len() > APPEND_ENTRIES_MAX || encode(&applied).len() > REQUEST_RESULT_MAX_BYTES {
            let message = format!("{} slots are stated or dropped at once: replace a shorter window", entries.len());
            return Err(Error::new(Reason::TooManyRows, message));
        }
        Ok((applied, entries))
    }
}

/// A difference under way.
struct Difference<'a> {
    applied: ReplaceOutcome,
    entries: Vec<Entry>,
    job: &'a ReplaceJob,
    sight: &'a Sight<'a>,
}

impl Difference<'_> {
    /// Takes in what a row states.
    fn state(&mut self, row: &Published) -> Result<(), (Reason, Violation)> {
        let (revision, now) = (self.job.voice.source_revision, self.sight.now);
        let Some(Versioned { version, value: slot }) = self.sight.slot(&row.id) else {
            if row.window.end_at() <= now {
                return Err(over());
            }
            self.applied.added.push(row.id.clone());
            self.put(Slot::from_published(row.clone(), revision, now), 0);
            return Ok(());
        };
        if slot.schedule_id == row.schedule_id && slot.window.end_at() <= now {
            self.applied.unchanged_count += 1;
            return Ok(());
        }
        if row.window.end_at() <= now {
            return Err(over());
        }
        match slot.republish(row, revision, now) {
            Ok(Some(next)) => {
                self.applied.changed.push(row.id.clone());
                self.put(next, version);
            }
            Ok(None) => {
                self.applied.unchanged_count += 1;
                self.entries.push(Entry::check(Key::Slot(slot.id.clone()), version));
            }
            Err(refusal) => match from_publish_refusal(&refusal) {
                (Reason::SlotClaimed | Reason::CapacityBelowClaims, _) => self.keep(&slot, version),
                (reason, field) => return Err((reason, Violation::new(field, refusal.to_string()))),
            },
        }
        Ok(())
    }

    /// Withdraws, or closes, what starts in the window and was not stated.
    fn drop_unstated(&mut self) {
        let Self { job, sight, .. } = *self;
        let stated: HashSet<&SlotId> = job.rows.iter().map(|row| &row.id).collect();
        for listed in sight.index.slots_of(&job.schedule_id) {
            let Some(Versioned { version, value: slot }) = sight.slot(&listed.value.id) else { continue };
            let is_meant = job.window.contains(slot.window.start_at()) && slot.window.end_at() > sight.now;
            if !is_meant || stated.contains(&slot.id) || slot.state == SlotState::Withdrawn {
                continue;
            }
            if slot.taken_count(sight.now) > 0 {
                self.keep(&slot, version);
            } else if let Some(next) = slot.withdraw(job.voice.source_revision, sight.now) {
                self.applied.withdrawn.push(slot.id.clone());
                self.put(next, version);
            }
        }
    }

    /// Keeps a claimed slot, closed to newcomers.
    fn keep(&mut self, slot: &Slot, version: u64) {
        self.applied.kept.push(kept(slot, self.sight.now));
        if let Some(closed) = slot.drop_from_schedule(self.job.voice.source_revision, self.sight.now) {
            self.put(closed, version);
        }
    }

    fn put(&mut self, slot: Slot, version: u64) {
        let not_before = slot.over_by(self.sight.now);
        self.entries.push(Entry { not_before, ..Entry::put(Body::Slot(slot.into()), version) });
    }
}

/// What is wrong with a row whose slot would be over.
fn over() -> (Reason, Violation) {
    let violation = Violation::new("window.end_at", "the slot is over: leave it out, or correct its window");
    (Reason::InvalidArgument, violation)
}

impl Job for ReplaceJob {
    type Outcome = ReplaceOutcome;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<ReplaceOutcome>, Error> {
        let (outcome, entries) = self.difference(sight)?;
        Ok(Plan::Write { entries, outcome: ReplaceOutcome { applied: true, ..outcome } })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(Key::Schedule(self.schedule_id.clone()))
    }

    fn encode(&self, outcome: &ReplaceOutcome) -> Vec<u8> {
        encode(outcome)
    }

    fn decode(&self, stored: &[u8], sight: &Sight<'_>) -> Result<ReplaceOutcome, OutcomeError> {
        decode(stored, sight)
    }
}

fn kept(slot: &Slot, now: UtcInstant) -> KeptSlot {
    KeptSlot {
        slot_id: slot.id.clone(),
        // Who is lost may come all the same.
        booked_count: slot.booked_count() + slot.quarantined_count(),
        held_count: slot.held_count(now),
        case_ids: case_ids(slot, now),
    }
}

/// Regulation files that rely on a slot.
fn case_ids(slot: &Slot, now: UtcInstant) -> Vec<CaseId> {
    let relying = slot.claims.iter().filter(|claim| claim.is_promise(now));
    relying.map(|claim| claim.case_id.clone()).collect()
}

fn encode(outcome: &ReplaceOutcome) -> Vec<u8> {
    let ReplaceOutcome { added, changed, withdrawn, kept, unchanged_count, applied: _ } = outcome;
    let texts = |ids: &[SlotId]| ids.iter().map(SlotId::to_string).collect();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let kept = kept.iter().map(|KeptSlot { slot_id, booked_count, held_count, case_ids: _ }| StoredKeptSlot {
        slot_id: slot_id.to_string(),
        booked_count: count(*booked_count),
        held_count: count(*held_count),
    });
    encode_replacement(StoredReplacement {
        added_slot_ids: texts(added),
        changed_slot_ids: texts(changed),
        withdrawn_slot_ids: texts(withdrawn),
        kept_slots: kept.collect(),
        unchanged_count: *unchanged_count,
    })
}

fn decode(stored: &[u8], sight: &Sight<'_>) -> Result<ReplaceOutcome, OutcomeError> {
    let StoredReplacement { added_slot_ids, changed_slot_ids, withdrawn_slot_ids, kept_slots, unchanged_count } =
        decode_replacement(stored)?;
    let id = |text: &String| SlotId::parse(text).map_err(OutcomeError::new);
    let ids = |texts: &[String]| texts.iter().map(id).collect::<Result<Vec<_>, _>>();
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let mut kept = Vec::with_capacity(kept_slots.len());
    for StoredKeptSlot { slot_id, booked_count, held_count } in kept_slots {
        let slot_id = id(&slot_id)?;
        let slot = sight.slot(&slot_id);
        let case_ids = slot.map(|slot| case_ids(&slot.value, sight.now)).unwrap_or_default();
        kept.push(KeptSlot { slot_id, booked_count: count(booked_count), held_count: count(held_count), case_ids });
    }
    Ok(ReplaceOutcome {
        added: ids(&added_slot_ids)?,
        changed: ids(&changed_slot_ids)?,
        withdrawn: ids(&withdrawn_slot_ids)?,
        kept,
        unchanged_count,
        applied: true,
    })
}

/// Refuses what the content alone shows to be wrong, every field at once.
fn check(replacement: &Replacement) -> Result<(), Error> {
    let Replacement { schedule_id, window, rows, .. } = replacement;
    if rows.len() > REPLACE_ROWS_MAX {
        let message = format!("{} rows are too many: replace with at most {REPLACE_ROWS_MAX}", rows.len());
        return Err(Error::new(Reason::TooManyRows, message));
    }
    let mut violations = Vec::new();
    if window.length_ms() > REPLACE_WINDOW_MAX_MS {
        violations.push(Violation::new("window", "the window is longer than 7 days: replace a shorter one"));
    }
    let mut first_places = HashMap::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let prefix = format!("rows[{place}]");
        let first = *first_places.entry(&row.id).or_insert(place);
        if first != place {
            let message = format!("row {first} states the same slot: state each slot once");
            violations.push(Violation::new("slot_id", message).within(&prefix));
        }
        if row.schedule_id != *schedule_id {
            let message = format!("give the schedule that is replaced, `{schedule_id}`, or leave the slot out");
            violations.push(Violation::new("schedule_id", message).within(&prefix));
        }
        if !window.contains(row.window.start_at()) {
            let message = "the slot starts outside the window that is replaced: widen the window or leave it out";
            violations.push(Violation::new("window.start_at", message).within(&prefix));
        }
        violations.extend(violations_of(row).into_iter().map(|violation| violation.within(&prefix)));
    }
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid(violations)) }
}

fn digest(replacement: &Replacement) -> Digest {
    let Replacement { request_id: _, schedule_id, source_id, source_revision, window, rows, validate_only: _ } =
        replacement;
    let mut digest = Digest::of("replace");
    digest.text(schedule_id.as_str()).text(source_id.as_str()).number(*source_revision).window(*window);
    digest.number(rows.len() as u64);
    for row in rows {
        digest.published(row);
    }
    digest
}
