//! What became of a slot in an answer: its rank, or every rule that it fails, and by how much.

use std::sync::Arc;

use super::answer::{Likeness, OptionParts, Radius, Rule};
use super::code::Modality;
use super::id::{PractitionerId, ScheduleId, SlotId};
use super::offer::Offer;
use super::query::CareQuery;
use super::slot::Slot;
use super::time::UtcInstant;

/// What slots are explained.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// One slot.
    Slot(SlotId),
    /// Every slot of a schedule that is not over.
    Schedule(ScheduleId),
    /// Every slot of a practitioner that is not over.
    Practitioner(PractitionerId),
}

/// A schedule as a question sees it.
#[derive(Clone, Debug)]
pub struct ScheduleExplanation {
    /// The schedule.
    pub schedule_id: ScheduleId,
    /// The schedule with its place and professional; `None` until all that it names is known.
    pub offer: Option<Arc<Offer>>,
    /// The question that stood for a patient; `None` when one was asked, or the schedule is not resolved.
    pub publisher_form: Option<CareQuery>,
    /// Rule that decided the outcome of the question.
    pub rule_id: Arc<str>,
    /// The radius that the answer used; `None` when nothing is searched by distance.
    pub radius: Option<Radius>,
    /// Latest instant at which care may begin; `None` when no slot is looked for.
    pub needed_by_at: Option<UtcInstant>,
    /// In order of start, then identifier.
    pub slots: Vec<SlotExplanation>,
    /// What became of the schedule, in one French sentence.
    pub sentence: String,
}

/// A slot as a question sees it.
#[derive(Clone, Debug)]
pub struct SlotExplanation {
    /// The slot.
    pub slot: Arc<Slot>,
    /// What became of it.
    pub verdict: Verdict,
    /// Each of its modalities, the one that fails least first.
    pub modalities: Vec<ModalityExplanation>,
    /// What became of it, in one French sentence.
    pub sentence: String,
}

/// What became of a slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It suits, and is what its schedule offers.
    Option(Rank),
    /// It suits, but this slot of its schedule comes first.
    BehindOwn(SlotId),
    /// It fails rules in every modality.
    Excluded,
    /// The outcome of the question needs no slot, so none was looked at.
    NotSearched,
    /// What its schedule names is not known.
    Unresolved,
}

/// Where an option stands among all that suits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rank {
    /// From 1, what is set aside behind the answer and before the rest; `None` beyond the ranks that are counted.
    pub rank: Option<u32>,
    /// Whether it is within the number of options that the question wants.
    pub in_answer: bool,
    /// The slots right before it, the nearest rank last.
    pub behind: Vec<SlotId>,
    /// In what it is like as many options as the policy allows, when that alone keeps it out of the answer.
    pub set_aside: Option<Likeness>,
}

/// A slot in one modality.
#[derive(Clone, Debug)]
pub struct ModalityExplanation {
    /// How care would be given.
    pub modality: Modality,
    /// When care could begin.
    pub care_begins_at: UtcInstant,
    /// The figures by which it is ranked, as if it suited.
    pub parts: OptionParts,
    /// Every rule that it fails, in order; empty when it suits.
    pub failures: Vec<Failure>,
}

/// A rule that a slot fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The rule.
    pub rule: Rule,
    /// By how much, in the rule's unit; 0 when there is no measure.
    pub excess: u32,
    /// What is behind it, when the rule does not say it all.
    pub cause: Option<Cause>,
    /// The failure in French, without a full stop.
    pub sentence: String,
}

/// What is behind the failure of a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Cause {
    /// The slot is shown to nobody.
    NoVisibility,
    /// The slot is shown to CPTS only, and the question is asked on behalf of none.
    CptsOnly,
    /// The slot is shown to other CPTS than those that ask.
    OtherCpts,
    /// The place has no position, so that only teleconsultation can be offered.
    NoPosition,
    /// The question gives no position.
    NoPatientPosition,
    /// Within the radius, but farther than the professional travels.
    ProfessionalRadius,
    /// The slot is over.
    Past,
    /// The appointment has begun.
    Begun,
    /// The publisher took the slot back.
    Withdrawn,
    /// The publisher closed the slot for all but those who are booked.
    Closed,
    /// Every unit is booked.
    Booked,
    /// Every unit is booked or held, and a hold will end.
    Held,
}

impl Cause {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoVisibility => "NO_VISIBILITY",
            Self::CptsOnly => "CPTS_ONLY",
            Self::OtherCpts => "OTHER_CPTS",
            Self::NoPosition => "NO_POSITION",
            Self::NoPatientPosition => "NO_PATIENT_POSITION",
            Self::ProfessionalRadius => "PROFESSIONAL_RADIUS",
            Self::Past => "PAST",
            Self::Begun => "BEGUN",
            Self::Withdrawn => "WITHDRAWN",
            Self::Closed => "CLOSED",
            Self::Booked => "BOOKED",
            Self::Held => "HELD",
        }
    }
}
