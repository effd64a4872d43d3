//! The words of scenarios for what the domain has codes or figures for, read and written in one place.

use crate::domain::answer::{
    Availability, CareOutcome, RadiusSource, Relaxation, Rule, TerritoryPreference, Unknown, WhatIf,
};
use crate::domain::case::RefusalReason;
use crate::domain::code::{Delay, Modality};
use crate::domain::emergency::EmergencyCapability;
use crate::domain::patient::{Age, Need, TravelMode};
use crate::domain::regulator::RegulatorRole;

/// Every outcome.
pub(super) const OUTCOMES: [CareOutcome; 8] = [
    CareOutcome::EmergencyDispatch,
    CareOutcome::EmergencyDepartment,
    CareOutcome::Appointment,
    CareOutcome::WalkIn,
    CareOutcome::Teleconsultation,
    CareOutcome::HomeVisit,
    CareOutcome::MedicalAdvice,
    CareOutcome::NoSlotInTime,
];

const PREFERENCES: [TerritoryPreference; 4] = [
    TerritoryPreference::Unspecified,
    TerritoryPreference::Own,
    TerritoryPreference::Neighbour,
    TerritoryPreference::Other,
];

const RADIUS_SOURCES: [RadiusSource; 4] =
    [RadiusSource::Query, RadiusSource::Department, RadiusSource::EstimatedDepartment, RadiusSource::Default];

/// The one of these whose word it is.
pub(super) fn one_of<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str, text: &str) -> Result<T, String> {
    let words = || all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ");
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| format!("`{text}` is none of {}", words()))
}

/// An outcome by its code.
pub(super) fn outcome(text: &str) -> Result<CareOutcome, String> {
    one_of(&OUTCOMES, CareOutcome::code, text)
}

/// What is known of whether something is free, by its code.
pub(super) fn availability(text: &str) -> Result<Availability, String> {
    one_of(&Availability::ALL, Availability::code, text)
}

/// Why an offer came to nothing, by its code.
pub(super) fn refusal_reason(text: &str) -> Result<RefusalReason, String> {
    one_of(&RefusalReason::ALL, RefusalReason::code, text)
}

/// Who regulates, by code.
pub(super) fn regulator_role(text: &str) -> Result<RegulatorRole, String> {
    one_of(&RegulatorRole::ALL, RegulatorRole::code, text)
}

/// What would be asked for instead, and what it adds: `RADIUS 13`, `DELAY 60` or `VR`, and the number of slots.
pub(super) fn what_if_word(what_if: &WhatIf) -> String {
    let asked = match what_if.relaxation {
        Relaxation::Radius(metres) => format!("RADIUS {}", metres.div_ceil(1_000)),
        Relaxation::Delay(minutes) => format!("DELAY {minutes}"),
        Relaxation::Modality(modality) => modality.code().to_owned(),
    };
    format!("{asked}: {}", what_if.slot_count)
}

/// The same as stated: `DELAY 60: 2`.
pub(super) fn what_if(text: &str) -> Result<String, String> {
    let is_number = |text: &str| text.parse::<u32>().is_ok();
    let known = text.split_once(": ").filter(|(_, count)| is_number(count)).is_some_and(|(asked, _)| {
        match asked.split_once(' ') {
            Some(("RADIUS" | "DELAY", figure)) => is_number(figure),
            Some(_) => false,
            None => Modality::parse(asked).is_ok(),
        }
    });
    let expected =
        || format!("`{text}` is no gain: write `RADIUS 13: 2`, `DELAY 60: 2` or `VR: 2` (kilometres, minutes, slots)");
    known.then(|| text.to_owned()).ok_or_else(expected)
}

/// A rule by its code.
pub(super) fn rule(text: &str) -> Result<Rule, String> {
    one_of(&Rule::ALL, Rule::code, text)
}

/// How a territory stands to the patient's.
pub(super) fn preference(text: &str) -> Result<TerritoryPreference, String> {
    one_of(&PREFERENCES, preference_word, text)
}

