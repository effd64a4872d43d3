//! The regulator's question.

use super::common::{
    department_from_proto, instant_from_proto, need_from_proto, optional_id, position_from_proto,
    territories_from_proto,
};
use super::practitioner::languages_from_proto;
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, CareLevel, Modality, Motive, Priority, Profession, ProfessionSet, Role, Sex,
    Specialty, SpecialtySet,
};
use crate::domain::id::{CaseId, CommuneCode, PractitionerId, ScheduleId};
use crate::domain::patient::{Age, Need, NeedSet, TravelMode};
use crate::domain::query::{
    CareQuery, CareQueryDraft, QUERY_EXCLUSIONS_MAX, QUERY_LANGUAGES_MAX, QUERY_TERRITORIES_MAX,
};
use crate::domain::violation::Violation;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Most specialties of a query, and most professions.
const QUERY_CODES_MAX: usize = 50;
/// Most modalities or appointment types of a query; repeating one is harmless.
const QUERY_KINDS_MAX: usize = 10;

/// Reads a query; every wrong field is recorded.
pub(in crate::grpc) fn query_from_proto(
    message: Option<pb::CareQuery>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<CareQuery> {
    let Some(message) = message else {
        findings.refuse(path, "missing: give the question");
        return None;
    };
    let draft = draft_from_proto(message, path, findings);
    match CareQuery::parse(draft) {
        Ok(query) => Some(query),
        Err(violations) => {
            violations.into_iter().for_each(|violation| refuse_once(violation, path, findings));
            None
        }
    }
}

/// A position that was given but wrong is not missing too, and a list that was too long is not reported twice.
fn refuse_once(violation: Violation, path: Path<'_>, findings: &mut Findings) {
    let prefix = path.to_string();
    let violation = if prefix.is_empty() { violation } else { violation.within(&prefix) };
    if !findings.violations.iter().any(|known| known.field == violation.field) {
        findings.violations.push(violation);
    }
}

fn draft_from_proto(message: pb::CareQuery, path: Path<'_>, findings: &mut Findings) -> CareQueryDraft {
    let pb::CareQuery {
        case_id,
        position,
        commune_code,
        department,
        care_level,
        priority,
        motive,
        age,
        sex,
        needed_within_minutes,
        specialties,
        professions,
        modalities,
        appointment_types,
        territory_ids,
        needs,
        languages,
        radius_m,
        limit,
        role,
        options_wanted,
        travel_mode,
        excluded_practitioner_ids,
        excluded_schedule_ids,
        preferred_practitioner_id,
        needed_by_at,
    } = message;
    let commune = findings.optional(path.field("commune_code"), &commune_code, CommuneCode::parse);
    let department = department_from_proto(&department, path.field("department"), findings);
    let specialties: SpecialtySet =
        findings.codes(path.field("specialties"), &specialties, QUERY_CODES_MAX, Specialty::parse);
    let professions: ProfessionSet =
        findings.codes(path.field("professions"), &professions, QUERY_CODES_MAX, Profession::parse);
    let anyone = specialties.is_empty() && professions.is_empty();
    CareQueryDraft {
        case_id: optional_id(&case_id, path.field("case_id"), findings, CaseId::parse),
        position: position.and_then(|position| position_from_proto(position, path.field("position"), findings)),
        commune,
        department: department.or_else(|| commune.map(|commune| commune.department())),
        care_level: findings.optional(path.field("care_level"), &care_level, CareLevel::parse),
        priority: findings.optional(path.field("priority"), &priority, Priority::parse),
        motive: findings.optional(path.field("motive"), &motive, Motive::parse),
        age: findings.optional(path.field("age"), &age, Age::parse),
        sex: findings.optional(path.field("sex"), &sex, Sex::parse),
        needed_within_minutes,
        needed_by_at: needed_by_at.and_then(|at| instant_from_proto(Some(at), path.field("needed_by_at"), findings)),
        specialties: if anyone { Specialty::general_practice() } else { specialties },
        professions,
        modalities: findings.codes(path.field("modalities"), &modalities, QUERY_KINDS_MAX, Modality::parse),
        appointment_types: appointment_types_from_proto(&appointment_types, path, findings),
        territories: territories_from_proto(
            &territory_ids,
            path.field("territory_ids"),
            QUERY_TERRITORIES_MAX,
            findings,
        ),
        needs: needs_from_proto(&needs, path.field("needs"), findings),
        languages: languages_from_proto(&languages, path.field("languages"), QUERY_LANGUAGES_MAX, findings),
        radius_m,
        shown: Vec::new(),
        limit,
        role: findings.optional(path.field("role"), &role, Role::parse),
        options_wanted,
        travel_mode: travel_mode_from_proto(travel_mode, path.field("travel_mode"), findings),
        excluded_practitioners: excluded_practitioners(&excluded_practitioner_ids, path, findings),
        excluded_schedules: excluded_schedules(&excluded_schedule_ids, path, findings),
        preferred_practitioner: preferred_practitioner(&preferred_practitioner_id, path, findings),
    }
}

fn appointment_types_from_proto(codes: &[String], path: Path<'_>, findings: &mut Findings) -> AppointmentTypeSet {
    findings.codes(path.field("appointment_types"), codes, QUERY_KINDS_MAX, AppointmentType::parse)
}

fn travel_mode_from_proto(number: i32, path: Path<'_>, findings: &mut Findings) -> TravelMode {
    match pb::TravelMode::try_from(number) {
        Ok(pb::TravelMode::Unspecified | pb::TravelMode::Car) => TravelMode::Car,
        Ok(pb::TravelMode::Walking) => TravelMode::Walking,
        Ok(pb::TravelMode::NoCar) => TravelMode::NoCar,
        Err(_) => {
            findings
                .refuse(path, "unknown travel mode: give TRAVEL_MODE_CAR, TRAVEL_MODE_WALKING or TRAVEL_MODE_NO_CAR");
            TravelMode::Car
        }
    }
}

fn preferred_practitioner(id: &str, path: Path<'_>, findings: &mut Findings) -> Option<PractitionerId> {
    let path = path.field("preferred_practitioner_id");
    optional_id(id, path, findings, |id| PractitionerId::parse(id).map(|id| id.value))
}

fn excluded_practitioners(ids: &[String], path: Path<'_>, findings: &mut Findings) -> Vec<PractitionerId> {
    let path = path.field("excluded_practitioner_ids");
    let wanted = ids.iter().enumerate().take(QUERY_EXCLUSIONS_MAX + 1);
    let ids = wanted.filter_map(|(at, id)| findings.take(path.index(at), PractitionerId::parse(id)));
    ids.map(|id| id.value).collect()
}

fn excluded_schedules(ids: &[String], path: Path<'_>, findings: &mut Findings) -> Vec<ScheduleId> {
    let path = path.field("excluded_schedule_ids");
    let wanted = ids.iter().enumerate().take(QUERY_EXCLUSIONS_MAX + 1);
    wanted.filter_map(|(at, id)| findings.take(path.index(at), ScheduleId::parse(id))).collect()
}

fn needs_from_proto(numbers: &[i32], path: Path<'_>, findings: &mut Findings) -> NeedSet {
    if !findings.within(path, numbers.len(), Need::ALL.len()) {
        return NeedSet::EMPTY;
    }
    let read = |(index, number): (usize, &i32)| need_from_proto(*number, path.index(index), findings);
    numbers.iter().enumerate().filter_map(read).fold(NeedSet::EMPTY, NeedSet::with)
}
