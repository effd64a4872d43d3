//! The open watches, by what they listen for: the schedules they show, their case, squares of the map, time.
//!
//! Invariant: every list names open watches only, and a change looks only at those that its schedule or its square names.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::WatchLimits;
use super::bell::Bell;
use super::interest::{Area, Interest};
use super::notice::Notice;
use crate::domain::geo::EarthVector;
use crate::domain::id::{CaseId, PrincipalId, ScheduleId};
use crate::domain::time::UtcInstant;
use crate::service::limits::{WATCH_RETURNS_MAX, WATCH_SQUARES_MAX};

/// Names an open watch; never given twice.
pub(super) type WatchId = u64;
/// Edge of a square, in metres.
const SQUARE_M: f64 = 25_000.0;
/// A square of a cubic lattice through the Earth: a position belongs to one, and near positions to near ones.
type Square = [i16; 3];

/// An open watch.
#[derive(Debug)]
struct Entry {
    principal: PrincipalId,
    bell: Arc<Bell>,
    ends_at: UtcInstant,
    /// What it listens for; `None` for everything.
    interest: Option<Interest>,
    squares: Vec<Square>,
    wake_at: UtcInstant,
    /// When holds end that might bring an option.
    returns: BTreeSet<UtcInstant>,
    /// The instant under which it is listed.
    listed_at: UtcInstant,
}

impl Entry {
    /// The next instant for which it waits.
    fn next_at(&self) -> UtcInstant {
        let returns_at = self.returns.first().copied().unwrap_or(UtcInstant::MAX);
        self.wake_at.min(returns_at).min(self.ends_at)
    }
}

/// The open watches.
#[derive(Debug, Default)]
pub(super) struct Registry {
    pub(super) limits: WatchLimits,
    /// Whether the task runs that tells them.
    pub(super) is_dispatched: bool,
    /// How often they were told of changes.
    pub(super) told_count: u64,
    last_id: WatchId,
    entries: FxHashMap<WatchId, Entry>,
    by_caller: FxHashMap<PrincipalId, usize>,
    by_schedule: FxHashMap<ScheduleId, FxHashSet<WatchId>>,
    by_case: FxHashMap<CaseId, FxHashSet<WatchId>>,
    by_square: FxHashMap<Square, FxHashSet<WatchId>>,
    /// Those whose area takes in too many squares, and those that listen for everything.
    everywhere: FxHashSet<WatchId>,
    /// Those for which teleconsultation matters, by the start until which it does.
    remote: BTreeSet<(UtcInstant, WatchId)>,
    by_time: BTreeSet<(UtcInstant, WatchId)>,
}

impl Registry {
    /// How many are open.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a watch is open.
    pub(super) fn knows(&self, id: WatchId) -> bool {
        self.entries.contains_key(&id)
    }

    /// Opens a watch; a message for people when too many are open.
    pub(super) fn enter(
        &mut self,
        principal: &PrincipalId,
        bell: Arc<Bell>,
        ends_at: UtcInstant,
    ) -> Result<WatchId, String> {
        let WatchLimits { watches_max, watches_per_caller_max } = self.limits;
        if self.entries.len() >= watches_max {
            return Err(format!("{watches_max} watches are open on this instance: close some, or try again later"));
        }
        let own = self.by_caller.entry(principal.clone()).or_default();
        if *own >= watches_per_caller_max {
            return Err(format!(
                "this caller has {watches_per_caller_max} watches open: close some, or try again later"
            ));
        }
        *own += 1;
        self.last_id += 1;
        let id = self.last_id;
        let entry = Entry {
            principal: principal.clone(),
            bell,
            ends_at,
            interest: None,
            squares: Vec::new(),
            wake_at: UtcInstant::MAX,
            returns: BTreeSet::new(),
            listed_at: ends_at,
        };
        self.entries.insert(id, entry);
        self.everywhere.insert(id);
        self.by_time.insert((ends_at, id));
        Ok(id)
    }

    /// Closes a watch.
    pub(super) fn leave(&mut self, id: WatchId) {
        let Some(mut entry) = self.entries.remove(&id) else { return };
        self.unlist(id, entry.interest.take(), &entry.squares);
        self.everywhere.remove(&id);
        self.by_time.remove(&(entry.listed_at, id));
        if let Some(own) = self.by_caller.get_mut(&entry.principal) {
            *own -= 1;
            if *own == 0 {
                self.by_caller.remove(&entry.principal);
            }
        }
    }

    /// Takes over what a watch listens for.
    pub(super) fn settle(
        &mut self,
        id: WatchId,
        interest: Interest,
        returns: SmallVec<[UtcInstant; 4]>,
        wake_at: UtcInstant,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.wake_at = wake_at;
        entry.returns.extend(returns);
        shorten(&mut entry.returns);
        if entry.interest.as_ref() != Some(&interest) {
            let old = entry.interest.replace(interest.clone());
            let known = std::mem::take(&mut entry.squares);
            self.unlist(id, old, &known);
            self.list(id, &interest);
        }
        self.list_by_time(id);
    }

    /// Rings for those whom changes of schedules may concern; for all when anything may have changed.
    pub(super) fn tell(&mut self, notices: &[Notice], anything: bool) {
        if anything {
            self.entries.values().for_each(|entry| entry.bell.ring());
        }
        self.told_count += u64::from(anything || !notices.is_empty());
        for notice in notices {
            for id in self.by_schedule.get(&notice.schedule_id).into_iter().flatten() {
                if let Some(entry) = self.entries.get(id) {
                    entry.bell.ring();
                }
            }
            let concerned = self.concerned(notice);
            for id in concerned {
                self.tell_one(id, notice);
            }
        }
    }

