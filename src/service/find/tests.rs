//! What regulators are told, rule by rule: a small world around Vénissieux on Monday 2026-11-23 at 10:00.

mod choices;
mod examination;
mod sites;
mod policies;
mod silence;
mod quarantine;
mod what_if;
mod explained;
mod sharing;
mod world;

use std::sync::Arc;

use super::*;
use crate::domain::answer::{RadiusSource, Rule, TerritoryPreference, Unknown};
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, CareLevel, Priority, Role, Sex, Specialty, SpecialtySet, Visibility,
    VisibilitySet,
};
use crate::domain::directory::{Territory, sex_bit};
use crate::domain::emergency::{EmergencyAccess, EmergencySiteKind, WeeklyAccess};
use crate::domain::id::{CaseId, ClaimId, SlotId};
use crate::domain::patient::{Age, Language, Need, NeedSet};
use crate::domain::query::CareQueryDraft;
use crate::domain::record::Body;
use crate::domain::slot::NewHold;
use crate::domain::time::Window;
use crate::routing::policy::{Pace, TravelPolicy};

use world::{Agenda, agenda, at, draft, site, ten, world};

fn ask(index: &Index, draft: CareQueryDraft) -> CareAnswer {
    let policy = one_pace();
    let finder = Finder { index, policy: &policy, degraded: false };
    finder.find(&CareQuery::parse(draft).unwrap(), ten())
}

/// The national policy, but for one pace everywhere and at every hour, so that times are worked out by hand.
fn one_pace() -> Policy {
    Policy { travel: TravelPolicy::uniform(Pace::even(240, 94)), ..Policy::default() }
}

fn names(answer: &CareAnswer) -> Vec<&str> {
    answer.options.iter().map(|option| option.offer.schedule.id.as_str()).collect()
}

/// The one near miss, as rule, excess and sentence.
fn miss(answer: &CareAnswer) -> (Rule, u32, &str) {
    assert_eq!(answer.outcome, CareOutcome::NoSlotInTime, "{answer:?}");
    assert_eq!(answer.near_misses.len(), 1, "{:?} {:?}", answer.near_misses, answer.exclusions);
    let miss = &answer.near_misses[0];
    assert_eq!(answer.exclusions, [crate::domain::answer::Exclusion { rule: miss.rule, count: 1 }]);
    (miss.rule, miss.excess, &miss.sentence)
}

#[test]
fn the_soonest_and_nearest_comes_first() {
    let index = world(
        &[agenda("far", 4.0, "10:40", 15), agenda("near", 1.0, "10:40", 15), agenda("later", 1.0, "11:40", 15)],
        &[],
    );
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["near", "far", "later"]);
    assert_eq!(answer.outcome, CareOutcome::Appointment);
    let parts = answer.options[0].parts;
    assert_eq!((parts.wait_minutes, parts.travel_minutes, parts.data_age_seconds), (40, 6, 120));
    assert!((990..1_010).contains(&parts.distance_m), "{parts:?}");
    assert_eq!(answer.options[0].sentence, "Rendez-vous à 10:40, dans 40 min, à 1,0 km soit 6 min de trajet.");
    assert_eq!(answer.radius.unwrap().source, RadiusSource::Department);
    assert_eq!(answer.stamp.position.sequence, 12);
}

#[test]
fn the_patient_must_be_able_to_arrive() {
    // One kilometre takes 334 s; with five minutes of margin the appointment may begin at 10:10:34 at the earliest.
    let (rule, excess, sentence) = {
        let index = world(&[agenda("soon", 1.0, "10:10", 15)], &[]);
        let answer = ask(&index, draft());
        let (rule, excess, sentence) = miss(&answer);
        (rule, excess, sentence.to_owned())
    };
    assert_eq!((rule, excess), (Rule::Arrival, 1));
    assert_eq!(sentence, "10:10 : le patient arriverait 1 min trop tard.");
    assert_eq!(names(&ask(&world(&[agenda("soon", 1.0, "10:11", 15)], &[]), draft())), ["soon"]);
}

