//! A region with the clustering of France: 300 towns by a power law, four schedules in five near one, the rest anywhere.

use std::sync::Arc;

use sas_router::domain::code::{
    AppointmentType, Modality, ModalitySet, Profession, Specialty, SpecialtySet, Visibility, VisibilitySet,
};
use sas_router::domain::department::Department;
use sas_router::domain::directory::{PatientLimits, Place, Practitioner, Schedule, Territory};
use sas_router::domain::emergency::{AccessRules, Capabilities, EmergencySite, EmergencySiteKind};
use sas_router::domain::geo::GeoPoint;
use sas_router::domain::id::{EmergencySiteId, PlaceId, PractitionerId, ScheduleId, SlotId, SourceId, TerritoryId};
use sas_router::domain::patient::{Age, Language, Need, NeedSet};
use sas_router::domain::record::{Body, Change, Key, Position};
use sas_router::domain::slot::{Published, Slot, SlotTraits};
use sas_router::domain::time::{MS_PER_MINUTE, UtcInstant, Window};

use super::random::Random;
use super::variety::{RARE, vary};

/// Monday 2026-11-23, midnight in Paris.
pub const MIDNIGHT_MS: i64 = 1_795_388_400_000;
const TERRITORIES: usize = 1_000;
const SITES: usize = 640;
/// The greatest towns: longitude, latitude, thousands of people in the urban unit, rounded.
const TOWNS: [(f64, f64, f64); 24] = [
    (2.35, 48.86, 10_800.0),
    (4.84, 45.76, 1_690.0),
    (5.37, 43.30, 1_620.0),
    (1.44, 43.60, 1_060.0),
    (3.06, 50.63, 1_050.0),
    (-0.58, 44.84, 1_010.0),
    (7.26, 43.70, 950.0),
    (-1.55, 47.22, 670.0),
    (5.93, 43.12, 580.0),
    (7.75, 48.58, 480.0),
    (1.10, 49.44, 470.0),
    (3.88, 43.61, 460.0),
    (5.72, 45.19, 450.0),
    (4.39, 45.44, 375.0),
    (-1.68, 48.11, 370.0),
    (0.69, 47.39, 360.0),
    (6.18, 48.69, 290.0),
    (1.91, 47.90, 280.0),
    (3.09, 45.78, 270.0),
    (5.04, 47.32, 245.0),
    (0.20, 48.00, 215.0),
    (4.03, 49.26, 215.0),
    (2.90, 42.70, 200.0),
    (2.30, 49.89, 165.0),
];
const TOWN_COUNT: usize = 300;
/// Specialties and how often they occur; the rest are of many kinds.
pub const SPECIALTIES: [(&str, f64); 12] = [
    ("SM54", 0.34),
    ("SM26", 0.08),
    ("SM40", 0.09),
    ("SM38", 0.07),
    ("SM15", 0.06),
    ("SM20", 0.07),
    ("SM42", 0.06),
    ("SM04", 0.05),
    ("SI05", 0.08),
    ("SCD02", 0.04),
    ("SM34", 0.03),
    ("SM48", 0.03),
];

#[derive(Clone, Debug)]
pub struct Town {
    pub at: (f64, f64),
    pub people: f64,
    spread_m: f64,
}

/// Everything that was made, as the changes that make it.
#[derive(Clone, Debug)]
pub struct Region {
    pub towns: Vec<Town>,
    pub territories: Vec<TerritoryId>,
    pub directory: Vec<Body>,
    pub slots: Vec<Arc<Slot>>,
}

pub fn at_minute(minute: i64) -> UtcInstant {
    UtcInstant::from_ms(MIDNIGHT_MS + minute * MS_PER_MINUTE)
}

/// Numbers bodies as the ledger would.
pub fn changes(bodies: impl Iterator<Item = Body>, from: u64) -> Vec<Change> {
    numbered(bodies.map(|body| (body.key(), Some(body))), from)
}

/// Numbers records as they are after a change, those that are gone included, as the ledger would.
pub fn numbered(records: impl Iterator<Item = (Key, Option<Body>)>, from: u64) -> Vec<Change> {
    let change = |(sequence, (key, body)): (u64, (Key, Option<Body>))| Change {
        position: Position { partition: 0, epoch: 1, sequence },
        key,
        version: sequence,
        body,
    };
    (from..).zip(records).map(change).collect()
}

pub fn towns() -> Vec<Town> {
    let mut random = Random::new(11);
    let named = TOWNS.iter().map(|(longitude, latitude, people)| ((*longitude, *latitude), *people));
    let others =
        (0..TOWN_COUNT - TOWNS.len()).map(|rank| (anywhere(&mut random), 150.0 * ((rank + 1) as f64).powf(-0.45)));
    let all: Vec<_> = named.chain(others.collect::<Vec<_>>()).collect();
    all.into_iter().map(|(at, people)| Town { at, people, spread_m: 500.0 * people.powf(0.38) }).collect()
}

