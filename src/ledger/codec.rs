//! The stored form of records: one byte of format, then a `sas.ledger.v1.Record`.
//!
//! Invariant: every body that can be built decodes from its stored form to an equal body, so that what was accepted
//! once never keeps a store from opening. Conversions name every field on both sides, so a new field cannot be
//! forgotten. Decoding trusts nothing and never panics.
//! Deliberately absent: rules between records, and rules on values (a capacity above 0) that the edge has applied.

mod case;
mod directory;
mod emergency;
mod field;
mod intern;
mod orientation;
mod policy;
mod slot;
mod source;

use prost::Message as _;

use crate::domain::record::Body;
use crate::proto::ledger as pb;

pub use field::DecodeError;
pub use intern::Interner;

/// The format that is written.
pub const RECORD_FORMAT: u8 = 1;

/// The stored form of a record.
#[must_use]
pub fn encode(body: &Body) -> Vec<u8> {
    let record = to_record(body);
    let mut image = Vec::with_capacity(1 + record.encoded_len());
    image.push(RECORD_FORMAT);
    image.extend_from_slice(&record.encode_to_vec());
    image
}

/// The record that has this stored form; `interner` keeps once what records share.
///
/// # Errors
/// When the format is newer, the bytes are no record, or a field is wrong: the error names it.
pub fn decode(image: &[u8], interner: &mut Interner) -> Result<Body, DecodeError> {
    from_record(decode_record(image)?, interner)
}

/// The protocol message within a stored form.
pub(super) fn decode_record(image: &[u8]) -> Result<pb::Record, DecodeError> {
    let (format, message) = image.split_first().ok_or(DecodeError::Empty)?;
    match *format {
        RECORD_FORMAT => pb::Record::decode(message).map_err(|error| DecodeError::Malformed(error.to_string())),
        0 => Err(DecodeError::Malformed("format 0 was never written".to_owned())),
        found => Err(DecodeError::NewerFormat { found, known: RECORD_FORMAT }),
    }
}

/// The protocol message of a record.
pub(super) fn to_record(body: &Body) -> pb::Record {
    let body = match body {
        Body::Territory(territory) => pb::record::Body::Territory(directory::to_territory(territory)),
        Body::Place(place) => pb::record::Body::Place(directory::to_place(place)),
        Body::Practitioner(practitioner) => pb::record::Body::Practitioner(directory::to_practitioner(practitioner)),
        Body::Schedule(schedule) => pb::record::Body::Schedule(directory::to_schedule(schedule)),
        Body::Slot(slot) => pb::record::Body::Slot(slot::to_slot(slot)),
        Body::EmergencySite(site) => pb::record::Body::EmergencySite(emergency::to_site(site)),
        Body::Source(source) => pb::record::Body::Source(source::to_source(source)),
        Body::Case(case) => pb::record::Body::Case(case::to_case(case)),
        Body::Orientation(orientation) => pb::record::Body::Orientation(orientation::to_orientation(orientation)),
        Body::Tally(tally) => pb::record::Body::Tally(orientation::to_tally(tally)),
        Body::Policy(policy) => pb::record::Body::Policy(policy::to_policy(policy)),
    };
    pb::Record { body: Some(body) }
}

/// The record that a protocol message states.
pub(super) fn from_record(record: pb::Record, interner: &mut Interner) -> Result<Body, DecodeError> {
    let pb::Record { body } = record;
    match body.ok_or(DecodeError::NoBody)? {
        pb::record::Body::Territory(message) => Ok(Body::Territory(directory::from_territory(message)?.into())),
        pb::record::Body::Place(message) => Ok(Body::Place(directory::from_place(message, interner)?.into())),
        pb::record::Body::Practitioner(message) => {
            Ok(Body::Practitioner(directory::from_practitioner(message, interner)?.into()))
        }
        pb::record::Body::Schedule(message) => Ok(Body::Schedule(directory::from_schedule(message, interner)?.into())),
        pb::record::Body::Slot(message) => Ok(Body::Slot(slot::from_slot(message, interner)?.into())),
        pb::record::Body::EmergencySite(message) => Ok(Body::EmergencySite(emergency::from_site(message)?.into())),
        pb::record::Body::Source(message) => Ok(Body::Source(source::from_source(message)?.into())),
        pb::record::Body::Case(message) => Ok(Body::Case(case::from_case(message)?.into())),
        pb::record::Body::Orientation(message) => Ok(Body::Orientation(orientation::from_orientation(message)?.into())),
        pb::record::Body::Tally(message) => Ok(Body::Tally(orientation::from_tally(message)?.into())),
        pb::record::Body::Policy(message) => Ok(Body::Policy(policy::from_policy(message)?.into())),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) mod samples;
