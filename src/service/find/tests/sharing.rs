//! Turns among equivalents and caps on what is alike: who goes first, who is left out, and in which words.

use super::world::{Agenda, agenda, at, draft, ten, world};
use super::*;
use crate::domain::answer::{Alike, FairShare, FairShareReason, Likeness};
use crate::domain::id::ScheduleId;
use crate::domain::share::{CaseNumber, Turn};

/// Three within a step of five minutes, `first` the cheapest, and one in a later step.
fn three_equals() -> Vec<Agenda> {
    vec![
        agenda("first", 1.0, "10:40", 15),
        agenda("second", 1.1, "10:40", 15),
        agenda("third", 1.2, "10:40", 15),
        agenda("later", 1.0, "10:50", 15),
    ]
}

fn choose(index: &Index, schedule: &str, chosen: &str, case: &str) {
    let case = CaseNumber::of(&CaseId::parse(case).unwrap());
    let offer = index.offer(&ScheduleId::parse(schedule).unwrap()).unwrap();
    offer.share.note(Turn::at(at(chosen)), case);
}

/// A case in which newcomers go first, or do not.
fn a_case(newcomers_first: bool) -> CareQueryDraft {
    let names = (0..1_000).map(|number| CaseId::parse(&format!("case-{number}")).unwrap());
    let is_meant = |id: &CaseId| (CaseNumber::of(id).percentile(ten()) < 20) == newcomers_first;
    CareQueryDraft { case_id: names.into_iter().find(is_meant), ..draft() }
}

#[test]
fn among_equivalents_whoever_was_chosen_least_recently_goes_first() {
    let index = world(&three_equals(), &[]);
    assert_eq!(names(&ask(&index, draft())), ["first", "second", "third", "later"], "nobody was chosen: by cost");
    choose(&index, "first", "09:59", "a");
    choose(&index, "second", "09:58", "b");
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["third", "second", "first", "later"]);
    let shares: Vec<_> = answer.options.iter().map(|option| option.parts.fair_share).collect();
    let turn =
        |passed_count| Some(FairShare { reason: FairShareReason::LeastRecent, equivalent_count: 3, passed_count });
    assert_eq!(shares, [turn(2), turn(1), None, None]);
    let sentence = &answer.options[0].sentence;
    assert!(sentence.ends_with(", à son tour devant 2 équivalents proposés plus récemment."), "{sentence}");
}

#[test]
fn a_turn_never_puts_care_off_by_more_than_a_step() {
    let index = world(&three_equals(), &[]);
    for chosen in ["first", "second", "third"] {
        choose(&index, chosen, "09:59", "a");
    }
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["first", "second", "third", "later"], "who was never chosen stays behind its step");
    let within = CareQueryDraft { needed_within_minutes: Some(40), ..draft() };
    choose(&index, "first", "10:00", "b");
    assert_eq!(names(&ask(&index, within)), ["second", "third", "first"], "all of them in time");
}

#[test]
fn turns_of_yesterday_count_no_more() {
    let index = world(&three_equals(), &[]);
    let offer = index.offer(&ScheduleId::parse("first").unwrap()).unwrap();
    offer.share.note(Turn::at(ten().plus_ms(-24 * 3_600_000 - 1)), CaseNumber::NONE);
    assert_eq!(names(&ask(&index, draft()))[0], "first");
}

#[test]
fn a_professional_has_one_turn_over_all_schedules() {
    let mut agendas = three_equals();
    agendas[1].schedule.practitioner_id = agendas[0].schedule.practitioner_id.clone();
    let index = world(&agendas, &[]);
    choose(&index, "first", "09:59", "a");
    assert_eq!(names(&ask(&index, draft())), ["third", "first", "second", "later"]);
}

#[test]
fn newcomers_go_first_in_their_part_of_the_cases() {
    let mut agendas = three_equals();
    agendas[2].schedule.first_published_at = Some(at("09:00"));
    let index = world(&agendas, &[]);
    let answer = ask(&index, a_case(true));
    assert_eq!(names(&answer), ["third", "first", "second", "later"]);
    assert_eq!(answer.options[0].parts.fair_share.unwrap().reason, FairShareReason::Newcomer);
    assert!(answer.options[0].sentence.ends_with(", devant 2 équivalents car nouveau dans le service."));
    assert_eq!(names(&ask(&index, a_case(false))), ["first", "second", "third", "later"]);
    choose(&index, "third", "09:59", "other");
    assert_eq!(names(&ask(&index, a_case(true)))[0], "third", "who is new goes before even after a turn");
}

