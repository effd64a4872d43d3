//! Values as people type them on a command line, read into what the interface takes.
//!
//! Invariant: nothing is guessed; a text that is not understood is refused with an example or the nearest known codes.
//! Deliberately absent: what only the service can judge (whether an identifier is known, whether fields fit together).

use std::str::FromStr as _;

use crate::domain::case::RefusalReason;
use crate::domain::code::{
    AppointmentType, CareLevel, DecisionType, Delay, Modality, Motive, OrientationType, PatientCategory, Priority,
    Profession, Role, Sex, Specialty, UnknownCode,
};
use crate::domain::department::Department;
use crate::domain::geo::{GeoPoint, whole_metres};
use crate::domain::patient::{Age, Language, Need, TravelMode};
use crate::domain::query::{NEEDED_WITHIN_MAX_MINUTES, RADIUS_MAX_M, RADIUS_MIN_M};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// A position in degrees: `LATITUDE,LONGITUDE`.
///
/// # Errors
/// When it is not two numbers or they are impossible.
pub fn parse_position(text: &str) -> Result<GeoPoint, String> {
    let help =
        || format!("`{text}` is no position: write LATITUDE,LONGITUDE in decimal degrees, for instance 45.697,4.886");
    let (latitude, longitude) = text.split_once([',', ';']).ok_or_else(help)?;
    let latitude = f64::from_str(latitude.trim()).map_err(|_| help())?;
    let longitude = f64::from_str(longitude.trim()).map_err(|_| help())?;
    GeoPoint::new(latitude, longitude).map_err(|error| error.to_string())
}

/// An age in the form of Hub Santé: `P10Y`, also `10y`, `10 ans`, `3w`, `6 mois`, `5j`; a bare number counts years.
///
/// # Errors
/// When it is no age.
pub fn parse_age(text: &str) -> Result<String, String> {
    let trimmed = text.trim().to_lowercase();
    let body = trimmed.strip_prefix('p').unwrap_or(&trimmed);
    let digits_end = body.find(|character: char| !character.is_ascii_digit()).unwrap_or(body.len());
    let (digits, unit) = body.split_at(digits_end);
    let letter = match unit.trim() {
        "" | "y" | "a" | "an" | "ans" | "year" | "years" => 'Y',
        "m" | "mois" | "month" | "months" => 'M',
        "w" | "s" | "sem" | "semaine" | "semaines" | "week" | "weeks" => 'W',
        "d" | "j" | "jour" | "jours" | "day" | "days" => 'D',
        _ => '?',
    };
    let age = format!("P{digits}{letter}");
    Age::parse(&age)
        .map(|_| age)
        .map_err(|_| format!("`{text}` is no age: write P10Y or 10y, 6m (months), 3w (weeks), 5d (days), at most 999"))
}

/// A delay in minutes: a code of Hub Santé (`4H`, `30M`, `ASAP`), minutes (`240`), or `1h30`, `90min`.
///
/// # Errors
/// When it is no delay of 1 to 4,320 minutes.
pub fn parse_delay(text: &str) -> Result<u32, String> {
    let upper = text.trim().to_uppercase();
    let minutes = Delay::parse(&upper).ok().and_then(Delay::minutes).or_else(|| minutes_of(&upper));
    let minutes = minutes.ok_or_else(|| {
        let codes: Vec<_> = Delay::ALL.iter().filter(|code| code.minutes() > Some(0)).map(|code| code.code()).collect();
        format!("`{text}` is no delay: write minutes (240), 1h30, or a code of Hub Santé: {}", codes.join(", "))
    })?;
    if (1..=NEEDED_WITHIN_MAX_MINUTES).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(format!("{minutes} minutes is out of range: give 1 to {NEEDED_WITHIN_MAX_MINUTES}"))
    }
}

/// The minutes of `240`, `90M`, `90MIN`, `4H`, `1H30`, `1H30M`.
fn minutes_of(upper: &str) -> Option<u32> {
    let (hours, minutes) = upper.split_once('H').unwrap_or(("0", upper));
    let minutes = minutes.strip_suffix("MIN").or_else(|| minutes.strip_suffix('M')).unwrap_or(minutes);
    let hours: u32 = hours.trim().parse().ok()?;
    let minutes = if minutes.is_empty() && upper.ends_with('H') { 0 } else { minutes.trim().parse().ok()? };
    hours.checked_mul(60)?.checked_add(minutes)
}

