//! What the ledger keeps and how it changes: records by key, and after-images of them in one order.

use std::fmt;
use std::sync::Arc;

use super::case::Case;
use super::directory::{Place, Practitioner, Schedule, Territory};
use super::emergency::EmergencySite;
use super::id::{CaseId, EmergencySiteId, IdError, PlaceId, PractitionerId, ScheduleId, SlotId, SourceId, TerritoryId};
use super::orientation::Orientation;
use super::policy::ActivePolicy;
use super::slot::Slot;
use super::source::Source;
use super::tally::{Tally, TallyId, TallyIdError};

/// What the one record of its kind is called.
const POLICY_ID: &str = "active";

/// Names a record: its kind and identifier.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Key {
    /// A territory.
    Territory(TerritoryId),
    /// A place.
    Place(PlaceId),
    /// A practitioner.
    Practitioner(PractitionerId),
    /// A schedule.
    Schedule(ScheduleId),
    /// An emergency site.
    EmergencySite(EmergencySiteId),
    /// A publishing system.
    Source(SourceId),
    /// A slot.
    Slot(SlotId),
    /// A regulation file.
    Case(CaseId),
    /// What regulation decided for a case.
    Orientation(CaseId),
    /// The anonymous counts of a day.
    Tally(TallyId),
    /// The policies in force; there is one such record.
    Policy,
}

/// Why a text names no record.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The kind before the colon is unknown.
    #[error("`{0}` is no kind of record")]
    Kind(String),
    /// The identifier after the colon is wrong.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The name of the counts after the colon is wrong.
    #[error(transparent)]
    Tally(#[from] TallyIdError),
}

impl Key {
    /// Parses the form that `Display` writes, for instance `slot:abc`.
    ///
    /// # Errors
    /// When the kind is unknown or the identifier wrong.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "territory" => Ok(Self::Territory(TerritoryId::parse(id)?.value)),
            "place" => Ok(Self::Place(PlaceId::parse(id)?)),
            "practitioner" => Ok(Self::Practitioner(PractitionerId::parse(id)?.value)),
            "schedule" => Ok(Self::Schedule(ScheduleId::parse(id)?)),
            "emergency" => Ok(Self::EmergencySite(EmergencySiteId::parse(id)?)),
            "source" => Ok(Self::Source(SourceId::parse(id)?)),
            "slot" => Ok(Self::Slot(SlotId::parse(id)?)),
            "case" => Ok(Self::Case(CaseId::parse(id)?)),
            "orientation" => Ok(Self::Orientation(CaseId::parse(id)?)),
            "tally" => Ok(Self::Tally(TallyId::parse(id)?)),
            "policy" if id == POLICY_ID => Ok(Self::Policy),
            _ => Err(KeyError::Kind(kind.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Territory(id) => write!(f, "territory:{}", id.wire()),
            Self::Place(id) => write!(f, "place:{id}"),
            Self::Practitioner(id) => write!(f, "practitioner:{}", id.wire()),
            Self::Schedule(id) => write!(f, "schedule:{id}"),
            Self::EmergencySite(id) => write!(f, "emergency:{id}"),
            Self::Source(id) => write!(f, "source:{id}"),
            Self::Slot(id) => write!(f, "slot:{id}"),
            Self::Case(id) => write!(f, "case:{id}"),
            Self::Orientation(id) => write!(f, "orientation:{id}"),
            Self::Tally(id) => write!(f, "tally:{id}"),
            Self::Policy => write!(f, "policy:{POLICY_ID}"),
        }
    }
}

/// What a record says.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// A territory.
    Territory(Arc<Territory>),
    /// A place.
    Place(Arc<Place>),
    /// A practitioner.
    Practitioner(Arc<Practitioner>),
    /// A schedule.
    Schedule(Arc<Schedule>),
    /// An emergency site.
    EmergencySite(Arc<EmergencySite>),
    /// A publishing system.
    Source(Arc<Source>),
    /// A slot with its claims.
    Slot(Arc<Slot>),
    /// What is kept of a regulation file.
    Case(Arc<Case>),
    /// What regulation decided for a case.
    Orientation(Arc<Orientation>),
    /// The anonymous counts of a day.
    Tally(Arc<Tally>),
    /// The policies in force.
    Policy(Arc<ActivePolicy>),
}

impl Body {
    /// The key of the record.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Territory(territory) => Key::Territory(territory.id),
            Self::Place(place) => Key::Place(place.id.clone()),
            Self::Practitioner(practitioner) => Key::Practitioner(practitioner.id.clone()),
            Self::Schedule(schedule) => Key::Schedule(schedule.id.clone()),
            Self::EmergencySite(site) => Key::EmergencySite(site.id.clone()),
            Self::Source(source) => Key::Source(source.id.clone()),
            Self::Slot(slot) => Key::Slot(slot.id.clone()),
            Self::Case(case) => Key::Case(case.id.clone()),
            Self::Orientation(orientation) => Key::Orientation(orientation.case_id.clone()),
            Self::Tally(tally) => Key::Tally(tally.id),
            Self::Policy(_) => Key::Policy,
        }
    }
}

/// A record with its version, which grows by one with every change and starts at 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Versioned<T> {
    /// Version of the record.
    pub version: u64,
    /// What it says.
    pub value: T,
}

/// Where a change stands in the ledger's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Partition of the ledger.
    pub partition: u16,
    /// Generation of the partition's history.
    pub epoch: u64,
    /// Number of the change in the partition; never regresses.
    pub sequence: u64,
}

/// A fact that alters state: a record as it is after it, or its removal.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Where it stands.
    pub position: Position,
    /// The record it is about.
    pub key: Key,
    /// Version of the record after it.
    pub version: u64,
    /// The record after it; `None` when it is removed.
    pub body: Option<Body>,
}
