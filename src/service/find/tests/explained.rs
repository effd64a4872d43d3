//! What is said of a slot that is named: its rank, or every rule that it fails; and never anything else than the answer.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::silence::leased;
use super::world::{Agenda, agenda, at, draft, ten, world};
use super::*;
use crate::domain::code::{Modality, ModalitySet, Motive, SpecialtySet};
use crate::domain::explanation::{Cause, ScheduleExplanation, SlotExplanation, Subject, Verdict};
use crate::domain::id::{ScheduleId, SourceId};
use crate::domain::query::CareQueryDraft;
use crate::domain::share::{CaseNumber, Turn};
use crate::domain::slot::{Slot, SlotState};
use crate::domain::time::Window;
use crate::routing::policy::PolicySet;
use crate::service::error::Reason;
use crate::service::explain::Explainer;

fn policies() -> PolicySet {
    PolicySet::of(Arc::new(one_pace()))
}

fn explained(index: &Index, subject: &Subject, draft: Option<CareQueryDraft>) -> ScheduleExplanation {
    let policies = policies();
    let explainer = Explainer { index, policies: &policies, degraded: false };
    let query = draft.map(|draft| CareQuery::parse(draft).unwrap());
    let (mut schedules, complete) = explainer.explain(subject, query.as_ref(), ten()).unwrap();
    assert!(complete && schedules.len() == 1, "{schedules:?}");
    schedules.remove(0)
}

fn of_slot(index: &Index, id: &str, draft: Option<CareQueryDraft>) -> SlotExplanation {
    let mut schedule = explained(index, &Subject::Slot(SlotId::parse(id).unwrap()), draft);
    assert_eq!(schedule.slots.len(), 1);
    schedule.slots.remove(0)
}

/// Rules, excesses and causes of the modality that fails least.
fn failures(explained: &SlotExplanation) -> Vec<(Rule, u32, Option<Cause>)> {
    explained.modalities[0].failures.iter().map(|failure| (failure.rule, failure.excess, failure.cause)).collect()
}

#[test]
fn a_slot_that_suits_is_told_its_rank_and_what_stands_before_it() {
    let index = world(
        &[agenda("far", 4.0, "10:40", 15), agenda("near", 1.0, "10:40", 15), agenda("later", 1.0, "11:40", 15)],
        &[],
    );
    let two = CareQueryDraft { limit: Some(2), ..draft() };
    let last = of_slot(&index, "later/1", Some(two.clone()));
    let Verdict::Option(rank) = &last.verdict else { panic!("{last:?}") };
    let behind: Vec<_> = rank.behind.iter().map(SlotId::as_str).collect();
    assert_eq!((rank.rank, rank.in_answer, behind), (Some(3), false, vec!["near/1", "far/1"]));
    let says = "Proposé au rang 3, après le créneau far/1, hors des 2 options demandées. Rendez-vous à 11:40";
    assert!(last.sentence.starts_with(says), "{}", last.sentence);
    let first = of_slot(&index, "near/1", Some(two));
    assert!(first.sentence.starts_with("Proposé au rang 1. Rendez-vous à 10:40"), "{}", first.sentence);
}

#[test]
fn a_second_slot_that_suits_stands_behind_the_first_of_its_schedule() {
    let first = agenda("a", 1.0, "11:00", 15);
    let mut second = first.slot.clone();
    second.id = SlotId::parse("a/0").unwrap();
    second.window = Window::new(at("10:45"), at("11:00")).unwrap();
    let index = world(&[first], &[Body::Slot(Arc::new(second))]);
    let behind = of_slot(&index, "a/1", Some(draft()));
    assert_eq!(behind.verdict, Verdict::BehindOwn(SlotId::parse("a/0").unwrap()));
    let schedule = explained(&index, &Subject::Schedule(ScheduleId::parse("a").unwrap()), Some(draft()));
    let verdicts: Vec<_> = schedule.slots.iter().map(|slot| slot.slot.id.as_str()).collect();
    assert_eq!(verdicts, ["a/0", "a/1"], "in order of start");
}

