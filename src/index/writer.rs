//! The one writer: takes changes and keeps everything that is derived from records in step.
//!
//! Records are taken when they are newer than what is there, whatever the order of arrival; what hangs on a record that
//! is not there yet waits in its node and is placed when the record comes.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Index;
use super::node::{Node, Standing, new_row, updated_row};
use super::shared::Shared;
use crate::domain::directory::{Place, Schedule};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::id::{PlaceId, PractitionerId, ScheduleId, SlotId};
use crate::domain::offer::{Offer, OpeningKind, Row};
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;

/// What a change did to a slot: `None` stands for a slot that is gone.
type SlotChange = (SlotId, Option<Arc<Slot>>);

/// What the writer remembers between changes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    head: Position,
    shared: Shared,
    /// Schedules by the place and the practitioner that they name.
    by_place: FxHashMap<PlaceId, FxHashSet<ScheduleId>>,
    by_practitioner: FxHashMap<PractitionerId, FxHashSet<ScheduleId>>,
    /// Where each schedule stands, when it stands anywhere.
    placed: FxHashMap<ScheduleId, Placed>,
    /// Slots whose schedule is not resolved yet.
    waiting: FxHashMap<ScheduleId, FxHashSet<SlotId>>,
}

/// Where a schedule stands.
#[derive(Clone, PartialEq, Debug, Default)]
struct Placed {
    position: Option<GeoPoint>,
    standing: Standing,
}

/// What a batch of changes touched.
#[derive(Default)]
struct Touched {
    /// Schedules whose facts changed.
    offers: FxHashSet<ScheduleId>,
    /// Slots that changed, by schedule.
    slots: FxHashMap<ScheduleId, Vec<SlotChange>>,
    sites: bool,
}

impl Touched {
    /// Notes what became of a slot; the last word of a batch counts.
    fn slot(&mut self, schedule_id: &ScheduleId, id: &SlotId, slot: Option<Arc<Slot>>) {
        let changes = self.slots.entry(schedule_id.clone()).or_default();
        match changes.iter_mut().find(|(known, _)| known == id) {
            Some((_, known)) => *known = slot,
            None => changes.push((id.clone(), slot)),
        }
    }
}

impl Writer {
    pub(super) fn apply(&mut self, index: &Index, changes: &[Change]) {
        let mut touched = Touched::default();
        for change in changes {
            self.take(index, change, &mut touched);
            self.head = self.head.max(change.position);
        }
        for (id, slots) in touched.slots {
            if touched.offers.contains(&id) {
                self.await_schedule(&id, &slots);
            } else {
                self.update_slots(index, &id, &slots);
            }
        }
        for id in &touched.offers {
            self.resolve(index, id);
        }
        if touched.sites {
            let sites = index.emergency_sites.page(None, usize::MAX);
            let with_vectors = sites.into_iter().map(|site| (EarthVector::from(&site.value.position), site.value));
            index.sites.store(Arc::new(with_vectors.collect()));
        }
        index.head.store(Arc::new(self.head));
    }

    fn take(&mut self, index: &Index, change: &Change, touched: &mut Touched) {
        let version = change.version;
        match (&change.key, &change.body) {
            (Key::Territory(id), Some(Body::Territory(territory))) => {
                index.territories.apply(id, version, Some(Arc::clone(territory)));
            }
            (Key::Place(id), Some(Body::Place(place))) => {
                if index.places.apply(id, version, Some(Arc::clone(place))) {
                    touched.offers.extend(self.by_place.get(id).into_iter().flatten().cloned());
                }
            }
            (Key::Practitioner(id), Some(Body::Practitioner(practitioner))) => {
                if index.practitioners.apply(id, version, Some(Arc::clone(practitioner))) {
                    touched.offers.extend(self.by_practitioner.get(id).into_iter().flatten().cloned());
                }
            }
            (Key::Schedule(id), Some(Body::Schedule(schedule))) => {
                self.take_schedule(index, id, version, schedule, touched);
            }
            (Key::EmergencySite(id), Some(Body::EmergencySite(site))) => {
                touched.sites |= index.emergency_sites.apply(id, version, Some(Arc::clone(site)));
            }
            (Key::Slot(id), Some(Body::Slot(slot))) => self.take_slot(index, id, version, Some(slot), touched),
            (Key::Slot(id), _) => self.take_slot(index, id, version, None, touched),
            (key, _) => remove(index, key, version, touched),
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
            if let Some(ids) = self.by_place.get_mut(&old.value.place_id) {
                ids.remove(id);
            }
            if let Some(ids) = old.value.practitioner_id.as_ref().and_then(|p| self.by_practitioner.get_mut(p)) {
                ids.remove(id);
            }
        }
        self.by_place.entry(schedule.place_id.clone()).or_default().insert(id.clone());
        if let Some(practitioner_id) = &schedule.practitioner_id {
            self.by_practitioner.entry(practitioner_id.clone()).or_default().insert(id.clone());
        }
        touched.offers.insert(id.clone());
    }

