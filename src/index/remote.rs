//! Schedules of one group that offer teleconsultation, by the five-minute tick in which it could begin.
//!
//! Teleconsultation knows no distance, so it is searched by time: from now on, until waiting alone costs too much. Like
//! the filters of a cell, a tick's list may hold a schedule in vain, but never misses one.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::node::{Node, Standing};
use super::tick::{RING_TICKS, ring_index, tick_of, tick_start};
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::{Candidate, Judge, Territories};
use crate::domain::time::UtcInstant;

/// A schedule in a tick.
#[derive(Clone, Debug)]
struct Entry {
    ways: Ways,
    territories: Territories,
    node: Arc<Node>,
}

/// The teleconsultations of a group; each tick's list stands in order of schedule.
#[derive(Debug)]
pub(super) struct RemoteIndex {
    ticks: Box<[ArcSwap<Vec<Entry>>]>,
}

impl RemoteIndex {
    pub(super) fn new() -> Self {
        Self { ticks: (0..RING_TICKS).map(|_| ArcSwap::default()).collect() }
    }

    /// Moves a schedule from where it stood to where it stands.
    pub(super) fn update(&self, node: &Arc<Node>, old: &Standing, new: &Standing) {
        let entry = Entry { ways: new.ways, territories: new.territories.clone(), node: Arc::clone(node) };
        let same = old.ways == new.ways && old.territories == new.territories;
        for tick in old.remote_ticks.iter().filter(|tick| new.remote_ticks.binary_search(tick).is_err()) {
            self.alter(*tick, node, None);
        }
        for tick in &new.remote_ticks {
            if !same || old.remote_ticks.binary_search(tick).is_err() {
                self.alter(*tick, node, Some(&entry));
            }
        }
    }

    fn alter(&self, tick: u16, node: &Node, entry: Option<&Entry>) {
        let Some(list) = self.ticks.get(usize::from(tick)) else { return };
        let mut entries = Vec::clone(&list.load());
        match (entries.binary_search_by(|known| known.node.id.cmp(&node.id)), entry) {
            (Ok(at), None) => drop(entries.remove(at)),
            (Ok(at), Some(entry)) => {
                if let Some(known) = entries.get_mut(at) {
                    *known = entry.clone();
                }
            }
            (Err(at), Some(entry)) => entries.insert(at, entry.clone()),
            (Err(_), None) => return,
        }
        list.store(Arc::new(entries));
    }

    /// Hands the schedules that might suit to the judge, the soonest first, until waiting alone cannot matter.
    pub(super) fn scan<J: Judge>(
        &self,
        center: Option<&EarthVector>,
        ways: Ways,
        from: UtcInstant,
        until: UtcInstant,
        judge: &mut J,
    ) {
        let last = tick_of(until).min(tick_of(from) + RING_TICKS - 1);
        for tick in tick_of(from)..=last {
            let begins_at = tick_start(tick).max(from);
            let by_time = judge.least_remote_cost(begins_at);
            if by_time > judge.bound() {
                return;
            }
            let Some(list) = self.ticks.get(ring_index(tick)) else { return };
            // Entries stand in order of identifier: what is refused for that at the bound, later ones are too.
            let mut refused = u32::MAX;
            for entry in list.load().iter().filter(|entry| entry.ways.may_suit(ways)) {
                let cost = by_time.saturating_add(judge.territory_cost(&entry.territories));
                if cost > judge.bound() || cost >= refused {
                    continue;
                }
                let cost = cost.saturating_add(judge.staleness_cost(entry.node.received_at()));
                let bound = judge.bound();
                if cost > bound {
                    continue;
                }
                if cost == bound && !judge.admits_at_bound(&entry.node.id) {
                    refused = cost;
                    continue;
                }
                if let Some(offer) = entry.node.peek().as_ref() {
                    let distance_m = center.zip(offer.vector.as_ref()).map(|(from, to)| from.distance_m(to));
                    judge.judge(Candidate { number: entry.node.number, offer, distance_m });
                }
            }
        }
    }
}
