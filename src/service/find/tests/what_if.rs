//! What the answer says of a wider radius, a longer delay, one more modality.

use super::*;
use crate::domain::answer::Relaxation;

fn told(answer: &CareAnswer) -> Vec<(Relaxation, u32, Option<u32>, &str)> {
    let all = answer.what_ifs.iter();
    all.map(|one| (one.relaxation, one.slot_count, one.gain_minutes, one.sentence.as_str())).collect()
}

#[test]
fn a_question_is_told_what_asking_for_more_would_bring() {
    let index = world(
        &[
            agenda("here", 1.0, "11:40", 15),
            agenda("far", 13.0, "10:50", 15),
            agenda("farther", 14.0, "11:00", 15),
            agenda("late", 1.0, "12:30", 15),
            agenda("remote", 1.0, "10:10", 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Vr])),
        ],
        &[],
    );
    let answer = ask(
        &index,
        CareQueryDraft { modalities: ModalitySet::of(&[Modality::Amb]), radius_m: Some(12_500), ..draft() },
    );
    assert_eq!(names(&answer), ["here"]);
    let [radius, delay, modality] = told(&answer)[..] else { panic!("{:?}", answer.what_ifs) };
    assert!(matches!(radius, (Relaxation::Radius(12_990..=13_010), 2, Some(50), _)), "{radius:?}");
    assert_eq!(radius.3, "Avec un rayon de 13,0 km : début possible à 10:50, 50 min plus tôt (2 créneaux examinés).");
    let sentence = "Avec un délai de 2 h 30 : début possible à 12:30 (1 créneau examiné).";
    assert_eq!(delay, (Relaxation::Delay(150), 1, Some(0), sentence));
    let sentence = "En acceptant la téléconsultation : début possible à 10:10, 1 h 30 plus tôt (1 créneau examiné).";
    assert_eq!(modality, (Relaxation::Modality(Modality::Vr), 1, Some(90), sentence));
}

#[test]
fn without_options_nothing_is_sooner_and_without_additions_nothing_is_said() {
    let answer = ask(&world(&[agenda("late", 1.0, "12:30", 15)], &[]), draft());
    assert_eq!(
        told(&answer).into_iter().map(|one| (one.0, one.2)).collect::<Vec<_>>(),
        [(Relaxation::Delay(150), None)]
    );
    assert_eq!(told(&ask(&world(&[agenda("here", 1.0, "10:40", 15)], &[]), draft())), []);
}

#[test]
fn how_far_a_professional_goes_is_not_the_questions_to_ease() {
    let visits = |home_m| {
        let visit =
            agenda("visit", 7.0, "10:40", 15).traits(|traits| traits.modalities = ModalitySet::of(&[Modality::Hh]));
        let visit = visit.with(|one| one.schedule.home_visit_radius_m = Some(home_m));
        ask(&world(&[visit], &[]), CareQueryDraft { radius_m: Some(5_000), ..draft() }).what_ifs.len()
    };
    assert_eq!((visits(7_500), visits(6_000)), (1, 0));
}
