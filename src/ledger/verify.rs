//! Whether two copies of the records are the same: by key, version and digest of the image.
//!
//! A copy is read while others may write, so a difference counts only when both copies were of one state, or when it stood the
//! same in two readings. Deliberately absent: any judgement which of the two is right.

use std::collections::BTreeMap;

use super::codec;
use crate::domain::record::{Body, Position, Versioned};

/// A record, without what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordDigest {
    /// Its kind and identifier.
    pub key: String,
    /// Its version and the SHA-1 of its image.
    pub image: ImageDigest,
}

/// A version and what stands under it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageDigest {
    /// The version.
    pub version: u64,
    /// SHA-1 of the image as this version of the program writes it.
    pub sha1: [u8; 20],
}

impl RecordDigest {
    /// Of a record.
    #[must_use]
    pub fn of(record: &Versioned<Body>) -> Self {
        let sha1 = sha1_smol::Sha1::from(codec::encode(&record.value)).digest().bytes();
        Self { key: record.value.key().to_string(), image: ImageDigest { version: record.version, sha1 } }
    }
}

/// All records of a copy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// Where the copy stood before it was read.
    pub from: Position,
    /// Where it stood after.
    pub to: Position,
    /// The records by key.
    pub records: BTreeMap<String, ImageDigest>,
}

/// A record that is not the same in both copies; `None` where it is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The record.
    pub key: String,
    /// What the first copy has.
    pub first: Option<ImageDigest>,
    /// What the second has.
    pub second: Option<ImageDigest>,
}

/// What a comparison came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// All records are the same.
    Equal,
    /// These differ.
    Differ(Vec<Difference>),
    /// Some differ, and something was written meanwhile: read both again.
    Again(Vec<Difference>),
}

/// Compares two copies; `before` is what differed when they were read the time before.
#[must_use]
pub fn compare(first: &Reading, second: &Reading, before: &[Difference]) -> Verdict {
    let found = differences(first, second);
    if found.is_empty() {
        return Verdict::Equal;
    }
    let positions = [first.from, first.to, second.from, second.to];
    if positions.iter().all(|position| *position == first.from) {
        return Verdict::Differ(found);
    }
    let stands: Vec<Difference> = found.iter().filter(|one| before.contains(one)).cloned().collect();
    if stands.is_empty() { Verdict::Again(found) } else { Verdict::Differ(stands) }
}

/// What differs, in order of the keys.
fn differences(first: &Reading, second: &Reading) -> Vec<Difference> {
    let in_first = first.records.iter().filter_map(|(key, image)| {
        let other = second.records.get(key).copied();
        (other != Some(*image)).then(|| Difference { key: key.clone(), first: Some(*image), second: other })
    });
    let in_second_only = second.records.iter().filter(|(key, _)| !first.records.contains_key(*key));
    let in_second_only = in_second_only.map(|(key, image)| {
        let second = Some(*image);
        Difference { key: key.clone(), first: None, second }
    });
    let mut found: Vec<_> = in_first.chain(in_second_only).collect();
    found.sort_by(|one, other| one.key.cmp(&other.key));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(sequence: u64, records: &[(&str, u64, u8)]) -> Reading {
        let at = Position { partition: 0, epoch: 1, sequence };
        let image = |version, byte| ImageDigest { version, sha1: [byte; 20] };
        let records = records.iter().map(|(key, version, byte)| ((*key).to_owned(), image(*version, *byte)));
        Reading { from: at, to: at, records: records.collect() }
    }

    fn keys(verdict: &Verdict) -> Vec<&str> {
        match verdict {
            Verdict::Equal => Vec::new(),
            Verdict::Differ(found) | Verdict::Again(found) => found.iter().map(|one| one.key.as_str()).collect(),
        }
    }

    #[test]
    fn copies_of_one_state_differ_by_what_is_missing_on_either_side_by_version_and_by_image() {
        let first = reading(5, &[("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("e", 1, 1)]);
        assert_eq!(compare(&first, &first, &[]), Verdict::Equal);
        let second = reading(5, &[("b", 2, 1), ("c", 1, 2), ("d", 1, 1), ("e", 1, 1)]);
        let verdict = compare(&first, &second, &[]);
        assert!(matches!(verdict, Verdict::Differ(_)));
        assert_eq!(keys(&verdict), ["a", "b", "c", "d"]);
    }

    #[test]
    fn of_copies_that_went_on_only_what_differs_twice_counts() {
        let (first, second) = (reading(5, &[("a", 1, 1), ("b", 1, 1)]), reading(6, &[("a", 2, 2), ("b", 1, 9)]));
        let Verdict::Again(before) = compare(&first, &second, &[]) else { panic!("something was written meanwhile") };
        let (first, second) = (reading(7, &[("a", 2, 2), ("b", 1, 1)]), reading(8, &[("a", 3, 3), ("b", 1, 9)]));
        let verdict = compare(&first, &second, &before);
        assert!(matches!(verdict, Verdict::Differ(_)));
        assert_eq!(keys(&verdict), ["b"]);
    }
}
