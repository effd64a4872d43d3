//! What an import would send, before anything is sent.
//!
//! Invariant: identifiers are unique per kind, entries stand in the order in which the file first states them, and a slot's
//! schedule, place and professional are in the plan. The same bytes give the same plan.

mod entry;
mod builder;

use chrono_tz::Tz;

use super::{ImportError, Reason, RowReport, Severity, identity};
use crate::domain::time::{UtcInstant, Window};
use crate::proto::routing as pb;

pub use super::finding::Origin;
pub(super) use builder::{PlanBuilder, SlotDraft};

/// An entry of the plan and where the file first states it.
#[derive(Clone, PartialEq, Debug)]
pub struct Planned<T> {
    /// Where it stands.
    pub origin: Origin,
    /// What will be sent.
    pub message: T,
}

/// How a slot got its identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SlotNaming {
    /// From its schedule, start and modalities, so it follows when the slot is moved.
    Derived,
    /// From its publisher.
    Given(String),
}

/// A slot of the plan.
#[derive(Clone, PartialEq, Debug)]
pub struct PlannedSlot {
    /// Where it stands.
    pub origin: Origin,
    /// What will be sent.
    pub input: pb::SlotInput,
    /// Its window, the same as the input's.
    pub window: Window,
    /// Zone of the place, for moving it by whole civil days.
    pub zone: Tz,
    /// How it got its identifier.
    pub naming: SlotNaming,
}

impl PlannedSlot {
    /// Moves the slot and names it anew.
    pub(super) fn set_window(&mut self, window: Window) {
        self.window = window;
        self.input.window = Some(window_message(window));
        let named_at = window.start_at();
        self.input.slot_id = match &self.naming {
            SlotNaming::Derived => identity::slot_id(&self.input.schedule_id, named_at, &self.input.modalities),
            SlotNaming::Given(id) => {
                identity::fitted(&format!("{id}/{}", named_at.to_chrono().format("%Y%m%dT%H%M%SZ")))
            }
        };
    }
}

/// Everything that one file asks to be sent, and what was found while reading it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ImportPlan {
    /// Territories (CPTS).
    pub territories: Vec<Planned<pb::Territory>>,
    /// Places.
    pub places: Vec<Planned<pb::Place>>,
    /// Professionals.
    pub practitioners: Vec<Planned<pb::Practitioner>>,
    /// Schedules.
    pub schedules: Vec<Planned<pb::Schedule>>,
    /// Emergency departments and SMUR bases.
    pub emergency_sites: Vec<Planned<pb::EmergencySite>>,
    /// Slots.
    pub slots: Vec<PlannedSlot>,
    /// What is said of each row, in the order of the file.
    pub row_reports: Vec<RowReport>,
}

impl ImportPlan {
    /// How many findings have this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.row_reports.iter().filter(|report| report.severity == severity).count()
    }

    /// Whether there is nothing to send.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.message_count() == 0
    }

    /// How many directory entries and slots would be sent.
    #[must_use]
    pub fn message_count(&self) -> usize {
        self.territories.len()
            + self.places.len()
            + self.practitioners.len()
            + self.schedules.len()
            + self.emergency_sites.len()
            + self.slots.len()
    }

    /// With all-or-nothing: an empty plan when a row was refused, whose report says so.
    #[must_use]
    pub fn all_or_nothing(self) -> Self {
        let refused = self.count(Severity::Refused);
        if refused == 0 {
            return self;
        }
        let mut row_reports = self.row_reports;
        let message = format!("nothing is sent, because {refused} findings refuse a row: correct them or allow a part");
        row_reports.push(RowReport::new(Origin::File, Severity::Refused, "", Reason::AllOrNothing, message));
        Self { row_reports, ..Self::default() }
    }
}

/// A window as the interface writes it.
pub(super) fn window_message(window: Window) -> pb::Window {
    pb::Window { start_at: Some(timestamp(window.start_at())), end_at: Some(timestamp(window.end_at())) }
}

fn timestamp(at: UtcInstant) -> prost_types::Timestamp {
    let chrono = at.to_chrono();
    prost_types::Timestamp {
        seconds: chrono.timestamp(),
        nanos: i32::try_from(chrono.timestamp_subsec_nanos()).unwrap_or_default(),
    }
}

/// The result of a reader.
pub(super) type ReadResult = Result<ImportPlan, ImportError>;
