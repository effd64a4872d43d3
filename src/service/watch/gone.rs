//! What became of an option that an answer no longer has, and why.
//!
//! Invariant: what is said to be still free fails no rule of matching; the rules are asked as an explanation asks them.

use super::ShownOption;
use crate::domain::answer::{CareAnswer, Rule};
use crate::domain::query::CareQuery;
use crate::domain::road::RoadTimes;
use crate::domain::slot::{FREE_ONCE_SETTLED, Slot, SlotState};
use crate::domain::time::UtcInstant;
use crate::routing::eligibility::RuleSet;
use crate::service::find::Finder;

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
    /// Better options took its place; it is still free, and fails no rule.
    Outranked,
    /// It, its schedule or the policy was changed: as it was shown, it no longer suits.
    Changed,
    /// The case refused it.
    Excluded,
    /// Its source has been silent for too long: whether it is still free is unknown.
    Silent,
    /// The ledger lost who had it: whether it is free is to be settled.
    Quarantined,
}

impl GoneReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Taken,
        Self::Withdrawn,
        Self::Closed,
        Self::TooLate,
        Self::BeyondDelay,
        Self::Outranked,
        Self::Changed,
        Self::Excluded,
        Self::Silent,
        Self::Quarantined,
    ];

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
            Self::Changed => "Le créneau, son agenda ou les règles ont changé : tel que proposé, il ne convient plus.",
            Self::Excluded => "Refusé pour ce dossier : il n'est plus proposé.",
            Self::Silent => "L'éditeur ne donne plus signe de vie : on ne sait pas si le créneau est encore libre.",
            Self::Quarantined => "En quarantaine : une réservation perdue est à vérifier auprès du professionnel.",
        }
    }
}

/// What became of an option that an answer no longer has.
pub(super) fn became(
    option: &ShownOption,
    finder: &Finder<'_>,
    query: &CareQuery,
    (answer, times): (&CareAnswer, &RoadTimes),
) -> Gone {
    let told = |reason, free_from| Gone { option: option.clone(), reason, free_from };
    let Some(slot) = finder.index.slot(&option.slot_id).map(|slot| slot.value) else {
        return told(GoneReason::Withdrawn, None);
    };
    match slot.state {
        SlotState::Open => {}
        SlotState::Withdrawn => return told(GoneReason::Withdrawn, None),
        SlotState::Closed => return told(GoneReason::Closed, None),
    }
    let now = answer.stamp.answered_at;
    let offer = finder.index.offer(&slot.schedule_id);
    let failed = offer.and_then(|offer| finder.failed(query, (now, times), (&offer, &option.slot_id), option.modality));
    let Some(failed) = failed else { return told(GoneReason::Changed, None) };
    // What fails another rule too is none again when a hold ends.
    let ends = |at: &UtcInstant| failed.only() == Some(Rule::Capacity) && *at < FREE_ONCE_SETTLED;
    let returns_at = Some(slot.free_from()).filter(ends);
    match reason(option, &slot, failed, now) {
        Some(reason) => told(reason, returns_at),
        // Nothing took the place of an option where nothing is one.
        None if answer.options.is_empty() => told(GoneReason::Changed, None),
        None => told(GoneReason::Outranked, None),
    }
}

/// Why a slot that is open is no option; the lasting reasons first. `None` when nothing is wrong with it.
fn reason(option: &ShownOption, slot: &Slot, failed: RuleSet, now: UtcInstant) -> Option<GoneReason> {
    let is_over = failed.contains(Rule::Arrival) || slot.window.end_at() <= now;
    let reasons = [
        (failed.contains(Rule::Excluded), GoneReason::Excluded),
        (slot.window != option.window, GoneReason::Changed),
        (is_over, GoneReason::TooLate),
        (failed.contains(Rule::Delay), GoneReason::BeyondDelay),
        (failed.contains(Rule::Capacity), GoneReason::Taken),
        (failed.contains(Rule::Quarantine), GoneReason::Quarantined),
        (failed.contains(Rule::Silence), GoneReason::Silent),
        (!failed.is_empty(), GoneReason::Changed),
    ];
    reasons.into_iter().find(|(is_so, _)| *is_so).map(|(_, reason)| reason)
}
