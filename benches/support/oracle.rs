//! The same answer by brute force: every slot's columns are scanned, the rules written again without the product's.
//!
//! Written to be a fair opponent (columns, chunks that the compiler can vectorise, exact rules only for what passes), and
//! to share nothing with the index or the ranking but the types.

use std::collections::HashMap;
use std::sync::Arc;

use sas_router::domain::code::{
    AppointmentType, Modality, ModalitySet, Profession, ProfessionSet, SpecialtySet, Visibility,
};
use sas_router::domain::department::Department;
use sas_router::domain::directory::{Place, Practitioner, Schedule};
use sas_router::domain::geo::EarthVector;
use sas_router::domain::id::TerritoryId;
use sas_router::domain::patient::{Language, Need, NeedSet};
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::Body;
use sas_router::domain::share::Turn;
use sas_router::domain::slot::Slot;
use sas_router::domain::time::UtcInstant;

use super::region::Region;

const CHUNK: usize = 256;

struct Agenda {
    schedule: Arc<Schedule>,
    place: Arc<Place>,
    practitioner: Option<Arc<Practitioner>>,
    vector: Option<EarthVector>,
}

impl Agenda {
    /// In what a slot is offered: what it says itself, else its agenda, else who gives care.
    fn practice(&self, slot: &Slot) -> (SpecialtySet, ProfessionSet) {
        let trained = self.practitioner.as_ref();
        let said = [slot.traits.specialties, self.schedule.specialties];
        let specialties = said.into_iter().chain(trained.map(|one| one.specialties)).find(|one| !one.is_empty());
        let specialties = specialties.unwrap_or(SpecialtySet::EMPTY);
        // A slot in specialties of its own is not offered in the profession of who gives care.
        let trained = trained.filter(|_| slot.traits.specialties.is_empty()).and_then(|one| one.profession);
        (specialties, specialties.iter().map(|one| one.profession()).chain(trained).collect())
    }

    fn languages(&self) -> &[Language] {
        self.practitioner.as_ref().map_or(&[], |one| &one.languages)
    }
}

/// Every slot as a row of columns; the last chunk is filled up with rows that are over.
pub struct Oracle {
    agendas: Vec<Agenda>,
    slots: Vec<Arc<Slot>>,
    agenda: Vec<u32>,
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    start: Vec<i64>,
    end: Vec<i64>,
    modalities: Vec<u8>,
    specialties: Vec<SpecialtySet>,
    professions: Vec<ProfessionSet>,
    neighbours: HashMap<TerritoryId, Vec<TerritoryId>>,
}

/// Cost, schedule, slot, modality: the order of the product where nobody was ever chosen.
pub type Found = (u32, String, String, Modality);

/// Whether the sharer of a schedule goes behind newcomers, and when they were last chosen.
pub type Precedence<'a> = &'a dyn Fn(&Schedule) -> (bool, Turn);

