//! Turns in any order, the eyes of a case, and who is new.

use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> UtcInstant {
    UtcInstant::from_ms(1_795_431_600_000 + seconds * 1_000)
}

fn case(name: &str) -> CaseNumber {
    CaseNumber::of(&CaseId::parse(name).unwrap())
}

#[test]
fn the_case_that_was_sent_there_sees_the_turn_before() {
    let share = Share::default();
    assert_eq!(share.turn(case("a")), Turn::NEVER);
    share.note(Turn::at(at(1)), case("a"));
    assert_eq!((share.turn(case("a")), share.turn(case("b"))), (Turn::NEVER, Turn::at(at(1))));
    share.note(Turn::at(at(2)), case("b"));
    assert_eq!((share.turn(case("a")), share.turn(case("b"))), (Turn::at(at(2)), Turn::at(at(1))));
    share.note(Turn::at(at(3)), case("b"));
    assert_eq!((share.turn(case("a")), share.turn(case("b"))), (Turn::at(at(3)), Turn::at(at(1))), "its own, moved");
}

#[test]
fn questions_without_a_case_are_all_of_different_cases() {
    let share = Share::default();
    share.note(Turn::at(at(1)), CaseNumber::NONE);
    assert_eq!(share.turn(CaseNumber::NONE), Turn::at(at(1)));
    share.note(Turn::at(at(2)), CaseNumber::NONE);
    assert_eq!(share.turn(CaseNumber::NONE), Turn::at(at(2)));
}

#[test]
fn a_turn_counts_for_a_day() {
    let turn = Turn::at(at(0));
    let day = 24 * 3_600;
    assert_eq!(turn.counted_at(at(day)), turn);
    assert_eq!(turn.counted_at(at(day + 1)), Turn::NEVER);
    assert_eq!((turn.instant(), Turn::NEVER.instant()), (Some(at(0)), None));
}

#[test]
fn turns_of_an_instance_only_go_forward() {
    let clock = TurnClock::default();
    let turns = [at(5), at(5), at(1), at(6)].map(|now| clock.turn(now));
    assert!(turns.windows(2).all(|pair| pair[0] < pair[1]), "{turns:?}");
    assert_eq!((turns[0], turns[3]), (Turn::at(at(5)), Turn::at(at(6))));
}

#[test]
fn who_has_one_old_schedule_is_no_newcomer() {
    let share = Share::default();
    assert!(!share.is_newcomer(at(0), 14), "nothing was published yet");
    share.note_first_published(Some(at(0)));
    let days = |days: i64| at(days * 24 * 3_600);
    assert!(share.is_newcomer(days(13), 14));
    assert!(!share.is_newcomer(days(14), 14));
    share.note_first_published(Some(days(-30)));
    assert!(!share.is_newcomer(days(1), 14));
    let undated = Share::default();
    undated.note_first_published(Some(at(0)));
    undated.note_first_published(None);
    assert!(!undated.is_newcomer(days(1), 14), "what has no date is old");
}

#[test]
fn a_case_has_the_same_figure_everywhere_and_cases_are_spread_evenly() {
    // Written down: an instance of another version must choose newcomers in the same cases.
    assert_eq!(case("DRM-1").percentile(at(0)), case("DRM-1").percentile(at(99)));
    let mut counts = [0_u32; 100];
    for number in 0..100_000 {
        counts[case(&format!("dossier-{number}")).percentile(at(0)) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    let without: u32 = (0..10_000).map(|s| u32::from(CaseNumber::NONE.percentile(at(s)) < 20)).sum();
    assert!((1_850..2_150).contains(&without), "{without}");
}

proptest! {
    #[test]
    fn turns_end_the_same_in_whatever_order_they_are_noted(
        turns in proptest::collection::vec((1_i64..1_000_000, 0_u8..4), 1..8),
        seed in any::<u64>(),
    ) {
        let mut turns: Vec<_> = turns.into_iter().map(|(s, c)| (Turn::at(at(s)), case(&format!("case-{c}")))).collect();
        turns.sort_unstable_by_key(|(turn, _)| *turn);
        turns.dedup_by_key(|(turn, _)| *turn);
        let (last, of) = *turns.last().unwrap();
        let others = turns.iter().filter(|(_, case)| *case != of).map(|(turn, _)| *turn);
        let before = others.max().unwrap_or(Turn::NEVER);
        // Twice, because a restart and a batch hand claims over again.
        let mut noted = [turns.clone(), turns].concat();
        let mut state = seed;
        for at in (1..noted.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            noted.swap(at, (state >> 33) as usize % (at + 1));
        }
        let share = Share::default();
        noted.into_iter().for_each(|(turn, case)| share.note(turn, case));
        prop_assert_eq!(share.turn(CaseNumber::NONE), last);
        prop_assert_eq!(share.turn(of), before);
    }
}
