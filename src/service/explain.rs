//! Why a slot is in an answer, or is not: for the regulator with the question, for the publisher without a patient.
//!
//! Invariant: the radius, the rules and the order are those of [`Finder::find`] at the same state. Reads only, from memory.
//! Deliberately absent: what an earlier answer said; state is explained as it is now.

use std::sync::Arc;

use crate::domain::answer::{FairShare, Likeness, Stamp};
use crate::domain::code::{ProfessionSet, Specialty, SpecialtySet};
use crate::domain::explanation::{Rank, ScheduleExplanation, SlotExplanation, Subject, Verdict};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::id::{ScheduleId, SlotId};
use crate::domain::offer::{Candidate, Offer, Opening};
use crate::domain::patient::Age;
use crate::domain::query::{CareQuery, CareQueryDraft, NEEDED_WITHIN_MAX_MINUTES, OPTIONS_MAX};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::index::Index;
use crate::routing::diversity::Choice;
use crate::routing::explanation::turn_words;
use crate::routing::fairness::fair_shares;
use crate::routing::policy::PolicySet;
use crate::routing::question::Question;
use crate::routing::ranking::Match;
use crate::routing::triage::triage;
use crate::routing::verdict::{excluded_sentence, modalities, offered};

use super::Service;
use super::error::{Error, Reason};
use super::find::{Finder, RANKED_MAX, Survey, searches_by_place};

/// Most slots that one answer explains.
pub(crate) const EXPLAINED_SLOTS_MAX: usize = 200;
/// Most schedules of a practitioner that one answer explains.
const EXPLAINED_SCHEDULES_MAX: usize = 20;
/// How many of the slots right before one are named.
const BEHIND_MAX: usize = 3;
/// Age in years of the publisher's form.
const PUBLISHER_FORM_YEARS: u16 = 40;

/// What became of slots.
#[derive(Clone, Debug)]
pub struct Explained {
    /// In order of identifier.
    pub schedules: Vec<ScheduleExplanation>,
    /// Whether these are all slots.
    pub complete: bool,
    /// The state of which this is told.
    pub stamp: Stamp,
}

impl Service {
    /// Explains what becomes of slots in the answer to a question; without one, in the publisher's form.
    ///
    /// # Errors
    /// When the slot, schedule or practitioner is unknown.
    pub fn explain(&self, subject: &Subject, query: Option<&CareQuery>) -> Result<Explained, Error> {
        let parts = self.parts();
        let now = parts.clock.now();
        let in_force = self.policies().load();
        let explainer = Explainer { index: &parts.index, policies: &in_force.set, degraded: self.is_degraded(now) };
        let (schedules, complete) = explainer.explain(subject, query, now)?;
        Ok(Explained { schedules, complete, stamp: self.stamp() })
    }
}

/// What is left to be told, and of which slot only.
struct Told<'a> {
    only: Option<&'a SlotId>,
    slots_left: usize,
    complete: bool,
}

/// The explanations of an index, under the policies in force.
#[derive(Clone, Copy)]
pub(super) struct Explainer<'a> {
    pub(super) index: &'a Index,
    pub(super) policies: &'a PolicySet,
    pub(super) degraded: bool,
}

