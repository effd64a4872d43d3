//! What every conversion shares: errors that name record and field, and the readers of common fields.
//!
//! Invariant: an error repeats at most [`SHOWN_MAX_CHARACTERS`] of what was stored, escaped.

use std::fmt::Display;

use crate::domain::code::{Specialty, SpecialtySet};
use crate::domain::geo::GeoPoint;
use crate::domain::id::{PhoneNumber, StructureId, TerritoryId};
use crate::proto::ledger as pb;

/// Most characters of an identifier that an error repeats.
const SHOWN_MAX_CHARACTERS: usize = 140;

/// Why bytes are no record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// There are no bytes.
    #[error("the record is empty")]
    Empty,
    /// A newer version of the program wrote it.
    #[error("the record has format {found}, this version reads up to {known}: use the version that wrote it")]
    NewerFormat {
        /// Its format.
        found: u8,
        /// The newest format that is known here.
        known: u8,
    },
    /// The bytes are not of the message.
    #[error("the record is damaged: {0}")]
    Malformed(String),
    /// The message names no kind of record that is known here.
    #[error("the record has no body that this version knows")]
    NoBody,
    /// A field holds what it cannot.
    #[error("record `{record}`, field `{field}`: {problem}")]
    Field {
        /// Kind and identifier of the record, as stored.
        record: String,
        /// Path of the field.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
}

/// The record whose fields are read, for errors.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    /// Kind of the record.
    pub(super) kind: &'static str,
    /// Identifier as stored.
    pub(super) id: &'a str,
}

impl Of<'_> {
    /// The error that a field of this record is wrong.
    pub(super) fn wrong(self, field: &'static str, problem: impl Display) -> DecodeError {
        let id: String = self.id.chars().flat_map(char::escape_debug).take(SHOWN_MAX_CHARACTERS).collect();
        DecodeError::Field { record: format!("{}:{id}", self.kind), field, problem: problem.to_string() }
    }

    /// The value of a field, or the error that names it.
    pub(super) fn read<T, E: Display>(self, field: &'static str, value: Result<T, E>) -> Result<T, DecodeError> {
        value.map_err(|problem| self.wrong(field, problem))
    }

    /// The value of a code, or the error that names field and code.
    pub(super) fn code<T>(self, field: &'static str, code: &str, value: Option<T>) -> Result<T, DecodeError> {
        value.ok_or_else(|| self.wrong(field, format_args!("unknown code {:?}", clipped(code))))
    }

    /// A telephone; empty when unknown.
    pub(super) fn phone(self, field: &'static str, text: &str) -> Result<Option<PhoneNumber>, DecodeError> {
        if text.is_empty() { Ok(None) } else { self.read(field, PhoneNumber::parse(text)).map(Some) }
    }

    /// A structure; empty when there is none.
    pub(super) fn structure(self, field: &'static str, text: &str) -> Result<Option<StructureId>, DecodeError> {
        if text.is_empty() { Ok(None) } else { self.read(field, StructureId::parse(text)).map(|id| Some(id.value)) }
    }

    /// Territories.
    pub(super) fn territories(self, field: &'static str, texts: &[String]) -> Result<Vec<TerritoryId>, DecodeError> {
        let mut territories = Vec::with_capacity(texts.len());
        for text in texts {
            territories.push(self.read(field, TerritoryId::parse(text))?.value);
        }
        Ok(territories)
    }

    /// Specialties.
    pub(super) fn specialties(self, field: &'static str, codes: &[String]) -> Result<SpecialtySet, DecodeError> {
        codes.iter().map(|code| self.read(field, Specialty::parse(code))).collect()
    }

    /// A position.
    pub(super) fn point(self, field: &'static str, point: pb::GeoPoint) -> Result<GeoPoint, DecodeError> {
        let pb::GeoPoint { latitude, longitude } = point;
        self.read(field, GeoPoint::new(latitude, longitude))
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(SHOWN_MAX_CHARACTERS).collect()
}

/// A value that is stored as text, empty when there is none.
pub(super) fn text_of(value: Option<&impl Display>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// Territories as stored: FINESS without prefix.
pub(super) fn territory_texts(territories: &[TerritoryId]) -> Vec<String> {
    territories.iter().map(ToString::to_string).collect()
}

/// Specialties as stored.
pub(super) fn specialty_codes(specialties: SpecialtySet) -> Vec<String> {
    specialties.iter().map(|specialty| specialty.code().to_owned()).collect()
}

/// A position as stored.
pub(super) fn to_point(point: &GeoPoint) -> pb::GeoPoint {
    pb::GeoPoint { latitude: point.latitude(), longitude: point.longitude() }
}
