//! The state in memory: every record by identifier, and schedules arranged so that a query finds them in microseconds.
//!
//! Changes come in through [`Index::apply`] only, in the ledger's order; applying one twice, or late while a newer one
//! stands, alters nothing. Readers never wait for writers and never hold anything that writers need: what they get is
//! owned, or a snapshot in which single words change in place (filters, when a source was heard).
//!
//! Deliberately absent: rules. Which candidate suits a patient is the judge's business; and nothing here reads a clock.

mod shelf;
mod numbers;
mod reach;
mod ways;
mod tick;
mod group;
mod node;
mod nodes;
mod locating;
mod pulses;
mod sources;
mod hours;
mod block;
mod cell;
mod tile;
mod ahead;
mod scan;
mod grid;
mod remote;
mod groups;
mod search;
mod shared;
mod holds;
mod observer;
mod promises;
mod quarantined;
mod batch;
mod cases;
mod placing;
mod filling;
mod writer;
mod reload;
mod figures;
mod policy;

use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use dashmap::DashMap;
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;

use crate::domain::case::Case;
use crate::domain::code::{ProfessionSet, SpecialtySet};
use crate::domain::directory::{Place, Practitioner, Schedule, Territory};
use crate::domain::emergency::{EmergencySite, LocatedSite};
use crate::domain::id::{
    CaseId, ClaimId, EmergencySiteId, PlaceId, PractitionerId, PrincipalId, ScheduleId, SourceId, TerritoryId,
};
use crate::domain::offer::{Offer, Row};
use crate::domain::record::{Change, Position, Versioned};
use crate::domain::slot::Slot;
use crate::domain::source::Source;
use crate::domain::time::UtcInstant;

use figures::Figures;
use groups::GroupIndex;
use holds::Holds;
use nodes::Nodes;
use numbers::NumberTable;
use promises::Promises;
use pulses::Pulses;
use quarantined::Quarantined;
use reload::Reloaded;
use shelf::Shelf;
use writer::Writer;

pub use observer::Observer;
pub use policy::PolicyRecord;
pub use reach::{Reach, RemoteFrom};
pub use sources::SourceExtent;

/// Lists of the table of slots: a few hundred entries each at a million slots.
const SLOTS_LISTS: usize = 4_096;
/// Lists of the tables of claims and of names, of which there is a tenth.
const NAMES_LISTS: usize = 512;

/// Everything that is kept, in memory.
#[derive(Debug)]
pub struct Index {
    territories: Shelf<Territory>,
    places: Shelf<Place>,
    practitioners: Shelf<Practitioner>,
    schedules: Shelf<Schedule>,
    emergency_sites: Shelf<EmergencySite>,
    sources: Shelf<Source>,
    pulses: Pulses,
    cases: Shelf<Case>,
    /// In how many cases nobody of a schedule could be contacted.
    contact_failures: DashMap<ScheduleId, u32, FxBuildHasher>,
    /// Schedules by the practitioner that they name.
    by_practitioner: NumberTable,
    /// Schedules by the place that they name.
    by_place: NumberTable,
    figures: Figures,
    policy: ArcSwapOption<PolicyRecord>,
    /// Schedules by the slots that stand there.
    slots: NumberTable,
    /// Schedules by the claims on their slots.
    claims: NumberTable,
    holds: Holds,
    quarantined: Quarantined,
    nodes: Nodes,
    /// Emergency sites with their vectors, for every answer.
    sites: ArcSwap<Vec<LocatedSite>>,
    groups: Box<[GroupIndex]>,
    head: ArcSwap<Position>,
    /// One writer at a time: cells are copied, altered and swapped in, so two writers would lose each other's work.
    writer: Mutex<Writer>,
    /// Touched by whoever feeds the index alone.
    reloaded: Mutex<Reloaded>,
    promises: Promises,
    observer: OnceLock<Arc<dyn Observer>>,
}

/// How much is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Territories.
    pub territories: usize,
    /// Places.
    pub places: usize,
    /// Practitioners.
    pub practitioners: usize,
    /// Schedules.
    pub schedules: usize,
    /// Slots.
    pub slots: usize,
    /// Emergency sites.
    pub emergency_sites: usize,
    /// Holds and bookings.
    pub claims: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

