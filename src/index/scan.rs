//! A query's way through one cell: who is near enough, who might suit, and in which order they are judged.
//!
//! Least costs come first: judging the likely winners sinks the judge's bound, so that most of the others need no look.

use super::ahead::{AHEAD, judge_all};
use super::block::{Column, LANES, lower_bound_m, radius_squared};
use super::cell::Cell;
use super::hours::BlockHours;
use super::node::Node;
use super::tick::first_start;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::Judge;
use crate::domain::time::UtcInstant;

/// Schedules from which on a cell is looked at in two rounds.
const CROWDED: usize = 64;
/// How far the first round goes, in metres.
const FIRST_LOOK_M: u32 = 2_000;

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
    at: u32,
}

/// Room that the cells of a query share.
#[derive(Debug)]
pub(super) struct Scratch {
    seen: Vec<Seen>,
    territory_costs: Vec<u32>,
}

impl Scratch {
    /// Room for most cells.
    pub(super) fn new() -> Self {
        Self { seen: Vec::with_capacity(512), territory_costs: Vec::with_capacity(32) }
    }
}

impl Cell {
    /// Hands the schedules that might suit to the judge, those of least cost first.
    ///
    /// `distance_m` is a lower bound of the distance to all of them, `ways` is what they offer together.
    pub(super) fn scan<J: Judge>(
        &self,
        distance_m: u32,
        ways: Ways,
        scan: &CellScan,
        scratch: &mut Scratch,
        judge: &mut J,
    ) {
        if !scan.exhaustive {
            let earliest_at = judge.earliest_at(distance_m, ways.care_ways());
            if judge.least_cost(distance_m, earliest_at) > judge.bound() {
                return;
            }
        }
        // While anything is good enough, a full cell is looked at from its middle outwards, so that there soon is a bound.
        let crowded = self.nodes.len() > CROWDED && judge.bound() == u32::MAX;
        let near = if crowded { radius_squared(FIRST_LOOK_M.min(scan.radius_m)) } else { 0.0 };
        if crowded {
            self.scan_between(-1.0, near, scan, scratch, judge);
            if scan.least_cost(lower_bound_m(near), judge) > judge.bound() {
                return;
            }
        }
        let reach = radius_squared(scan.reach_m(judge));
        self.scan_between(if crowded { near } else { -1.0 }, reach, scan, scratch, judge);
    }

    /// The same for those whose square of the distance is beyond one figure and not beyond another.
    fn scan_between<J: Judge>(&self, beyond: f32, reach: f32, scan: &CellScan, scratch: &mut Scratch, judge: &mut J) {
        let Scratch { seen, territory_costs } = scratch;
        self.collect((beyond, reach), scan, territory_costs, judge, seen);
        let first = judge.judged_in_order().min(seen.len());
        if first < seen.len() {
            seen.select_nth_unstable(first);
        }
        let (first, rest) = seen.split_at_mut(first);
        first.sort_unstable();
        self.judge_seen(first, &scan.center, judge);
        // None of the others costs less than the last of the first.
        if first.last().is_none_or(|last| last.cost <= judge.bound()) {
            self.judge_seen(rest, &scan.center, judge);
        }
    }

    /// Hands these to the judge; who is above its bound by then is not even read.
    fn judge_seen<J: Judge>(&self, seen: &[Seen], center: &EarthVector, judge: &mut J) {
        let mut left = seen.iter();
        loop {
            let bound = judge.bound();
            let mut batch = [None; AHEAD];
            for known in &mut batch {
                *known = left.find(|seen| seen.cost <= bound).and_then(|seen| self.known(seen));
            }
            if batch.iter().all(Option::is_none) {
                return;
            }
            judge_all(&batch, Some(center), judge);
        }
    }

    /// Notes who is near enough and might suit, with what it costs at least.
    fn collect<J: Judge>(
        &self,
        (beyond, reach): (f32, f32),
        scan: &CellScan,
        territory_costs: &mut Vec<u32>,
        judge: &J,
        all: &mut Vec<Seen>,
    ) {
        all.clear();
        territory_costs.clear();
        let (from, bound) = (Column::from(&scan.center), judge.bound());
        for (number, block) in self.blocks.iter().enumerate() {
            let hours = self.hours.of_block(number);
            let first = u32::try_from(number * LANES).unwrap_or(u32::MAX);
            for ((lane, square), at) in block.squares(from).into_iter().enumerate().zip(first..) {
                if square > reach || square <= beyond || !(scan.exhaustive || block.ways(lane).may_suit(scan.ways)) {
                    continue;
                }
                if territory_costs.is_empty() {
                    territory_costs.extend(self.territories.iter().map(|set| judge.territory_cost(set)));
                }
                let territory_cost = territory_costs.get(usize::from(block.territories(lane))).copied().unwrap_or(0);
                let surcharge = territory_cost.saturating_add(judge.staleness_cost(block.received_at(lane)));
                let schedule = Scanned { ways: block.ways(lane), lane, hours, distance_m: lower_bound_m(square) };
                if let Some(cost) = schedule.least_cost((surcharge, bound), scan, judge) {
                    all.push(Seen { cost, at });
                }
            }
        }
    }

    #[inline]
    fn known(&self, seen: &Seen) -> Option<(u32, &Node)> {
        let node = self.nodes.get(usize::try_from(seen.at).ok()?)?;
        Some((seen.cost, node))
    }
}

/// A schedule that is near enough, as the columns say.
struct Scanned<'a> {
    ways: Ways,
    lane: usize,
    hours: BlockHours<'a>,
    distance_m: u32,
}

impl Scanned<'_> {
    /// What it costs at least, by place and by the first tick in which care could begin; `None` above the bound, and when
    /// there is no such tick in time.
    #[inline]
    fn least_cost<J: Judge>(&self, (surcharge, bound): (u32, u32), scan: &CellScan, judge: &J) -> Option<u32> {
        let earliest_at = judge.earliest_at(self.distance_m, self.ways.care_ways());
        let least = |begins_at| Some(judge.least_cost(self.distance_m, begins_at).saturating_add(surcharge));
        let in_bound = |cost: &u32| *cost <= bound;
        let by_place = least(earliest_at).filter(in_bound);
        if scan.exhaustive || by_place.is_none() {
            return by_place;
        }
        let from = first_start(earliest_at, self.ways.are_appointments_on_ticks());
        least(self.hours.first_between(self.lane, from, scan.until)?).filter(in_bound)
    }
}
