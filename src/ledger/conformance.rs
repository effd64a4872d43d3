//! What every ledger promises, as facts that each implementation passes unchanged; see [`conformance_suite`].

mod cases;
mod kinds;
mod limits;
mod recorder;

use std::sync::{Arc, Barrier};

use bytes::Bytes;

use super::codec::samples::{NOW_MS, numbered_slot};
use super::*;
use crate::clock::{Clock as _, ManualClock, SharedClock};

pub(super) use cases::*;
pub(super) use kinds::every_kind_of_record_is_kept_as_it_is;
pub(super) use limits::what_no_ledger_takes_is_named;
pub(super) use recorder::Recorder;

/// Makes ledgers of one implementation.
pub(super) trait Factory {
    /// The implementation.
    type Ledger: Ledger;

    /// An empty ledger.
    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> Self::Ledger;
}

/// A ledger under test with its clock and its sink.
pub(super) struct Bench<L> {
    pub(super) ledger: L,
    pub(super) clock: Arc<ManualClock>,
    pub(super) sink: Arc<Recorder>,
}

impl<L: Ledger> Bench<L> {
    pub(super) fn new<F: Factory<Ledger = L>>(factory: &F) -> Self {
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(NOW_MS)));
        let sink = Arc::new(Recorder::default());
        let ledger = factory.make(Arc::clone(&clock) as SharedClock, Arc::clone(&sink) as Arc<dyn ChangeSink>);
        Self { ledger, clock, sink }
    }

    pub(super) fn append(&self, entries: Vec<Entry>) -> AppendOutcome {
        wait(self.ledger.append(Append { entries, request: None }))
    }

    pub(super) fn request(&self, entries: Vec<Entry>, request: Request) -> AppendOutcome {
        wait(self.ledger.append(Append { entries, request: Some(request) }))
    }

    pub(super) fn trim(&self) -> usize {
        wait(self.ledger.trim(self.clock.now())).unwrap()
    }

    /// Whether a record is there in this version.
    pub(super) fn has(&self, number: u64, version: u64) -> bool {
        matches!(self.append(vec![Entry::check(key(number), version)]), AppendOutcome::Appended { .. })
    }
}

/// The outcome, waited for on this thread.
pub(super) fn wait<T>(pending: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(pending)
}

/// A slot in one of its shapes.
pub(super) fn body(number: u64, shape: u16) -> Body {
    let mut slot = numbered_slot(number);
    slot.capacity = shape;
    Body::Slot(slot.into())
}

/// Its key.
pub(super) fn key(number: u64) -> Key {
    body(number, 1).key()
}

/// Puts a slot.
pub(super) fn put(number: u64, shape: u16, expected_version: u64) -> Entry {
    Entry::put(body(number, shape), expected_version)
}

/// A request whose content is one byte.
pub(super) fn request(principal: &str, id: &str, content: u8, result: &'static str) -> Request {
    Request {
        principal: PrincipalId::parse(principal).unwrap(),
        request_id: RequestId::parse(id).unwrap(),
        part: 0,
        fingerprint: Fingerprint([content; 16]),
        result: Bytes::from_static(result.as_bytes()),
    }
}

/// What an append at a sequence number answers.
pub(super) fn appended(sequence: u64) -> AppendOutcome {
    AppendOutcome::Appended { position: Position { partition: 0, epoch: 1, sequence } }
}

fn replayed(result: &'static str, sequence: u64) -> AppendOutcome {
    let position = Position { partition: 0, epoch: 1, sequence };
    AppendOutcome::Replayed { result: Bytes::from_static(result.as_bytes()), position }
}

fn conflict(number: u64, current: Option<(u64, u16)>) -> AppendOutcome {
    let current = current.map(|(version, shape)| Versioned { version, value: body(number, shape) });
    AppendOutcome::Conflict { key: key(number), current }
}

pub(super) fn a_record_is_made_only_when_it_is_not_there<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    assert_eq!(bench.append(vec![put(1, 1, 1)]), conflict(1, None));
    assert_eq!(bench.append(vec![put(1, 1, 0)]), appended(1));
    assert_eq!(bench.append(vec![put(1, 2, 0)]), conflict(1, Some((1, 1))));
}

