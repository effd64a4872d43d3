//! What the regulator asks. An invalid query cannot be built.

use super::case::Refusal;
use super::code::{
    AppointmentTypeSet, CareLevel, ModalitySet, Motive, Priority, ProfessionSet, Role, Sex, SpecialtySet,
};
use super::department::Department;
use super::geo::GeoPoint;
use super::id::{CaseId, CommuneCode, PractitionerId, ScheduleId, SlotId, TerritoryId};
use super::patient::{Age, Language, NeedSet, TravelMode};
use super::time::UtcInstant;
use super::violation::Violation;

/// Longest clinical delay in minutes: three days, the horizon of the national platform.
pub const NEEDED_WITHIN_MAX_MINUTES: u32 = 3 * 24 * 60;
/// Smallest search radius in metres.
pub const RADIUS_MIN_M: u32 = 100;
/// Largest search radius in metres.
pub const RADIUS_MAX_M: u32 = 300_000;
/// Most options in an answer.
pub const OPTIONS_MAX: u32 = 20;
/// Options in an answer when the query does not say.
pub const OPTIONS_DEFAULT: u32 = 5;
/// Most territories in a query.
pub const QUERY_TERRITORIES_MAX: usize = 20;
/// Most languages in a query.
pub const QUERY_LANGUAGES_MAX: usize = 10;

/// Most practitioners that a query excludes, and most schedules.
pub const QUERY_EXCLUSIONS_MAX: usize = 50;

/// The parts of a query before they are checked together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct CareQueryDraft {
    /// Regulation file.
    pub case_id: Option<CaseId>,
    /// Where the patient is.
    pub position: Option<GeoPoint>,
    /// Commune, when known.
    pub commune: Option<CommuneCode>,
    /// Department, from the query or its commune.
    pub department: Option<Department>,
    /// Care level; R3 when absent.
    pub care_level: Option<CareLevel>,
    /// Priority; P2 when absent.
    pub priority: Option<Priority>,
    /// Health motive, when given.
    pub motive: Option<Motive>,
    /// Age, when known.
    pub age: Option<Age>,
    /// Sex; unknown when absent.
    pub sex: Option<Sex>,
    /// Clinical delay in minutes; the policy's when absent.
    pub needed_within_minutes: Option<u32>,
    /// Care must begin by this instant, whatever the delay: the answer to a question that was asked before keeps its own. The
    /// longest delay from now holds for it too.
    pub needed_by_at: Option<UtcInstant>,
    /// Accepted specialties.
    pub specialties: SpecialtySet,
    /// Accepted professions.
    pub professions: ProfessionSet,
    /// Accepted modalities; all when empty.
    pub modalities: ModalitySet,
    /// Accepted appointment types; both when empty.
    pub appointment_types: AppointmentTypeSet,
    /// Territories on whose behalf regulation asks, the patient's own first.
    pub territories: Vec<TerritoryId>,
    /// Needs of the patient.
    pub needs: NeedSet,
    /// Languages the patient speaks.
    pub languages: Vec<Language>,
    /// Search radius in metres; the department's when absent.
    pub radius_m: Option<u32>,
    /// What whoever asks has before their eyes, in order: among equivalents it stays where it is.
    pub shown: Vec<SlotId>,
    /// Most options wanted.
    pub limit: Option<u32>,
    /// Role of the person who asks; unknown when absent.
    pub role: Option<Role>,
    /// Whether options are wanted although the outcome needs none.
    pub options_wanted: bool,
    /// How the patient gets about.
    pub travel_mode: TravelMode,
    /// Practitioners who are not to be offered.
    pub excluded_practitioners: Vec<PractitionerId>,
    /// Schedules that are not to be offered.
    pub excluded_schedules: Vec<ScheduleId>,
    /// The patient's own practitioner, who comes first when in time.
    pub preferred_practitioner: Option<PractitionerId>,
}

/// What the regulator asks: every field in range, defaults filled in.
#[derive(Clone, PartialEq, Debug)]
pub struct CareQuery {
    draft: CareQueryDraft,
    /// Given, else estimated: worked out once, and asked for in many places.
    department: Option<Department>,
}