impl Oracle {
    pub fn new(region: &Region) -> Self {
        let (mut places, mut practitioners, mut schedules) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut neighbours = HashMap::new();
        for body in &region.directory {
            match body {
                Body::Place(place) => drop(places.insert(place.id.clone(), Arc::clone(place))),
                Body::Practitioner(one) => drop(practitioners.insert(one.id.clone(), Arc::clone(one))),
                Body::Schedule(schedule) => schedules.push(Arc::clone(schedule)),
                Body::Territory(territory) => drop(neighbours.insert(territory.id, territory.neighbours.clone())),
                Body::EmergencySite(_)
                | Body::Source(_)
                | Body::Slot(_)
                | Body::Case(_)
                | Body::Orientation(_)
                | Body::Tally(_)
                | Body::Policy(_) => {}
            }
        }
        let agendas: Vec<Agenda> = schedules
            .into_iter()
            .map(|schedule| {
                let place = Arc::clone(&places[&schedule.place_id]);
                let practitioner = schedule.practitioner_id.as_ref().map(|id| Arc::clone(&practitioners[id]));
                let vector = place.position.as_ref().map(EarthVector::from);
                Agenda { schedule, place, practitioner, vector }
            })
            .collect();
        let numbers: HashMap<_, _> = agendas.iter().zip(0u32..).map(|(one, n)| (one.schedule.id.clone(), n)).collect();
        let mut oracle = Self {
            agenda: region.slots.iter().map(|slot| numbers[&slot.schedule_id]).collect(),
            slots: region.slots.clone(),
            x: vec![],
            y: vec![],
            z: vec![],
            start: vec![],
            end: vec![],
            modalities: vec![],
            specialties: vec![],
            professions: vec![],
            agendas,
            neighbours,
        };
        for (slot, number) in region.slots.iter().zip(&oracle.agenda) {
            let agenda = &oracle.agendas[*number as usize];
            // Farther than any radius where nobody knows; only teleconsultation has none.
            let column = |of: fn(&EarthVector) -> f64| agenda.vector.as_ref().map_or(f32::MAX, |at| of(at) as f32);
            oracle.x.push(column(|at| at.x));
            oracle.y.push(column(|at| at.y));
            oracle.z.push(column(|at| at.z));
            let (specialties, professions) = agenda.practice(slot);
            oracle.specialties.push(specialties);
            oracle.professions.push(professions);
            oracle.start.push(slot.window.start_at().ms());
            oracle.end.push(slot.window.end_at().ms());
            oracle.modalities.push(slot.traits.modalities.bits());
        }
        let rows = region.slots.len().next_multiple_of(CHUNK);
        for column in [&mut oracle.x, &mut oracle.y, &mut oracle.z] {
            column.resize(rows, f32::MAX);
        }
        oracle.start.resize(rows, i64::MAX);
        oracle.end.resize(rows, i64::MIN);
        oracle.modalities.resize(rows, 0);
        oracle
    }

    /// The best openings, one a schedule, best first; teleconsultation from beyond the territory when there is nothing else.
    pub fn find(&self, query: &CareQuery, now: UtcInstant, precedence: Precedence<'_>) -> Vec<Found> {
        let found = self.find_from(query, now, 50_000, precedence);
        if found.is_empty() { self.find_from(query, now, u32::MAX, precedence) } else { found }
    }

    fn find_from(&self, query: &CareQuery, now: UtcInstant, remote_m: u32, precedence: Precedence<'_>) -> Vec<Found> {
        let parts = query.parts();
        let center = EarthVector::from(&parts.position.unwrap());
        let radius_m = parts.radius_m.unwrap_or(300_000);
        let until = now.ms() + i64::from(parts.needed_within_minutes.unwrap()) * 60_000;
        let reach = (radius_m as f32 + 6.0).powi(2);
        let remote = if parts.modalities.contains(Modality::Vr) { ModalitySet::of(&[Modality::Vr]).bits() } else { 0 };
        let (x, y, z) = (center.x as f32, center.y as f32, center.z as f32);
        let neighbours =
            parts.territories.first().and_then(|own| self.neighbours.get(own)).cloned().unwrap_or_default();
        let figures = (radius_m, remote_m, ms_per_m(query, now));
        let mut best: HashMap<u32, Found> = HashMap::new();
        let columns = chunks(&self.x).iter().zip(chunks(&self.y)).zip(chunks(&self.z));
        let times = chunks(&self.start).iter().zip(chunks(&self.end)).zip(chunks(&self.modalities));
        for ((((xs, ys), zs), ((starts, ends), modalities)), from) in columns.zip(times).zip((0..).step_by(CHUNK)) {
            let (mut near, mut row) = ([false; CHUNK], 0);
            // By number: without optimisation, iterators beside each other take five times as long.
            while row < CHUNK {
                let (dx, dy, dz) = (xs[row] - x, ys[row] - y, zs[row] - z);
                near[row] = ((dx * dx + dy * dy + dz * dz <= reach) | (modalities[row] & remote != 0))
                    & (starts[row] <= until)
                    & (ends[row] > now.ms())
                    & (modalities[row] & parts.modalities.bits() != 0);
                row += 1;
            }
            row = 0;
            while row < CHUNK {
                if near[row]
                    && let Some(found) = self.judge(from + row, query, now, until, figures, &center, &neighbours)
                {
                    let number = self.agenda[from + row];
                    if best.get(&number).is_none_or(|known| order(&found) < order(known)) {
                        best.insert(number, found);
                    }
                }
                row += 1;
            }
        }
        let five_minutes_and_turn = |number: u32, found: &Found| {
            let (behind_newcomers, turn) = precedence(&self.agendas[number as usize].schedule);
            let at = i64::from(found.0) + now.ms() / 1_000;
            (at / 300, behind_newcomers, turn)
        };
        let all = best.into_iter().map(|(number, found)| (five_minutes_and_turn(number, &found), number, found));
        let mut all: Vec<_> = all.collect();
        all.sort_by(|(a, _, of_a), (b, _, of_b)| (a, order(of_a)).cmp(&(b, order(of_b))));
        self.diverse(&all.into_iter().map(|(_, number, found)| (number, found)).collect::<Vec<_>>(), query.limit())
    }

