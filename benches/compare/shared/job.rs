//! The part of a question that other engines can be asked too, over rows without the product's types, and its answers by
//! brute force.
//!
//! The job: the five best openings, one a schedule, of the wanted specialties and ways of care, that this asker may see,
//! within the radius, that begin within the delay and can be reached by then; best is least minutes until care begins
//! plus travel, ties by number. Everything is whole metres in a plane and whole seconds, so that engines agree to the
//! unit. Absent, in favour of the other engines: teleconsultation, age, needs, languages, preference of territory, paces
//! by hour, turns, variety, near misses, sentences.

use std::collections::HashMap;
use std::sync::Arc;

use sas_router::domain::code::{AppointmentType, Modality, SpecialtySet, Visibility};
use sas_router::domain::directory::{Practitioner, Schedule};
use sas_router::domain::geo::GeoPoint;
use sas_router::domain::id::TerritoryId;
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::Body;
use sas_router::domain::slot::Slot;
use sas_router::domain::time::UtcInstant;

use crate::support::region::{MIDNIGHT_MS, Region, SPECIALTIES};

/// How many openings are asked for.
pub const LIMIT: usize = 5;
/// What every journey takes before it begins to move.
pub const START_S: i64 = 240;
/// What one wants to be early by, at the place.
pub const EARLY_S: i64 = 300;
/// Metres a second, over the detour.
pub const PACE: i64 = 10;

/// At the place.
pub const AT_PLACE: i32 = 1;
/// At home.
pub const AT_HOME: i32 = 2;
/// Without appointment: care begins on arrival.
pub const WALK_IN: i32 = 4;
/// For anybody; otherwise for the schedule's territory alone.
pub const OPEN: i32 = 8;

/// An agenda: where, in what.
#[derive(Clone, Debug)]
pub struct Row {
    /// As published, where an engine wants degrees.
    pub at: GeoPoint,
    pub x_m: i32,
    pub y_m: i32,
    /// Position in [`SPECIALTIES`].
    pub specialty: i32,
    pub territory: i32,
    /// In order of start.
    pub slots: Vec<Opening>,
}

/// A slot: its number among all, its window in seconds of the day, and its bits.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    pub number: i32,
    pub start_s: i32,
    pub end_s: i32,
    pub bits: i32,
}

/// The reduced question.
#[derive(Clone, Debug)]
pub struct Ask {
    pub at: GeoPoint,
    pub x_m: i32,
    pub y_m: i32,
    pub radius_m: i32,
    pub specialties: Vec<i32>,
    /// [`AT_PLACE`] and [`AT_HOME`].
    pub ways: i32,
    pub territories: Vec<i32>,
    pub now_s: i32,
    pub until_s: i32,
}

/// Cost in seconds above 32 bits of the slot's number, least first: in order as a number, and exact even in Lua.
pub type Answer = Vec<i64>;

/// The rows of a region; the number of a schedule is its place in them.
pub fn rows(region: &Region) -> Vec<Row> {
    let (mut places, mut practitioners) = (HashMap::new(), HashMap::new());
    let mut schedules: Vec<&Arc<Schedule>> = Vec::new();
    for body in &region.directory {
        match body {
            Body::Place(place) => drop(places.insert(&place.id, place.position)),
            Body::Practitioner(one) => drop(practitioners.insert(&one.id, one)),
            Body::Schedule(schedule) => schedules.push(schedule),
            Body::Territory(_)
            | Body::EmergencySite(_)
            | Body::Source(_)
            | Body::Slot(_)
            | Body::Case(_)
            | Body::Orientation(_)
            | Body::Tally(_)
            | Body::Policy(_) => {}
        }
    }
    let mut numbers = HashMap::new();
    let mut rows = Vec::new();
    for schedule in schedules {
        let practitioner = schedule.practitioner_id.as_ref().and_then(|id| practitioners.get(id));
        let (Some(at), Some(specialty)) = (places[&schedule.place_id], specialty(schedule, practitioner.copied()))
        else {
            continue;
        };
        let ((x_m, y_m), territory) = (plane(&at), territory(region, schedule.territories[0]));
        numbers.insert(&schedule.id, rows.len());
        rows.push(Row { at, x_m, y_m, specialty, territory, slots: vec![] });
    }
    for (slot, number) in region.slots.iter().zip(0..) {
        if let (Some(row), Some(opening)) = (numbers.get(&slot.schedule_id), opening(slot, number)) {
            rows[*row].slots.push(opening);
        }
    }
    rows.iter_mut().for_each(|row| row.slots.sort_by_key(|slot| (slot.start_s, slot.number)));
    rows
}

/// The first one said: the others are rare, and other engines are spared them.
fn specialty(schedule: &Schedule, practitioner: Option<&Arc<Practitioner>>) -> Option<i32> {
    let trained = practitioner.map_or(SpecialtySet::EMPTY, |one| one.specialties);
    let said = if schedule.specialties.is_empty() { trained } else { schedule.specialties };
    let first = said.iter().next()?;
    Some(SPECIALTIES.iter().position(|(code, _)| *code == first.code())? as i32)
}

fn territory(region: &Region, id: TerritoryId) -> i32 {
    region.territories.binary_search(&id).unwrap() as i32
}