#[test]
fn a_walk_in_window_takes_who_arrives_before_its_margin() {
    let walk_in = |end_minutes| {
        let window = Window::new(at("09:00"), at("10:00").plus_minutes(end_minutes)).unwrap();
        agenda("mmg", 1.0, "09:00", 15)
            .with(|agenda| {
                agenda.slot.window = window;
                agenda.slot.capacity = 4;
            })
            .traits(|traits| traits.appointment_type = AppointmentType::Walkin)
    };
    let answer = ask(&world(&[walk_in(11)], &[]), draft());
    assert_eq!(answer.outcome, CareOutcome::WalkIn);
    assert_eq!(answer.options[0].care_begins_at, ten().plus_seconds(334));
    assert_eq!(
        answer.options[0].sentence,
        "Sans rendez-vous jusqu'à 10:11, arrivée possible vers 10:05, à 1,0 km soit 6 min de trajet, 4 places restantes."
    );
    let answer = ask(&world(&[walk_in(10)], &[]), draft());
    assert_eq!((miss(&answer).0, miss(&answer).1), (Rule::Arrival, 1));
}

#[test]
fn beyond_the_clinical_delay_is_a_near_miss_only() {
    let answer = ask(&world(&[agenda("late", 1.0, "12:25", 15)], &[]), draft());
    assert_eq!(miss(&answer), (Rule::Delay, 25, "12:25 : commence 25 min après le délai clinique."));
    assert_eq!(
        answer.sentence,
        "Aucun créneau adapté dans le délai clinique (2 h) : voir les solutions proches et les urgences ouvertes."
    );
}

#[test]
fn teleconsultation_knows_no_distance() {
    let remote = agenda("vr", 200.0, "10:00", 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Vr]));
    let answer = ask(&world(&[remote], &[]), draft());
    assert_eq!(answer.outcome, CareOutcome::Teleconsultation);
    assert_eq!((answer.options[0].parts.travel_minutes, answer.options[0].parts.distance_m), (0, 0));
    assert_eq!(
        answer.options[0].sentence,
        "Téléconsultation à 10:00, tout de suite, hors du territoire du patient faute de réponse plus proche."
    );
}

#[test]
fn a_home_visit_goes_as_far_as_the_professional() {
    let home = |radius_m| {
        agenda("sos", 4.0, "10:20", 30)
            .with(|agenda| agenda.schedule.home_visit_radius_m = Some(radius_m))
            .traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Hh]))
    };
    let answer = ask(&world(&[home(4_100)], &[]), draft());
    assert_eq!(answer.outcome, CareOutcome::HomeVisit);
    assert_eq!(answer.options[0].sentence, "Visite à domicile à 10:20, dans 20 min, le professionnel part de 4,0 km.");
    let answer = ask(&world(&[home(3_000)], &[]), draft());
    let (rule, excess, _) = miss(&answer);
    assert_eq!(rule, Rule::Radius);
    assert!((990..1_010).contains(&excess), "{excess}");
}

#[test]
fn the_radius_is_widened_until_there_is_enough_choice() {
    let index =
        world(&[agenda("a", 4.0, "11:00", 15), agenda("b", 9.0, "11:00", 15), agenda("c", 30.0, "11:00", 15)], &[]);
    let answer = ask(&index, draft());
    assert_eq!(names(&answer), ["a", "b"]);
    let radius = answer.radius.unwrap();
    assert_eq!((radius.initial_radius_m, radius.radius_m, radius.widened_count), (5_000, 17_000, 4));
    let answer = ask(&index, CareQueryDraft { radius_m: Some(5_000), ..draft() });
    assert_eq!(names(&answer), ["a"]);
}

