//! The same answer by brute force: every slot's columns are scanned, the rules written again without the product's.
//!
//! Written to be a fair opponent (columns, chunks that the compiler can vectorise, exact rules only for what passes), and
//! to share nothing with the index or the ranking but the types.

use std::collections::HashMap;
use std::sync::Arc;

use sas_router::domain::code::{AppointmentType, Modality, ModalitySet, Profession, ProfessionSet, Visibility};
use sas_router::domain::directory::{Place, Practitioner, Schedule};
use sas_router::domain::geo::EarthVector;
use sas_router::domain::id::TerritoryId;
use sas_router::domain::patient::{Need, NeedSet};
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::Body;
use sas_router::domain::slot::Slot;
use sas_router::domain::time::UtcInstant;

use super::region::Region;

const CHUNK: usize = 256;

struct Agenda {
    schedule: Arc<Schedule>,
    place: Arc<Place>,
    practitioner: Arc<Practitioner>,
    vector: EarthVector,
}

/// Every slot as a row of columns.
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
    neighbours: HashMap<TerritoryId, Vec<TerritoryId>>,
}

/// Cost, schedule, slot, modality: the order of the product.
pub type Found = (u32, String, String, Modality);

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
                Body::EmergencySite(_) | Body::Slot(_) => {}
            }
        }
        let agendas: Vec<Agenda> = schedules
            .into_iter()
            .map(|schedule| {
                let place = Arc::clone(&places[&schedule.place_id]);
                let practitioner = Arc::clone(&practitioners[schedule.practitioner_id.as_ref().unwrap()]);
                let vector = EarthVector::from(&place.position.unwrap());
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
            agendas,
            neighbours,
        };
        for (slot, number) in region.slots.iter().zip(&oracle.agenda) {
            let vector = oracle.agendas[*number as usize].vector;
            oracle.x.push(vector.x as f32);
            oracle.y.push(vector.y as f32);
            oracle.z.push(vector.z as f32);
            oracle.start.push(slot.window.start_at().ms());
            oracle.end.push(slot.window.end_at().ms());
            oracle.modalities.push(slot.traits.modalities.bits());
        }
        oracle
    }

    /// Takes over what became of a slot.
    pub fn replace(&mut self, at: usize, slot: Arc<Slot>) {
        self.slots[at] = slot;
    }

    /// The best openings, one a schedule, best first.
    pub fn find(&self, query: &CareQuery, now: UtcInstant) -> Vec<Found> {
        let parts = query.parts();
        let center = EarthVector::from(&parts.position.unwrap());
        let radius_m = parts.radius_m.unwrap_or(300_000);
        let until = now.ms() + i64::from(parts.needed_within_minutes.unwrap()) * 60_000;
        let remote = parts.modalities.contains(Modality::Vr);
        let reach = if remote { f32::INFINITY } else { (radius_m as f32 + 6.0).powi(2) };
        let (x, y, z) = (center.x as f32, center.y as f32, center.z as f32);
        let neighbours =
            parts.territories.first().and_then(|own| self.neighbours.get(own)).cloned().unwrap_or_default();
        let mut best: HashMap<u32, Found> = HashMap::new();
        let mut near = [false; CHUNK];
        for from in (0..self.slots.len()).step_by(CHUNK) {
            let to = (from + CHUNK).min(self.slots.len());
            let columns = self.x[from..to].iter().zip(&self.y[from..to]).zip(&self.z[from..to]);
            let times = self.start[from..to].iter().zip(&self.end[from..to]).zip(&self.modalities[from..to]);
            for (near, (((px, py), pz), ((start, end), modalities))) in near.iter_mut().zip(columns.zip(times)) {
                let (dx, dy, dz) = (px - x, py - y, pz - z);
                *near = (dx * dx + dy * dy + dz * dz <= reach)
                    & (*start <= until)
                    & (*end > now.ms())
                    & (modalities & parts.modalities.bits() != 0);
            }
            for at in (from..to).filter(|at| near[at - from]) {
                if let Some(found) = self.judge(at, query, now, until, radius_m, &center, &neighbours) {
                    let number = self.agenda[at];
                    if best.get(&number).is_none_or(|known| order(&found) < order(known)) {
                        best.insert(number, found);
                    }
                }
            }
        }
        let mut all: Vec<Found> = best.into_values().collect();
        all.sort_by(|a, b| order(a).cmp(&order(b)));
        all.truncate(query.limit());
        all
    }

    #[allow(clippy::too_many_arguments, reason = "an oracle is written flat")]
    fn judge(
        &self,
        at: usize,
        query: &CareQuery,
        now: UtcInstant,
        until: i64,
        radius_m: u32,
        center: &EarthVector,
        neighbours: &[TerritoryId],
    ) -> Option<Found> {
        let (parts, slot, agenda) = (query.parts(), &self.slots[at], &self.agendas[self.agenda[at] as usize]);
        let specialties = agenda.practitioner.specialties;
        let profession = ProfessionSet::of(&[agenda.practitioner.profession.unwrap_or(Profession::DOCTOR)]);
        if !specialties.intersects(parts.specialties) && !profession.intersects(parts.professions) {
            return None;
        }
        if slot.remaining_count(now) == 0 || !parts.appointment_types.contains(slot.traits.appointment_type) {
            return None;
        }
        let territories = &agenda.schedule.territories;
        let open = [Visibility::Public, Visibility::Pro, Visibility::Snp];
        let visible = open.iter().any(|one| slot.traits.visibilities.contains(*one))
            || (slot.traits.visibilities.contains(Visibility::Cpts)
                && territories.iter().any(|one| parts.territories.contains(one)));
        let limits = agenda.schedule.limits;
        let aged = parts.age.is_none_or(|age| {
            limits.min_age.is_none_or(|min| age >= min) && limits.max_age.is_none_or(|max| age <= max)
        });
        let spoken = &agenda.practitioner.languages;
        let speaks =
            parts.languages.is_empty() || spoken.is_empty() || spoken.iter().any(|one| parts.languages.contains(one));
        if !visible || !aged || !speaks {
            return None;
        }
        let distance_m = agenda.vector.distance_m(center);
        let travel_s = 240 + (u64::from(distance_m) * 94 / 1_000) as i64;
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
                Modality::Vr => (u32::MAX, now.ms(), 0),
            };
            let begins = match slot.traits.appointment_type {
                AppointmentType::Routine => (start >= arrival + margin).then_some(start),
                AppointmentType::Walkin => (arrival + 300_000 <= end).then_some(start.max(arrival)),
            }?;
            let fits = distance_m <= limit_m && begins <= until && !agenda.place.needs_unmet.intersects(needs);
            let travelled_s = if way == Modality::Vr { 0 } else { travel_s };
            fits.then_some((((begins - now.ms()) / 1_000 + travelled_s + preference_s + stale_s) as u32, way))
        });
        let (cost, way) = costs.min_by_key(|(cost, way)| (*cost, *way as u8))?;
        Some((cost, agenda.schedule.id.to_string(), slot.id.to_string(), way))
    }
}

fn order(found: &Found) -> (u32, &str, &str, u8) {
    (found.0, &found.1, &found.2, found.3 as u8)
}
