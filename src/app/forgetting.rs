//! Forgetting what is past its time, while the machine's clock can be trusted with that.
//!
//! Invariant: nothing is forgotten, and no instant recorded, by a clock that is doubted.
//! Deliberately absent: waiting; whoever calls says how much time elapsed.

use std::time::Duration;

use super::steadiness::{Doubt, Steadiness};
use crate::clock::SharedClock;
use crate::service::Service;

/// Forgets, step by step.
pub(super) struct Forgetting {
    service: Service,
    clock: SharedClock,
    steadiness: Steadiness,
    told: Option<Doubt>,
}

impl Forgetting {
    /// Judges the clock by the last instant that the ledger recorded, and says so at once when it is doubted.
    pub(super) fn new(service: Service, clock: SharedClock) -> Self {
        let steadiness = Steadiness::new(clock.now(), service.steady_at());
        let mut forgetting = Self { service, clock, steadiness, told: None };
        forgetting.tell();
        forgetting
    }

    /// Whether what the ledger recorded is known; before, nothing can be judged.
    pub(super) fn can_judge(&self) -> bool {
        self.service.has_started()
    }

    /// Judges anew, since what the ledger recorded is known by now.
    pub(super) fn anew(self) -> Self {
        Self::new(self.service, self.clock)
    }

    /// Looks at the clock when so much time has elapsed since the start, and forgets when it is trusted.
    pub(super) async fn step(&mut self, elapsed: Duration) {
        self.steadiness.observe(self.clock.now(), elapsed);
        self.tell();
        // They are in memory alone: dropping too much costs a preview, keeping too much a promise.
        self.service.forget_questions();
        if self.told.is_some() {
            return;
        }
        match self.service.purge_ended().await {
            Ok(0) => {}
            Ok(slots) => tracing::info!(slots, "slots that are over were forgotten"),
            Err(error) => tracing::warn!(reason = error.reason.code(), "slots that are over could not be forgotten"),
        }
        match self.service.purge_ended_cases().await {
            Ok(0) => {}
            Ok(cases) => tracing::info!(cases, "cases that are over were forgotten"),
            Err(error) => tracing::warn!(reason = error.reason.code(), "cases that are over could not be forgotten"),
        }
        match self.service.purge_orientations().await {
            Ok(0) => {}
            Ok(cases) => tracing::info!(cases, "what was decided for cases was forgotten, its counts kept"),
            Err(error) => tracing::warn!(reason = error.reason.code(), "what was decided could not be forgotten"),
        }
        match self.service.purge_tallies().await {
            Ok(0) => {}
            Ok(days) => tracing::info!(days, "counts of days long ago were forgotten"),
            Err(error) => tracing::warn!(reason = error.reason.code(), "counts of days could not be forgotten"),
        }
        match self.service.trim_ledger().await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "changes and outcomes past their time were forgotten"),
            Err(error) => {
                tracing::warn!(
                    reason = error.reason.code(),
                    "changes and outcomes past their time could not be forgotten"
                );
            }
        }
    }

    /// Says once what became of the trust in the clock.
    fn tell(&mut self) {
        let doubt = self.steadiness.doubt();
        if doubt == self.told {
            return;
        }
        self.told = doubt;
        self.service.doubt_clock(doubt.map(|doubt| doubt.to_string()));
        match doubt {
            Some(doubt) => tracing::warn!("{doubt}"),
            None => {
                tracing::info!("the machine's clock has gone evenly for an hour: it is trusted with forgetting again")
            }
        }
    }
}

#[cfg(test)]
mod tests;
