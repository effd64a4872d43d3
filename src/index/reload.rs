//! Taking every record anew, also back to an older one: after the ledger lost changes that were taken here.
//!
//! Until the end readers see what was there, record after record as it is taken back; a record that differs is away for
//! a moment before its older version stands. Where nothing was there, schedules stand from the end on, all at once: so an
//! embedded ledger that opens hands its records over. What was promised before is kept aside for whoever judges what was lost
//! ([`super::promises`]). Deliberately absent: any judgement which of the two is right.

use rustc_hash::FxHashSet;

use super::Index;
use crate::domain::record::{Body, Change, Key, Position, Versioned};

/// What is remembered of a reload that is under way.
#[derive(Debug, Default)]
pub(super) struct Reloaded {
    /// Records that came since it began; none are noted where nothing was there that could stay away.
    keys: Option<FxHashSet<Key>>,
    /// Where the ledger stood when it was read.
    position: Position,
}

impl Index {
    /// Begins to take every record anew, as they are at a position.
    pub fn begin_reload(&self, position: Position) {
        self.promises.remember(self);
        let mut writer = self.writer.lock();
        // One that began before may not have come to its end.
        writer.place_gathered(self);
        let is_first = self.is_empty();
        if is_first {
            writer.gather();
        }
        drop(writer);
        *self.reloaded.lock() = Reloaded { keys: (!is_first).then(FxHashSet::default), position };
    }

    /// Takes these records as they are, also when what is there is newer.
    pub fn reload(&self, records: &[Change]) {
        match &mut self.reloaded.lock().keys {
            None => self.writer.lock().restate(self, records),
            Some(keys) => {
                self.take_back(records);
                keys.extend(records.iter().map(|record| record.key.clone()));
            }
        }
    }

    /// Ends taking every record anew: what did not come is removed.
    pub fn finish_reload(&self) {
        let reloaded = std::mem::take(&mut *self.reloaded.lock());
        let mut gone = Vec::new();
        if let Some(keys) = &reloaded.keys {
            self.each_record(&mut |record| {
                let key = record.value.key();
                if !keys.contains(&key) {
                    gone.push(removal(key, reloaded.position));
                }
            });
        }
        let mut writer = self.writer.lock();
        if gone.iter().any(|record| record.key == Key::Policy) {
            self.forget_policy();
        }
        writer.restate(self, &gone);
        writer.place_gathered(self);
        writer.advance(self, reloaded.position);
        drop(writer);
        self.promises.compare(self);
    }

    /// Takes records as they are where something was there.
    fn take_back(&self, records: &[Change]) {
        let differs = |record: &&Change| {
            let known = self.record(&record.key);
            known.is_none_or(|known| known.version != record.version || Some(&known.value) != record.body.as_ref())
        };
        let different: Vec<Change> = records.iter().filter(differs).cloned().collect();
        let gone = different.iter().filter(|record| record.key != Key::Policy);
        let gone = gone.map(|record| removal(record.key.clone(), record.position)).collect::<Vec<_>>();
        // One after the other: within one call the last word on a record would be the newest.
        let mut writer = self.writer.lock();
        writer.restate(self, &gone);
        if different.iter().any(|record| record.key == Key::Policy) {
            self.forget_policy();
        }
        writer.restate(self, &different);
    }

    /// Whether no record was ever taken.
    fn is_empty(&self) -> bool {
        let directory = self.territories.len() + self.places.len() + self.practitioners.len() + self.schedules.len();
        let others = self.emergency_sites.len() + self.sources.len() + self.cases.len();
        let figures = self.figures.orientations.len() + self.figures.tallies.len();
        directory + others + figures == 0 && self.nodes.is_empty() && self.policy_record().is_none()
    }

    /// Every record, the directory before the slots, the cases last. Not on the way of a query.
    pub fn each_record(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        let mut each = |records: Vec<Versioned<Body>>| records.into_iter().for_each(&mut *take);
        each(bodies(self.active_policy().into_iter().collect(), Body::Policy));
        each(bodies(self.territories.page(None, usize::MAX), Body::Territory));
        each(bodies(self.places.page(None, usize::MAX), Body::Place));
        each(bodies(self.practitioners.page(None, usize::MAX), Body::Practitioner));
        each(bodies(self.sources.page(None, usize::MAX), Body::Source));
        each(bodies(self.schedules.page(None, usize::MAX), Body::Schedule));
        each(bodies(self.emergency_sites.page(None, usize::MAX), Body::EmergencySite));
        for node in self.nodes.all() {
            each(bodies(self.slots_of(&node.id), Body::Slot));
        }
        each(bodies(self.cases.page(None, usize::MAX), Body::Case));
        each(bodies(self.figures.orientations.page(None, usize::MAX), Body::Orientation));
        each(bodies(self.figures.tallies.page(None, usize::MAX), Body::Tally));
    }

    /// A record by its key.
    fn record(&self, key: &Key) -> Option<Versioned<Body>> {
        match key {
            Key::Territory(id) => self.territories.get(id).map(|record| body(record, Body::Territory)),
            Key::Place(id) => self.places.get(id).map(|record| body(record, Body::Place)),
            Key::Practitioner(id) => self.practitioners.get(id).map(|record| body(record, Body::Practitioner)),
            Key::Schedule(id) => self.schedules.get(id).map(|record| body(record, Body::Schedule)),
            Key::EmergencySite(id) => self.emergency_sites.get(id).map(|record| body(record, Body::EmergencySite)),
            Key::Source(id) => self.sources.get(id).map(|record| body(record, Body::Source)),
            Key::Slot(id) => self.slot(id).map(|record| body(record, Body::Slot)),
            Key::Case(id) => self.cases.get(id).map(|record| body(record, Body::Case)),
            Key::Orientation(id) => self.orientation(id).map(|record| body(record, Body::Orientation)),
            Key::Tally(id) => self.tally(*id).map(|record| body(record, Body::Tally)),
            Key::Policy => self.active_policy().map(|record| body(record, Body::Policy)),
        }
    }
}

/// Removes a record, whatever its version. That of the policies, which stays as a removed one, begins anew instead.
fn removal(key: Key, position: Position) -> Change {
    let version = if key == Key::Policy { 0 } else { u64::MAX };
    Change { position, key, version, body: None }
}

fn body<T>(record: Versioned<T>, of: impl Fn(T) -> Body) -> Versioned<Body> {
    Versioned { version: record.version, value: of(record.value) }
}

fn bodies<T>(records: Vec<Versioned<T>>, of: impl Fn(T) -> Body) -> Vec<Versioned<Body>> {
    records.into_iter().map(|record| body(record, &of)).collect()
}

#[cfg(test)]
mod tests;
