//! The one writer: takes changes and keeps everything that is derived from records in step.
//!
//! Records are taken when they are newer than what is there, whatever the order of arrival; what hangs on a record that
//! is not there yet waits in its node and is placed when the record comes.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{SlotChanges, Touched};
use super::cases;
use super::filling;
use super::node::Node;
use super::numbers::NumberTable;
use super::placing::{move_to, take_away};
use super::shared::Shared;
use super::{Index, PolicyRecord};
use crate::domain::directory::{Place, Practitioner, Schedule};
use crate::domain::emergency::LocatedSite;
use crate::domain::id::{ScheduleId, SlotId, SourceId};
use crate::domain::offer::{Offer, Row, SlotView};
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::share::{CaseNumber, Share, Turn};
use crate::domain::slot::{Claim, Slot};
use crate::domain::time::UtcInstant;

/// What the writer remembers between changes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    head: Position,
    shared: Shared,
    /// Whether schedules wait until every record was read.
    gathers: bool,
}

impl Writer {
    pub(super) fn apply(&mut self, index: &Index, changes: &[Change]) {
        self.head = changes.iter().map(|change| change.position).fold(self.head, Position::max);
        self.restate(index, changes);
    }

    /// What was taken stands at this position, though no change came.
    pub(super) fn advance(&mut self, index: &Index, head: Position) {
        self.head = self.head.max(head);
        self.show_head(index);
    }

    /// From now on schedules wait until [`Self::place_gathered`]: every record is being read, and nothing stands yet.
    pub(super) const fn gather(&mut self) {
        self.gathers = true;
    }

    /// Ends gathering.
    pub(super) fn place_gathered(&mut self, index: &Index) {
        if !std::mem::take(&mut self.gathers) {
            return;
        }
        filling::place_all(index);
        if let Some(observer) = index.observer.get().filter(|observer| observer.listens()) {
            observer.touched(Vec::new(), true);
        }
    }

    fn show_head(&self, index: &Index) {
        index.head.store(Arc::new(self.head));
        if let Some(observer) = index.observer.get() {
            observer.advanced();
        }
    }

    /// Takes records as they are without standing at their position: others are still to come.
    pub(super) fn restate(&mut self, index: &Index, changes: &[Change]) {
        let mut touched = Touched::default();
        changes.iter().for_each(|change| self.take(index, change, &mut touched));
        if touched.sites {
            let sites = index.emergency_sites.page(None, usize::MAX);
            let located = sites.into_iter().map(|site| LocatedSite::from(site.value));
            index.sites.store(Arc::new(located.collect()));
        }
        let surroundings = touched.sites || touched.territories || touched.policy;
        let (policy_changed, cases) = (touched.policy, std::mem::take(&mut touched.cases));
        let (moves, mut offers) = touched.moves(index);
        let settle = if self.gathers { wait } else { settle };
        for (id, slots) in &moves.coming {
            let facts_changed = offers.remove(id);
            settle(index, id, slots, facts_changed);
        }
        // A slot that goes elsewhere has come there by now, so that a reader finds it somewhere at every moment.
        for (id, slots) in &moves.leaving {
            let facts_changed = offers.remove(id);
            settle(index, id, slots, facts_changed);
        }
        for id in &offers {
            settle(index, id, &SlotChanges::default(), true);
        }
        for (claim, id) in &moves.claims_coming {
            index.claims.insert(claim, index.nodes.get_or_make(id).number);
        }
        for (claim, id) in &moves.claims_leaving {
            index.claims.remove(claim, index.nodes.get_or_make(id).number);
        }
        moves.holds.into_iter().for_each(|change| index.holds.apply(change));
        index.quarantined.apply(moves.quarantined);
        // An answer under the old policies is never stamped with their change: it looks whether they still stand after it took
        // the head.
        if let (true, Some(observer), Some(record)) = (policy_changed, index.observer.get(), index.policy_record()) {
            observer.governed(&record);
        }
        self.show_head(index);
        // Asked only now: whoever begins to listen later reads the changes.
        if let Some(observer) = index.observer.get().filter(|observer| observer.listens()) {
            let schedules = seen([&moves.coming, &moves.leaving], &offers);
            if surroundings || !schedules.is_empty() {
                observer.touched(schedules, surroundings);
            }
            if !cases.is_empty() {
                observer.refused(cases);
            }
        }
    }

