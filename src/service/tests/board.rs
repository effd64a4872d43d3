//! The board: what it says of a need is what looking at every slot says, and it is worked out once for everybody.

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use crate::clock::{Clock, ManualClock};

use super::world::{World, request, schedule, slot, territory};
use crate::domain::code::{AppointmentType, PatientCategory, Specialty, SpecialtySet};
use crate::domain::directory::{PatientLimits, Place, Schedule};
use crate::domain::geo::GeoPoint;
use crate::domain::id::SlotId;
use crate::domain::patient::Age;
use crate::domain::slot::{Published, SlotState, SlotTraits};
use crate::domain::tension::AskedFor;
use crate::service::*;

/// A slot as drawn: of which schedule, start in minutes, capacity, walk-in or not, and of which specialty.
type Drawn = (usize, i64, u16, bool, usize);

const SPECIALTIES: [&str; 3] = ["SM54", "SM40", "SM26"];

fn specialties(at: usize) -> SpecialtySet {
    SPECIALTIES.get(at).map(|code| Specialty::parse(code).unwrap()).into_iter().collect()
}

/// Two schedules of one CPTS, the second for children, with these slots, of which some are held.
async fn settled(drawn: &[Drawn], held: usize) -> World {
    let world = World::new().await;
    let service = &world.service;
    service.upsert_territory(&Caller::local(), request("territory"), territory()).await.unwrap();
    for (id, max_years) in [("schedule-1", None), ("schedule-2", Some(16))] {
        let limits = PatientLimits { max_age: max_years.map(Age::from_years), ..PatientLimits::default() };
        let own = Schedule { territories: vec![territory().id], limits, specialties: specialties(0), ..schedule(id) };
        service.upsert_schedule(&Caller::local(), request(&format!("own {id}")), own).await.unwrap();
    }
    let row = |(number, (of, start, capacity, walk_in, specialty)): (usize, &Drawn)| {
        let plain = slot(&format!("slot-{number}"), &format!("schedule-{}", of + 1), *start);
        let appointment_type = if *walk_in { AppointmentType::Walkin } else { AppointmentType::Routine };
        let traits = SlotTraits { appointment_type, specialties: specialties(*specialty), ..(*plain.traits).clone() };
        Published { capacity: *capacity, traits: Arc::new(traits), ..plain }
    };
    if !drawn.is_empty() {
        world.publish("publish", 1, drawn.iter().enumerate().map(row).collect()).await;
    }
    for number in 0..held.min(drawn.len()).min(8) {
        let hold = HoldRequest {
            slot_id: SlotId::parse(&format!("slot-{number}")).unwrap(),
            ..super::world::hold_request(&format!("hold-{number}"))
        };
        let _ = service.hold(&Caller::local(), hold).await;
    }
    world
}

