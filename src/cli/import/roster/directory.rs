//! Who and where a line is about: territories, place, professional, schedule.

use super::columns::{Column, Row};
use crate::cli::import::finding::Findings;
use crate::cli::import::reading::{self, LANGUAGES_MAX, PERSON_NAME_MAX, SPECIALTIES_MAX, TEXT_MAX};
use crate::cli::import::{ImportOptions, Reason, identity};
use crate::domain::code::{Profession, Sex, Specialty};
use crate::domain::geo::GeoPoint;
use crate::domain::id::CommuneCode;
use crate::domain::patient::{Age, Language};
use crate::proto::routing as pb;

/// Farthest home visit, in metres.
const HOME_VISIT_RADIUS_MAX_M: u32 = 100_000;
/// Most territories of a line.
const TERRITORIES_MAX: usize = 10;

/// The territories of a line.
pub(super) fn territories(row: &Row, findings: &mut Findings) -> Vec<pb::Territory> {
    // Names stand in the order of the identifiers, so a blank one keeps its place.
    let mut names = row.text(Column::TerritoryName).split('|');
    let field = Column::TerritoryId.name();
    let mut territories: Vec<pb::Territory> = Vec::new();
    for id in row.values(Column::TerritoryId) {
        let name = names.next().unwrap_or_default();
        let Some(id) = reading::territory_id(findings, field, id) else { continue };
        if territories.iter().any(|known| known.territory_id == id.wire()) {
            continue;
        }
        let name = reading::short_text(findings, Column::TerritoryName.name(), name, TEXT_MAX);
        territories.push(pb::Territory { territory_id: id.wire(), name, ..pb::Territory::default() });
    }
    if territories.len() > TERRITORIES_MAX {
        findings.refuse(field, Reason::TooMany, format!("more than {TERRITORIES_MAX} territories"));
    }
    territories
}

/// The place of a line, as far as the line states it.
pub(super) fn place(row: &Row, options: &ImportOptions, findings: &mut Findings) -> Option<pb::Place> {
    let place_id = super::own_id(row, Column::PlaceId, options, findings)?;
    let address = address(row, findings);
    let needs = match row.text(Column::Wheelchair) {
        "" => Vec::new(),
        "yes" => vec![wheelchair(pb::Knowledge::Yes)],
        "no" => vec![wheelchair(pb::Knowledge::No)],
        _ => {
            findings.refuse(Column::Wheelchair.name(), Reason::InvalidValue, "write `yes` or `no`, or leave it blank");
            Vec::new()
        }
    };
    Some(pb::Place {
        place_id,
        name: reading::short_text(findings, Column::PlaceName.name(), row.text(Column::PlaceName), TEXT_MAX),
        address: reading::short_text(findings, Column::Address.name(), row.text(Column::Address), TEXT_MAX),
        postal_code: address.postal_code,
        city: reading::short_text(findings, Column::City.name(), row.text(Column::City), TEXT_MAX),
        commune_code: address.commune_code,
        department: address.department,
        position: position(row, findings),
        time_zone: time_zone(row, findings),
        structure_id: structure(row, findings),
        phone: reading::phone(findings, Column::Phone.name(), row.text(Column::Phone)),
        needs,
    })
}

fn wheelchair(met: pb::Knowledge) -> pb::NeedAnswer {
    pb::NeedAnswer { need: pb::Need::Wheelchair.into(), met: met.into() }
}

/// Codes of the town.
pub(super) struct Address {
    pub(super) postal_code: String,
    pub(super) commune_code: String,
    pub(super) department: String,
}

/// The codes of a line's town.
pub(super) fn address(row: &Row, findings: &mut Findings) -> Address {
    let mut postal_code = row.text(Column::PostalCode).to_owned();
    // A spreadsheet drops the zero that opens a code of the departments 01 to 09.
    if postal_code.len() == 4 && postal_code.bytes().all(|byte| byte.is_ascii_digit()) {
        postal_code.insert(0, '0');
    }
    if !postal_code.is_empty() && (postal_code.len() != 5 || !postal_code.bytes().all(|byte| byte.is_ascii_digit())) {
        findings.refuse(Column::PostalCode.name(), Reason::InvalidValue, "a postal code has five digits");
    }
    let commune = match row.text(Column::CommuneCode) {
        "" => None,
        text => CommuneCode::parse(text)
            .inspect_err(|error| findings.refuse(Column::CommuneCode.name(), Reason::InvalidValue, error))
            .ok(),
    };
    let department = reading::department(commune, &postal_code);
    Address {
        postal_code,
        commune_code: commune.map(|commune| commune.to_string()).unwrap_or_default(),
        department: department.map(|department| department.code().to_owned()).unwrap_or_default(),
    }
}