#[test]
fn a_position_just_outside_the_radius_is_a_near_miss() {
    let index = world(&[agenda("out", 6.0, "11:00", 15)], &[]);
    let answer = ask(&index, CareQueryDraft { radius_m: Some(5_000), ..draft() });
    let (rule, excess, sentence) = miss(&answer);
    assert_eq!(rule, Rule::Radius);
    assert!((990..1_010).contains(&excess));
    assert_eq!(sentence, "11:00 : 1,0 km au-delà du rayon.");
}

#[test]
fn who_is_taken_follows_age_sex_needs_and_language() {
    let base = || agenda("a", 1.0, "11:00", 15);
    let only_miss = |agenda: Agenda, draft: CareQueryDraft| {
        let answer = ask(&world(&[agenda], &[]), draft);
        let (rule, excess, sentence) = miss(&answer);
        (rule, excess, sentence.to_owned())
    };
    let adults = base().with(|agenda| agenda.schedule.limits.min_age = Some(Age::from_years(18)));
    let infants = base().with(|agenda| agenda.schedule.limits.max_age = Some(Age::from_days(28)));
    let women = base().with(|agenda| agenda.schedule.limits.sexes = sex_bit(Sex::F));
    let steps = base().with(|agenda| agenda.place.needs_unmet = NeedSet::of(&[Need::Wheelchair]));
    let english = base().with(|agenda| agenda.practitioner.languages = vec![Language::parse("en").unwrap()]);
    let aged = |days| CareQueryDraft { age: Some(Age::from_days(days)), ..draft() };
    assert_eq!(
        only_miss(adults.clone(), aged(6_500)),
        (Rule::Age, 74, "11:00 : n'accepte pas les patients de moins de 18 ans.".into())
    );
    assert_eq!(
        only_miss(infants.clone(), aged(29)),
        (Rule::Age, 1, "11:00 : n'accepte pas les patients de plus de 28 jours.".into())
    );
    let man = CareQueryDraft { sex: Some(Sex::M), ..draft() };
    assert_eq!(only_miss(women.clone(), man), (Rule::Sex, 0, "11:00 : n'accepte pas les patients de ce sexe.".into()));
    let wheelchair = CareQueryDraft { needs: NeedSet::of(&[Need::Wheelchair]), ..draft() };
    assert_eq!(
        only_miss(steps, wheelchair.clone()),
        (Rule::Need, 0, "11:00 : ne répond pas au besoin : accès en fauteuil roulant.".into())
    );
    let arabic = CareQueryDraft { languages: vec![Language::parse("ar").unwrap()], ..draft() };
    assert_eq!(only_miss(english, arabic.clone()).0, Rule::Language);
    // What nobody said is shown as unknown, and does not exclude.
    for (agenda, draft, unknown) in [
        (base(), wheelchair, Unknown::Need(Need::Wheelchair)),
        (base(), arabic, Unknown::Language),
        (adults, draft(), Unknown::Age),
        (infants, aged(28), Unknown::Age),
        (women, draft(), Unknown::Sex),
    ] {
        let answer = ask(&world(&[agenda], &[]), draft.clone());
        assert_eq!(names(&answer), ["a"]);
        let expected = if draft.age.is_some() { vec![] } else { vec![unknown] };
        assert_eq!(answer.options[0].unknowns, expected);
    }
}

#[test]
fn a_cpts_slot_is_shown_on_its_behalf_only() {
    let cpts = TerritoryId::parse("690000011").unwrap().value;
    let own = agenda("cpts", 1.0, "11:00", 15)
        .with(|agenda| agenda.schedule.territories = vec![cpts])
        .traits(|traits| traits.visibilities = VisibilitySet::of(&[Visibility::Cpts]));
    let hidden = agenda("hidden", 1.0, "11:00", 15).traits(|traits| traits.visibilities = VisibilitySet::EMPTY);
    let index = world(&[own, hidden], &[]);
    let answer = ask(&index, draft());
    assert_eq!((answer.options.len(), answer.near_misses.len()), (0, 0), "kept for others: not even a near miss");
    assert_eq!(answer.exclusions[0].rule, Rule::Visibility);
    assert_eq!(answer.exclusions[0].count, 2);
    let answer = ask(&index, CareQueryDraft { territories: vec![cpts], ..draft() });
    assert_eq!(names(&answer), ["cpts"]);
    assert!(answer.options[0].sentence.ends_with(", dans la CPTS du patient."));
}

