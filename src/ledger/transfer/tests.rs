//! An export comes back as it was, and a wrong one is refused by line.

use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::clock::{ManualClock, SharedClock};
use crate::ledger::codec::samples;
use crate::ledger::conformance::{Recorder, put, request, wait};
use crate::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use crate::ledger::{Append, AppendOutcome, ChangeSink, Entry, Ledger as _};

const NOW: UtcInstant = UtcInstant::from_ms(samples::NOW_MS);

fn open(folder: &TempDir) -> (EmbeddedLedger, Arc<Recorder>) {
    let clock: SharedClock = Arc::new(ManualClock::new(NOW));
    let sink = Arc::new(Recorder::default());
    let told = Arc::clone(&sink) as Arc<dyn ChangeSink>;
    (EmbeddedLedger::open(folder.path(), EmbeddedOptions::default(), clock, told).unwrap(), sink)
}

fn append(ledger: &EmbeddedLedger, entries: Vec<Entry>) {
    let request = Some(request("test", &format!("{:?}", ledger.health().head), 1, "said"));
    assert!(matches!(wait(ledger.append(Append { entries, request })), AppendOutcome::Appended { .. }));
}

/// A folder that holds one record of every kind, some changed and one removed.
fn filled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&folder);
    for body in samples::one_of_every_kind() {
        append(&ledger, vec![Entry::put(body, 0)]);
    }
    append(&ledger, vec![put(11, 1, 0), put(12, 1, 0)]);
    append(&ledger, vec![put(11, 2, 1), Entry::remove(put(12, 1, 0).key, 1)]);
    folder
}

/// How many records it holds: one of every kind and a slot; four changes were about that slot and another.
fn kept() -> u64 {
    u64::try_from(samples::one_of_every_kind().len()).unwrap() + 1
}

/// Sequence number of its last change.
fn last() -> u64 {
    kept() + 3
}

/// The number of the first line that holds a text.
fn line_of(text: &str, part: &str) -> u64 {
    u64::try_from(text.lines().position(|line| line.contains(part)).unwrap()).unwrap() + 1
}

