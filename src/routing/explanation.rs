//! The figures and the French sentence behind every option, near miss and outcome.
//!
//! Sentences say local time at the place; figures say the same for programs.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::domain::answer::{
    Availability, CareOption, CareOutcome, FairShare, FairShareReason, NearMiss, OptionParts, PolicyRule, Rule,
    TerritoryPreference,
};
use crate::domain::code::{AppointmentType, Modality};
use crate::domain::road::TravelMethod;
use crate::domain::slot::Slot;
use crate::domain::source::Confidence;

use super::contact::is_doubted;
use super::eligibility::{needs_in, unknowns};
use super::fairness::fair_shares;
use super::near::Miss;
use super::policy::BeyondTerritory;
use super::question::Question;
use super::ranking::{Match, travelled_m};
use super::wording::{AgeLabel, Kilometres, Local, Minutes, Number, Wait};

/// About the length of a sentence, in bytes.
const SENTENCE_BYTES: usize = 160;

/// The options that the matches of an answer make, with the slots as they were when they matched.
#[must_use]
pub fn options(question: &Question<'_>, told: Vec<Match>) -> Vec<CareOption> {
    let shares = fair_shares(question, &told);
    let made = |(found, fair_share): (Match, Option<FairShare>)| {
        let slot = found.slot()?;
        Some(option(question, found, slot, fair_share))
    };
    told.into_iter().zip(shares).filter_map(made).collect()
}

/// The option that a match makes, with the slot as it is, and why it goes before others that cost less.
#[must_use]
pub fn option(question: &Question<'_>, found: Match, slot: Arc<Slot>, fair_share: Option<FairShare>) -> CareOption {
    let parts = parts(question, &found, fair_share);
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
    let option = option(question, found, slot, None);
    let policy_rule = policy_rule(question, rule, option.modality).cloned();
    let sentence = miss_sentence(question, &option, rule, excess);
    NearMiss { option, rule, excess, policy_rule, sentence }
}

/// The rule of the policy behind a rule of matching.
fn policy_rule<'q>(question: &Question<'q>, rule: Rule, modality: Modality) -> Option<&'q PolicyRule> {
    match rule {
        Rule::Suitability => question.unsuitable_by(modality),
        Rule::Territory => Some(&question.policy.teleconsultation.rule),
        Rule::Delay => question.delay_rule,
        Rule::Visibility
        | Rule::Specialty
        | Rule::Modality
        | Rule::AppointmentType
        | Rule::Age
        | Rule::Sex
        | Rule::Need
        | Rule::Language
        | Rule::Radius
        | Rule::Arrival
        | Rule::Capacity
        | Rule::Silence
        | Rule::Excluded
        | Rule::Quarantine => None,
    }
}

