//! Says that this instance lives and how far it has followed, so that a recovery knows for whom to wait.
//!
//! Deliberately absent: anything that depends on it for safety; a heartbeat that is missing costs waiting, no more.

use std::time::Duration;

use redis::cmd;

use super::Ended;
use super::keys::INSTANCES;
use super::link::{Link, LinkError};
use super::reply::Fields;
use super::shared::Shared;

/// How often it says so.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long an instance that no longer does is remembered, in milliseconds: 1 hour.
const REMEMBERED_MS: u64 = 3_600 * 1_000;

/// The heartbeat of an instance.
pub(super) struct Heart<'a> {
    /// The connection.
    pub(super) link: &'a mut Link,
    /// Identifies the instance.
    pub(super) instance: &'a str,
    /// How far it has followed.
    pub(super) shared: &'a Shared,
}

impl Heart<'_> {
    /// Beats until the link fails.
    pub(super) async fn beat_always(&mut self) -> Ended {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = self.beat().await {
                return Ended::Lost(error);
            }
        }
    }

    /// Beats once, and forgets the instances that have not for long.
    pub(super) async fn beat(&mut self) -> Result<(), LinkError> {
        let mut time = Fields::of(self.link.ask(&cmd("TIME")).await?)?;
        let now_ms = time.number()? * 1_000 + time.number()? / 1_000;
        let head = self.shared.health().head;
        let mut set = cmd("HSET");
        set.arg(INSTANCES).arg(self.instance).arg(format!("{now_ms} {} {}", head.epoch, head.sequence));
        self.link.ask(&set).await?;
        let mut read = cmd("HGETALL");
        read.arg(INSTANCES);
        let mut beats = Fields::of(self.link.ask(&read).await?)?;
        let mut gone = cmd("HDEL");
        gone.arg(INSTANCES);
        let mut is_any_gone = false;
        while let Some(instance) = beats.text_or_nothing()? {
            let beat = beats.text()?;
            let beat_at_ms: u64 = beat.split(' ').next().and_then(|at| at.parse().ok()).unwrap_or_default();
            if now_ms.saturating_sub(beat_at_ms) > REMEMBERED_MS {
                gone.arg(instance);
                is_any_gone = true;
            }
        }
        if is_any_gone {
            self.link.ask(&gone).await?;
        }
        Ok(())
    }

    /// Says that this instance ends, so that no recovery waits for it.
    pub(super) async fn stop(&mut self) {
        let mut gone = cmd("HDEL");
        gone.arg(INSTANCES).arg(self.instance);
        if let Err(error) = self.link.ask(&gone).await {
            tracing::debug!(%error, "the end of this instance could not be told");
        }
    }
}
