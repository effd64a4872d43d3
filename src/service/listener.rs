//! Who hears of the index's changes: policies first, then the watches; whoever waits for a position; and whoever reports
//! what was lost.
//!
//! Invariant: nothing here waits for anybody who reads.

use std::sync::Arc;

use tokio::sync::Notify;

use super::policy::Policies;
use super::position::Arrivals;
use super::watch::Hub;
use crate::domain::id::{CaseId, ScheduleId};
use crate::index::{Observer, PolicyRecord};

/// Hands on what the index tells.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) policies: Arc<Policies>,
    pub(super) watches: Arc<Hub>,
    pub(super) arrivals: Arc<Arrivals>,
    pub(super) doubts: Arc<Notify>,
}

impl Observer for Listener {
    fn listens(&self) -> bool {
        self.watches.listens()
    }

    fn governed(&self, record: &PolicyRecord) {
        self.policies.take_change(record);
    }

    fn advanced(&self) {
        self.arrivals.ring();
    }

    fn touched(&self, schedules: Vec<ScheduleId>, surroundings: bool) {
        self.watches.touched(schedules, surroundings);
    }

    fn doubted(&self) {
        self.doubts.notify_one();
    }

    fn refused(&self, cases: Vec<CaseId>) {
        self.watches.refused(cases);
    }
}
