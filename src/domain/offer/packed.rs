//! The slots of one schedule in few bytes: what they have in common stands once, also what their identifiers begin with.
//!
//! A million slots as values of their own would be three million allocations; packed they are five a schedule, read in
//! order. What is packed never changes. Deliberately absent: windows, which stand in the openings beside.

use std::sync::Arc;

use super::ReadAhead;
use super::name::SlotName;
use crate::domain::id::{ClaimId, ScheduleId};
use crate::domain::record::Versioned;
use crate::domain::slot::{Claim, Slot, SlotState, SlotTraits, remaining_count};
use crate::domain::time::{UtcInstant, Window};

/// How far back a value is looked for before it is kept again: neighbours mostly share theirs.
const LOOK_BACK: usize = 8;

/// A slot where it stands, so that copying it into another row makes nothing.
#[derive(Clone, Copy, Debug)]
pub struct SlotView<'a> {
    /// The publisher's identifier.
    pub id: SlotName<'a>,
    /// When care is given.
    pub window: Window,
    /// How many patients it takes.
    pub capacity: u16,
    /// Whether it can be claimed.
    pub state: SlotState,
    /// What it shares with others.
    pub traits: &'a Arc<SlotTraits>,
    /// What was last said of it.
    pub statement: Statement,
    /// Holds and bookings; absent when there are none.
    pub claims: Option<&'a Arc<[Claim]>>,
}

/// Which version of a slot stands, and who said so when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// Version of the record.
    pub version: u64,
    /// Revision in which the source last stated it.
    pub source_revision: u64,
    /// When it was last received with a change.
    pub received_at: UtcInstant,
    /// When anything about it last changed.
    pub changed_at: UtcInstant,
}

impl<'a> SlotView<'a> {
    /// That of a slot.
    #[must_use]
    pub fn of(slot: &'a Versioned<Arc<Slot>>) -> Self {
        let Versioned { version, value } = slot;
        let Slot { id, schedule_id: _, window, capacity, state, traits, .. } = &**value;
        let Slot { source_revision, received_at, changed_at, claims, .. } = &**value;
        let (version, source_revision) = (*version, *source_revision);
        Self {
            id: SlotName::of(id),
            window: *window,
            capacity: *capacity,
            state: *state,
            traits,
            statement: Statement { version, source_revision, received_at: *received_at, changed_at: *changed_at },
            claims: Some(claims).filter(|claims| !claims.is_empty()),
        }
    }

    /// The slot itself, of its schedule.
    #[must_use]
    pub fn to_slot(&self, schedule_id: &ScheduleId) -> Versioned<Arc<Slot>> {
        let Self { id, window, capacity, state, traits, statement, claims } = self;
        let slot = Slot {
            id: id.to_slot_id(),
            schedule_id: schedule_id.clone(),
            window: *window,
            capacity: *capacity,
            state: *state,
            traits: Arc::clone(traits),
            source_revision: statement.source_revision,
            received_at: statement.received_at,
            changed_at: statement.changed_at,
            claims: claims.cloned().unwrap_or_default(),
        };
        Versioned { version: statement.version, value: Arc::new(slot) }
    }

    /// Its claims, the oldest first.
    #[must_use]
    pub fn claims(&self) -> &'a [Claim] {
        self.claims.map_or(&[], |claims| claims)
    }
}

/// What one slot has alone.
#[derive(Clone, Copy, Debug)]
struct Facts {
    traits: u32,
    statement: u32,
    capacity: u16,
    state: SlotState,
    /// Bytes of its identifier after those that all have in common: an identifier has 128 at most.
    name_length: u8,
}

/// Slots without their windows, in the order in which they were packed.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedSlots {
    /// What all identifiers begin with, then what each goes on with.
    names: Box<str>,
    common_length: u8,
    facts: Box<[Facts]>,
    traits: Box<[Arc<SlotTraits>]>,
    statements: Box<[Statement]>,
    /// Claims of those that have any, by place.
    claims: Box<[(u32, Arc<[Claim]>)]>,
}

