//! A mark that something may have changed, and the wait for it.
//!
//! Invariant: ringing never waits, and any number of rings before somebody listens are one.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A mark and who waits for it.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: AtomicBool,
    listener: Notify,
}

impl Bell {
    /// Sets the mark.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.listener.notify_one();
        }
    }

    /// Takes the mark away.
    pub(super) fn quiet(&self) {
        self.rung.store(false, Ordering::Release);
    }

    /// Whether the mark is set.
    #[cfg(test)]
    pub(super) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Waits for the mark, which stays.
    pub(super) async fn rung(&self) {
        while !self.rung.load(Ordering::Acquire) {
            self.listener.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn rings_before_anybody_listens_are_one() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        bell.rung().await;
        bell.quiet();
        let waits = tokio::time::timeout(std::time::Duration::ZERO, bell.rung()).await;
        assert!(waits.is_err(), "no second ring is left");
        bell.ring();
        bell.rung().await;
    }
}
