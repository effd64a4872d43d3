//! Where the outcome of a request stands in the file, by principal and request id.
//!
//! In the file outcomes follow each other in time, so that keeping one touches no page that another needs; this index,
//! about 30 bytes a request of the last 48 hours, finds them. It is built anew when the file is opened.
//!
//! Invariant: holds the number of every outcome in the file. Deliberately absent: the identifiers themselves; two that
//! share a digest are told apart by what the file says.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

use prost::Message as _;

use crate::proto::ledger as pb;

/// Finds outcomes by principal and request id.
#[derive(Default)]
pub(super) struct RequestIndex {
    /// Digest of principal and request id, and the number of the outcome.
    numbers: BTreeSet<(u64, u64)>,
    /// Made at random, so that nobody can choose identifiers that share a digest.
    hasher: RandomState,
    last: u64,
}

impl RequestIndex {
    /// The number that the next outcome gets.
    pub(super) const fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// Remembers an outcome by what the file says of it; one that cannot be read is found by nobody.
    pub(super) fn insert(&mut self, number: u64, kept: &[u8]) {
        self.last = self.last.max(number);
        if let Ok(kept) = pb::RequestOutcome::decode(kept) {
            self.insert_named(number, &kept.principal, &kept.request_id);
        }
    }

    /// Remembers an outcome.
    pub(super) fn insert_named(&mut self, number: u64, principal: &str, request_id: &str) {
        self.last = self.last.max(number);
        self.numbers.insert((self.digest(principal, request_id), number));
    }

    /// Forgets an outcome.
    pub(super) fn remove(&mut self, number: u64, principal: &str, request_id: &str) {
        self.numbers.remove(&(self.digest(principal, request_id), number));
    }

    /// Numbers of the outcomes that may be the request's, the youngest first.
    pub(super) fn candidates(&self, principal: &str, request_id: &str) -> impl Iterator<Item = u64> {
        let digest = self.digest(principal, request_id);
        self.numbers.range((digest, 0)..=(digest, u64::MAX)).rev().map(|(_, number)| *number)
    }

    fn digest(&self, principal: &str, request_id: &str) -> u64 {
        self.hasher.hash_one((principal, request_id))
    }
}