fn opening(slot: &Slot, number: i32) -> Option<Opening> {
    let bit = |is: bool, bit: i32| if is { bit } else { 0 };
    let ways = slot.traits.modalities;
    let open = [Visibility::Public, Visibility::Pro, Visibility::Snp];
    let bits = bit(ways.contains(Modality::Amb), AT_PLACE)
        | bit(ways.contains(Modality::Hh), AT_HOME)
        | bit(slot.traits.appointment_type == AppointmentType::Walkin, WALK_IN)
        | bit(open.iter().any(|one| slot.traits.visibilities.contains(*one)), OPEN);
    let of_day = |ms: i64| ((ms - MIDNIGHT_MS) / 1_000) as i32;
    let (start_s, end_s) = (of_day(slot.window.start_at().ms()), of_day(slot.window.end_at().ms()));
    (bits & (AT_PLACE | AT_HOME) != 0).then_some(Opening { number, start_s, end_s, bits })
}

/// What of the question other engines are asked; nothing where it is about teleconsultation alone.
pub fn reduced(region: &Region, query: &CareQuery, now: UtcInstant) -> Option<Ask> {
    let parts = query.parts();
    let at = parts.position?;
    let (x_m, y_m) = plane(&at);
    let way = |of, bit| if parts.modalities.contains(of) { bit } else { 0 };
    let ways = way(Modality::Amb, AT_PLACE) | way(Modality::Hh, AT_HOME);
    let wanted = |code: &str| {
        let code = sas_router::domain::code::Specialty::parse(code).unwrap();
        parts.specialties.contains(code) || parts.professions.contains(code.profession())
    };
    let specialties = SPECIALTIES.iter().zip(0..).filter(|((code, _), _)| wanted(code)).map(|(_, number)| number);
    let now_s = ((now.ms() - MIDNIGHT_MS) / 1_000) as i32;
    (ways != 0).then(|| Ask {
        at,
        x_m,
        y_m,
        radius_m: parts.radius_m.unwrap() as i32,
        specialties: specialties.collect(),
        ways,
        territories: parts.territories.iter().map(|id| territory(region, *id)).collect(),
        now_s,
        until_s: now_s + parts.needed_within_minutes.unwrap() as i32 * 60,
    })
}

/// Metres in Lambert's conformal conic projection on the sphere, with the parallels and the origin of Lambert-93.
pub fn plane(at: &GeoPoint) -> (i32, i32) {
    const RADIUS_M: f64 = 6_371_008.8;
    let up = |degrees: f64| (std::f64::consts::FRAC_PI_4 + degrees.to_radians() / 2.0).tan();
    let (one, two) = (44.0_f64, 49.0_f64);
    let cone = (one.to_radians().cos() / two.to_radians().cos()).ln() / (up(two) / up(one)).ln();
    let scale_m = RADIUS_M * one.to_radians().cos() * up(one).powf(cone) / cone;
    let distance_m = |latitude: f64| scale_m / up(latitude).powf(cone);
    let angle = cone * (at.longitude() - 3.0).to_radians();
    let (x, y) = (distance_m(at.latitude()) * angle.sin(), distance_m(46.5) - distance_m(at.latitude()) * angle.cos());
    ((x + 700_000.0).round() as i32, (y + 6_600_000.0).round() as i32)
}

impl Ask {
    /// The territories, at most two as the questions are made; numbers that none has stand for the absent.
    pub fn two_territories(&self) -> [i32; 2] {
        assert!(self.territories.len() <= 2, "the engines are told of two territories");
        [0, 1].map(|at| self.territories.get(at).copied().unwrap_or(-1))
    }
}

/// Half, a quarter … of the radius first: whoever is farther than a ring costs at least what the ring's edge does.
pub fn rings(ask: &Ask) -> impl Iterator<Item = i32> {
    [8, 4, 2, 1].into_iter().map(|part| ask.radius_m / part)
}

/// Whether nobody beyond a ring can be better than the last that was found.
pub fn suffices(answer: &[i64], ring_m: i32, ask: &Ask) -> bool {
    let travel_s = START_S as i32 + ring_m / PACE as i32;
    // A patient who travels costs the journey twice: it delays care, and it is a journey.
    let least = if ask.ways & AT_HOME == 0 { 2 * travel_s } else { travel_s };
    answer.len() == LIMIT && answer.last().is_some_and(|worst| worst >> 32 < i64::from(least))
}

/// Everything is looked at; written for being right.
pub fn oracle(rows: &[Row], ask: &Ask) -> Answer {
    let mut best: Answer = rows.iter().filter_map(|row| of_row(row, ask)).collect();
    best.sort_unstable();
    best.truncate(LIMIT);
    best
}

fn of_row(row: &Row, ask: &Ask) -> Option<i64> {
    let (dx, dy) = (i64::from(row.x_m - ask.x_m), i64::from(row.y_m - ask.y_m));
    let squared = dx * dx + dy * dy;
    if squared > i64::from(ask.radius_m).pow(2) || !ask.specialties.contains(&row.specialty) {
        return None;
    }
    let travel_s = START_S + squared.isqrt() / PACE;
    let (now, until) = (i64::from(ask.now_s), i64::from(ask.until_s));
    let costs = row.slots.iter().filter_map(|slot| {
        let (start, end) = (i64::from(slot.start_s), i64::from(slot.end_s));
        let visible = slot.bits & OPEN != 0 || ask.territories.contains(&row.territory);
        let offered = slot.bits & ask.ways & (AT_PLACE | AT_HOME) != 0;
        // Where both ways will do, a professional who comes has nothing to wait for.
        let home = slot.bits & ask.ways & AT_HOME != 0;
        let (arrival, early) = if home { (now, 0) } else { (now + travel_s, EARLY_S) };
        let begins = if slot.bits & WALK_IN != 0 {
            (arrival + EARLY_S <= end).then_some(start.max(arrival))
        } else {
            (start >= arrival + early).then_some(start)
        }?;
        (visible && offered && begins <= until).then_some((begins - now + travel_s) << 32 | i64::from(slot.number))
    });
    costs.min()
}