/// The first start and the units of a day, by looking at every slot.
fn looked_at(world: &World, need: &str, band: PatientCategory, now: UtcInstant) -> (Option<UtcInstant>, usize) {
    let mut first = None;
    let mut free = 0;
    for schedule in world.index.schedules_after(None, usize::MAX) {
        let takes_children_only = schedule.value.limits.max_age.is_some();
        if takes_children_only && !matches!(band, PatientCategory::Nourrisson | PatientCategory::Enfant) {
            continue;
        }
        for slot in world.index.slots_of(&schedule.value.id) {
            let own = slot.value.traits.specialties;
            let of = if own.is_empty() { schedule.value.specialties } else { own };
            let general = of.iter().any(Specialty::is_general_practice);
            if (need == "SM54") != general || slot.value.state != SlotState::Open {
                continue;
            }
            let (start_at, end_at) = (slot.value.window.start_at(), slot.value.window.end_at());
            let begins_at = match slot.value.traits.appointment_type {
                AppointmentType::Routine if start_at >= now => start_at,
                AppointmentType::Walkin if end_at > now => start_at.max(now),
                AppointmentType::Routine | AppointmentType::Walkin => continue,
            };
            let remaining = slot.value.remaining_count(now);
            if remaining > 0 {
                first = first.into_iter().chain([begins_at]).min();
                free += if begins_at.ms_since(now) < 86_400_000 { remaining } else { 0 };
            }
        }
    }
    (first, free)
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let starts: Range<i64> = 1..2_880;
    prop::collection::vec((0..2_usize, starts, 1..4_u16, any::<bool>(), 0..4_usize), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_first_slot_of_a_need_is_the_one_that_looking_at_every_slot_finds(
        drawn in drawn(), held in 0..8_usize, later in 0..1_440_i64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = settled(&drawn, held).await;
            world.advance_seconds(later * 60);
            let now = world.now();
            let board = world.service.board().await;
            for row in &board.tension.rows {
                let need = row.need.code();
                let (first, free) = looked_at(&world, need, row.age_band, now);
                assert!(row.schedule_count <= 2, "a schedule counts once");
                assert_eq!(row.first_slot_at, first, "{need} {:?}", row.age_band);
                assert_eq!(usize::try_from(row.free_count).unwrap(), free, "{need} {:?}", row.age_band);
                let state = match first {
                    None => TensionState::NoneFree,
                    Some(at) if at.ms_since(now) <= 86_400_000 => TensionState::Met,
                    Some(_) => TensionState::Tense,
                };
                assert_eq!(row.state, state);
            }
            assert!(board.tension.rows.is_sorted_by_key(|row| row.state), "the tensest first");
            let pediatric = drawn.iter().any(|(_, _, _, _, specialty)| *specialty == 1);
            let paediatrics = AskedFor::Specialty(Specialty::parse("SM40").unwrap());
            assert_eq!(board.tension.rows.iter().any(|row| row.need == paediatrics), pediatric);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_at_once_gets_one_board() {
    let world = settled(&[(0, 60, 1, false, 3)], 0).await;
    let asked = (0..16).map(|_| {
        let service = world.service.clone();
        world.tasks.spawn(async move { service.board().await })
    });
    let asked: Vec<_> = asked.collect();
    let mut boards = Vec::new();
    for board in asked {
        boards.push(board.await.unwrap());
    }
    assert!(boards.iter().all(|board| Arc::ptr_eq(board, &boards[0])));
    assert!(Arc::ptr_eq(&world.service.last_board().unwrap(), &boards[0]));
    world.advance_seconds(2);
    let next = world.service.board().await;
    assert!(next.revision > boards[0].revision && next.at > boards[0].at);
}

/// A clock by which time passes whenever somebody looks at it.
struct Passing(Arc<ManualClock>, AtomicI64);

impl Clock for Passing {
    fn now(&self) -> UtcInstant {
        self.0.advance_ms(self.1.load(Ordering::SeqCst));
        self.0.now()
    }
}

#[tokio::test]
async fn a_look_that_took_long_stands_a_hundred_times_as_long() {
    let world = settled(&[(0, 60, 1, false, 3)], 0).await;
    let passing = Arc::new(Passing(Arc::clone(&world.clock), AtomicI64::new(50)));
    let service = Service::new(Parts {
        index: Arc::clone(&world.index),
        ledger: world.ledger.clone(),
        clock: passing.clone(),
        tasks: world.tasks.clone(),
        instance_id: uuid::Uuid::nil(),
        version: "test",
    });
    let first = service.board().await;
    passing.1.store(0, Ordering::SeqCst);
    assert_eq!((first.tension_at, first.tension.rows[0].state), (first.at, TensionState::Met));
    let hold = HoldRequest { slot_id: SlotId::parse("slot-0").unwrap(), ..super::world::hold_request("held") };
    world.service.hold(&Caller::local(), hold).await.unwrap();
    let board_at = async |ms: i64| {
        world.clock.advance_ms(first.tension_at.ms() + ms - world.now().ms());
        service.board().await
    };
    // What is cheap is told anew, the rest is said to be of before.
    let second = board_at(4_000).await;
    assert_eq!((second.at.ms_since(first.tension_at), second.tension_at), (4_000, first.tension_at));
    assert!(second.revision > first.revision && second.status.stamp.position > first.status.stamp.position);
    assert!(Arc::ptr_eq(&second.tension, &first.tension) && Arc::ptr_eq(&second.places, &first.places));
    let held = board_at(60_000).await;
    assert_eq!((held.tension_at, held.tension.rows[0].state), (held.at, TensionState::NoneFree));
    // It took no time: the next one may follow as soon as a board.
    let next = board_at(62_000).await;
    assert_eq!(next.tension_at, next.at);
}

#[tokio::test]
async fn who_stops_waiting_stops_nobody_else() {
    let world = settled(&[(0, 60, 1, false, 3)], 0).await;
    // Asked once whether it is there, and left.
    tokio::select! {
        biased;
        _ = world.service.board() => {}
        () = std::future::ready(()) => {}
    }
    assert_eq!(world.service.board().await.tension.rows.len(), 4);
}

#[tokio::test]
async fn a_map_tells_only_what_changed_until_its_places_do() {
    let world = settled(&[(0, 60, 1, false, 3)], 0).await;
    let here = GeoPoint::new(45.7, 4.88).ok();
    let placed = Place { position: here, ..super::world::place("place-1") };
    world.service.upsert_place(&Caller::local(), request("placed"), placed).await.unwrap();
    // One of no CPTS at the same place.
    world.add_schedule("schedule-3").await;
    let first = world.service.board().await;
    assert_eq!(first.places.states.as_ref(), [PlaceState::Met]);
    assert_eq!(first.places.territories[0].name.as_ref(), "CPTS de test");
    assert_eq!((first.places.places[0].position, first.places.places[0].territory), (here.unwrap(), Some(0)));

    world.advance_seconds(2);
    let same = world.service.board().await;
    assert_eq!(
        (same.places.generation, same.places.changed_since(first.revision).count()),
        (first.places.generation, 0)
    );
    assert_eq!(same.places.changed_since(0).count(), 1);

    let hold = HoldRequest { slot_id: SlotId::parse("slot-0").unwrap(), ..super::world::hold_request("hold") };
    world.service.hold(&Caller::local(), hold).await.unwrap();
    world.advance_seconds(2);
    let held = world.service.board().await;
    let changed: Vec<_> = held.places.changed_since(same.revision).collect();
    assert_eq!(changed, [(0, PlaceState::NoneFree)]);

    let moved = Place { position: GeoPoint::new(45.8, 4.88).ok(), ..super::world::place("place-1") };
    world.service.upsert_place(&Caller::local(), request("moved"), moved).await.unwrap();
    world.advance_seconds(2);
    assert!(world.service.board().await.places.generation > held.places.generation);
}