#[test]
fn the_own_territory_comes_first_but_is_no_prison() {
    let [own, near, other] = ["690000011", "690000029", "750000016"].map(|id| TerritoryId::parse(id).unwrap().value);
    let of =
        |name, territory| agenda(name, 1.0, "11:00", 15).with(|agenda| agenda.schedule.territories = vec![territory]);
    let territory = Body::Territory(Arc::new(Territory {
        id: own,
        name: "CPTS de Vénissieux".into(),
        communes: vec![],
        neighbours: vec![near],
        phone: None,
    }));
    let index = world(&[of("a-other", other), of("b-near", near), of("c-own", own)], &[territory]);
    let answer = ask(&index, CareQueryDraft { territories: vec![own], ..draft() });
    assert_eq!(names(&answer), ["c-own", "b-near", "a-other"]);
    let preferences: Vec<_> = answer.options.iter().map(|option| option.parts.territory_preference).collect();
    assert_eq!(preferences, [TerritoryPreference::Own, TerritoryPreference::Neighbour, TerritoryPreference::Other]);
    assert_eq!(names(&ask(&index, draft())), ["a-other", "b-near", "c-own"], "ties by identifier");
}

#[test]
fn the_rest_of_the_rules_have_their_near_misses() {
    let walk_in = agenda("a", 1.0, "11:00", 15).traits(|traits| traits.appointment_type = AppointmentType::Walkin);
    let routine_only =
        CareQueryDraft { appointment_types: AppointmentTypeSet::of(&[AppointmentType::Routine]), ..draft() };
    assert_eq!(miss(&ask(&world(&[walk_in], &[]), routine_only)).0, Rule::AppointmentType);
    let remote_only = CareQueryDraft { modalities: ModalitySet::of(&[Modality::Vr]), ..draft() };
    assert_eq!(miss(&ask(&world(&[agenda("a", 1.0, "11:00", 15)], &[]), remote_only)).0, Rule::Modality);
    let held = agenda("a", 1.0, "11:00", 15).with(|agenda| {
        let hold = NewHold {
            id: ClaimId::from_uuid(uuid::Uuid::from_u128(1)),
            case_id: CaseId::parse("dossier").unwrap(),
            regulator_id: None,
            expires_at: at("10:01"),
        };
        agenda.slot = agenda.slot.hold(hold, at("09:59")).unwrap().slot;
    });
    let index = world(&[held], &[]);
    assert_eq!(miss(&ask(&index, draft())), (Rule::Capacity, 0, "11:00 : complet."));
    let policy = Policy::default();
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let later = finder.find(&CareQuery::parse(draft()).unwrap(), at("10:01"));
    assert_eq!(names(&later), ["a"], "the hold is over: expiry is judged when read");
}

#[test]
fn an_unspecified_slot_counts_as_general_practice() {
    let sos = agenda("sos", 1.0, "11:00", 15).with(|agenda| {
        agenda.schedule.practitioner_id = None;
        agenda.practitioner.specialties = SpecialtySet::EMPTY;
    });
    let answer = ask(&world(std::slice::from_ref(&sos), &[]), draft());
    assert_eq!(answer.options[0].unknowns, [Unknown::Specialty]);
    let skin = SpecialtySet::of(&[Specialty::parse("SM15").unwrap()]);
    let answer = ask(&world(&[sos], &[]), CareQueryDraft { specialties: skin, ..draft() });
    assert_eq!(names(&answer), [""; 0]);
}

#[test]
fn at_most_one_option_a_schedule_and_the_soonest_slot_of_it() {
    let first = agenda("a", 1.0, "11:00", 15);
    let mut second = first.slot.clone();
    second.id = SlotId::parse("a/0").unwrap();
    second.window = Window::new(at("10:45"), at("11:00")).unwrap();
    let index = world(&[first], &[Body::Slot(Arc::new(second))]);
    let answer = ask(&index, draft());
    assert_eq!(answer.options.len(), 1);
    assert_eq!(answer.options[0].slot.id.as_str(), "a/0");
}

