//! Schedules of one group that offer teleconsultation, by the five-minute tick in which it could begin.
//!
//! Teleconsultation knows no distance, so it is searched by time: from now on, until waiting alone costs too much. Like
//! the filters of a cell, a tick's list may hold a schedule in vain, but never misses one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwap;
use rustc_hash::FxHashMap;

use super::ahead::{AHEAD, Batch, judge_all};
use super::block::{Column, radius_squared};
use super::node::{Node, Standing};
use super::reach::{Reach, RemoteFrom};
use super::tick::{RING_TICKS, ring_index, tick_of, tick_start};
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::{Judge, Territories, territory_bits};
use crate::domain::time::UtcInstant;

/// A schedule in a tick.
#[derive(Debug)]
pub(super) struct Entry {
    at: Column,
    ways: Ways,
    territories: Territories,
    /// When its source was last heard; the one thing that changes in place.
    received_at_ms: AtomicI64,
    node: Arc<Node>,
}

impl Entry {
    fn of(node: &Arc<Node>, standing: &Standing) -> Self {
        Self {
            at: standing.position.as_ref().map_or(Column::NOWHERE, |at| Column::from(&EarthVector::from(at))),
            ways: standing.ways,
            territories: standing.territories.clone(),
            received_at_ms: AtomicI64::new(standing.received_at.ms()),
            node: Arc::clone(node),
        }
    }

    #[inline]
    fn received_at(&self) -> UtcInstant {
        UtcInstant::from_ms(self.received_at_ms.load(Ordering::Relaxed))
    }
}

impl Clone for Entry {
    fn clone(&self) -> Self {
        Self {
            at: self.at,
            ways: self.ways,
            territories: self.territories.clone(),
            received_at_ms: AtomicI64::new(self.received_at().ms()),
            node: Arc::clone(&self.node),
        }
    }
}

/// A schedule in each of its ticks.
pub(super) fn timed(node: &Arc<Node>, standing: &Standing) -> impl Iterator<Item = (u16, Entry)> {
    standing.remote_ticks.iter().map(|tick| (*tick, Entry::of(node, standing)))
}

/// The schedules of a tick, in order of identifier.
#[derive(Debug, Default)]
struct TickList {
    entries: Box<[Entry]>,
    /// From where each is, side by side: a question of one territory leaves out nearly all by that.
    origins: Box<[Origin]>,
}

/// From where a schedule is.
#[derive(Clone, Copy, Debug)]
struct Origin {
    territory_bits: u64,
    at: Column,
}

impl Origin {
    fn of(entry: &Entry) -> Self {
        Self { territory_bits: territory_bits(&entry.territories), at: entry.at }
    }

    /// Whether it may be from there.
    #[inline]
    fn may_be(&self, from: &Wanted) -> bool {
        self.territory_bits & from.territory_bits != 0
            || from.near.is_some_and(|(center, radius_squared)| self.at.square_to(center) <= radius_squared)
    }
}

/// From where schedules are wanted.
struct Wanted {
    territory_bits: u64,
    /// Around where, and the greatest square of the distance.
    near: Option<(Column, f32)>,
}

impl Wanted {
    fn of(from: RemoteFrom, center: Option<&EarthVector>) -> Self {
        let near = center.map(|center| (Column::from(center), radius_squared(from.near_m)));
        Self { territory_bits: from.territory_bits, near }
    }
}

impl TickList {
    fn of(entries: Vec<Entry>) -> Self {
        Self { origins: entries.iter().map(Origin::of).collect(), entries: entries.into() }
    }

    fn position(&self, node: &Node) -> Result<usize, usize> {
        self.entries.binary_search_by(|known| known.node.id.cmp(&node.id))
    }

    /// Those that may be from where they are wanted, or all.
    #[inline]
    fn wanted(&self, from: Option<&Wanted>) -> impl Iterator<Item = &Entry> {
        let may_be = move |origin: &Origin| from.is_none_or(|from| origin.may_be(from));
        self.entries.iter().zip(&self.origins).filter(move |(_, origin)| may_be(origin)).map(|(entry, _)| entry)
    }
}

/// The teleconsultations of a group.
#[derive(Debug)]
pub(super) struct RemoteIndex {
    ticks: Box<[ArcSwap<TickList>]>,
}

impl RemoteIndex {
    pub(super) fn new() -> Self {
        Self { ticks: (0..RING_TICKS).map(|_| ArcSwap::default()).collect() }
    }

