//! Between the index and the watches: gathers what changed, tells it to those whom it may concern.
//!
//! Invariant: who writes only adds to a bounded set and goes on; one task, which runs while a watch is open, does the rest.
//! When the set is full, everybody is told that anything may have changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashSet;
use smallvec::SmallVec;
use tokio::sync::Notify;

use super::WatchLimits;
use super::bell::Bell;
use super::interest::Interest;
use super::notice::Notice;
use super::registry::{Registry, WatchId};
use crate::domain::id::{CaseId, ScheduleId};
use crate::domain::time::UtcInstant;
use crate::service::limits::{WATCH_GATHERED_CASES_MAX, WATCH_GATHERED_MAX, WATCH_GATHERED_MS, WATCH_TICK_MS};
use crate::service::{Caller, Service};

/// Changes since watches were last told.
#[derive(Debug, Default)]
struct Gathered {
    schedules: FxHashSet<ScheduleId>,
    /// Those that refused something, or take it back.
    cases: FxHashSet<CaseId>,
    /// Whether anything else may have changed too.
    anything: bool,
}

/// Where watches sit.
#[derive(Debug, Default)]
pub(in crate::service) struct Hub {
    /// How many are open; read by writers, so that nothing is gathered for nobody.
    open: AtomicUsize,
    gathered: Mutex<Gathered>,
    news: Notify,
    registry: Mutex<Registry>,
}

/// The place of an open watch.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    id: WatchId,
    bell: Arc<Bell>,
}

impl Hub {
    /// Whether anybody would hear of changes now.
    pub(in crate::service) fn listens(&self) -> bool {
        self.open.load(Ordering::SeqCst) > 0
    }

    /// Notes what changed, and returns at once.
    pub(in crate::service) fn touched(&self, schedules: Vec<ScheduleId>, surroundings: bool) {
        let mut gathered = self.gathered.lock();
        gathered.anything |= surroundings;
        if gathered.schedules.len() + schedules.len() > WATCH_GATHERED_MAX {
            gathered.anything = true;
        } else {
            gathered.schedules.extend(schedules);
        }
        drop(gathered);
        self.news.notify_one();
    }

    /// Notes cases that refuse other offers than before, and returns at once.
    pub(in crate::service) fn refused(&self, cases: Vec<CaseId>) {
        let mut gathered = self.gathered.lock();
        if gathered.cases.len() + cases.len() > WATCH_GATHERED_CASES_MAX {
            gathered.anything = true;
        } else {
            gathered.cases.extend(cases);
        }
        drop(gathered);
        self.news.notify_one();
    }

    pub(super) fn limit(&self, limits: WatchLimits) {
        self.registry.lock().limits = limits;
    }

    /// How many watches are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Takes a place for a watch, which hears of everything until it says what it listens for.
    pub(super) fn sit_down(hub: &Arc<Self>, caller: &Caller, ends_at: UtcInstant) -> Result<Seat, String> {
        let bell = Arc::<Bell>::default();
        let mut registry = hub.registry.lock();
        let id = registry.enter(&caller.principal, Arc::clone(&bell), ends_at)?;
        hub.open.store(registry.len(), Ordering::SeqCst);
        bell.ring();
        Ok(Seat { hub: Arc::clone(hub), id, bell })
    }

    /// Tells watches what concerns them, until none is open.
    async fn dispatch(self: Arc<Self>, service: Service) {
        loop {
            tokio::select! {
                () = self.news.notified() => tokio::time::sleep(Duration::from_millis(WATCH_GATHERED_MS)).await,
                () = tokio::time::sleep(Duration::from_millis(WATCH_TICK_MS)) => {}
            }
            let parts = service.parts();
            let now = parts.clock.now();
            let Gathered { schedules, cases, anything } = std::mem::take(&mut *self.gathered.lock());
            let notices: Vec<Notice> = if anything {
                Vec::new()
            } else {
                let notice = |id: ScheduleId| {
                    let offer = parts.index.offer(&id);
                    Notice::of(id, offer, now)
                };
                schedules.into_iter().map(notice).collect()
            };
            let mut registry = self.registry.lock();
            registry.tell(&notices, anything);
            registry.tell_cases(&cases);
            registry.wake(now);
            self.open.store(registry.len(), Ordering::SeqCst);
            if registry.len() == 0 {
                registry.is_dispatched = false;
                return;
            }
        }
    }
}

