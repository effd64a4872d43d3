//! The schedules of one group in one square, as columns, so that most are dismissed without being looked at.
//!
//! The columns hold lower bounds: what they dismiss cannot suit. Writers alter the filters in place and swap the cell in
//! whole when a schedule comes, goes or moves; schedules stand in order of identifier, so that a scan is reproducible.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::node::{Node, Standing};
use super::tick::TickRing;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::{Candidate, Judge};
use crate::domain::time::UtcInstant;

/// What the columns may be wrong by, in metres: single precision at the size of the Earth, and the arc above its chord.
const COLUMN_ERROR_M: f32 = 4.0;
/// Schedules whose distances are computed together.
const LANES: usize = 32;

/// How many of a cell's schedules are put in order before they are judged; the others follow as they come.
const FIRST_JUDGED: usize = 24;

/// Schedules of a cell that might suit, by least cost: room that the cells of a query share.
pub(super) type Shortlist = Vec<(u32, usize)>;

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

/// The schedules in one square.
#[derive(Debug, Default)]
pub(super) struct Cell {
    x: Box<[f32]>,
    y: Box<[f32]>,
    z: Box<[f32]>,
    ways: Box<[AtomicU64]>,
    ticks: Box<[TickRing]>,
    nodes: Box<[Arc<Node>]>,
}

impl Cell {
    /// The cell with one more schedule, which must not be in it.
    pub(super) fn with(&self, node: &Arc<Node>, vector: &EarthVector, standing: &Standing) -> Self {
        let at = self.nodes.partition_point(|known| known.id < node.id);
        Self {
            x: inserted(&self.x, at, single(vector.x)),
            y: inserted(&self.y, at, single(vector.y)),
            z: inserted(&self.z, at, single(vector.z)),
            ways: inserted(&loaded(&self.ways), at, standing.ways.0).into_iter().map(AtomicU64::new).collect(),
            ticks: inserted(&self.ticks, at, TickRing::new(standing.ticks)),
            nodes: inserted(&self.nodes, at, Arc::clone(node)),
        }
    }

    /// The cell without a schedule.
    pub(super) fn without(&self, node: &Node) -> Self {
        let Some(at) = self.position(node) else { return self.with_all() };
        Self {
            x: removed(&self.x, at),
            y: removed(&self.y, at),
            z: removed(&self.z, at),
            ways: removed(&loaded(&self.ways), at).into_iter().map(AtomicU64::new).collect(),
            ticks: removed(&self.ticks, at),
            nodes: removed(&self.nodes, at),
        }
    }

    /// Takes over what the filters say of a schedule.
    pub(super) fn refresh(&self, node: &Node, standing: &Standing) {
        let Some(at) = self.position(node) else { return };
        if let (Some(ways), Some(ticks)) = (self.ways.get(at), self.ticks.get(at)) {
            ways.store(standing.ways.0, Ordering::Relaxed);
            ticks.store(standing.ticks);
        }
    }

    /// Hands the schedules that might suit to the judge, those of least cost first.
    pub(super) fn scan<J: Judge>(&self, scan: &CellScan, shortlist: &mut Shortlist, judge: &mut J) {
        shortlist.clear();
        let (x, y, z) = (single(scan.center.x), single(scan.center.y), single(scan.center.z));
        let reach = radius_squared(scan.radius_m);
        let columns = self.x.chunks(LANES).zip(self.y.chunks(LANES)).zip(self.z.chunks(LANES));
        for ((chunk, ((xs, ys), zs)), ways) in columns.enumerate().zip(self.ways.chunks(LANES)) {
            let mut squares = [f32::INFINITY; LANES];
            for (square, ((px, py), pz)) in squares.iter_mut().zip(xs.iter().zip(ys).zip(zs)) {
                let (dx, dy, dz) = (px - x, py - y, pz - z);
                *square = dx * dx + dy * dy + dz * dz;
            }
            for (lane, (square, ways)) in squares.iter().zip(ways).enumerate() {
                let ways = Ways(ways.load(Ordering::Relaxed));
                if *square <= reach && (scan.exhaustive || ways.may_suit(scan.ways)) {
                    let seen = (chunk * LANES + lane, lower_bound_m(*square), ways.home_visits());
                    self.shortlist(seen, scan, shortlist, judge);
                }
            }
        }
        // Judging the likely winners first sinks the bound, so that most of the others need no look.
        let first = FIRST_JUDGED.min(shortlist.len());
        if first < shortlist.len() {
            shortlist.select_nth_unstable(first);
        }
        let (first, rest) = shortlist.split_at_mut(first);
        first.sort_unstable();
        for (cost, at) in first.iter().chain(rest.iter()) {
            self.judge(*cost, *at, scan, judge);
        }
    }

