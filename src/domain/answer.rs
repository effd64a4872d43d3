//! What the regulator is told: an outcome, options with their reasons, near misses, emergency sites, doubts.

mod availability;
mod choice;
mod doubt;
mod radius;
mod what_if;

use std::sync::Arc;

use super::code::{AppointmentType, DecisionType, Modality, OrientationType};
use super::emergency::{EmergencyAccess, EmergencyCapability, EmergencySite};
use super::offer::{Offer, Territories};
use super::patient::Need;
use super::record::Position;
use super::road::{RoadDoubt, TravelMethod};
use super::slot::Slot;
use super::source::Confidence;
use super::time::UtcInstant;

pub use availability::{Availability, SilentSource};
pub use choice::{Alike, FairShare, FairShareReason, Likeness};
pub use doubt::{QueryDoubt, QueryWarning};
pub use radius::{Radius, RadiusSource};
pub use what_if::{Relaxation, WhatIf};

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CareOutcome {
    /// SMUR or ambulance now.
    EmergencyDispatch,
    /// Go to an open emergency department.
    EmergencyDepartment,
    /// Consultation at the place, booked.
    Appointment,
    /// Consultation without appointment, capacity held.
    WalkIn,
    /// Remote consultation.
    Teleconsultation,
    /// A professional comes.
    HomeVisit,
    /// No slot is needed.
    MedicalAdvice,
    /// Nothing within the clinical delay.
    NoSlotInTime,
}

impl CareOutcome {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EmergencyDispatch,
        Self::EmergencyDepartment,
        Self::Appointment,
        Self::WalkIn,
        Self::Teleconsultation,
        Self::HomeVisit,
        Self::MedicalAdvice,
        Self::NoSlotInTime,
    ];

    /// The outcome with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmergencyDispatch => "EMERGENCY_DISPATCH",
            Self::EmergencyDepartment => "EMERGENCY_DEPARTMENT",
            Self::Appointment => "APPOINTMENT",
            Self::WalkIn => "WALK_IN",
            Self::Teleconsultation => "TELECONSULTATION",
            Self::HomeVisit => "HOME_VISIT",
            Self::MedicalAdvice => "MEDICAL_ADVICE",
            Self::NoSlotInTime => "NO_SLOT_IN_TIME",
        }
    }

    /// Decision and orientation types of Hub Santé that go with it.
    #[must_use]
    pub const fn hub_codes(self) -> (Option<DecisionType>, Option<OrientationType>) {
        match self {
            Self::EmergencyDispatch => (Some(DecisionType::Inter), None),
            Self::EmergencyDepartment => (Some(DecisionType::Orient), Some(OrientationType::Urgences)),
            Self::Appointment | Self::WalkIn => (Some(DecisionType::Orient), Some(OrientationType::Cabinet)),
            Self::Teleconsultation | Self::HomeVisit => (Some(DecisionType::Orient), Some(OrientationType::Domicile)),
            Self::MedicalAdvice => (Some(DecisionType::Conseil), None),
            Self::NoSlotInTime => (None, None),
        }
    }
}

/// A rule of matching, in the order in which rules are tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[repr(u8)]
pub enum Rule {
    /// The slot is shown to others only.
    Visibility,
    /// Another specialty or profession.
    Specialty,
    /// Care is given in another way.
    Modality,
    /// The policy says that this modality does not suit the patient.
    Suitability,
    /// Teleconsultation from beyond the patient's territory.
    Territory,
    /// With appointment while without is asked for, or the reverse.
    AppointmentType,
    /// The patient is too young or too old for it.
    Age,
    /// It does not take patients of this sex.
    Sex,
    /// A need of the patient is stated not to be met.
    Need,
    /// None of the patient's languages is spoken.
    Language,
    /// Farther than the radius, or than the professional travels.
    Radius,
    /// The patient would come too late.
    Arrival,
    /// Care would begin after the clinical delay.
    Delay,
    /// Everything is held or booked.
    Capacity,
    /// Its source has been silent for too long: whether it is still free is unknown.
    Silence,
    /// The case refused it, or the question excludes it.
    Excluded,
    /// Nothing takes it but a claim that the ledger lost: whether somebody comes is to be settled.
    Quarantine,
}

