//! The schedules of one group in one square, as columns, so that most are dismissed without being looked at.
//!
//! The columns hold lower bounds: what they dismiss cannot suit. Writers alter the filters in place and swap the cell in
//! whole when a schedule comes, goes or moves; schedules stand in order of identifier, so that a scan is reproducible.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::block::{Block, Column, LANES, Lane};
use super::hours::Hours;
use super::node::{Node, Standing};
use super::tile::SquareWays;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::offer::Territories;

/// The schedules in one square.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) blocks: Box<[Block]>,
    pub(super) hours: Hours,
    pub(super) nodes: Box<[Arc<Node>]>,
    /// The sets of territories that occur.
    pub(super) territories: Box<[Territories]>,
    /// What its schedules offered together when it was made.
    ways: Ways,
}

/// A square: the cell that is in use there, and what lets a scan in without looking into it.
#[derive(Debug)]
pub(super) struct Square {
    /// What any of its schedules offered while the cell is in use.
    ways: SquareWays,
    cell: ArcSwap<Cell>,
}

impl Square {
    /// An empty one, which says there what it offers.
    pub(super) fn new(ways: SquareWays) -> Self {
        Self { ways, cell: ArcSwap::default() }
    }

    /// What its schedules offer together, or more.
    #[inline]
    pub(super) fn ways(&self) -> Ways {
        self.ways.get()
    }

    /// The cell as it is now.
    #[inline]
    pub(super) fn load(&self) -> arc_swap::Guard<Arc<Cell>> {
        self.cell.load()
    }

    /// Puts another cell into use; for the one writer.
    pub(super) fn store(&self, cell: Cell) {
        // First what lets a scan in.
        self.ways.add(cell.ways);
        let ways = cell.ways;
        self.cell.store(Arc::new(cell));
        self.ways.set(ways);
    }

    /// Takes over what the filters say of a schedule; false when that takes a new cell.
    pub(super) fn refresh(&self, node: &Node, standing: &Standing) -> bool {
        self.ways.add(standing.ways);
        self.load().refresh(node, standing)
    }
}

impl Cell {
    /// The cell of these schedules, in order of identifier.
    pub(super) fn of_all(schedules: &[(&Arc<Node>, EarthVector, Standing)]) -> Self {
        let mut territories = Vec::new();
        let lanes = schedules.iter().map(|(_, vector, standing)| lane_of(&mut territories, vector, standing));
        let lanes: Vec<_> = lanes.collect();
        let nodes = schedules.iter().map(|(node, _, _)| Arc::clone(node)).collect();
        Self { nodes, ..Self::of(&lanes, territories) }
    }

    /// The cell with one more schedule, which must not be in it.
    pub(super) fn with(&self, node: &Arc<Node>, vector: &EarthVector, standing: &Standing) -> Self {
        let at = self.nodes.partition_point(|known| known.id < node.id);
        let (mut territories, mut lanes) = (self.territories.to_vec(), self.lanes());
        lanes.insert(at, lane_of(&mut territories, vector, standing));
        Self { nodes: inserted(&self.nodes, at, Arc::clone(node)), ..Self::of(&lanes, territories) }
    }

    /// The cell without a schedule.
    pub(super) fn without(&self, node: &Node) -> Self {
        let Some(at) = self.position(node) else {
            return Self { nodes: self.nodes.clone(), ..Self::of(&self.lanes(), self.territories.to_vec()) };
        };
        let mut lanes = self.lanes();
        lanes.remove(at);
        // Sets that nobody has any more go with the last schedule that had them.
        let mut territories: Vec<Territories> = Vec::new();
        for lane in &mut lanes {
            let set = self.territories.get(usize::from(lane.territories));
            lane.territories = set.map_or(u16::MAX, |set| set_of(&mut territories, set));
        }
        let nodes = self.nodes.iter().enumerate().filter(|(number, _)| *number != at);
        Self { nodes: nodes.map(|(_, node)| Arc::clone(node)).collect(), ..Self::of(&lanes, territories) }
    }

    /// Takes over what the filters say of a schedule; false when that takes a new cell.
    fn refresh(&self, node: &Node, standing: &Standing) -> bool {
        let set = self.territories.iter().position(|known| *known == standing.territories);
        let (Some(at), Some(set)) = (self.position(node), set) else { return false };
        let Some(block) = self.blocks.get(at / LANES).filter(|_| self.hours.have_room_for(&standing.ticks)) else {
            return false;
        };
        let set = u16::try_from(set).unwrap_or(u16::MAX);
        self.hours.refresh(at, &standing.ticks);
        block.refresh(at % LANES, standing.ways, set, standing.received_at);
        true
    }

    fn of(lanes: &[Lane], territories: Vec<Territories>) -> Self {
        Self {
            blocks: lanes.chunks(LANES).map(Block::of).collect(),
            hours: Hours::of(&lanes.iter().map(|lane| lane.ticks).collect::<Vec<_>>()),
            territories: territories.into(),
            ways: lanes.iter().fold(Ways::default(), |ways, lane| ways.union(lane.ways)),
            ..Self::default()
        }
    }

    fn lanes(&self) -> Vec<Lane> {
        let lane = |at: usize| self.blocks.get(at / LANES)?.lane(at % LANES, self.hours.ticks(at));
        (0..self.nodes.len()).filter_map(lane).collect()
    }

    fn position(&self, node: &Node) -> Option<usize> {
        self.nodes.binary_search_by(|known| known.id.cmp(&node.id)).ok()
    }
}

/// The columns of a schedule in a cell of these sets of territories.
fn lane_of(territories: &mut Vec<Territories>, vector: &EarthVector, standing: &Standing) -> Lane {
    Lane {
        at: Column::from(vector),
        ways: standing.ways,
        territories: set_of(territories, &standing.territories),
        received_at: standing.received_at,
        ticks: standing.ticks,
    }
}

fn inserted<T: Clone>(column: &[T], at: usize, value: T) -> Box<[T]> {
    let (before, after) = column.split_at(at.min(column.len()));
    let mut longer = Vec::with_capacity(column.len() + 1);
    longer.extend_from_slice(before);
    longer.push(value);
    longer.extend_from_slice(after);
    longer.into()
}

/// The number of a set of territories; sets beyond the last number have none of their own, and cost nothing in bounds.
fn set_of(known: &mut Vec<Territories>, wanted: &Territories) -> u16 {
    let at = known.iter().position(|known| known == wanted).unwrap_or(known.len());
    let number = u16::try_from(at).unwrap_or(u16::MAX);
    if at == known.len() && number < u16::MAX {
        known.push(wanted.clone());
    }
    number
}
