//! Where the outcome of a request stands in the file, by principal, request id and part.
//!
//! In the file outcomes follow each other in time, so that keeping one touches no page that another needs; this index,
//! about 11 bytes an outcome of the last 48 hours, finds them. It is built anew when the file is opened.
//!
//! Invariant: holds the number of every outcome in the file. Deliberately absent: the identifiers themselves; two that
//! share a digest are told apart by what the file says.

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

/// Lists of the index: some hundred outcomes each on a busy day.
const LISTS: usize = 2_048;

/// Four bytes of a name's digest, then six of a number, each with the highest first, so that entries are in order of both.
/// Six bytes number the outcomes of centuries.
type Entry = [u8; 10];

/// Finds outcomes by what they are of.
pub(super) struct RequestIndex {
    /// Lists in order, each of the names whose digests belong to it: full but for an eighth at any size.
    lists: Box<[Vec<Entry>]>,
    /// Made at random, so that nobody can choose identifiers that share a digest.
    hasher: RandomState,
    last: u64,
}

impl Default for RequestIndex {
    fn default() -> Self {
        Self { lists: (0..LISTS).map(|_| Vec::new()).collect(), hasher: RandomState::new(), last: 0 }
    }
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
            let (list, mark) = self.at(name);
            let Some(list) = self.lists.get_mut(list) else { continue };
            let entry = entry_of(mark, number);
            if let Err(at) = list.binary_search(&entry) {
                if list.len() == list.capacity() {
                    list.reserve_exact(list.len() / 8 + 4);
                }
                list.insert(at, entry);
            }
        }
    }

    /// Forgets an outcome.
    pub(super) fn remove(&mut self, number: u64, kept: &pb::RequestOutcome) {
        for name in Name::all_of(kept) {
            let (list, mark) = self.at(name);
            let Some(list) = self.lists.get_mut(list) else { continue };
            if let Ok(at) = list.binary_search(&entry_of(mark, number)) {
                list.remove(at);
            }
        }
    }

    /// Numbers of the outcomes that may be of this, the youngest first.
    pub(super) fn candidates(&self, name: Name<'_>) -> impl Iterator<Item = u64> {
        let (list, mark) = self.at(name);
        let list = self.lists.get(list).map(Vec::as_slice).unwrap_or_default();
        let first = list.partition_point(|entry| *entry < entry_of(mark, 0));
        let marked = list.get(first..).unwrap_or_default();
        let count = marked.partition_point(|entry| entry.starts_with(&mark));
        marked.get(..count).unwrap_or_default().iter().rev().map(number_of)
    }

    /// The list of a name, and what marks it there.
    fn at(&self, name: Name<'_>) -> (usize, [u8; 4]) {
        let [a, b, c, d, mark @ ..] = self.hasher.hash_one(name).to_be_bytes();
        (usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(0) % LISTS, mark)
    }
}

fn entry_of([a, b, c, d]: [u8; 4], number: u64) -> Entry {
    let [_, _, number @ ..] = number.to_be_bytes();
    let [e, f, g, h, i, j] = number;
    [a, b, c, d, e, f, g, h, i, j]
}

fn number_of(entry: &Entry) -> u64 {
    let [_, _, _, _, a, b, c, d, e, f] = *entry;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}