fn exported(folder: &TempDir) -> String {
    let mut out = Vec::new();
    export(folder.path(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What importing a text into an empty folder says.
fn refusal(text: &str) -> TransferError {
    let folder = tempfile::tempdir().unwrap();
    let error = import(folder.path(), text.as_bytes(), NOW).unwrap_err();
    let (_, sink) = open(&folder);
    assert_eq!(sink.reloaded(), [], "a refused import writes nothing");
    error
}

#[test]
fn an_export_comes_back_the_same() {
    let text = exported(&filled());
    let second = tempfile::tempdir().unwrap();
    let report = import(second.path(), text.as_bytes(), NOW).unwrap();
    assert_eq!(report, ImportReport { imported: kept(), unchanged: 0 });
    assert_eq!(exported(&second), text);

    let (ledger, sink) = open(&second);
    assert_eq!(u64::try_from(sink.reloaded().len()).unwrap(), kept());
    assert_eq!(ledger.health().head.sequence, last());
    append(&ledger, vec![put(11, 3, 2)]);
}

#[test]
fn a_clock_that_ran_ahead_is_set_right_in_an_export() {
    let text = exported(&filled());
    let right = NOW.plus_ms(-3 * 24 * 3_600 * 1_000);
    let corrected = text.replacen(&NOW.ms().to_string(), &right.ms().to_string(), 1);
    let second = tempfile::tempdir().unwrap();
    import(second.path(), corrected.as_bytes(), right).unwrap();
    let clock: SharedClock = Arc::new(ManualClock::new(right));
    let sink = Arc::new(Recorder::default());
    let ledger = EmbeddedLedger::open(second.path(), EmbeddedOptions::default(), clock, sink).unwrap();
    assert_eq!((ledger.health().clock_at, ledger.health().head.sequence), (Some(right), last()));
}

#[test]
fn lines_are_canonical_protobuf_json() {
    let text = exported(&filled());
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[0],
        format!(
            r#"{{"format":1,"epoch":"1","sequence":"{}","clockAtMs":"{}","records":"{}"}}"#,
            last(),
            samples::NOW_MS,
            kept()
        )
    );
    let emergency = r#"{"key":"emergency:sau-69-1","version":"1","record":{"emergencySite":{"id":"sau-69-1","#;
    assert!(lines.iter().any(|line| line.starts_with(emergency)), "{text}");
    assert_eq!(u64::try_from(lines.len()).unwrap(), 1 + kept());
    assert!(lines[1..].is_sorted(), "by key");
}

#[test]
fn an_import_into_the_same_state_changes_nothing() {
    let folder = filled();
    let text = exported(&folder);
    let report = import(folder.path(), text.as_bytes(), NOW).unwrap();
    assert_eq!(report, ImportReport { imported: 0, unchanged: kept() });
    assert_eq!(exported(&folder), text);
}

#[test]
fn an_import_into_other_state_is_refused() {
    let folder = filled();
    let text = exported(&folder);
    let (ledger, _) = open(&folder);
    append(&ledger, vec![put(11, 9, 2)]);
    drop(ledger);
    let error = import(folder.path(), text.as_bytes(), NOW).unwrap_err();
    assert!(
        matches!(&error, TransferError::NotEmpty { line: _, key } if key.to_string() == "slot:creneau-11"),
        "{error}"
    );

    let folder = filled();
    let (ledger, _) = open(&folder);
    append(&ledger, vec![put(13, 1, 0)]);
    drop(ledger);
    let error = import(folder.path(), text.as_bytes(), NOW).unwrap_err();
    let counts = |announced, found| (announced, found) == (kept(), kept() + 1);
    assert!(matches!(error, TransferError::Incomplete { announced, found } if counts(announced, found)), "{error}");
}

#[test]
fn a_wrong_line_is_named_by_number_and_reason() {
    let text = exported(&filled());
    let (place, slot) = (line_of(&text, r#""key":"place:"#), line_of(&text, r#""key":"slot:creneau-1""#));
    let (open, end) = (line_of(&text, r#""state":"OPEN""#), 1 + kept());
    let table = [
        (text.replace(r#""capacity":2"#, r#""capacity":"many""#), open, "column"),
        (text.replace(r#""capacity":2"#, r#""capacities":2"#), open, "capacities"),
        (text.replace(r#""state":"OPEN""#, r#""state":"OPENED""#), open, "unknown code"),
        (text.replace(r#""key":"place:"#, r#""key":"plaza:"#), place, "no kind of record"),
        (text.replace(r#""key":"place:maison-1"#, r#""key":"place:maison-2"#), place, "but the record is"),
        (text.replace("{\"key\":\"slot", "{\"key\":\"slot\\u0000"), slot, "key"),
        (text.replacen("\"version\":\"1\",", "", 1), 2, "version"),
        (format!("{text}{}\n", text.lines().last().unwrap()), end + 1, "earlier line"),
        (format!("{text}\n\n{{\n"), end + 3, "EOF"),
        (text.replacen("\"format\":1,", "", 1), 1, "header"),
        (text.replacen("\"clockAtMs\":\"1", "\"clockAtMs\":\"100000", 1), 1, "clockAtMs"),
        (String::new(), 1, "empty"),
        ("id;name\n1;2\n".to_owned(), 1, "column"),
    ];
    for (text, number, reason) in table {
        let error = refusal(&text);
        let error = error.to_string();
        assert!(
            error.starts_with(&format!("line {number}: ")) && error.contains(reason),
            "line {number}, {reason}: {error}"
        );
    }
}

#[test]
fn a_cut_export_is_refused() {
    let text = exported(&filled());
    let cut: String = text.lines().take(5).map(|line| format!("{line}\n")).collect();
    assert!(matches!(refusal(&cut), TransferError::Incomplete { announced, found: 4 } if announced == kept()));
    let broken = &text[..text.len() - 20];
    assert!(matches!(refusal(broken), TransferError::Line { line, problem: _ } if line == 1 + kept()));
    assert!(matches!(
        refusal(&text.replace("\"format\":1", "\"format\":2")),
        TransferError::NewerFormat { found: 2, known: 1 }
    ));
    let mut bytes = text.into_bytes();
    bytes.extend([0xff, 0xfe, b'\n']);
    let folder = tempfile::tempdir().unwrap();
    let error = import(folder.path(), bytes.as_slice(), NOW).unwrap_err();
    assert!(matches!(error, TransferError::Line { line, problem: _ } if line == 2 + kept()));
}

#[test]
fn an_endless_line_is_refused() {
    let line = format!("{}\n", " ".repeat(usize::try_from(LINE_MAX_BYTES).unwrap() + 1));
    assert!(matches!(refusal(&line), TransferError::Line { line: 1, problem } if problem.contains("longer")));
}

#[test]
fn an_export_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = export(folder.path(), Vec::new()).unwrap_err();
    assert!(matches!(error, TransferError::Store(OpenError::Missing { .. })), "{error}");
    let folder = filled();
    let _open = open(&folder);
    assert!(matches!(export(folder.path(), Vec::new()), Err(TransferError::Store(OpenError::InUse { .. }))));
}
