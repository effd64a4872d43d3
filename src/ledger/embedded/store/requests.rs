//! Where the outcome of a request stands in the file, by principal, request id and part.
//!
//! In the file outcomes follow each other in time, so that keeping one touches no page that another needs; this index,
//! about 30 bytes an outcome of the last 48 hours, finds them. It is built anew when the file is opened.
//!
//! Invariant: holds the number of every outcome in the file. Deliberately absent: the identifiers themselves; two that
//! share a digest are told apart by what the file says.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

use prost::Message as _;

use crate::ledger::{Fingerprint, Request};
use crate::proto::ledger as pb;

/// What an outcome is the outcome of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(super) struct Name<'a> {
    principal: &'a str,
    request_id: &'a str,
    part: u32,
}

impl<'a> Name<'a> {
    /// The part that a request carries out.
    pub(super) fn of_request(request: &'a Request) -> Self {
        let Request { principal, request_id, part, fingerprint: _, result: _ } = request;
        Self { principal: principal.as_str(), request_id: request_id.as_str(), part: u32::from(*part) }
    }

    /// What a kept outcome may be of: one name, or two when it was written before parts had numbers.
    fn all_of(kept: &'a pb::RequestOutcome) -> impl Iterator<Item = Self> {
        let name = |request_id, part| Name { principal: &kept.principal, request_id, part };
        let as_part = || {
            let (request_id, part) = kept.request_id.rsplit_once('#')?;
            Some(name(request_id, part.parse().ok().filter(|part| *part > 0)?))
        };
        let (part, second) = match kept.part {
            Some(part) => (part, None),
            None => (0, as_part()),
        };
        [Some(name(&kept.request_id, part)), second].into_iter().flatten()
    }

    /// Whether a kept outcome is of this. Under the name that it shared with a part, before parts had numbers, a caller's
    /// own request may stand; its content tells.
    pub(super) fn is_of(&self, kept: &pb::RequestOutcome, fingerprint: Fingerprint) -> bool {
        let is_doubtful = kept.part.is_none() && self.part > 0;
        Name::all_of(kept).any(|name| name == *self) && (!is_doubtful || kept.fingerprint == fingerprint.0)
    }
}

/// Finds outcomes by what they are of.
#[derive(Default)]
pub(super) struct RequestIndex {
    /// Digest of a name, and the number of the outcome.
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
    pub(super) fn insert_encoded(&mut self, number: u64, kept: &[u8]) {
        self.last = self.last.max(number);
        if let Ok(kept) = pb::RequestOutcome::decode(kept) {
            self.insert(number, &kept);
        }
    }

    /// Remembers an outcome.
    pub(super) fn insert(&mut self, number: u64, kept: &pb::RequestOutcome) {
        self.last = self.last.max(number);
        for name in Name::all_of(kept) {
            self.numbers.insert((self.digest(name), number));
        }
    }

    /// Forgets an outcome.
    pub(super) fn remove(&mut self, number: u64, kept: &pb::RequestOutcome) {
        for name in Name::all_of(kept) {
            self.numbers.remove(&(self.digest(name), number));
        }
    }

    /// Numbers of the outcomes that may be of this, the youngest first.
    pub(super) fn candidates(&self, name: Name<'_>) -> impl Iterator<Item = u64> {
        let digest = self.digest(name);
        self.numbers.range((digest, 0)..=(digest, u64::MAX)).rev().map(|(_, number)| *number)
    }

    fn digest(&self, name: Name<'_>) -> u64 {
        self.hasher.hash_one(name)
    }
}
