//! The index, as facts and as properties: what a search hands to a judge, and what becomes of changes in any order.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::case::{Refusal, RefusalReason};
use crate::domain::code::{
    AppointmentType, AppointmentTypeSet, Modality, ModalitySet, Specialty, Visibility, VisibilitySet,
};
use crate::domain::department::Department;
use crate::domain::directory::PatientLimits;
use crate::domain::geo::GeoPoint;
use crate::domain::id::{CaseId, SlotId, SourceId};
use crate::domain::offer::{Candidate, CareWays, Judge};
use crate::domain::patient::NeedSet;
use crate::domain::record::{Body, Key};
use crate::domain::slot::{NewHold, Published, SlotTraits};
use crate::domain::time::Window;

const NOON_MS: i64 = 1_795_431_600_000;

fn minute(minutes: i64) -> UtcInstant {
    UtcInstant::from_ms(NOON_MS + minutes * 60_000)
}

pub(super) fn place(number: usize, latitude: f64, longitude: f64) -> Body {
    Body::Place(Arc::new(Place {
        id: PlaceId::parse(&format!("place-{number}")).unwrap(),
        name: "Cabinet".into(),
        address: "1 rue".into(),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune: None,
        department: Department::parse("69").unwrap(),
        position: Some(GeoPoint::new(latitude, longitude).unwrap()),
        zone: chrono_tz::Europe::Paris,
        structure: None,
        phone: None,
        needs_met: NeedSet::EMPTY,
        needs_unmet: NeedSet::EMPTY,
    }))
}

pub(super) fn schedule(number: usize, place: usize) -> Body {
    Body::Schedule(Arc::new(Schedule {
        id: ScheduleId::parse(&format!("schedule-{number}")).unwrap(),
        source_id: SourceId::parse("test").unwrap(),
        place_id: PlaceId::parse(&format!("place-{place}")).unwrap(),
        practitioner_id: None,
        territories: vec![],
        specialties: SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]),
        limits: PatientLimits::default(),
        home_visit_radius_m: None,
        no_show_call_back: None,
        booking_url: "".into(),
        source_revision: 1,
        received_at: minute(-60),
        first_published_at: None,
    }))
}

pub(super) fn slot(schedule: usize, number: i64, modality: Modality) -> Slot {
    let published = Published {
        id: SlotId::parse(&format!("schedule-{schedule}/{number}")).unwrap(),
        schedule_id: ScheduleId::parse(&format!("schedule-{schedule}")).unwrap(),
        window: Window::new(minute(number * 15), minute(number * 15 + 15)).unwrap(),
        capacity: 1,
        traits: Arc::new(SlotTraits {
            modalities: ModalitySet::of(&[modality]),
            appointment_type: AppointmentType::Routine,
            visibilities: VisibilitySet::of(&[Visibility::Public]),
            specialties: SpecialtySet::EMPTY,
            territories: vec![],
            motives: vec![],
            booking_url: "".into(),
        }),
    };
    Slot::from_published(published, 1, minute(-60))
}

pub(super) fn body(slot: Slot) -> Body {
    Body::Slot(Arc::new(slot))
}

pub(super) fn change(sequence: u64, version: u64, body: Body) -> Change {
    Change { position: Position { partition: 0, epoch: 1, sequence }, key: body.key(), version, body: Some(body) }
}

/// Everything that a search hands over, as schedule and claimable slots.
#[derive(Default)]
struct Collector(std::collections::BTreeMap<String, Vec<String>>);

impl Judge for Collector {
    fn earliest_at(&self, _distance_m: u32, _ways: CareWays) -> UtcInstant {
        minute(0)
    }

