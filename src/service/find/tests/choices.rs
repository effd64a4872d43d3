//! What a question or its case leaves out, who comes first, and who is doubted.

use std::sync::Arc;

use super::world::{agenda, at, draft, ten, world};
use super::{ask, names};
use crate::domain::answer::Rule;
use crate::domain::case::{Case, Refusal, RefusalReason};
use crate::domain::id::{CaseId, PractitionerId, ScheduleId, SlotId};
use crate::domain::query::CareQueryDraft;
use crate::domain::record::{Body, Change, Key, Position};
use crate::index::Index;

fn practitioner(name: &str) -> PractitionerId {
    PractitionerId::parse(&format!("internal:{name}")).unwrap().value
}

/// The case with refusals of these agendas.
fn refused(case_id: &str, names: &[&str], reason: RefusalReason) -> Case {
    let mut case = Case::new(CaseId::parse(case_id).unwrap());
    for name in names {
        let refusal = Refusal {
            slot_id: SlotId::parse(&format!("{name}/1")).unwrap(),
            schedule_id: ScheduleId::parse(name).unwrap(),
            practitioner_id: Some(practitioner(name)),
            reason,
            refused_at: ten(),
            regulator_id: None,
        };
        case = case.refused(refusal, at("12:00"));
    }
    case
}

fn keep(index: &Index, case: Case) {
    let key = Key::Case(case.id.clone());
    let position = Position { partition: 0, epoch: 1, sequence: 1_000_000 };
    index.apply(&[Change { position, key, version: 1, body: Some(Body::Case(Arc::new(case))) }]);
}

/// Near, middle and far, free in this order of cost.
fn three() -> Index {
    let agendas =
        [agenda("near", 1.0, "11:00", 15), agenda("middle", 2.0, "11:30", 15), agenda("far", 3.0, "12:00", 15)];
    world(&agendas, &[])
}

#[test]
fn what_a_case_refused_is_not_offered_to_it_again() {
    let index = three();
    keep(&index, refused("dossier-1", &["near"], RefusalReason::Declined));
    let of_case = |case_id: &str| CareQueryDraft { case_id: CaseId::parse(case_id).ok(), ..draft() };
    let answer = ask(&index, of_case("dossier-1"));
    assert_eq!(names(&answer), ["middle", "far"]);
    let miss = answer.near_misses.iter().find(|miss| miss.rule == Rule::Excluded).unwrap();
    assert_eq!(miss.option.offer.schedule.id.as_str(), "near");
    assert!(miss.sentence.contains("écarté pour ce dossier"), "{}", miss.sentence);
    assert!(answer.exclusions.iter().any(|exclusion| (exclusion.rule, exclusion.count) == (Rule::Excluded, 1)));
    assert_eq!(names(&ask(&index, of_case("dossier-2"))), ["near", "middle", "far"]);
    assert_eq!(names(&ask(&index, draft())), ["near", "middle", "far"]);
}

#[test]
fn a_refused_practitioner_is_not_offered_at_another_place_either() {
    let mut elsewhere = agenda("elsewhere", 1.5, "11:15", 15);
    elsewhere.schedule.practitioner_id = Some(practitioner("near"));
    let index = world(&[agenda("near", 1.0, "11:00", 15), elsewhere, agenda("far", 3.0, "12:00", 15)], &[]);
    keep(&index, refused("dossier-1", &["near"], RefusalReason::TooFar));
    let case_id = CaseId::parse("dossier-1").ok();
    assert_eq!(names(&ask(&index, CareQueryDraft { case_id, ..draft() })), ["far"]);
}

#[test]
fn a_question_excludes_practitioners_and_schedules() {
    let index = three();
    let excluded_practitioners = vec![practitioner("near")];
    let excluded_schedules = vec![ScheduleId::parse("far").unwrap()];
    let answer = ask(&index, CareQueryDraft { excluded_practitioners, excluded_schedules, ..draft() });
    assert_eq!(names(&answer), ["middle"]);
}

#[test]
fn the_preferred_practitioner_comes_first_when_in_time() {
    let index = three();
    let preferring = |name: &str| CareQueryDraft { preferred_practitioner: Some(practitioner(name)), ..draft() };
    let answer = ask(&index, preferring("far"));
    assert_eq!(names(&answer), ["far", "near", "middle"]);
    let flags: Vec<_> = answer.options.iter().map(|option| option.parts.preferred).collect();
    assert_eq!(flags, [true, false, false]);
    assert!(answer.options[0].sentence.contains("médecin habituel"), "{}", answer.options[0].sentence);
    let alone = ask(&index, CareQueryDraft { limit: Some(1), ..preferring("far") });
    assert_eq!(names(&alone), ["far"], "although it is not among the one that costs least");
    let late = ask(&index, CareQueryDraft { needed_within_minutes: Some(100), ..preferring("far") });
    assert_eq!(names(&late), ["near", "middle"], "not in time, so not at all");
    assert_eq!(names(&ask(&index, preferring("nobody"))), ["near", "middle", "far"]);
    let excluded_practitioners = vec![practitioner("far")];
    let both = ask(&index, CareQueryDraft { excluded_practitioners, ..preferring("far") });
    assert_eq!(names(&both), ["near", "middle"], "an exclusion counts more");
}

#[test]
fn an_agenda_where_nobody_answers_repeatedly_ranks_lower_and_says_why() {
    let index = world(&[agenda("near", 1.0, "11:00", 15), agenda("next", 1.0, "11:10", 15)], &[]);
    keep(&index, refused("dossier-1", &["near"], RefusalReason::CouldNotContact));
    assert_eq!(names(&ask(&index, draft())), ["near", "next"], "once may happen to anybody");
    keep(&index, refused("dossier-2", &["near"], RefusalReason::CouldNotContact));
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["next", "near"]);
    assert_eq!(answer.options[1].parts.contact_failures, 2);
    assert!(answer.options[1].sentence.contains("injoignable pour 2 dossiers"), "{}", answer.options[1].sentence);
}
