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

/// How often the server ran a script.
fn scripts_run(server: &Server) -> u64 {
    let told = server.ask("INFO commandstats").join("\n");
    let count = told.split_once("cmdstat_evalsha:calls=").and_then(|(_, rest)| rest.split(',').next()?.parse().ok());
    count.unwrap_or_default()
}

#[test]
fn an_import_waits_until_the_replicas_have_followed() {
    let primary = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    wait_until("the replica follows", || primary.say("WAIT 1 100") == ":1");
    let lines = folder();
    replica.signal("-STOP");
    std::thread::scope(|scope| {
        let import = scope.spawn(|| import(&primary, &lines));
        wait_until("it is asked once more", || import.is_finished() || scripts_run(&primary) > 1);
        replica.signal("-CONT");
        assert_eq!(import.join().unwrap().unwrap().imported, records(&lines).len() as u64);
    });
}

#[test]
fn an_import_that_was_cut_before_its_epoch_began_is_named_and_the_same_import_finishes_it() {
    let server = Server::start();
    let lines = folder();
    let count = records(&lines).len() as u64;
    import(&server, &lines).unwrap();
    let other = run(whole::read(&address_of(&server))).unwrap();
    // As it is after the last record, and before the epoch.
    let epoch: u64 = header(&lines)["epoch"].as_str().map_or(1, |epoch| epoch.parse().unwrap());
    assert_eq!(server.say("HDEL sas:{0}:m run clock format partitions deployment ends"), ":6");
    assert_eq!(server.say(&format!("HSET sas:{{0}}:m epoch {}", epoch.max(1))), ":0");
    assert_eq!(server.say("DEL sas:{0}:log"), ":1");
    let cut = run(whole::read(&address_of(&server))).unwrap_err();
    assert_eq!(*cut.trouble, Trouble::Unfinished, "{cut}");
    let refused = run(whole::write(&address_of(&server), other)).unwrap_err();
    assert_eq!(*refused.trouble, Trouble::Unfinished, "another state does not finish it");
    assert_eq!(import(&server, &lines).unwrap(), transfer::ImportReport { imported: count, unchanged: 0 });
    assert_eq!(records(&export(&server)), records(&lines));
    assert_eq!(header(&export(&server))["clockAtMs"], header(&lines)["clockAtMs"]);
}

#[test]
fn a_replica_is_not_taken_for_the_ledger() {
    let primary = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    import(&primary, &folder()).unwrap();
    wait_until("the replica follows", || primary.say("WAIT 1 100") == ":1");
    let error = run(whole::read(&address_of(&replica))).unwrap_err();
    assert_eq!(*error.trouble, Trouble::Replica { primary: format!("127.0.0.1:{}", primary.port()) });
}
