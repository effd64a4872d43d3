//! A small world to test in: one source, two schedules, a ledger that can be watched and broken.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::clock::{Clock as _, ManualClock};
use crate::domain::code::{AppointmentType, Modality, ModalitySet, SpecialtySet, Visibility, VisibilitySet};
use crate::domain::department::Department;
use crate::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory};
use crate::domain::id::{
    CaseId, ClaimId, PlaceId, PractitionerId, RequestId, ScheduleId, SlotId, SourceId, TerritoryId,
};
use crate::domain::patient::NeedSet;
use crate::domain::record::Position;
use crate::domain::slot::{Claim, ClaimState, Published, Slot, SlotTraits};
use crate::domain::time::{UtcInstant, Window};
use crate::ledger::memory::MemoryLedger;
use crate::ledger::{Append, AppendOutcome, LedgerHealth, PendingAppend, PendingTrim, Unavailable};
use crate::service::*;

/// When every test begins: 2027-01-15T08:00:00Z.
pub(super) const START_MS: i64 = 1_800_000_000_000;

pub(super) struct World {
    pub(super) service: Service,
    pub(super) clock: Arc<ManualClock>,
    pub(super) ledger_clock: Arc<ManualClock>,
    pub(super) ledger: Arc<WatchedLedger>,
    pub(super) index: Arc<Index>,
    pub(super) tasks: Tasks,
}

/// Decides what becomes of an append before the ledger sees it, by its number from 0.
pub(super) type Fault = Box<dyn Fn(usize) -> Option<Unavailable> + Send>;

/// A ledger in memory that counts appends and can be told to fail.
pub(super) struct WatchedLedger {
    inner: Arc<MemoryLedger>,
    appends: AtomicUsize,
    sizes: Mutex<Vec<usize>>,
    fault: Mutex<Option<Fault>>,
    first: Mutex<Option<Overtaker>>,
}

/// What happens between the decision of a write and its append.
type Overtaker = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl WatchedLedger {
    /// How many appends were made since the last call, and the sizes of those.
    pub(super) fn take_sizes(&self) -> Vec<usize> {
        self.appends.store(0, Ordering::SeqCst);
        std::mem::take(&mut *self.sizes.lock())
    }

    /// Fails appends from now on, the next one being number 0.
    pub(super) fn fail(&self, fault: impl Fn(usize) -> Option<Unavailable> + Send + 'static) {
        self.take_sizes();
        *self.fault.lock() = Some(Box::new(fault));
    }

    /// Lets something overtake the next append, which is decided already.
    pub(super) fn overtake(&self, first: impl Future<Output = ()> + Send + 'static) {
        *self.first.lock() = Some(Box::pin(first));
    }

    pub(super) fn heal(&self) {
        *self.fault.lock() = None;
    }
}

impl Ledger for WatchedLedger {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn durability(&self) -> &'static str {
        self.inner.durability()
    }

    fn durability_class(&self) -> &'static str {
        self.inner.durability_class()
    }

    fn append(&self, append: Append) -> PendingAppend {
        let number = self.appends.fetch_add(1, Ordering::SeqCst);
        self.sizes.lock().push(append.entries.len());
        let fault = self.fault.lock().as_ref().and_then(|fault| fault(number));
        let first = self.first.lock().take();
        match (fault, first) {
            (Some(unavailable), _) => Box::pin(std::future::ready(AppendOutcome::Unavailable(unavailable))),
            (None, None) => self.inner.append(append),
            (None, Some(first)) => {
                let inner = Arc::clone(&self.inner);
                Box::pin(async move {
                    first.await;
                    inner.append(append).await
                })
            }
        }
    }

    fn trim(&self, steady_at: UtcInstant) -> PendingTrim {
        self.inner.trim(steady_at)
    }

    fn health(&self) -> LedgerHealth {
        let refusal = self.fault.lock().as_ref().map(|_| "the disk is full".to_owned());
        LedgerHealth { refusal, ..self.inner.health() }
    }
}

