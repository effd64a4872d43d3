//! What one slot fails, in each of its modalities, and why: the rules of matching, asked of a slot that is named.
//!
//! Invariant: nothing here is a rule. What fails is what [`eligibility`](super::eligibility) says, and what a schedule offers
//! is what the [`Matcher`] keeps of it, so an explanation cannot differ from an answer.

use std::sync::Arc;

use crate::domain::answer::{CareOption, Rule};
use crate::domain::code::{AppointmentType, Modality, Visibility};
use crate::domain::explanation::{Cause, Failure, ModalityExplanation};
use crate::domain::offer::{Candidate, Judge as _, Opening};
use crate::domain::slot::{Slot, SlotState};

use super::eligibility::{OfferRules, RuleSet};
use super::explanation::{option, why};
use super::failures::KindFailures;
use super::fairness::Precedence;
use super::near::Examiner;
use super::question::Question;
use super::ranking::{Match, Matcher, cost_seconds};
use super::wording::{Kilometres, Local};

/// What a schedule offers to a question: the best of its openings that suit.
#[must_use]
pub fn offered(question: &Question<'_>, candidate: Candidate<'_>) -> Option<Match> {
    let mut matcher = Matcher::new(question, 1);
    matcher.judge(candidate);
    matcher.into_matches().pop()
}

/// Everything that an opening fails in a modality, which it need not be in any more.
#[must_use]
pub fn failed(question: &Question<'_>, candidate: &Candidate<'_>, opening: &Opening, modality: Modality) -> RuleSet {
    let rules = OfferRules::of(question, candidate.offer);
    let failures = KindFailures::after(None, question, &rules, candidate, opening.kind);
    let (failed, _) = failures.failed(question, opening, modality);
    failed.union(RuleSet::when(!opening.kind.modalities().contains(modality), Rule::Modality))
}

/// An opening in each of its modalities, the one that fails least first, with the sentence of that one as if it suited.
#[must_use]
pub fn modalities(
    question: &Question<'_>,
    candidate: Candidate<'_>,
    (at, opening): (usize, &Opening),
    slot: &Arc<Slot>,
) -> (Vec<ModalityExplanation>, String) {
    let rules = OfferRules::of(question, candidate.offer);
    let failures = KindFailures::after(None, question, &rules, &candidate, opening.kind);
    let looked = opening.kind.modalities().iter().map(|modality| {
        let (failed, care_begins_at) = failures.failed(question, opening, modality);
        let practice = candidate.offer.practice_of(opening.kind);
        let cost_seconds =
            cost_seconds(question, candidate.offer, practice, modality, care_begins_at, candidate.distance_m);
        let found = Match {
            number: candidate.number,
            cost_seconds,
            precedence: Precedence::default(),
            offer: Arc::clone(candidate.offer),
            opening: at,
            kind: opening.kind,
            modality,
            care_begins_at,
            distance_m: candidate.distance_m,
        };
        (failed, option(question, found, Arc::clone(slot), None))
    });
    let mut looked: Vec<(RuleSet, CareOption)> = looked.collect();
    looked.sort_by_key(|(failed, option)| {
        (failed.count(), option.parts.cost_seconds, option.care_begins_at, option.modality as u8)
    });
    let sentence = looked.first().map(|(_, option)| option.sentence.clone()).unwrap_or_default();
    let explained = looked.into_iter().map(|(failed, option)| ModalityExplanation {
        modality: option.modality,
        care_begins_at: option.care_begins_at,
        parts: option.parts,
        failures: in_order(failed).map(|rule| failure(question, &candidate, opening, &option, rule)).collect(),
    });
    (explained.collect(), sentence)
}

fn in_order(failed: RuleSet) -> impl Iterator<Item = Rule> {
    Rule::ALL.into_iter().filter(move |rule| failed.contains(*rule))
}

fn failure(
    question: &Question<'_>,
    candidate: &Candidate<'_>,
    opening: &Opening,
    option: &CareOption,
    rule: Rule,
) -> Failure {
    let when = (option.modality, option.care_begins_at);
    let excess = Examiner::excess(question, rule, candidate, opening, when);
    let cause = cause(question, candidate, opening, option, rule);
    let said = cause.map(|cause| sentence(question, opening, option, cause, excess));
    Failure { rule, excess, cause, sentence: said.unwrap_or_else(|| why(question, option, rule, excess)) }
}