    fn take(&mut self, index: &Index, change: &Change, touched: &mut Touched) {
        let version = change.version;
        match (&change.key, &change.body) {
            (Key::Territory(id), Some(Body::Territory(territory))) => {
                touched.territories |= index.territories.apply(id, version, Some(Arc::clone(territory)));
            }
            (Key::Place(id), Some(Body::Place(place))) => {
                if index.places.apply(id, version, Some(Arc::clone(place))) {
                    touched.offers.extend(schedules_naming(index, &index.by_place, id));
                }
            }
            (Key::Practitioner(id), Some(Body::Practitioner(practitioner))) => {
                if index.practitioners.apply(id, version, Some(Arc::clone(practitioner))) {
                    touched.offers.extend(schedules_naming(index, &index.by_practitioner, id));
                }
            }
            (Key::Schedule(id), Some(Body::Schedule(schedule))) => {
                self.take_schedule(index, id, version, schedule, touched);
            }
            (Key::EmergencySite(id), Some(Body::EmergencySite(site))) => {
                touched.sites |= index.emergency_sites.apply(id, version, Some(Arc::clone(site)));
            }
            (Key::Source(id), Some(Body::Source(source))) => {
                if index.sources.apply(id, version, Some(Arc::clone(source))) && !index.pulses.beat(source) {
                    touched.offers.extend(schedules_of(index, id));
                }
            }
            (Key::Orientation(id), Some(Body::Orientation(orientation))) => {
                index.figures.orientations.apply(id, version, Some(Arc::clone(orientation)));
            }
            (Key::Tally(id), Some(Body::Tally(tally))) => {
                index.figures.tallies.apply(id, version, Some(Arc::clone(tally)));
            }
            (Key::Policy, Some(Body::Policy(policy))) => {
                let policy = Some(Arc::clone(policy));
                touched.policy |= index.take_policy(PolicyRecord { version, position: change.position, policy });
            }
            (Key::Policy, _) => {
                touched.policy |= index.take_policy(PolicyRecord { version, position: change.position, policy: None });
            }
            (Key::Slot(id), Some(Body::Slot(slot))) => self.take_slot(index, id, version, Some(slot), touched),
            (Key::Case(id), Some(Body::Case(case))) => {
                cases::take(index, id, version, Some(case), touched);
            }
            (Key::Slot(id), _) => self.take_slot(index, id, version, None, touched),
            (key, _) => self.remove(index, key, version, touched),
        }
    }

    fn take_schedule(
        &mut self,
        index: &Index,
        id: &ScheduleId,
        version: u64,
        schedule: &Arc<Schedule>,
        touched: &mut Touched,
    ) {
        let old = index.schedules.get(id);
        if !index.schedules.apply(id, version, Some(Arc::clone(schedule))) {
            return;
        }
        // A publish often only says "heard again": the same facts need no new place in the cells.
        if let Some(old) = &old {
            if same_facts(&old.value, schedule) && renew(index, id, schedule) {
                return;
            }
            forget_names(index, &old.value);
        }
        let number = index.nodes.get_or_make(id).number;
        index.by_place.insert(&schedule.place_id, number);
        if let Some(practitioner_id) = &schedule.practitioner_id {
            index.by_practitioner.insert(practitioner_id, number);
        }
        touched.offers.insert(id.clone());
    }

    fn take_slot(&mut self, index: &Index, id: &SlotId, version: u64, slot: Option<&Arc<Slot>>, touched: &mut Touched) {
        let in_batch = touched.slots.get(id).map(|word| word.version);
        let known = in_batch.or_else(|| index.locate(id, |_, slot| slot.statement.version).map(|(_, version)| version));
        if known.is_some_and(|known| known >= version) || (known.is_none() && slot.is_none()) {
            return;
        }
        let value = slot.map(|slot| self.shared.slot(slot));
        touched.slots.insert(id.clone(), Versioned { version, value });
    }