impl PackedSlots {
    pub(super) fn of(slots: &[SlotView<'_>]) -> Self {
        let common = SlotName::common_length(slots.iter().map(|slot| slot.id));
        let rest_length: usize = slots.iter().map(|slot| slot.id.len() - common).sum();
        let mut names = String::with_capacity(common + rest_length);
        names.extend(slots.first().map(|slot| slot.id.first(common)).into_iter().flatten());
        let (mut traits, mut statements, mut claims) = (Vec::new(), Vec::new(), Vec::new());
        let mut facts = Vec::with_capacity(slots.len());
        for (at, slot) in slots.iter().enumerate() {
            names.extend(slot.id.after(common));
            let same_traits = |known: &Arc<SlotTraits>| Arc::ptr_eq(known, slot.traits) || known == slot.traits;
            facts.push(Facts {
                traits: place_of(&mut traits, same_traits, || Arc::clone(slot.traits)),
                statement: place_of(&mut statements, |known| *known == slot.statement, || slot.statement),
                capacity: slot.capacity,
                state: slot.state,
                name_length: length(slot.id.len() - common),
            });
            claims.extend(slot.claims.map(|claims| (number(at), Arc::clone(claims))));
        }
        Self {
            names: names.into(),
            common_length: length(common),
            facts: facts.into(),
            traits: traits.into(),
            statements: statements.into(),
            claims: claims.into(),
        }
    }

    /// What the slots share, each once or a few times.
    pub(super) fn traits(&self) -> &[Arc<SlotTraits>] {
        &self.traits
    }

    /// Which of [`Self::traits`] a slot has.
    pub(super) fn traits_of(&self, at: usize) -> Option<usize> {
        self.facts.get(at).map(|facts| index(facts.traits))
    }

    /// The identifiers, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = SlotName<'_>> {
        let (common, rest) = self.names.split_at_checked(usize::from(self.common_length)).unwrap_or_default();
        let mut start = 0;
        self.facts.iter().map(move |facts| {
            let end = start + usize::from(facts.name_length);
            let name = SlotName::new(common, rest.get(start..end).unwrap_or_default());
            start = end;
            name
        })
    }

    /// The identifier of one: the lengths of those before it tell where it stands.
    pub(super) fn name(&self, at: usize) -> Option<SlotName<'_>> {
        let (common, rest) = self.names.split_at_checked(usize::from(self.common_length))?;
        let start = self.facts.get(..at)?.iter().map(|facts| usize::from(facts.name_length)).sum();
        let end = start + usize::from(self.facts.get(at)?.name_length);
        Some(SlotName::new(common, rest.get(start..end)?))
    }

    /// Where the slot with this identifier stands.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        let (common, rest) = self.names.split_at_checked(usize::from(self.common_length))?;
        let (wanted, mut start) = (id.strip_prefix(common)?, 0);
        self.facts.iter().position(|facts| {
            let end = start + usize::from(facts.name_length);
            let is_wanted = end - start == wanted.len() && rest.get(start..end) == Some(wanted);
            start = end;
            is_wanted
        })
    }

    /// Where the slot with this claim stands.
    pub(super) fn claimed(&self, id: ClaimId) -> Option<usize> {
        let has_it = |(_, claims): &&(u32, Arc<[Claim]>)| claims.iter().any(|claim| claim.id == id);
        self.claims.iter().find(has_it).map(|(at, _)| index(*at))
    }

    /// The slot at a place, of this identifier and window.
    pub(super) fn view<'a>(&'a self, at: usize, id: SlotName<'a>, window: Window) -> Option<SlotView<'a>> {
        let facts = self.facts.get(at)?;
        Some(SlotView {
            id,
            window,
            capacity: facts.capacity,
            state: facts.state,
            traits: self.traits.get(index(facts.traits))?,
            statement: *self.statements.get(index(facts.statement))?,
            claims: self.claims(at),
        })
    }

    #[inline]
    pub(super) fn read_ahead(&self, at: usize, step: ReadAhead) -> usize {
        match step {
            ReadAhead::Records => self.facts.len(),
            ReadAhead::Texts => {
                let Some(facts) = self.facts.get(at) else { return 0 };
                // About where its identifier stands.
                let near = self.names.len() * at / self.facts.len().max(1);
                let text = self.names.as_bytes().get(near).copied().unwrap_or(0);
                let traits = self.traits.get(index(facts.traits)).map_or(0, |traits| traits.territories.len());
                let statement = self.statements.get(index(facts.statement)).map_or(0, |said| said.version);
                usize::from(text) ^ traits ^ usize::from(statement == 0)
            }
        }
    }

    /// Patients that a slot still takes at an instant.
    pub(super) fn remaining_count(&self, at: usize, now: UtcInstant) -> usize {
        let claims = self.claims(at).map_or(&[][..], |claims| claims);
        self.facts.get(at).map_or(0, |facts| remaining_count(facts.state, facts.capacity, claims, now))
    }

    /// Claims on any of them.
    pub(super) fn all_claims(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().flat_map(|(_, claims)| claims.iter())
    }

    fn claims(&self, at: usize) -> Option<&Arc<[Claim]>> {
        let claimed = self.claims.binary_search_by_key(&number(at), |(at, _)| *at).ok()?;
        self.claims.get(claimed).map(|(_, claims)| claims)
    }
}

/// The place of a value, which is kept when none of the last few is the same.
fn place_of<T>(known: &mut Vec<T>, is_same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> u32 {
    let near = known.iter().enumerate().rev().take(LOOK_BACK).find(|(_, known)| is_same(known)).map(|(at, _)| at);
    number(near.unwrap_or_else(|| {
        known.push(make());
        known.len() - 1
    }))
}

/// Four bytes for a place or length within one schedule, whose slots are never near that many.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// One byte for a length within an identifier.
fn length(bytes: usize) -> u8 {
    u8::try_from(bytes).unwrap_or(u8::MAX)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