impl Explainer<'_> {
    /// Explains slots at an instant; and whether these are all.
    ///
    /// # Errors
    /// When the slot, schedule or practitioner is unknown.
    pub(super) fn explain(
        &self,
        subject: &Subject,
        query: Option<&CareQuery>,
        now: UtcInstant,
    ) -> Result<(Vec<ScheduleExplanation>, bool), Error> {
        let mut schedule_ids = self.schedules_of(subject)?;
        let only = if let Subject::Slot(id) = subject { Some(id) } else { None };
        let complete = schedule_ids.len() <= EXPLAINED_SCHEDULES_MAX;
        schedule_ids.truncate(EXPLAINED_SCHEDULES_MAX);
        let mut told = Told { only, slots_left: EXPLAINED_SLOTS_MAX, complete };
        let mut schedules = Vec::with_capacity(schedule_ids.len());
        for schedule_id in schedule_ids {
            let Some(offer) = self.index.offer(&schedule_id) else {
                schedules.push(self.unresolved(schedule_id, &mut told));
                continue;
            };
            let form = if query.is_none() { Some(publisher_form(&offer)?) } else { None };
            if let Some(asked) = query.or(form.as_ref()) {
                let explained = self.explained(&offer, asked, now, &mut told);
                schedules.push(ScheduleExplanation { publisher_form: form, ..explained });
            }
        }
        Ok((schedules, told.complete))
    }

    fn schedules_of(&self, subject: &Subject) -> Result<Vec<ScheduleId>, Error> {
        match subject {
            Subject::Slot(id) => {
                let message = format!("slot `{id}` is unknown: it was never published or is no longer kept");
                let unknown = || Error::new(Reason::UnknownSlot, message).about(id);
                self.index.slot(id).map(|slot| vec![slot.value.schedule_id.clone()]).ok_or_else(unknown)
            }
            Subject::Schedule(id) => {
                let message = format!("schedule `{id}` is unknown: create it first, or correct its identifier");
                let unknown = || Error::new(Reason::UnknownSchedule, message).about(id);
                self.index.schedule(id).map(|_| vec![id.clone()]).ok_or_else(unknown)
            }
            Subject::Practitioner(id) => {
                if self.index.practitioner(id).is_none() {
                    let message = format!("practitioner `{}` is unknown: check the identifier", id.wire());
                    return Err(Error::new(Reason::UnknownPractitioner, message).about(id.wire()));
                }
                Ok(self.index.schedules_of_practitioner(id))
            }
        }
    }

    /// A schedule that names what is not known.
    fn unresolved(&self, schedule_id: ScheduleId, told: &mut Told<'_>) -> ScheduleExplanation {
        let sentence =
            "L'agenda nomme un lieu ou un professionnel que le service ne connaît pas : rien n'en est proposé.";
        let slots = self.index.slots_of(&schedule_id).into_iter().map(|slot| slot.value);
        let mut slots: Vec<Arc<Slot>> = slots.filter(|slot| told.only.is_none_or(|only| slot.id == *only)).collect();
        told.complete &= slots.len() <= told.slots_left;
        slots.truncate(told.slots_left);
        told.slots_left -= slots.len();
        let slots = slots.into_iter().map(|slot| SlotExplanation {
            slot,
            verdict: Verdict::Unresolved,
            modalities: Vec::new(),
            sentence: sentence.to_owned(),
        });
        ScheduleExplanation {
            schedule_id,
            offer: None,
            publisher_form: None,
            rule_id: Arc::from(""),
            radius: None,
            needed_by_at: None,
            slots: slots.collect(),
            sentence: sentence.to_owned(),
        }
    }

    fn explained(
        &self,
        offer: &Arc<Offer>,
        query: &CareQuery,
        now: UtcInstant,
        told: &mut Told<'_>,
    ) -> ScheduleExplanation {
        let finder = Finder { index: self.index, policy: self.policies.of_query(query), degraded: self.degraded };
        let refused = finder.without_refused(query);
        let query = refused.as_ref().unwrap_or(query);
        let triage = triage(query, finder.policy);
        let neighbours = finder.neighbours(query);
        let Survey { question, plan, .. } = finder.survey(query, now, &neighbours, query.limit());
        let choice = if triage.searches { finder.ranked(&question, query.limit()) } else { Choice::default() };
        let distance_m =
            offer.vector.zip(query.parts().position).map(|(at, patient)| at.distance_m(&EarthVector::from(&patient)));
        let candidate = Candidate { number: 0, offer, distance_m };
        let seen = Seen {
            question: &question,
            candidate,
            offered: offered(&question, candidate),
            choice: &choice,
            refused_by: (!triage.searches).then_some(&*triage.rule_id),
            limit: query.limit(),
        };
        let mut slots = Vec::new();
        for (at, opening) in offer.row.openings().iter().enumerate() {
            let Some(slot) = offer.slot(at).map(|slot| slot.value) else { continue };
            let is_wanted = told.only.map_or(opening.end_at() > now, |only| slot.id == *only);
            if !is_wanted {
                continue;
            }
            if told.slots_left == 0 {
                told.complete = false;
                break;
            }
            told.slots_left -= 1;
            slots.push(seen.slot((at, opening), slot));
        }
        let is_by_place = question.parts.position.is_some() && searches_by_place(question.suitable);
        let by_place = triage.searches && is_by_place;
        ScheduleExplanation {
            schedule_id: offer.schedule.id.clone(),
            offer: Some(Arc::clone(offer)),
            publisher_form: None,
            rule_id: triage.rule_id,
            radius: by_place.then(|| plan.radius()),
            needed_by_at: triage.searches.then_some(question.needed_by_at),
            sentence: schedule_sentence(&slots),
            slots,
        }
    }
}

/// A schedule as a question sees it.
struct Seen<'a> {
    question: &'a Question<'a>,
    candidate: Candidate<'a>,
    /// What the schedule offers, when anything suits.
    offered: Option<Match>,
    /// All that suits.
    choice: &'a Choice,
    /// The rule by which nothing was looked for.
    refused_by: Option<&'a str>,
    limit: usize,
}