pub(super) fn versions_grow_by_one_with_every_change<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    for version in 0..5 {
        assert_eq!(bench.append(vec![put(1, 1, version)]), appended(version + 1));
    }
    assert_eq!(bench.append(vec![put(1, 2, 4)]), conflict(1, Some((5, 1))));
    let versions: Vec<_> = bench.sink.changes().iter().map(|change| change.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
}

pub(super) fn a_removed_record_is_gone_and_can_be_made_anew<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(1, 1, 0)]);
    assert_eq!(bench.append(vec![Entry::remove(key(1), 2)]), conflict(1, Some((1, 1))));
    assert_eq!(bench.append(vec![Entry::remove(key(1), 1)]), appended(2));
    assert_eq!(bench.append(vec![put(1, 2, 1)]), conflict(1, None));
    assert_eq!(bench.append(vec![put(1, 2, 0)]), appended(3));
    let removal = &bench.sink.changes()[1];
    assert_eq!((removal.version, &removal.body), (2, &None));
}

pub(super) fn removing_what_is_not_there_changes_nothing<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    assert_eq!(bench.append(vec![Entry::remove(key(1), 0)]), appended(0));
    assert_eq!(bench.sink.changes(), []);
}

pub(super) fn a_check_insists_without_writing<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(1, 1, 0)]);
    assert_eq!(bench.append(vec![Entry::check(key(1), 1), put(2, 1, 0)]), appended(2));
    assert_eq!(bench.append(vec![Entry::check(key(1), 2), put(3, 1, 0)]), conflict(1, Some((1, 1))));
    assert_eq!(bench.append(vec![Entry::check(key(1), 1), Entry::check(key(9), 0)]), appended(2));
    assert!(bench.has(3, 0) && bench.has(1, 1));
}

pub(super) fn all_entries_are_written_or_none<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(2, 1, 0)]);
    assert_eq!(bench.append(vec![put(1, 1, 0), put(2, 2, 0), put(3, 1, 0)]), conflict(2, Some((1, 1))));
    assert!(bench.has(1, 0) && bench.has(2, 1) && bench.has(3, 0));
    assert_eq!(bench.append(vec![put(1, 1, 0), put(2, 2, 1), put(3, 1, 0)]), appended(4));
    assert!(bench.has(1, 1) && bench.has(2, 2) && bench.has(3, 1));
    assert_eq!(bench.sink.changes().len(), 4);
}

pub(super) fn time_guards_are_half_open<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let at = |ms| UtcInstant::from_ms(NOW_MS + ms);
    let late = |ms| AppendOutcome::OutOfTime { now: at(ms) };
    let guarded = |number, not_before, not_after| vec![Entry { not_before, not_after, ..put(number, 1, 0) }];
    assert_eq!(bench.append(guarded(1, Some(at(1)), None)), late(0));
    assert_eq!(bench.append(guarded(1, None, Some(at(0)))), late(0));
    assert_eq!(bench.append(guarded(1, Some(at(0)), Some(at(1)))), appended(1));
    bench.clock.advance_ms(1);
    assert_eq!(bench.append(guarded(2, Some(at(0)), Some(at(1)))), late(1));
    assert_eq!(bench.append(guarded(2, Some(at(1)), Some(at(2)))), appended(2));
    let check = Entry { not_after: Some(at(1)), ..Entry::check(key(1), 1) };
    assert_eq!(bench.append(vec![put(3, 1, 0), check]), late(1), "a guard on any entry holds for all");
    assert!(bench.has(3, 0));
}

pub(super) fn the_clock_never_goes_back<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(1, 1, 0)]);
    bench.clock.advance_seconds(-60);
    let not_after = Some(UtcInstant::from_ms(NOW_MS));
    let late = AppendOutcome::OutOfTime { now: UtcInstant::from_ms(NOW_MS) };
    assert_eq!(bench.append(vec![Entry { not_after, ..put(2, 1, 0) }]), late);
    assert_eq!(bench.ledger.health().clock_at, Some(UtcInstant::from_ms(NOW_MS)), "and says what it shows");
}

