//! The question of a trial, as the page posts it.
//!
//! Invariant: every wrong field is told at once, by its name. There is no field for a case: a trial is nobody's.

use serde::Deserialize;

use crate::domain::code::{
    AppointmentType, CareLevel, Modality, Motive, Priority, Profession, ProfessionSet, Role, Sex, Specialty,
    SpecialtySet,
};
use crate::domain::department::Department;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{CommuneCode, TerritoryId};
use crate::domain::patient::Age;
use crate::domain::query::{CareQuery, CareQueryDraft, QUERY_TERRITORIES_MAX};
use crate::domain::violation::Violation;

/// Most codes of a list; repeating one is harmless.
const CODES_MAX: usize = 50;

/// A question in JSON; what is absent is not said.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Question {
    position: Option<Point>,
    commune_code: Option<String>,
    department: Option<String>,
    care_level: Option<String>,
    priority: Option<String>,
    motive: Option<String>,
    age: Option<String>,
    sex: Option<String>,
    needed_within_minutes: Option<u32>,
    specialties: Vec<String>,
    professions: Vec<String>,
    modalities: Vec<String>,
    appointment_types: Vec<String>,
    territory_ids: Vec<String>,
    radius_m: Option<u32>,
    limit: Option<u32>,
    role: Option<String>,
    options_wanted: bool,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct Point {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

/// What is wrong so far.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn take<T, E: ToString>(&mut self, field: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| self.0.push(Violation::new(field, error.to_string()))).ok()
    }

    fn optional<T, E: ToString>(
        &mut self,
        field: &str,
        text: Option<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = text.filter(|text| !text.trim().is_empty())?;
        self.take(field, parse(text))
    }

    fn list<T, E: ToString>(
        &mut self,
        field: &str,
        (texts, max): (&[String], usize),
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        if texts.len() > max {
            self.0.push(Violation::new(field, format!("give at most {max}")));
            return Vec::new();
        }
        texts.iter().zip(0..).filter_map(|(text, at)| self.take(&format!("{field}[{at}]"), parse(text))).collect()
    }

    fn point(&mut self, point: Option<&Point>) -> Option<GeoPoint> {
        let Point { latitude, longitude } = point?;
        let (Some(latitude), Some(longitude)) = (latitude, longitude) else {
            self.0.push(Violation::new("position", "give both latitude and longitude in decimal degrees"));
            return None;
        };
        self.take("position", GeoPoint::new(*latitude, *longitude))
    }
}

impl Question {
    /// The question for the service.
    ///
    /// # Errors
    /// With every wrong field.
    pub(super) fn to_query(&self) -> Result<CareQuery, Vec<Violation>> {
        let mut findings = Findings::default();
        let draft = self.draft(&mut findings);
        let checked = CareQuery::parse(draft);
        let mut violations = findings.0;
        match checked {
            Ok(query) if violations.is_empty() => Ok(query),
            Ok(_) => Err(violations),
            Err(more) => {
                // A position that is wrong is not missing too.
                let is_new = |one: &Violation| !violations.iter().any(|known| known.field == one.field);
                let more: Vec<_> = more.into_iter().filter(is_new).collect();
                violations.extend(more);
                Err(violations)
            }
        }
    }

    fn draft(&self, findings: &mut Findings) -> CareQueryDraft {
        let commune = findings.optional("commune_code", self.commune_code.as_deref(), CommuneCode::parse);
        let department = findings.optional("department", self.department.as_deref(), Department::parse);
        let specialties: SpecialtySet =
            findings.list("specialties", (&self.specialties, CODES_MAX), Specialty::parse).into_iter().collect();
        let professions: ProfessionSet =
            findings.list("professions", (&self.professions, CODES_MAX), Profession::parse).into_iter().collect();
        let anyone = specialties.is_empty() && professions.is_empty();
        let modalities = findings.list("modalities", (&self.modalities, CODES_MAX), Modality::parse);
        let appointment_types =
            findings.list("appointment_types", (&self.appointment_types, CODES_MAX), AppointmentType::parse);
        let territories =
            findings.list("territory_ids", (&self.territory_ids, QUERY_TERRITORIES_MAX), TerritoryId::parse);
        CareQueryDraft {
            position: findings.point(self.position.as_ref()),
            commune,
            department: department.or_else(|| commune.map(|commune| commune.department())),
            care_level: findings.optional("care_level", self.care_level.as_deref(), CareLevel::parse),
            priority: findings.optional("priority", self.priority.as_deref(), Priority::parse),
            motive: findings.optional("motive", self.motive.as_deref(), Motive::parse),
            age: findings.optional("age", self.age.as_deref(), Age::parse),
            sex: findings.optional("sex", self.sex.as_deref(), Sex::parse),
            needed_within_minutes: self.needed_within_minutes,
            specialties: if anyone { Specialty::general_practice() } else { specialties },
            professions,
            modalities: modalities.into_iter().collect(),
            appointment_types: appointment_types.into_iter().collect(),
            territories: territories.into_iter().map(|checked| checked.value).collect(),
            radius_m: self.radius_m,
            limit: self.limit,
            role: findings.optional("role", self.role.as_deref(), Role::parse),
            options_wanted: self.options_wanted,
            ..CareQueryDraft::default()
        }
    }
}
