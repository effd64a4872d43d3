//! One schedule in the index: what is known of it, and its openings, both swapped in whole.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use super::group;
use super::tick::{TickBits, ticks_of};
use super::ways::Ways;
use crate::domain::code::{Modality, ModalitySet};
use crate::domain::id::{ScheduleId, SlotId, TerritoryId};
use crate::domain::offer::{Offer, Opening, OpeningKind, Row};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;

/// A schedule, by a pointer that stays the same while it is kept.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: ScheduleId,
    pub(super) offer: ArcSwapOption<Offer>,
    pub(super) row: ArcSwap<Row>,
}

impl Node {
    pub(super) fn new(id: ScheduleId) -> Self {
        Self { id, offer: ArcSwapOption::empty(), row: ArcSwap::default() }
    }

    pub(super) fn offer(&self) -> Option<Arc<Offer>> {
        self.offer.load_full()
    }

    pub(super) fn slot_ids(&self) -> Vec<SlotId> {
        self.row.load().slot_ids.to_vec()
    }
}

/// Where a schedule stands and what the filters say of it, all derived from its offer and row.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Standing {
    /// Groups of care, one bit each.
    pub(super) groups: u16,
    pub(super) ways: Ways,
    pub(super) ticks: TickBits,
    /// Places of the ring at which teleconsultation could begin, sorted.
    pub(super) remote_ticks: Vec<u16>,
    /// Territories that offer it remotely.
    pub(super) remote_territories: Vec<TerritoryId>,
}

impl Standing {
    pub(super) fn of(row: &Row) -> Self {
        let mut standing = Self::default();
        for opening in row.openings.iter().filter(|opening| opening.free_from() < UtcInstant::MAX) {
            let Some(kind) = row.kinds.get(usize::from(opening.kind)) else { continue };
            standing.ways = standing.ways.union(Ways::offered(kind));
            let remote = kind.modalities.contains(Modality::Vr);
            let by_place = kind.modalities.intersects(ModalitySet::of(&[Modality::Amb, Modality::Hh]));
            for tick in ticks_of(opening, kind) {
                if by_place {
                    standing.ticks.insert(tick);
                }
                if remote {
                    standing.remote_ticks.push(u16::try_from(super::tick::ring_index(tick)).unwrap_or(0));
                }
            }
            if remote {
                standing.remote_territories.extend(kind.territories.iter().copied());
            }
        }
        // Where a schedule stands must not move with every booking: all kinds count, claimable or not.
        for kind in &row.kinds {
            standing.groups |= group::standing(kind.specialties, kind.professions, kind.is_unspecified());
        }
        standing.remote_ticks.sort_unstable();
        standing.remote_ticks.dedup();
        standing.remote_territories.sort_unstable();
        standing.remote_territories.dedup();
        standing
    }
}

/// The row after some of its slots changed; `None` stands for a slot that is gone.
pub(super) fn updated_row(old: &Row, offer: &Offer, changed: &[(SlotId, Option<Arc<Slot>>)]) -> Row {
    let mut builder = RowBuilder::default();
    for (opening, slot_id) in old.openings.iter().zip(&old.slot_ids) {
        if changed.iter().any(|(id, _)| id == slot_id) {
            continue;
        }
        if let Some(kind) = old.kinds.get(usize::from(opening.kind)) {
            let mut opening = opening.clone();
            opening.kind = builder.kind(kind.clone());
            builder.entries.push((opening, slot_id.clone()));
        }
    }
    builder.take(offer, changed.iter().filter_map(|(_, slot)| slot.as_ref()));
    builder.finish()
}

/// The row of these slots.
pub(super) fn new_row<'a>(offer: &Offer, slots: impl Iterator<Item = &'a Arc<Slot>>) -> Row {
    let mut builder = RowBuilder::default();
    builder.take(offer, slots);
    builder.finish()
}

#[derive(Default)]
struct RowBuilder {
    kinds: Vec<OpeningKind>,
    entries: Vec<(Opening, SlotId)>,
}

impl RowBuilder {
    fn take<'a>(&mut self, offer: &Offer, slots: impl Iterator<Item = &'a Arc<Slot>>) {
        for slot in slots {
            let kind = self.kind(OpeningKind::new(&slot.traits, offer));
            self.entries.push((Opening::new(slot, kind), slot.id.clone()));
        }
    }

    fn kind(&mut self, kind: OpeningKind) -> u16 {
        let found = self.kinds.iter().position(|known| *known == kind);
        let index = found.unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    fn finish(mut self) -> Row {
        self.entries.sort_unstable_by(|(a, a_id), (b, b_id)| (a.start_at, a_id).cmp(&(b.start_at, b_id)));
        let longest_ms = self.entries.iter().map(|(o, _)| o.end_at.ms_since(o.start_at)).max().unwrap_or(0);
        let (openings, slot_ids): (Vec<_>, Vec<_>) = self.entries.into_iter().unzip();
        Row { kinds: self.kinds.into(), openings: openings.into(), slot_ids: slot_ids.into(), longest_ms }
    }
}