impl Rule {
    /// All of them, in order.
    pub const ALL: [Self; 17] = [
        Self::Visibility,
        Self::Specialty,
        Self::Modality,
        Self::Suitability,
        Self::Territory,
        Self::AppointmentType,
        Self::Age,
        Self::Sex,
        Self::Need,
        Self::Language,
        Self::Radius,
        Self::Arrival,
        Self::Delay,
        Self::Capacity,
        Self::Silence,
        Self::Excluded,
        Self::Quarantine,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Visibility => "VISIBILITY",
            Self::Specialty => "SPECIALTY",
            Self::Modality => "MODALITY",
            Self::Suitability => "SUITABILITY",
            Self::Territory => "TERRITORY",
            Self::AppointmentType => "APPOINTMENT_TYPE",
            Self::Age => "AGE",
            Self::Sex => "SEX",
            Self::Need => "NEED",
            Self::Language => "LANGUAGE",
            Self::Radius => "RADIUS",
            Self::Arrival => "ARRIVAL",
            Self::Delay => "DELAY",
            Self::Capacity => "CAPACITY",
            Self::Silence => "SILENCE",
            Self::Excluded => "EXCLUDED",
            Self::Quarantine => "QUARANTINE",
        }
    }
}

/// A rule of the policy: its stable id, and what it says in French.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyRule {
    /// Stable id, for instance `red-flag.stroke`.
    pub id: Arc<str>,
    /// One French sentence.
    pub text: Arc<str>,
}

/// How an option's territory stands to the patient's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum TerritoryPreference {
    /// No territory was asked for.
    Unspecified,
    /// The patient's own territory.
    Own,
    /// A neighbour of it.
    Neighbour,
    /// Any other, or none.
    Other,
}

/// A fact that the patient needs and that nobody stated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Unknown {
    /// Whether a need is met.
    Need(Need),
    /// Which languages are spoken.
    Language,
    /// Which specialty is offered.
    Specialty,
    /// The patient's age, which the schedule or the emergency site limits.
    Age,
    /// The patient's sex, which the schedule limits.
    Sex,
    /// Whether an emergency site is equipped for the patient.
    Capability(EmergencyCapability),
}

/// The figures behind the rank: their weighted sum is the cost; the least step of cost comes first, in it who has the turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionParts {
    /// Minutes until care begins, rounded up.
    pub wait_minutes: u32,
    /// Minutes of travel of the patient (AMB) or of the professional (HH), rounded up; 0 for VR.
    pub travel_minutes: u32,
    /// How that was reckoned.
    pub travel_method: TravelMethod,
    /// Straight line in metres; 0 for VR.
    pub distance_m: u32,
    /// How the option's territory stands to the patient's.
    pub territory_preference: TerritoryPreference,
    /// Seconds since the source was last heard of it.
    pub data_age_seconds: u32,
    /// How far it is believed.
    pub confidence: Confidence,
    /// Weighted sum in seconds.
    pub cost_seconds: u32,
    /// In how many of the last day's cases nobody could be contacted there.
    pub contact_failures: u32,
    /// Whether it is the patient's own practitioner, who comes first whatever the cost.
    pub preferred: bool,
    /// That it goes before equivalents that cost less; `None` where the cost alone decides, and for what is no option.
    pub fair_share: Option<FairShare>,
}

/// One thing that can be done, with its reasons.
#[derive(Clone, Debug)]
pub struct CareOption {
    /// The schedule with its place and professional.
    pub offer: Arc<Offer>,
    /// The slot to hold.
    pub slot: Arc<Slot>,
    /// How care would be given.
    pub modality: Modality,
    /// With or without appointment.
    pub appointment_type: AppointmentType,
    /// When care can begin: the start, or the arrival in a walk-in window.
    pub care_begins_at: UtcInstant,
    /// Territories that offer the slot.
    pub territories: Territories,
    /// Patients it still takes.
    pub remaining_count: u32,
    /// The figures behind the rank.
    pub parts: OptionParts,
    /// What nobody said although the patient needs it.
    pub unknowns: Vec<Unknown>,
    /// Why this one, in one French sentence.
    pub sentence: String,
}