#[test]
fn every_rule_that_fails_is_told_in_every_modality_with_its_figures() {
    let both = agenda("a", 4.0, "12:10", 15)
        .traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Amb, Modality::Vr]))
        .with(|agenda| agenda.schedule.limits.min_age = Some(Age::from_days(6_574)));
    let asked = CareQueryDraft { radius_m: Some(3_000), age: Some(Age::from_days(6_500)), ..draft() };
    let told = of_slot(&world(&[both], &[]), "a/1", Some(asked));
    assert_eq!(told.verdict, Verdict::Excluded);
    let modalities: Vec<_> = told.modalities.iter().map(|one| one.modality).collect();
    assert_eq!(modalities, [Modality::Vr, Modality::Amb], "the one that fails least first");
    assert_eq!(failures(&told), [(Rule::Age, 74, None), (Rule::Delay, 10, None)]);
    let at_place: Vec<_> = told.modalities[1].failures.iter().map(|failure| failure.rule).collect();
    assert_eq!(at_place, [Rule::Age, Rule::Radius, Rule::Delay]);
    assert!((990..1_010).contains(&told.modalities[1].failures[1].excess), "metres beyond the radius");
    let says = "Écarté (téléconsultation) : n'accepte pas les patients de moins de 18 ans ; commence 10 min après";
    assert!(told.sentence.starts_with(says), "{}", told.sentence);
}

fn held_until(agenda: &mut Agenda, until: &str) {
    let hold = NewHold {
        id: ClaimId::from_uuid(uuid::Uuid::from_u128(1)),
        case_id: CaseId::parse("dossier").unwrap(),
        regulator_id: None,
        expires_at: at(until),
    };
    agenda.slot = agenda.slot.hold(hold, at("08:00")).unwrap().slot;
}

fn booked(agenda: &mut Agenda) {
    held_until(agenda, "10:01");
    agenda.slot = agenda.slot.confirm(ClaimId::from_uuid(uuid::Uuid::from_u128(1)), at("08:01")).unwrap().slot;
}

#[test]
fn a_publisher_is_told_why_a_slot_is_not_offered_without_any_patient() {
    type Alter = fn(&mut Agenda);
    let table: &[(Rule, Cause, &str, Alter)] = &[
        (Rule::Capacity, Cause::Withdrawn, "retiré par l'éditeur", |a| a.slot.state = SlotState::Withdrawn),
        (Rule::Capacity, Cause::Closed, "fermé par l'éditeur", |a| a.slot.state = SlotState::Closed),
        (Rule::Capacity, Cause::Booked, "complet : 1 place(s), toutes réservées", booked),
        (Rule::Capacity, Cause::Held, "complet jusqu'à 10:01", |a| held_until(a, "10:01")),
        (Rule::Arrival, Cause::Past, "terminé depuis 09:15", |a| {
            a.slot.window = Window::new(at("09:00"), at("09:15")).unwrap();
        }),
        (Rule::Arrival, Cause::Begun, "commencé depuis 09:55", |a| {
            a.slot.window = Window::new(at("09:55"), at("10:15")).unwrap();
        }),
        (Rule::Visibility, Cause::CptsOnly, "réservé aux CPTS", |a| {
            Arc::make_mut(&mut a.slot.traits).visibilities = VisibilitySet::of(&[Visibility::Cpts]);
        }),
        (Rule::Visibility, Cause::NoVisibility, "n'est visible de personne", |a| {
            Arc::make_mut(&mut a.slot.traits).visibilities = VisibilitySet::EMPTY;
        }),
        (Rule::Radius, Cause::NoPosition, "seule la téléconsultation", |a| a.place.position = None),
    ];
    for (rule, cause, says, alter) in table {
        let agenda = agenda("a", 1.0, "11:00", 15).with(alter);
        let told = of_slot(&world(&[agenda], &[]), "a/1", None);
        assert_eq!(told.verdict, Verdict::Excluded, "{cause:?}");
        let failed: Vec<_> = failures(&told).iter().map(|(rule, _, cause)| (*rule, *cause)).collect();
        assert_eq!(failed, [(*rule, Some(*cause))]);
        assert!(told.sentence.contains(says), "{}", told.sentence);
    }
}

