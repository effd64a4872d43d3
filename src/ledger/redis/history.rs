//! How far this instance has followed the ledger, and the last changes and outcomes of requests as they came, for a server
//! that lost them.
//!
//! Invariant: the digest is that of the whole history up to the position, which stands after a whole append.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::domain::record::Position;
use crate::domain::time::UtcInstant;

/// Most changes that are remembered.
const REMEMBERED_MAX: usize = 16_384;
/// Most bytes of images and outcomes that are remembered: 32 MiB.
const REMEMBERED_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// Most outcomes that are remembered beyond the changes that they came with.
const OUTCOMES_MAX: usize = 16_384;
/// Most bytes of them: 16 MiB.
const OUTCOMES_BYTES_MAX: usize = 16 * 1_024 * 1_024;

/// The outcome of a request, as the server keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    /// Name of the request.
    pub(super) name: String,
    /// Its fingerprint, then what a retry is told.
    pub(super) told: Vec<u8>,
}

/// A change as the log has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Logged {
    /// Its number.
    pub(super) sequence: u64,
    /// Key of the record.
    pub(super) key: String,
    /// Version of the record after it, as the log has it.
    pub(super) version: String,
    /// Image of the record; empty when it was removed.
    pub(super) image: Vec<u8>,
    /// Digest of the history after it.
    pub(super) digest: String,
    /// What the ledger's clock showed.
    pub(super) written_at: UtcInstant,
    /// How many changes of the same append follow it.
    pub(super) more: usize,
    /// The outcome of the request that it ends, if it ends one.
    pub(super) outcome: Option<Arc<Outcome>>,
}

impl Logged {
    /// One of which only the number is known yet.
    pub(super) fn numbered(sequence: u64) -> Self {
        let (key, version, digest) = (String::new(), String::new(), String::new());
        let (image, written_at) = (Vec::new(), UtcInstant::from_ms(0));
        Self { sequence, key, version, image, digest, written_at, more: 0, outcome: None }
    }

    fn bytes(&self) -> usize {
        self.image.len() + self.outcome.as_deref().map_or(0, Outcome::bytes)
    }
}

impl Outcome {
    fn bytes(&self) -> usize {
        self.name.len() + self.told.len()
    }
}

/// An outcome with where and when it came about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Remembered {
    /// Generation of the history in which it did.
    pub(super) epoch: u64,
    /// Number of the change that ended the request.
    pub(super) sequence: u64,
    /// What the ledger's clock showed.
    pub(super) written_at: UtcInstant,
    /// The outcome.
    pub(super) outcome: Arc<Outcome>,
}

/// Where a history stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// Generation of the history.
    pub(super) epoch: u64,
    /// Number of the last change.
    pub(super) sequence: u64,
    /// Digest of the history up to it.
    pub(super) digest: String,
}

impl Mark {
    /// Where the last change stands.
    pub(super) const fn position(&self) -> Position {
        Position { partition: 0, epoch: self.epoch, sequence: self.sequence }
    }

    /// The id of the log's entry.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.epoch, self.sequence)
    }

    /// Whether a change is the next one after it.
    pub(super) fn precedes(&self, epoch: u64, logged: &Logged) -> bool {
        self.epoch == epoch
            && self.sequence + 1 == logged.sequence
            && digest_after(&self.digest, logged) == logged.digest
    }
}

/// What this instance has followed.
#[derive(Default)]
pub(super) struct History {
    /// After whole appends only.
    mark: Option<Mark>,
    /// Whether the sink has the state at the mark; otherwise it has a mixture.
    is_settled: bool,
    /// Of all that were ever followed or read.
    greatest_epoch: u64,
    remembered: VecDeque<Logged>,
    remembered_bytes: usize,
    /// Of this epoch and of those that it continues.
    outcomes: VecDeque<Remembered>,
    outcomes_bytes: usize,
}

impl History {
    /// Where it stands; `None` before anything was read.
    pub(super) const fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// Where it stands, when the sink has the state there and nothing else: only that may be gone on from in another session,
    /// or be given back to a server that lost it.
    pub(super) fn settled(&self) -> Option<&Mark> {
        self.mark.as_ref().filter(|_| self.is_settled)
    }

