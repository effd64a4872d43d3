//! What a candidate policy would change: the last questions answered again, under the policies in force and under it.
//!
//! Both answers are of one state and one instant, so that only the policies can tell them apart. Nothing is counted, noted or
//! changed by it. Invariant: what is told of a question is what the interface lists; no position, no case, no slot.

use std::time::Duration;

use chrono::Timelike as _;

use super::asked::Question;
use super::{Loaded, candidate, load};
use crate::clock::Stopwatch;
use crate::domain::answer::{CareAnswer, CareOption, CareOutcome, Stamp};
use crate::domain::code::{AppointmentType, CareLevel, Modality, ModalitySet, PatientCategory, Priority, SpecialtySet};
use crate::domain::department::Department;
use crate::domain::policy::PolicyDocument;
use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;
use crate::routing::policy::PolicySet;
use crate::service::error::{Error, Reason};
use crate::service::fingerprint::Digest;
use crate::service::limits::{
    PREVIEW_CHANGES_MAX, PREVIEW_MS_MAX, QUESTIONS_KEPT_MAX, QUESTIONS_KEPT_MS, RETRY_REFUSED_AFTER_MS,
};
use crate::service::{Finder, Service};

/// How often both answers are given again when something was written between them.
const STEADY_TRIES: usize = 3;

/// A candidate that is to be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreviewRequest {
    /// Its files; `None` for the national policy that ships alone.
    pub documents: Option<Vec<PolicyDocument>>,
    /// Most questions that are answered again; as many as are kept unless given.
    pub questions_max: Option<usize>,
    /// Most changed answers that are told one by one.
    pub changes_max: Option<usize>,
}

/// What a candidate would change.
#[derive(Clone, Debug)]
pub struct Preview {
    /// Version in force.
    pub active_version: String,
    /// Version of the candidate.
    pub candidate_version: String,
    /// How many questions are kept.
    pub kept_count: usize,
    /// How many were answered again; fewer than were wanted when time was over.
    pub compared_count: usize,
    /// How many answers differ.
    pub changed_count: usize,
    /// How many answers differ in what.
    pub sorts: Vec<(ChangeSort, usize)>,
    /// Those of the last questions, one by one.
    pub changes: Vec<ChangedAnswer>,
    /// The state of which this is told.
    pub stamp: Stamp,
}

/// In what two answers differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeSort {
    /// What to do.
    Outcome,
    /// The first option.
    FirstOption,
    /// Which options there are.
    Options,
    /// The order of the same options.
    Order,
    /// The emergency sites.
    EmergencySites,
    /// The rules that made the answer what it is.
    Rules,
}

impl ChangeSort {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Outcome, Self::FirstOption, Self::Options, Self::Order, Self::EmergencySites, Self::Rules];
}

/// A question whose answer would differ, without what could tell a patient.
#[derive(Clone, Debug)]
pub struct ChangedAnswer {
    /// Hour of the day at which it was asked, where the patient is.
    pub local_hour: u32,
    /// Department, when known.
    pub department: Option<Department>,
    /// Care level.
    pub care_level: CareLevel,
    /// Priority.
    pub priority: Priority,
    /// Band of ages, when known.
    pub age_band: Option<PatientCategory>,
    /// Specialties that were asked for.
    pub specialties: SpecialtySet,
    /// Modalities that were asked for; none for all.
    pub modalities: ModalitySet,
    /// In what the answers differ.
    pub sorts: Vec<ChangeSort>,
    /// The answer under the policies in force.
    pub before: AnswerDigest,
    /// The answer under the candidate.
    pub after: AnswerDigest,
    /// At which rank, from 1, the first option of before stands after; `None` when it does not.
    pub first_rank_after: Option<usize>,
}

/// An answer in short.
#[derive(Clone, PartialEq, Debug)]
pub struct AnswerDigest {
    /// What to do.
    pub outcome: CareOutcome,
    /// How many options.
    pub option_count: usize,
    /// How care would be given first, and in how many minutes it could begin.
    pub first: Option<(Modality, AppointmentType, u32)>,
    /// Rules that made the answer what it is.
    pub rule_ids: Vec<String>,
}

impl Service {
    /// Keeps a question, for a while, so that a candidate can be tried on it.
    pub fn keep_question(&self, query: CareQuery) {
        self.shared.asked.keep(self.parts().clock.now(), query);
    }

    /// Drops questions that were kept long enough.
    pub fn forget_questions(&self) {
        self.shared.asked.forget_before(self.kept_since());
    }

    fn kept_since(&self) -> UtcInstant {
        self.parts().clock.now().plus_ms(-QUESTIONS_KEPT_MS)
    }

