//! What regulation decided in the end for a case, as it is kept until the day is over.
//!
//! Invariant: nothing in it tells who the patient is: an opaque case, a band of ages, a specialty.

use chrono::NaiveDate;

use super::answer::CareOutcome;
use super::code::{DecisionType, OrientationType, PatientCategory, Specialty};
use super::department::Department;
use super::id::{CaseId, ClaimId, TerritoryId};
use super::tally::{Measure, MeasureKind, Scope};
use super::time::UtcInstant;

/// What regulation decided in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Orientation {
    /// Regulation file, opaque.
    pub case_id: CaseId,
    /// What was decided; [`CareOutcome::NoSlotInTime`] when nothing was found.
    pub outcome: CareOutcome,
    /// Decision type of Hub Santé, when one goes with it.
    pub decision_type: Option<DecisionType>,
    /// Orientation type of Hub Santé, when one goes with it.
    pub orientation_type: Option<OrientationType>,
    /// The booking, when there is one.
    pub booking_id: Option<ClaimId>,
    /// Territory (CPTS) of the patient, when there is one.
    pub territory: Option<TerritoryId>,
    /// Department of the patient.
    pub department: Department,
    /// Specialty that was asked for, when stated.
    pub specialty: Option<Specialty>,
    /// Band of ages of the patient, when stated.
    pub age_band: Option<PatientCategory>,
    /// Civil day in the department's zone on which it was first recorded; a correction stays on it.
    pub day: NaiveDate,
    /// When it was last recorded.
    pub recorded_at: UtcInstant,
}

impl Orientation {
    /// The decision and orientation types of Hub Santé that go with an outcome when nobody states others.
    #[must_use]
    pub const fn hub_codes(outcome: CareOutcome) -> (Option<DecisionType>, Option<OrientationType>) {
        match outcome {
            CareOutcome::NoSlotInTime => (Some(DecisionType::Pasplus), None),
            CareOutcome::EmergencyDispatch
            | CareOutcome::EmergencyDepartment
            | CareOutcome::Appointment
            | CareOutcome::WalkIn
            | CareOutcome::Teleconsultation
            | CareOutcome::HomeVisit
            | CareOutcome::MedicalAdvice => outcome.hub_codes(),
        }
    }

    /// Whose figures it counts in.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.territory.map(Scope::Territory).into_iter().chain([Scope::Department(self.department)])
    }

    /// What it counts for, once each.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        let specialty = self.specialty.map_or("", Specialty::code);
        let age_band = self.age_band.map_or("", PatientCategory::code);
        let mut measures = vec![
            Measure { kind: MeasureKind::Orientation, detail: self.outcome.code() },
            Measure { kind: MeasureKind::SpecialtyAsked, detail: specialty },
            Measure { kind: MeasureKind::AgeBandAsked, detail: age_band },
        ];
        if self.outcome == CareOutcome::NoSlotInTime {
            measures.push(Measure { kind: MeasureKind::SpecialtyNothingFound, detail: specialty });
            measures.push(Measure { kind: MeasureKind::AgeBandNothingFound, detail: age_band });
        }
        measures
    }
}