    /// The greatest epoch that it knows of.
    pub(super) const fn greatest_epoch(&self) -> u64 {
        self.greatest_epoch
    }

    /// Begins anew from a state that was read in full.
    pub(super) fn begin(&mut self, mark: Mark) {
        self.begin_reading(mark);
        self.settle();
    }

    /// Begins anew from a mark at which records begin to be read: until they all were, and what was written meanwhile, the
    /// sink has a mixture.
    pub(super) fn begin_reading(&mut self, mark: Mark) {
        let greatest_epoch = self.greatest_epoch.max(mark.epoch);
        *self = Self { mark: Some(mark), greatest_epoch, ..Self::default() };
    }

    /// The sink has the state at the mark.
    pub(super) const fn settle(&mut self) {
        self.is_settled = true;
    }

    /// The ledger goes another way from here, whatever its log says at the mark: all is to be read anew.
    pub(super) const fn unsettle(&mut self) {
        self.is_settled = false;
    }

    /// A new epoch continues the same history.
    pub(super) fn enter(&mut self, epoch: u64) {
        if let Some(mark) = &mut self.mark {
            mark.epoch = epoch;
        }
        self.greatest_epoch = self.greatest_epoch.max(epoch);
        // What a server of this epoch loses is all of this epoch.
        self.remembered.clear();
        self.remembered_bytes = 0;
    }

    /// Whether a change is the next one of this history.
    pub(super) fn precedes(&self, epoch: u64, logged: &Logged) -> bool {
        self.mark.as_ref().is_some_and(|mark| mark.precedes(epoch, logged))
    }

    /// Takes the next change.
    pub(super) fn push(&mut self, logged: Logged) {
        let Some(mark) = &mut self.mark else { return };
        mark.sequence = logged.sequence;
        mark.digest.clone_from(&logged.digest);
        if let Some(outcome) = logged.outcome.clone() {
            let Logged { sequence, written_at, .. } = logged;
            self.outcomes_bytes += outcome.bytes();
            self.outcomes.push_back(Remembered { epoch: mark.epoch, sequence, written_at, outcome });
        }
        while self.outcomes.len() > OUTCOMES_MAX || self.outcomes_bytes > OUTCOMES_BYTES_MAX {
            let Some(oldest) = self.outcomes.pop_front() else { break };
            self.outcomes_bytes -= oldest.outcome.bytes();
        }
        self.remembered_bytes += logged.bytes();
        self.remembered.push_back(logged);
        while self.remembered.len() > REMEMBERED_MAX || self.remembered_bytes > REMEMBERED_BYTES_MAX {
            let Some(oldest) = self.remembered.pop_front() else { break };
            self.remembered_bytes -= oldest.bytes();
        }
    }

    /// The outcomes of requests that are remembered, the oldest first.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Remembered> {
        self.outcomes.iter()
    }

    /// The changes after a position of this very epoch; `None` when they are not all remembered.
    pub(super) fn after(&self, epoch: u64, sequence: u64) -> Option<Vec<&Logged>> {
        let mark = self.mark.as_ref().filter(|mark| mark.epoch == epoch && mark.sequence >= sequence)?;
        let changes: Vec<_> = self.remembered.iter().filter(|logged| logged.sequence > sequence).collect();
        (changes.len() as u64 == mark.sequence - sequence).then_some(changes)
    }
}