impl Index {
    /// An index without records.
    #[must_use]
    pub fn new() -> Self {
        Self {
            territories: Shelf::default(),
            places: Shelf::default(),
            practitioners: Shelf::default(),
            schedules: Shelf::default(),
            emergency_sites: Shelf::default(),
            sources: Shelf::default(),
            pulses: Pulses::default(),
            cases: Shelf::default(),
            contact_failures: DashMap::with_hasher(FxBuildHasher),
            by_practitioner: NumberTable::new(NAMES_LISTS),
            by_place: NumberTable::new(NAMES_LISTS),
            figures: Figures::default(),
            policy: ArcSwapOption::empty(),
            slots: NumberTable::new(SLOTS_LISTS),
            claims: NumberTable::new(NAMES_LISTS),
            holds: Holds::default(),
            quarantined: Quarantined::default(),
            nodes: Nodes::default(),
            sites: ArcSwap::default(),
            groups: groups::all(),
            head: ArcSwap::default(),
            writer: Mutex::default(),
            reloaded: Mutex::default(),
            promises: Promises::default(),
            observer: OnceLock::new(),
        }
    }

    /// Takes changes, in order; those that are not newer than what is there alter nothing.
    pub fn apply(&self, changes: &[Change]) {
        self.writer.lock().apply(self, changes);
    }

    /// What was taken stands at this position, though no change came.
    pub fn advance(&self, head: Position) {
        self.writer.lock().advance(self, head);
    }

