//! The openings of a schedule, side by side in order of start, with the slots that they stand for.
//!
//! A row never changes: whatever becomes of a slot makes a new one.

use std::cmp::Ordering;

use super::packed::{PackedSlots, SlotView};
use super::{Offer, Practice, ReadAhead};
use crate::domain::code::{AppointmentType, ModalitySet, Visibility, VisibilitySet};
use crate::domain::id::ClaimId;
use crate::domain::slot::{Claim, SlotTraits, free_from};
use crate::domain::time::{UtcInstant, Window};

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
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// First instant.
    pub start_at: UtcInstant,
    free_from: UtcInstant,
    length_ms: u32,
    /// What it has in common with others.
    pub kind: OpeningKind,
}

impl Opening {
    fn new(slot: &SlotView<'_>, kind: OpeningKind) -> Self {
        Self {
            start_at: slot.window.start_at(),
            free_from: free_from(slot.state, slot.capacity, slot.claims()),
            // A slot lasts a day at most.
            length_ms: u32::try_from(slot.window.length_ms()).unwrap_or(u32::MAX),
            kind,
        }
    }

    /// First instant after it.
    #[must_use]
    #[inline]
    pub fn end_at(&self) -> UtcInstant {
        self.start_at.plus_ms(i64::from(self.length_ms))
    }

    /// First instant from which a unit is free; see [`free_from`].
    #[must_use]
    #[inline]
    pub fn free_from(&self) -> UtcInstant {
        self.free_from
    }

    fn window(&self) -> Option<Window> {
        Window::new(self.start_at, self.end_at()).ok()
    }
}

/// Openings up to which a row is walked from its start: memory that comes in order is sooner there than half as much
/// that does not.
const SHORT_ROW: usize = 48;

/// The openings of a schedule, in order of start, then identifier.
#[derive(Clone, Default, Debug)]
pub struct Row {
    openings: Box<[Opening]>,
    /// The slots, in the same order; apart, because matching only asks for those of the few that it keeps.
    slots: Box<PackedSlots>,
    /// Practices other than the offer's own.
    pub practices: Box<[Practice]>,
    /// Length of the longest opening, in milliseconds.
    longest_ms: u32,
}

impl Row {
    /// The row of these slots, in any order, of an offer; without one, as long as the schedule is not resolved, openings
    /// have no practice of their own.
    #[must_use]
    pub fn new(mut slots: Vec<SlotView<'_>>, offer: Option<&Offer>) -> Self {
        slots.sort_unstable_by(|a, b| (a.window.start_at(), a.id).cmp(&(b.window.start_at(), b.id)));
        let packed = PackedSlots::of(&slots);
        let (kinds, practices) = kinds_of(&packed, offer);
        let kind_of = |at| packed.traits_of(at).and_then(|traits| kinds.get(traits));
        let opening = |(at, slot)| kind_of(at).map(|kind| Opening::new(slot, *kind));
        let openings: Box<[Opening]> = slots.iter().enumerate().filter_map(opening).collect();
        let longest_ms = openings.iter().map(|opening| opening.length_ms).max().unwrap_or(0);
        Self { openings, slots: Box::new(packed), practices, longest_ms }
    }

    /// The same row of an offer.
    #[must_use]
    pub(super) fn resolved(mut self, offer: &Offer) -> Self {
        let (kinds, practices) = kinds_of(&self.slots, Some(offer));
        for (at, opening) in self.openings.iter_mut().enumerate() {
            if let Some(kind) = self.slots.traits_of(at).and_then(|traits| kinds.get(traits)) {
                opening.kind = *kind;
            }
        }
        Self { practices, ..self }
    }

    /// The openings.
    #[must_use]
    #[inline]
    pub fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// The slot of an opening.
    #[must_use]
    pub fn slot(&self, at: usize) -> Option<SlotView<'_>> {
        self.slots.view(at, self.slots.name(at)?, self.openings.get(at)?.window()?)
    }

    #[inline]
    pub(super) fn read_ahead(&self, at: usize, step: ReadAhead) -> usize {
        self.slots.read_ahead(at, step)
    }

    /// Patients that the slot of an opening still takes at an instant.
    #[must_use]
    pub fn remaining_count(&self, at: usize, now: UtcInstant) -> usize {
        self.slots.remaining_count(at, now)
    }

    /// Claims on any of its slots.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.slots.all_claims()
    }

    /// The slots, in the order of the openings.
    pub fn slots(&self) -> impl Iterator<Item = SlotView<'_>> {
        let named = self.openings.iter().zip(self.slots.names()).enumerate();
        named.filter_map(|(at, (opening, id))| self.slots.view(at, id, opening.window()?))
    }

    /// The slot with this identifier.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<SlotView<'_>> {
        self.slot(self.slots.find(id)?)
    }

    /// The slot with this claim.
    #[must_use]
    pub fn claimed(&self, id: ClaimId) -> Option<SlotView<'_>> {
        self.slot(self.slots.claimed(id)?)
    }

    /// The order by identifier of the slots of two openings, of two rows or of one.
    #[must_use]
    pub fn order_of_slots(&self, at: usize, other: &Self, other_at: usize) -> Ordering {
        self.slots.name(at).cmp(&other.slots.name(other_at))
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

/// The kinds of openings with the traits of these slots, and the practices among them that are not the offer's own.
fn kinds_of(slots: &PackedSlots, offer: Option<&Offer>) -> (Vec<OpeningKind>, Box<[Practice]>) {
    let mut practices = Vec::new();
    let kind = |traits: &SlotTraits| OpeningKind::new(traits, practice_number(traits, offer, &mut practices));
    let kinds = slots.traits().iter().map(|traits| &**traits).map(kind).collect();
    (kinds, practices.into())
}

/// The number of the practice of a slot with these traits: 0 for the offer's own.
fn practice_number(traits: &SlotTraits, offer: Option<&Offer>, others: &mut Vec<Practice>) -> u16 {
    let Some(offer) = offer else { return 0 };
    let practice = offer.practice_with(traits);
    if practice == offer.practice {
        return 0;
    }
    let found = others.iter().position(|known| *known == practice);
    let at = found.unwrap_or_else(|| {
        others.push(practice);
        others.len() - 1
    });
    // A slot of the 65,536th practice of one schedule is matched as the offer's own; its record says its own.
    u16::try_from(at + 1).unwrap_or(0)
}