    fn least_cost(&self, _distance_m: u32, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn least_remote_cost(&self, _care_begins_at: UtcInstant) -> u32 {
        0
    }

    fn territory_cost(&self, _territories: &[TerritoryId]) -> u32 {
        0
    }

    fn staleness_cost(&self, _received_at: UtcInstant) -> u32 {
        0
    }

    fn bound(&self) -> u32 {
        u32::MAX
    }

    fn admits_at_bound(&self, _id: &ScheduleId) -> bool {
        true
    }

    fn judged_in_order(&self) -> usize {
        0
    }

    fn judge(&mut self, candidate: Candidate<'_>) {
        let free = candidate.offer.row.openings().iter().zip(candidate.offer.row.slots());
        let free = free.filter(|(opening, _)| opening.free_from() <= minute(0)).map(|(_, slot)| slot.id.to_string());
        self.0.insert(candidate.offer.schedule.id.to_string(), free.collect());
    }
}

pub(super) fn seen(index: &Index, radius_m: u32, modality: Modality) -> Vec<(String, Vec<String>)> {
    let mut collector = Collector::default();
    let reach = Reach {
        position: GeoPoint::new(45.70, 4.88).ok(),
        radius_m,
        now: minute(0),
        until: minute(24 * 60),
        modalities: ModalitySet::of(&[modality]),
        appointment_types: AppointmentTypeSet::ALL,
        visibilities: VisibilitySet::ALL,
        specialties: SpecialtySet::of(&[Specialty::parse("SM54").unwrap()]),
        professions: ProfessionSet::EMPTY,
        by_place: modality != Modality::Vr,
        by_time: modality == Modality::Vr,
        remote_from: None,
        exhaustive: false,
    };
    index.search(&reach, &mut collector);
    collector.0.into_iter().collect()
}

fn one(schedule: &str, slots: &[&str]) -> (String, Vec<String>) {
    (schedule.to_owned(), slots.iter().map(|slot| (*slot).to_owned()).collect())
}

#[test]
fn a_slot_waits_for_its_schedule_and_place() {
    let index = Index::new();
    index.apply(&[change(1, 1, body(slot(1, 2, Modality::Amb)))]);
    index.apply(&[change(2, 1, schedule(1, 1))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), []);
    index.apply(&[change(3, 1, place(1, 45.70, 4.89))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), [one("schedule-1", &["schedule-1/2"])]);
    assert_eq!(index.slots_of(&ScheduleId::parse("schedule-1").unwrap()).len(), 1);
}

#[test]
fn a_place_that_moves_takes_its_schedules_along() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))]);
    index.apply(&[change(3, 1, body(slot(1, 2, Modality::Amb)))]);
    index.apply(&[change(4, 2, place(1, 48.85, 2.35))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), []);
    assert_eq!(seen(&index, 300_000, Modality::Amb), [], "Paris is 390 km away");
}

#[test]
fn a_held_slot_is_free_again_when_the_hold_ends() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))]);
    let free = slot(1, 2, Modality::Amb);
    index.apply(&[change(3, 1, body(free.clone()))]);
    let claim = ClaimId::from_uuid(uuid::Uuid::from_u128(7));
    let new = |expires_at| NewHold { id: claim, case_id: CaseId::parse("c").unwrap(), regulator_id: None, expires_at };
    let held = free.hold(new(minute(2)), minute(-1)).unwrap().slot;
    index.apply(&[change(4, 2, body(held))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), [one("schedule-1", &[])]);
    assert_eq!(index.slot_of_claim(claim).unwrap().as_str(), "schedule-1/2");
    let over = free.hold(new(minute(-2)), minute(-5)).unwrap().slot;
    index.apply(&[change(5, 3, body(over))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), [one("schedule-1", &["schedule-1/2"])]);
}

#[test]
fn a_schedule_with_nothing_to_claim_is_not_looked_at() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89)), change(2, 1, schedule(1, 1))]);
    let free = slot(1, 2, Modality::Vr);
    index.apply(&[change(3, 1, body(free.clone()))]);
    assert_eq!(seen(&index, 5_000, Modality::Amb), []);
    assert_eq!(seen(&index, 5_000, Modality::Vr), [one("schedule-1", &["schedule-1/2"])]);
    index.apply(&[change(4, 2, body(free.withdraw(2, minute(-1)).unwrap()))]);
    assert_eq!(seen(&index, 5_000, Modality::Vr), []);
    let id = free.id.clone();
    let removed = Change { body: None, ..change(5, 3, body(free)) };
    index.apply(&[removed]);
    assert!(index.slot(&id).is_none() && index.counts().slots == 0);
}