/// A slot that failed exactly one rule.
#[derive(Clone, Debug)]
pub struct NearMiss {
    /// The slot as if it fitted.
    pub option: CareOption,
    /// The rule it failed.
    pub rule: Rule,
    /// By how much: minutes for arrival and delay, metres for the radius and the territory, days for the age, else 0.
    pub excess: u32,
    /// The rule of the policy behind it, when it is one.
    pub policy_rule: Option<PolicyRule>,
    /// The miss in one French sentence.
    pub sentence: String,
}

/// How many examined slots a rule left out, as the first that they failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exclusion {
    /// The rule.
    pub rule: Rule,
    /// How many.
    pub count: u32,
}

/// An emergency site seen from the patient.
#[derive(Clone, Debug)]
pub struct SiteDistance {
    /// The site.
    pub site: Arc<EmergencySite>,
    /// Straight line in metres.
    pub distance_m: u32,
    /// Minutes of travel.
    pub travel_minutes: u32,
    /// How patients come in at the time of arrival.
    pub access: EmergencyAccess,
    /// When that access changes; `None` when it does not within two weeks.
    pub access_changes_at: Option<UtcInstant>,
    /// Until when it is saturated at the time of arrival; `None` when it is not.
    pub saturated_until: Option<UtcInstant>,
    /// What nobody said although the patient needs it.
    pub unknowns: Vec<Unknown>,
    /// Whether and how it takes the patient, in one French sentence.
    pub sentence: String,
}

impl SiteDistance {
    /// Whether it takes patients at the time of arrival, on an announcement or without.
    #[must_use]
    pub fn takes_patients(&self) -> bool {
        self.access != EmergencyAccess::Closed
    }
}

/// From which state of the service an answer was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The last change that the answer takes into account.
    pub position: Position,
    /// When the answer was given.
    pub answered_at: UtcInstant,
    /// Age in seconds of the oldest data that the answer relies on; `None` when it relies on none.
    pub data_age_seconds: Option<u32>,
    /// Version of the matching policy.
    pub policy_version: Arc<str>,
    /// Whether the service works with less than it should.
    pub degraded: bool,
}

/// The right next step, and why.
#[derive(Clone, Debug)]
pub struct CareAnswer {
    /// What to do.
    pub outcome: CareOutcome,
    /// Rule that decided the outcome.
    pub rule_id: Arc<str>,
    /// Rules of the policy that made the answer what it is: the red flag, the default delay, modalities left out.
    pub policy_rules: Vec<PolicyRule>,
    /// The outcome in one French sentence.
    pub sentence: String,
    /// Best first.
    pub options: Vec<CareOption>,
    /// Nearest to fitting first.
    pub near_misses: Vec<NearMiss>,
    /// Whether something is free, nothing is, or nobody knows.
    pub availability: Availability,
    /// Sources with schedules that were examined and are not believed in full, in order of identifier.
    pub silent_sources: Vec<SilentSource>,
    /// What a wider radius, a longer delay or one more modality would add; those that would add nothing are absent.
    pub what_ifs: Vec<WhatIf>,
    /// In the order of the rules; rules that left out nothing are absent.
    pub exclusions: Vec<Exclusion>,
    /// What suits and was left out because as many options are like it as the policy allows.
    pub alike: Vec<Alike>,
    /// How many slots were examined for the near misses and the exclusions.
    pub examined_count: u32,
    /// Whether these are all slots within the radius.
    pub examined_all: bool,
    /// First those that take patients at the time of arrival, then saturated ones, then closed ones; nearest first.
    pub emergency_sites: Vec<SiteDistance>,
    /// The radius that was used; `None` when nothing was searched by distance.
    pub radius: Option<Radius>,
    /// Latest instant at which care may begin; `None` when no slot was looked for.
    pub needed_by_at: Option<UtcInstant>,
    /// What is doubtful about the question.
    pub warnings: Vec<QueryWarning>,
    /// Why some travel is reckoned by the straight line although road times are to be had.
    pub road_doubt: Option<RoadDoubt>,
    /// The state from which the answer was given.
    pub stamp: Stamp,
}
