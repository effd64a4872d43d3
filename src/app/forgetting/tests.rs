//! Starts and stops over a real file: what is forgotten by which clock.

use std::sync::Arc;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::clock::ManualClock;
use crate::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::id::{ScheduleId, SlotId};
use crate::domain::record::Body;
use crate::domain::slot::{Published, Slot, SlotTraits};
use crate::domain::time::{MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, UtcInstant, Window};
use crate::index::Index;
use crate::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use crate::ledger::{Append, AppendOutcome, Entry, Ledger};
use crate::service::{Applier, Parts};
use crate::tasks::Tasks;

const START_MS: i64 = 1_800_000_000_000;

/// A service that runs.
struct Running {
    forgetting: Forgetting,
    clock: Arc<ManualClock>,
    ledger: Arc<EmbeddedLedger>,
    index: Arc<Index>,
    elapsed: Duration,
}

impl Running {
    /// Starts over a folder, with a clock that is so far from where it stood at first.
    fn start(folder: &TempDir, after_ms: i64) -> Self {
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(START_MS + after_ms)));
        let index = Arc::new(Index::new());
        let (shared, sink) = (Arc::clone(&clock) as SharedClock, Arc::new(Applier(Arc::clone(&index))));
        let options = EmbeddedOptions::default();
        let ledger = Arc::new(EmbeddedLedger::open(folder.path(), options, Arc::clone(&shared), sink).unwrap());
        let parts = Parts {
            index: Arc::clone(&index),
            ledger: Arc::clone(&ledger) as Arc<dyn Ledger>,
            clock: Arc::clone(&shared),
            tasks: Tasks::new(),
            instance_id: Uuid::nil(),
            version: "test",
        };
        let forgetting = Forgetting::new(Service::new(parts), shared);
        Self { forgetting, clock, ledger, index, elapsed: Duration::ZERO }
    }

    /// Lets minutes pass, in which the clock goes evenly, and looks.
    async fn pass(&mut self, minutes: i64) {
        self.clock.advance_ms(minutes * MS_PER_MINUTE);
        self.elapsed += Duration::from_millis(u64::try_from(minutes * MS_PER_MINUTE).unwrap());
        self.forgetting.step(self.elapsed).await;
    }

    /// Publishes a slot that is over an hour after the first start.
    async fn publish(&self, id: &str) {
        let at = |hours: i64| UtcInstant::from_ms(START_MS + hours * MS_PER_HOUR);
        let traits = SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        };
        let published = Published {
            id: SlotId::parse(id).unwrap(),
            schedule_id: ScheduleId::parse("schedule-1").unwrap(),
            window: Window::new(at(0), at(1)).unwrap(),
            capacity: 1,
            traits: Arc::new(traits),
        };
        let slot = Slot::from_published(published, 1, at(0));
        let entries = vec![Entry::put(Body::Slot(slot.into()), 0)];
        let outcome = self.ledger.append(Append { entries, request: None }).await;
        assert!(matches!(outcome, AppendOutcome::Appended { .. }));
    }

    /// Whether the slot is still known.
    fn has_slot(&self) -> bool {
        self.index.slot(&SlotId::parse("slot-1").unwrap()).is_some()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.forgetting.service.conditions().iter().map(|condition| condition.kind.code()).collect()
    }

    fn stop(self) {
        self.ledger.close();
    }
}

/// A folder in which the slot stands, and a steady clock was recorded at the start.
async fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut first = Running::start(&folder, 0);
    first.publish("slot-1").await;
    first.pass(0).await;
    assert!(first.has_slot() && first.codes().is_empty());
    first.stop();
    folder
}

#[tokio::test]
async fn a_clock_that_starts_far_ahead_forgets_nothing_for_an_hour() {
    let folder = folder().await;
    let mut running = Running::start(&folder, 9 * MS_PER_DAY);
    assert_eq!(running.codes(), ["CLOCK_NOT_TRUSTED"], "said before the first step");
    for minutes in [0, 5, 54] {
        running.pass(minutes).await;
        assert!(running.has_slot());
        assert_eq!(running.codes(), ["CLOCK_NOT_TRUSTED"]);
    }
    running.pass(1).await;
    assert!(!running.has_slot());
    assert!(running.codes().is_empty());
    running.stop();
    let mut again = Running::start(&folder, 9 * MS_PER_DAY + MS_PER_HOUR);
    again.pass(0).await;
    assert!(again.codes().is_empty(), "it is recorded now");
}

#[tokio::test]
async fn starting_again_does_not_make_a_wrong_clock_trusted() {
    let folder = folder().await;
    for minutes in [0, 30, 45] {
        let mut running = Running::start(&folder, 9 * MS_PER_DAY + minutes * MS_PER_MINUTE);
        running.publish(&format!("slot-{minutes}")).await;
        running.pass(10).await;
        assert!(running.has_slot());
        assert_eq!(running.codes(), ["CLOCK_NOT_TRUSTED"]);
        running.stop();
    }
}

#[tokio::test]
async fn a_clock_that_starts_behind_is_not_trusted_either() {
    let folder = folder().await;
    let mut running = Running::start(&folder, -6 * MS_PER_MINUTE);
    assert_eq!(running.codes(), ["LEDGER_CLOCK_AHEAD", "CLOCK_NOT_TRUSTED"]);
    running.pass(6).await;
    assert_eq!(running.codes(), ["CLOCK_NOT_TRUSTED"]);
}

#[tokio::test]
async fn after_a_long_weekend_all_is_as_ever() {
    let folder = folder().await;
    let mut running = Running::start(&folder, 4 * MS_PER_DAY + 15 * MS_PER_HOUR);
    running.pass(0).await;
    assert!(!running.has_slot() && running.codes().is_empty());
}
