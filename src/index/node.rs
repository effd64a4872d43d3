//! One schedule in the index: what is known of it with its openings, swapped in whole, and where it stands.

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::group;
use super::tick::{TickBits, is_tick_start, ring_index, ticks_of};
use super::ways::Ways;
use crate::domain::code::{AppointmentType, Modality, ModalitySet};
use crate::domain::geo::GeoPoint;
use crate::domain::id::ScheduleId;
use crate::domain::offer::{Offer, Row, Territories};
use crate::domain::slot::FREE_ONCE_SETTLED;
use crate::domain::time::UtcInstant;

/// A schedule, by a pointer that stays the same while it is kept.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: ScheduleId,
    pub(super) number: u32,
    offer: ArcSwapOption<Offer>,
    /// Slots that wait until the schedule is resolved.
    waiting: ArcSwapOption<Row>,
}

impl Node {
    pub(super) fn new(id: ScheduleId, number: u32) -> Self {
        Self { id, number, offer: ArcSwapOption::empty(), waiting: ArcSwapOption::empty() }
    }

    /// What is known of it; `None` until all that it names is known.
    pub(super) fn offer(&self) -> Option<Arc<Offer>> {
        self.offer.load_full()
    }

    /// The same without a count on it, for as long as the guard lives.
    #[inline]
    pub(super) fn peek(&self) -> arc_swap::Guard<Option<Arc<Offer>>> {
        self.offer.load()
    }

    /// Looks at its slots, whether it is resolved or not.
    pub(super) fn look<T>(&self, at: impl Fn(&Row) -> Option<T>) -> Option<T> {
        let placed = || self.offer.load().as_ref().and_then(|offer| at(&offer.row));
        // They are put where they go before they leave where they were; meanwhile they may have moved once.
        placed().or_else(|| self.waiting.load().as_ref().and_then(|row| at(row))).or_else(placed)
    }

    /// Gives it what is known of it now.
    pub(super) fn resolve(&self, offer: Arc<Offer>) {
        self.offer.store(Some(offer));
        if self.waiting.load().is_some() {
            self.waiting.store(None);
        }
    }

    /// Lets its slots wait: something that it names is not known.
    pub(super) fn wait(&self, row: Row) {
        self.waiting.store(Some(Arc::new(row)));
        self.offer.store(None);
    }

    /// Takes its slots out of waiting; until it is resolved with them they stand nowhere.
    pub(super) fn take_waiting(&self) -> Option<Row> {
        self.waiting.swap(None).map(Arc::unwrap_or_clone)
    }

    /// Its slots while they wait.
    pub(super) fn waiting(&self) -> Option<Arc<Row>> {
        self.waiting.load_full()
    }
}

/// Where a schedule stands and what the filters say of it, all derived from its offer.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Standing {
    /// Where it is on Earth; without a position it is found by time only.
    pub(super) position: Option<GeoPoint>,
    /// Groups of care, one bit each.
    pub(super) groups: u16,
    pub(super) ways: Ways,
    /// When the source last stated it, by which it is doubted.
    pub(super) received_at: UtcInstant,
    pub(super) ticks: TickBits,
    /// Places of the ring at which teleconsultation could begin, sorted.
    pub(super) remote_ticks: Vec<u16>,
    /// Territories of its openings, sorted.
    pub(super) territories: Territories,
}

impl Standing {
    /// That of a schedule which is not known, or has no openings.
    pub(super) fn nowhere() -> Self {
        Self {
            position: None,
            groups: 0,
            ways: Ways::default(),
            received_at: UtcInstant::MIN,
            ticks: TickBits::default(),
            remote_ticks: Vec::new(),
            territories: Territories::new(),
        }
    }

    pub(super) fn of(offer: &Offer) -> Self {
        // While a lease says whether the source is there, the age of its word says nothing.
        let received_at = if offer.pulse.is_leased() { UtcInstant::MAX } else { offer.received_at };
        let position = offer.place.position;
        let mut standing = Self { position, received_at, ..Self::nowhere() };
        let by_place = ModalitySet::of(&[Modality::Amb, Modality::Hh]);
        let (mut last, mut on_ticks) = (None, true);
        for opening in offer.row.openings() {
            let kind = opening.kind;
            // Neighbouring openings mostly are of one kind.
            if last != Some(kind) {
                last = Some(kind);
                let practice = offer.practice_of(kind);
                // Where a schedule stands must not move with every booking: all openings count, claimable or not.
                standing.groups |=
                    group::standing(practice.specialties, practice.professions, practice.is_unspecified());
                standing.ways = standing.ways.union(Ways::offered(kind, practice));
                standing.territories.extend(practice.territories.iter().copied());
            }
            on_ticks &= is_tick_start(opening.start_at) && kind.appointment_type() == AppointmentType::Routine;
            if opening.free_from() >= FREE_ONCE_SETTLED {
                continue;
            }
            for tick in ticks_of(opening) {
                if kind.modalities().intersects(by_place) {
                    standing.ticks.insert(tick);
                }
                if kind.modalities().contains(Modality::Vr) {
                    standing.remote_ticks.push(u16::try_from(ring_index(tick)).unwrap_or(0));
                }
            }
        }
        if on_ticks {
            standing.ways = standing.ways.with_appointments_on_ticks();
        }
        standing.remote_ticks.sort_unstable();
        standing.remote_ticks.dedup();
        standing.territories.sort_unstable();
        standing.territories.dedup();
        standing
    }
}
