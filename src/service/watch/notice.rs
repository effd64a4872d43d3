//! What a changed schedule might mean to watches, worked out once for all of them.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::domain::code::{Modality, ModalitySet};
use crate::domain::geo::EarthVector;
use crate::domain::id::ScheduleId;
use crate::domain::offer::{Offer, Practice};
use crate::domain::slot::FREE_ONCE_SETTLED;
use crate::domain::time::UtcInstant;

/// The soonest openings of a schedule that are free from one instant on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Start {
    /// From when they are free: [`UtcInstant::MIN`] for now, else the end of a hold.
    pub(super) free_from: UtcInstant,
    /// When the soonest begins for which somebody travels.
    pub(super) place_at: Option<UtcInstant>,
    /// When the soonest teleconsultation begins.
    pub(super) remote_at: Option<UtcInstant>,
}

/// A changed schedule.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) schedule_id: ScheduleId,
    /// Where it is.
    pub(super) vector: Option<EarthVector>,
    /// What can be had of it, now or when holds end.
    pub(super) starts: SmallVec<[Start; 4]>,
    offer: Option<Arc<Offer>>,
}

impl Notice {
    /// What a schedule has to offer from an instant on; nothing when it is not there any more.
    pub(super) fn of(schedule_id: ScheduleId, offer: Option<Arc<Offer>>, now: UtcInstant) -> Self {
        let vector = offer.as_ref().and_then(|offer| offer.vector);
        let starts = offer.as_ref().map(|offer| starts(offer, now)).unwrap_or_default();
        Self { schedule_id, vector, starts, offer }
    }

    /// In what care is given.
    pub(super) fn practices(&self) -> impl Iterator<Item = &Practice> {
        self.offer.iter().flat_map(|offer| offer.row.practices.iter().chain([&offer.practice]))
    }

    /// When the soonest teleconsultation begins, held ones included.
    pub(super) fn remote_at(&self) -> Option<UtcInstant> {
        self.starts.iter().filter_map(|start| start.remote_at).min()
    }
}

fn starts(offer: &Offer, now: UtcInstant) -> SmallVec<[Start; 4]> {
    let mut starts: SmallVec<[Start; 4]> = SmallVec::new();
    let first = offer.row.first_running_at(now);
    for opening in offer.row.openings().iter().skip(first) {
        if opening.end_at() <= now || opening.free_from() >= FREE_ONCE_SETTLED {
            continue;
        }
        let free_from = if opening.free_from() <= now { UtcInstant::MIN } else { opening.free_from() };
        let modalities = opening.kind.modalities();
        let by_place = modalities.intersects(ModalitySet::of(&[Modality::Amb, Modality::Hh]));
        let at = Some(opening.start_at);
        let (place_at, remote_at) = (at.filter(|_| by_place), at.filter(|_| modalities.contains(Modality::Vr)));
        match starts.iter_mut().find(|start| start.free_from == free_from) {
            // Openings come in order of start, so the first of each sort is the soonest.
            Some(start) => {
                start.place_at = start.place_at.or(place_at);
                start.remote_at = start.remote_at.or(remote_at);
            }
            None => starts.push(Start { free_from, place_at, remote_at }),
        }
    }
    starts
}
