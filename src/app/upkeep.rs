//! What the service does by itself: forgets what is past its time, and tells health whether writes are accepted.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::forgetting::Forgetting;
use crate::clock::Stopwatch;
use crate::grpc::Server;
use crate::service::Service;

/// How often health looks at the ledger.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Forgets now and then until the service ends.
pub(super) async fn forget(mut forgetting: Forgetting, interval: Duration, shutdown: CancellationToken) {
    let elapsed = Stopwatch::start();
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        forgetting.step(elapsed.elapsed()).await;
    }
}

/// Keeps the health of the writing services in step with the ledger until the service ends.
pub(super) async fn watch_writability(service: Service, server: Arc<Server>, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut writable = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now_writable = !service.stamp().degraded;
        if now_writable != writable {
            writable = now_writable;
            server.set_writable(writable).await;
            if writable {
                tracing::info!("writes are accepted again");
            } else {
                tracing::warn!("writes are refused, reads go on");
            }
        }
    }
}
