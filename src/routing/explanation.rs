//! The figures and the French sentence behind every option, near miss and outcome.
//!
//! Sentences say local time at the place; figures say the same for programs.

use std::fmt::Write as _;

use chrono_tz::Tz;

use crate::domain::answer::{CareOption, CareOutcome, NearMiss, OptionParts, Rule, TerritoryPreference};
use crate::domain::code::{AppointmentType, Modality};
use crate::domain::slot::Slot;
use crate::domain::time::{UtcInstant, civil_date};

use std::sync::Arc;

use super::eligibility::unknowns;
use super::near::Miss;
use super::question::Question;
use super::ranking::Match;
use super::travel::travel_minutes;

/// The option that a match makes, with the slot as it is.
#[must_use]
pub fn option(question: &Question<'_>, found: Match, slot: Arc<Slot>) -> CareOption {
    let parts = parts(question, &found);
    let remaining = slot.remaining_count(question.now);
    let mut option = CareOption {
        unknowns: unknowns(question, &found.offer, found.practice(), found.modality),
        territories: found.practice().territories.clone(),
        offer: found.offer,
        modality: found.modality,
        appointment_type: found.kind.appointment_type(),
        care_begins_at: found.care_begins_at,
        remaining_count: u32::try_from(remaining).unwrap_or(u32::MAX),
        parts,
        sentence: String::new(),
        slot,
    };
    option.sentence = option_sentence(question, &option);
    option
}

/// The near miss that an examination found.
#[must_use]
pub fn near_miss(question: &Question<'_>, miss: Miss, slot: Arc<Slot>) -> NearMiss {
    let Miss { found, rule, excess } = miss;
    let option = option(question, found, slot);
    let sentence = miss_sentence(question, &option, rule, excess);
    NearMiss { option, rule, excess, sentence }
}

fn parts(question: &Question<'_>, found: &Match) -> OptionParts {
    let travelled_m = match found.modality {
        Modality::Amb | Modality::Hh => found.distance_m,
        Modality::Vr => None,
    };
    OptionParts {
        wait_minutes: found.care_begins_at.minutes_since(question.now),
        travel_minutes: travelled_m.map_or(0, |distance_m| travel_minutes(question.policy, distance_m)),
        distance_m: travelled_m.unwrap_or(0),
        territory_preference: question.preference(&found.practice().territories),
        data_age_seconds: question.now.seconds_since(found.offer.schedule.received_at),
        cost_seconds: found.cost_seconds,
    }
}

/// The outcome that the best option gives.
#[must_use]
pub const fn outcome_of(modality: Modality, appointment_type: AppointmentType) -> CareOutcome {
    match (modality, appointment_type) {
        (Modality::Amb, AppointmentType::Routine) => CareOutcome::Appointment,
        (Modality::Amb, AppointmentType::Walkin) => CareOutcome::WalkIn,
        (Modality::Vr, AppointmentType::Routine | AppointmentType::Walkin) => CareOutcome::Teleconsultation,
        (Modality::Hh, AppointmentType::Routine | AppointmentType::Walkin) => CareOutcome::HomeVisit,
    }
}

/// The outcome in one sentence.
#[must_use]
pub fn outcome_sentence(outcome: CareOutcome, best: Option<&CareOption>, delay_minutes: u32) -> String {
    let with_best = |what: &str| match best {
        Some(best) => format!("{what} {}.", in_minutes(best.parts.wait_minutes)),
        None => format!("{what}."),
    };
    match outcome {
        CareOutcome::EmergencyDispatch => "Urgence vitale : envoyer le SMUR sans attendre.".to_owned(),
        CareOutcome::EmergencyDepartment => {
            "Urgence vraie : orienter vers un service d'urgences qui reçoit, ou envoyer un moyen.".to_owned()
        }
        CareOutcome::Appointment => with_best("Consultation sur rendez-vous"),
        CareOutcome::WalkIn => with_best("Consultation sans rendez-vous"),
        CareOutcome::Teleconsultation => with_best("Téléconsultation"),
        CareOutcome::HomeVisit => with_best("Visite à domicile"),
        CareOutcome::MedicalAdvice => {
            "Conseil médical ou prescription par téléphone : aucun créneau nécessaire.".to_owned()
        }
        CareOutcome::NoSlotInTime => format!(
            "Aucun créneau adapté dans le délai clinique ({}) : voir les solutions proches et les urgences ouvertes.",
            duration(delay_minutes)
        ),
    }
}