impl World {
    /// Nothing is known yet.
    pub(super) fn empty() -> Self {
        let clock = Arc::new(ManualClock::new(UtcInstant::from_ms(START_MS)));
        let ledger_clock = Arc::new(ManualClock::new(UtcInstant::from_ms(START_MS)));
        let index = Arc::new(Index::new());
        let inner = MemoryLedger::new(ledger_clock.clone(), Arc::new(Applier(Arc::clone(&index))));
        let ledger = Arc::new(WatchedLedger {
            inner: Arc::new(inner),
            appends: AtomicUsize::new(0),
            sizes: Mutex::default(),
            fault: Mutex::new(None),
            first: Mutex::new(None),
        });
        let tasks = Tasks::new();
        let service = Service::new(Parts {
            index: Arc::clone(&index),
            ledger: ledger.clone(),
            clock: clock.clone(),
            tasks: tasks.clone(),
            instance_id: Uuid::nil(),
            version: "test",
        });
        Self { service, clock, ledger_clock, ledger, index, tasks }
    }

    /// One source `editor` with the schedules `schedule-1` and `schedule-2` at one place.
    pub(super) async fn new() -> Self {
        let world = Self::empty();
        world.service.upsert_place(&Caller::local(), request("place"), place("place-1")).await.unwrap();
        for id in ["schedule-1", "schedule-2"] {
            world.add_schedule(id).await;
        }
        world.ledger.take_sizes();
        world
    }

    /// The same with one slot in an hour, `slot-1`.
    pub(super) async fn with_slot(capacity: u16) -> Self {
        let world = Self::new().await;
        let row = Published { capacity, ..slot("slot-1", "schedule-1", 60) };
        let rows = world.publish("publish slot-1", 1, vec![row]).await;
        assert_eq!(statuses(&rows), [RowStatus::Created]);
        world.ledger.take_sizes();
        world
    }

    pub(super) async fn add_schedule(&self, id: &str) {
        let done = self.service.upsert_schedule(&Caller::local(), request(&format!("add {id}")), schedule(id)).await;
        done.unwrap();
    }

    /// Moves both clocks.
    pub(super) fn advance_seconds(&self, seconds: i64) {
        self.clock.advance_seconds(seconds);
        self.ledger_clock.advance_seconds(seconds);
    }

    pub(super) fn now(&self) -> UtcInstant {
        self.clock.now()
    }

    pub(super) async fn publish(&self, request_id: &str, revision: u64, rows: Vec<Published>) -> Vec<RowOutcome> {
        self.service.publish(&Caller::local(), batch(request_id, revision, rows)).await.unwrap().value
    }

    pub(super) async fn hold(&self, request_id: &str) -> Result<Done<HoldView>, Error> {
        self.service.hold(&Caller::local(), hold_request(request_id)).await
    }

    pub(super) async fn confirm(&self, request_id: &str, id: ClaimId) -> Result<Done<BookingView>, Error> {
        self.service.confirm(&Caller::local(), request(request_id), id).await
    }

    pub(super) async fn release(&self, request_id: &str, id: ClaimId) -> Result<Done<HoldView>, Error> {
        self.service.release(&Caller::local(), request(request_id), id).await
    }

    pub(super) async fn cancel(&self, request_id: &str, id: ClaimId) -> Result<Done<BookingView>, Error> {
        self.service.cancel(&Caller::local(), request(request_id), id, "patient called off".to_owned()).await
    }

    /// Holds and confirms a unit of `slot-1`.
    pub(super) async fn book(&self, name: &str) -> ClaimId {
        let id = self.hold(&format!("hold {name}")).await.unwrap().value.claim.id;
        self.confirm(&format!("confirm {name}"), id).await.unwrap();
        id
    }

    pub(super) fn slot(&self, id: &str) -> Arc<Slot> {
        self.index.slot(&SlotId::parse(id).unwrap()).unwrap().value
    }

    pub(super) fn schedule(&self, id: &str) -> Arc<Schedule> {
        self.service.schedule(&ScheduleId::parse(id).unwrap()).unwrap()
    }

    pub(super) fn head(&self) -> Position {
        self.service.stamp().position
    }
}