pub(super) fn a_retry_gets_the_first_outcome<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let first = || request("lrm", "r1", 1, "first");
    assert_eq!(bench.request(vec![put(1, 1, 0)], first()), appended(1));
    bench.append(vec![put(1, 2, 1)]);
    assert_eq!(bench.request(vec![put(1, 1, 0)], first()), replayed("first", 1), "versions are not looked at");
    let late = Entry { not_after: Some(UtcInstant::from_ms(0)), ..put(1, 1, 0) };
    assert_eq!(bench.request(vec![late], request("lrm", "r1", 1, "second")), replayed("first", 1), "nor guards");
    assert!(bench.has(1, 2));
}

pub(super) fn a_request_without_change_is_kept_too<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(1, 1, 0)]);
    assert_eq!(bench.request(vec![], request("lrm", "r1", 1, "nothing to do")), appended(1));
    assert_eq!(bench.request(vec![], request("lrm", "r1", 1, "")), replayed("nothing to do", 1));
}

pub(super) fn a_request_id_with_other_content_is_refused<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first"));
    let other = bench.request(vec![put(2, 1, 0)], request("lrm", "r1", 2, "other"));
    assert_eq!(other, AppendOutcome::RequestIdReused);
    assert!(bench.has(2, 0));
}

pub(super) fn each_principal_has_request_ids_of_its_own<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    assert_eq!(bench.request(vec![put(1, 1, 0)], request("lrm-a", "r1", 1, "a")), appended(1));
    assert_eq!(bench.request(vec![put(2, 1, 0)], request("lrm-b", "r1", 2, "b")), appended(2));
    assert_eq!(bench.request(vec![], request("lrm-b", "r1", 2, "")), replayed("b", 2));
}

pub(super) fn parts_of_a_request_are_kept_apart<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let part = |part, result| Request { part, ..request("lrm", "r1", 1, result) };
    assert_eq!(bench.request(vec![put(1, 1, 0)], part(0, "whole")), appended(1));
    assert_eq!(bench.request(vec![put(2, 1, 0)], part(1, "rest")), appended(2));
    for id in ["r1#1", "r1 1", "r1:1", "r1/1"] {
        assert!(matches!(bench.request(vec![], request("lrm", id, 2, id)), AppendOutcome::Appended { .. }), "{id}");
    }
    assert_eq!(bench.request(vec![], part(0, "")), replayed("whole", 1));
    assert_eq!(bench.request(vec![], part(1, "")), replayed("rest", 2));
    let other = Request { part: 1, ..request("lrm", "r1", 2, "") };
    assert_eq!(bench.request(vec![], other), AppendOutcome::RequestIdReused);
}

pub(super) fn a_refused_request_may_be_tried_again<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    assert_eq!(bench.request(vec![put(1, 1, 7)], request("lrm", "r1", 1, "first")), conflict(1, None));
    assert_eq!(bench.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first")), appended(1));
}

pub(super) fn a_request_id_lapses_after_48_hours<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first"));
    bench.clock.advance_ms(REQUEST_KEPT_MS - 1);
    assert_eq!(bench.request(vec![], request("lrm", "r1", 1, "")), replayed("first", 1));
    bench.clock.advance_ms(1);
    assert_eq!(bench.request(vec![put(1, 2, 1)], request("lrm", "r1", 2, "anew")), appended(2));
    // Purging what lapsed does not touch the younger outcome of the same id.
    bench.request(vec![], request("lrm", "r2", 1, ""));
    assert_eq!(bench.request(vec![], request("lrm", "r1", 2, "")), replayed("anew", 2));
}

pub(super) fn trimming_forgets_what_has_lapsed_and_nothing_else<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.request(vec![put(1, 1, 0)], request("lrm", "r1", 1, "first"));
    bench.clock.advance_ms(1);
    bench.request(vec![put(2, 1, 0)], request("lrm", "r2", 1, "second"));
    assert_eq!(bench.trim(), 0, "nothing is past its time");
    bench.clock.advance_ms(REQUEST_KEPT_MS - 1);
    assert!(bench.trim() > 0, "although nothing was appended");
    assert_eq!(bench.trim(), 0);
    assert_eq!(bench.request(vec![], request("lrm", "r2", 1, "")), replayed("second", 2));
    assert!(bench.has(1, 1) && bench.has(2, 1), "records stay");
    assert_eq!(bench.request(vec![put(3, 1, 0)], request("lrm", "r1", 2, "anew")), appended(3));
    assert_eq!(bench.sink.changes().len(), 3);
}

