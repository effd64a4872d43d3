//! The openings of a schedule, side by side in order of start, with the slots that they stand for.
//!
//! Claims change in place, so that readers see them at once; everything else makes a new row.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use arc_swap::ArcSwap;

use super::Practice;
use crate::domain::code::{AppointmentType, ModalitySet, Visibility, VisibilitySet};
use crate::domain::slot::{Slot, SlotTraits};
use crate::domain::time::UtcInstant;

/// What several openings of a schedule have in common, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpeningKind {
    /// 0 for the offer's own practice, else one more than its place in [`Row::practices`].
    pub practice: u16,
    modalities: ModalitySet,
    /// Who may see it, and in the bit after those whether it is without appointment.
    access: u8,
}

impl OpeningKind {
    const WALK_IN: u8 = 1 << Visibility::ALL.len();

    /// The kind of a slot with these traits, of this practice.
    #[must_use]
    pub const fn new(traits: &SlotTraits, practice: u16) -> Self {
        let walk_in = match traits.appointment_type {
            AppointmentType::Routine => 0,
            AppointmentType::Walkin => Self::WALK_IN,
        };
        Self { practice, modalities: traits.modalities, access: traits.visibilities.bits() | walk_in }
    }

    /// How care may be given.
    #[must_use]
    #[inline]
    pub const fn modalities(self) -> ModalitySet {
        self.modalities
    }

    /// With or without appointment.
    #[must_use]
    #[inline]
    pub const fn appointment_type(self) -> AppointmentType {
        if self.access & Self::WALK_IN == 0 { AppointmentType::Routine } else { AppointmentType::Walkin }
    }

    /// Who may see it.
    #[must_use]
    #[inline]
    pub const fn visibilities(self) -> VisibilitySet {
        VisibilitySet::from_bits(self.access)
    }
}

/// A slot as matching sees it.
#[derive(Debug)]
pub struct Opening {
    /// First instant.
    pub start_at: UtcInstant,
    free_from_ms: AtomicI64,
    length_ms: u32,
    /// What it has in common with others.
    pub kind: OpeningKind,
}

impl Opening {
    /// The opening of a slot of this kind.
    #[must_use]
    pub fn new(slot: &Slot, kind: OpeningKind) -> Self {
        let length_ms = slot.window.end_at().ms_since(slot.window.start_at());
        Self {
            start_at: slot.window.start_at(),
            free_from_ms: AtomicI64::new(slot.free_from().ms()),
            // A slot lasts a day at most.
            length_ms: u32::try_from(length_ms).unwrap_or(u32::MAX),
            kind,
        }
    }

    /// The same opening under another number of its practice.
    #[must_use]
    pub fn of_practice(&self, practice: u16) -> Self {
        let mut same = self.clone();
        same.kind.practice = practice;
        same
    }

    /// First instant after it.
    #[must_use]
    #[inline]
    pub fn end_at(&self) -> UtcInstant {
        self.start_at.plus_ms(i64::from(self.length_ms))
    }

    /// First instant from which a unit is free; see [`Slot::free_from`].
    #[must_use]
    #[inline]
    pub fn free_from(&self) -> UtcInstant {
        UtcInstant::from_ms(self.free_from_ms.load(Relaxed))
    }
}

impl Clone for Opening {
    fn clone(&self) -> Self {
        Self { free_from_ms: AtomicI64::new(self.free_from_ms.load(Relaxed)), ..*self }
    }
}

/// Openings up to which a row is walked from its start: memory that comes in order is sooner there than half as much
/// that does not.
const SHORT_ROW: usize = 48;

/// The openings of a schedule, in order of start, then identifier.
#[derive(Default, Debug)]
pub struct Row {
    openings: Box<[Opening]>,
    /// The slots, in the same order.
    slots: Box<[ArcSwap<Slot>]>,
    /// Practices other than the offer's own.
    pub practices: Box<[Practice]>,
    /// Length of the longest opening, in milliseconds.
    longest_ms: u32,
}

impl Row {
    /// A row of these openings and slots, in any order.
    #[must_use]
    pub fn new(mut entries: Vec<(Opening, Arc<Slot>)>, practices: Vec<Practice>) -> Self {
        entries.sort_unstable_by(|(a, a_slot), (b, b_slot)| (a.start_at, &a_slot.id).cmp(&(b.start_at, &b_slot.id)));
        let longest_ms = entries.iter().map(|(opening, _)| opening.length_ms).max().unwrap_or(0);
        let (openings, slots): (Vec<_>, Vec<_>) =
            entries.into_iter().map(|(opening, slot)| (opening, ArcSwap::new(slot))).unzip();
        Self { openings: openings.into(), slots: slots.into(), practices: practices.into(), longest_ms }
    }

    /// The openings.
    #[must_use]
    #[inline]
    pub fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// The slot of an opening, as it is now.
    #[must_use]
    pub fn slot(&self, at: usize) -> Option<Arc<Slot>> {
        self.slots.get(at).map(ArcSwap::load_full)
    }

    /// The slots as they are now, in the order of the openings.
    pub fn slots(&self) -> impl Iterator<Item = Arc<Slot>> {
        self.slots.iter().map(ArcSwap::load_full)
    }

    /// Where the opening of a slot stands.
    #[must_use]
    pub fn position(&self, slot: &Slot) -> Option<usize> {
        let start_at = slot.window.start_at();
        let from = self.openings.partition_point(|opening| opening.start_at < start_at);
        let beside = self.openings.iter().zip(&self.slots).enumerate().skip(from);
        let mut same_start = beside.take_while(|(_, (opening, _))| opening.start_at == start_at);
        same_start.find(|(_, (_, known))| known.load().id == slot.id).map(|(at, _)| at)
    }

    /// The order by identifier of the slots of two openings, of two rows or of one.
    #[must_use]
    pub fn order_of_slots(&self, at: usize, other: &Self, other_at: usize) -> Ordering {
        let (slot, other) = (self.slots.get(at).map(ArcSwap::load), other.slots.get(other_at).map(ArcSwap::load));
        slot.as_ref().map(|slot| &slot.id).cmp(&other.as_ref().map(|other| &other.id))
    }

    /// Takes over what became of a slot's claims.
    pub fn set_slot(&self, at: usize, slot: Arc<Slot>) {
        if let (Some(opening), Some(known)) = (self.openings.get(at), self.slots.get(at)) {
            opening.free_from_ms.store(slot.free_from().ms(), Relaxed);
            known.store(slot);
        }
    }

    /// Index of the first opening that may still run at an instant.
    #[must_use]
    #[inline]
    pub fn first_running_at(&self, at: UtcInstant) -> usize {
        let from = at.plus_ms(-i64::from(self.longest_ms));
        if self.openings.len() > SHORT_ROW {
            return self.openings.partition_point(|opening| opening.start_at < from);
        }
        self.openings.iter().take_while(|opening| opening.start_at < from).count()
    }
}

impl Clone for Row {
    fn clone(&self) -> Self {
        Self {
            openings: self.openings.clone(),
            slots: self.slots().map(ArcSwap::new).collect(),
            practices: self.practices.clone(),
            longest_ms: self.longest_ms,
        }
    }
}