    fn take_slot(&mut self, index: &Index, id: &SlotId, version: u64, slot: Option<&Arc<Slot>>, touched: &mut Touched) {
        let old = index.slot(id);
        if old.as_ref().is_some_and(|old| old.version >= version) || (old.is_none() && slot.is_none()) {
            return;
        }
        let old = old.map(|old| old.value);
        let new = slot.map(|slot| self.shared.slot(slot));
        for claim in old.iter().flat_map(|old| &old.claims) {
            if new.as_ref().is_none_or(|new| new.claim(claim.id).is_none()) {
                index.claims.remove(&claim.id);
            }
        }
        for claim in new.iter().flat_map(|new| &new.claims) {
            index.claims.insert(claim.id, id.clone());
        }
        match &new {
            Some(new) => index.slots.insert(Versioned { version, value: Arc::clone(new) }),
            None => index.slots.remove(id),
        }
        if let Some(old) = old.filter(|old| new.as_ref().is_none_or(|new| new.schedule_id != old.schedule_id)) {
            touched.slot(&old.schedule_id, id, None);
        }
        if let Some(new) = new {
            touched.slot(&new.schedule_id.clone(), id, Some(new));
        }
    }

    /// Resolves a schedule anew and places all its slots.
    fn resolve(&mut self, index: &Index, id: &ScheduleId) {
        let node = node(index, id);
        let Some(offer) = offer(index, id) else {
            self.place(index, &node, Placed::default());
            node.offer.store(None);
            return;
        };
        let mut ids: FxHashSet<SlotId> = node.row.load().slot_ids.iter().cloned().collect();
        ids.extend(self.waiting.remove(id).unwrap_or_default());
        let slots: Vec<Arc<Slot>> = ids.iter().filter_map(|slot_id| slot_of(index, slot_id, id)).collect();
        let row = new_row(&offer, slots.iter());
        let placed = Placed { position: offer.place.position, standing: Standing::of(&row) };
        // The facts go first and the filters last: a reader that the filters send finds what they speak of.
        node.offer.store(Some(Arc::new(offer)));
        node.row.store(Arc::new(row));
        self.place(index, &node, placed);
    }

    /// Remembers slots until their schedule is resolved.
    fn await_schedule(&mut self, id: &ScheduleId, slots: &[SlotChange]) {
        let waiting = self.waiting.entry(id.clone()).or_default();
        waiting.extend(slots.iter().map(|(slot_id, _)| slot_id.clone()));
    }

    /// Takes over what became of some slots of a schedule.
    fn update_slots(&mut self, index: &Index, id: &ScheduleId, slots: &[SlotChange]) {
        let node = node(index, id);
        let Some(offer) = node.offer() else {
            self.await_schedule(id, slots);
            return;
        };
        let row = node.row.load_full();
        if !only_claims_changed(&row, &offer, slots) {
            let current: Vec<SlotChange> =
                slots.iter().map(|(slot_id, _)| (slot_id.clone(), slot_of(index, slot_id, id))).collect();
            node.row.store(Arc::new(updated_row(&row, &offer, &current)));
        }
        let standing = Standing::of(&node.row.load());
        self.place(index, &node, Placed { position: offer.place.position, standing });
    }