impl Seat {
    /// Sees to it that somebody tells the watches.
    pub(super) fn keep_dispatched(&self, service: &Service) {
        let mut registry = self.hub.registry.lock();
        if !std::mem::replace(&mut registry.is_dispatched, true) {
            drop(service.parts().tasks.spawn(Arc::clone(&self.hub).dispatch(service.clone())));
        }
    }

    /// Waits until something may have changed.
    pub(super) async fn rung(&self) {
        self.bell.rung().await;
    }

    /// What rang is about to be seen.
    pub(super) fn quiet(&self) {
        self.bell.quiet();
    }

    /// Whether the watch is still listed: its time may be over.
    pub(super) fn is_taken(&self) -> bool {
        self.hub.registry.lock().knows(self.id)
    }

    /// How often watches were told of changes.
    pub(super) fn dispatched(&self) -> u64 {
        self.hub.registry.lock().told_count
    }

    /// Listens for what would alter an answer; rings at once when watches were told of changes since the answer was begun,
    /// because this one may have listened for other things then.
    pub(super) fn settle(
        &self,
        interest: Interest,
        returns: SmallVec<[UtcInstant; 4]>,
        wake_at: UtcInstant,
        told_count: u64,
    ) {
        let mut registry = self.hub.registry.lock();
        registry.settle(self.id, interest, returns, wake_at);
        if registry.told_count != told_count {
            self.bell.ring();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut registry = self.hub.registry.lock();
        registry.leave(self.id);
        self.hub.open.store(registry.len(), Ordering::SeqCst);
        drop(registry);
        self.hub.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedules(count: usize) -> Vec<ScheduleId> {
        (0..count).map(|number| ScheduleId::parse(&format!("agenda-{number}")).unwrap()).collect()
    }

    #[test]
    fn who_writes_does_not_wait_for_watches() {
        let hub = Hub::default();
        let _busy = hub.registry.lock();
        hub.touched(schedules(3), false);
        assert_eq!(hub.gathered.lock().schedules.len(), 3);
    }

    #[test]
    fn what_is_gathered_is_bounded_and_nothing_is_lost() {
        let hub = Hub::default();
        hub.touched(schedules(WATCH_GATHERED_MAX), false);
        assert!(!hub.gathered.lock().anything);
        hub.touched(vec![ScheduleId::parse("one more").unwrap()], false);
        let gathered = hub.gathered.lock();
        assert!(gathered.anything && gathered.schedules.len() <= WATCH_GATHERED_MAX);
    }

    #[test]
    fn cases_that_are_gathered_are_bounded_and_none_is_lost() {
        let hub = Hub::default();
        let case = |number: usize| CaseId::parse(&format!("dossier-{number}")).unwrap();
        hub.refused((0..WATCH_GATHERED_CASES_MAX).map(case).collect());
        assert!(!hub.gathered.lock().anything);
        hub.refused(vec![case(WATCH_GATHERED_CASES_MAX)]);
        let gathered = hub.gathered.lock();
        assert!(gathered.anything && gathered.cases.len() <= WATCH_GATHERED_CASES_MAX);
    }

    #[test]
    fn a_change_while_a_watch_is_answered_rings_again() {
        let hub = Arc::<Hub>::default();
        let seat = Hub::sit_down(&hub, &Caller::local(), UtcInstant::MAX).unwrap();
        for (is_told, expected) in [(false, false), (true, true)] {
            seat.quiet();
            let dispatched = seat.dispatched();
            if is_told {
                let unknown = ScheduleId::parse("elsewhere").unwrap();
                hub.registry.lock().tell(&[Notice::of(unknown, None, UtcInstant::MIN)], false);
                seat.quiet();
            }
            seat.settle(Interest::default(), SmallVec::new(), UtcInstant::MAX, dispatched);
            assert_eq!(seat.bell.is_rung(), expected);
        }
    }
}
