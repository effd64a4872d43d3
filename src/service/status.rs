//! How things stand: of the service, and of one schedule.
//!
//! Reads only, from memory. Deliberately absent: health over time, which is telemetry's.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use crate::domain::answer::Stamp;
use crate::domain::directory::Schedule;
use crate::domain::id::ScheduleId;
use crate::domain::record::{Position, Versioned};
use crate::domain::slot::Slot;
use crate::domain::time::{UtcInstant, Window};
use crate::index::Counts;
use crate::ledger::Overview;
use crate::road::RoadHealth;

use super::Service;
use super::condition::Condition;
use super::error::Error;

/// How the service stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Status {
    /// This process.
    pub instance_id: Uuid,
    /// Version of the program.
    pub version: &'static str,
    /// When the service was made.
    pub started_at: UtcInstant,
    /// Implementation of the ledger.
    pub ledger_kind: &'static str,
    /// What an acknowledged write survives, in plain words.
    pub durability: &'static str,
    /// The same as a stable code.
    pub durability_class: &'static str,
    /// The ledger and who shares it.
    pub ledger: Overview,
    /// Why writes are refused; `None` when they are accepted.
    pub refusal: Option<String>,
    /// What is not as it should be.
    pub conditions: Vec<Condition>,
    /// The state of which this is told.
    pub stamp: Stamp,
    /// How much is kept.
    pub counts: Counts,
    /// Slots that were held or booked beyond the clinical delay since the service was made.
    pub beyond_delay_count: u64,
    /// How road times stand; `None` when none are configured.
    pub roads: Option<RoadHealth>,
}

/// A schedule with its slots.
#[derive(Clone, PartialEq, Debug)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Arc<Schedule>,
    /// Its slots with their versions, in order of start, then identifier.
    pub slots: Vec<Versioned<Arc<Slot>>>,
    /// The state of which this is told.
    pub stamp: Stamp,
    /// The instant by which claims are to be judged.
    pub now: UtcInstant,
}

impl Service {
    /// How the service stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let parts = self.parts();
        Status {
            instance_id: parts.instance_id,
            version: parts.version,
            started_at: self.started_at(),
            ledger_kind: parts.ledger.kind(),
            durability: parts.ledger.durability(),
            durability_class: parts.ledger.durability_class(),
            ledger: parts.ledger.overview(),
            refusal: parts.ledger.health().refusal,
            conditions: self.conditions(),
            stamp: self.stamp(),
            counts: parts.index.counts(),
            beyond_delay_count: self.shared.beyond_delay_count.load(Ordering::Relaxed),
            roads: self.roads().map(|roads| roads.health(parts.clock.now())),
        }
    }

    /// The state from which answers are given now.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        let head = self.parts().index.head();
        // Asked after the head: who sees a change of policy there sees the policies too.
        self.stamp_at(head.max(self.policies().load().visible_at))
    }

    /// The state in which a write is visible.
    pub(super) fn stamp_at(&self, position: Position) -> Stamp {
        let answered_at = self.parts().clock.now();
        Stamp {
            position,
            answered_at,
            data_age_seconds: None,
            policy_version: Arc::clone(&self.policy().version),
            degraded: self.is_degraded(answered_at),
            durability_reduced: self.is_durability_reduced(),
        }
    }

    /// A schedule with its slots that start in a window, or all of them.
    ///
    /// # Errors
    /// When the schedule is unknown.
    pub fn schedule_view(&self, id: &ScheduleId, window: Option<Window>) -> Result<ScheduleView, Error> {
        let schedule = self.schedule(id)?;
        let is_wanted =
            |slot: &Versioned<Arc<Slot>>| window.is_none_or(|window| window.contains(slot.value.window.start_at()));
        let slots = self.parts().index.slots_of(id).into_iter().filter(is_wanted).collect();
        Ok(ScheduleView { schedule, slots, stamp: self.stamp(), now: self.parts().clock.now() })
    }
}
