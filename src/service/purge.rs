//! Forgetting slots that are over, with the claims on them and the cases that named them, what was decided for cases, and
//! what the ledger keeps past its time: what regulation files said ends with the day.
//!
//! Invariant: only what ended [`ENDED_SLOT_KEPT_MS`] ago, and orientations that were recorded [`ORIENTATION_KEPT_MS`] ago,
//! are removed, by a clock that the ledger's agrees with. What is removed goes into the anonymous counts of its day in the
//! same append, so that it is counted once whatever breaks.
//! Deliberately absent: a timetable; whoever runs the service calls it every few minutes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use crate::domain::orientation::Orientation;
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::slot::Slot;
use crate::domain::tally::{Counts, Tally, TallyId, counts_of_slot};
use crate::domain::time::{UtcInstant, civil_date};
use crate::ledger::{APPEND_ENTRIES_MAX, Append, AppendOutcome, Entry};

use super::Service;
use super::error::{Error, Reason};
use super::indicators::{day_of_slot, scopes_of_slot};
use super::limits::{
    ENDED_SLOT_KEPT_MS, INDICATORS_KEPT_DAYS, ORIENTATION_KEPT_MS, PURGE_CASES_MAX, PURGE_CHUNK_MAX,
    PURGE_CLOCK_TOLERANCE_MS, PURGE_SLOTS_MAX, RETRY_BUSY_AFTER_MS, TRIM_STEPS_MAX, WRITE_TRIES_MAX,
};
use super::write::{Shown, Sight};

/// A record that is to be forgotten, and the counts that remain of it.
struct Leaving {
    key: Key,
    version: u64,
    remains: Vec<(TallyId, Counts)>,
}

impl Leaving {
    fn without_counts(key: Key, version: u64) -> Self {
        Self { key, version, remains: Vec::new() }
    }
}

impl Service {
    /// Removes slots that ended more than 24 hours ago, at most [`PURGE_SLOTS_MAX`]; says how many.
    ///
    /// # Errors
    /// When the ledger cannot write or its clock is far behind; what was removed until then stays removed.
    pub async fn purge_ended(&self) -> Result<usize, Error> {
        let index = &self.parts().index;
        let before = self.parts().clock.now().plus_ms(-ENDED_SLOT_KEPT_MS);
        let ended = index.slots_ended_before(before, PURGE_SLOTS_MAX);
        self.forget(ended.into_iter().map(|slot| self.leaving_slot(&slot)).collect()).await
    }

    /// Removes what is kept of cases whose last slot ended more than 24 hours ago, at most [`PURGE_CASES_MAX`]; says how
    /// many.
    ///
    /// # Errors
    /// As [`Self::purge_ended`].
    pub async fn purge_ended_cases(&self) -> Result<usize, Error> {
        let before = self.parts().clock.now().plus_ms(-ENDED_SLOT_KEPT_MS);
        let ended = self.parts().index.cases_ended_before(before, PURGE_CASES_MAX).into_iter();
        self.forget(ended.map(|(id, version)| Leaving::without_counts(Key::Case(id), version)).collect()).await
    }

    /// Removes what was decided for cases more than 24 hours ago; says how many.
    ///
    /// # Errors
    /// As [`Self::purge_ended`].
    pub async fn purge_orientations(&self) -> Result<usize, Error> {
        let before = self.parts().clock.now().plus_ms(-ORIENTATION_KEPT_MS);
        let ended = self.parts().index.orientations(|orientation| orientation.recorded_at < before);
        let leaving = |Versioned { version, value: orientation }: Versioned<Arc<Orientation>>| {
            let counts: Counts = orientation.measures().into_iter().collect();
            let remains = orientation.scopes().map(|scope| (TallyId { scope, day: orientation.day }, counts.clone()));
            let key = Key::Orientation(orientation.case_id.clone());
            Leaving { key, version, remains: remains.collect() }
        };
        self.forget(ended.into_iter().map(leaving).collect()).await
    }

    /// Removes the counts of days that are more than [`INDICATORS_KEPT_DAYS`] ago; says how many.
    ///
    /// # Errors
    /// As [`Self::purge_ended`].
    pub async fn purge_tallies(&self) -> Result<usize, Error> {
        // A day ends last in the westernmost zone; one more day makes no difference to what is kept for months.
        let today = civil_date(Tz::UTC, self.parts().clock.now());
        let first_kept = today.checked_sub_days(Days::new(INDICATORS_KEPT_DAYS)).unwrap_or(NaiveDate::MIN);
        let old = self.parts().index.tallies(|tally| tally.id.day < first_kept).into_iter();
        self.forget(old.map(|one| Leaving::without_counts(Key::Tally(one.value.id), one.version)).collect()).await
    }

