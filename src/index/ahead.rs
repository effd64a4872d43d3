//! Hands schedules to the judge a few at a time, so that their memory comes together instead of one after the other.
//!
//! A schedule out of the cache costs three misses in a row: the node, its offer, the offer's openings. Reading one word
//! of each in rounds lets the misses of a batch overlap, which a guarded load between them would not.

use std::hint::black_box;
use std::sync::Arc;

use arc_swap::Guard;

use super::cell::Cell;
use super::node::Node;
use crate::domain::geo::EarthVector;
use crate::domain::offer::{Candidate, Judge, Offer};

/// Reads a word of each of some cells and of their columns, so that these come together too.
pub(super) fn look_into(cells: &[Option<Guard<Arc<Cell>>>]) {
    let cells = || cells.iter().flatten();
    black_box(cells().fold(0, |read, cell| read ^ cell.blocks.len()));
    black_box(cells().filter_map(|cell| cell.blocks.first()).fold(0, |read, block| read ^ block.territories(0)));
}

/// Schedules in a batch; as many guards fit the fast slots of a thread beside those of the cells.
pub(super) const AHEAD: usize = 4;

/// Schedules that might suit, with what each costs at least.
pub(super) type Batch<'a> = [Option<(u32, &'a Node)>; AHEAD];

/// Judges those of a batch that still matter.
pub(super) fn judge_all<J: Judge>(batch: &Batch<'_>, center: Option<&EarthVector>, judge: &mut J) {
    black_box(batch.iter().flatten().fold(0, |read, (_, node)| read ^ node.number));
    let matters = |(cost, node): (u32, &Node), judge: &J| {
        let bound = judge.bound();
        cost < bound || (cost == bound && judge.admits_at_bound(&node.id))
    };
    let mut offers = [const { None }; AHEAD];
    for (offer, known) in offers.iter_mut().zip(batch) {
        *offer = known.filter(|known| matters(*known, judge)).map(|(_, node)| node.peek());
    }
    let known = || offers.iter().flatten().filter_map(|offer: &Guard<Option<Arc<Offer>>>| offer.as_ref());
    black_box(known().fold(0, |read, offer| read ^ offer.received_at.ms()));
    black_box(
        known().filter_map(|offer| offer.row.openings().first()).fold(0, |read, first| read ^ first.start_at.ms()),
    );
    for (known, offer) in batch.iter().zip(&offers) {
        let (Some(known), Some(offer)) = (known, offer.as_ref().and_then(|offer| offer.as_ref())) else { continue };
        if matters(*known, judge) {
            let distance_m = center.zip(offer.vector.as_ref()).map(|(from, to)| from.distance_m(to));
            judge.judge(Candidate { number: u64::from(known.1.number), offer, distance_m });
        }
    }
}