pub(super) fn request(id: &str) -> RequestId {
    RequestId::parse(id).unwrap()
}

/// A hold of `slot-1` for a case of its own.
pub(super) fn hold_request(request_id: &str) -> HoldRequest {
    HoldRequest {
        request_id: request(request_id),
        slot_id: SlotId::parse("slot-1").unwrap(),
        case_id: CaseId::parse(&format!("dossier of {request_id}")).unwrap(),
        ttl_seconds: None,
        query: None,
        regulator_id: None,
        rebooks: None,
        authority: Authority::default(),
    }
}

pub(super) fn batch(request_id: &str, source_revision: u64, rows: Vec<Published>) -> PublishBatch {
    let parsed = |published| PublishRow::Parsed { published, warnings: vec![] };
    PublishBatch {
        request_id: request(request_id),
        source_id: SourceId::parse("editor").unwrap(),
        source_revision,
        rows: rows.into_iter().map(parsed).collect(),
    }
}

/// A window of minutes from the start of the test.
pub(super) fn window(from_minutes: i64, to_minutes: i64) -> Window {
    let at = |minutes: i64| UtcInstant::from_ms(START_MS + minutes * 60_000);
    Window::new(at(from_minutes), at(to_minutes)).unwrap()
}

/// A slot of 15 minutes that starts so many minutes after the start of the test.
pub(super) fn slot(id: &str, schedule_id: &str, start_minutes: i64) -> Published {
    Published {
        id: SlotId::parse(id).unwrap(),
        schedule_id: ScheduleId::parse(schedule_id).unwrap(),
        window: window(start_minutes, start_minutes + 15),
        capacity: 1,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[Modality::Amb]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: Arc::from(""),
        }),
    }
}

/// So many slots of a schedule, one every 15 minutes, the first in an hour.
pub(super) fn slots(schedule_id: &str, count: usize) -> Vec<Published> {
    let start = |number: usize| 60 + 15 * i64::try_from(number).unwrap();
    (0..count).map(|number| slot(&format!("{schedule_id}-{number}"), schedule_id, start(number))).collect()
}

pub(super) fn place(id: &str) -> Place {
    let department = Department::parse("69").unwrap();
    Place {
        id: PlaceId::parse(id).unwrap(),
        name: Arc::from("Maison de santé"),
        address: Arc::from("1 rue de la Gare"),
        postal_code: Arc::from("69200"),
        city: Arc::from("Vénissieux"),
        commune: None,
        department,
        position: None,
        zone: department.zone(),
        structure: None,
        phone: None,
        needs_met: NeedSet::default(),
        needs_unmet: NeedSet::default(),
    }
}

pub(super) fn practitioner() -> Practitioner {
    Practitioner {
        id: PractitionerId::parse("internal:dr-1").unwrap().value,
        family_name: Arc::from("Martin"),
        given_name: Arc::from("Anne"),
        profession: None,
        specialties: SpecialtySet::EMPTY,
        languages: vec![],
        phone: None,
    }
}

pub(super) fn territory() -> Territory {
    Territory {
        id: TerritoryId::parse("690000001").unwrap().value,
        name: Arc::from("CPTS de test"),
        communes: vec![],
        neighbours: vec![],
        phone: None,
    }
}

pub(super) fn schedule(id: &str) -> Schedule {
    Schedule {
        id: ScheduleId::parse(id).unwrap(),
        source_id: SourceId::parse("editor").unwrap(),
        place_id: PlaceId::parse("place-1").unwrap(),
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::EMPTY,
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: Arc::from(""),
        source_revision: 0,
        received_at: UtcInstant::from_ms(START_MS),
        first_published_at: None,
    }
}

pub(super) fn statuses(rows: &[RowOutcome]) -> Vec<RowStatus> {
    rows.iter().map(|row| row.status).collect()
}

/// What a caller is told of a claim.
pub(super) fn told(done: &Done<HoldView>) -> (Claim, ClaimState, Arc<Slot>) {
    let HoldView { claim, slot, state } = &done.value;
    (claim.clone(), *state, Arc::clone(slot))
}