#[test]
fn the_preferred_professional_goes_before_whoever_has_the_turn() {
    let index = world(&three_equals(), &[]);
    choose(&index, "first", "09:59", "a");
    let preferred_practitioner = three_equals()[0].schedule.practitioner_id.clone();
    let answer = ask(&index, CareQueryDraft { preferred_practitioner, ..draft() });
    assert_eq!(names(&answer), ["first", "second", "third", "later"]);
    assert_eq!(answer.options[0].parts.fair_share, None, "not by turn");
}

#[test]
fn a_policy_without_steps_has_no_turns() {
    let index = world(&three_equals(), &[]);
    choose(&index, "first", "09:59", "a");
    let mut policy = one_pace();
    policy.fairness.equivalent_within_seconds = 0;
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let answer = finder.find(&CareQuery::parse(draft()).unwrap(), ten());
    assert_eq!(names(&answer), ["first", "second", "third", "later"]);
}

/// So many at one place, one after the other, and one elsewhere after them.
fn a_health_centre(count: usize) -> Vec<Agenda> {
    let starts = ["10:30", "10:40", "10:50", "11:00", "11:10", "11:20", "11:30", "11:40"];
    let name = |number: usize| -> &'static str { ["a", "b", "c", "d", "e", "f", "g", "h"][number] };
    let centre = agenda("centre", 1.0, "10:00", 15).place;
    let inside = (0..count).map(|number| {
        agenda(name(number), 1.0, starts[number], 15).with(|one| {
            one.schedule.place_id = centre.id.clone();
            one.place = centre.clone();
        })
    });
    inside.chain([agenda("elsewhere", 1.0, "11:50", 15)]).collect()
}

#[test]
fn a_fourth_at_one_place_gives_way_to_another_place() {
    let index = world(&a_health_centre(6), &[]);
    let of_four = |limit| ask(&index, CareQueryDraft { limit: Some(limit), ..draft() });
    let answer = of_four(4);
    assert_eq!(names(&answer), ["a", "b", "c", "elsewhere"]);
    assert_eq!(answer.alike, [Alike { likeness: Likeness::Place, count: 3 }]);
    assert_eq!((names(&of_four(3)), of_four(3).alike), (vec!["a", "b", "c"], vec![]));
}

#[test]
fn what_is_alike_comes_back_where_others_are_too_few() {
    let index = world(&a_health_centre(6), &[]);
    let answer = ask(&index, CareQueryDraft { limit: Some(6), ..draft() });
    assert_eq!(names(&answer), ["a", "b", "c", "d", "e", "elsewhere"], "in order, and as many as asked for");
    assert_eq!(answer.alike, [Alike { likeness: Likeness::Place, count: 1 }]);
    let all = ask(&index, CareQueryDraft { limit: Some(7), ..draft() });
    assert_eq!((names(&all).len(), all.alike), (7, vec![]), "nothing is hidden where all find room");
}

#[test]
fn a_third_agenda_of_one_professional_gives_way_to_another() {
    let starts = [("a", "10:30"), ("b", "10:40"), ("c", "10:50")];
    let one = agenda("one", 1.0, "10:00", 15).practitioner;
    let theirs = starts.map(|(name, start)| {
        agenda(name, 1.0, start, 15).with(|agenda| {
            agenda.schedule.practitioner_id = Some(one.id.clone());
            agenda.practitioner = one.clone();
        })
    });
    let agendas: Vec<Agenda> = theirs.into_iter().chain([agenda("other", 1.0, "11:50", 15)]).collect();
    let index = world(&agendas, &[]);
    let three = CareQueryDraft { limit: Some(3), ..draft() };
    let answer = ask(&index, three.clone());
    assert_eq!(names(&answer), ["a", "b", "other"]);
    assert_eq!(answer.alike, [Alike { likeness: Likeness::Practitioner, count: 1 }]);
    let preferring = CareQueryDraft { preferred_practitioner: Some(one.id), ..three };
    assert_eq!(names(&ask(&index, preferring)), ["a", "b", "c"], "the patient's own is never left out");
}
