//! What the service does by itself: forgets what is past its time, reports what the ledger lost, and tells health and log how it stands.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::forgetting::Forgetting;
use crate::clock::Stopwatch;
use crate::grpc::Server;
use crate::service::{Condition, ConditionKind, Service};

/// How often health looks at the conditions of the service.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Forgets now and then, once the ledger is open, until the service ends.
pub(super) async fn forget(mut forgetting: Forgetting, interval: Duration, shutdown: CancellationToken) {
    if !forgetting.can_judge() {
        let mut ticks = tokio::time::interval(WATCH_INTERVAL);
        while !forgetting.can_judge() {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
        }
        forgetting = forgetting.anew();
    }
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

/// Puts in quarantine what the ledger lost, whenever every record was read anew, until the service ends.
pub(super) async fn report_losses(service: Service, shutdown: CancellationToken) {
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = service.doubted() => {}
            // What could not be written is tried again.
            _ = ticks.tick() => {}
        }
        if let Err(error) = service.quarantine_lost().await {
            tracing::warn!(reason = error.reason.code(), "what the ledger lost could not be put in quarantine yet");
        }
    }
}

/// Keeps the health of the writing services in step with the conditions of the service until it ends.
pub(super) async fn watch_conditions(service: Service, server: Arc<Server>, shutdown: CancellationToken) {
    let mut watch = Watch::default();
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if watch.observe(service.conditions()) {
            server.tell_health(&watch.known).await;
        }
    }
}

/// Says once when a condition begins, and when it ends. The doubt about the clock is told by forgetting, which has it.
#[derive(Default)]
struct Watch {
    known: Vec<ConditionKind>,
}

impl Watch {
    /// Takes the conditions of now; says whether anything changed.
    fn observe(&mut self, mut conditions: Vec<Condition>) -> bool {
        conditions.retain(|condition| condition.kind != ConditionKind::ClockNotTrusted);
        for Condition { kind, message } in &conditions {
            if !self.known.contains(kind) {
                tracing::warn!(condition = kind.code(), "{message}");
            }
        }
        let kinds: Vec<_> = conditions.into_iter().map(|condition| condition.kind).collect();
        for ended in self.known.iter().filter(|kind| !kinds.contains(kind)) {
            tracing::info!(condition = ended.code(), "a condition has ended");
        }
        let has_changed = kinds != self.known;
        self.known = kinds;
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_news_when_it_begins_and_when_it_ends() {
        let condition = |kind| Condition { kind, message: "what to do".to_owned() };
        let (refused, ahead) = (ConditionKind::WritesRefused, ConditionKind::LedgerClockAhead);
        let mut watch = Watch::default();
        assert!(!watch.observe(vec![condition(ConditionKind::ClockNotTrusted)]), "forgetting tells of it");
        for (conditions, is_news) in [
            (vec![ahead], true),
            (vec![ahead], false),
            (vec![refused, ahead], true),
            (vec![ahead], true),
            (vec![], true),
            (vec![], false),
        ] {
            let told = conditions.iter().copied().map(condition).collect();
            assert_eq!(watch.observe(told), is_news, "{conditions:?}");
            assert_eq!(watch.known, conditions);
        }
    }
}
