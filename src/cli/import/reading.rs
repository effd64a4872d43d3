//! How both readers take single values: identifiers, codes, phones, texts, departments and zones.
//!
//! Each function says in the row's findings what is wrong with a value and returns what can be used of it.
//! What identifies, restricts or opens care refuses the row when wrong; what only informs is left out with a warning.

use chrono_tz::Tz;

use super::Reason;
use super::finding::Findings;
use crate::domain::code::{Specialty, UnknownCode};
use crate::domain::department::Department;
use crate::domain::geo::{GeoPoint, PositionDoubt};
use crate::domain::id::{Checked, CommuneCode, PhoneNumber, PractitionerId, StructureId, TerritoryId};
use crate::proto::routing as pb;

/// Longest name, address or motive, in characters.
pub(super) const TEXT_MAX: usize = 200;
/// Longest family or given name, in characters.
pub(super) const PERSON_NAME_MAX: usize = 100;
/// Longest booking address, in characters.
pub(super) const URL_MAX: usize = 500;
/// Most specialties of a slot.
pub(super) const SPECIALTIES_MAX: usize = 20;
/// Most languages of a professional.
pub(super) const LANGUAGES_MAX: usize = 20;
/// Longest window of a slot, in milliseconds.
pub(super) const WINDOW_MAX_MS: i64 = 24 * crate::domain::time::MS_PER_HOUR;

/// Warns when a check digit fails.
fn sound<T>(findings: &mut Findings, field: &str, checked: Checked<T>) -> T {
    if let Some(warning) = checked.warning {
        findings.warn(field, Reason::CheckDigit, warning);
    }
    checked.value
}

/// A professional's identifier; refuses the row when it is none.
pub(super) fn practitioner_id(findings: &mut Findings, field: &str, text: &str) -> Option<PractitionerId> {
    match PractitionerId::parse(text) {
        Ok(checked) => Some(sound(findings, field, checked)),
        Err(error) => {
            findings.refuse(field, Reason::InvalidValue, error);
            None
        }
    }
}

/// A territory's identifier; refuses the row when it is none.
pub(super) fn territory_id(findings: &mut Findings, field: &str, text: &str) -> Option<TerritoryId> {
    match TerritoryId::parse(text) {
        Ok(checked) => Some(sound(findings, field, checked)),
        Err(error) => {
            findings.refuse(field, Reason::InvalidValue, error);
            None
        }
    }
}

/// A structure in its prefixed form; empty with a warning when it is none.
pub(super) fn structure_id(findings: &mut Findings, field: &str, text: &str) -> String {
    match StructureId::parse(text) {
        Ok(checked) => sound(findings, field, checked).wire(),
        Err(error) => {
            findings.warn(field, Reason::InvalidValue, format!("{error}; the structure is left out"));
            String::new()
        }
    }
}

/// A phone in international form; empty when blank, and with a warning when it is none.
pub(super) fn phone(findings: &mut Findings, field: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    match PhoneNumber::parse(text) {
        Ok(phone) => phone.to_string(),
        Err(error) => {
            findings.warn(field, Reason::InvalidValue, format!("{error}; the phone is left out"));
            String::new()
        }
    }
}

/// A booking address; empty with a warning when it is no web address or too long.
pub(super) fn booking_url(findings: &mut Findings, field: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let is_web = text.starts_with("https://") || text.starts_with("http://");
    if is_web && text.chars().count() <= URL_MAX {
        return text.to_owned();
    }
    let message = format!("no web address of at most {URL_MAX} characters; it is left out");
    findings.warn(field, Reason::InvalidValue, message);
    String::new()
}

/// A text of at most `most` characters, cut with a warning.
pub(super) fn short_text(findings: &mut Findings, field: &str, text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    findings.warn(field, Reason::TooLong, format!("longer than {most} characters; it is cut"));
    text.chars().take(most).collect()
}

/// A code of a closed list; refuses the row with the nearest codes when it is unknown.
pub(super) fn code<T>(findings: &mut Findings, field: &str, parsed: Result<T, UnknownCode>) -> Option<T> {
    match parsed {
        Ok(code) => Some(code),
        Err(unknown) => {
            findings.refuse(field, Reason::UnknownCode, unknown);
            None
        }
    }
}

/// Doubts a position outside France; it is taken as given, because nothing tells for certain what was meant.
pub(super) fn doubt_position(findings: &mut Findings, field: &str, point: &GeoPoint) {
    let Some(doubt) = point.doubt() else { return };
    let (reason, message) = position_doubt(doubt);
    findings.warn(field, reason, format!("{}, {} {message}", point.latitude(), point.longitude()));
}