impl Seen<'_> {
    fn slot(&self, (at, opening): (usize, &Opening), slot: Arc<Slot>) -> SlotExplanation {
        let (mut modalities, as_option) = modalities(self.question, self.candidate, (at, opening), &slot);
        let suits = modalities.first().is_some_and(|least| least.failures.is_empty());
        let (verdict, sentence) = match (self.refused_by, &self.offered) {
            (Some(rule_id), _) => {
                let sentence =
                    format!("La demande n'appelle pas de créneau (règle {rule_id}) : aucun n'a été cherché.");
                (Verdict::NotSearched, sentence)
            }
            (None, Some(offered)) if offered.opening == at => {
                let (rank, fair_share) = (self.rank(), self.fair_share());
                if let Some(ranked) = modalities.first_mut() {
                    ranked.parts.fair_share = fair_share;
                }
                let sentence = rank_sentence(&rank, &turn_words(fair_share), self.limit, &as_option);
                (Verdict::Option(rank), sentence)
            }
            (None, Some(offered)) if suits => match offered.slot() {
                Some(first) => {
                    let sentence = format!("Convient, mais l'agenda propose d'abord le créneau {}.", first.id);
                    (Verdict::BehindOwn(first.id.clone()), sentence)
                }
                None => (Verdict::Excluded, String::new()),
            },
            (None, _) => (Verdict::Excluded, excluded_sentence(&modalities)),
        };
        SlotExplanation { slot, verdict, modalities, sentence }
    }

    /// Why what the schedule offers goes before options of the answer that cost less.
    fn fair_share(&self) -> Option<FairShare> {
        let told = &self.choice.told;
        let id = &self.candidate.offer.schedule.id;
        let at = told.iter().position(|found| found.offer.schedule.id == *id)?;
        fair_shares(self.question, told).into_iter().nth(at).flatten()
    }

    /// Where what the schedule offers stands among all that suits.
    fn rank(&self) -> Rank {
        let Choice { told, set_aside, beyond, filled_up: _ } = self.choice;
        let aside = || set_aside.iter().map(|(found, likeness)| (found, Some(*likeness)));
        let others = |found| (found, None);
        let ranked: Vec<_> = told.iter().map(others).chain(aside()).chain(beyond.iter().map(others)).collect();
        let id = &self.candidate.offer.schedule.id;
        let Some(at) = ranked.iter().position(|(found, _)| found.offer.schedule.id == *id) else {
            return Rank::default();
        };
        let before = ranked.get(at.saturating_sub(BEHIND_MAX)..at).unwrap_or_default();
        Rank {
            rank: u32::try_from(at + 1).ok(),
            in_answer: at < told.len(),
            behind: before.iter().filter_map(|(found, _)| found.slot()).map(|slot| slot.id.clone()).collect(),
            set_aside: ranked.get(at).and_then(|(_, likeness)| *likeness),
        }
    }
}

fn rank_sentence(rank: &Rank, turn: &str, limit: usize, as_option: &str) -> String {
    let Rank { rank: number, in_answer, behind, set_aside } = rank;
    let Some(number) = number else {
        return format!("Convient, au-delà du rang {RANKED_MAX}. {as_option}");
    };
    let after = behind.last().map_or(String::new(), |slot| format!(", après le créneau {slot}"));
    let beyond = match set_aside {
        _ if *in_answer => String::new(),
        None => format!(", hors des {limit} options demandées"),
        Some(Likeness::Place) => ", laissé de côté : assez d'options au même lieu".to_owned(),
        Some(Likeness::Practitioner) => ", laissé de côté : assez d'options avec le même professionnel".to_owned(),
    };
    format!("Proposé au rang {number}{after}{turn}{beyond}. {as_option}")
}

fn schedule_sentence(slots: &[SlotExplanation]) -> String {
    let first = slots.iter().find(|slot| matches!(slot.verdict, Verdict::Option(_)));
    match (first, slots) {
        (Some(option), [_]) => option.sentence.clone(),
        (Some(option), _) => format!("Créneau {} : {}", option.slot.id, option.sentence),
        (None, []) => "L'agenda n'a aucun créneau à venir.".to_owned(),
        (None, [only]) => only.sentence.clone(),
        (None, slots) => format!("Aucun des {} créneaux à venir n'est proposé.", slots.len()),
    }
}

/// The publisher's form: somebody at the place who wants what the schedule offers, and whom it takes.
fn publisher_form(offer: &Offer) -> Result<CareQuery, Error> {
    let practices = || std::iter::once(&offer.practice).chain(&offer.row.practices);
    let specialties: SpecialtySet = practices().flat_map(|practice| practice.specialties.iter()).collect();
    let professions: ProfessionSet = practices().flat_map(|practice| practice.professions.iter()).collect();
    let anyone = specialties.is_empty() && professions.is_empty();
    let (latitude, longitude) = offer.place.department.barycentre();
    let limits = &offer.limits;
    let age = Age::from_years(PUBLISHER_FORM_YEARS);
    let age = limits.max_age.map_or(age, |max| age.min(max));
    let draft = CareQueryDraft {
        position: offer.place.position.or_else(|| GeoPoint::new(latitude, longitude).ok()),
        department: Some(offer.place.department),
        age: Some(limits.min_age.map_or(age, |min| age.max(min))),
        needed_within_minutes: Some(NEEDED_WITHIN_MAX_MINUTES),
        specialties: if anyone { Specialty::general_practice() } else { specialties },
        professions,
        limit: Some(OPTIONS_MAX),
        ..CareQueryDraft::default()
    };
    let internal =
        |violations: Vec<Violation>| Error::internal(format!("the publisher's form is wrong: {violations:?}"));
    CareQuery::parse(draft).map_err(internal)
}