/// The word of a preference.
pub(super) const fn preference_word(preference: TerritoryPreference) -> &'static str {
    match preference {
        TerritoryPreference::Unspecified => "UNSPECIFIED",
        TerritoryPreference::Own => "OWN",
        TerritoryPreference::Neighbour => "NEIGHBOUR",
        TerritoryPreference::Other => "OTHER",
    }
}

/// Where a radius came from.
pub(super) fn radius_source(text: &str) -> Result<RadiusSource, String> {
    one_of(&RADIUS_SOURCES, radius_source_word, text)
}

/// The word of the origin of a radius.
pub(super) const fn radius_source_word(source: RadiusSource) -> &'static str {
    match source {
        RadiusSource::Query => "QUERY",
        RadiusSource::Department => "DEPARTMENT",
        RadiusSource::EstimatedDepartment => "ESTIMATED_DEPARTMENT",
        RadiusSource::Default => "DEFAULT",
    }
}

/// The word of what nobody said.
pub(super) const fn unknown_word(unknown: Unknown) -> &'static str {
    match unknown {
        Unknown::Need(need) => need.code(),
        Unknown::Language => "LANGUAGE",
        Unknown::Specialty => "SPECIALTY",
        Unknown::Age => "AGE",
        Unknown::Sex => "SEX",
        Unknown::Capability(capability) => capability.code(),
    }
}

/// What nobody said, by its word.
pub(super) fn unknown(text: &str) -> Result<&'static str, String> {
    let others = [Unknown::Language, Unknown::Specialty, Unknown::Age, Unknown::Sex];
    let capabilities = EmergencyCapability::ALL.into_iter().map(Unknown::Capability);
    let all = Need::ALL.into_iter().map(Unknown::Need).chain(others).chain(capabilities);
    let all: Vec<_> = all.map(unknown_word).collect();
    one_of(&all, |word| word, text)
}

/// A need by its code.
pub(super) fn need(text: &str) -> Result<Need, String> {
    one_of(&Need::ALL, Need::code, text)
}

/// How the patient gets about, by its code.
pub(super) fn travel_mode(text: &str) -> Result<TravelMode, String> {
    one_of(&TravelMode::ALL, TravelMode::code, text)
}

/// A capability of an emergency site by its code.
pub(super) fn capability(text: &str) -> Result<EmergencyCapability, String> {
    one_of(&EmergencyCapability::ALL, EmergencyCapability::code, text)
}

/// An age: `35 ans`, `8 mois`, `3 semaines`, `5 jours`.
pub(super) fn age(text: &str) -> Result<Age, String> {
    let unit = |word: &str| match word {
        "an" | "ans" => Some('Y'),
        "mois" => Some('M'),
        "semaine" | "semaines" => Some('W'),
        "jour" | "jours" => Some('D'),
        _ => None,
    };
    let read = text.split_once(' ').and_then(|(number, word)| Age::parse(&format!("P{number}{}", unit(word)?)).ok());
    read.ok_or_else(|| format!("`{text}` is no age: write `35 ans`, `8 mois`, `3 semaines` or `5 jours`"))
}

/// A clinical delay in minutes, by its code of Hub Santé.
pub(super) fn delay(text: &str) -> Result<u32, String> {
    let delay = Delay::parse(text).map_err(|error| error.to_string())?;
    let minutes = delay.minutes().filter(|minutes| *minutes > 0);
    minutes.ok_or_else(|| format!("`{text}` names no time to wait: write 4H, or `within_minutes`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_french() {
        let days = |text| age(text).map(Age::days);
        assert_eq!(
            (days("35 ans"), days("8 mois"), days("3 semaines"), days("1 jour")),
            (Ok(12_783), Ok(243), Ok(21), Ok(1))
        );
        assert!(days("35").is_err() && days("P35Y").is_err() && days("-1 an").is_err());
    }

    #[test]
    fn delays_are_those_of_hub_sante() {
        assert_eq!((delay("4H"), delay("ASAP"), delay("30M")), (Ok(240), Ok(60), Ok(30)));
        assert!(delay("DEL0").is_err() && delay("RDV").is_err() && delay("5H").is_err());
    }
}
