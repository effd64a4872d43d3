//! What a failing disk does: a file whose writes fail on command, and a real disk that is full.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, DatabaseError, StorageBackend};

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::domain::record::Change;
use crate::domain::time::UtcInstant;
use crate::ledger::codec::samples;
use crate::ledger::conformance::{Recorder, appended, key, put, request, wait};
use crate::ledger::{Entry, Request};

/// What fails.
#[derive(Debug, Default)]
struct Switches {
    /// Nothing is written.
    writes_fail: AtomicBool,
    /// Everything is written, and then the sync fails.
    syncs_fail: AtomicBool,
}

/// A file on a disk that fails on command.
#[derive(Debug)]
struct FailingFile {
    inner: redb::backends::FileBackend,
    switches: Arc<Switches>,
}

fn fails() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::StorageFull, "no space left")
}

impl FailingFile {
    fn check_write(&self) -> Result<(), std::io::Error> {
        if self.switches.writes_fail.load(Ordering::SeqCst) { Err(fails()) } else { Ok(()) }
    }
}

impl StorageBackend for FailingFile {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.check_write()?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.inner.sync_data()?;
        if self.switches.syncs_fail.load(Ordering::SeqCst) { Err(fails()) } else { Ok(()) }
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.check_write()?;
        self.inner.write(offset, data)
    }

    fn close(&self) -> Result<(), std::io::Error> {
        self.inner.close()
    }
}

/// Opens the failing file, the first time and anew.
struct FailingDisk {
    path: PathBuf,
    switches: Arc<Switches>,
}

impl OpenFile for FailingDisk {
    fn open(&self) -> Result<Database, DatabaseError> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&self.path)?;
        let inner = redb::backends::FileBackend::new(file)?;
        Database::builder().create_with_backend(FailingFile { inner, switches: Arc::clone(&self.switches) })
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

/// A ledger on a failing disk.
struct Patient {
    ledger: EmbeddedLedger,
    sink: Arc<Recorder>,
    switches: Arc<Switches>,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

/// Tries to heal with every append.
const EAGER: EmbeddedOptions = EmbeddedOptions { cache_bytes: 1_024 * 1_024, heal_interval: Duration::ZERO };

fn clock() -> SharedClock {
    Arc::new(ManualClock::new(UtcInstant::from_ms(samples::NOW_MS)))
}

impl Patient {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let switches = Arc::new(Switches::default());
        let disk = FailingDisk { path: folder.path().join(FILE_NAME), switches: Arc::clone(&switches) };
        let sink = Arc::new(Recorder::default());
        let told = Arc::clone(&sink) as Arc<dyn ChangeSink>;
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(samples::NOW_MS)));
        let shared = Arc::clone(&clock) as SharedClock;
        let ledger = EmbeddedLedger::open_file(Box::new(disk), EAGER, shared, told).unwrap();
        Self { ledger, sink, switches, clock, folder }
    }

    fn append(&self, entries: Vec<Entry>, request: Option<Request>) -> AppendOutcome {
        wait(self.ledger.append(Append { entries, request }))
    }

    /// Asks until the ledger accepts appends again; each append that is refused asks the writer to heal.
    fn healed(&self) {
        while self.ledger.health().refusal.is_some() {
            assert!(matches!(
                self.append(vec![], None),
                AppendOutcome::Unavailable(_) | AppendOutcome::Appended { .. }
            ));
            std::thread::yield_now();
        }
    }

    /// What a ledger that opens the file finds.
    fn found(self) -> Vec<Change> {
        self.ledger.close();
        let sink = Arc::new(Recorder::default());
        let told = Arc::clone(&sink) as Arc<dyn ChangeSink>;
        EmbeddedLedger::open(self.folder.path(), EAGER, clock(), told).unwrap();
        sink.reloaded()
    }
}

#[test]
fn a_write_that_fails_is_not_acknowledged_and_the_ledger_heals() {
    let patient = Patient::new();
    assert_eq!(patient.append(vec![put(1, 1, 0)], None), appended(1));
    patient.switches.writes_fail.store(true, Ordering::SeqCst);
    let failed = patient.append(vec![put(2, 1, 0)], None);
    let named = matches!(&failed, AppendOutcome::Unavailable(Unavailable::Refused(_) | Unavailable::OutcomeUnknown(_)));
    assert!(named, "{failed:?}");
    assert!(patient.ledger.health().refusal.is_some_and(|reason| reason.contains("no space left")));

    let stopwatch = Stopwatch::start();
    let refused = patient.append(vec![put(2, 1, 0)], None);
    assert!(is_refused(&refused), "{refused:?}");
    assert!(stopwatch.elapsed() < Duration::from_secs(1), "refusing does not wait for the disk");
    assert_eq!(patient.sink.changes().len(), 1, "the sink is told nothing that is not on disk");

    patient.switches.writes_fail.store(false, Ordering::SeqCst);
    patient.healed();
    assert_eq!(patient.append(vec![put(2, 1, 0)], None), appended(2));
    assert_eq!(patient.found().len(), 2);
}