#[test]
fn a_schedule_never_vanishes_while_its_territories_change() {
    let index = Index::new();
    let mut sequence = 0;
    let mut apply = |version, body| {
        sequence += 1;
        index.apply(&[change(sequence, version, body)]);
    };
    apply(1, place(1, 45.70, 4.89));
    for number in 0..150 {
        apply(1, schedule(number, 1));
        apply(1, body(slot(number, 2, Modality::Amb)));
    }
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(seen(&index, 5_000, Modality::Amb).len(), 150);
            }
        });
        for version in 2..400_u64 {
            let mut changed = slot(7, 2, Modality::Amb);
            let territory = TerritoryId::parse(&format!("{:09}", 750_000_000 + version)).unwrap().value;
            Arc::make_mut(&mut changed.traits).territories = vec![territory];
            apply(version, body(changed));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    });
}

#[test]
fn a_heartbeat_reaches_every_schedule_of_its_source() {
    let index = Index::new();
    index.apply(&[change(1, 1, place(1, 45.70, 4.89))]);
    for number in 1..=2 {
        index.apply(&[change(2, 1, schedule(number, 1)), change(3, 1, body(slot(number, 2, Modality::Amb)))]);
    }
    let source = |version, lease_seconds, heard_at| {
        let source = Source { id: SourceId::parse("test").unwrap(), lease_seconds, heard_at };
        change(4, version, Body::Source(Arc::new(source)))
    };
    let heard = |number: usize| {
        let offer = index.offer(&ScheduleId::parse(&format!("schedule-{number}")).unwrap()).unwrap();
        (offer.pulse.is_leased(), offer.heard_at())
    };
    assert_eq!((heard(1), heard(2)), ((false, minute(-60)), (false, minute(-60))), "its own word");
    index.apply(&[source(1, Some(300), minute(-2))]);
    assert_eq!((heard(1), heard(2)), ((true, minute(-2)), (true, minute(-2))));
    index.apply(&[source(3, Some(300), minute(3))]);
    index.apply(&[source(2, Some(300), minute(1))]);
    assert_eq!((heard(1), heard(2)), ((true, minute(3)), (true, minute(3))), "late news is no news");
    index.apply(&[change(5, 1, schedule(3, 1))]);
    assert_eq!(heard(3), (true, minute(3)), "a schedule that comes later too");
    index.apply(&[source(4, None, minute(4))]);
    assert_eq!((heard(1), heard(3)), ((false, minute(-60)), (false, minute(-60))), "the lease has ended");
    assert_eq!(seen(&index, 5_000, Modality::Amb).len(), 2);
}

#[test]
fn an_old_change_alters_nothing() {
    let index = Index::new();
    let free = slot(1, 2, Modality::Amb);
    index.apply(&[change(2, 2, body(free.withdraw(2, minute(-1)).unwrap()))]);
    index.apply(&[change(1, 1, body(free.clone()))]);
    assert_eq!(index.slot(&free.id).unwrap().version, 2);
    assert_eq!(index.slot(&free.id).unwrap().value.state, crate::domain::slot::SlotState::Withdrawn);
}

pub(super) fn history() -> Vec<Change> {
    let mut sequence = 0;
    let mut next = |version, body| {
        sequence += 1;
        change(sequence, version, body)
    };
    let mut changes = Vec::new();
    for number in 1..=4 {
        let east = 0.02 * f64::from(u32::try_from(number).unwrap());
        changes.push(next(1, place(number, 45.70, 4.88 + east)));
        changes.push(next(1, schedule(number, number)));
        changes.push(next(2, schedule(number, 1 + number % 4)));
        for at in 1..=3 {
            let modality = if at == 3 { Modality::Vr } else { Modality::Amb };
            let free = slot(number, at, modality);
            changes.push(next(1, body(free.clone())));
            if at == 2 {
                changes.push(next(2, body(free.withdraw(2, minute(-1)).unwrap())));
            }
        }
        changes.push(next(2, place(number, 45.71, 4.88 + east)));
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn changes_in_any_order_give_the_same_state(
        order in Just(history()).prop_shuffle(),
        batch in 1usize..8,
    ) {
        let (in_order, shuffled) = (Index::new(), Index::new());
        in_order.apply(&history());
        for changes in order.chunks(batch) {
            shuffled.apply(changes);
        }
        prop_assert_eq!(in_order.counts(), shuffled.counts());
        prop_assert_eq!(in_order.head(), shuffled.head());
        for modality in [Modality::Amb, Modality::Vr] {
            prop_assert_eq!(seen(&in_order, 20_000, modality), seen(&shuffled, 20_000, modality));
        }
        for change in history() {
            if let Key::Slot(id) = change.key {
                prop_assert_eq!(in_order.slot(&id), shuffled.slot(&id));
            }
        }
    }
}

/// Notes what it is told, and whether the head stood there already.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) index: std::sync::Weak<Index>,
    pub(super) told: Mutex<Vec<(Vec<String>, bool, u64)>>,
}

