//! One schedule in the index: what is known of it, and its openings, both swapped in whole.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use super::group;
use super::search::Reach;
use super::tick::{TickBits, ticks_of};
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, Modality, ModalitySet, ProfessionSet, SpecialtySet, VisibilitySet,
};
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

/// What a schedule offers, or a question asks for, as bits: ways of care (modality by appointment type), visibilities,
/// and services (specialties and professions, several of which may share a bit).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ways(pub(super) u64);

impl Ways {
    const CARE: u64 = 0x3F;
    const VISIBILITY_SHIFT: u32 = 6;
    const VISIBILITY: u64 = 0xF << Self::VISIBILITY_SHIFT;
    const SPECIALTY_SHIFT: u8 = 16;
    const PROFESSION_SHIFT: u8 = 48;
    const SERVICE: u64 = !0 << Self::SPECIALTY_SHIFT;
    /// Nobody said which specialty, which general practice takes.
    const UNSPECIFIED: u64 = 1 << 63;

    /// What is asked for.
    pub(super) fn asked(reach: &Reach) -> Self {
        let general = reach.specialties.iter().any(|specialty| specialty.is_general_practice());
        Self::care(reach.modalities, reach.appointment_types, reach.visibilities)
            .union(Self::services(reach.specialties, reach.professions))
            .union(Self(if general { Self::UNSPECIFIED } else { 0 }))
    }

    /// What a kind of opening offers.
    pub(super) fn offered(kind: &OpeningKind) -> Self {
        Self::care(kind.modalities, AppointmentTypeSet::of(&[kind.appointment_type]), kind.visibilities)
            .union(Self::services(kind.specialties, kind.professions))
            .union(Self(if kind.is_unspecified() { Self::UNSPECIFIED } else { 0 }))
    }

    fn care(modalities: ModalitySet, types: AppointmentTypeSet, visibilities: VisibilitySet) -> Self {
        let routine = if types.contains(AppointmentType::Routine) { u64::from(modalities.bits()) } else { 0 };
        let walk_in = if types.contains(AppointmentType::Walkin) { u64::from(modalities.bits()) } else { 0 };
        Self(routine | walk_in << 3 | u64::from(visibilities.bits()) << Self::VISIBILITY_SHIFT)
    }

    fn services(specialties: SpecialtySet, professions: ProfessionSet) -> Self {
        let by_specialty = specialties.iter().map(|specialty| Self::SPECIALTY_SHIFT + specialty.index() % 32);
        let by_profession = professions.iter().map(|profession| Self::PROFESSION_SHIFT + profession.index() % 15);
        Self(by_specialty.chain(by_profession).fold(0, |bits, bit| bits | 1_u64 << bit))
    }

    /// Whether something of one might suit the other.
    #[inline]
    pub(super) const fn may_suit(self, asked: Self) -> bool {
        let common = self.0 & asked.0;
        common & Self::CARE != 0 && common & Self::VISIBILITY != 0 && common & Self::SERVICE != 0
    }

    /// Whether home visits are among the ways.
    #[inline]
    pub(super) fn home_visits(self) -> bool {
        let bit = u64::from(ModalitySet::of(&[Modality::Hh]).bits());
        self.0 & (bit | bit << 3) != 0
    }

    const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
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