    /// At most three of a place and two of a professional, unless others are too few; in the order in which they come.
    fn diverse(&self, all: &[(u32, Found)], limit: usize) -> Vec<Found> {
        let (mut kept, mut spare): (Vec<usize>, Vec<usize>) = (vec![], vec![]);
        let (mut places, mut practitioners) = (HashMap::new(), HashMap::new());
        for (at, (number, _)) in all.iter().enumerate() {
            if kept.len() == limit {
                break;
            }
            let schedule = &self.agendas[*number as usize].schedule;
            let here = places.get(&schedule.place_id).copied().unwrap_or(0);
            let theirs = schedule.practitioner_id.as_ref().and_then(|id| practitioners.get(id)).copied().unwrap_or(0);
            if here >= 3 || theirs >= 2 {
                spare.push(at);
                continue;
            }
            kept.push(at);
            places.insert(schedule.place_id.clone(), here + 1);
            if let Some(id) = &schedule.practitioner_id {
                practitioners.insert(id.clone(), theirs + 1);
            }
        }
        kept.extend(spare.into_iter().take(limit - kept.len()));
        kept.sort_unstable();
        kept.into_iter().map(|at| all[at].1.clone()).collect()
    }

    #[allow(clippy::too_many_arguments, reason = "an oracle is written flat")]
    fn judge(
        &self,
        at: usize,
        query: &CareQuery,
        now: UtcInstant,
        until: i64,
        (radius_m, remote_m, ms_per_m): (u32, u32, u64),
        center: &EarthVector,
        neighbours: &[TerritoryId],
    ) -> Option<Found> {
        if !suits(self.specialties[at], self.professions[at], query) {
            return None;
        }
        let (parts, slot, agenda) = (query.parts(), &self.slots[at], &self.agendas[self.agenda[at] as usize]);
        if !parts.appointment_types.contains(slot.traits.appointment_type) || slot.remaining_count(now) == 0 {
            return None;
        }
        let own = &slot.traits.territories;
        let territories = if own.is_empty() { &agenda.schedule.territories } else { own };
        let open = [Visibility::Public, Visibility::Pro, Visibility::Snp];
        let visible = open.iter().any(|one| slot.traits.visibilities.contains(*one))
            || (slot.traits.visibilities.contains(Visibility::Cpts)
                && territories.iter().any(|one| parts.territories.contains(one)));
        let limits = agenda.schedule.limits;
        let aged = parts.age.is_none_or(|age| {
            limits.min_age.is_none_or(|min| age >= min) && limits.max_age.is_none_or(|max| age <= max)
        });
        let spoken = agenda.languages();
        let speaks =
            parts.languages.is_empty() || spoken.is_empty() || spoken.iter().any(|one| parts.languages.contains(one));
        if !visible || !aged || !speaks {
            return None;
        }
        let known_m = agenda.vector.map(|vector| vector.distance_m(center));
        let distance_m = known_m.unwrap_or(u32::MAX);
        let in_town_m = u64::from(distance_m.min(10_000));
        // Beyond a town, 50 km/h in open country.
        let on_road_ms = in_town_m * ms_per_m + (u64::from(distance_m) - in_town_m) * 94;
        let travel_s = 240 + (on_road_ms / 1_000) as i64;
        let of_territory = |one: &TerritoryId| parts.territories.contains(one) || neighbours.contains(one);
        let is_near = known_m.is_some_and(|known_m| known_m <= remote_m) || remote_m == u32::MAX;
        let remotely = is_near || territories.iter().any(of_territory);
        let (start, end) = (slot.window.start_at().ms(), slot.window.end_at().ms());
        let preference_s = match parts.territories.first() {
            None => 0,
            Some(own) if territories.contains(own) => 0,
            Some(_) if territories.iter().any(|one| neighbours.contains(one)) => 300,
            Some(_) => 600,
        };
        let stale_s = if now.ms() - agenda.schedule.received_at.ms() > 12 * 3_600_000 { 600 } else { 0 };
        let ways: ModalitySet = slot.traits.modalities;
        let costs = ways.iter().filter(|way| parts.modalities.contains(*way)).filter_map(|way| {
            let place_needs = NeedSet::of(&[Need::Wheelchair, Need::LowVision, Need::Parking]);
            let needs = if way == Modality::Amb { parts.needs } else { parts.needs.minus(place_needs) };
            let own_m = agenda.schedule.home_visit_radius_m.unwrap_or(15_000).min(radius_m);
            let (limit_m, arrival, margin) = match way {
                Modality::Amb => (radius_m, now.ms() + travel_s * 1_000, 300_000),
                Modality::Hh => (own_m, now.ms(), 0),
                Modality::Vr => (0, now.ms(), 0),
            };
            let begins = match slot.traits.appointment_type {
                AppointmentType::Routine => (start >= arrival + margin).then_some(start),
                AppointmentType::Walkin => (arrival + 300_000 <= end).then_some(start.max(arrival)),
            }?;
            let near = if way == Modality::Vr { remotely } else { known_m.is_some_and(|known_m| known_m <= limit_m) };
            let fits = near && begins <= until && !agenda.place.needs_unmet.intersects(needs);
            let travelled_s = if way == Modality::Vr { 0 } else { travel_s };
            fits.then_some((((begins - now.ms()) / 1_000 + travelled_s + preference_s + stale_s) as u32, way))
        });
        let (cost, way) = costs.min_by_key(|(cost, way)| (*cost, *way as u8))?;
        Some((cost, agenda.schedule.id.to_string(), slot.id.to_string(), way))
    }
}

