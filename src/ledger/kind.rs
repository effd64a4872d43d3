//! Kinds of records in the order in which a ledger hands them over, and what a stored key says.
//!
//! Invariant: a kind stands after all kinds that its records may name: the directory before the slots, the cases last.

use crate::domain::record::{Body, Key};

/// Kinds of records, as their keys begin.
pub(super) const KINDS: [&str; 11] = [
    "policy",
    "territory",
    "place",
    "practitioner",
    "source",
    "schedule",
    "emergency",
    "slot",
    "case",
    "orientation",
    "tally",
];

/// The key of a body, when it is the one under which the body stands.
pub(super) fn key_of(body: &Body, text: &str) -> Result<Key, String> {
    let key = body.key();
    let is_same = match &key {
        // By far the most; compared without making a text.
        Key::Slot(id) => text.strip_prefix("slot:") == Some(id.as_str()),
        Key::Territory(_)
        | Key::Place(_)
        | Key::Practitioner(_)
        | Key::Schedule(_)
        | Key::EmergencySite(_)
        | Key::Source(_)
        | Key::Case(_)
        | Key::Orientation(_)
        | Key::Tally(_)
        | Key::Policy => key.to_string() == text,
    };
    if is_same { Ok(key) } else { Err(format!("`{key}` stands under the key `{}`", text.escape_debug())) }
}