#[test]
fn the_publisher_s_form_asks_for_what_the_schedule_offers_and_whom_it_takes() {
    let skin = SpecialtySet::of(&[Specialty::parse("SM15").unwrap()]);
    let children = agenda("a", 1.0, "11:00", 15).with(|agenda| {
        agenda.practitioner.specialties = skin;
        agenda.schedule.limits.max_age = Some(Age::from_years(15));
    });
    let told = explained(&world(&[children], &[]), &Subject::Slot(SlotId::parse("a/1").unwrap()), None);
    let form = told.publisher_form.clone().expect("nobody asked");
    assert_eq!((form.parts().specialties, form.parts().age), (skin, Some(Age::from_years(15))));
    assert!(matches!(told.slots[0].verdict, Verdict::Option(_)), "{told:?}");
}

#[test]
fn what_another_cpts_keeps_and_how_far_a_professional_goes_is_told() {
    let [own, other] = ["690000011", "690000029"].map(|id| TerritoryId::parse(id).unwrap().value);
    let kept = agenda("a", 1.0, "11:00", 15)
        .with(|agenda| agenda.schedule.territories = vec![own])
        .traits(|traits| traits.visibilities = VisibilitySet::of(&[Visibility::Cpts]));
    let asked = CareQueryDraft { territories: vec![other], ..draft() };
    let told = of_slot(&world(&[kept], &[]), "a/1", Some(asked));
    assert_eq!(failures(&told), [(Rule::Visibility, 0, Some(Cause::OtherCpts))]);
    let visits = agenda("a", 4.0, "11:00", 15)
        .with(|agenda| agenda.schedule.home_visit_radius_m = Some(2_000))
        .traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Hh]));
    let told = of_slot(&world(&[visits], &[]), "a/1", Some(draft()));
    let (rule, excess, cause) = failures(&told)[0];
    assert_eq!((rule, cause), (Rule::Radius, Some(Cause::ProfessionalRadius)));
    assert!((1_990..2_010).contains(&excess), "{excess}");
}

#[test]
fn a_question_that_needs_no_slot_says_so_and_what_would_fail() {
    let index = world(&[agenda("a", 1.0, "11:00", 15)], &[]);
    let vital = CareQueryDraft { care_level: Some(CareLevel::R1), needed_within_minutes: None, ..draft() };
    let told = explained(&index, &Subject::Slot(SlotId::parse("a/1").unwrap()), Some(vital));
    assert_eq!(told.slots[0].verdict, Verdict::NotSearched);
    assert_eq!((&*told.rule_id, told.radius, told.needed_by_at), ("escalation.care-level-r1", None, None));
    assert_eq!(failures(&told.slots[0]), [(Rule::Delay, 59, None)]);
}

#[test]
fn a_schedule_whose_place_is_unknown_is_told_so() {
    let Agenda { schedule, slot, .. } = agenda("a", 1.0, "11:00", 15);
    let index = world(&[], &[Body::Schedule(Arc::new(schedule)), Body::Slot(Arc::new(slot))]);
    assert_eq!(of_slot(&index, "a/1", Some(draft())).verdict, Verdict::Unresolved);
}

#[test]
fn what_is_unknown_is_named() {
    let (index, policies) = (world(&[], &[]), policies());
    let explainer = Explainer { index: &index, policies: &policies, degraded: false };
    let practitioner = crate::domain::id::PractitionerId::parse("internal:x").unwrap().value;
    for (subject, reason) in [
        (Subject::Slot(SlotId::parse("x").unwrap()), Reason::UnknownSlot),
        (Subject::Schedule(ScheduleId::parse("x").unwrap()), Reason::UnknownSchedule),
        (Subject::Practitioner(practitioner), Reason::UnknownPractitioner),
    ] {
        let error = explainer.explain(&subject, None, ten()).unwrap_err();
        assert_eq!(error.reason, reason);
        assert!(error.subject.is_some_and(|subject| subject.ends_with('x')));
    }
}

