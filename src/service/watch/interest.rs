//! What a watch listens for: the schedules it shows, its case, the area around its patient, and until when an opening would
//! matter.
//!
//! Invariant: a change that could alter which options are shown is of interest. The reverse need not hold: a test that lets
//! too much through costs an answer in vain, no more.

use super::notice::Notice;
use crate::domain::answer::CareAnswer;
use crate::domain::code::{Modality, ModalitySet, ProfessionSet, SpecialtySet};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::id::{CaseId, ScheduleId};
use crate::domain::offer::Practice;
use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;
use crate::service::find::Finder;
use crate::service::limits::{WATCH_PREFERRED_MAX, WATCH_RECHECK_MS};

/// A circle on the map.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Area {
    pub(super) center: GeoPoint,
    pub(super) radius_m: u32,
    vector: EarthVector,
}

impl Area {
    pub(super) fn new(center: GeoPoint, radius_m: u32) -> Self {
        Self { center, radius_m, vector: EarthVector::from(&center) }
    }

    /// Whether a position lies in it.
    pub(super) fn holds(&self, vector: &EarthVector) -> bool {
        self.vector.distance_m(vector) <= self.radius_m
    }
}

/// What a watch listens for.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Interest {
    /// Schedules that are shown, and those of the preferred practitioner: whatever changes of them matters.
    pub(super) shown: Vec<ScheduleId>,
    /// The case, which may refuse what is shown.
    pub(super) case_id: Option<CaseId>,
    /// Where care to which somebody travels would matter; `None` when none would.
    pub(super) area: Option<Area>,
    /// Whether teleconsultation would matter.
    pub(super) remote: bool,
    /// An opening that begins later would not be among the options.
    pub(super) until: Option<UtcInstant>,
    specialties: SpecialtySet,
    professions: ProfessionSet,
    general_practice: bool,
}

impl Interest {
    /// What would alter the answer to a question.
    pub(super) fn of(query: &CareQuery, answer: &CareAnswer, finder: &Finder<'_>) -> Self {
        let parts = query.parts();
        let by_place = parts.modalities.intersects(ModalitySet::of(&[Modality::Amb, Modality::Hh]));
        let area = parts.position.zip(answer.radius).filter(|_| by_place);
        let misses = answer.near_misses.iter().map(|miss| &miss.option);
        let misses = misses.filter(|_| answer.options.is_empty());
        let shown = answer.options.iter().chain(misses).map(|option| option.slot.schedule_id.clone());
        let preferred = parts.preferred_practitioner.iter().flat_map(|id| finder.index.offers_of(id));
        let preferred = preferred.map(|(_, offer)| offer.schedule.id.clone()).take(WATCH_PREFERRED_MAX);
        Self {
            shown: shown.chain(preferred).collect(),
            case_id: parts.case_id.clone(),
            area: area.map(|(center, radius)| Area::new(center, radius.radius_m)),
            remote: parts.modalities.contains(Modality::Vr),
            until: useful_until(query, answer, finder),
            specialties: parts.specialties,
            professions: parts.professions,
            general_practice: parts.specialties.iter().any(|specialty| specialty.is_general_practice()),
        }
    }

    /// Whether openings of a practice would be asked for.
    fn suits(&self, practice: &Practice) -> bool {
        practice.specialties.intersects(self.specialties)
            || practice.professions.intersects(self.professions)
            || (self.general_practice && practice.is_unspecified())
    }

    /// When a schedule might bring an option, [`UtcInstant::MIN`] for now; `None` when it does not. Later instants are
    /// ends of holds.
    pub(super) fn returns<'n>(&'n self, notice: &'n Notice) -> impl Iterator<Item = UtcInstant> + 'n {
        let suits = notice.practices().any(|practice| self.suits(practice));
        let near = || self.area.zip(notice.vector).is_some_and(|(area, vector)| area.holds(&vector));
        let until = self.until.filter(|_| suits);
        let (near, remote) = (until.is_some() && near(), self.remote);
        let useful = move |at: Option<UtcInstant>| at.zip(until).is_some_and(|(at, until)| at <= until);
        let matters = move |place_at, remote_at| (near && useful(place_at)) || (remote && useful(remote_at));
        let starts = notice.starts.iter();
        starts.filter(move |start| matters(start.place_at, start.remote_at)).map(|start| start.free_from)
    }
}

/// The start after which an opening would be behind the last option; `None` when nothing is searched.
fn useful_until(query: &CareQuery, answer: &CareAnswer, finder: &Finder<'_>) -> Option<UtcInstant> {
    let needed_by_at = answer.needed_by_at?;
    if answer.options.len() < query.limit() || yields_to_later(query, answer, finder) {
        return Some(needed_by_at);
    }
    // Waiting alone is part of every cost; what costs the same however long it is waited for drifts until the next look.
    let last = answer.options.iter().map(|option| option.parts.cost_seconds).max().unwrap_or(0);
    let until = answer.stamp.answered_at.plus_seconds(last).plus_ms(2 * WATCH_RECHECK_MS);
    Some(until.min(needed_by_at))
}

/// Whether an opening that costs more than every option may take their place: because of who gives care, because it is within
/// a radius that would do, or because the options are those for want of any other.
fn yields_to_later(query: &CareQuery, answer: &CareAnswer, finder: &Finder<'_>) -> bool {
    let is_widened = answer.radius.is_some_and(|radius| radius.widened_count > 0);
    let last_resort = &finder.policy.teleconsultation.rule.id;
    let from_anywhere = answer.policy_rules.iter().any(|rule| rule.id == *last_resort);
    query.parts().preferred_practitioner.is_some() || is_widened || from_anywhere
}
