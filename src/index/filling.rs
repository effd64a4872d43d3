//! Resolves and places all schedules at once, after every record was read: each cell and each tick is built whole, once.
//!
//! Placed one after the other, as changes are, schedules would have their cell copied for each that comes, and leave memory
//! between what stays. Neighbours are resolved one after the other, so that what a query reads lies together.
//! Invariant: what stands is what placing one by one would have made. Deliberately absent: anything that stood before.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Index;
use super::cell::Cell;
use super::grid::CellKey;
use super::groups::GroupIndex;
use super::node::{Node, Standing};
use super::remote::timed;
use super::writer::{note_turns, resolved_with};
use crate::domain::directory::{Place, Practitioner, Schedule};
use crate::domain::geo::EarthVector;
use crate::domain::id::{PlaceId, PractitionerId};

/// A schedule in a group.
struct Stand {
    group: usize,
    /// Its cell; none when nobody knows where it is.
    key: Option<CellKey>,
    node: Arc<Node>,
}

/// What schedules name.
struct Directory {
    places: FxHashMap<PlaceId, Arc<Place>>,
    practitioners: FxHashMap<PractitionerId, Arc<Practitioner>>,
}

/// Resolves every schedule that waits, and places it.
pub(super) fn place_all(index: &Index) {
    let mut stands = resolve_all(index);
    stands.sort_unstable_by(|a, b| (a.group, a.key, &a.node.id).cmp(&(b.group, b.key, &b.node.id)));
    for stands in stands.chunk_by(|a, b| a.group == b.group) {
        if let Some(group) = stands.first().and_then(|first| index.groups.get(first.group)) {
            fill(group, stands);
        }
    }
}

/// Resolves every schedule of which all is known that it names, neighbours one after the other.
fn resolve_all(index: &Index) -> Vec<Stand> {
    let directory = Directory::of(index);
    let schedules = index.schedules.page(None, usize::MAX).into_iter().map(|schedule| schedule.value);
    let key_of = |schedule: &Schedule| {
        let position = directory.places.get(&schedule.place_id)?.position?;
        index.groups.first().map(|group| group.grid.key(&position))
    };
    let mut schedules: Vec<_> = schedules.map(|schedule| (key_of(&schedule), schedule)).collect();
    schedules.sort_by_key(|(key, _)| *key);
    let mut stands = Vec::with_capacity(schedules.len());
    for (_, schedule) in schedules {
        let node = index.nodes.get_or_make(&schedule.id);
        let Some(standing) = resolve(index, &node, schedule, &directory) else { continue };
        for (number, group) in
            index.groups.iter().enumerate().filter(|(number, _)| standing.groups & (1 << number) != 0)
        {
            let key = standing.position.map(|position| group.grid.key(&position));
            stands.push(Stand { group: number, key, node: Arc::clone(&node) });
        }
    }
    stands
}

/// Resolves a schedule with the slots that wait; where it stands, or nothing while something that it names is not known.
fn resolve(index: &Index, node: &Node, schedule: Arc<Schedule>, directory: &Directory) -> Option<Standing> {
    let place = directory.places.get(&schedule.place_id).cloned()?;
    let practitioner = match &schedule.practitioner_id {
        Some(id) => Some(directory.practitioners.get(id).cloned()?),
        None => None,
    };
    let mut offer = resolved_with(index, schedule, place, practitioner);
    if let Some(row) = node.take_waiting() {
        offer = offer.with_row(row);
    }
    note_turns(&offer.share, offer.row.claims());
    let standing = Standing::of(&offer);
    node.resolve(Arc::new(offer));
    Some(standing)
}

/// Fills a group with its schedules, in order of cell, then identifier.
fn fill(group: &GroupIndex, stands: &[Stand]) {
    let mut timed_entries = Vec::new();
    let cells = stands.chunk_by(|a, b| a.key == b.key).filter_map(|stands| {
        let standings = stands.iter().filter_map(|stand| Some((&stand.node, Standing::of(&*stand.node.offer()?))));
        let standings = standings.inspect(|(node, standing)| timed_entries.extend(timed(node, standing)));
        let placed = standings.filter_map(|(node, standing)| {
            let vector = EarthVector::from(&standing.position?);
            Some((node, vector, standing))
        });
        let placed: Vec<_> = placed.collect();
        Some((stands.first()?.key?, Cell::of_all(&placed)))
    });
    group.grid.fill(cells);
    group.remote.fill(timed_entries);
}

impl Directory {
    fn of(index: &Index) -> Self {
        let places = index.places.page(None, usize::MAX).into_iter();
        let practitioners = index.practitioners.page(None, usize::MAX).into_iter();
        Self {
            places: places.map(|place| (place.value.id.clone(), place.value)).collect(),
            practitioners: practitioners.map(|one| (one.value.id.clone(), one.value)).collect(),
        }
    }
}