/// A point of mainland France, roughly.
pub fn anywhere(random: &mut Random) -> (f64, f64) {
    (-4.0 + random.unit() * 11.5, 42.8 + random.unit() * 7.6)
}

/// A point in or around a town.
pub fn in_town(random: &mut Random, town: &Town) -> (f64, f64) {
    let spread_m = town.spread_m * if random.chance(0.6) { 0.5 } else { 1.2 };
    let (east_m, north_m) = (random.normal() * spread_m, random.normal() * spread_m);
    (town.at.0 + east_m / (111_320.0 * town.at.1.to_radians().cos()), town.at.1 + north_m / 111_320.0)
}

pub fn point(at: (f64, f64)) -> GeoPoint {
    GeoPoint::new(at.1, at.0).unwrap()
}

pub fn by_people(random: &mut Random, towns: &[Town]) -> usize {
    let weights: Vec<f64> = towns.iter().map(|town| town.people).collect();
    random.weighted(&weights)
}

/// A region of about this many slots, ten a schedule.
pub fn region(slot_count: usize, seed: u64) -> Region {
    varied_region(slot_count, seed, RARE)
}

/// The same with another share of what is rare.
pub fn varied_region(slot_count: usize, seed: u64, share: f64) -> Region {
    let mut random = Random::new(seed);
    let towns = towns();
    let cumulated = Cumulated::new(&towns);
    let territories: Vec<TerritoryId> =
        (0..TERRITORIES).map(|n| TerritoryId::parse(&format!("{:09}", 750_000_000 + n)).unwrap().value).collect();
    let mut directory: Vec<Body> = (0..TERRITORIES).map(|n| territory(&territories, n)).collect();
    for number in 0..SITES {
        let at = somewhere(&mut random, &towns, &cumulated);
        directory.push(site(number, point(at)));
    }
    let mut slots = Vec::with_capacity(slot_count + 64);
    let mut number = 0;
    while slots.len() < slot_count {
        let at = somewhere(&mut random, &towns, &cumulated);
        schedule(&mut random, number, point(at), &territories, &mut directory, &mut slots);
        number += 1;
    }
    slots.truncate(slot_count);
    let mut region = Region { towns, territories, directory, slots };
    vary(&mut region, share, seed);
    region
}

/// Weights added up, for quick draws.
struct Cumulated(Vec<f64>);