    /// Notes a schedule with the least that it could cost, unless that is too much already.
    #[inline]
    fn shortlist<J: Judge>(
        &self,
        (at, distance_m, home_visits): (usize, u32, bool),
        scan: &CellScan,
        shortlist: &mut Shortlist,
        judge: &J,
    ) {
        let mut begins_at = judge.earliest_at(distance_m, home_visits);
        let bound = judge.bound();
        if !scan.exhaustive {
            if judge.least_cost(distance_m, begins_at) > bound {
                return;
            }
            let ticks = self.ticks.get(at).and_then(|ticks| ticks.first_between(begins_at, scan.until));
            let Some(tick_at) = ticks else { return };
            begins_at = tick_at;
        }
        let cost = judge.least_cost(distance_m, begins_at);
        if cost <= bound {
            shortlist.push((cost, at));
        }
    }

    #[inline]
    fn judge<J: Judge>(&self, cost: u32, at: usize, scan: &CellScan, judge: &mut J) {
        let bound = judge.bound();
        let Some(node) = self.nodes.get(at).filter(|_| cost <= bound) else { return };
        if cost == bound && !judge.admits_at_bound(&node.id) {
            return;
        }
        let offer = node.offer.load();
        if let Some(offer) = offer.as_ref() {
            let distance_m = offer.vector.map(|vector| vector.distance_m(&scan.center));
            judge.judge(Candidate { offer, row: &node.row.load(), distance_m });
        }
    }

    fn position(&self, node: &Node) -> Option<usize> {
        self.nodes.binary_search_by(|known| known.id.cmp(&node.id)).ok()
    }

    fn with_all(&self) -> Self {
        Self {
            x: self.x.clone(),
            y: self.y.clone(),
            z: self.z.clone(),
            ways: loaded(&self.ways).into_iter().map(AtomicU64::new).collect(),
            ticks: self.ticks.clone(),
            nodes: self.nodes.clone(),
        }
    }
}

fn loaded(column: &[AtomicU64]) -> Vec<u64> {
    column.iter().map(|value| value.load(Ordering::Relaxed)).collect()
}

fn inserted<T: Clone>(column: &[T], at: usize, value: T) -> Box<[T]> {
    let (before, after) = column.split_at(at.min(column.len()));
    let mut longer = Vec::with_capacity(column.len() + 1);
    longer.extend_from_slice(before);
    longer.push(value);
    longer.extend_from_slice(after);
    longer.into()
}

fn removed<T: Clone>(column: &[T], at: usize) -> Box<[T]> {
    let others = column.iter().enumerate().filter(|(index, _)| *index != at);
    others.map(|(_, value)| value.clone()).collect()
}

/// Single precision, within [`COLUMN_ERROR_M`] for coordinates on Earth.
#[allow(clippy::cast_possible_truncation, reason = "the loss of precision is what the column error accounts for")]
const fn single(metres: f64) -> f32 {
    metres as f32
}

#[allow(clippy::cast_precision_loss, reason = "a radius of 300 km fits single precision")]
fn radius_squared(radius_m: u32) -> f32 {
    (radius_m as f32 + COLUMN_ERROR_M).powi(2) * 1.000_1
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates at 0")]
fn lower_bound_m(square: f32) -> u32 {
    (square.sqrt() * 0.999_9 - COLUMN_ERROR_M) as u32
}
