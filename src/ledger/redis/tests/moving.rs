//! A whole ledger moves from a folder to Redis and back, and comes out as it went in.

use super::*;
use crate::clock::ManualClock;
use crate::ledger::codec::samples;
use crate::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use crate::ledger::transfer::{self, TransferError};

const NOW: UtcInstant = UtcInstant::from_ms(samples::NOW_MS);

/// A folder with one record of every kind, two of which changed once more, and what is exported of it.
fn folder() -> String {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(ManualClock::new(NOW));
    let sink = Arc::new(Recorder::default());
    let ledger = EmbeddedLedger::open(folder.path(), EmbeddedOptions::default(), clock, sink).unwrap();
    let mut entries: Vec<_> = samples::one_of_every_kind().into_iter().map(|body| Entry::put(body, 0)).collect();
    entries.extend([put(11, 1, 0), put(12, 1, 0)]);
    wait(ledger.append(Append { entries, request: None }));
    wait(ledger.append(Append { entries: vec![put(11, 2, 1), Entry::remove(put(12, 1, 0).key, 1)], request: None }));
    drop(ledger);
    exported(folder.path())
}

fn exported(folder: &std::path::Path) -> String {
    let mut out = Vec::new();
    transfer::export(folder, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn import(server: &Server, lines: &str) -> Result<transfer::ImportReport, TransferError> {
    run(transfer::redis::import(&address_of(server), lines.as_bytes()))
}

fn export(server: &Server) -> String {
    let mut out = Vec::new();
    transfer::redis::export(run(transfer::redis::read(&address_of(server))).unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// All but the header.
fn records(export: &str) -> Vec<&str> {
    export.lines().skip(1).collect()
}

fn header(export: &str) -> serde_json::Value {
    serde_json::from_str(export.lines().next().unwrap()).unwrap()
}

#[test]
fn a_ledger_goes_from_a_folder_to_redis_and_back_as_it_was() {
    let server = Server::start();
    let before = folder();
    let count = records(&before).len() as u64;
    assert_eq!(import(&server, &before).unwrap(), transfer::ImportReport { imported: count, unchanged: 0 });
    let between = export(&server);
    assert_eq!(records(&between), records(&before), "keys, versions and contents");
    let (one, other) = (header(&before), header(&between));
    assert_eq!(
        (&one["sequence"], &one["clockAtMs"], &one["records"]),
        (&other["sequence"], &other["clockAtMs"], &other["records"])
    );
    let again = import(&server, &before).unwrap();
    assert_eq!(again, transfer::ImportReport { imported: 0, unchanged: count }, "a second time changes nothing");

    let folder = tempfile::tempdir().unwrap();
    transfer::import(folder.path(), between.as_bytes(), NOW).unwrap();
    assert_eq!(records(&exported(folder.path())), records(&before));
    assert_eq!(header(&exported(folder.path()))["sequence"], one["sequence"]);

    // Instances take it over and go on from there.
    let (first, second) = (Instance::open(&server), Instance::open(&server));
    let sequence: u64 = one["sequence"].as_str().unwrap().parse().unwrap();
    assert_eq!((first.head().1, first.sink.held().len() as u64), (sequence, count));
    assert!(is_written(&first.append(vec![put(11, 3, 2)])));
    second.wait_for("the change", |second| second.head().1 == sequence + 1);
    assert_eq!(first.sink.held(), second.sink.held());
    let refused = import(&server, &before).unwrap_err();
    assert!(matches!(&refused, TransferError::NotEmpty { key, .. } if *key == put(11, 1, 0).key), "{refused}");
}

#[test]
fn a_ledger_is_exported_while_it_is_written_to_as_it_was_after_one_change() {
    let server = Server::start();
    let instance = Instance::open(&server);
    // Two records that always change together, among so many that reading takes several pages.
    for page in 0..4 {
        assert!(is_written(&instance.append((0..900).map(|of| put(page * 900 + of + 10, 1, 0)).collect())));
    }
    assert!(is_written(&instance.append(vec![put(1, 1, 0), put(2, 1, 0)])));
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut version = 1;
            while !is_done.load(std::sync::atomic::Ordering::SeqCst) {
                let shape = u16::try_from(version % 7).unwrap();
                assert!(is_written(&instance.append(vec![put(1, shape, version), put(2, shape, version)])));
                version += 1;
            }
        });
        for _ in 0..10 {
            let whole = run(whole::read(&address_of(&server))).unwrap();
            let version = |number| whole.records[&put(number, 1, 0).key.to_string()].version;
            assert_eq!(version(1), version(2), "at {:?}", whole.position);
            assert_eq!(whole.position.sequence, 3_600 + 2 * version(1), "the very change that the position names");
        }
        is_done.store(true, std::sync::atomic::Ordering::SeqCst);
    });
}

#[test]
fn what_cannot_be_moved_is_refused_and_nothing_is_written() {
    let server = Server::start();
    let nothing = run(transfer::redis::read(&address_of(&server))).unwrap_err();
    assert!(nothing.to_string().contains("holds no ledger"), "{nothing}");
    let whole = folder();
    let cut: String = whole.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert!(matches!(import(&server, &cut), Err(TransferError::Incomplete { found: 2, .. })));
    let twice = format!("{whole}{}\n", records(&whole)[0]);
    assert!(matches!(import(&server, &twice), Err(TransferError::Line { .. })));
    assert_eq!(server.say("DBSIZE"), ":0");
}
