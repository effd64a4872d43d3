//! The one writer: takes changes and keeps everything that is derived from records in step.
//!
//! Records are taken when they are newer than what is there, whatever the order of arrival; what hangs on a record that
//! is not there yet waits in its node and is placed when the record comes.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::Index;
use super::node::{Node, Standing, new_row, updated_row};
use super::shared::Shared;
use crate::domain::directory::{Place, Schedule};
use crate::domain::emergency::LocatedSite;
use crate::domain::geo::EarthVector;
use crate::domain::id::{PlaceId, PractitionerId, ScheduleId, SlotId};
use crate::domain::offer::Offer;
use crate::domain::record::{Body, Change, Key, Position, Versioned};
use crate::domain::slot::Slot;
use crate::domain::time::UtcInstant;

/// What a change did to a slot: `None` stands for a slot that is gone.
type SlotChange = (SlotId, Option<Arc<Slot>>);

/// Schedules of one place or practitioner: mostly one.
type ScheduleIds = SmallVec<[ScheduleId; 1]>;

/// What the writer remembers between changes.
#[derive(Debug, Default)]
pub(super) struct Writer {
    head: Position,
    shared: Shared,
    /// Schedules by the place and the practitioner that they name.
    by_place: FxHashMap<PlaceId, ScheduleIds>,
    by_practitioner: FxHashMap<PractitionerId, ScheduleIds>,
    /// Number of the newest schedule.
    last_number: u64,
    /// Slots whose schedule is not resolved yet.
    waiting: FxHashMap<ScheduleId, FxHashSet<SlotId>>,
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
            let located = sites.into_iter().map(|site| LocatedSite::from(site.value));
            index.sites.store(Arc::new(located.collect()));
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
            if let Some(ids) = self.by_place.get_mut(&old.value.place_id) {
                ids.retain(|known| known != id);
            }
            if let Some(ids) = old.value.practitioner_id.as_ref().and_then(|p| self.by_practitioner.get_mut(p)) {
                ids.retain(|known| known != id);
            }
        }
        self.by_place.entry(schedule.place_id.clone()).or_default().push(id.clone());
        if let Some(practitioner_id) = &schedule.practitioner_id {
            self.by_practitioner.entry(practitioner_id.clone()).or_default().push(id.clone());
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

    /// Removes a directory record.
    fn remove(&self, index: &Index, key: &Key, version: u64, touched: &mut Touched) {
        match key {
            Key::Territory(id) => {
                index.territories.apply(id, version, None);
            }
            Key::Place(id) => {
                if index.places.apply(id, version, None) {
                    touched.offers.extend(self.by_place.get(id).into_iter().flatten().cloned());
                }
            }
            Key::Practitioner(id) => {
                if index.practitioners.apply(id, version, None) {
                    touched.offers.extend(self.by_practitioner.get(id).into_iter().flatten().cloned());
                }
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

    /// Resolves a schedule anew and places all its slots.
    fn resolve(&mut self, index: &Index, id: &ScheduleId) {
        let node = self.node(index, id);
        let known = node.offer();
        let Some(mut offer) = offer(index, id) else {
            place(index, &node, &standing(known.as_deref()), &Standing::nowhere());
            node.set_offer(None);
            let slots = known.iter().flat_map(|known| known.row.slots()).map(|slot| slot.id.clone());
            self.waiting.entry(id.clone()).or_default().extend(slots);
            return;
        };
        let mut ids: FxHashSet<SlotId> = self.waiting.remove(id).unwrap_or_default();
        ids.extend(known.iter().flat_map(|known| known.row.slots()).map(|slot| slot.id.clone()));
        let slots: Vec<Arc<Slot>> = ids.iter().filter_map(|slot_id| slot_of(index, slot_id, id)).collect();
        offer.row = new_row(&offer, slots.iter());
        move_to(index, &node, known.as_deref(), offer);
    }

    /// Remembers slots until their schedule is resolved.
    fn await_schedule(&mut self, id: &ScheduleId, slots: &[SlotChange]) {
        let waiting = self.waiting.entry(id.clone()).or_default();
        waiting.extend(slots.iter().map(|(slot_id, _)| slot_id.clone()));
    }

    /// Takes over what became of some slots of a schedule.
    fn update_slots(&mut self, index: &Index, id: &ScheduleId, slots: &[SlotChange]) {
        let node = self.node(index, id);
        let Some(offer) = node.offer() else {
            self.await_schedule(id, slots);
            return;
        };
        if let Some(claimed) = only_claims_changed(&offer, slots) {
            let before = Standing::of(&offer);
            for (at, slot) in claimed {
                offer.row.set_slot(at, Arc::clone(slot));
            }
            place(index, &node, &before, &Standing::of(&offer));
            return;
        }
        let current: Vec<SlotChange> =
            slots.iter().map(|(slot_id, _)| (slot_id.clone(), slot_of(index, slot_id, id))).collect();
        let row = updated_row(&offer, &current);
        move_to(index, &node, Some(&offer), Offer { row, ..Offer::clone(&offer) });
    }

    fn node(&mut self, index: &Index, id: &ScheduleId) -> Arc<Node> {
        let make = || {
            self.last_number += 1;
            Arc::new(Node::new(id.clone(), self.last_number))
        };
        Arc::clone(index.nodes.entry(id.clone()).or_insert_with(make).value())
    }
}

/// Gives a schedule what is known of it now, and moves it to where that stands.
fn move_to(index: &Index, node: &Arc<Node>, known: Option<&Offer>, offer: Offer) {
    let (before, after) = (standing(known), Standing::of(&offer));
    // The facts go first and the filters last: a reader that the filters send finds what they speak of.
    node.set_offer(Some(Arc::new(offer)));
    place(index, node, &before, &after);
}

fn standing(offer: Option<&Offer>) -> Standing {
    offer.map_or_else(Standing::nowhere, Standing::of)
}

/// Moves a schedule from where it stood to where it stands.
fn place(index: &Index, node: &Arc<Node>, old: &Standing, new: &Standing) {
    if old == new {
        return;
    }
    for (number, group) in index.groups.iter().enumerate() {
        let bit = 1 << number;
        let (was, is) = (old.groups & bit != 0, new.groups & bit != 0);
        let empty = Standing::nowhere();
        let (before, after) = (if was { old } else { &empty }, if is { new } else { &empty });
        if was || is {
            group.remote.update(node, before, after);
        }
        let (stood, stands) = (old.position.filter(|_| was), new.position.filter(|_| is));
        if stood.is_some() && stood == stands && stands.is_some_and(|at| group.grid.cell(&at).load().refresh(node, new))
        {
            continue;
        }
        // A reader must never find it nowhere; that it finds it twice does no harm.
        let (from, to) = (stood.map(|at| group.grid.cell(&at)), stands.map(|at| (group.grid.cell(&at), at)));
        let stays = from.as_ref().zip(to.as_ref()).is_some_and(|(from, (to, _))| Arc::ptr_eq(from, to));
        if let Some((cell, at)) = to {
            let known = cell.load();
            let without = stays.then(|| known.without(node));
            let with = without.as_ref().unwrap_or(&known).with(node, &EarthVector::from(&at), new);
            cell.store(Arc::new(with));
        }
        if let Some(cell) = from.filter(|_| !stays) {
            cell.store(Arc::new(cell.load().without(node)));
        }
    }
}

/// Gives a resolved schedule its newer record; a publish often only says "heard again", and the same facts need no new
/// place in the cells.
fn renew(index: &Index, id: &ScheduleId, schedule: &Arc<Schedule>) -> bool {
    let Some(node) = index.nodes.get(id).map(|entry| Arc::clone(entry.value())) else { return false };
    let Some(offer) = node.offer() else { return false };
    let renewed = Offer { received_at: schedule.received_at, schedule: Arc::clone(schedule), ..Offer::clone(&offer) };
    move_to(index, &node, Some(&offer), renewed);
    true
}

/// Where the slots stand in their row; `None` when more than claims changed.
fn only_claims_changed<'a>(offer: &Offer, slots: &'a [SlotChange]) -> Option<Vec<(usize, &'a Arc<Slot>)>> {
    let find = |(_, slot): &'a SlotChange| {
        let slot = slot.as_ref()?;
        let at = offer.row.position(slot)?;
        let known = offer.row.slot(at)?;
        (known.window == slot.window && known.traits == slot.traits).then_some((at, slot))
    };
    slots.iter().map(find).collect()
}

/// Whether two versions of a schedule differ only in when and what was last heard.
fn same_facts(old: &Schedule, new: &Schedule) -> bool {
    let heard = |schedule: &Schedule| Schedule { source_revision: 0, received_at: UtcInstant::MIN, ..schedule.clone() };
    heard(old) == heard(new)
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
