//! What a comparison of two copies of the records came to.
//!
//! Invariant: copies that were never seen to be the same are not told to be.

use serde_json::json;

use super::exit::Exit;
use crate::ledger::verify::{Difference, ImageDigest, Reading};

/// What a comparison is told with.
pub struct Comparison {
    /// Names of both sides, without credentials.
    pub names: [String; 2],
    /// The last readings.
    pub readings: [Reading; 2],
    /// How many records were another thing at every reading, since they are written so often.
    pub moving: usize,
    /// How many records differ.
    pub count: usize,
    /// The first of them.
    pub listed: Vec<Difference>,
}

/// What is known of two copies after the last readings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// They were seen to be the same.
    Equal,
    /// They differ.
    Differ,
    /// Something was another thing at every reading, so they were never seen to be the same, nor to differ.
    Undecided,
}

impl Outcome {
    /// How the command ends.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Equal => Exit::Success,
            Self::Differ => Exit::Refused,
            Self::Undecided => Exit::Unreachable,
        }
    }
}

impl Comparison {
    /// What is known.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match (self.count, self.moving) {
            (0, 0) => Outcome::Equal,
            (0, _) => Outcome::Undecided,
            (_, _) => Outcome::Differ,
        }
    }

    /// The same for programs.
    #[must_use]
    pub fn to_json(&self) -> String {
        let side = |name: &String, reading: &Reading| {
            json!({
                "name": name,
                "epoch": reading.to.epoch,
                "position": reading.to.sequence,
                "records": reading.records.len(),
            })
        };
        let version = |image: Option<ImageDigest>| image.map(|image| image.version);
        let differences = self.listed.iter().map(
            |one| json!({ "key": one.key, "first_version": version(one.first), "second_version": version(one.second) }),
        );
        let ([one, other], [first, second]) = (&self.names, &self.readings);
        json!({
            "equal": self.outcome() == Outcome::Equal,
            "decided": self.outcome() != Outcome::Undecided,
            "first": side(one, first),
            "second": side(other, second),
            "moving_count": self.moving,
            "difference_count": self.count,
            "differences": differences.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::{Layout, verify as render};

    fn comparison(count: usize, moving: usize) -> Comparison {
        let names = ["a", "b"].map(str::to_owned);
        Comparison { names, readings: Default::default(), moving, count, listed: Vec::new() }
    }

    #[test]
    fn copies_that_were_never_seen_equal_are_not_told_to_be() {
        let cases = [
            (0, 0, Exit::Success, true, true, "ÉGAUX"),
            (2, 0, Exit::Refused, false, true, "DIFFÉRENTS : 2"),
            (0, 3, Exit::Unreachable, false, false, "NON DÉCIDÉ : 3"),
        ];
        for (count, moving, exit, equal, decided, words) in cases {
            let comparison = comparison(count, moving);
            assert_eq!(comparison.outcome().exit(), exit);
            let told: serde_json::Value = serde_json::from_str(&comparison.to_json()).unwrap();
            assert_eq!((&told["equal"], &told["decided"]), (&equal.into(), &decided.into()), "{told}");
            let table = render::comparison(&comparison, &Layout::new(80));
            assert!(table.contains(words) && table.contains("ÉGAUX") == equal, "{table}");
        }
    }
}