    /// Removes a directory record.
    fn remove(&mut self, index: &Index, key: &Key, version: u64, touched: &mut Touched) {
        match key {
            Key::Territory(id) => {
                touched.territories |= index.territories.apply(id, version, None);
            }
            Key::Place(id) => {
                if index.places.apply(id, version, None) {
                    touched.offers.extend(schedules_naming(index, &index.by_place, id));
                }
            }
            Key::Practitioner(id) => {
                if index.practitioners.apply(id, version, None) {
                    touched.offers.extend(schedules_naming(index, &index.by_practitioner, id));
                }
            }
            Key::Schedule(id) => {
                let old = index.schedules.get(id);
                if index.schedules.apply(id, version, None) {
                    if let Some(old) = old {
                        forget_names(index, &old.value);
                    }
                    touched.offers.insert(id.clone());
                }
            }
            Key::EmergencySite(id) => touched.sites |= index.emergency_sites.apply(id, version, None),
            Key::Source(id) => {
                if index.sources.apply(id, version, None) && index.pulses.end(id) {
                    touched.offers.extend(schedules_of(index, id));
                }
            }
            Key::Case(id) => cases::take(index, id, version, None, touched),
            Key::Orientation(id) => {
                index.figures.orientations.apply(id, version, None);
            }
            Key::Tally(id) => {
                index.figures.tallies.apply(id, version, None);
            }
            Key::Slot(_) | Key::Policy => {}
        }
    }
}

/// The schedules that readers see otherwise after these moves and new facts.
fn seen(moves: [&FxHashMap<ScheduleId, SlotChanges>; 2], offers: &FxHashSet<ScheduleId>) -> Vec<ScheduleId> {
    let mut seen: Vec<ScheduleId> = moves.into_iter().flat_map(|moves| moves.keys()).chain(offers).cloned().collect();
    seen.sort_unstable();
    seen.dedup();
    seen
}

/// Makes a schedule what its facts and these changes to its slots say.
fn settle(index: &Index, id: &ScheduleId, changes: &SlotChanges, facts_changed: bool) {
    let node = index.nodes.get_or_make(id);
    let (known, waiting) = (node.offer(), node.waiting());
    let row = known.as_ref().map(|offer| &offer.row).or(waiting.as_deref());
    let slots = changes.applied_to(row);
    let offer = match &known {
        Some(known) if !facts_changed => Some(known.without_slots()),
        Some(_) | None => resolved(index, id),
    };
    match offer {
        Some(offer) => {
            let shared_before = known.as_ref().is_some_and(|known| Arc::ptr_eq(&known.share, &offer.share));
            let is_news = |slot: &&SlotView<'_>| !shared_before || changes.has(slot.id);
            slots.iter().filter(is_news).for_each(|slot| note_turns(&offer.share, slot.claims()));
            move_to(index, &node, offer.with_slots(slots));
        }
        None => {
            take_away(index, &node);
            node.wait(Row::new(slots, None));
        }
    }
    note(index, &node, changes);
}

/// Lets a schedule wait with these changes to its slots.
fn wait(index: &Index, id: &ScheduleId, changes: &SlotChanges, _facts_changed: bool) {
    let node = index.nodes.get_or_make(id);
    if changes.iter().next().is_some() {
        node.wait(Row::new(changes.applied_to(node.waiting().as_deref()), None));
        note(index, &node, changes);
    }
}

/// Every hold was a turn, whatever became of it.
pub(super) fn note_turns<'a>(share: &Share, claims: impl IntoIterator<Item = &'a Claim>) {
    for claim in claims {
        share.note(Turn::at(claim.held_at), CaseNumber::of(&claim.case_id));
    }
}

