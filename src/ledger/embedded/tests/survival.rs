//! What is found after closing and opening again, and what cannot be opened.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::domain::record::{Key, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::samples;
use crate::ledger::conformance::{Bench, Recorder, appended, body, key, put, request, wait};
use crate::ledger::{Entry, REQUEST_KEPT_MS, Request};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(UtcInstant::from_ms(samples::NOW_MS)))
}

/// Opens the folder again, with a clock and a sink of its own.
fn reopened(folder: &InFolder) -> Bench<EmbeddedLedger> {
    Bench::new(&Again(folder))
}

struct Again<'a>(&'a InFolder);

impl Factory for Again<'_> {
    type Ledger = EmbeddedLedger;

    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> EmbeddedLedger {
        self.0.open(clock, sink).unwrap()
    }
}

/// Why the folder cannot be opened.
fn refusal(folder: &InFolder) -> OpenError {
    match folder.open(clock(), Arc::new(Recorder::default())) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

#[test]
fn records_request_ids_and_position_are_there_after_opening_again() {
    let folder = InFolder::new();
    let first = Bench::new(&Again(&folder));
    for body in samples::one_of_every_kind() {
        first.append(vec![Entry::put(body, 0)]);
    }
    first.request(vec![put(11, 1, 0), put(12, 1, 0)], request("lrm", "r1", 1, "first"));
    first.append(vec![Entry::remove(key(12), 1)]);
    let head = first.ledger.health().head;
    let deployment_id = first.ledger.deployment_id();
    drop(first.ledger);

    let second = reopened(&folder);
    assert_eq!((second.ledger.health().head, second.ledger.health().refusal), (head, None));
    assert_eq!(second.ledger.deployment_id(), deployment_id);
    let kinds: Vec<_> = second.sink.reloaded().iter().map(|change| change.key.to_string()).collect();
    let expected = [
        "policy:active",
        "territory:1690054321",
        "place:maison-1",
        "practitioner:810002909371",
        "source:editeur-1",
        "schedule:agenda-1",
        "emergency:sau-69-1",
        "slot:creneau-1",
        "slot:creneau-11",
        "case:fr.health.samu690.1",
        "orientation:fr.health.samu690.DR0001",
        "tally:territory/690054321/2026-11-18",
    ];
    assert_eq!(kinds, expected.map(str::to_owned), "the directory before the slots, the cases last");
    assert!(second.sink.reloaded().iter().all(|change| change.position == head && change.body.is_some()));
    let retried = second.request(vec![put(11, 1, 0)], request("lrm", "r1", 1, "again"));
    assert!(matches!(retried, AppendOutcome::Replayed { result, .. } if result == "first"), "kept across");
    assert_eq!(second.append(vec![put(13, 1, 0)]), appended(head.sequence + 1));
}

#[test]
fn the_clock_does_not_go_back_across_a_restart() {
    let folder = InFolder::new();
    let first = Bench::new(&Again(&folder));
    first.clock.advance_seconds(60);
    first.append(vec![put(1, 1, 0)]);
    let shown_at = first.clock.now();
    drop(first.ledger);
    let second = reopened(&folder);
    let late = second.append(vec![Entry { not_after: Some(shown_at), ..put(2, 1, 0) }]);
    assert_eq!(late, AppendOutcome::OutOfTime { now: shown_at });
}

#[test]
fn what_a_steady_clock_showed_is_there_after_opening_again() {
    let folder = InFolder::new();
    let first = reopened(&folder);
    let began_at = first.clock.now();
    assert_eq!(first.ledger.health().steady_at, Some(began_at), "a ledger begins by the clock of its first start");
    first.clock.advance_seconds(600);
    assert_eq!(first.trim(), 0);
    let steady_at = first.clock.now();
    first.clock.advance_seconds(600);
    first.append(vec![put(1, 1, 0)]);
    let shown_at = first.clock.now();
    drop(first.ledger);
    let second = reopened(&folder);
    assert_eq!(second.ledger.health().steady_at, Some(steady_at));
    drop(second.ledger);

    let database = redb::Database::open(folder.0.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut meta = transaction.open_table(redb::TableDefinition::<&str, &[u8]>::new("meta")).unwrap();
        let state = redb::ReadableTable::get(&meta, "state").unwrap().unwrap().value().to_vec();
        let state: crate::proto::ledger::StoreState = prost::Message::decode(state.as_slice()).unwrap();
        let earlier = crate::proto::ledger::StoreState { steady_at_ms: 0, ..state };
        meta.insert("state", prost::Message::encode_to_vec(&earlier).as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let third = reopened(&folder);
    assert_eq!(third.ledger.health().steady_at, Some(shown_at), "an earlier version recorded its own clock only");
}

#[test]
fn a_closed_ledger_has_carried_out_what_waited_and_takes_no_more() {
    let folder = InFolder::new();
    let first = Bench::new(&Again(&folder));
    let waiting: Vec<_> =
        (0..50).map(|number| first.ledger.append(Append { entries: vec![put(number, 1, 0)], request: None })).collect();
    first.ledger.close();
    for (pending, number) in waiting.into_iter().zip(1..) {
        assert_eq!(wait(pending), appended(number));
    }
    assert_eq!(first.append(vec![put(99, 1, 0)]), AppendOutcome::Unavailable(Unavailable::Closing));
    assert_eq!(reopened(&folder).sink.reloaded().len(), 50, "the file is free although the ledger still exists");
}

#[test]
fn lapsed_request_ids_are_forgotten() {
    let folder = InFolder::new();
    let bench = Bench::new(&Again(&folder));
    let ids: Vec<_> = (0..40).map(|number| format!("r{number}")).collect();
    for id in &ids {
        bench.request(vec![], request("lrm", id, 1, ""));
    }
    bench.clock.advance_ms(REQUEST_KEPT_MS);
    for number in 0..10 {
        bench.append(vec![put(number, 1, 0)]);
    }
    bench.ledger.close();
    let database = redb::Database::open(folder.0.path().join(FILE_NAME)).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    let requests = transaction.open_table(redb::TableDefinition::<u64, &[u8]>::new("requests")).unwrap();
    assert_eq!(redb::ReadableTableMetadata::len(&requests).unwrap(), 0);
}

/// Makes every outcome look as it was written before parts had numbers.
fn take_part_numbers_away(folder: &InFolder) {
    let database = redb::Database::open(folder.0.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut requests = transaction.open_table(redb::TableDefinition::<u64, &[u8]>::new("requests")).unwrap();
        let kept = redb::ReadableTable::iter(&requests).unwrap().map(Result::unwrap);
        let kept: Vec<_> = kept.map(|(number, kept)| (number.value(), kept.value().to_vec())).collect();
        for (number, kept) in kept {
            let kept: crate::proto::ledger::RequestOutcome = prost::Message::decode(kept.as_slice()).unwrap();
            let kept = crate::proto::ledger::RequestOutcome { part: None, ..kept };
            requests.insert(number, prost::Message::encode_to_vec(&kept).as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

#[test]
fn parts_that_an_earlier_version_wrote_are_found() {
    let folder = InFolder::new();
    let first = reopened(&folder);
    first.request(vec![], request("lrm", "batch", 1, "first"));
    first.request(vec![], request("lrm", "batch#1", 1, "part"));
    first.request(vec![], request("lrm", "mine#1", 2, "whole"));
    drop(first.ledger);
    take_part_numbers_away(&folder);
    let second = reopened(&folder);
    let retried = |id, part, content| second.request(vec![], Request { part, ..request("lrm", id, content, "new") });
    let told =
        |outcome| if let AppendOutcome::Replayed { result, .. } = outcome { result } else { panic!("{outcome:?}") };
    assert_eq!(told(retried("batch", 0, 1)), "first");
    assert_eq!(told(retried("batch", 1, 1)), "part");
    assert_eq!(told(retried("mine#1", 0, 2)), "whole");
    assert_eq!(retried("mine#1", 0, 3), AppendOutcome::RequestIdReused);
    assert!(matches!(retried("mine", 1, 1), AppendOutcome::Appended { .. }), "what a caller sent is nobody's part");
    second.clock.advance_ms(REQUEST_KEPT_MS);
    assert!(matches!(retried("batch", 1, 1), AppendOutcome::Appended { .. }), "they lapse as all others do");
}

#[test]
fn a_ledger_in_use_is_named() {
    let folder = InFolder::new();
    let _first = reopened(&folder);
    assert!(matches!(refusal(&folder), OpenError::InUse { .. }));
}

#[test]
fn a_newer_format_is_named_and_left_alone() {
    let folder = InFolder::new();
    drop(reopened(&folder));
    let path = folder.0.path().join(FILE_NAME);
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let newer = prost::Message::encode_to_vec(&crate::proto::ledger::StoreState { format: 2, ..Default::default() });
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    transaction.open_table(meta).unwrap().insert("state", newer.as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refusal(&folder);
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }), "{error}");
    assert!(error.to_string().contains("start the version that wrote it"), "{error}");
}

#[test]
fn a_record_of_a_newer_format_is_named() {
    let folder = InFolder::new();
    let first = reopened(&folder);
    first.append(vec![put(1, 1, 0)]);
    drop(first.ledger);
    let database = redb::Database::open(folder.0.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(store::RECORDS).unwrap().insert("slot:x", (1, [9u8, 1].as_slice())).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&folder), OpenError::NewerFormat { found: 9, known: 1, .. }));
}

#[test]
fn other_files_are_no_ledger() {
    let text = InFolder::new();
    std::fs::write(text.0.path().join(FILE_NAME), "Carnet de bord\n".repeat(600)).unwrap();
    let error = refusal(&text);
    assert!(matches!(error, OpenError::NotALedger { .. } | OpenError::Damaged { .. }), "{error:?}");

    let other = InFolder::new();
    let database = redb::Database::create(other.0.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("other")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(refusal(&other), OpenError::NotALedger { .. }));

    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("data");
    let refused = EmbeddedLedger::open(&below, EmbeddedOptions::default(), clock(), Arc::new(Recorder::default()));
    assert!(matches!(refused, Err(OpenError::Folder { .. })));
}

#[test]
fn a_damaged_file_is_named_and_never_ends_the_process() {
    let folder = InFolder::new();
    let first = reopened(&folder);
    for number in 0..200 {
        first.append(vec![put(number, 1, 0)]);
    }
    drop(first.ledger);
    let path = folder.0.path().join(FILE_NAME);
    let sound = std::fs::read(&path).unwrap();
    let marked = sound.windows(9).enumerate().filter(|(_, bytes)| bytes == b"creneau-7").map(|(at, _)| at);
    let mut damaged = sound.clone();
    for at in marked {
        damaged[at] = b'X';
    }
    std::fs::write(&path, &damaged).unwrap();
    assert!(matches!(refusal(&folder), OpenError::Damaged { .. }));

    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    let error = refusal(&folder);
    assert!(matches!(error, OpenError::Damaged { .. } | OpenError::Io { .. }), "{error:?}");

    std::fs::write(&path, &sound).unwrap();
    assert_eq!(reopened(&folder).sink.reloaded().len(), 200);
}

/// One step of the property below.
#[derive(Clone, Debug)]
enum Step {
    Append(Vec<(u64, u16, bool, bool)>),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let entry = (0..6u64, 1..50u16, any::<bool>(), prop::bool::weighted(0.85));
    let append = prop::collection::vec(entry, 1..4).prop_map(Step::Append);
    prop::collection::vec(prop_oneof![12 => append, 1 => Just(Step::Reopen)], 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn random_appends_agree_with_a_simple_model(steps in steps()) {
        let folder = InFolder::new();
        let mut bench = reopened(&folder);
        let mut model: HashMap<Key, Versioned<u16>> = HashMap::new();
        let mut sequence = 0;
        for step in steps {
            let Step::Append(entries) = step else {
                bench.ledger.close();
                bench = reopened(&folder);
                prop_assert_eq!(bench.sink.reloaded().len(), model.len());
                continue;
            };
            let mut next = model.clone();
            let mut appends = Vec::new();
            let mut is_expected = true;
            for (number, shape, removes, guesses_right) in entries {
                let key = key(number);
                if appends.iter().any(|entry: &Entry| entry.key == key) {
                    continue;
                }
                let version = model.get(&key).map_or(0, |record| record.version);
                is_expected &= guesses_right;
                let expected = if guesses_right { version } else { version + 3 };
                if removes {
                    next.remove(&key);
                    sequence += u64::from(version > 0);
                    appends.push(Entry::remove(key, expected));
                } else {
                    next.insert(key, Versioned { version: version + 1, value: shape });
                    sequence += 1;
                    appends.push(put(number, shape, expected));
                }
            }
            let before = bench.ledger.health().head.sequence;
            let outcome = bench.append(appends);
            if is_expected {
                prop_assert_eq!(outcome, appended(sequence));
                model = next;
                continue;
            }
            let AppendOutcome::Conflict { key, current } = outcome else { panic!("{outcome:?}") };
            let known = model.get(&key).map(|record| record.version);
            prop_assert_eq!(current.map(|record| record.version), known);
            sequence = before;
        }
        bench.ledger.close();
        let found = reopened(&folder).sink.reloaded();
        prop_assert_eq!(found.len(), model.len());
        for change in found {
            let expected = &model[&change.key];
            let number = change.key.to_string().rsplit('-').next().unwrap().parse().unwrap();
            prop_assert_eq!(change.version, expected.version);
            prop_assert_eq!(change.body.unwrap(), body(number, expected.value));
        }
    }
}
