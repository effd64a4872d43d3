//! What the counted program plays: a region of the benches and questions about it, written as a scenario.
//!
//! Deliberately absent: anything stated of the answers; other tests say what they must be.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use sas_router::domain::code::{AppointmentType, Modality, SpecialtySet};
use sas_router::domain::directory::{Place, Practitioner, Schedule};
use sas_router::domain::geo::GeoPoint;
use sas_router::domain::id::{ScheduleId, TerritoryId};
use sas_router::domain::patient::{Age, Need};
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::Body;
use sas_router::domain::slot::Slot;

use crate::support::questions::{Class, questions};
use crate::support::region::{Region, at_minute, region};

/// Slots of the region.
const SLOTS: usize = 10_000;
/// Questions of each kind.
const QUESTIONS: usize = 8;
/// Where all places are reckoned from, as latitude and longitude, and kilometres of a degree as scenarios reckon them.
const PARIS: (f64, f64) = (48.86, 2.35);
const KM_PER_DEGREE: f64 = 111.195;
/// The minute of the day at which everything is asked.
const ASKED_AT: i64 = 10 * 60;

/// Writes the scenario into a folder; the kind of each question, in the order in which they are asked twice.
pub(super) fn write(folder: &Path) -> Vec<String> {
    let region = region(SLOTS, 42);
    let mut text = format!("family = \"Instructions\"\n[given]\nnow = \"{}\"\n", at_minute(ASKED_AT));
    write_territories(&mut text, &region);
    write_sites(&mut text, &region);
    write_schedules(&mut text, &region);
    text.push_str("[[scenario]]\nname = \"Counted\"\nstory = \"Chaque question est posée deux fois.\"\nwhen.patient = \"Paris\"\n");
    let mut kinds = Vec::new();
    let asked = questions(&region, 1_000, 7);
    let mut steps = String::new();
    for class in Class::ALL {
        for (_, query, _) in asked.iter().filter(|(of, ..)| *of == class).take(QUESTIONS) {
            writeln!(steps, "[[scenario.then_when]]\nwhen = {{ {} }}\nthen.degraded = false", question(query)).unwrap();
            kinds.push(format!("{class:?}").to_lowercase());
        }
    }
    text.push_str(&steps.repeat(2));
    fs::write(folder.join("counted.toml"), text).unwrap();
    let (latitude, longitude) = PARIS;
    let towns = format!("[towns]\n\"Paris\" = {{ commune = \"75056\", at = [{latitude}, {longitude}] }}\n");
    fs::write(folder.join("_common.toml"), towns).unwrap();
    kinds
}

fn list<T>(all: impl IntoIterator<Item = T>, word: impl Fn(T) -> String) -> String {
    let words: Vec<String> = all.into_iter().map(|one| format!("\"{}\"", word(one))).collect();
    format!("[{}]", words.join(", "))
}

/// An age of whole years, as scenarios say it.
fn years(age: Age) -> String {
    let is_it = |years: &u16| Age::from_years(*years) >= age;
    format!("{} ans", (0..120).find(is_it).unwrap_or(120))
}

fn short(id: &TerritoryId) -> String {
    format!("T{id}")
}

fn specialties(all: SpecialtySet) -> String {
    list(all.iter(), |one| one.code().to_owned())
}

fn at(position: &GeoPoint) -> String {
    let north_km = (position.latitude() - PARIS.0) * KM_PER_DEGREE;
    let east_km = (position.longitude() - PARIS.1) * KM_PER_DEGREE * PARIS.0.to_radians().cos();
    format!("at = \"Paris\", north_km = {north_km:.6}, east_km = {east_km:.6}")
}

fn write_territories(text: &mut String, region: &Region) {
    text.push_str("[given.territories]\n");
    for body in &region.directory {
        if let Body::Territory(one) = body {
            writeln!(text, "{} = {{ neighbours = {} }}", short(&one.id), list(&one.neighbours, short)).unwrap();
        }
    }
}

fn write_sites(text: &mut String, region: &Region) {
    text.push_str("[given.emergency_sites]\n");
    for body in &region.directory {
        if let Body::EmergencySite(one) = body {
            writeln!(text, "{} = {{ {}, kind = \"{}\" }}", one.id, at(&one.position), one.kind.code()).unwrap();
        }
    }
}