/// An instant as an answer tells it, in RFC 3339.
///
/// # Errors
/// When it is none.
pub fn parse_instant(text: &str) -> Result<UtcInstant, String> {
    let help = || format!("`{text}` is no instant: write it with its zone, for instance 2026-11-23T10:30:00Z");
    UtcInstant::parse_rfc3339(text.trim()).ok_or_else(help)
}

/// A radius in metres, given in kilometres: `7`, `2.5` or `2,5`.
///
/// # Errors
/// When it is no number from 0.1 to 300.
pub fn parse_radius_km(text: &str) -> Result<u32, String> {
    let km = f64::from_str(&text.trim().replace(',', ".")).ok().filter(|km| km.is_finite());
    let radius_m = km.map(|km| whole_metres((km * 1_000.0).round()));
    radius_m
        .filter(|radius_m| (RADIUS_MIN_M..=RADIUS_MAX_M).contains(radius_m))
        .ok_or_else(|| format!("`{text}` is no radius: give 0.1 to {} kilometres", RADIUS_MAX_M / 1_000))
}

/// A need: `wheelchair`, `sign-language`, `low-vision`, `easy-communication`, `parking`.
///
/// # Errors
/// When it is none of them.
pub fn parse_need(text: &str) -> Result<Need, String> {
    let code = text.trim().to_uppercase().replace('-', "_");
    let known = || Need::ALL.map(|need| need.code().to_lowercase().replace('_', "-")).join(", ");
    Need::parse(&code).ok_or_else(|| format!("`{text}` is no need; known are: {}", known()))
}

/// How the patient gets about: `car`, `walking`, `no-car`.
///
/// # Errors
/// When it is none of them.
pub fn parse_travel_mode(text: &str) -> Result<TravelMode, String> {
    let code = text.trim().to_uppercase().replace('-', "_");
    let known = || TravelMode::ALL.map(|mode| mode.code().to_lowercase().replace('_', "-")).join(", ");
    let mode = TravelMode::ALL.into_iter().find(|mode| mode.code() == code);
    mode.ok_or_else(|| format!("`{text}` is no way to travel; known are: {}", known()))
}

/// A role in regulation, as people write it.
///
/// # Errors
/// When it is none of them.
pub fn parse_regulator_role(text: &str) -> Result<pb::RegulatorRole, String> {
    let code = text.trim().to_uppercase().replace('-', "_");
    let role = pb::RegulatorRole::from_str_name(&format!("REGULATOR_ROLE_{code}"));
    let known = role.filter(|role| *role != pb::RegulatorRole::Unspecified);
    known.ok_or_else(|| format!("`{text}` is no role: write call-taker, care-operator or physician"))
}

/// Why an offer came to nothing, as people write it.
///
/// # Errors
/// When it is none of the reasons.
pub fn parse_refusal_reason(text: &str) -> Result<pb::RefusalReason, String> {
    let code = text.trim().to_uppercase().replace('-', "_");
    let known = || RefusalReason::ALL.map(|reason| reason.code().to_lowercase().replace('_', "-")).join(", ");
    let reason = pb::RefusalReason::from_str_name(&format!("REFUSAL_REASON_{code}"));
    let reason = reason.filter(|reason| *reason != pb::RefusalReason::Unspecified);
    reason.ok_or_else(|| format!("`{text}` is no reason; known are: {}", known()))
}

/// A language by its two letters.
///
/// # Errors
/// When it is not two letters.
pub fn parse_language(text: &str) -> Result<String, String> {
    Language::parse(text)
        .map(|language| language.to_string())
        .ok_or_else(|| format!("`{text}` is no language: write its two letters (ISO 639-1), for instance ar"))
}

/// A department by its code, as the interface writes it.
///
/// # Errors
/// When it is unknown.
pub fn parse_department(text: &str) -> Result<String, UnknownCode> {
    Department::parse(text).map(|department| department.code().to_owned())
}

