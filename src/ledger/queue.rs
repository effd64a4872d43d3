//! What waits for a ledger's writer: appends with their images made, bounded in number and in bytes.
//!
//! Invariant: beyond the bounds an append is refused, never delayed.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Append, Write, codec};
use crate::trace::{self, Attribute, Moment, Parent, Value};

/// Most appends that wait.
pub(super) const QUEUE_APPENDS_MAX: usize = 4_096;
/// Most bytes of appends that wait: 64 MiB.
pub(super) const QUEUE_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// What an entry weighs beside its image, in bytes; an estimate of its key, guards and log entry.
const ENTRY_BYTES: usize = 256;

/// An append whose images are made, by the caller's own thread.
pub(super) struct Prepared {
    /// The append.
    pub(super) append: Append,
    /// Stored form of each entry that puts a body; empty for the others.
    pub(super) images: Vec<Vec<u8>>,
    /// About how much memory it takes.
    pub(super) bytes: usize,
    /// Where it stands, for the trace of its call.
    pub(super) trail: Trail,
}

/// Where an append stands, told when its call is traced.
pub(super) struct Trail {
    parent: Parent,
    /// Since when it stands there; none when nobody is told.
    since: Option<Moment>,
}

impl Trail {
    /// An append that begins to wait.
    fn new() -> Self {
        let parent = trace::parent();
        let since = parent.is_traced().then(Moment::now);
        Self { parent, since }
    }

    /// The writer took it out of the queue.
    pub(super) fn taken(&mut self) {
        self.tell("ledger.queue", &[]);
    }

    /// The store has it, with the others of its batch.
    pub(super) fn stored(&mut self, figures: &[(Attribute, Value)]) {
        self.tell("ledger.store", figures);
    }

    fn tell(&mut self, name: &'static str, figures: &[(Attribute, Value)]) {
        if let Some(since) = self.since {
            let took = since.elapsed();
            self.parent.tell(name, since, took, figures);
            self.since = Some(since.plus(took));
        }
    }
}

impl Prepared {
    /// Makes the images of an append.
    pub(super) fn new(append: Append) -> Self {
        let image = |write: &Write| match write {
            Write::Put(body) => codec::encode(body),
            Write::Remove | Write::Check => Vec::new(),
        };
        let images: Vec<_> = append.entries.iter().map(|entry| image(&entry.write)).collect();
        let result_bytes = append.request.as_ref().map_or(0, |request| request.result.len());
        let bytes = images.iter().map(|image| image.len() + ENTRY_BYTES).sum::<usize>() + ENTRY_BYTES + result_bytes;
        Self { append, images, bytes, trail: Trail::new() }
    }
}

/// Room in the queue, in bytes.
#[derive(Default)]
pub(super) struct Room {
    waiting_bytes: AtomicUsize,
}

impl Room {
    /// Takes room; whether there was any.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        // An append that is larger than the whole queue passes when it is alone.
        let fits = before == 0 || before.saturating_add(bytes) <= QUEUE_BYTES_MAX;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    /// Gives room back.
    pub(super) fn release(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