fn write_schedules(text: &mut String, region: &Region) {
    let (mut places, mut practitioners) = (HashMap::new(), HashMap::new());
    let mut slots: HashMap<&ScheduleId, Vec<&Arc<Slot>>> = HashMap::new();
    for slot in &region.slots {
        slots.entry(&slot.schedule_id).or_default().push(slot);
    }
    text.push_str("[given.schedules]\n");
    for body in &region.directory {
        if let Body::Place(one) = body {
            places.insert(&one.id, one);
        } else if let Body::Practitioner(one) = body {
            practitioners.insert(&one.id, one);
        } else if let Body::Schedule(one) = body {
            let practitioner = one.practitioner_id.as_ref().and_then(|id| practitioners.get(id));
            let slots = slots.remove(&one.id).unwrap_or_default();
            write_schedule(text, one, (places[&one.place_id], practitioner.map(|one| &***one)), &slots);
        }
    }
}

fn write_schedule(
    text: &mut String,
    schedule: &Schedule,
    (place, practitioner): (&Place, Option<&Practitioner>),
    slots: &[&Arc<Slot>],
) {
    write!(text, "{} = {{ {}", schedule.id, at(&place.position.unwrap())).unwrap();
    write!(text, ", heard = \"00:00\", territories = {}", list(&schedule.territories, short)).unwrap();
    match practitioner {
        Some(one) => {
            write!(text, ", specialties = {}", specialties(one.specialties)).unwrap();
            write!(text, ", languages = {}", list(&one.languages, ToString::to_string)).unwrap();
        }
        None => text.push_str(", structure = true"),
    }
    for (key, needs) in [("needs_met", place.needs_met), ("needs_unmet", place.needs_unmet)] {
        write!(text, ", {key} = {}", list(needs.iter(), |need: Need| need.code().to_owned())).unwrap();
    }
    for (key, age) in [("min_age", schedule.limits.min_age), ("max_age", schedule.limits.max_age)] {
        let Some(age) = age else { continue };
        write!(text, ", {key} = \"{}\"", years(age)).unwrap();
    }
    if let Some(radius_m) = schedule.home_visit_radius_m {
        write!(text, ", home_visit_radius_km = {:.3}", f64::from(radius_m) / 1_000.0).unwrap();
    }
    let slots: Vec<String> = slots.iter().map(|slot| slot_table(slot)).collect();
    writeln!(text, ", slots = [{}] }}", slots.join(", ")).unwrap();
}

fn slot_table(slot: &Slot) -> String {
    let (window, traits) = (slot.window, &slot.traits);
    let modalities = list(traits.modalities.iter(), |one: Modality| one.code().to_owned());
    let visibilities = list(traits.visibilities.iter(), |one| one.code().to_owned());
    let walk_in = traits.appointment_type == AppointmentType::Walkin;
    format!(
        "{{ at = \"{} to {}\", capacity = {}, modality = {modalities}, walk_in = {walk_in}, visibility = {visibilities} }}",
        window.start_at(),
        window.end_at(),
        slot.capacity
    )
}

/// A question in the keys of `when`.
fn question(query: &CareQuery) -> String {
    let parts = query.parts();
    let position = parts.position.unwrap();
    let mut text = format!(
        "commune_unknown = true, position = [{:.6}, {:.6}], limit = 10, modality = {}, appointment_type = {}, territories = {}",
        position.latitude(),
        position.longitude(),
        list(parts.modalities.iter(), |one: Modality| one.code().to_owned()),
        list(parts.appointment_types.iter(), |one: AppointmentType| one.code().to_owned()),
        list(&parts.territories, short),
    );
    let mut add = |key: &str, value: String| write!(text, ", {key} = {value}").unwrap();
    if !parts.specialties.is_empty() {
        add("specialties", specialties(parts.specialties));
    }
    if !parts.professions.is_empty() {
        add("professions", list(parts.professions.iter(), |one| one.code().to_owned()));
    }
    add("within_minutes", parts.needed_within_minutes.unwrap().to_string());
    if let Some(radius_m) = parts.radius_m {
        add("radius_km", (radius_m / 1_000).to_string());
    }
    if let Some(age) = parts.age {
        add("age", format!("\"{}\"", years(age)));
    }
    add("needs", list(parts.needs.iter(), |need: Need| need.code().to_owned()));
    add("languages", list(&parts.languages, ToString::to_string));
    text
}
