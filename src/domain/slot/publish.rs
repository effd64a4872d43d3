//! What publishers do to a slot: state it, state it again, drop it, withdraw it.

use std::sync::Arc;

use super::claim::{Claim, ClaimState};
use super::{Slot, SlotState, SlotTraits};
use crate::domain::id::{ScheduleId, SlotId};
use crate::domain::time::{UtcInstant, Window};

/// What a publisher says of a slot.
#[derive(Clone, PartialEq, Debug)]
pub struct Published {
    /// The publisher's identifier.
    pub id: SlotId,
    /// Schedule to which it belongs.
    pub schedule_id: ScheduleId,
    /// When care is given.
    pub window: Window,
    /// How many patients it takes.
    pub capacity: u16,
    /// The rest.
    pub traits: Arc<SlotTraits>,
}

/// Why a slot refuses its publisher.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PublishRefusal {
    /// The identifier names a slot of another schedule.
    #[error("the slot identifier is in use in schedule `{0}`: give the slot another one")]
    OtherSchedule(ScheduleId),
    /// Patients rely on what would change.
    #[error(
        "{booked} booked and {held} held patients rely on the slot: withdraw it instead, so that they are re-placed"
    )]
    Claimed {
        /// Confirmed bookings.
        booked: usize,
        /// Live holds.
        held: usize,
    },
    /// Fewer units than are taken.
    #[error("capacity {capacity} is below the {taken} units that are booked or held")]
    BelowClaims {
        /// Capacity that was asked for.
        capacity: u16,
        /// Units taken.
        taken: usize,
    },
}

impl Slot {
    /// A slot that was not there before.
    #[must_use]
    pub fn from_published(published: Published, source_revision: u64, now: UtcInstant) -> Self {
        let Published { id, schedule_id, window, capacity, traits } = published;
        Self {
            id,
            schedule_id,
            window,
            capacity,
            state: SlotState::Open,
            traits,
            source_revision,
            received_at: now,
            changed_at: now,
            claims: Arc::default(),
        }
    }

    /// Takes what the publisher says anew; `None` when that changes nothing.
    ///
    /// # Errors
    /// When the slot belongs to another schedule, or claimed units would be moved or lost.
    pub fn republish(
        &self,
        published: &Published,
        source_revision: u64,
        now: UtcInstant,
    ) -> Result<Option<Self>, PublishRefusal> {
        let Published { id: _, schedule_id, window, capacity, traits } = published;
        if self.schedule_id != *schedule_id {
            return Err(PublishRefusal::OtherSchedule(self.schedule_id.clone()));
        }
        let same_care = self.window == *window
            && self.traits.modalities == traits.modalities
            && self.traits.appointment_type == traits.appointment_type;
        if same_care && self.capacity == *capacity && self.traits == *traits && self.state == SlotState::Open {
            return Ok(None);
        }
        // Who is lost may come all the same.
        let (booked, held) = (self.booked_count() + self.quarantined_count(), self.held_count(now));
        if !same_care && booked + held > 0 {
            return Err(PublishRefusal::Claimed { booked, held });
        }
        if usize::from(*capacity) < booked + held {
            return Err(PublishRefusal::BelowClaims { capacity: *capacity, taken: booked + held });
        }
        let mut next = self.clone();
        next.window = *window;
        next.capacity = *capacity;
        next.traits = Arc::clone(traits);
        next.state = SlotState::Open;
        next.source_revision = source_revision;
        next.received_at = now;
        next.changed_at = now;
        Ok(Some(next))
    }

    /// Takes the slot back: nothing new is claimed, bookings are to be re-placed unless it is known what
    /// became of them, quarantines stay; `None` when it already was.
    #[must_use]
    pub fn withdraw(&self, source_revision: u64, now: UtcInstant) -> Option<Self> {
        if self.state == SlotState::Withdrawn {
            return None;
        }
        let mut next = self.clone();
        let mut claims = self.claims.to_vec();
        // Of whom it is known what became is not to be re-placed any more.
        let is_awaited = |claim: &&mut Claim| claim.state == ClaimState::Booked && claim.attendance.is_none();
        for claim in claims.iter_mut().filter(is_awaited) {
            claim.state = ClaimState::ToReplace;
            claim.changed_at = now;
        }
        next.set_claims(claims, None, now);
        next.state = SlotState::Withdrawn;
        next.source_revision = source_revision;
        next.received_at = now;
        Some(next)
    }

    /// Drops the slot from a replaced schedule: withdrawn when nobody relies on it, else closed so that those who do
    /// stay; `None` when it already stands so.
    #[must_use]
    pub fn drop_from_schedule(&self, source_revision: u64, now: UtcInstant) -> Option<Self> {
        if self.taken_count(now) == 0 {
            return self.withdraw(source_revision, now);
        }
        if self.state != SlotState::Open {
            return None;
        }
        let mut next = self.clone();
        next.state = SlotState::Closed;
        next.source_revision = source_revision;
        next.received_at = now;
        next.changed_at = now;
        Some(next)
    }
}
