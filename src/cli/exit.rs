//! How a command ends, as a number that scripts can rely on.
//!
//! Invariant: a number never changes its meaning; `--help` and the README show [`Exit::TABLE`].

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Done.
    Success,
    /// Something broke.
    Failure,
    /// The command line, a file or a value is not valid.
    Usage,
    /// The service understood and said no, or found no option in time; or a scenario does not hold.
    Refused,
    /// No answer, or none yet: repeat, with the same request id.
    Unreachable,
    /// The good rows of an import were taken, others were refused.
    PartlyRefused,
}

impl Exit {
    /// Every ending with its number and its meaning.
    pub const TABLE: [(Self, u8, &'static str); 6] = [
        (Self::Success, 0, "done; for find, an outcome other than NO_SLOT_IN_TIME"),
        (Self::Failure, 1, "something broke: the message says what"),
        (Self::Usage, 2, "the command line, a file or a value is not valid"),
        (
            Self::Refused,
            3,
            "refused (taken, expired, unknown, stale ...), nothing found in time, a scenario that does not hold, or copies that differ",
        ),
        (
            Self::Unreachable,
            4,
            "no answer from the service, or it cannot write now: repeat with the same --request-id; for verify, not decided",
        ),
        (Self::PartlyRefused, 5, "import: the good rows were taken, others were refused"),
    ];

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        Self::TABLE.into_iter().find(|(exit, _, _)| *exit == self).map_or(1, |(_, number, _)| number)
    }

    /// The table as a text for `--help`.
    #[must_use]
    pub fn help() -> String {
        let lines = Self::TABLE.iter().map(|(_, number, meaning)| format!("  {number}  {meaning}"));
        format!("Exit codes:\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_its_own_number() {
        let mut numbers: Vec<_> = Exit::TABLE.iter().map(|(exit, _, _)| exit.number()).collect();
        numbers.dedup();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_readme_shows_the_table() {
        let readme = include_str!("../../README.md").replace('`', "").replace('…', "...");
        for (_, number, meaning) in Exit::TABLE {
            assert!(readme.contains(&format!("| {number} | {meaning} |")), "{number}: {meaning}");
        }
    }
}
