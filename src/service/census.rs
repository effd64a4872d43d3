//! The slots counted: by territory, state and visibility, how full today is, and the holds that live or ended.
//!
//! Invariant: one pass over all schedules at most every [`CENSUS_KEPT_MS`], and only when somebody asks; no question waits for it.
//! A hold that ends is noticed by nobody at that moment (expiry is judged when read), so it is counted by the first pass after
//! its end. Every instance counts the holds that ended in the ledger that it shows: do not add them up over instances.
//! Deliberately absent: slots of schedules that name something unknown, which no question sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Service;
use super::limits::CENSUS_KEPT_MS;
use crate::domain::code::VisibilitySet;
use crate::domain::id::TerritoryId;
use crate::domain::offer::{Offer, SlotView};
use crate::domain::slot::{Claim, ClaimState, SlotState};
use crate::domain::time::{MS_PER_DAY, UtcInstant, civil_date};

/// How a slot that is not over stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum SlotStanding {
    /// A unit is free.
    Free,
    /// None is free, and one will be when a hold ends.
    Held,
    /// None is free.
    Booked,
    /// It was taken back, or nobody else may come.
    Closed,
}

impl SlotStanding {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Booked => "booked",
            Self::Closed => "closed",
        }
    }
}

/// Slots of one sort: of a territory (absent where a slot has none), standing so, seen by these.
pub type SlotSort = (Option<TerritoryId>, SlotStanding, VisibilitySet);

/// Units of slots that begin today.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fill {
    /// Units that are booked.
    pub booked: u64,
    /// All units that were offered.
    pub units: u64,
}

/// What was counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Slots that are not over; one of several territories counts in each.
    pub slots: BTreeMap<SlotSort, u64>,
    /// How full the slots of each territory are that begin today, by the day of their place.
    pub fill: BTreeMap<TerritoryId, Fill>,
    /// Holds that live.
    pub live_holds: u64,
    /// Holds that ended without confirmation or release since the service was made.
    pub expired_holds: u64,
}

/// The last census.
#[derive(Default)]
pub(super) struct CensusKept(Mutex<Option<Kept>>);

struct Kept {
    taken_at: UtcInstant,
    /// Until when ended holds are counted; a clock that is set back does not count them again.
    counted_until: UtcInstant,
    census: Arc<Census>,
}

/// One pass.
struct Pass {
    now: UtcInstant,
    /// When the last one was made: holds that ended since are counted.
    since: UtcInstant,
    census: Census,
}

impl Service {
    /// The slots, counted at most [`CENSUS_KEPT_MS`] ago. It looks at every schedule: for operations, not on the way of a question.
    #[must_use]
    pub fn census(&self) -> Arc<Census> {
        let now = self.parts().clock.now();
        let mut kept = self.shared.census.0.lock();
        let (since, expired_holds) = match &*kept {
            Some(last) if (0..CENSUS_KEPT_MS).contains(&now.ms_since(last.taken_at)) => {
                return Arc::clone(&last.census);
            }
            Some(last) => (last.counted_until, last.census.expired_holds),
            None => (self.started_at(), 0),
        };
        let mut pass = Pass { now, since, census: Census { expired_holds, ..Census::default() } };
        self.parts().index.each_offer(|offer| pass.count(offer));
        let census = Arc::new(pass.census);
        *kept = Some(Kept { taken_at: now, counted_until: now.max(since), census: Arc::clone(&census) });
        census
    }
}

impl Pass {
    fn count(&mut self, offer: &Offer) {
        for (opening, slot) in offer.row.openings().iter().zip(offer.row.slots()) {
            self.count_claims(slot.claims());
            let territories = &offer.practice_of(opening.kind).territories;
            if slot.window.end_at() > self.now {
                let sort = (standing(&slot, self.now), opening.kind.visibilities());
                let named = territories.iter().copied().map(Some);
                let unnamed = territories.is_empty().then_some(None);
                for territory in named.chain(unnamed) {
                    *self.census.slots.entry((territory, sort.0, sort.1)).or_default() += 1;
                }
            }
            if self.begins_today(offer, slot.window.start_at()) {
                let fill = fill_of(&slot);
                for territory in territories {
                    let sum = self.census.fill.entry(*territory).or_default();
                    (sum.booked, sum.units) = (sum.booked + fill.booked, sum.units + fill.units);
                }
            }
        }
    }

    fn count_claims(&mut self, claims: &[Claim]) {
        for claim in claims {
            let ended_since = self.since < claim.expires_at && claim.expires_at <= self.now;
            self.census.live_holds += u64::from(claim.is_live_hold(self.now));
            self.census.expired_holds += u64::from(ended_since && claim.state_at(self.now) == ClaimState::Expired);
        }
    }

    fn begins_today(&self, offer: &Offer, start_at: UtcInstant) -> bool {
        // A civil day is looked up only near today: that costs more than all else here.
        let is_near = start_at.ms_since(self.now).abs() <= MS_PER_DAY;
        let zone = offer.place.zone;
        is_near && civil_date(zone, start_at) == civil_date(zone, self.now)
    }
}

fn standing(slot: &SlotView<'_>, now: UtcInstant) -> SlotStanding {
    if slot.state != SlotState::Open {
        return SlotStanding::Closed;
    }
    let taken = |is_taken: fn(&Claim) -> bool| slot.claims().iter().filter(|claim| is_taken(claim)).count();
    let lasting = taken(|claim| claim.is_booked() || claim.state == ClaimState::Quarantined);
    let held = slot.claims().iter().filter(|claim| claim.is_live_hold(now)).count();
    let units = usize::from(slot.capacity);
    if lasting >= units {
        SlotStanding::Booked
    } else if lasting + held >= units {
        SlotStanding::Held
    } else {
        SlotStanding::Free
    }
}

/// A slot that is closed offers what is booked; one that was withdrawn, nothing.
fn fill_of(slot: &SlotView<'_>) -> Fill {
    let booked = slot.claims().iter().filter(|claim| claim.is_booked()).count();
    let booked = u64::try_from(booked).unwrap_or(u64::MAX);
    match slot.state {
        SlotState::Open => Fill { booked, units: u64::from(slot.capacity).max(booked) },
        SlotState::Closed => Fill { booked, units: booked },
        SlotState::Withdrawn => Fill::default(),
    }
}