/// What is behind a failure, when the rule alone does not say it.
fn cause(
    question: &Question<'_>,
    candidate: &Candidate<'_>,
    opening: &Opening,
    option: &CareOption,
    rule: Rule,
) -> Option<Cause> {
    let slot = &option.slot;
    match rule {
        Rule::Visibility => Some(if !slot.traits.visibilities.contains(Visibility::Cpts) {
            Cause::NoVisibility
        } else if question.parts.territories.is_empty() {
            Cause::CptsOnly
        } else {
            Cause::OtherCpts
        }),
        Rule::Radius => match candidate.distance_m {
            None if candidate.offer.vector.is_none() => Some(Cause::NoPosition),
            None => Some(Cause::NoPatientPosition),
            Some(distance_m) if distance_m <= question.radius_m => Some(Cause::ProfessionalRadius),
            Some(_) => None,
        },
        Rule::Arrival if opening.end_at() <= question.now => Some(Cause::Past),
        Rule::Arrival => {
            let is_routine = opening.kind.appointment_type() == AppointmentType::Routine;
            (is_routine && opening.start_at <= question.now).then_some(Cause::Begun)
        }
        Rule::Capacity => Some(match slot.state {
            SlotState::Withdrawn => Cause::Withdrawn,
            SlotState::Closed => Cause::Closed,
            SlotState::Open if slot.booked_count() < usize::from(slot.capacity) => Cause::Held,
            SlotState::Open => Cause::Booked,
        }),
        Rule::Specialty
        | Rule::Modality
        | Rule::Suitability
        | Rule::Territory
        | Rule::AppointmentType
        | Rule::Age
        | Rule::Sex
        | Rule::Need
        | Rule::Language
        | Rule::Delay
        | Rule::Silence
        | Rule::Excluded
        | Rule::Quarantine => None,
    }
}

fn sentence(question: &Question<'_>, opening: &Opening, option: &CareOption, cause: Cause, excess: u32) -> String {
    let (slot, clocks, zone) = (&option.slot, question.clocks, option.offer.place.zone);
    let local = |at| Local { zone, clocks, at };
    match cause {
        Cause::NoVisibility => "n'est visible de personne : aucune visibilité n'est donnée".to_owned(),
        Cause::CptsOnly => "réservé aux CPTS, et la demande n'est faite au nom d'aucune".to_owned(),
        Cause::OtherCpts => "réservé à une autre CPTS que celles de la demande".to_owned(),
        Cause::NoPosition => "le lieu n'a pas de position : seule la téléconsultation peut être proposée".to_owned(),
        Cause::NoPatientPosition => "la demande ne donne pas de position".to_owned(),
        Cause::ProfessionalRadius => {
            format!("{} au-delà du rayon de visite du professionnel", Kilometres(excess))
        }
        Cause::Past => format!("terminé depuis {}", local(opening.end_at())),
        Cause::Begun => format!("commencé depuis {}", local(opening.start_at)),
        Cause::Withdrawn => "retiré par l'éditeur".to_owned(),
        Cause::Closed => "fermé par l'éditeur, sauf pour les patients déjà inscrits".to_owned(),
        Cause::Booked => format!("complet : {} place(s), toutes réservées", slot.capacity),
        Cause::Held => format!("complet jusqu'à {} : une pré-réservation est en cours", local(opening.free_from())),
    }
}

/// What became of a slot whose best modality is known, in one French sentence.
#[must_use]
pub fn excluded_sentence(modalities: &[ModalityExplanation]) -> String {
    let Some(least) = modalities.first() else { return String::new() };
    let reasons: Vec<&str> = least.failures.iter().map(|failure| failure.sentence.as_str()).collect();
    format!("Écarté ({}) : {}.", label(least.modality), reasons.join(" ; "))
}

fn label(modality: Modality) -> String {
    modality.label().to_lowercase()
}