    /// Puts these schedules into their ticks, and no others; for the one writer.
    pub(super) fn fill(&self, mut timed: Vec<(u16, Entry)>) {
        timed.sort_by(|(a, one), (b, other)| (a, &one.node.id).cmp(&(b, &other.node.id)));
        let mut lists: FxHashMap<u16, Vec<Entry>> = FxHashMap::default();
        timed.into_iter().for_each(|(tick, entry)| lists.entry(tick).or_default().push(entry));
        for (tick, entries) in lists {
            if let Some(list) = self.ticks.get(usize::from(tick)) {
                list.store(Arc::new(TickList::of(entries)));
            }
        }
    }

    /// Moves a schedule from where it stood to where it stands.
    pub(super) fn update(&self, node: &Arc<Node>, old: &Standing, new: &Standing) {
        let same = old.ways == new.ways && old.territories == new.territories && old.position == new.position;
        for tick in &new.remote_ticks {
            if !same || old.remote_ticks.binary_search(tick).is_err() {
                self.alter(*tick, node, Some(Entry::of(node, new)));
            } else if old.received_at != new.received_at {
                self.hear(*tick, node, new.received_at);
            }
        }
        // Last, so that a reader never finds it nowhere.
        for tick in old.remote_ticks.iter().filter(|tick| new.remote_ticks.binary_search(tick).is_err()) {
            self.alter(*tick, node, None);
        }
    }

    /// Notes when a schedule's source was last heard.
    fn hear(&self, tick: u16, node: &Node, received_at: UtcInstant) {
        let list = self.ticks.get(usize::from(tick)).map(ArcSwap::load);
        let found = list.as_ref().and_then(|list| list.entries.get(list.position(node).ok()?));
        if let Some(entry) = found {
            entry.received_at_ms.store(received_at.ms(), Ordering::Relaxed);
        }
    }

    fn alter(&self, tick: u16, node: &Node, entry: Option<Entry>) {
        let Some(list) = self.ticks.get(usize::from(tick)) else { return };
        let known = list.load();
        let mut entries = known.entries.to_vec();
        match (known.position(node), entry) {
            (Ok(at), None) => drop(entries.remove(at)),
            (Ok(at), Some(entry)) => {
                if let Some(known) = entries.get_mut(at) {
                    *known = entry;
                }
            }
            (Err(at), Some(entry)) => entries.insert(at, entry),
            (Err(_), None) => return,
        }
        list.store(Arc::new(TickList::of(entries)));
    }

    /// Hands the schedules that might suit to the judge, the soonest first, until waiting alone cannot matter.
    pub(super) fn scan<J: Judge>(&self, center: Option<&EarthVector>, ways: Ways, reach: &Reach, judge: &mut J) {
        let (from, until) = (reach.now, reach.until);
        let last = tick_of(until).min(tick_of(from) + RING_TICKS - 1);
        let wanted = reach.remote_from.map(|from| Wanted::of(from, center));
        for tick in tick_of(from)..=last {
            let begins_at = tick_start(tick).max(from);
            let by_time = judge.least_remote_cost(begins_at);
            if by_time > judge.bound() {
                return;
            }
            let Some(list) = self.ticks.get(ring_index(tick)) else { return };
            let begun = tick_start(tick) < from;
            let mut batch: Batch<'_> = [None; AHEAD];
            // Entries stand in order of identifier: what is refused for that at the bound, later ones are too.
            let mut refused = u32::MAX;
            let (list, mut count) = (list.load(), 0);
            for entry in list.wanted(wanted.as_ref()).filter(|entry| entry.ways.may_suit(ways)) {
                let cost = by_time.saturating_add(judge.territory_cost(&entry.territories));
                if cost > judge.bound() || (begun && entry.ways.are_appointments_on_ticks()) {
                    continue;
                }
                let cost = cost.saturating_add(judge.staleness_cost(entry.received_at()));
                if cost > judge.bound() || cost >= refused {
                    continue;
                }
                if cost == judge.bound() && !judge.admits_at_bound(&entry.node.id) {
                    refused = cost;
                    continue;
                }
                if let Some(next) = batch.get_mut(count) {
                    *next = Some((cost, &entry.node));
                    count += 1;
                }
                if count == AHEAD {
                    judge_all(&batch, center, judge);
                    (batch, count) = ([None; AHEAD], 0);
                }
            }
            judge_all(&batch, center, judge);
        }
    }
}