impl Observer for Listener {
    fn listens(&self) -> bool {
        true
    }

    fn governed(&self, _record: &PolicyRecord) {
        let head = self.index.upgrade().map_or(0, |index| index.head().sequence);
        self.told.lock().push((vec!["policies".to_owned()], false, head));
    }

    fn touched(&self, schedules: Vec<ScheduleId>, surroundings: bool) {
        let head = self.index.upgrade().map_or(0, |index| index.head().sequence);
        let schedules = schedules.iter().map(ToString::to_string).collect();
        self.told.lock().push((schedules, surroundings, head));
    }

    fn doubted(&self) {}

    fn refused(&self, cases: Vec<CaseId>) {
        let head = self.index.upgrade().map_or(0, |index| index.head().sequence);
        let cases = cases.iter().map(ToString::to_string).collect();
        self.told.lock().push((cases, false, head));
    }
}

#[test]
fn an_observer_hears_what_a_batch_touched_once_readers_see_it() {
    let index = Arc::new(Index::new());
    let listener = Arc::new(Listener { index: Arc::downgrade(&index), told: Mutex::default() });
    index.observe(Arc::<Listener>::clone(&listener));
    let heard = |changes: &[Change]| {
        index.apply(changes);
        std::mem::take(&mut *listener.told.lock())
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let directory = [change(1, 1, place(1, 45.7, 4.8)), change(2, 1, schedule(1, 1)), change(3, 1, schedule(2, 1))];
    assert_eq!(heard(&directory), [(names(&["schedule-1", "schedule-2"]), false, 3)]);
    let taken = change(4, 1, body(slot(1, 4, Modality::Amb)));
    assert_eq!(heard(std::slice::from_ref(&taken)), [(names(&["schedule-1"]), false, 4)]);
    assert_eq!(heard(&[taken]), [], "nothing is newer");
    let Body::Schedule(again) = schedule(1, 1) else { panic!("a schedule") };
    let again = Schedule { received_at: minute(0), source_revision: 2, ..Schedule::clone(&again) };
    assert_eq!(heard(&[change(5, 2, Body::Schedule(Arc::new(again)))]), [], "only heard again");
    let refusal = Refusal {
        slot_id: SlotId::parse("slot-1").unwrap(),
        schedule_id: ScheduleId::parse("schedule-1").unwrap(),
        practitioner_id: None,
        reason: RefusalReason::TooFar,
        refused_at: minute(0),
        regulator_id: None,
    };
    let case = Case::new(CaseId::parse("dossier").unwrap());
    let refused = case.refused(refusal, minute(60));
    assert_eq!(heard(&[change(6, 1, Body::Case(Arc::new(case)))]), [], "it refuses nothing");
    assert_eq!(heard(&[change(7, 2, Body::Case(Arc::new(refused)))]), [(names(&["dossier"]), false, 7)]);
    let moved = Slot { schedule_id: ScheduleId::parse("schedule-2").unwrap(), ..slot(1, 4, Modality::Amb) };
    assert_eq!(heard(&[change(8, 2, body(moved))]), [(names(&["schedule-1", "schedule-2"]), false, 8)]);
    assert_eq!(heard(&[change(9, 2, place(1, 45.8, 4.8))]), [(names(&["schedule-1", "schedule-2"]), false, 9)]);
}