/// One random professional: figures that are read modulo the choices there are.
type Draws = [u8; 12];

fn any_agenda(number: usize, draws: Draws) -> (Agenda, Vec<Slot>) {
    let [north, start, ways, sight, territory, ages, needs, specialty, state, length, others, odd] = draws;
    let name: &'static str = format!("agenda-{number}").leak();
    let start_at = at("09:00").plus_minutes(u32::from(start));
    let agenda = agenda(name, f64::from(north) / 12.0, "10:00", 15)
        .traits(|traits| {
            traits.modalities = ModalitySet::from_bits(ways % 7 + 1);
            traits.visibilities = VisibilitySet::from_bits(sight % 16);
            if odd & 1 == 1 {
                traits.appointment_type = AppointmentType::Walkin;
            }
        })
        .with(|agenda| {
            agenda.slot.window = Window::new(start_at, start_at.plus_minutes(10 + u32::from(length))).unwrap();
            agenda.schedule.territories = territories(territory);
            agenda.schedule.limits.min_age = (ages & 1 == 1).then(|| Age::from_years(u16::from(ages % 20)));
            agenda.schedule.limits.max_age = (ages & 2 == 2).then(|| Age::from_years(20 + u16::from(ages % 40)));
            agenda.schedule.limits.sexes = if ages & 12 == 12 { sex_bit(Sex::F) } else { 0 };
            agenda.schedule.home_visit_radius_m = (odd & 2 == 2).then_some(4_000);
            agenda.place.needs_unmet = if needs & 3 == 3 { NeedSet::of(&[Need::Wheelchair]) } else { NeedSet::EMPTY };
            agenda.practitioner.languages = languages(needs >> 2);
            agenda.practitioner.specialties = specialties(if specialty & 8 == 8 { 1 } else { specialty });
            if odd & 96 == 96 {
                agenda.schedule.source_id = SourceId::parse("silent").unwrap();
                agenda.schedule.received_at = at("02:00");
            }
            if odd & 28 == 28 {
                agenda.place.position = None;
            }
            agenda.schedule.first_published_at = (state & 16 == 16).then(|| at("09:00"));
            if odd & 128 == 128 {
                agenda.share_place(state & 32 == 32);
            }
            match state % 10 {
                0 => agenda.slot.state = SlotState::Withdrawn,
                1 => booked(agenda),
                2 => held_until(agenda, "10:01"),
                _ => {}
            }
        });
    let more = (0..others % 3).map(|other| {
        let mut slot = agenda.slot.clone();
        slot.id = SlotId::parse(&format!("{name}/other-{other}")).unwrap();
        let later = start_at.plus_minutes(30 + 20 * u32::from(other) * u32::from(others % 4));
        slot.window = Window::new(later, later.plus_minutes(20)).unwrap();
        (slot.state, slot.claims) = (SlotState::Open, Arc::default());
        slot
    });
    let more = more.collect();
    (agenda, more)
}

fn territories(draw: u8) -> Vec<TerritoryId> {
    let known = ["690000011", "690000029"].map(|id| TerritoryId::parse(id).unwrap().value);
    known.into_iter().zip([1, 2]).filter(|(_, bit)| draw & bit != 0).map(|(territory, _)| territory).collect()
}

fn languages(draw: u8) -> Vec<Language> {
    let known = ["fr", "ar"].map(|code| Language::parse(code).unwrap());
    known.into_iter().zip([1, 2]).filter(|(_, bit)| draw & bit != 0).map(|(language, _)| language).collect()
}