impl CareQuery {
    /// Checks the parts and fills in the defaults.
    ///
    /// # Errors
    /// With every violation at once, paths relative to the query.
    pub fn parse(mut draft: CareQueryDraft) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut refuse = |field: &str, message: String| violations.push(Violation::new(field, message));
        if draft.needed_within_minutes.is_some_and(|minutes| !(1..=NEEDED_WITHIN_MAX_MINUTES).contains(&minutes)) {
            refuse("needed_within_minutes", format!("give 1 to {NEEDED_WITHIN_MAX_MINUTES} minutes"));
        }
        if draft.radius_m.is_some_and(|radius| !(RADIUS_MIN_M..=RADIUS_MAX_M).contains(&radius)) {
            refuse("radius_m", format!("give {RADIUS_MIN_M} to {RADIUS_MAX_M} metres"));
        }
        if draft.limit.is_some_and(|limit| !(1..=OPTIONS_MAX).contains(&limit)) {
            refuse("limit", format!("give 1 to {OPTIONS_MAX} options"));
        }
        if draft.territories.len() > QUERY_TERRITORIES_MAX {
            refuse("territory_ids", format!("give at most {QUERY_TERRITORIES_MAX} territories"));
        }
        if draft.languages.len() > QUERY_LANGUAGES_MAX {
            refuse("languages", format!("give at most {QUERY_LANGUAGES_MAX} languages"));
        }
        if draft.excluded_practitioners.len() > QUERY_EXCLUSIONS_MAX {
            refuse("excluded_practitioner_ids", format!("give at most {QUERY_EXCLUSIONS_MAX} practitioners"));
        }
        if draft.excluded_schedules.len() > QUERY_EXCLUSIONS_MAX {
            refuse("excluded_schedule_ids", format!("give at most {QUERY_EXCLUSIONS_MAX} schedules"));
        }
        if draft.modalities.is_empty() {
            draft.modalities = ModalitySet::ALL;
        }
        if draft.appointment_types.is_empty() {
            draft.appointment_types = AppointmentTypeSet::ALL;
        }
        let remote_only = draft.modalities == ModalitySet::of(&[super::code::Modality::Vr]);
        let escalates = draft.care_level == Some(CareLevel::R1) || draft.priority == Some(Priority::P0);
        if draft.position.is_none() && !remote_only && !escalates {
            refuse("position", "give the patient's position, or ask for teleconsultation (VR) only".to_owned());
        }
        let estimated = || draft.position.map(|at| Department::nearest_to(at.latitude(), at.longitude()));
        let department = draft.department.or_else(estimated);
        if violations.is_empty() { Ok(Self { draft, department }) } else { Err(violations) }
    }

    /// The checked parts.
    #[must_use]
    pub const fn parts(&self) -> &CareQueryDraft {
        &self.draft
    }

    /// The department: the one that is given, else the one that the position makes likely.
    #[must_use]
    pub const fn department(&self) -> Option<Department> {
        self.department
    }

    /// The same query without what its case refused.
    #[must_use]
    pub fn without_refused(&self, refusals: &[Refusal]) -> Self {
        let mut draft = self.draft.clone();
        draft.excluded_practitioners.extend(refusals.iter().filter_map(|refusal| refusal.practitioner_id.clone()));
        draft.excluded_schedules.extend(refusals.iter().map(|refusal| refusal.schedule_id.clone()));
        Self { draft, department: self.department }
    }

    /// The same question with an instant by which care must begin.
    #[must_use]
    pub fn needed_by(mut self, needed_by_at: Option<UtcInstant>) -> Self {
        self.draft.needed_by_at = needed_by_at;
        self
    }

    /// The same question for a regulation file.
    #[must_use]
    pub fn of_case(mut self, case_id: CaseId) -> Self {
        self.draft.case_id = Some(case_id);
        self
    }

    /// The same question of somebody who has these options before their eyes, in this order.
    #[must_use]
    pub fn shown(mut self, shown: Vec<SlotId>) -> Self {
        self.draft.shown = shown;
        self
    }

    /// Care level.
    #[must_use]
    pub fn care_level(&self) -> CareLevel {
        self.draft.care_level.unwrap_or(CareLevel::R3)
    }

    /// Priority; P2 is the national default.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.draft.priority.unwrap_or(Priority::P2)
    }

    /// Sex.
    #[must_use]
    pub fn sex(&self) -> Sex {
        self.draft.sex.unwrap_or(Sex::Un)
    }

    /// Role of the person who asks.
    #[must_use]
    pub fn role(&self) -> Role {
        self.draft.role.unwrap_or(Role::Inconnu)
    }

    /// Most options wanted.
    #[must_use]
    pub fn limit(&self) -> usize {
        usize::try_from(self.draft.limit.unwrap_or(OPTIONS_DEFAULT)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_is_reported_at_once() {
        let draft = CareQueryDraft {
            needed_within_minutes: Some(0),
            radius_m: Some(99),
            limit: Some(21),
            ..CareQueryDraft::default()
        };
        let fields: Vec<_> = CareQuery::parse(draft).err().into_iter().flatten().map(|v| v.field).collect();
        assert_eq!(fields, ["needed_within_minutes", "radius_m", "limit", "position"]);
    }

    #[test]
    fn an_escalation_needs_no_position() {
        let draft = CareQueryDraft { care_level: Some(CareLevel::R1), ..CareQueryDraft::default() };
        assert!(CareQuery::parse(draft).is_ok());
    }
}