#[test]
fn escalation_needs_no_slot_and_lists_the_nearest_sites() {
    let mondays = |access| vec![WeeklyAccess::new(1, 0, 1_440, access).unwrap()];
    let sites = [
        site("closed", EmergencySiteKind::Department, 1.0, mondays(EmergencyAccess::Closed)),
        site("regulated", EmergencySiteKind::Department, 2.0, mondays(EmergencyAccess::Regulated)),
        site("open", EmergencySiteKind::Department, 3.0, vec![]),
        site("children", EmergencySiteKind::Paediatric, 4.0, vec![]),
        site("smur", EmergencySiteKind::Smur, 5.0, vec![]),
    ];
    let index = world(&[agenda("a", 1.0, "11:00", 15)], &sites);
    let listed = |answer: &CareAnswer| -> Vec<String> {
        answer.emergency_sites.iter().map(|seen| seen.site.id.to_string()).collect()
    };
    let vital = ask(&index, CareQueryDraft { care_level: Some(CareLevel::R1), ..draft() });
    assert_eq!((vital.outcome, &*vital.rule_id), (CareOutcome::EmergencyDispatch, "escalation.care-level-r1"));
    assert_eq!((vital.options.len(), vital.radius, vital.needed_by_at), (0, None, None));
    assert_eq!(listed(&vital), ["smur", "regulated", "open", "children", "closed"]);
    let p0 = ask(&index, CareQueryDraft { priority: Some(Priority::P0), ..draft() });
    assert_eq!((p0.outcome, &*p0.rule_id), (CareOutcome::EmergencyDispatch, "escalation.priority-p0"));
    let adult = CareQueryDraft { care_level: Some(CareLevel::R2), age: Some(Age::from_years(40)), ..draft() };
    let urgent = ask(&index, adult.clone());
    assert_eq!(urgent.outcome, CareOutcome::EmergencyDepartment);
    assert_eq!(listed(&urgent), ["regulated", "open", "closed"]);
    assert_eq!(urgent.emergency_sites[2].access, EmergencyAccess::Closed);
    let physician = CareQueryDraft { role: Some(Role::Medecin), options_wanted: true, ..adult };
    assert_eq!(ask(&index, physician).outcome, CareOutcome::Appointment);
    let advice = CareQueryDraft { care_level: Some(CareLevel::R4), ..draft() };
    assert_eq!(
        (ask(&index, advice.clone()).outcome, ask(&index, advice.clone()).options.len()),
        (CareOutcome::MedicalAdvice, 0)
    );
    let wanted = ask(&index, CareQueryDraft { options_wanted: true, ..advice });
    assert_eq!((wanted.outcome, wanted.options.len()), (CareOutcome::MedicalAdvice, 1));
}

#[test]
fn escalation_answers_on_an_empty_index_without_a_position() {
    let draft = CareQueryDraft { care_level: Some(CareLevel::R1), ..CareQueryDraft::default() };
    let answer = ask(&Index::new(), draft);
    assert_eq!(answer.outcome, CareOutcome::EmergencyDispatch);
    assert!(answer.emergency_sites.is_empty());
}

#[test]
fn the_same_question_at_the_same_state_gets_the_same_answer() {
    let agendas: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| agenda(name, 1.0, "11:00", 15)).to_vec();
    let reversed: Vec<_> = agendas.iter().rev().cloned().collect();
    let (one, other) = (ask(&world(&agendas, &[]), draft()), ask(&world(&reversed, &[]), draft()));
    assert_eq!(names(&one), ["a", "b", "c", "d", "e"]);
    assert_eq!(format!("{:?}", one.options), format!("{:?}", other.options));
    assert_eq!(one.exclusions, other.exclusions);
}
