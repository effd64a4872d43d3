//! From wire messages to values of the domain and back, one file per resource.
//!
//! Invariant: every message is destructured to its last field, so that a new field cannot be forgotten; every wrong field
//! of a message is reported, not only the first. Nothing here knows the state of the service: whether a place exists or a
//! slot is over is judged behind the service.

pub(super) mod common;
pub(super) mod territory;
pub(super) mod place;
pub(super) mod practitioner;
pub(super) mod schedule;
mod access;
pub(super) mod emergency_site;
pub(super) mod slot;
pub(super) mod refusal;
pub(super) mod row;
pub(super) mod query;
pub(super) mod answer;
mod choice;
pub(super) mod option;
pub(super) mod watch;
pub(super) mod explanation;
pub(super) mod orientation;
pub(super) mod policy;
pub(super) mod policy_preview;
pub(super) mod claim;
pub(super) mod board;
pub(super) mod ledger;
pub(super) mod quarantine;

#[cfg(test)]
mod tests;
