//! The only caller of `tokio::spawn`: every task has an owner that can wait for it.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// The tasks of one running service.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
}

impl Tasks {
    /// No task yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task that this owner waits for when it drains.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(future)
    }

    /// Waits until every task has ended; tasks may still start meanwhile.
    pub async fn drain(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
