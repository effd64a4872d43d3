//! Bad input is refused with its path and what to give; good input comes back as it went in.

mod directory;
mod slots;
mod queries;
mod hostile;
mod messages;
mod answers;

use super::super::findings::{Findings, Path};

/// Reads a message and tells what was found: `field: message` for each violation.
fn refusals<T>(read: impl FnOnce(&mut Findings) -> Option<T>) -> Vec<String> {
    let mut findings = Findings::default();
    let value = read(&mut findings);
    assert!(value.is_some() || !findings.violations.is_empty(), "a conversion that gives nothing says why");
    findings.violations.iter().map(|violation| format!("{}: {}", violation.field, violation.message)).collect()
}

/// Asserts that exactly one field is refused, and that the message contains the words.
fn assert_refused<T>(read: impl FnOnce(&mut Findings) -> Option<T>, field: &str, words: &str) {
    let found = refusals(read);
    assert_eq!(found.len(), 1, "{field}: {found:?}");
    assert!(found[0].starts_with(&format!("{field}: ")), "{field}: {found:?}");
    assert!(found[0].contains(words), "{field} should say `{words}`: {found:?}");
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

const ROOT: Path<'static> = Path::ROOT;
