//! What is asked: where the patient is, age and needs, and what regulation accepts.

use super::fields::Fields;
use super::given::{Given, known};
use super::town::Towns;
use super::words::{age, delay, need, travel_mode};
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, CareLevel, Modality, ModalitySet, Motive, Priority, Profession, ProfessionSet,
    Role, Sex, Specialty, SpecialtySet,
};
use crate::domain::department::Department;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{CaseId, TerritoryId};
use crate::domain::patient::{Language, NeedSet};
use crate::domain::query::{CareQuery, CareQueryDraft, NEEDED_WITHIN_MAX_MINUTES, OPTIONS_MAX, RADIUS_MAX_M};

/// Reads a question; `None` when it cannot be asked.
pub(super) fn read(fields: &mut Fields<'_>, given: &Given, towns: &Towns) -> Option<CareQuery> {
    let before = fields.log().count();
    let practitioner = |name: &str| known(&given.practitioners, "professional", name).map(|known| known.id.clone());
    let mut draft = CareQueryDraft {
        case_id: fields.parsed("case", CaseId::parse),
        preferred_practitioner: fields.parsed("preferred", practitioner),
        excluded_practitioners: fields.all("without", practitioner).unwrap_or_default(),
        excluded_schedules: fields
            .all("without_schedules", |name| given.schedule(name).map(|known| known.schedule.id.clone()))
            .unwrap_or_default(),
        care_level: fields.parsed("care_level", CareLevel::parse),
        priority: fields.parsed("priority", Priority::parse),
        motive: fields.parsed("motive", Motive::parse),
        age: fields.parsed("age", age),
        sex: fields.parsed("sex", Sex::parse),
        needed_within_minutes: read_delay(fields),
        needed_by_at: None,
        modalities: ModalitySet::of(&fields.all("modality", Modality::parse).unwrap_or_default()),
        appointment_types: AppointmentTypeSet::of(
            &fields.all("appointment_type", AppointmentType::parse).unwrap_or_default(),
        ),
        territories: read_territories(fields, given),
        needs: NeedSet::of(&fields.all("needs", need).unwrap_or_default()),
        languages: fields
            .all("languages", |text| Language::parse(text).ok_or("write two letters, for instance `ar`"))
            .unwrap_or_default(),
        radius_m: read_radius(fields),
        limit: fields.whole("limit", 1..=OPTIONS_MAX),
        role: fields.parsed("role", Role::parse),
        options_wanted: fields.flag("options_wanted").unwrap_or(false),
        travel_mode: fields.parsed("travel_mode", travel_mode).unwrap_or_default(),
        ..CareQueryDraft::default()
    };
    read_whom(fields, &mut draft);
    read_where(fields, &mut draft, towns);
    if fields.log().count() > before {
        return None;
    }
    let query = CareQuery::parse(draft).map_err(|violations| {
        violations.iter().for_each(|violation| fields.refuse(&violation.field, &violation.message));
    });
    query.ok()
}

/// General practice unless somebody else is asked for.
fn read_whom(fields: &mut Fields<'_>, draft: &mut CareQueryDraft) {
    let specialties = fields.all("specialties", Specialty::parse);
    let professions = fields.all("professions", Profession::parse);
    draft.professions = ProfessionSet::of(&professions.unwrap_or_default());
    draft.specialties = SpecialtySet::of(&specialties.unwrap_or_default());
    if draft.specialties.is_empty() && draft.professions.is_empty() {
        draft.specialties = Specialty::general_practice();
    }
}

fn read_where(fields: &mut Fields<'_>, draft: &mut CareQueryDraft, towns: &Towns) {
    let town = towns.position(fields, "patient");
    // The department of a call whose commune nobody took down is estimated from the position.
    let is_known = !fields.flag("commune_unknown").unwrap_or(false);
    let given = fields.parsed("department", Department::parse);
    draft.department = given.or(town.filter(|_| is_known).map(|(town, _)| town.commune.department()));
    draft.position = town.map(|(_, position)| position);
    if let Some((latitude, longitude)) = fields.pair("position") {
        match GeoPoint::new(latitude, longitude) {
            Ok(position) => draft.position = Some(position),
            Err(error) => fields.refuse("position", error),
        }
    }
}

fn read_delay(fields: &mut Fields<'_>) -> Option<u32> {
    let minutes = fields.whole("within_minutes", 1..=NEEDED_WITHIN_MAX_MINUTES);
    let code = fields.parsed("within", delay);
    if minutes.is_some() && code.is_some() {
        fields.refuse("within", "give this or `within_minutes`, not both");
    }
    minutes.or(code)
}

fn read_radius(fields: &mut Fields<'_>) -> Option<u32> {
    let km = fields.whole("radius_km", 1..=RADIUS_MAX_M / 1_000)?;
    Some(km * 1_000)
}

fn read_territories(fields: &mut Fields<'_>, given: &Given) -> Vec<TerritoryId> {
    let named = |name: &str| match name.strip_prefix("FINESS ") {
        // What nobody knows has no short name.
        Some(id) => TerritoryId::parse(id).map(|id| id.value).map_err(|error| error.to_string()),
        None => given.territory(name),
    };
    fields.all("territories", named).unwrap_or_default()
}
