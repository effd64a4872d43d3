//! How simulated instances give a server back what it lost: prepare, give, activate, each of which may be cut short.

use super::run::{INSTANCES, Run};

/// A recovery under way.
pub(super) struct Recovery {
    /// The start of the server that it is of.
    server_start: u64,
    /// Which starts of the instances take part and live.
    reporters: [Option<u64>; INSTANCES],
}

impl Run {
    /// The next step of a recovery.
    pub(super) fn recover(&mut self, may_fail: bool) {
        let recovery = self.recovery.take().filter(|known| known.server_start == self.store.start);
        let Some(mut recovery) = recovery else { return self.prepare(may_fail) };
        let head = self.store.mark();
        let is_here = |at: usize, reporters: &[Option<u64>; INSTANCES]| reporters[at] == Some(self.instances[at].start);
        // One of an epoch that the server has left behind gives nothing.
        let farthest = (0..INSTANCES)
            .filter(|at| is_here(*at, &recovery.reporters))
            .map(|at| (self.instances[at].followed.mark(), at))
            .filter(|(mark, _)| (mark.epoch, mark.sequence) > (head.epoch, head.sequence))
            .max_by_key(|(mark, at)| (mark.epoch, mark.sequence, INSTANCES - at));
        match farthest {
            Some((_, at)) if may_fail && self.random.chance(0.1) => recovery.reporters[at] = None,
            Some((_, at)) => self.store.give(&self.instances[at].followed),
            None => return self.activate(&recovery),
        }
        self.recovery = Some(recovery);
    }

    fn prepare(&mut self, may_fail: bool) {
        let mut reporters = [None; INSTANCES];
        while reporters.iter().all(Option::is_none) {
            for (at, reporter) in reporters.iter_mut().enumerate() {
                let reports = !may_fail || self.random.chance(0.8);
                *reporter = reports.then(|| self.instances[at].start);
            }
        }
        let takes_part = |at: &usize| reporters[*at].is_some();
        let known = (0..INSTANCES).filter(takes_part).map(|at| self.instances[at].followed.mark().epoch);
        self.store.prepare(known);
        self.recovery = Some(Recovery { server_start: self.store.start, reporters });
    }

    /// Begins the epoch, and sees what of what callers were told is not there any more: nothing that somebody who took part
    /// to the end has told.
    fn activate(&mut self, recovery: &Recovery) {
        self.store.activate();
        self.recoveries.push((self.store.mark().epoch, recovery.reporters));
        for done in std::mem::take(&mut self.done) {
            if self.store.has(done.digest) {
                self.done.push(done);
                continue;
            }
            let (at, start) = done.by;
            let took_part = recovery.reporters[at] == Some(start) && !self.is_left_behind(at, start);
            assert!(!took_part, "lost, though who said it took part in the recovery: {done:?}");
            self.lost.push(done);
        }
    }

    /// Whether an epoch has begun without an instance that does not know of it: what it goes on telling then was lost already,
    /// and it gives nothing back.
    fn is_left_behind(&self, at: usize, start: u64) -> bool {
        let known = self.instances[at].followed.mark().epoch;
        self.recoveries.iter().any(|(epoch, reporters)| *epoch > known && reporters[at] != Some(start))
    }
}