/// The reason of a doubt about a position, and what to say after the position.
pub(crate) fn position_doubt(doubt: PositionDoubt) -> (Reason, String) {
    match doubt {
        PositionDoubt::Swapped(territory) => {
            let message =
                format!("is outside France, and in the area of {territory} when swapped: give the latitude first");
            (Reason::SwappedPosition, message)
        }
        PositionDoubt::OutsideFrance => {
            (Reason::OutsideFrance, "is outside every French territory: check latitude and longitude".to_owned())
        }
    }
}

/// The specialty whose published label a free text repeats, whatever its case and with or without the order in brackets.
pub(super) fn specialty_of_label(text: &str) -> Option<Specialty> {
    let wanted = text.trim().to_lowercase();
    let label_of = |specialty: &Specialty| {
        let label = specialty.label().to_lowercase();
        label.rsplit_once(" (").map_or(label.clone(), |(name, _)| name.to_owned())
    };
    // Withdrawn or equal labels of other orders would make a guess of it: only one match counts.
    let mut matches = Specialty::ALL.iter().filter(|specialty| label_of(specialty) == wanted);
    matches.next().filter(|_| matches.next().is_none()).copied()
}

/// The department that a postal code lies in; none for Corsica (20xxx names two) and codes without a department.
pub(super) fn department_of_postal_code(postal_code: &str) -> Option<Department> {
    if postal_code.len() != 5 || !postal_code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Two islands left Guadeloupe and kept its postal codes.
    match postal_code {
        "97133" => return Department::parse("977").ok(),
        "97150" => return Department::parse("978").ok(),
        _ => {}
    }
    let overseas = postal_code.starts_with("97") || postal_code.starts_with("98");
    let prefix = postal_code.get(..if overseas { 3 } else { 2 })?;
    Department::parse(prefix).ok().filter(|_| prefix != "20")
}

/// The department of a commune, else of a postal code.
pub(super) fn department(commune: Option<CommuneCode>, postal_code: &str) -> Option<Department> {
    commune.map(|commune| commune.department()).or_else(|| department_of_postal_code(postal_code))
}

/// The zone of a place: as stated, else its department's, else that of the department nearest to its position.
pub(super) fn zone_of(place: &pb::Place) -> Option<Tz> {
    if let Ok(zone) = place.time_zone.parse() {
        return Some(zone);
    }
    if let Ok(department) = Department::parse(&place.department) {
        return Some(department.zone());
    }
    let position = place.position.as_ref()?;
    Some(Department::nearest_to(position.latitude, position.longitude).zone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::import::Origin;

    #[test]
    fn departments_come_from_postal_codes_but_for_corsica() {
        let table = [
            ("18000", Some("18")),
            ("01000", Some("01")),
            ("97400", Some("974")),
            ("97150", Some("978")),
            ("97133", Some("977")),
            ("98800", Some("988")),
            ("20000", None),
            ("98000", None),
            ("00000", None),
            ("1800", None),
            ("180000", None),
            ("18O00", None),
        ];
        for (postal_code, expected) in table {
            let found = department_of_postal_code(postal_code);
            assert_eq!(found.map(Department::code), expected, "{postal_code}");
        }
    }

    #[test]
    fn only_a_published_label_is_read_as_a_specialty() {
        let code = |text| specialty_of_label(text).map(Specialty::code);
        assert_eq!(code("pneumologie"), Some("SM41"));
        assert_eq!(code("Pneumologie du sport"), None);
        assert_eq!(code(""), None);
    }

    #[test]
    fn what_only_informs_is_left_out_with_a_warning() {
        let mut findings = Findings::at(Origin::File);
        assert_eq!(phone(&mut findings, "phone", "12"), "");
        assert_eq!(structure_id(&mut findings, "structure_id", "?"), "");
        assert_eq!(booking_url(&mut findings, "booking_url", "javascript:x"), "");
        assert!(!findings.is_refused());
        assert_eq!(findings.into_faults().len(), 3);
    }

    #[test]
    fn the_zone_is_stated_or_follows_department_or_position() {
        let mut place = pb::Place::default();
        assert_eq!(zone_of(&place), None);
        place.position = Some(pb::GeoPoint { latitude: -20.9, longitude: 55.45 });
        assert_eq!(zone_of(&place), Some(Tz::Indian__Reunion));
        place.department = "988".to_owned();
        assert_eq!(zone_of(&place), Some(Tz::Pacific__Noumea));
        place.time_zone = "Pacific/Marquesas".to_owned();
        assert_eq!(zone_of(&place), Some(Tz::Pacific__Marquesas));
    }
}