/// The digest of a history with one more change, as the scripts compute it.
fn digest_after(digest: &str, logged: &Logged) -> String {
    let Logged { sequence: _, key, version, image, digest: _, written_at: _, more: _, outcome } = logged;
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(format!("{digest}{}:{key}{version}:", key.len()).as_bytes());
    sha1.update(image);
    let changed = sha1.digest().to_string();
    let Some(Outcome { name, told }) = outcome.as_deref() else { return changed };
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(format!("{changed}{}:{name}", name.len()).as_bytes());
    sha1.update(told);
    sha1.digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(sequence: u64, before: &str) -> Logged {
        let key = format!("slot:{sequence}");
        let mut logged = Logged { key, version: "1".to_owned(), image: vec![1], ..Logged::numbered(sequence) };
        logged.digest = digest_after(before, &logged);
        logged
    }

    #[test]
    fn only_the_next_change_with_the_right_digest_follows() {
        let mut history = History::default();
        assert!(!history.precedes(1, &logged(1, "")), "nothing was read yet");
        history.begin(Mark { epoch: 1, sequence: 0, digest: "d".to_owned() });
        let first = logged(1, "d");
        assert!(history.precedes(1, &first));
        assert!(!history.precedes(2, &first), "another epoch");
        assert!(!history.precedes(1, &logged(2, "d")), "a gap");
        assert!(!history.precedes(1, &logged(1, "other")), "another history");
        assert!(!history.precedes(1, &Logged { image: vec![2], ..first.clone() }), "another image");
        let second = logged(2, &first.digest);
        history.push(first);
        assert!(history.precedes(1, &second));
    }

    #[test]
    fn what_is_remembered_is_given_whole_or_not_at_all() {
        let mut history = History::default();
        history.begin(Mark { epoch: 1, sequence: 10, digest: String::new() });
        let mut before = String::new();
        for sequence in 11..=13 {
            let logged = logged(sequence, &before);
            before.clone_from(&logged.digest);
            history.push(logged);
        }
        assert_eq!(history.after(1, 11).map(|changes| changes.len()), Some(2));
        assert_eq!(history.after(1, 13).map(|changes| changes.len()), Some(0));
        assert_eq!(history.after(1, 9), None, "older than what was read");
        assert_eq!(history.after(2, 11), None, "of another epoch");
        history.enter(2);
        assert_eq!(history.after(1, 11), None);
        assert_eq!(history.after(2, 13).map(|changes| changes.len()), Some(0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut history = History::default();
        history.begin(Mark { epoch: 1, sequence: 0, digest: String::new() });
        for sequence in 1..=REMEMBERED_MAX as u64 + 10 {
            history.push(Logged { image: vec![0; 8], ..logged(sequence, "") });
        }
        assert_eq!(history.remembered.len(), REMEMBERED_MAX);
        assert_eq!(history.remembered_bytes, REMEMBERED_MAX * 8);
    }

    #[test]
    fn a_change_without_outcome_has_the_digest_of_the_format_before() {
        // sha1("d" "6:slot:1" "1:" 0x01)
        assert_eq!(logged(1, "d").digest, "261ac1d2b3bee6cdc88cad06d933a16b9cd10a66");
        let outcome = Some(Arc::new(Outcome { name: "r".to_owned(), told: vec![7] }));
        let ending = Logged { outcome, ..logged(1, "d") };
        assert_ne!(digest_after("d", &ending), ending.digest);
        let other =
            Logged { outcome: Some(Arc::new(Outcome { name: "r\u{7}".to_owned(), told: vec![] })), ..ending.clone() };
        assert_ne!(digest_after("d", &ending), digest_after("d", &other), "where the name ends is part of it");
    }

    #[test]
    fn outcomes_are_remembered_over_epochs_and_bounded() {
        let mut history = History::default();
        let ending = |sequence: u64| {
            let outcome = Some(Arc::new(Outcome { name: format!("r{sequence}"), told: vec![0; 8] }));
            Logged { outcome, ..logged(sequence, "") }
        };
        history.begin(Mark { epoch: 1, sequence: 0, digest: String::new() });
        history.push(ending(1));
        history.enter(2);
        history.push(ending(2));
        let told: Vec<_> = history.outcomes().map(|one| (one.epoch, one.sequence)).collect();
        assert_eq!(told, [(1, 1), (2, 2)]);
        for sequence in 3..OUTCOMES_MAX as u64 + 10 {
            history.push(ending(sequence));
        }
        assert_eq!(history.outcomes().count(), OUTCOMES_MAX);
        assert_eq!(history.outcomes_bytes, history.outcomes().map(|one| one.outcome.bytes()).sum::<usize>());
        history.begin(Mark { epoch: 3, sequence: 0, digest: String::new() });
        assert_eq!(history.outcomes().count(), 0, "of another history");
    }
}
