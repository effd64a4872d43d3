//! What a day does to a region: places move, professionals change, sources are heard again, slots come, go and are taken.
//!
//! The region itself is changed, and what changed is told as the ledger would tell it.

use std::sync::Arc;

use sas_router::domain::code::{AppointmentType, SpecialtySet};
use sas_router::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory};
use sas_router::domain::id::{CaseId, ClaimId, PlaceId, PractitionerId, ScheduleId, SlotId, TerritoryId};
use sas_router::domain::patient::{Age, Language, Need, NeedSet};
use sas_router::domain::record::{Body, Key};
use sas_router::domain::slot::{ClaimState, NewHold, Published, Slot};
use sas_router::domain::time::{MS_PER_MINUTE, Window};

use super::random::Random;
use super::region::{Region, Town, anywhere, at_minute, in_town, point};
use super::variety::{around, specialties, vary_traits};

/// A record as it is now; `None` when it is gone.
pub type News = (Key, Option<Body>);

/// When everything here is said and done: before all questions.
const EARLY: i64 = 1;

/// Changes about a share of the directory.
pub fn directory_changes(region: &mut Region, share: f64, random: &mut Random) -> Vec<News> {
    let Region { towns, territories, directory, .. } = region;
    let places: Vec<PlaceId> = directory.iter().filter_map(place_id).collect();
    let practitioners: Vec<PractitionerId> = directory.iter().filter_map(practitioner_id).collect();
    let mut news = Vec::new();
    for body in directory {
        if !random.chance(share) {
            continue;
        }
        match body {
            Body::Territory(one) => territory(Arc::make_mut(one), territories, random),
            Body::Place(one) => place(Arc::make_mut(one), towns, random),
            Body::Practitioner(one) => practitioner(Arc::make_mut(one), random),
            Body::Schedule(one) => schedule(Arc::make_mut(one), (territories, &places, &practitioners), random),
            Body::EmergencySite(_)
            | Body::Source(_)
            | Body::Slot(_)
            | Body::Case(_)
            | Body::Orientation(_)
            | Body::Tally(_)
            | Body::Policy(_) => continue,
        }
        news.push((body.key(), Some(body.clone())));
    }
    news
}

fn place_id(body: &Body) -> Option<PlaceId> {
    if let Body::Place(place) = body { Some(place.id.clone()) } else { None }
}

fn practitioner_id(body: &Body) -> Option<PractitionerId> {
    if let Body::Practitioner(one) = body { Some(one.id.clone()) } else { None }
}

fn territory(territory: &mut Territory, all: &[TerritoryId], random: &mut Random) {
    territory.neighbours = around(territory.id, all, random);
}

/// It moves next door, within its town, to another one, or to where nobody knows.
fn place(place: &mut Place, towns: &[Town], random: &mut Random) {
    let here = place.position.map_or((2.35, 48.86), |at| (at.longitude(), at.latitude()));
    let at = match random.below(10) {
        0..=2 => Some((here.0 + 0.004 * random.normal(), here.1 + 0.004 * random.normal())),
        3 | 4 => Some((here.0 + 0.1 * random.normal(), here.1 + 0.1 * random.normal())),
        5..=7 => {
            let town = random.below(40);
            Some(in_town(random, &towns[town]))
        }
        8 => Some(anywhere(random)),
        _ => None,
    };
    place.position = at.map(point);
    let wheelchair = NeedSet::of(&[Need::Wheelchair]);
    place.needs_unmet = if random.chance(0.2) { wheelchair } else { NeedSet::EMPTY };
    place.needs_met = if random.chance(0.5) { wheelchair.minus(place.needs_unmet) } else { NeedSet::EMPTY };
}

/// Other specialties, mostly with their profession, or none that is known.
fn practitioner(practitioner: &mut Practitioner, random: &mut Random) {
    let several = specialties(random);
    match random.below(10) {
        0 => practitioner.specialties = SpecialtySet::EMPTY,
        1 => practitioner.profession = None,
        2 => practitioner.languages = vec![Language::parse("fr").unwrap()],
        3 => practitioner.specialties = several,
        _ => {
            practitioner.specialties = several;
            practitioner.profession = several.iter().next().map(|one| one.profession());
        }
    }
}

/// Mostly the source is only heard again; else one of its facts changes, and so does when it was heard.
fn schedule(
    schedule: &mut Schedule,
    (territories, places, practitioners): (&[TerritoryId], &[PlaceId], &[PractitionerId]),
    random: &mut Random,
) {
    schedule.source_revision += 1;
    schedule.received_at = at_minute(random.below(900) as i64);
    match random.below(14) {
        0 => schedule.territories = around(schedule.territories[0], territories, random),
        1 => schedule.territories.extend(around(schedule.territories[0], territories, random)),
        2 => schedule.specialties = specialties(random),
        3 => schedule.specialties = SpecialtySet::EMPTY,
        4 => schedule.practitioner_id = None,
        5 => schedule.practitioner_id = Some(practitioners[random.below(practitioners.len())].clone()),
        6 => schedule.place_id = places[random.below(places.len())].clone(),
        7 => schedule.home_visit_radius_m = Some(1_000 + random.below(20_000) as u32),
        8 => schedule.limits = PatientLimits { min_age: Some(Age::from_years(16)), ..PatientLimits::default() },
        _ => {}
    }
}