fn parts(question: &Question<'_>, found: &Match, fair_share: Option<FairShare>) -> OptionParts {
    let travelled_m = travelled_m(found.modality, found.distance_m);
    OptionParts {
        wait_minutes: found.care_begins_at.minutes_since(question.now),
        travel_minutes: travelled_m
            .map_or(0, |distance_m| question.travel_seconds(found.modality, distance_m).div_ceil(60)),
        travel_method: question.travel_method(found.modality),
        distance_m: travelled_m.unwrap_or(0),
        territory_preference: question.preference(&found.practice().territories),
        data_age_seconds: question.now.seconds_since(found.offer.heard_at()),
        confidence: question.confidence(&found.offer),
        cost_seconds: found.cost_seconds,
        contact_failures: found.offer.contact_failures,
        preferred: question.is_preferred(&found.offer),
        fair_share,
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
pub fn outcome_sentence(
    outcome: CareOutcome,
    best: Option<&CareOption>,
    (delay_minutes, availability): (u32, Availability),
) -> String {
    let with_best = |what: &str| match best {
        Some(best) => format!("{what} {}.", Wait(best.parts.wait_minutes)),
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
        CareOutcome::NoSlotInTime if availability == Availability::Unknown => format!(
            "Aucun créneau connu dans le délai clinique ({}), mais des éditeurs ne répondent plus : vérifier par téléphone ; \
             voir les solutions proches et les urgences ouvertes.",
            Minutes(delay_minutes)
        ),
        CareOutcome::NoSlotInTime => format!(
            "Aucun créneau adapté dans le délai clinique ({}) : voir les solutions proches et les urgences ouvertes.",
            Minutes(delay_minutes)
        ),
    }
}

fn option_sentence(question: &Question<'_>, option: &CareOption) -> String {
    let mut sentence = String::with_capacity(SENTENCE_BYTES);
    // Writing to a String cannot fail.
    let _ = write_option(&mut sentence, question, option);
    sentence
}

fn write_option(sentence: &mut String, question: &Question<'_>, option: &CareOption) -> fmt::Result {
    let (zone, clocks) = (option.offer.place.zone, question.clocks);
    let begins = Local { zone, clocks, at: option.care_begins_at };
    let at = begins.with("à ");
    let (wait, distance) = (Wait(option.parts.wait_minutes), Kilometres(option.parts.distance_m));
    let travel = Number(option.parts.travel_minutes);
    let by_road = by_road(option);
    match (option.modality, option.appointment_type) {
        (Modality::Amb, AppointmentType::Routine) => {
            write!(sentence, "Rendez-vous {at}, {wait}, à {distance} soit {travel} min de trajet{by_road}")?;
        }
        (Modality::Amb, AppointmentType::Walkin) => {
            let until = Local { zone, clocks, at: option.slot.window.end_at() };
            let towards = begins.with("vers ");
            write!(sentence, "Sans rendez-vous jusqu'à {until}, arrivée possible {towards}, ")?;
            write!(sentence, "à {distance} soit {travel} min de trajet{by_road}")?;
        }
        (Modality::Vr, AppointmentType::Routine | AppointmentType::Walkin) => {
            write!(sentence, "Téléconsultation {at}, {wait}")?;
        }
        (Modality::Hh, AppointmentType::Routine | AppointmentType::Walkin) => {
            write!(sentence, "Visite à domicile {at}, {wait}, le professionnel part de {distance}")?;
            if !by_road.is_empty() {
                write!(sentence, " soit {travel} min de trajet{by_road}")?;
            }
        }
    }
    sentence.push_str(match option.parts.territory_preference {
        TerritoryPreference::Own => ", dans la CPTS du patient",
        TerritoryPreference::Neighbour => ", dans une CPTS voisine",
        TerritoryPreference::Other | TerritoryPreference::Unspecified => "",
    });
    let is_far = question.remote_near_m.is_none() && is_remote_rule_in_force(question);
    if option.modality == Modality::Vr && is_far && !question.is_of_territory(&option.territories) {
        sentence.push_str(", hors du territoire du patient faute de réponse plus proche");
    }
    if option.parts.preferred {
        sentence.push_str(", chez le médecin habituel du patient");
    }
    sentence.push_str(&turn_words(option.parts.fair_share));
    if option.remaining_count > 1 {
        write!(sentence, ", {} places restantes", option.remaining_count)?;
    }
    match (option.parts.confidence, option.offer.pulse.is_leased()) {
        (Confidence::Certain, _) => {}
        (Confidence::Uncertain | Confidence::Hidden, true) => {
            write!(sentence, ", éditeur silencieux depuis {}", Minutes(option.parts.data_age_seconds / 60))?;
        }
        (Confidence::Uncertain | Confidence::Hidden, false) => {
            write!(sentence, ", information ancienne de {} h", option.parts.data_age_seconds / 3_600)?;
        }
    }
    if is_doubted(&option.offer) {
        write!(sentence, ", injoignable pour {} dossiers récents", option.parts.contact_failures)?;
    }
    sentence.push('.');
    Ok(())
}

/// What is said of minutes that a road table told.
const fn by_road(option: &CareOption) -> &'static str {
    match option.parts.travel_method {
        TravelMethod::RoadTable { .. } => " par la route",
        TravelMethod::StraightLine | TravelMethod::None => "",
    }
}

/// Why an option goes before others that cost less, as a part of a sentence; empty when it does not.
#[must_use]
pub fn turn_words(fair_share: Option<FairShare>) -> String {
    let Some(FairShare { reason, equivalent_count: _, passed_count }) = fair_share else { return String::new() };
    match reason {
        FairShareReason::LeastRecent => {
            let named = if passed_count > 1 { "proposés" } else { "proposé" };
            format!(", à son tour devant {} {named} plus récemment", equivalents(passed_count))
        }
        FairShareReason::Newcomer => {
            format!(", devant {} car nouveau dans le service", equivalents(passed_count))
        }
    }
}

fn equivalents(count: u32) -> String {
    if count > 1 { format!("{count} équivalents") } else { "un équivalent".to_owned() }
}

/// Whether teleconsultation from beyond the territory is shown although the policy would rather not.
fn is_remote_rule_in_force(question: &Question<'_>) -> bool {
    question.policy.teleconsultation.beyond == BeyondTerritory::LastResort && question.has_territory()
}

/// Why an opening fails a rule, in French, without a full stop.
pub(super) fn why(question: &Question<'_>, option: &CareOption, rule: Rule, excess: u32) -> String {
    let mut sentence = String::with_capacity(SENTENCE_BYTES);
    // Writing to a String cannot fail.
    let _ = write_why(&mut sentence, question, option, (rule, excess));
    sentence
}

fn miss_sentence(question: &Question<'_>, option: &CareOption, rule: Rule, excess: u32) -> String {
    let mut sentence = String::with_capacity(SENTENCE_BYTES);
    let begins = Local { zone: option.offer.place.zone, clocks: question.clocks, at: option.care_begins_at };
    // Writing to a String cannot fail.
    let _ = write!(sentence, "{begins} : ").and_then(|()| write_why(&mut sentence, question, option, (rule, excess)));
    sentence.push('.');
    sentence
}

fn write_why(
    sentence: &mut String,
    question: &Question<'_>,
    option: &CareOption,
    (rule, excess): (Rule, u32),
) -> fmt::Result {
    let limits = &option.offer.schedule.limits;
    match rule {
        Rule::Visibility => sentence.push_str("n'est pas visible de la régulation"),
        Rule::Specialty => sentence.push_str("autre spécialité que celle demandée"),
        Rule::Modality => write!(sentence, "seulement en {}", option.modality.label().to_lowercase())?,
        Rule::Suitability => {
            let rule = question.unsuitable_by(option.modality);
            let (id, text) = rule.map_or(("", ""), |rule| (&*rule.id, rule.text.trim_end_matches('.')));
            write!(sentence, "{} non adaptée ({id}) : {text}", option.modality.label().to_lowercase())?;
        }
        Rule::Territory => {
            let rule = &question.policy.teleconsultation.rule;
            write!(sentence, "hors du territoire du patient ({}) : {}", rule.id, rule.text.trim_end_matches('.'))?;
        }
        Rule::AppointmentType => write!(sentence, "seulement {}", option.appointment_type.label().to_lowercase())?,
        Rule::Age => match (limits.min_age, limits.max_age) {
            (Some(min), _) if question.parts.age.is_some_and(|age| age < min) => {
                write!(sentence, "n'accepte pas les patients de moins de {}", AgeLabel(min.days()))?;
            }
            (_, Some(max)) => write!(sentence, "n'accepte pas les patients de plus de {}", AgeLabel(max.days()))?,
            (_, None) => sentence.push_str("n'accepte pas cet âge"),
        },
        Rule::Sex => sentence.push_str("n'accepte pas les patients de ce sexe"),
        Rule::Need => {
            let needs = needs_in(question, option.modality);
            let unmet = needs.iter().filter(|need| option.offer.place.needs_unmet.contains(*need));
            let labels: Vec<_> = unmet.map(|need| need.label()).collect();
            write!(sentence, "ne répond pas au besoin : {}", labels.join(", "))?;
        }
        Rule::Language => sentence.push_str("aucune des langues du patient n'y est parlée"),
        Rule::Radius => match excess {
            0 => sentence.push_str("position inconnue"),
            excess => write!(sentence, "{} au-delà du rayon", Kilometres(excess))?,
        },
        Rule::Arrival => {
            let by_road = by_road(option);
            write!(sentence, "le patient arriverait {} trop tard{by_road}", Minutes(excess))?;
        }
        Rule::Delay => write!(sentence, "commence {} après le délai clinique", Minutes(excess))?,
        Rule::Capacity => sentence.push_str("complet"),
        Rule::Silence => write!(sentence, "éditeur silencieux depuis {}, à vérifier par téléphone", Minutes(excess))?,
        Rule::Excluded => sentence.push_str("écarté pour ce dossier"),
        Rule::Quarantine => {
            sentence.push_str("en quarantaine, une réservation perdue étant à vérifier auprès du professionnel")
        }
    }
    Ok(())
}
