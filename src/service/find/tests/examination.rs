//! What is looked at beside the options, and what is said of it.

use super::world::{agenda, at, draft, world};
use super::*;
use crate::domain::answer::{Exclusion, Rule};
use crate::domain::code::{Modality, ModalitySet, Profession, ProfessionSet, SpecialtySet};
use crate::domain::patient::{Age, Need, NeedSet};
use crate::domain::query::CareQueryDraft;
use crate::domain::time::Window;

fn teleconsultation(name: &'static str, north_km: f64, start: &str) -> world::Agenda {
    agenda(name, north_km, start, 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Vr]))
}

#[test]
fn a_teleconsultation_far_away_does_not_lead_the_examination_there() {
    let far = teleconsultation("overseas", -6_000.0, "10:30");
    let full = agenda("beside-it", -6_000.0, "10:45", 15);
    let index = world(&[far, full], &[]);
    let asked =
        CareQueryDraft { modalities: ModalitySet::of(&[Modality::Amb, Modality::Vr]), limit: Some(1), ..draft() };
    let answer = ask(&index, asked);
    assert_eq!(names(&answer), ["overseas"]);
    assert_eq!(answer.examined_count, 0, "nothing is around the patient");
}

#[test]
fn a_teleconsultation_that_has_begun_is_missed_by_the_wait_alone() {
    let begun = teleconsultation("begun", 1.0, "09:58");
    let asked = CareQueryDraft { modalities: ModalitySet::of(&[Modality::Amb, Modality::Vr]), ..draft() };
    let answer = ask(&world(&[begun], &[]), asked);
    assert_eq!((miss(&answer).0, miss(&answer).1), (Rule::Arrival, 2), "nobody travels, so there is no margin");
}

#[test]
fn an_examination_by_time_reaches_a_day_beyond_the_delay_and_never_claims_to_be_whole() {
    let tomorrow = teleconsultation("tomorrow", 1.0, "10:00").with(|agenda| {
        agenda.slot.window = Window::new(at("10:00").plus_minutes(30 * 60), at("10:00").plus_minutes(31 * 60)).unwrap();
        agenda.schedule.limits.min_age = Some(Age::from_years(18));
    });
    let asked = CareQueryDraft {
        position: None,
        modalities: ModalitySet::of(&[Modality::Vr]),
        needed_within_minutes: Some(48 * 60),
        age: Some(Age::from_years(3)),
        ..draft()
    };
    let answer = ask(&world(&[tomorrow], &[]), asked);
    assert_eq!(miss(&answer).0, Rule::Age);
    assert!(!answer.examined_all);
}

#[test]
fn a_profession_beside_the_specialties_is_found_by_itself() {
    let midwife =
        agenda("midwife", 1.0, "11:00", 15).with(|agenda| agenda.practitioner.profession = Some(Profession::MIDWIFE));
    let asked = CareQueryDraft {
        specialties: SpecialtySet::EMPTY,
        professions: ProfessionSet::of(&[Profession::MIDWIFE]),
        ..draft()
    };
    assert_eq!(names(&ask(&world(&[midwife], &[]), asked)), ["midwife"]);
}

#[test]
fn of_many_in_a_cell_the_nearest_are_examined() {
    let agendas: Vec<_> = (0..200u32)
        .map(|rank| {
            let late =
                agenda(format!("late-{:03}", rank * 77 % 200).leak(), 0.1 + 0.012 * f64::from(rank), "18:00", 15);
            let min_age = (rank >= 128).then(|| Age::from_years(18));
            late.with(|agenda| agenda.schedule.limits.min_age = min_age)
        })
        .collect();
    let asked = CareQueryDraft { radius_m: Some(10_000), age: Some(Age::from_years(3)), ..draft() };
    let answer = ask(&world(&agendas, &[]), asked);
    assert!(answer.options.is_empty() && !answer.examined_all);
    assert_eq!(answer.exclusions, [Exclusion { rule: Rule::Delay, count: 128 }], "those farther away are for adults");
}

#[test]
fn a_teleconsultation_misses_no_need_of_the_place() {
    let unmet = NeedSet::of(&[Need::Wheelchair, Need::SignLanguage]);
    let remote = teleconsultation("remote", 1.0, "10:30").with(|agenda| agenda.place.needs_unmet = unmet);
    let modalities = ModalitySet::of(&[Modality::Vr]);
    let answer = ask(&world(&[remote], &[]), CareQueryDraft { modalities, needs: unmet, ..draft() });
    assert_eq!(miss(&answer), (Rule::Need, 0, "10:30 : ne répond pas au besoin : langue des signes."));
}

#[test]
fn beside_teleconsultations_what_is_around_the_patient_is_a_near_miss() {
    let far = teleconsultation("far", -600.0, "10:30");
    let around = agenda("around", 3.0, "10:45", 15);
    let asked = CareQueryDraft { modalities: ModalitySet::of(&[Modality::Vr]), limit: Some(1), ..draft() };
    let answer = ask(&world(&[far, around], &[]), asked);
    assert_eq!(names(&answer), ["far"]);
    let missed: Vec<_> = answer.near_misses.iter().map(|miss| (miss.option.slot.id.as_str(), miss.rule)).collect();
    assert_eq!(missed, [("around/1", Rule::Modality)]);
}