/// Changes about a share of the slots; a few are gone, a few are new.
pub fn slot_changes(region: &mut Region, share: f64, random: &mut Random) -> Vec<News> {
    let Region { territories, directory, slots, .. } = region;
    let schedules: Vec<ScheduleId> = directory.iter().filter_map(schedule_id).collect();
    let mut news = Vec::new();
    for slot in std::mem::take(slots) {
        if !random.chance(share) {
            slots.push(slot);
            continue;
        }
        let mut tell = |slot: Slot| {
            let slot = Arc::new(slot);
            news.push((Key::Slot(slot.id.clone()), Some(Body::Slot(Arc::clone(&slot)))));
            slots.push(slot);
        };
        match random.below(20) {
            0 => news.push((Key::Slot(slot.id.clone()), None)),
            1 => tell(Slot { schedule_id: schedules[random.below(schedules.len())].clone(), ..Slot::clone(&slot) }),
            2 => {
                tell(another(&slot, territories, random));
                slots.push(slot);
            }
            3..=8 => match said_anew(&slot, territories, random) {
                Some(anew) => tell(anew),
                None => slots.push(slot),
            },
            _ => match claimed_or_dropped(&slot, random) {
                Some(changed) => tell(changed),
                None => slots.push(slot),
            },
        }
    }
    news
}

fn schedule_id(body: &Body) -> Option<ScheduleId> {
    if let Body::Schedule(schedule) = body { Some(schedule.id.clone()) } else { None }
}

fn stated(slot: &Slot) -> Published {
    Published {
        id: slot.id.clone(),
        schedule_id: slot.schedule_id.clone(),
        window: slot.window,
        capacity: slot.capacity,
        traits: Arc::clone(&slot.traits),
    }
}

/// A slot that was not there, beside one that was: at the same time, or at another.
fn another(slot: &Slot, territories: &[TerritoryId], random: &mut Random) -> Slot {
    let id = SlotId::parse(&format!("{}-{:08x}", slot.id, random.next() >> 32)).unwrap();
    let stated = otherwise(Published { id, ..stated(slot) }, territories, random);
    Slot::from_published(stated, 2, at_minute(EARLY))
}

/// The slot after its publisher stated it otherwise; `None` when patients rely on it.
fn said_anew(slot: &Slot, territories: &[TerritoryId], random: &mut Random) -> Option<Slot> {
    let stated = otherwise(stated(slot), territories, random);
    slot.republish(&stated, 2, at_minute(EARLY)).ok().flatten()
}

/// Another time, capacity, or practice and modalities; or the same.
fn otherwise(mut stated: Published, territories: &[TerritoryId], random: &mut Random) -> Published {
    match random.below(4) {
        0 => {
            let shift = if random.chance(0.5) { 0 } else { random.below(240) as i64 - 120 };
            let start = stated.window.start_at().plus_ms(shift * MS_PER_MINUTE);
            let end = start.plus_ms((10 + random.below(180) as i64) * MS_PER_MINUTE);
            stated.window = Window::new(start, end).unwrap();
        }
        1 => stated.capacity += 1,
        2 => {
            let own = territories[random.below(territories.len())];
            let own = stated.traits.territories.first().copied().unwrap_or(own);
            vary_traits(Arc::make_mut(&mut stated.traits), own, territories, 0.6, random);
        }
        _ => {
            let traits = Arc::make_mut(&mut stated.traits);
            traits.territories = vec![];
            traits.specialties = SpecialtySet::EMPTY;
            traits.appointment_type =
                if random.chance(0.5) { AppointmentType::Routine } else { AppointmentType::Walkin };
        }
    }
    stated
}

/// Held for good or until an instant among the questions, in part or in full; booked; given back; withdrawn or closed.
fn claimed_or_dropped(slot: &Slot, random: &mut Random) -> Option<Slot> {
    let now = at_minute(EARLY);
    let free = slot.remaining_count(now);
    match random.below(12) {
        0 | 1 => slot.withdraw(2, now),
        2 => slot.drop_from_schedule(2, now),
        3..=5 => held(slot, free, &mut || 12 * 60, random),
        6 => held(slot, free, &mut || 3 * 24 * 60, random),
        7 | 8 => {
            let mut ends = random.clone();
            held(slot, free, &mut || 7 * 60 + ends.below(12 * 60) as i64, random)
        }
        9 => held(slot, free / 2, &mut || 3 * 24 * 60, random),
        10 => {
            let held = held(slot, free, &mut || 24 * 60, random)?;
            let id = held.claims.iter().find(|claim| claim.state == ClaimState::Held)?.id;
            Some(held.confirm(id, now).unwrap().slot)
        }
        _ => {
            let id = slot.claims.iter().find(|claim| claim.state == ClaimState::Held)?.id;
            Some(slot.release(id, now).unwrap().slot)
        }
    }
}

/// The slot with so many more units held, each until a minute of the day; `None` for no unit.
fn held(slot: &Slot, units: usize, until: &mut dyn FnMut() -> i64, random: &mut Random) -> Option<Slot> {
    let mut held: Option<Slot> = None;
    for _ in 0..units {
        let hold = NewHold {
            id: ClaimId::from_uuid(uuid::Uuid::from_u64_pair(random.next(), random.next())),
            case_id: CaseId::parse("bench").unwrap(),
            regulator_id: None,
            expires_at: at_minute(until()),
        };
        // Slots of the small hours may be over by then.
        held = Some(held.as_ref().unwrap_or(slot).hold(hold, at_minute(EARLY)).ok()?.slot);
    }
    held
}