    /// Has the ledger forget the changes and outcomes that are past their time, step by step; says how many. The ledger
    /// records what this machine's clock shows: call it only while that clock is trusted.
    ///
    /// # Errors
    /// When the ledger cannot write; what was forgotten until then stays forgotten.
    pub async fn trim_ledger(&self) -> Result<usize, Error> {
        let mut forgotten_count = 0;
        for _ in 0..TRIM_STEPS_MAX {
            match self.parts().ledger.trim(self.parts().clock.now()).await? {
                0 => break,
                step_count => forgotten_count += step_count,
            }
        }
        Ok(forgotten_count)
    }

    /// A slot of a schedule whose place is unknown counts for nobody.
    fn leaving_slot(&self, slot: &Versioned<Arc<Slot>>) -> Leaving {
        let Versioned { version, value: slot } = slot;
        let remains = self.parts().index.offer(&slot.schedule_id).map(|offer| {
            let (day, counts) = (day_of_slot(&offer, slot), counts_of_slot(slot));
            scopes_of_slot(&offer, slot).map(|scope| (TallyId { scope, day }, counts.clone())).collect()
        });
        Leaving { key: Key::Slot(slot.id.clone()), version: *version, remains: remains.unwrap_or_default() }
    }

    /// Removes records, as many in one append as it takes.
    async fn forget(&self, mut leaving: Vec<Leaving>) -> Result<usize, Error> {
        let now = self.parts().clock.now();
        // Those that count for the same day stand together, so that few appends write it.
        leaving.sort_by_key(|one| one.remains.first().map(|(id, _)| *id));
        let mut removed_count = 0;
        let mut rest = leaving.as_slice();
        while !rest.is_empty() {
            let (chunk, others) = rest.split_at(chunk_length(rest));
            removed_count += self.remove(chunk, now).await?;
            rest = others;
        }
        Ok(removed_count)
    }

    /// Removes records in one append; one that changed meanwhile is left for the next purge.
    async fn remove(&self, leaving: &[Leaving], now: UtcInstant) -> Result<usize, Error> {
        let (mut changed, mut shown) = (HashSet::new(), Shown::new());
        for _ in 0..WRITE_TRIES_MAX {
            let staying = |one: &&Leaving| !changed.contains(&one.key);
            let entries: Vec<Entry> = leaving.iter().filter(staying).map(|one| removal(one, now)).collect();
            let count = entries.len();
            if count == 0 {
                return Ok(0);
            }
            let mut remains: BTreeMap<TallyId, Counts> = BTreeMap::new();
            for (id, counts) in leaving.iter().filter(staying).flat_map(|one| &one.remains) {
                remains.entry(*id).or_default().add_all(counts);
            }
            let sight = Sight::of_reader(&self.parts().index, &shown, now);
            let counted = remains.into_iter().map(|(id, counts)| counted(&sight, id, counts));
            let entries = entries.into_iter().chain(counted).collect();
            match self.append(Append { entries, request: None }).await {
                AppendOutcome::Appended { .. } => return Ok(count),
                AppendOutcome::Conflict { key, current } if leaving.iter().all(|one| one.key != key) => {
                    shown.insert(key, current);
                }
                AppendOutcome::Conflict { key, .. } => {
                    changed.insert(key);
                }
                AppendOutcome::OutOfTime { now } => {
                    let message = format!("the ledger's clock shows {now}, far behind this machine's: set the clocks");
                    let retry_after_ms = Some(RETRY_BUSY_AFTER_MS);
                    return Err(Error { retry_after_ms, ..Error::new(Reason::LedgerUnavailable, message) });
                }
                AppendOutcome::Unavailable(unavailable) => return Err(unavailable.into()),
                AppendOutcome::Invalid(invalid) => return Err(Error::internal(invalid.to_string())),
                AppendOutcome::Replayed { .. } | AppendOutcome::RequestIdReused => {
                    return Err(Error::internal("the ledger took a purge for a request"));
                }
            }
        }
        Ok(0)
    }
}

/// How many of these records, at least one, go into one append together with what remains of them.
fn chunk_length(leaving: &[Leaving]) -> usize {
    let mut tallies: HashSet<TallyId> = HashSet::new();
    for (length, one) in leaving.iter().enumerate().take(PURGE_CHUNK_MAX) {
        tallies.extend(one.remains.iter().map(|(id, _)| *id));
        if length + 1 + tallies.len() > APPEND_ENTRIES_MAX {
            return length.max(1);
        }
    }
    leaving.len().min(PURGE_CHUNK_MAX)
}

fn removal(leaving: &Leaving, now: UtcInstant) -> Entry {
    let not_before = Some(now.plus_ms(-PURGE_CLOCK_TOLERANCE_MS));
    Entry { not_before, ..Entry::remove(leaving.key.clone(), leaving.version) }
}

/// A day's counts with more added.
fn counted(sight: &Sight<'_>, id: TallyId, mut counts: Counts) -> Entry {
    let known = match sight.record(&Key::Tally(id)) {
        Some(Versioned { version, value: Body::Tally(known) }) => Some((version, known)),
        Some(_) | None => None,
    };
    if let Some((_, known)) = &known {
        counts.add_all(&known.counts);
    }
    Entry::put(Body::Tally(Arc::new(Tally { id, counts })), known.map_or(0, |(version, _)| version))
}