#[test]
fn a_trim_that_fails_is_told_and_the_next_one_heals() {
    let patient = Patient::new();
    patient.append(vec![put(1, 1, 0)], None);
    patient.clock.advance_seconds(24 * 3_600);
    patient.switches.writes_fail.store(true, Ordering::SeqCst);
    assert!(wait(patient.ledger.trim(patient.clock.now())).is_err());
    assert!(patient.ledger.health().refusal.is_some_and(|reason| reason.contains("no space left")));
    patient.switches.writes_fail.store(false, Ordering::SeqCst);
    let deadline = Stopwatch::start();
    while wait(patient.ledger.trim(patient.clock.now())) != Ok(0) {
        assert!(deadline.elapsed() < Duration::from_secs(60), "it never healed");
        std::thread::yield_now();
    }
    assert_eq!(patient.append(vec![put(2, 1, 0)], None), appended(2));
    assert_eq!(patient.found().len(), 2);
}

#[test]
fn an_unknown_outcome_that_was_written_is_found_again() {
    let patient = Patient::new();
    let first = || Some(request("lrm", "r1", 1, "first"));
    patient.switches.syncs_fail.store(true, Ordering::SeqCst);
    let unknown = patient.append(vec![put(1, 1, 0), put(2, 1, 0)], first());
    assert!(matches!(unknown, AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_))), "{unknown:?}");
    assert_eq!(patient.sink.changes(), []);

    patient.switches.syncs_fail.store(false, Ordering::SeqCst);
    patient.healed();
    let retried = patient.append(vec![put(1, 1, 0), put(2, 1, 0)], first());
    let told: Vec<_> = patient.sink.changes().iter().map(|change| change.position.sequence).collect();
    assert_eq!(told, [1, 2], "whether by the log or by the retry, the sink is told once and in order");
    let is_known = matches!(retried, AppendOutcome::Replayed { .. } | AppendOutcome::Appended { .. });
    assert!(is_known, "{retried:?}");
    assert_eq!(patient.append(vec![Entry::check(key(1), 1), put(3, 1, 0)], None), appended(3));
    assert_eq!(patient.found().len(), 3);
}

#[test]
fn appends_are_refused_while_the_file_cannot_be_opened_anew() {
    let patient = Patient::new();
    patient.append(vec![put(1, 1, 0)], None);
    patient.switches.writes_fail.store(true, Ordering::SeqCst);
    patient.append(vec![put(2, 1, 0)], None);
    for _ in 0..50 {
        let refused = patient.append(vec![put(2, 1, 0)], None);
        assert!(is_refused(&refused), "{refused:?}");
    }
    patient.switches.writes_fail.store(false, Ordering::SeqCst);
    patient.healed();
    assert_eq!(patient.append(vec![put(2, 1, 0)], None), appended(2));
}

fn is_refused(outcome: &AppendOutcome) -> bool {
    matches!(outcome, AppendOutcome::Unavailable(Unavailable::Refused(_)))
}

/// A disk of its own, small; unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).output();
    }
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says why")]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: mounting a small disk needs root");
        return;
    };
    let data_dir = disk.0.path().join("data");
    let ballast = disk.0.path().join("ballast");
    let sink = Arc::new(Recorder::default());
    let ledger = EmbeddedLedger::open(&data_dir, EAGER, clock(), Arc::clone(&sink) as Arc<dyn ChangeSink>).unwrap();
    let append = |number| wait(ledger.append(Append { entries: vec![put(number, 1, 0)], request: None }));
    let mut acknowledged = Vec::new();
    let mut unknown = Vec::new();
    assert_eq!(append(0), appended(1));
    acknowledged.push(key(0));
    std::fs::write(&ballast, vec![7; 7 * 1_024 * 1_024]).unwrap();
    let mut number = 1;
    while ledger.health().refusal.is_none() {
        let numbers = number..number + 64;
        number += 64;
        let pending = |number| ledger.append(Append { entries: vec![put(number, 1, 0)], request: None });
        let outcomes: Vec<_> = numbers.map(|number| (number, pending(number))).collect();
        for (number, outcome) in outcomes {
            let outcome = wait(outcome);
            if matches!(outcome, AppendOutcome::Appended { .. }) {
                acknowledged.push(key(number));
            } else if matches!(outcome, AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(_))) {
                unknown.push(key(number));
            } else {
                assert!(is_refused(&outcome), "{outcome:?}");
            }
        }
        assert!(number < 1_000_000, "the disk never filled");
    }
    assert!(matches!(append(number), AppendOutcome::Unavailable(_)));

    std::fs::remove_file(&ballast).unwrap();
    while ledger.health().refusal.is_some() {
        append(number + 1);
        std::thread::yield_now();
    }
    assert!(matches!(append(number + 2), AppendOutcome::Appended { .. }));
    acknowledged.push(key(number + 2));
    let told: std::collections::HashSet<_> = sink.changes().into_iter().map(|change| change.key).collect();
    ledger.close();

    let found = Arc::new(Recorder::default());
    EmbeddedLedger::open(&data_dir, EAGER, clock(), Arc::clone(&found) as Arc<dyn ChangeSink>).unwrap();
    let found: std::collections::HashSet<_> = found.reloaded().into_iter().map(|change| change.key).collect();
    assert!(acknowledged.iter().all(|key| found.contains(key)), "an acknowledged append is missing");
    assert_eq!(found, told, "the index holds exactly what the disk holds");
    let others = found.iter().filter(|found| !acknowledged.contains(found) && !unknown.contains(found)).count();
    assert!(others <= 1, "only the append that found the ledger healed may be beyond");
}
