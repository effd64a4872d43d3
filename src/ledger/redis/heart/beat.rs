//! What an instance says of itself in a heartbeat: one line of text.
//!
//! Invariant: the first field is the instant, which is all that a recovery reads. Fields are added at the end; whoever reads
//! a line of another version takes what is there.

use super::super::history::Mark;
use crate::domain::time::UtcInstant;
use crate::ledger::{InstanceView, Standpoint};

/// How long an instance may say nothing before it counts as silent, in milliseconds: three heartbeats.
pub(in crate::ledger::redis) const SILENT_AFTER_MS: u64 = 15_000;
/// What stands for a text that is empty.
const NOTHING: &str = "-";

/// Who an instance is, besides its identifier.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Identity {
    /// Version of the program.
    pub version: String,
    /// Where clients reach it; empty when that is not configured.
    pub address: String,
    /// When it was started.
    pub started_at: Option<UtcInstant>,
}

/// A heartbeat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ledger::redis) struct Beat<'a> {
    /// When, by the server.
    pub(in crate::ledger::redis) at_ms: u64,
    /// What was followed.
    pub(in crate::ledger::redis) mark: &'a Mark,
    /// How many changes were missing.
    pub(in crate::ledger::redis) lag_changes: u64,
    /// How long before the last one that was followed was written.
    pub(in crate::ledger::redis) lag_ms: u64,
    /// Stable code of what an acknowledged write survives.
    pub(in crate::ledger::redis) durability_class: &'a str,
    /// Who it is.
    pub(in crate::ledger::redis) identity: &'a Identity,
}

impl Beat<'_> {
    /// The line.
    pub(in crate::ledger::redis) fn line(&self) -> String {
        let Beat { at_ms, mark, lag_changes, lag_ms, durability_class, identity } = self;
        let Mark { epoch, sequence, digest } = mark;
        let Identity { version, address, started_at } = identity;
        let started_ms = started_at.map_or(0, UtcInstant::ms);
        let [digest, class, version, address] = [digest.as_str(), durability_class, version, address].map(word);
        format!("{at_ms} {epoch} {sequence} {digest} {lag_changes} {lag_ms} {started_ms} {class} {version} {address}")
    }
}

/// A text as one word.
fn word(text: &str) -> String {
    let word: String = text.split_whitespace().collect();
    if word.is_empty() { NOTHING.to_owned() } else { word }
}

/// The instant of a line; 0 when there is none.
pub(in crate::ledger::redis) fn instant_ms(line: &str) -> u64 {
    line.split(' ').next().and_then(|at| at.parse().ok()).unwrap_or_default()
}

/// What a line says of an instance.
pub(in crate::ledger::redis) fn read(instance_id: String, line: &str, now_ms: u64) -> InstanceView {
    let mut words = line.split(' ');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
    let (at_ms, epoch, sequence) = (number(), number(), number());
    let mut words = line.split(' ').skip(3);
    let mut text = || words.next().filter(|word| *word != NOTHING).unwrap_or_default().to_owned();
    let (digest, lag_changes, lag_ms, started_ms) = (text(), text(), text(), text());
    let (durability_class, version, address) = (text(), text(), text());
    let started_at = started_ms.parse().ok().filter(|ms| *ms != 0).map(UtcInstant::from_ms);
    let position = Mark { epoch, sequence, digest: String::new() }.position();
    InstanceView {
        instance_id,
        is_self: false,
        version,
        address,
        started_at,
        durability_class,
        standpoint: Standpoint { position, digest },
        lag_changes: lag_changes.parse().unwrap_or_default(),
        lag_ms: lag_ms.parse().unwrap_or_default(),
        heard_at: UtcInstant::from_ms(i64::try_from(at_ms).unwrap_or_default()),
        is_silent: now_ms.saturating_sub(at_ms) > SILENT_AFTER_MS,
        differs: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_again_what_was_said() {
        let mark = Mark { epoch: 2, sequence: 9, digest: "abc".to_owned() };
        let started_at = Some(UtcInstant::from_ms(1_700_000_000_000));
        let identity = Identity { version: "1.2.3".to_owned(), address: "http://a:1".to_owned(), started_at };
        let beat =
            Beat { at_ms: 20_000, mark: &mark, lag_changes: 3, lag_ms: 40, durability_class: "X", identity: &identity };
        let instance = read("i".to_owned(), &beat.line(), 20_000 + SILENT_AFTER_MS);
        assert_eq!((instance.standpoint.position, instance.standpoint.digest.as_str()), (mark.position(), "abc"));
        assert_eq!((instance.lag_changes, instance.lag_ms, instance.durability_class.as_str()), (3, 40, "X"));
        assert_eq!(
            (instance.version.as_str(), instance.address.as_str(), instance.started_at),
            ("1.2.3", "http://a:1", started_at)
        );
        assert!(!instance.is_silent && instance.heard_at.ms() == 20_000);
        assert!(read("i".to_owned(), &beat.line(), 20_001 + SILENT_AFTER_MS).is_silent);
    }

    #[test]
    fn lines_of_other_versions_and_nonsense_are_taken_as_far_as_they_go() {
        let old = read("i".to_owned(), "7 1 5", 7);
        assert_eq!((old.standpoint.position.sequence, old.standpoint.digest.as_str()), (5, ""));
        assert_eq!((old.version.as_str(), old.started_at), ("", None));
        for odd in ["", "x y z", "7 1 5 d 1 2 3 c v a and more"] {
            read("i".to_owned(), odd, 0);
        }
        assert_eq!((instant_ms("12 1 1"), instant_ms("x"), instant_ms("")), (12, 0, 0));
        let identity = Identity { address: " two words ".to_owned(), ..Identity::default() };
        let mark = Mark { epoch: 1, sequence: 0, digest: String::new() };
        let beat = Beat { at_ms: 1, mark: &mark, lag_changes: 0, lag_ms: 0, durability_class: "", identity: &identity };
        assert_eq!(read("i".to_owned(), &beat.line(), 1).address, "twowords");
    }
}
