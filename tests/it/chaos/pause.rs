//! Time that passes: a fault lasts, a client thinks, a wire is slow.
//!
//! Deliberately absent: waiting for something to come about; that is asked for, with a deadline.

use std::time::Duration;

/// Lets so much time pass.
pub(super) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