fn specialties(draw: u8) -> SpecialtySet {
    let codes = ["SM54", "SM40", "SM26"].into_iter().zip([1, 2, 4]).filter(|(_, bit)| draw & bit != 0);
    codes.map(|(code, _)| Specialty::parse(code).unwrap()).collect()
}

fn any_question(draws: [u8; 10]) -> CareQueryDraft {
    let [ways, types, territory, age, sex, needs, specialty, radius, within, odd] = draws;
    let modalities = ModalitySet::from_bits(ways % 8);
    let remote = modalities == ModalitySet::of(&[Modality::Vr]) && odd & 1 == 1;
    let asked = specialties(specialty);
    CareQueryDraft {
        position: draft().position.filter(|_| !remote),
        care_level: [Some(CareLevel::R2), Some(CareLevel::R4), None, None, None, None][usize::from(odd >> 1) % 6],
        motive: [Some("M03.14"), Some("M02.06"), Some("M03.06"), None, None, None][usize::from(sex >> 2) % 6]
            .map(|code| Motive::parse(code).unwrap()),
        options_wanted: odd & 8 == 8,
        role: (odd & 16 == 16).then_some(Role::Medecin),
        modalities,
        appointment_types: AppointmentTypeSet::from_bits(types % 4),
        territories: territories(territory),
        age: (age & 1 == 1).then(|| Age::from_years(u16::from(age % 70))),
        sex: [None, Some(Sex::F), Some(Sex::M)][usize::from(sex % 3)],
        needs: if needs & 1 == 1 { NeedSet::of(&[Need::Wheelchair]) } else { NeedSet::EMPTY },
        languages: languages(needs >> 1),
        specialties: if asked.is_empty() || specialty & 24 != 0 { draft().specialties } else { asked },
        radius_m: (radius & 1 == 1).then(|| 500 + 100 * u32::from(radius)),
        needed_within_minutes: Some(10 + u32::from(within)),
        limit: Some(u32::from(odd % 6) + 1),
        case_id: (odd & 64 == 64).then(|| CaseId::parse("case-0").unwrap()),
        ..draft()
    }
}