    /// Answers the last questions again under a candidate, and tells what differs.
    ///
    /// # Errors
    /// When the candidate is not valid, with every problem; when another preview is under way.
    pub async fn preview_policy(&self, request: PreviewRequest) -> Result<Preview, Error> {
        let PreviewRequest { documents, questions_max, changes_max } = request;
        let documents = match documents {
            Some(documents) => candidate(documents, &mut Digest::of("preview"))?,
            None => Vec::new(),
        };
        let set = load(&documents)?;
        let questions_max = questions_max.unwrap_or(QUESTIONS_KEPT_MAX);
        let changes_max = changes_max.unwrap_or(PREVIEW_CHANGES_MAX).min(PREVIEW_CHANGES_MAX);
        let service = self.clone();
        let work = move || service.preview(&set, questions_max, changes_max);
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|stopped| Err(Error::internal(format!("a preview stopped: {stopped}"))))
    }

    fn preview(&self, candidate: &PolicySet, questions_max: usize, changes_max: usize) -> Result<Preview, Error> {
        // It works for seconds; two at once would take both cores from those who ask.
        let Some(_only_one) = self.shared.previewing.try_lock() else {
            let message = "another preview is under way: wait for it, then try again";
            return Err(Error {
                retry_after_ms: Some(RETRY_REFUSED_AFTER_MS),
                ..Error::new(Reason::Overloaded, message)
            });
        };
        let elapsed = Stopwatch::start();
        let now = self.parts().clock.now();
        let in_force = self.policies().load();
        let (questions, kept_count) = self.shared.asked.since(self.kept_since(), questions_max);
        let mut preview = Preview {
            active_version: in_force.set.version().to_string(),
            candidate_version: candidate.version().to_string(),
            kept_count,
            compared_count: 0,
            changed_count: 0,
            sorts: ChangeSort::ALL.map(|sort| (sort, 0)).to_vec(),
            changes: Vec::new(),
            stamp: self.stamp(),
        };
        for question in &questions {
            if elapsed.elapsed() > Duration::from_millis(PREVIEW_MS_MAX) {
                break;
            }
            preview.compared_count += 1;
            let (before, after) = self.both(&question.1, now, &in_force, candidate);
            let sorts = differences(&before, &after);
            if sorts.is_empty() {
                continue;
            }
            preview.changed_count += 1;
            preview.sorts.iter_mut().filter(|(sort, _)| sorts.contains(sort)).for_each(|(_, count)| *count += 1);
            if preview.changes.len() < changes_max {
                preview.changes.push(changed(question, now, sorts, (&before, &after)));
            }
        }
        Ok(preview)
    }

    /// The answers under the policies in force and under a candidate, of one state as far as writers let it be.
    fn both(
        &self,
        query: &CareQuery,
        now: UtcInstant,
        in_force: &Loaded,
        candidate: &PolicySet,
    ) -> (CareAnswer, CareAnswer) {
        let index = &self.parts().index;
        let mut tries = 0;
        loop {
            tries += 1;
            let head = index.head();
            let before = self.finder(in_force, query, now);
            let after = Finder { policy: candidate.of_query(query), ..before };
            let answers = (before.find(query, now), after.find(query, now));
            if tries == STEADY_TRIES || index.head() == head {
                return answers;
            }
        }
    }
}

/// In what two answers differ.
fn differences(before: &CareAnswer, after: &CareAnswer) -> Vec<ChangeSort> {
    let options = |answer: &CareAnswer| -> Vec<_> {
        answer.options.iter().map(|option| (option.slot.id.clone(), option.modality)).collect()
    };
    let (old, new) = (options(before), options(after));
    let same_options = old.len() == new.len() && old.iter().all(|option| new.contains(option));
    let sites = |answer: &CareAnswer| -> Vec<_> {
        answer.emergency_sites.iter().map(|distance| distance.site.id.clone()).collect()
    };
    let differs = |sort: ChangeSort| match sort {
        ChangeSort::Outcome => before.outcome != after.outcome,
        ChangeSort::FirstOption => old.first() != new.first(),
        ChangeSort::Options => !same_options,
        ChangeSort::Order => same_options && old != new,
        ChangeSort::EmergencySites => sites(before) != sites(after),
        ChangeSort::Rules => rule_ids(before) != rule_ids(after),
    };
    ChangeSort::ALL.into_iter().filter(|sort| differs(*sort)).collect()
}

fn rule_ids(answer: &CareAnswer) -> Vec<String> {
    answer.policy_rules.iter().map(|rule| rule.id.to_string()).collect()
}

/// What is told of a question whose answers differ.
fn changed(
    (asked_at, query): &Question,
    now: UtcInstant,
    sorts: Vec<ChangeSort>,
    (before, after): (&CareAnswer, &CareAnswer),
) -> ChangedAnswer {
    let parts = query.parts();
    let department = query.department();
    let zone = department.map_or(chrono_tz::Europe::Paris, Department::zone);
    let is_first = |option: &CareOption| {
        before.options.first().is_some_and(|first| first.slot.id == option.slot.id && first.modality == option.modality)
    };
    ChangedAnswer {
        local_hour: asked_at.to_local(zone).hour(),
        department,
        care_level: query.care_level(),
        priority: query.priority(),
        age_band: parts.age.map(|age| age.category()),
        specialties: parts.specialties,
        modalities: parts.modalities,
        sorts,
        before: digest(before, now),
        after: digest(after, now),
        first_rank_after: after.options.iter().position(is_first).map(|at| at + 1),
    }
}

fn digest(answer: &CareAnswer, now: UtcInstant) -> AnswerDigest {
    let first = answer.options.first();
    AnswerDigest {
        outcome: answer.outcome,
        option_count: answer.options.len(),
        first: first.map(|one| (one.modality, one.appointment_type, one.care_begins_at.minutes_since(now))),
        rule_ids: rule_ids(answer),
    }
}