fn option_sentence(question: &Question<'_>, option: &CareOption) -> String {
    let zone = option.offer.place.zone;
    let begins = local(zone, question.now, option.care_begins_at);
    let wait = in_minutes(option.parts.wait_minutes);
    let distance = kilometres(option.parts.distance_m);
    let travel = option.parts.travel_minutes;
    let mut sentence = match (option.modality, option.appointment_type) {
        (Modality::Amb, AppointmentType::Routine) => {
            format!("Rendez-vous à {begins}, {wait}, à {distance} soit {travel} min de trajet")
        }
        (Modality::Amb, AppointmentType::Walkin) => {
            let until = local(zone, question.now, option.slot.window.end_at());
            format!(
                "Sans rendez-vous jusqu'à {until}, arrivée possible vers {begins}, à {distance} soit {travel} min de trajet"
            )
        }
        (Modality::Vr, AppointmentType::Routine | AppointmentType::Walkin) => {
            format!("Téléconsultation à {begins}, {wait}")
        }
        (Modality::Hh, AppointmentType::Routine | AppointmentType::Walkin) => {
            format!("Visite à domicile à {begins}, {wait}, le professionnel part de {distance}")
        }
    };
    sentence.push_str(match option.parts.territory_preference {
        TerritoryPreference::Own => ", dans la CPTS du patient",
        TerritoryPreference::Neighbour => ", dans une CPTS voisine",
        TerritoryPreference::Other | TerritoryPreference::Unspecified => "",
    });
    if option.remaining_count > 1 {
        // Writing to a String cannot fail.
        let _ = write!(sentence, ", {} places restantes", option.remaining_count);
    }
    if option.parts.data_age_seconds > question.policy.stale_after_seconds {
        let _ = write!(sentence, ", information ancienne de {} h", option.parts.data_age_seconds / 3_600);
    }
    sentence.push('.');
    sentence
}

fn miss_sentence(question: &Question<'_>, option: &CareOption, rule: Rule, excess: u32) -> String {
    let limits = &option.offer.schedule.limits;
    let begins = local(option.offer.place.zone, question.now, option.care_begins_at);
    let why = match rule {
        Rule::Visibility => "n'est pas visible de la régulation".to_owned(),
        Rule::Specialty => "autre spécialité que celle demandée".to_owned(),
        Rule::Modality => format!("seulement en {}", option.modality.label().to_lowercase()),
        Rule::AppointmentType => format!("seulement {}", option.appointment_type.label().to_lowercase()),
        Rule::Age => match (limits.min_age, limits.max_age) {
            (Some(min), _) if question.parts.age.is_some_and(|age| age < min) => {
                format!("n'accepte pas les patients de moins de {}", age_label(min.days()))
            }
            (_, Some(max)) => format!("n'accepte pas les patients de plus de {}", age_label(max.days())),
            (_, None) => "n'accepte pas cet âge".to_owned(),
        },
        Rule::Sex => "n'accepte pas les patients de ce sexe".to_owned(),
        Rule::Need => {
            let unmet = question.parts.needs.iter().filter(|need| option.offer.place.needs_unmet.contains(*need));
            let labels: Vec<_> = unmet.map(|need| need.label()).collect();
            format!("ne répond pas au besoin : {}", labels.join(", "))
        }
        Rule::Language => "aucune des langues du patient n'y est parlée".to_owned(),
        Rule::Radius => match excess {
            0 => "position inconnue".to_owned(),
            excess => format!("{} au-delà du rayon", kilometres(excess)),
        },
        Rule::Arrival => format!("le patient arriverait {} trop tard", duration(excess)),
        Rule::Delay => format!("commence {} après le délai clinique", duration(excess)),
        Rule::Capacity => "complet".to_owned(),
    };
    format!("{begins} : {why}.")
}

/// Local hour and minute, with the day when it is another one.
fn local(zone: Tz, now: UtcInstant, at: UtcInstant) -> String {
    let local = at.to_local(zone);
    let days = civil_date(zone, at).signed_duration_since(civil_date(zone, now)).num_days();
    match days {
        0 => local.format("%H:%M").to_string(),
        1 => local.format("demain %H:%M").to_string(),
        _ => local.format("le %d/%m %H:%M").to_string(),
    }
}

fn in_minutes(minutes: u32) -> String {
    if minutes == 0 { "tout de suite".to_owned() } else { format!("dans {}", duration(minutes)) }
}

fn duration(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes:02}"),
    }
}

/// Kilometres with one decimal, the French way.
fn kilometres(metres: u32) -> String {
    let tenths = metres.saturating_add(50) / 100;
    format!("{},{} km", tenths / 10, tenths % 10)
}

fn age_label(days: u32) -> String {
    let years = (f64::from(days) / 365.25).round();
    match days {
        0..=90 => format!("{days} jours"),
        91..=729 => format!("{} mois", (f64::from(days) / 30.4375).round()),
        _ => format!("{years} ans"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_french() {
        assert_eq!(kilometres(2_349), "2,3 km");
        assert_eq!(kilometres(49), "0,0 km");
        assert_eq!(duration(59), "59 min");
        assert_eq!(duration(120), "2 h");
        assert_eq!(duration(125), "2 h 05");
        assert_eq!(in_minutes(0), "tout de suite");
        assert_eq!(
            (age_label(28), age_label(91), age_label(5_844)),
            ("28 jours".into(), "3 mois".into(), "16 ans".into())
        );
    }

    #[test]
    fn another_day_is_said() {
        let zone = chrono_tz::Europe::Paris;
        let at = |text: &str| UtcInstant::parse_rfc3339(text).unwrap();
        let now = at("2026-11-22T22:30:00+01:00");
        assert_eq!(local(zone, now, at("2026-11-22T23:45:00+01:00")), "23:45");
        assert_eq!(local(zone, now, at("2026-11-23T00:15:00+01:00")), "demain 00:15");
        assert_eq!(local(zone, now, at("2026-11-24T09:00:00+01:00")), "le 24/11 09:00");
    }
}