impl Cumulated {
    fn new(towns: &[Town]) -> Self {
        let mut sum = 0.0;
        Self(
            towns
                .iter()
                .map(|town| {
                    sum += town.people;
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, random: &mut Random) -> usize {
        let at = random.unit() * self.0.last().copied().unwrap_or(0.0);
        self.0.partition_point(|sum| *sum < at).min(self.0.len() - 1)
    }
}

fn somewhere(random: &mut Random, towns: &[Town], cumulated: &Cumulated) -> (f64, f64) {
    if random.chance(0.8) {
        let town = cumulated.draw(random);
        in_town(random, &towns[town])
    } else {
        anywhere(random)
    }
}

/// The territory of a point: a band of the country, so that neighbours share territories.
pub fn territory_at(point: &GeoPoint) -> usize {
    let column = ((point.longitude() + 5.0) / 0.4) as usize % 32;
    let row = ((point.latitude() - 41.0) / 0.33) as usize % 31;
    (row * 32 + column) % TERRITORIES
}

fn territory(all: &[TerritoryId], number: usize) -> Body {
    let neighbours = [number + 1, number + 32].map(|near| all[near % TERRITORIES]);
    Body::Territory(Arc::new(Territory {
        id: all[number],
        name: format!("CPTS {number}").into(),
        communes: vec![],
        neighbours: neighbours.to_vec(),
        phone: None,
    }))
}

fn site(number: usize, position: GeoPoint) -> Body {
    Body::EmergencySite(Arc::new(EmergencySite {
        id: EmergencySiteId::parse(&format!("sau-{number:04}")).unwrap(),
        name: format!("SAU {number}").into(),
        kind: if number % 4 == 3 { EmergencySiteKind::Smur } else { EmergencySiteKind::Department },
        position,
        structure: None,
        department: Department::parse("75").unwrap(),
        phone: None,
        zone: chrono_tz::Europe::Paris,
        rules: AccessRules::default(),
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    }))
}

fn schedule(
    random: &mut Random,
    number: usize,
    position: GeoPoint,
    territories: &[TerritoryId],
    directory: &mut Vec<Body>,
    slots: &mut Vec<Arc<Slot>>,
) {
    let weights: Vec<f64> = SPECIALTIES.iter().map(|(_, weight)| *weight).collect();
    let specialty = Specialty::parse(SPECIALTIES[random.weighted(&weights)].0).unwrap();
    let home = random.chance(if specialty.profession() == Profession::NURSE { 0.7 } else { 0.1 });
    let place_id = PlaceId::parse(&format!("place-{number:06}")).unwrap();
    let practitioner_id = PractitionerId::parse(&format!("{:011}", 10_100_000_000 + number as u64)).unwrap().value;
    let schedule_id = ScheduleId::parse(&format!("schedule-{number:06}")).unwrap();
    let territory = territories[territory_at(&position)];
    let wheelchair = if random.chance(0.6) { NeedSet::of(&[Need::Wheelchair]) } else { NeedSet::EMPTY };
    let unmet = if wheelchair == NeedSet::EMPTY && random.chance(0.5) {
        NeedSet::of(&[Need::Wheelchair])
    } else {
        NeedSet::EMPTY
    };
    directory.push(Body::Place(Arc::new(Place {
        id: place_id.clone(),
        name: format!("Cabinet {number}").into(),
        address: format!("{number} rue de la Paix").into(),
        postal_code: "75000".into(),
        city: "Ville".into(),
        commune: None,
        department: Department::parse("75").unwrap(),
        position: Some(position),
        zone: chrono_tz::Europe::Paris,
        structure: None,
        phone: None,
        needs_met: wheelchair,
        needs_unmet: unmet,
    })));
    directory.push(Body::Practitioner(Arc::new(Practitioner {
        id: practitioner_id.clone(),
        family_name: format!("Famille{number}").into(),
        given_name: "Camille".into(),
        profession: Some(specialty.profession()),
        specialties: SpecialtySet::of(&[specialty]),
        languages: if random.chance(0.5) {
            vec![Language::parse("fr").unwrap(), Language::parse("en").unwrap()]
        } else {
            vec![]
        },
        phone: None,
    })));
    let limits = match random.below(20) {
        0 => PatientLimits { max_age: Some(Age::from_years(18)), ..PatientLimits::default() },
        1 => PatientLimits { min_age: Some(Age::from_years(6)), ..PatientLimits::default() },
        _ => PatientLimits::default(),
    };
    directory.push(Body::Schedule(Arc::new(Schedule {
        id: schedule_id.clone(),
        source_id: SourceId::parse("bench").unwrap(),
        place_id,
        practitioner_id: Some(practitioner_id),
        territories: vec![territory],
        specialties: SpecialtySet::EMPTY,
        limits,
        home_visit_radius_m: home.then(|| 3_000 + random.below(12_000) as u32),
        no_show_call_back: None,
        booking_url: "".into(),
        source_revision: 1,
        received_at: at_minute(0),
        first_published_at: None,
    })));
    let mut ways = vec![(Modality::Amb, AppointmentType::Routine)];
    ways.extend(random.chance(0.12).then_some((Modality::Amb, AppointmentType::Walkin)));
    ways.extend(random.chance(0.15).then_some((Modality::Vr, AppointmentType::Routine)));
    ways.extend(home.then_some((Modality::Hh, AppointmentType::Routine)));
    let count = 2 + random.below(17);
    for index in 0..count {
        let way = if random.chance(0.6) { ways[0] } else { ways[random.below(ways.len())] };
        slots.push(slot(random, &schedule_id, index, way));
    }
}

fn slot(random: &mut Random, schedule_id: &ScheduleId, index: usize, way: (Modality, AppointmentType)) -> Arc<Slot> {
    let hour = if random.chance(0.9) { 8.0 + 11.0 * random.unit() } else { 24.0 * random.unit() };
    let start = (hour * 12.0) as i64 * 5;
    let (length, capacity) = match way.1 {
        AppointmentType::Routine => ([15, 15, 20, 30][random.below(4)], 1),
        AppointmentType::Walkin => (120 + 15 * random.below(9) as i64, 3 + random.below(15) as u16),
    };
    let visibility = match random.below(10) {
        0 => VisibilitySet::of(&[Visibility::Cpts]),
        1 | 2 => VisibilitySet::of(&[Visibility::Public, Visibility::Cpts]),
        3 => VisibilitySet::of(&[Visibility::Snp]),
        _ => VisibilitySet::of(&[Visibility::Public]),
    };
    let traits = SlotTraits {
        modalities: ModalitySet::of(&[way.0]),
        appointment_type: way.1,
        visibilities: visibility,
        specialties: SpecialtySet::EMPTY,
        territories: vec![],
        motives: vec![],
        booking_url: "".into(),
    };
    let published = Published {
        id: SlotId::parse(&format!("{schedule_id}/{index:02}")).unwrap(),
        schedule_id: schedule_id.clone(),
        window: Window::new(at_minute(start), at_minute(start + length)).unwrap(),
        capacity,
        traits: Arc::new(traits),
    };
    Arc::new(Slot::from_published(published, 1, at_minute(0)))
}