/// The position of a line; refuses the line when it is impossible or half given.
pub(super) fn position(row: &Row, findings: &mut Findings) -> Option<pb::GeoPoint> {
    let (latitude, longitude) = (row.text(Column::Latitude), row.text(Column::Longitude));
    if latitude.is_empty() && longitude.is_empty() {
        return None;
    }
    let mut degrees = |column: Column, text: &str| {
        let number = text.replace(',', ".").parse::<f64>().ok();
        if number.is_none() {
            findings.refuse(column.name(), Reason::InvalidValue, "give decimal degrees, for instance 47.081");
        }
        number
    };
    let latitude = degrees(Column::Latitude, latitude);
    let longitude = degrees(Column::Longitude, longitude);
    let point = GeoPoint::new(latitude?, longitude?)
        .inspect_err(|error| findings.refuse(Column::Latitude.name(), Reason::InvalidValue, error))
        .ok()?;
    reading::doubt_position(findings, Column::Latitude.name(), &point);
    Some(pb::GeoPoint { latitude: point.latitude(), longitude: point.longitude() })
}

/// The stated zone; refuses the line when it is unknown.
pub(super) fn time_zone(row: &Row, findings: &mut Findings) -> String {
    let text = row.text(Column::TimeZone);
    if !text.is_empty() && text.parse::<chrono_tz::Tz>().is_err() {
        let message = "no IANA time zone: write, for instance, Pacific/Marquesas";
        findings.refuse(Column::TimeZone.name(), Reason::InvalidValue, message);
    }
    text.to_owned()
}

/// The structure in its prefixed form; blank when none is given.
pub(super) fn structure(row: &Row, findings: &mut Findings) -> String {
    match row.text(Column::StructureId) {
        "" => String::new(),
        text => reading::structure_id(findings, Column::StructureId.name(), text),
    }
}

/// The professional of a line; none when the structure decides.
pub(super) fn practitioner(row: &Row, findings: &mut Findings) -> Option<pb::Practitioner> {
    let text = row.text(Column::PractitionerId);
    if text.is_empty() {
        return None;
    }
    let id = reading::practitioner_id(findings, Column::PractitionerId.name(), text)?;
    let field = Column::Profession.name();
    let profession = match row.text(Column::Profession) {
        "" => None,
        code => reading::code(findings, field, Profession::parse(code)),
    };
    Some(pb::Practitioner {
        practitioner_id: id.wire(),
        family_name: reading::short_text(
            findings,
            Column::FamilyName.name(),
            row.text(Column::FamilyName),
            PERSON_NAME_MAX,
        ),
        given_name: reading::short_text(
            findings,
            Column::GivenName.name(),
            row.text(Column::GivenName),
            PERSON_NAME_MAX,
        ),
        profession: profession.map(|profession| profession.code().to_owned()).unwrap_or_default(),
        languages: languages(row, findings),
        ..pb::Practitioner::default()
    })
}

fn languages(row: &Row, findings: &mut Findings) -> Vec<String> {
    let mut languages = Vec::new();
    for text in row.values(Column::Languages) {
        match Language::parse(text).map(|language| language.to_string()) {
            Some(language) if !languages.contains(&language) && languages.len() < LANGUAGES_MAX => {
                languages.push(language);
            }
            Some(_) => {}
            None => {
                let message = "a language has two letters (ISO 639-1), for instance `fr`; it is left out";
                findings.warn(Column::Languages.name(), Reason::InvalidValue, message);
            }
        }
    }
    languages
}

/// The specialties of a line.
pub(super) fn specialties(row: &Row, findings: &mut Findings) -> Vec<String> {
    let field = Column::Specialties.name();
    let mut specialties: Vec<String> = Vec::new();
    for text in row.values(Column::Specialties) {
        let Some(specialty) = reading::code(findings, field, Specialty::parse(text)) else { continue };
        if !specialties.iter().any(|known| known == specialty.code()) {
            specialties.push(specialty.code().to_owned());
        }
    }
    if specialties.len() > SPECIALTIES_MAX {
        findings.refuse(field, Reason::TooMany, format!("more than {SPECIALTIES_MAX} specialties"));
    }
    specialties
}

