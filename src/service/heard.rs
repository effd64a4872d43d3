//! What a source may say of a schedule, and how the schedule remembers that it was heard.
//!
//! Invariant: every append that writes slots of a schedule also writes the schedule's record or insists on its version.
//! So a revision check holds until the slots are written: a newer revision that arrives between bumps the version, the
//! ledger answers with a conflict, and the rows are judged again. And every append by which a slot appears writes the
//! record, so that whoever judged the schedule's slots as a whole judges again. The record is written, too, when the
//! revision grew or the last word is older than [`HEARD_AGAIN_AFTER_MS`]; in all other cases a check suffices, which
//! writers of the same revision share without conflict.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::directory::Schedule;
use crate::domain::id::{ScheduleId, SourceId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::Entry;

use super::error::Reason;
use super::limits::HEARD_AGAIN_AFTER_MS;
use super::write::Sight;

/// Why a source may not speak for a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unheard {
    pub(super) reason: Reason,
    pub(super) message: String,
    pub(super) field: &'static str,
}

/// What an accepted row does to the slots of its schedule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Effect {
    /// Nothing.
    Nothing,
    /// It alters a slot where it stands; a replacement insists on the versions of those that it leaves as they are.
    Alters,
    /// A slot stands open where none did: it is new, opened again, or moved.
    Appears,
}

/// Who speaks, and of which revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Voice {
    pub(super) source_id: SourceId,
    pub(super) source_revision: u64,
}

impl Voice {
    /// The schedule, when it is known, the source's own, and not newer than the revision.
    pub(super) fn judge(
        &self,
        id: &ScheduleId,
        known: Option<Versioned<Arc<Schedule>>>,
    ) -> Result<Versioned<Arc<Schedule>>, Unheard> {
        let Some(schedule) = known else {
            let message = format!("schedule `{id}` is unknown: create it first, or correct its identifier");
            return Err(Unheard { reason: Reason::UnknownSchedule, message, field: "schedule_id" });
        };
        let known = &schedule.value;
        if known.source_id != self.source_id {
            let message = format!("schedule `{id}` belongs to source `{}`: publish under it", known.source_id);
            return Err(Unheard { reason: Reason::SourceMismatch, message, field: "source_id" });
        }
        if known.source_revision > self.source_revision {
            let message = format!(
                "revision {} is older than revision {}, which was published for schedule `{id}`: publish the newest",
                self.source_revision, known.source_revision
            );
            return Err(Unheard { reason: Reason::StaleRevision, message, field: "source_revision" });
        }
        Ok(schedule)
    }

    /// The schedule as it is after the source was heard.
    pub(super) fn put(&self, schedule: &Versioned<Arc<Schedule>>, now: UtcInstant) -> Entry {
        let Versioned { version, value } = schedule;
        let source_revision = self.source_revision.max(value.source_revision);
        let heard = Schedule { source_revision, received_at: now.max(value.received_at), ..Schedule::clone(value) };
        Entry::put(Body::Schedule(Arc::new(heard)), *version)
    }

    /// Remembers that the source was heard, or insists on the version when that was remembered lately; `None` when
    /// neither is needed because nothing of the schedule is written.
    fn entry(&self, schedule: &Versioned<Arc<Schedule>>, effect: Effect, now: UtcInstant) -> Option<Entry> {
        let Versioned { version, value } = schedule;
        let is_newer = self.source_revision > value.source_revision;
        if is_newer || effect == Effect::Appears || now.ms_since(value.received_at) >= HEARD_AGAIN_AFTER_MS {
            return Some(self.put(schedule, now));
        }
        (effect == Effect::Alters).then(|| Entry::check(Key::Schedule(value.id.clone()), *version))
    }
}

/// The schedules of several rows, each judged once.
pub(super) struct Heard<'a> {
    voice: &'a Voice,
    schedules: HashMap<ScheduleId, Verdict>,
}

struct Verdict {
    schedule: Result<Versioned<Arc<Schedule>>, Unheard>,
    was_heard: bool,
    effect: Effect,
}

impl<'a> Heard<'a> {
    /// Nothing was said yet.
    pub(super) fn of(voice: &'a Voice) -> Self {
        Self { voice, schedules: HashMap::new() }
    }

    /// Judges whether the source may speak for a schedule.
    pub(super) fn judge(&mut self, id: &ScheduleId, sight: &Sight<'_>) -> Result<(), Unheard> {
        self.verdict(id, sight).schedule.as_ref().map(drop).map_err(Unheard::clone)
    }

    /// Notes that a row of the schedule was accepted, and what it does.
    pub(super) fn accept(&mut self, id: &ScheduleId, effect: Effect, sight: &Sight<'_>) {
        let verdict = self.verdict(id, sight);
        verdict.was_heard = true;
        verdict.effect = verdict.effect.max(effect);
    }

    /// The entries by which the schedules of accepted rows remember it.
    pub(super) fn into_entries(self, now: UtcInstant) -> impl Iterator<Item = Entry> {
        let Self { voice, schedules } = self;
        schedules.into_values().filter(|verdict| verdict.was_heard).filter_map(move |verdict| {
            let Verdict { schedule, was_heard: _, effect } = verdict;
            schedule.ok().and_then(|schedule| voice.entry(&schedule, effect, now))
        })
    }

    fn verdict(&mut self, id: &ScheduleId, sight: &Sight<'_>) -> &mut Verdict {
        let Self { voice, schedules } = self;
        let first = || {
            let schedule = voice.judge(id, sight.schedule(id));
            Verdict { schedule, was_heard: false, effect: Effect::Nothing }
        };
        schedules.entry(id.clone()).or_insert_with(first)
    }
}