/// Notes which slots the schedule has now.
fn note(index: &Index, node: &Node, changes: &SlotChanges) {
    for change in changes.iter() {
        match (change.was_there, &change.slot) {
            (false, Some(_)) => index.slots.insert(change.id.as_str(), node.number),
            (true, None) => index.slots.remove(change.id.as_str(), node.number),
            (true, Some(_)) | (false, None) => {}
        }
    }
}

/// Gives a resolved schedule its newer record; a publish often only says "heard again", and the same facts need no new
/// place in the cells.
fn renew(index: &Index, id: &ScheduleId, schedule: &Arc<Schedule>) -> bool {
    let Some(node) = index.nodes.get(id) else { return false };
    let Some(offer) = node.offer() else { return false };
    let renewed = Offer { received_at: schedule.received_at, schedule: Arc::clone(schedule), ..Offer::clone(&offer) };
    move_to(index, &node, renewed);
    true
}

/// The schedules that a table has for what they name, and now and then another.
fn schedules_naming(index: &Index, table: &NumberTable, id: &impl Hash) -> impl Iterator<Item = ScheduleId> {
    index.nodes_of(table, id).map(|node| node.id.clone())
}

/// A schedule no longer hangs on what it named.
fn forget_names(index: &Index, old: &Schedule) {
    let number = index.nodes.get_or_make(&old.id).number;
    index.by_place.remove(&old.place_id, number);
    if let Some(practitioner_id) = &old.practitioner_id {
        index.by_practitioner.remove(practitioner_id, number);
    }
}

/// Whether two versions of a schedule differ only in when and what was last heard.
fn same_facts(old: &Schedule, new: &Schedule) -> bool {
    let heard = |schedule: &Schedule| Schedule { source_revision: 0, received_at: UtcInstant::MIN, ..schedule.clone() };
    heard(old) == heard(new)
}

/// A schedule with all that it names, without openings; `None` until that is known.
fn resolved(index: &Index, id: &ScheduleId) -> Option<Offer> {
    let schedule = index.schedules.get(id)?.value;
    let place: Arc<Place> = index.places.get(&schedule.place_id)?.value;
    let practitioner = match &schedule.practitioner_id {
        Some(practitioner_id) => Some(index.practitioners.get(practitioner_id)?.value),
        None => None,
    };
    Some(resolved_with(index, schedule, place, practitioner))
}

/// A schedule with these that it names, without openings.
pub(super) fn resolved_with(
    index: &Index,
    schedule: Arc<Schedule>,
    place: Arc<Place>,
    practitioner: Option<Arc<Practitioner>>,
) -> Offer {
    let pulse = index.pulses.of(&schedule.source_id);
    let contact_failures = cases::contact_failures(index, &schedule.id);
    let share = share_of(index, &schedule);
    share.note_first_published(schedule.first_published_at);
    Offer { contact_failures, share, ..Offer::new(schedule, place, practitioner, pulse) }
}

/// The share of whoever gives care by a schedule: that of the professional's other schedules, else its own.
fn share_of(index: &Index, schedule: &Schedule) -> Arc<Share> {
    let is_same = |offer: &Arc<Offer>| offer.schedule.practitioner_id == schedule.practitioner_id;
    let offer_of = |node: Arc<Node>| node.offer().filter(is_same);
    let known = match &schedule.practitioner_id {
        Some(id) => index.nodes_of(&index.by_practitioner, id).find_map(offer_of),
        None => index.nodes.get(&schedule.id).and_then(offer_of),
    };
    known.map(|offer| Arc::clone(&offer.share)).unwrap_or_default()
}

/// The resolved schedules of a source. It looks at all, which only a lease that begins or ends costs.
fn schedules_of(index: &Index, id: &SourceId) -> Vec<ScheduleId> {
    let is_theirs = |node: &&Arc<Node>| node.peek().as_ref().is_some_and(|offer| offer.schedule.source_id == *id);
    index.nodes.all().iter().filter(is_theirs).map(|node| node.id.clone()).collect()
}
