//! Who hears which schedules and cases a batch of changes touched.
//!
//! Invariant: it is told after readers can see the changes, by the writer itself and so with nothing to wait for. Of the
//! policies alone it is told before the head shows their change.

use std::fmt::Debug;

use super::PolicyRecord;
use crate::domain::id::{CaseId, ScheduleId};

/// Hears what batches of changes touch.
pub trait Observer: Debug + Send + Sync {
    /// Whether anybody would listen now; while nobody does, nothing is gathered.
    fn listens(&self) -> bool;

    /// Takes new policies: when it returns, the head comes to show the change, along with all that came before it.
    fn governed(&self, record: &PolicyRecord);

    /// The head shows more than before; returns at once.
    fn advanced(&self) {}

    /// Notes schedules whose openings or facts changed, and whether an emergency site, a territory or the policies
    /// did; returns at once.
    fn touched(&self, schedules: Vec<ScheduleId>, surroundings: bool);

    /// Notes that promises were taken back, see [`Index::take_doubtful`](super::Index::take_doubtful); returns at once.
    fn doubted(&self);

    /// Notes cases that refuse other offers than before; returns at once.
    fn refused(&self, cases: Vec<CaseId>);
}