    /// Rings for the watches of cases that refused something, or take it back.
    pub(super) fn tell_cases(&mut self, cases: &FxHashSet<CaseId>) {
        self.told_count += u64::from(!cases.is_empty());
        for id in cases.iter().filter_map(|case_id| self.by_case.get(case_id)).flatten() {
            if let Some(entry) = self.entries.get(id) {
                entry.bell.ring();
            }
        }
    }

    /// Rings for those whose instant has come, and closes those whose time is over.
    pub(super) fn wake(&mut self, now: UtcInstant) {
        while let Some((at, id)) = self.by_time.first().copied().filter(|(at, _)| *at <= now) {
            self.by_time.remove(&(at, id));
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            entry.bell.ring();
            if entry.ends_at <= now {
                self.leave(id);
                continue;
            }
            entry.returns = entry.returns.split_off(&now.plus_ms(1));
            // A watch whose client is slow says its next instant only once it is answered.
            entry.wake_at = if entry.wake_at <= now { UtcInstant::MAX } else { entry.wake_at };
            self.list_by_time(id);
        }
    }

    /// The watches that a change of a schedule might concern, by its square and by the start of its teleconsultations.
    fn concerned(&self, notice: &Notice) -> SmallVec<[WatchId; 16]> {
        let by_square = notice.vector.and_then(|vector| self.by_square.get(&square_of(&vector)));
        let from = notice.remote_at();
        let remote = from.into_iter().flat_map(|from| self.remote.range((from, 0)..));
        let mut ids: SmallVec<[WatchId; 16]> =
            by_square.into_iter().flatten().chain(&self.everywhere).copied().collect();
        ids.extend(remote.map(|(_, id)| *id));
        ids
    }

    fn tell_one(&mut self, id: WatchId, notice: &Notice) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Some(interest) = &entry.interest else { return entry.bell.ring() };
        let mut waits_longer = false;
        for at in interest.returns(notice) {
            if at == UtcInstant::MIN {
                entry.bell.ring();
            } else {
                waits_longer |= entry.returns.insert(at);
            }
        }
        if waits_longer {
            shorten(&mut entry.returns);
            self.list_by_time(id);
        }
    }

    fn list(&mut self, id: WatchId, interest: &Interest) {
        for schedule_id in &interest.shown {
            self.by_schedule.entry(schedule_id.clone()).or_default().insert(id);
        }
        if let Some(case_id) = &interest.case_id {
            self.by_case.entry(case_id.clone()).or_default().insert(id);
        }
        if interest.remote
            && let Some(until) = interest.until
        {
            self.remote.insert((until, id));
        }
        let squares = interest.area.map_or_else(|| Some(Vec::new()), |area| squares_of(&area));
        let Some(squares) = squares else {
            self.everywhere.insert(id);
            return;
        };
        self.everywhere.remove(&id);
        for square in &squares {
            self.by_square.entry(*square).or_default().insert(id);
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.squares = squares;
        }
    }

    fn unlist(&mut self, id: WatchId, interest: Option<Interest>, squares: &[Square]) {
        for square in squares {
            take_out(&mut self.by_square, square, id);
        }
        let Some(interest) = interest else { return };
        for schedule_id in &interest.shown {
            take_out(&mut self.by_schedule, schedule_id, id);
        }
        if let Some(case_id) = &interest.case_id {
            take_out(&mut self.by_case, case_id, id);
        }
        if let Some(until) = interest.until {
            self.remote.remove(&(until, id));
        }
    }

    fn list_by_time(&mut self, id: WatchId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        self.by_time.remove(&(entry.listed_at, id));
        entry.listed_at = entry.next_at();
        self.by_time.insert((entry.listed_at, id));
    }
}

fn take_out<K: std::hash::Hash + Eq>(lists: &mut FxHashMap<K, FxHashSet<WatchId>>, key: &K, id: WatchId) {
    if let Some(list) = lists.get_mut(key) {
        list.remove(&id);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}

/// Forgets the last of more instants than are kept: the next look finds what they would have told.
fn shorten(returns: &mut BTreeSet<UtcInstant>) {
    while returns.len() > WATCH_RETURNS_MAX {
        returns.pop_last();
    }
}

fn square_of(vector: &EarthVector) -> Square {
    [vector.x, vector.y, vector.z].map(|metres| coordinate(metres, 0.0))
}

/// The squares that hold any of an area; `None` when there are too many.
fn squares_of(area: &Area) -> Option<Vec<Square>> {
    let vector = EarthVector::from(&area.center);
    // Distances are rounded down to a metre.
    let radius_m = f64::from(area.radius_m) + 1.0;
    let range = |metres: f64| coordinate(metres, -radius_m)..=coordinate(metres, radius_m);
    let (xs, ys, zs) = (range(vector.x), range(vector.y), range(vector.z));
    if xs.clone().count() * ys.clone().count() * zs.clone().count() > WATCH_SQUARES_MAX {
        return None;
    }
    let mut squares = Vec::new();
    for x in xs {
        for y in ys.clone() {
            squares.extend(zs.clone().map(|z| [x, y, z]));
        }
    }
    Some(squares)
}

/// Number of the square along an axis: within 300 of the Earth's centre.
#[allow(clippy::cast_possible_truncation, reason = "a float cast saturates, and no number comes near the limit")]
fn coordinate(metres: f64, shift_m: f64) -> i16 {
    ((metres + shift_m) / SQUARE_M).floor() as i16
}

#[cfg(test)]
mod tests;