/// Whether these are asked for, or nobody said and general practice is asked for.
fn suits(specialties: SpecialtySet, professions: ProfessionSet, query: &CareQuery) -> bool {
    let parts = query.parts();
    if specialties.intersects(parts.specialties) || professions.intersects(parts.professions) {
        return true;
    }
    specialties.is_empty()
        && (professions.is_empty() || professions == ProfessionSet::of(&[Profession::DOCTOR]))
        && parts.specialties.iter().any(|one| ["SM26", "SM53", "SM54"].contains(&one.code()))
}

fn chunks<T>(column: &[T]) -> &[[T; CHUNK]] {
    column.as_chunks().0
}

/// The national policy's pace by car in town over the detour, in milliseconds per metre: by the official radius and the hour.
fn ms_per_m(query: &CareQuery, now: UtcInstant) -> u64 {
    let at = query.parts().position.unwrap();
    let radius_m = Department::nearest_to(at.latitude(), at.longitude()).search_radius().radius_m;
    let local = now.to_local(chrono_tz::Europe::Paris).time();
    let before = |hour, minute| local < chrono::NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    let part = [before(7, 0), before(9, 30), before(16, 30), before(19, 30), true].iter().position(|is| *is).unwrap();
    let kmh: u64 = match radius_m {
        0..=5_000 => [40, 20, 28, 20, 35][part],
        5_001..=10_000 => [50, 35, 42, 35, 48][part],
        _ => 50,
    };
    (36 * 130_u64).div_ceil(kmh)
}

fn order(found: &Found) -> (u32, &str, &str, u8) {
    (found.0, &found.1, &found.2, found.3 as u8)
}
