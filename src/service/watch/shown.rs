//! What a client was shown of an answer, as far as a change of it is told; and what became of it.
//!
//! Told are: another outcome, other options or another order or times of them, other emergency sites or access of them, and
//! other near misses where there are no options. Minutes of waiting, counts and ages change with every look and are not.

use super::Difference;
use crate::domain::answer::{CareAnswer, CareOption, Rule};
use crate::domain::code::{AppointmentType, Modality};
use crate::domain::id::SlotId;
use crate::domain::query::CareQuery;
use crate::domain::slot::SlotState;
use crate::domain::time::{MS_PER_MINUTE, UtcInstant, Window};
use crate::service::find::Finder;
use crate::service::fingerprint::Digest;

/// What a client was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The options, best first.
    pub options: Vec<ShownOption>,
    /// Digest of the outcome, and of the near misses where there are no options.
    pub outcome_digest: u64,
    /// Digest of the emergency sites with their access.
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
}

/// An option that is no longer one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gone {
    /// As it was shown.
    pub option: ShownOption,
    /// Why it is none.
    pub reason: GoneReason,
    /// When it is free again if nothing else happens.
    pub free_from: Option<UtcInstant>,
}

/// Why an option is no longer one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum GoneReason {
    /// Every unit is held or booked.
    Taken,
    /// The publisher took the slot back.
    Withdrawn,
    /// The publisher takes nobody else.
    Closed,
    /// The patient would come too late, or it is over.
    TooLate,
    /// Care would begin after the clinical delay.
    BeyondDelay,
    /// Better options took its place; it is still free.
    Outranked,
    /// It was changed, or what is asked of it was: it no longer suits.
    Changed,
}

impl GoneReason {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Taken, Self::Withdrawn, Self::Closed, Self::TooLate, Self::BeyondDelay, Self::Outranked, Self::Changed];

    /// One French sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Taken => "Le créneau vient d'être pris.",
            Self::Withdrawn => "Le créneau a été retiré par l'éditeur.",
            Self::Closed => "Le créneau ne prend plus de nouveaux patients.",
            Self::TooLate => "Le patient n'arriverait plus à temps.",
            Self::BeyondDelay => "Les soins commenceraient après le délai clinique.",
            Self::Outranked => "De meilleures options ont pris sa place ; il reste libre.",
            Self::Changed => "Le créneau a été modifié et ne convient plus.",
        }
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
            sites.text(seen.site.id.as_str()).text(seen.access.code());
        }
        let options = answer.options.iter().map(|option| ShownOption {
            slot_id: option.slot.id.clone(),
            modality: option.modality,
            window: option.slot.window,
        });
        Self { options: options.collect(), outcome_digest: half(&outcome), sites_digest: half(&sites) }
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
        answer: &CareAnswer,
    ) -> Difference {
        let places = new.options.iter().enumerate().filter(|(_, option)| !self.options.contains(option));
        let gone = self.options.iter().filter(|option| !new.options.contains(option));
        Difference {
            new: places.map(|(place, _)| place).collect(),
            gone: gone.map(|option| became(option, finder, query, answer)).collect(),
            sites_changed: self.sites_digest != new.sites_digest,
        }
    }
}

/// Half of a digest tells two answers to one question apart.
fn half(digest: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest.finish().0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// What became of an option that an answer no longer has.
fn became(option: &ShownOption, finder: &Finder<'_>, query: &CareQuery, answer: &CareAnswer) -> Gone {
    let told = |reason, free_from| Gone { option: option.clone(), reason, free_from };
    let Some(slot) = finder.index.slot(&option.slot_id).map(|slot| slot.value) else {
        return told(GoneReason::Withdrawn, None);
    };
    match slot.state {
        SlotState::Open if slot.window != option.window => return told(GoneReason::Changed, None),
        SlotState::Open => {}
        SlotState::Withdrawn => return told(GoneReason::Withdrawn, None),
        SlotState::Closed => return told(GoneReason::Closed, None),
    }
    let now = answer.stamp.answered_at;
    let Some(offer) = finder.index.offer(&slot.schedule_id) else { return told(GoneReason::Changed, None) };
    let failed = finder.timing(query, now, (&offer, &option.slot_id), option.modality);
    if failed.contains(Rule::Arrival) || slot.window.end_at() <= now {
        return told(GoneReason::TooLate, None);
    }
    if failed.contains(Rule::Delay) {
        return told(GoneReason::BeyondDelay, None);
    }
    if failed.contains(Rule::Capacity) {
        let free_from = slot.free_from();
        return told(GoneReason::Taken, Some(free_from).filter(|at| *at < UtcInstant::MAX));
    }
    let is_outranked = answer.options.len() >= query.limit()
        || answer.options.iter().any(|other| other.slot.schedule_id == slot.schedule_id);
    told(if is_outranked { GoneReason::Outranked } else { GoneReason::Changed }, None)
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
