//! What a client was shown of an answer, as far as a change of it is told.
//!
//! Told are: another outcome or availability, other options or another order, times or confidence of them, other emergency
//! sites, access or saturation of them, and other near misses where there are no options. Minutes of waiting, counts and ages
//! change with every look and are not.

use super::Difference;
use super::gone::became;
use crate::domain::answer::{Availability, CareAnswer, CareOption};
use crate::domain::code::{AppointmentType, Modality};
use crate::domain::id::SlotId;
use crate::domain::query::CareQuery;
use crate::domain::road::RoadTimes;
use crate::domain::source::Confidence;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant, Window};
use crate::service::find::Finder;
use crate::service::fingerprint::Digest;

/// What a client was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The options, best first.
    pub options: Vec<ShownOption>,
    /// Whether something was free.
    pub availability: Availability,
    /// Digest of the outcome, and of the near misses where there are no options.
    pub outcome_digest: u64,
    /// Digest of the emergency sites with their access and saturation.
    pub sites_digest: u64,
}

/// An option that a client was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShownOption {
    /// The slot.
    pub slot_id: SlotId,
    /// How care would be given.
    pub modality: Modality,
    /// When care is given.
    pub window: Window,
    /// How far its source was believed.
    pub confidence: Confidence,
}

impl ShownOption {
    /// Whether it offers the same, however far it is believed.
    fn offers_what(&self, other: &Self) -> bool {
        (&self.slot_id, self.modality, self.window) == (&other.slot_id, other.modality, other.window)
    }
}

impl Shown {
    /// What an answer shows.
    pub(super) fn of(answer: &CareAnswer) -> Self {
        let mut outcome = Digest::of("outcome");
        outcome.text(answer.outcome.code()).text(&answer.rule_id);
        if answer.options.is_empty() {
            for miss in &answer.near_misses {
                outcome.text(miss.option.slot.id.as_str()).text(miss.rule.code()).window(miss.option.slot.window);
            }
        }
        let mut sites = Digest::of("sites");
        for seen in &answer.emergency_sites {
            sites.text(seen.site.id.as_str()).text(seen.access.code()).instant(seen.saturated_until);
        }
        let options = answer.options.iter().map(|option| ShownOption {
            slot_id: option.slot.id.clone(),
            modality: option.modality,
            window: option.slot.window,
            confidence: option.parts.confidence,
        });
        Self {
            options: options.collect(),
            availability: answer.availability,
            outcome_digest: half(&outcome),
            sites_digest: half(&sites),
        }
    }

    /// The slots of the options, best first.
    pub(super) fn slot_ids(&self) -> Vec<SlotId> {
        self.options.iter().map(|option| option.slot_id.clone()).collect()
    }

    /// What is different in a newer answer, which shows `new`.
    pub(super) fn difference(
        &self,
        new: &Self,
        finder: &Finder<'_>,
        query: &CareQuery,
        (answer, times): (&CareAnswer, &RoadTimes),
    ) -> Difference {
        let (mut places, mut confidence_changed) = (Vec::new(), Vec::new());
        for (place, option) in new.options.iter().enumerate() {
            match self.options.iter().find(|known| known.offers_what(option)) {
                None => places.push(place),
                Some(known) if known.confidence != option.confidence => confidence_changed.push(place),
                Some(_) => {}
            }
        }
        let is_gone = |option: &&ShownOption| !new.options.iter().any(|other| other.offers_what(option));
        let gone = self.options.iter().filter(is_gone);
        Difference {
            new: places,
            confidence_changed,
            gone: gone.map(|option| became(option, finder, query, (answer, times))).collect(),
            availability_changed: self.availability != new.availability,
            sites_changed: self.sites_digest != new.sites_digest,
        }
    }
}

/// Half of a digest tells two answers to one question apart.
fn half(digest: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest.finish().0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// The first instant at which an option might fail the rules of time, at most a minute before it does.
pub(super) fn may_fail_at(option: &CareOption, needed_by_at: Option<UtcInstant>, margin_minutes: u32) -> UtcInstant {
    let window = option.slot.window;
    let minutes = |minutes: u32| i64::from(minutes) * MS_PER_MINUTE;
    let (travel_ms, margin_ms) = match option.modality {
        Modality::Amb => (minutes(option.parts.travel_minutes), minutes(margin_minutes)),
        Modality::Vr | Modality::Hh => (0, 0),
    };
    match option.appointment_type {
        AppointmentType::Routine => window.start_at().plus_ms(1 - travel_ms - margin_ms),
        AppointmentType::Walkin => {
            let by_window = window.end_at().plus_ms(1 - travel_ms - minutes(margin_minutes));
            let by_delay = needed_by_at.map_or(UtcInstant::MAX, |at| at.plus_ms(1 - travel_ms));
            by_window.min(by_delay)
        }
    }
}
