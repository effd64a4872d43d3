//! A bookable interval with a capacity, and what it may become.
//!
//! Invariant: confirmed bookings and live holds never exceed the capacity, at any instant. Every transition is a pure
//! function from a slot and an instant to the next slot plus the time guards under which the ledger may take it; the
//! transitions stand in [`claim`] (regulation), [`publish`] (publishers) and [`quarantine`] (what the ledger lost).

pub mod claim;
pub mod attendance;
pub mod publish;
pub mod quarantine;
mod refusal;

use std::sync::Arc;

use super::code::{AppointmentType, ModalitySet, SpecialtySet, VisibilitySet};
use super::id::{ScheduleId, SlotId, TerritoryId};
use super::time::{UtcInstant, Window};

pub use attendance::{Attendance, AttendanceKind};
pub use claim::{Claim, ClaimState, NewHold, Transition};
pub use publish::{PublishRefusal, Published};
pub use quarantine::{Quarantine, Settlement, Verdict};
pub use refusal::ClaimRefusal;

/// What a slot shares with most others of its schedule; kept once for all of them.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct SlotTraits {
    /// How care may be given; never empty.
    pub modalities: ModalitySet,
    /// With or without appointment.
    pub appointment_type: AppointmentType,
    /// Who may see it; never empty.
    pub visibilities: VisibilitySet,
    /// Specialties of its own; empty to take the schedule's.
    pub specialties: SpecialtySet,
    /// Territories of its own; empty to take the schedule's.
    pub territories: Vec<TerritoryId>,
    /// Motives in the publisher's words.
    pub motives: Vec<Arc<str>>,
    /// Where it is booked by hand; empty to take the schedule's.
    pub booking_url: Arc<str>,
}

/// Whether a slot can be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum SlotState {
    /// While capacity remains.
    Open,
    /// The publisher took it back; bookings on it are to be re-placed.
    Withdrawn,
    /// The publisher dropped it but patients are booked or held: they stay, nobody else comes.
    Closed,
}

impl SlotState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Withdrawn, Self::Closed];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Withdrawn => "WITHDRAWN",
            Self::Closed => "CLOSED",
        }
    }

    /// The state with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Bookable interval with a capacity.
#[derive(Clone, PartialEq, Debug)]
pub struct Slot {
    /// The publisher's identifier.
    pub id: SlotId,
    /// Schedule to which it belongs.
    pub schedule_id: ScheduleId,
    /// When care is given.
    pub window: Window,
    /// How many patients it takes.
    pub capacity: u16,
    /// Whether it can be claimed.
    pub state: SlotState,
    /// What it shares with others.
    pub traits: Arc<SlotTraits>,
    /// Revision in which the source last stated it.
    pub source_revision: u64,
    /// When it was last received with a change.
    pub received_at: UtcInstant,
    /// When anything about it last changed.
    pub changed_at: UtcInstant,
    /// Holds and bookings, the oldest first; ended ones are kept up to [`claim::ENDED_CLAIMS_KEPT`], those of
    /// which it is known what became of them all.
    pub claims: Arc<[Claim]>,
}

impl Slot {
    /// Units that are confirmed, those to be re-placed included: rather lose a unit than book it twice.
    #[must_use]
    pub fn booked_count(&self) -> usize {
        self.claims.iter().filter(|claim| claim.is_booked()).count()
    }

    /// Units that are held at an instant.
    #[must_use]
    pub fn held_count(&self, now: UtcInstant) -> usize {
        self.claims.iter().filter(|claim| claim.is_live_hold(now)).count()
    }

    /// Units that are not to be had at an instant: booked, held or in quarantine.
    #[must_use]
    pub fn taken_count(&self, now: UtcInstant) -> usize {
        taken_count(&self.claims, now)
    }

    /// Patients that it still takes at an instant.
    #[must_use]
    pub fn remaining_count(&self, now: UtcInstant) -> usize {
        remaining_count(self.state, self.capacity, &self.claims, now)
    }

    /// First instant from which a unit is free if nothing else happens; see [`free_from`].
    #[must_use]
    pub fn free_from(&self) -> UtcInstant {
        free_from(self.state, self.capacity, &self.claims)
    }

    /// The end of the last hold that is over at an instant but not marked so: who counts on that must make sure that the
    /// ledger's own clock has reached it.
    #[must_use]
    pub fn over_by(&self, now: UtcInstant) -> Option<UtcInstant> {
        let over = self.claims.iter().filter(|claim| claim.state == ClaimState::Held && !claim.is_live_hold(now));
        over.map(|claim| claim.expires_at).max()
    }

    /// The claim with this identifier.
    #[must_use]
    pub fn claim(&self, id: super::id::ClaimId) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.id == id)
    }
}

/// Units that claims take at an instant.
fn taken_count(claims: &[Claim], now: UtcInstant) -> usize {
    let takes = |claim: &&Claim| claim.is_booked() || claim.state == ClaimState::Quarantined || claim.is_live_hold(now);
    claims.iter().filter(takes).count()
}

/// Patients that a slot of this state, capacity and claims still takes at an instant.
#[must_use]
pub fn remaining_count(state: SlotState, capacity: u16, claims: &[Claim], now: UtcInstant) -> usize {
    match state {
        SlotState::Open => usize::from(capacity).saturating_sub(taken_count(claims, now)),
        SlotState::Withdrawn | SlotState::Closed => 0,
    }
}

/// From when a unit is free that only a claim in quarantine takes: not until that is settled, which no clock does.
pub const FREE_ONCE_SETTLED: UtcInstant = UtcInstant::MAX.plus_ms(-1);

/// First instant from which a unit is free if nothing else happens: [`UtcInstant::MIN`] when one is free already, the end
/// of a hold when all are taken, [`UtcInstant::MAX`] when none will be, [`FREE_ONCE_SETTLED`] when none will be until a
/// quarantine ends.
///
/// For every instant `now`: `free_from() <= now` exactly when [`Slot::remaining_count`] is above 0.
#[must_use]
pub fn free_from(state: SlotState, capacity: u16, claims: &[Claim]) -> UtcInstant {
    if state != SlotState::Open {
        return UtcInstant::MAX;
    }
    let booked = claims.iter().filter(|claim| claim.is_booked()).count();
    let quarantined = claims.iter().filter(|claim| claim.state == ClaimState::Quarantined).count();
    let open = usize::from(capacity).saturating_sub(booked);
    if open == 0 {
        return UtcInstant::MAX;
    }
    let free = open.saturating_sub(quarantined);
    if free == 0 {
        return FREE_ONCE_SETTLED;
    }
    let holds = || claims.iter().filter(|claim| claim.state == ClaimState::Held);
    let count = holds().count();
    if count < free {
        return UtcInstant::MIN;
    }
    // Of the holds, the `free` that end last block; the slot is free when the first of those ends.
    let mut ends: Vec<UtcInstant> = holds().map(|claim| claim.expires_at).collect();
    ends.sort_unstable();
    ends.get(count - free).copied().unwrap_or(UtcInstant::MAX)
}

#[cfg(test)]
mod tests;