    /// Moves a schedule from where it stood to where it stands.
    fn place(&mut self, index: &Index, node: &Arc<Node>, new: Placed) {
        let old = self.placed.get(&node.id).cloned().unwrap_or_default();
        if old == new {
            return;
        }
        for (number, group) in index.groups.iter().enumerate() {
            let bit = 1 << number;
            let (was, is) = (old.standing.groups & bit != 0, new.standing.groups & bit != 0);
            let empty = Standing::default();
            let (before, after) = (if was { &old.standing } else { &empty }, if is { &new.standing } else { &empty });
            if was || is {
                group.remote.update(node, before, after);
            }
            let stood = old.position.filter(|_| was);
            let stands = new.position.filter(|_| is);
            match (stood, stands) {
                (Some(from), Some(to)) if from == to => group.grid.cell(&to).load().refresh(node, &new.standing),
                (from, to) => {
                    if let Some(from) = from {
                        let cell = group.grid.cell(&from);
                        cell.store(Arc::new(cell.load().without(node)));
                    }
                    if let Some(to) = to {
                        let cell = group.grid.cell(&to);
                        cell.store(Arc::new(cell.load().with(node, &EarthVector::from(&to), &new.standing)));
                    }
                }
            }
        }
        self.placed.insert(node.id.clone(), new);
    }
}

/// Gives a resolved schedule its newer record; a publish often only says "heard again", and the same facts need no new
/// place in the cells.
fn renew(index: &Index, id: &ScheduleId, schedule: &Arc<Schedule>) -> bool {
    let Some(node) = index.nodes.get(id).map(|entry| Arc::clone(entry.value())) else { return false };
    let Some(offer) = node.offer() else { return false };
    let renewed = Offer::new(Arc::clone(schedule), Arc::clone(&offer.place), offer.practitioner.clone());
    node.offer.store(Some(Arc::new(renewed)));
    true
}

/// Removes a directory record.
fn remove(index: &Index, key: &Key, version: u64, touched: &mut Touched) {
    match key {
        Key::Territory(id) => {
            index.territories.apply(id, version, None);
        }
        Key::Place(id) => {
            index.places.apply(id, version, None);
        }
        Key::Practitioner(id) => {
            index.practitioners.apply(id, version, None);
        }
        Key::Schedule(id) => {
            if index.schedules.apply(id, version, None) {
                touched.offers.insert(id.clone());
            }
        }
        Key::EmergencySite(id) => touched.sites |= index.emergency_sites.apply(id, version, None),
        Key::Slot(_) => {}
    }
}

/// Takes over new claims in place; false when more than claims changed.
fn only_claims_changed(row: &Row, offer: &Offer, slots: &[SlotChange]) -> bool {
    let found: Option<Vec<_>> = slots
        .iter()
        .map(|(slot_id, slot)| {
            let slot = slot.as_ref()?;
            let from = row.openings.partition_point(|opening| opening.start_at < slot.window.start_at());
            let ids = row.slot_ids.iter().enumerate().skip(from);
            let at = ids.take_while(|(at, _)| starts_with(row, *at, slot)).find(|(_, id)| *id == slot_id)?.0;
            let opening = row.openings.get(at)?;
            let kind = row.kinds.get(usize::from(opening.kind))?;
            let same = opening.end_at == slot.window.end_at() && *kind == OpeningKind::new(&slot.traits, offer);
            same.then_some((opening, slot.free_from()))
        })
        .collect();
    let Some(found) = found else { return false };
    for (opening, free_from) in found {
        opening.set_free_from(free_from);
    }
    true
}

fn starts_with(row: &Row, at: usize, slot: &Slot) -> bool {
    row.openings.get(at).is_some_and(|opening| opening.start_at == slot.window.start_at())
}

/// Whether two versions of a schedule differ only in when and what was last heard.
fn same_facts(old: &Schedule, new: &Schedule) -> bool {
    let heard = |schedule: &Schedule| Schedule { source_revision: 0, received_at: UtcInstant::MIN, ..schedule.clone() };
    heard(old) == heard(new)
}

fn node(index: &Index, id: &ScheduleId) -> Arc<Node> {
    Arc::clone(index.nodes.entry(id.clone()).or_insert_with(|| Arc::new(Node::new(id.clone()))).value())
}

fn offer(index: &Index, id: &ScheduleId) -> Option<Offer> {
    let schedule = index.schedules.get(id)?.value;
    let place: Arc<Place> = index.places.get(&schedule.place_id)?.value;
    let practitioner = match &schedule.practitioner_id {
        Some(practitioner_id) => Some(index.practitioners.get(practitioner_id)?.value),
        None => None,
    };
    Some(Offer::new(schedule, place, practitioner))
}

/// The slot when it belongs to this schedule.
fn slot_of(index: &Index, id: &SlotId, schedule_id: &ScheduleId) -> Option<Arc<Slot>> {
    index.slot(id).map(|slot| slot.value).filter(|slot| slot.schedule_id == *schedule_id)
}