pub(super) fn a_trim_records_what_a_steady_clock_shows<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let recorded = || bench.ledger.health().steady_at;
    let at = |ms| UtcInstant::from_ms(NOW_MS + ms);
    wait(bench.ledger.trim(at(0))).unwrap();
    assert_eq!(recorded(), Some(at(0)));
    bench.clock.advance_seconds(3_600);
    bench.append(vec![put(1, 1, 0)]);
    assert_eq!(recorded(), Some(at(0)), "an append may be made by any clock");
    for (shows, expected) in [(59_999, 0), (60_000, 60_000), (1, 60_000), (0, 0), (-86_400_000, -86_400_000)] {
        wait(bench.ledger.trim(at(shows))).unwrap();
        assert_eq!(recorded(), Some(at(expected)), "{shows}");
    }
}

pub(super) fn the_sink_is_told_all_in_order_before_the_answer<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let mut told = 0;
    for round in 0..20 {
        let entries: Vec<_> = (0..=round % 3).map(|number| put(round * 10 + number, 1, 0)).collect();
        told += entries.len();
        assert_eq!(bench.append(entries), appended(told as u64));
        assert_eq!(bench.sink.changes().len(), told);
    }
    let sequences: Vec<_> = bench.sink.changes().iter().map(|change| change.position.sequence).collect();
    assert_eq!(sequences, (1..=told as u64).collect::<Vec<_>>());
    let health = bench.ledger.health();
    assert_eq!((health.head, health.refusal), (bench.sink.changes()[told - 1].position, None));
}

pub(super) fn of_64_racing_appends_exactly_one_wins<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    bench.append(vec![put(1, 1, 0)]);
    let barrier = Barrier::new(64);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (100..164u16)
            .map(|shape| {
                let (bench, barrier) = (&bench, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    (shape, bench.append(vec![put(1, shape, 1)]))
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == appended(2)).map(|won| won.0).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let lost = outcomes.iter().filter(|(_, outcome)| *outcome == conflict(1, Some((2, winners[0]))));
    assert_eq!(lost.count(), 63);
}

pub(super) fn appends_start_without_being_awaited<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let first = bench.ledger.append(Append { entries: vec![put(1, 1, 0)], request: None });
    drop(first);
    assert!(bench.has(1, 1));
}

/// Runs every fact on one implementation.
macro_rules! conformance_suite {
    ($factory:expr) => {
        $crate::ledger::conformance::conformance_suite!($factory;
            a_record_is_made_only_when_it_is_not_there
            versions_grow_by_one_with_every_change
            a_removed_record_is_gone_and_can_be_made_anew
            removing_what_is_not_there_changes_nothing
            a_check_insists_without_writing
            all_entries_are_written_or_none
            time_guards_are_half_open
            the_clock_never_goes_back
            a_retry_gets_the_first_outcome
            a_request_without_change_is_kept_too
            a_request_id_with_other_content_is_refused
            each_principal_has_request_ids_of_its_own
            parts_of_a_request_are_kept_apart
            a_refused_request_may_be_tried_again
            a_request_id_lapses_after_48_hours
            trimming_forgets_what_has_lapsed_and_nothing_else
            a_trim_records_what_a_steady_clock_shows
            the_sink_is_told_all_in_order_before_the_answer
            of_64_racing_appends_exactly_one_wins
            of_64_racing_bookings_of_one_case_exactly_one_wins
            a_case_is_kept_checked_and_forgotten_like_any_record
            appends_start_without_being_awaited
            what_no_ledger_takes_is_named
            every_kind_of_record_is_kept_as_it_is
        );
    };
    ($factory:expr; $($fact:ident)+) => {$(
        #[test]
        fn $fact() {
            $crate::ledger::conformance::$fact(&$factory);
        }
    )+};
}

pub(super) use conformance_suite;