    /// Tells an observer from now on what changes touch; the first one stays.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.observer.get_or_init(|| observer);
    }

    /// Waits for the changes that are being taken: a record shows before what is derived from it does.
    pub fn settle(&self) {
        drop(self.writer.lock());
    }

    /// Where the last applied change stands.
    #[must_use]
    pub fn head(&self) -> Position {
        **self.head.load()
    }

    /// How much is kept.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            territories: self.territories.len(),
            places: self.places.len(),
            practitioners: self.practitioners.len(),
            schedules: self.schedules.len(),
            slots: self.slots.len(),
            emergency_sites: self.emergency_sites.len(),
            claims: self.claims.len(),
        }
    }

    /// The territory with this identifier.
    #[must_use]
    pub fn territory(&self, id: &TerritoryId) -> Option<Versioned<Arc<Territory>>> {
        self.territories.get(id)
    }

    /// The place with this identifier.
    #[must_use]
    pub fn place(&self, id: &PlaceId) -> Option<Versioned<Arc<Place>>> {
        self.places.get(id)
    }

    /// The practitioner with this identifier.
    #[must_use]
    pub fn practitioner(&self, id: &PractitionerId) -> Option<Versioned<Arc<Practitioner>>> {
        self.practitioners.get(id)
    }

    /// The schedule with this identifier.
    #[must_use]
    pub fn schedule(&self, id: &ScheduleId) -> Option<Versioned<Arc<Schedule>>> {
        self.schedules.get(id)
    }

    /// The emergency site with this identifier.
    #[must_use]
    pub fn emergency_site(&self, id: &EmergencySiteId) -> Option<Versioned<Arc<EmergencySite>>> {
        self.emergency_sites.get(id)
    }

    /// The source with this identifier, when it ever sent a heartbeat.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<Versioned<Arc<Source>>> {
        self.sources.get(id)
    }

    /// What is kept of a regulation file.
    #[must_use]
    pub fn case(&self, id: &CaseId) -> Option<Versioned<Arc<Case>>> {
        self.cases.get(id)
    }

    /// At most `limit` cases of which the last slot was over before an instant, with their versions.
    #[must_use]
    pub fn cases_ended_before(&self, before: UtcInstant, limit: usize) -> Vec<(CaseId, u64)> {
        let ended = self.cases.select(|case| case.ends_at < before, limit);
        ended.into_iter().map(|case| (case.value.id.clone(), case.version)).collect()
    }

    /// Every case that refused something.
    #[must_use]
    pub fn cases_with_refusals(&self) -> Vec<Versioned<Arc<Case>>> {
        self.cases.select(|case| !case.refusals.is_empty(), usize::MAX)
    }

    /// Holds of a regulator that live at an instant, the oldest first.
    #[must_use]
    pub fn live_holds_of(&self, regulator_id: &PrincipalId, now: UtcInstant) -> Vec<ClaimId> {
        self.holds.live(regulator_id, now)
    }

    /// A schedule with its place and practitioner; `None` until all that it names is known.
    #[must_use]
    pub fn offer(&self, id: &ScheduleId) -> Option<Arc<Offer>> {
        self.nodes.get(id).and_then(|node| node.offer())
    }

    /// The schedules of a practitioner, in order of identifier. Looks at all of them: not on the way of a query.
    #[must_use]
    pub fn schedules_of_practitioner(&self, id: &PractitionerId) -> Vec<ScheduleId> {
        let is_theirs = |schedule: &Schedule| schedule.practitioner_id.as_ref() == Some(id);
        let theirs = self.schedules.select(is_theirs, usize::MAX);
        theirs.into_iter().map(|schedule| schedule.value.id.clone()).collect()
    }

    /// The slots of a schedule in order of start, then identifier.
    #[must_use]
    pub fn slots_of(&self, id: &ScheduleId) -> Vec<Versioned<Arc<Slot>>> {
        let slots = |row: &Row| Some(row.slots().map(|slot| slot.to_slot(id)).collect());
        self.nodes.get(id).and_then(|node| node.look(slots)).unwrap_or_default()
    }

    /// At most `limit` slots that ended before an instant.
    #[must_use]
    pub fn slots_ended_before(&self, before: UtcInstant, limit: usize) -> Vec<Versioned<Arc<Slot>>> {
        let mut ended = Vec::new();
        for node in self.nodes.all() {
            let slots = |row: &Row| {
                let ended = row.slots().filter(|slot| slot.window.end_at() < before);
                Some(ended.map(|slot| slot.to_slot(&node.id)).collect::<Vec<_>>())
            };
            let slots = node.look(slots).unwrap_or_default();
            ended.extend(slots.into_iter().take(limit - ended.len()));
            if ended.len() == limit {
                break;
            }
        }
        ended
    }

    /// A page of territories after an identifier.
    #[must_use]
    pub fn territories_after(&self, after: Option<&TerritoryId>, limit: usize) -> Vec<Versioned<Arc<Territory>>> {
        self.territories.page(after, limit)
    }

    /// A page of places after an identifier.
    #[must_use]
    pub fn places_after(&self, after: Option<&PlaceId>, limit: usize) -> Vec<Versioned<Arc<Place>>> {
        self.places.page(after, limit)
    }

    /// A page of practitioners after an identifier.
    #[must_use]
    pub fn practitioners_after(
        &self,
        after: Option<&PractitionerId>,
        limit: usize,
    ) -> Vec<Versioned<Arc<Practitioner>>> {
        self.practitioners.page(after, limit)
    }

    /// A page of schedules after an identifier.
    #[must_use]
    pub fn schedules_after(&self, after: Option<&ScheduleId>, limit: usize) -> Vec<Versioned<Arc<Schedule>>> {
        self.schedules.page(after, limit)
    }

    /// A page of emergency sites after an identifier.
    #[must_use]
    pub fn emergency_sites_after(
        &self,
        after: Option<&EmergencySiteId>,
        limit: usize,
    ) -> Vec<Versioned<Arc<EmergencySite>>> {
        self.emergency_sites.page(after, limit)
    }

    /// All emergency sites with their vectors, in order of identifier.
    #[must_use]
    pub fn sites(&self) -> Arc<Vec<LocatedSite>> {
        self.sites.load_full()
    }

    /// The groups of care that these specialties and professions fall into.
    fn groups_of(&self, specialties: SpecialtySet, professions: ProfessionSet) -> impl Iterator<Item = &GroupIndex> {
        let groups = group::groups_of(specialties, professions);
        self.groups.iter().enumerate().filter(move |(number, _)| groups & (1 << number) != 0).map(|(_, group)| group)
    }
}

#[cfg(test)]
mod tests;