/// Defines readers of codes in either case.
macro_rules! code_readers {
    ($($name:ident, $list:ident, $what:literal;)+) => {$(
        #[doc = concat!("The code of a ", $what, ", in either case.")]
        ///
        /// # Errors
        /// When it is unknown, naming the nearest.
        pub fn $name(text: &str) -> Result<String, UnknownCode> {
            $list::parse(&spelled(text)).map(|code| code.code().to_owned())
        }
    )+};
}

code_readers! {
    parse_care_level, CareLevel, "care level";
    parse_priority, Priority, "priority";
    parse_motive, Motive, "motive";
    parse_sex, Sex, "sex";
    parse_specialty, Specialty, "specialty";
    parse_profession, Profession, "profession";
    parse_modality, Modality, "modality";
    parse_appointment_type, AppointmentType, "appointment type";
    parse_role, Role, "role";
    parse_age_band, PatientCategory, "band of ages";
    parse_decision_type, DecisionType, "decision type";
    parse_orientation_type, OrientationType, "orientation type";
}

/// A code as the lists spell it: upper case, without accents.
fn spelled(text: &str) -> String {
    text.trim().to_uppercase().replace(['É', 'È'], "E")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ages_are_read_as_people_write_them() {
        for (text, age) in [
            ("P10Y", "P10Y"),
            ("p3w", "P3W"),
            ("10y", "P10Y"),
            ("82 ans", "P82Y"),
            ("1 an", "P1Y"),
            ("6 mois", "P6M"),
            ("6m", "P6M"),
            ("3 semaines", "P3W"),
            ("5j", "P5D"),
            ("35", "P35Y"),
        ] {
            assert_eq!(parse_age(text).as_deref(), Ok(age), "{text}");
        }
        for text in ["", "y", "P", "-3y", "1000y", "1.5y", "10 lustres", "P10Y2M"] {
            assert!(parse_age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn delays_are_codes_minutes_or_hours() {
        for (text, minutes) in [
            ("4H", 240),
            ("4h", 240),
            ("240", 240),
            ("30M", 30),
            ("30min", 30),
            ("90 min", 90),
            ("ASAP", 60),
            ("1h30", 90),
            ("1H30M", 90),
            ("24H", 1440),
            ("72h", 4320),
        ] {
            assert_eq!(parse_delay(text), Ok(minutes), "{text}");
        }
        for text in ["", "0", "DEL0", "RDV", "H", "4321", "-5", "soon", "1h2h", "4294967295h"] {
            assert!(parse_delay(text).is_err(), "{text}");
        }
    }

    #[test]
    fn positions_are_two_decimal_degrees() {
        let point = parse_position("-21.34, 55.48").unwrap();
        assert_eq!((point.latitude(), point.longitude()), (-21.34, 55.48));
        for text in ["", "45.7", "45.7,", "91,0", "NaN,4", "a,b", "45.7,4.8,3"] {
            assert!(parse_position(text).is_err(), "{text}");
        }
    }

    #[test]
    fn radii_are_kilometres() {
        for (text, metres) in [("7", 7_000), ("2.5", 2_500), ("2,5", 2_500), ("0.1", 100), ("300", 300_000)] {
            assert_eq!(parse_radius_km(text), Ok(metres), "{text}");
        }
        for text in ["", "0", "-1", "301", "NaN", "inf", "x"] {
            assert!(parse_radius_km(text).is_err(), "{text}");
        }
    }

    #[test]
    fn codes_are_read_in_either_case_and_unknown_ones_name_the_nearest() {
        assert_eq!(parse_specialty("sm54").as_deref(), Ok("SM54"));
        assert_eq!(parse_role("médecin").as_deref(), Ok("MEDECIN"));
        assert_eq!(parse_need("low-vision"), Ok(Need::LowVision));
        assert_eq!(parse_department("2a").as_deref(), Ok("2A"));
        let refusal = parse_specialty("SM540").unwrap_err().to_string();
        assert!(refusal.contains("SM54"), "{refusal}");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "\\PC*") {
            let _ = parse_age(&text);
            let _ = parse_delay(&text);
            let _ = parse_position(&text);
            let _ = parse_radius_km(&text);
            let _ = parse_need(&text);
            let _ = parse_specialty(&text);
        }
    }
}
