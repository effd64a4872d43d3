//! Publishing systems and their stored form.
//!
//! Invariant: both directions name every field.

use super::field::{DecodeError, Of};
use crate::domain::id::SourceId;
use crate::domain::source::Source;
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;

/// The stored form of a source.
pub(super) fn to_source(source: &Source) -> pb::Source {
    let Source { id, lease_seconds, heard_at } = source;
    pb::Source { id: id.to_string(), lease_seconds: *lease_seconds, heard_at_ms: heard_at.ms() }
}

/// The source of a stored form.
pub(super) fn from_source(message: pb::Source) -> Result<Source, DecodeError> {
    let pb::Source { id, lease_seconds, heard_at_ms } = message;
    let of = Of { kind: "source", id: &id };
    Ok(Source { id: of.read("id", SourceId::parse(&id))?, lease_seconds, heard_at: UtcInstant::from_ms(heard_at_ms) })
}
