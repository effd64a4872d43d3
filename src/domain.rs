//! The vocabulary of the product: pure types and rules.
//!
//! Names nothing else of the crate. No I/O, no clock, no wire format: instants are arguments, text is parsed into types
//! that cannot be wrong.

pub mod code;
pub mod department;
pub mod id;
pub mod time;
pub mod holiday;
pub mod geo;
pub mod road;
pub mod violation;
pub mod patient;
pub mod directory;
pub mod regulator;
pub mod slot;
pub mod source;
pub mod share;
pub mod case;
pub mod offer;
pub mod emergency;
pub mod query;
pub mod tally;
pub mod tension;
pub mod orientation;
pub mod policy;
pub mod record;
pub mod answer;
pub mod explanation;
