//! A query's way through one cell: who is near enough, who might suit, and in which order they are judged.
//!
//! Least costs come first: judging the likely winners sinks the judge's bound, so that most of the others need no look.

use super::block::{Column, LANES, lower_bound_m, radius_squared};
use super::cell::Cell;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::{Candidate, Judge};
use crate::domain::time::UtcInstant;

/// How many of a cell's schedules are put in order of time before they are judged; the others follow as they come.
const FIRST_JUDGED: usize = 24;

/// The cost of what cannot begin in time.
const NEVER: u32 = u32::MAX;

/// What a scan of cells looks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellScan {
    pub(super) center: EarthVector,
    pub(super) radius_m: u32,
    pub(super) ways: Ways,
    pub(super) until: UtcInstant,
    /// True to look at everything within the radius, whatever the filters say.
    pub(super) exhaustive: bool,
}

impl CellScan {
    /// The least that something at a distance could cost.
    #[inline]
    pub(super) fn least_cost<J: Judge>(&self, distance_m: u32, judge: &J) -> u32 {
        judge.least_cost(distance_m, judge.earliest_at(distance_m, self.ways.care_ways()))
    }

    /// Distance from which nothing can matter any more, at most the radius.
    fn reach_m<J: Judge>(&self, judge: &J) -> u32 {
        let matters = |distance_m| self.least_cost(distance_m, judge) <= judge.bound();
        if matters(self.radius_m) {
            return self.radius_m;
        }
        let (mut near, mut far) = (0, self.radius_m);
        while far - near > 1 {
            let middle = near + (far - near) / 2;
            if matters(middle) { near = middle } else { far = middle }
        }
        near
    }
}

/// A schedule that might suit, with what its cost is at least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Seen {
    cost: u32,
    at: usize,
    distance_m: u32,
    territory_cost: u32,
}

/// Room that the cells of a query share.
#[derive(Default, Debug)]
pub(super) struct Scratch {
    seen: Vec<Seen>,
    territory_costs: Vec<u32>,
}

impl Cell {
    /// Hands the schedules that might suit to the judge, those of least cost first.
    pub(super) fn scan<J: Judge>(&self, scan: &CellScan, scratch: &mut Scratch, judge: &mut J) {
        if !scan.exhaustive && !self.ways().may_suit(scan.ways) {
            return;
        }
        let Scratch { seen, territory_costs } = scratch;
        territory_costs.clear();
        territory_costs.extend(self.territories.iter().map(|territories| judge.territory_cost(territories)));
        seen.clear();
        self.collect(scan, territory_costs, judge, seen);
        let first = FIRST_JUDGED.min(seen.len());
        if first < seen.len() {
            seen.select_nth_unstable(first);
        }
        let (first, rest) = seen.split_at_mut(first);
        for seen in first.iter_mut() {
            seen.cost = self.cost_by_time(seen, scan, judge).unwrap_or(NEVER);
        }
        first.sort_unstable();
        for seen in first.iter().filter(|seen| seen.cost != NEVER) {
            self.judge(seen.cost, seen, scan, judge);
        }
        for seen in rest.iter() {
            if seen.cost <= judge.bound()
                && let Some(cost) = self.cost_by_time(seen, scan, judge)
            {
                self.judge(cost, seen, scan, judge);
            }
        }
    }

    /// Notes who is near enough and might suit, with what distance and territory cost.
    fn collect<J: Judge>(&self, scan: &CellScan, territory_costs: &[u32], judge: &J, seen: &mut Vec<Seen>) {
        let (from, bound) = (Column::from(&scan.center), judge.bound());
        let reach = radius_squared(scan.reach_m(judge));
        for (number, block) in self.blocks.iter().enumerate() {
            for (lane, square) in block.squares(from).into_iter().enumerate().filter(|(_, square)| *square <= reach) {
                let ways = block.ways(lane);
                if !scan.exhaustive && !ways.may_suit(scan.ways) {
                    continue;
                }
                let distance_m = lower_bound_m(square);
                let territory_cost =
                    territory_costs.get(usize::from(block.territories(lane))).copied().unwrap_or_default();
                let begins_at = judge.earliest_at(distance_m, ways.care_ways());
                let cost = judge.least_cost(distance_m, begins_at).saturating_add(territory_cost);
                if cost <= bound {
                    seen.push(Seen { cost, at: number * LANES + lane, distance_m, territory_cost });
                }
            }
        }
    }

    /// What a schedule costs at least by the first tick in which care could begin; `None` when there is none in time.
    #[inline]
    fn cost_by_time<J: Judge>(&self, seen: &Seen, scan: &CellScan, judge: &J) -> Option<u32> {
        if scan.exhaustive {
            return Some(seen.cost);
        }
        let ways = self.blocks.get(seen.at / LANES)?.ways(seen.at % LANES).care_ways();
        let from = judge.earliest_at(seen.distance_m, ways);
        let begins_at = self.ticks.get(seen.at)?.first_between(from, scan.until)?;
        Some(judge.least_cost(seen.distance_m, begins_at).saturating_add(seen.territory_cost))
    }

    #[inline]
    fn judge<J: Judge>(&self, cost: u32, seen: &Seen, scan: &CellScan, judge: &mut J) {
        let bound = judge.bound();
        let Some(node) = self.nodes.get(seen.at).filter(|_| cost <= bound) else { return };
        let cost = cost.saturating_add(judge.staleness_cost(node.received_at()));
        if cost > bound || (cost == bound && !judge.admits_at_bound(&node.id)) {
            return;
        }
        if let Some(offer) = node.peek().as_ref() {
            let distance_m = offer.vector.map(|vector| vector.distance_m(&scan.center));
            judge.judge(Candidate { number: node.number, offer, distance_m });
        }
    }
}