/// The schedule of a line; refuses the line when nobody gives care in it.
pub(super) fn schedule(
    row: &Row,
    options: &ImportOptions,
    place: Option<&pb::Place>,
    practitioner: Option<&pb::Practitioner>,
    findings: &mut Findings,
) -> Option<pb::Schedule> {
    let who = who(row, findings);
    let limits = limits(row, findings);
    let radius = row.number(Column::HomeVisitRadiusM, 0, HOME_VISIT_RADIUS_MAX_M, findings);
    let schedule_id = match row.text(Column::ScheduleId) {
        "" => {
            let derived = format!("{}@{}", who?, row.text(Column::PlaceId));
            identity::prefixed(options.id_prefix.as_deref(), &derived)
        }
        _ => super::own_id(row, Column::ScheduleId, options, findings)?,
    };
    let (min_age_days, max_age_days, accepted_sexes) = limits?;
    Some(pb::Schedule {
        schedule_id,
        source_id: options.source_id.clone(),
        place_id: place?.place_id.clone(),
        practitioner_id: practitioner.map(|practitioner| practitioner.practitioner_id.clone()).unwrap_or_default(),
        min_age_days,
        max_age_days,
        accepted_sexes,
        home_visit_radius_m: radius,
        ..pb::Schedule::default()
    })
}

/// Who gives care, as the schedule's name says it: the professional, else the structure.
fn who(row: &Row, findings: &mut Findings) -> Option<String> {
    let (practitioner, structure) = (row.text(Column::PractitionerId), row.text(Column::StructureId));
    if !practitioner.is_empty() {
        return crate::domain::id::PractitionerId::parse(practitioner).ok().map(|checked| checked.value.to_string());
    }
    if structure.is_empty() {
        let message = "blank: give the professional, or the `structure_id` that decides who sees the patient";
        findings.refuse(Column::PractitionerId.name(), Reason::MissingValue, message);
        return None;
    }
    let parsed = crate::domain::id::StructureId::parse(structure);
    // Elsewhere a wrong structure only informs less; here it is all that tells who gives care.
    parsed
        .inspect_err(|error| findings.refuse(Column::StructureId.name(), Reason::InvalidValue, error))
        .ok()
        .map(|checked| checked.value.to_string())
}

/// Which patients are taken: youngest and oldest in days of age, sexes.
type Limits = (Option<u32>, Option<u32>, Vec<String>);

fn limits(row: &Row, findings: &mut Findings) -> Option<Limits> {
    let min = age(row, Column::MinAge, findings, |text| Age::parse(text).ok());
    let max = age(row, Column::MaxAge, findings, last_day_of_age);
    if let (Some(min), Some(max)) = (min, max)
        && max < min
    {
        findings.refuse(Column::MaxAge.name(), Reason::InvalidValue, "younger than `min_age`");
    }
    let mut sexes: Vec<String> = Vec::new();
    for text in row.values(Column::AcceptedSexes) {
        if let Some(sex) = reading::code(findings, Column::AcceptedSexes.name(), Sex::parse(text))
            && !sexes.iter().any(|known| known == sex.code())
        {
            sexes.push(sex.code().to_owned());
        }
    }
    sexes.sort_unstable();
    (!findings.is_refused()).then_some((min, max, sexes))
}

fn age(row: &Row, column: Column, findings: &mut Findings, parse: impl Fn(&str) -> Option<Age>) -> Option<u32> {
    let text = row.text(column);
    if text.is_empty() {
        return None;
    }
    let in_years = text.bytes().all(|byte| byte.is_ascii_digit());
    let form = if in_years { format!("P{text}Y") } else { text.to_owned() };
    let parsed = parse(&form);
    if parsed.is_none() {
        let message = "no age: write years, or P, a number and Y, M, W or D, for instance 15, P18M or P28D";
        findings.refuse(column.name(), Reason::InvalidValue, message);
    }
    parsed.map(Age::days)
}

/// The last day on which a patient still has an age: `P15Y` lasts until the day before the 16th birthday.
fn last_day_of_age(text: &str) -> Option<Age> {
    let age = Age::parse(text).ok()?;
    let unit = text.trim().chars().last()?;
    let number: u32 = text.trim().strip_prefix('P')?.strip_suffix(unit)?.parse().ok()?;
    let next = Age::parse(&format!("P{}{unit}", number + 1)).ok();
    Some(next.map_or(age, |next| Age::from_days(next.days().saturating_sub(1).max(age.days()))))
}