/// Checks every slot of a world against unlimited matches.
fn check(agendas: &[(Agenda, Vec<Slot>)], draft: CareQueryDraft) -> Result<(), TestCaseError> {
    let policies = policies();
    let query = CareQuery::parse(draft).unwrap();
    let policy = policies.of_query(&query);
    let all: Vec<Agenda> = agendas.iter().map(|(agenda, _)| agenda.clone()).collect();
    let others: Vec<Body> =
        agendas.iter().flat_map(|(_, more)| more).map(|slot| Body::Slot(slot.clone().into())).collect();
    let others: Vec<Body> = others.into_iter().chain([leased("silent", at("02:00"))]).collect();
    let index = world(&all, &others);
    // Every third was chosen, by one of two cases, of which one asks.
    for (number, agenda) in (0..).zip(&all).filter(|(number, _): &(u32, _)| number % 3 == 0) {
        let case = CaseId::parse(if number % 2 == 0 { "case-0" } else { "case-1" }).unwrap();
        let chosen_at = ten().plus_ms(-60_000 * i64::from(number * 7 % 11));
        index.offer(&agenda.schedule.id).unwrap().share.note(Turn::at(chosen_at), CaseNumber::of(&case));
    }
    let finder = Finder { index: &index, policy, degraded: false };
    let explainer = Explainer { index: &index, policies: &policies, degraded: false };
    let searches = triage(&query, policy).searches;
    let neighbours = finder.neighbours(&query);
    let question = finder.survey(&query, ten(), &neighbours, query.limit()).question;
    let choice = if searches { finder.ranked(&question, query.limit()) } else { Choice::default() };
    let aside: Vec<_> = choice.set_aside.iter().map(|(found, _)| found.slot().unwrap().id.clone()).collect();
    let slots = |matches: Vec<Match>| matches.into_iter().map(|found| found.slot().unwrap().id.clone());
    let unlimited: Vec<_> = slots(choice.told).chain(aside.iter().cloned()).chain(slots(choice.beyond)).collect();
    let answer = finder.find(&query, ten());
    let answered: Vec<_> = answer.options.iter().map(|option| option.slot.id.clone()).collect();
    prop_assert!(unlimited.starts_with(&answered), "{:?} {:?}", answered, unlimited);
    prop_assert_eq!(answer.alike.iter().map(|one| one.count as usize).sum::<usize>(), aside.len());
    for (agenda, more) in agendas {
        for slot in std::iter::once(&agenda.slot).chain(more) {
            let (schedules, _) = explainer.explain(&Subject::Slot(slot.id.clone()), Some(&query), ten()).unwrap();
            let told = &schedules[0].slots[0];
            let rank = unlimited.iter().position(|id| *id == slot.id);
            match (&told.verdict, rank) {
                (Verdict::Option(said), Some(at)) => {
                    prop_assert_eq!(said.rank, u32::try_from(at + 1).ok());
                    prop_assert_eq!(said.in_answer, answered.contains(&slot.id));
                    prop_assert_eq!(said.set_aside.is_some(), aside.contains(&slot.id));
                    let option = answer.options.iter().find(|option| option.slot.id == slot.id);
                    let fair_share = option.and_then(|option| option.parts.fair_share);
                    prop_assert_eq!(told.modalities[0].parts.fair_share, fair_share);
                }
                (Verdict::BehindOwn(first), None) => prop_assert!(unlimited.contains(first)),
                (Verdict::Excluded, None) => {}
                (Verdict::NotSearched, None) => prop_assert!(!searches),
                (verdict, rank) => prop_assert!(false, "{}: {:?} at {:?}", slot.id, verdict, rank),
            }
            // By itself in its schedule, it is matched exactly when it is said to fail nothing.
            let alone = agenda.clone().with(|alone| alone.slot = slot.clone());
            let alone = world(&[alone], &[leased("silent", at("02:00"))]);
            let alone = Finder { index: &alone, ..finder }.ranked(&question, 1);
            let suits = told.modalities.iter().any(|modality| modality.failures.is_empty());
            prop_assert_eq!(suits, !alone.told.is_empty(), "{} {:?}", slot.id, told);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_explanation_never_says_something_else_than_the_answer(
        drawn in prop::collection::vec(any::<Draws>(), 1..9),
        asked in any::<[u8; 10]>(),
    ) {
        let agendas: Vec<_> = drawn.into_iter().enumerate().map(|(at, draws)| any_agenda(at, draws)).collect();
        check(&agendas, any_question(asked))?;
    }
}

#[test]
fn random_worlds_hold_what_suits_and_what_does_not() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (prop::collection::vec(any::<Draws>(), 8), any::<[u8; 10]>());
    let (mut options, mut excluded, mut behind) = (0, 0, 0);
    for _ in 0..60 {
        let (drawn, asked) = strategy.new_tree(&mut runner).unwrap().current();
        let agendas: Vec<_> = drawn.into_iter().enumerate().map(|(at, draws)| any_agenda(at, draws)).collect();
        let all: Vec<Agenda> = agendas.iter().map(|(agenda, _)| agenda.clone()).collect();
        let others: Vec<Body> =
            agendas.iter().flat_map(|(_, more)| more).map(|slot| Body::Slot(slot.clone().into())).collect();
        let index = world(&all, &others);
        for agenda in &all {
            let schedule = explained(&index, &Subject::Schedule(agenda.schedule.id.clone()), Some(any_question(asked)));
            for slot in schedule.slots {
                match slot.verdict {
                    Verdict::Option(_) => options += 1,
                    Verdict::BehindOwn(_) => behind += 1,
                    Verdict::Excluded => excluded += 1,
                    Verdict::NotSearched | Verdict::Unresolved => {}
                }
            }
        }
    }
    assert!(options > 15 && excluded > 100 && behind > 2, "{options} {excluded} {behind}");
}
