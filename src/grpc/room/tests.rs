//! What is refused first, and how the limit of questions follows how soon they are begun.

use super::*;

fn is_full(entry: &Entry) -> bool {
    matches!(entry, Entry::Full)
}

#[test]
fn the_class_of_a_call_is_its_method() {
    let path = |method: &str| Class::of(&format!("/sas.routing.v1.{method}"));
    for completion in ["ConfirmHold", "ReleaseHold", "CancelBooking"] {
        assert_eq!(path(&format!("BookingService/{completion}")), Class::Completion, "{completion}");
    }
    assert_eq!(path("BookingService/HoldSlot"), Class::Other);
    assert_eq!(path("RoutingService/FindCare"), Class::Question);
    assert_eq!(path("RoutingService/WatchCare"), Class::Watch);
}

#[test]
fn completions_have_a_reserve_beyond_the_places_of_all() {
    let room = Room::new(8);
    let _calls: Vec<_> = (0..8).map(|_| room.enter(Class::Other)).collect();
    assert!(is_full(&room.enter(Class::Other)));
    let reserve = [room.enter(Class::Completion), room.enter(Class::Completion)];
    assert!(reserve.iter().all(|entry| !is_full(entry)));
    assert!(is_full(&room.enter(Class::Completion)), "the reserve has an end");
    assert_eq!(room.taken().calls, 10);
    drop(reserve);
    assert!(!is_full(&room.enter(Class::Completion)));
}

#[test]
fn a_question_without_room_is_still_read() {
    let room = Room::new(1);
    let place = room.enter(Class::Question);
    assert!(matches!(place, Entry::Place(_)));
    assert!(matches!(room.enter(Class::Question), Entry::Glance(_)));
    drop(place);
    assert!(matches!(room.enter(Class::Question), Entry::Place(_)));
}

#[test]
fn an_answer_that_nobody_reads_keeps_no_question_out_and_a_drain_waits_for_it() {
    let room = Room::new(1);
    let Entry::Place(mut unread) = room.enter(Class::Question) else { panic!("there is room") };
    unread.answered();
    assert!(matches!(room.enter(Class::Question), Entry::Place(_)));
    assert_eq!(room.taken().questions, 1, "the one that is not sent");
}

#[test]
fn calls_that_wait_for_the_ledger_take_no_room_of_questions() {
    let room = Room::new(1);
    let _write = room.enter(Class::Other);
    assert!(matches!(room.enter(Class::Question), Entry::Place(_)));
}

#[tokio::test]
async fn a_drain_waits_for_calls_of_every_class() {
    for class in [Class::Question, Class::Completion, Class::Other, Class::Watch] {
        let room = Room::new(1);
        // The second of a question is a glance, that of a completion in the reserve.
        let entries = [room.enter(class), room.enter(class)];
        for entry in entries.into_iter().filter(|entry| !is_full(entry)) {
            assert!(tokio::time::timeout(Duration::ZERO, room.idle()).await.is_err(), "{class:?}");
            drop(entry);
        }
        room.idle().await;
    }
}

/// Questions begun after standing so long, one each tenth of a millisecond for so many windows from an age on.
fn begin(questions: &Arc<Questions>, stood: Duration, windows: u32, from: Duration) -> Duration {
    let mut age = from;
    for _ in 0..windows * 100 {
        age += WINDOW / 100;
        questions.judge(stood, age);
    }
    age
}

#[test]
fn questions_that_begin_late_all_the_time_lower_the_limit_to_the_least() {
    let room = Room::new(1_024);
    let questions = &room.questions;
    let _taken: Vec<_> = (0..QUESTIONS_AT_FIRST).map(|_| room.enter(Class::Question)).collect();
    let mut age = Duration::ZERO;
    let mut limits = Vec::new();
    for _ in 0..100 {
        assert!(matches!(room.enter(Class::Question), Entry::Glance(_)), "the limit is needed");
        age = begin(questions, STANDING * 2, 1, age);
        limits.push(questions.limit.load(Ordering::Relaxed));
    }
    assert!(limits[4] < QUESTIONS_AT_FIRST && limits[4] > QUESTIONS_LEAST, "{limits:?}");
    assert_eq!(limits[99], QUESTIONS_LEAST);
}

#[test]
fn questions_that_others_make_late_lower_no_limit_that_is_not_near() {
    let questions = Arc::new(Questions::new(1_024));
    begin(&questions, STANDING * 2, 100, Duration::ZERO);
    assert_eq!(questions.limit.load(Ordering::Relaxed), QUESTIONS_AT_FIRST);
}

#[test]
fn a_limit_that_is_needed_and_makes_nobody_late_grows() {
    let room = Room::new(1_024);
    let questions = &room.questions;
    let mut age = Duration::ZERO;
    let mut places = Vec::new();
    for _ in 0..200 {
        let enter = || Some(room.enter(Class::Question)).filter(|entry| matches!(entry, Entry::Place(_)));
        places.extend(std::iter::from_fn(enter));
        age = begin(questions, Duration::ZERO, 1, age);
    }
    assert_eq!(questions.limit.load(Ordering::Relaxed), 1_024);
    places.clear();
    begin(questions, Duration::ZERO, 50, age);
    assert_eq!(questions.limit.load(Ordering::Relaxed), 1_024, "nothing lowers it but lateness");
}

#[test]
fn a_limit_that_nobody_needs_does_not_grow() {
    let questions = Arc::new(Questions::new(1_024));
    begin(&questions, Duration::ZERO, 100, Duration::ZERO);
    assert_eq!(questions.limit.load(Ordering::Relaxed), QUESTIONS_AT_FIRST);
}

#[test]
fn one_late_question_after_a_pause_changes_nothing() {
    let questions = Arc::new(Questions::new(1_024));
    questions.judge(STANDING * 50, Duration::from_secs(60));
    assert_eq!(questions.limit.load(Ordering::Relaxed), QUESTIONS_AT_FIRST);
}

#[test]
fn a_few_late_ones_among_many_change_nothing() {
    let questions = Arc::new(Questions::new(1_024));
    let mut age = Duration::ZERO;
    for number in 0..10_000 {
        age += WINDOW / 100;
        let stood = if number % 4 == 0 { STANDING * 50 } else { Duration::ZERO };
        questions.judge(stood, age);
    }
    assert_eq!(questions.limit.load(Ordering::Relaxed), QUESTIONS_AT_FIRST);
}
