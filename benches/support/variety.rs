//! What few slots and schedules of a region have: a practice of their own, several modalities, two territories, nobody
//! in particular who gives care.

use std::collections::HashMap;
use std::sync::Arc;

use sas_router::domain::code::{Modality, ModalitySet, Specialty, SpecialtySet};
use sas_router::domain::directory::Schedule;
use sas_router::domain::id::{ScheduleId, TerritoryId};
use sas_router::domain::record::Body;
use sas_router::domain::slot::SlotTraits;

use super::random::Random;
use super::region::{Region, SPECIALTIES};

/// The share in what benches time: each kind occurs, and plain schedules decide what a question costs.
pub const RARE: f64 = 0.01;

/// Gives each of these to a share of those that could have it, with a sequence of numbers of its own: the rest of the
/// region stays what it is.
pub fn vary(region: &mut Region, share: f64, seed: u64) {
    let mut random = Random::new(seed);
    let all = &region.territories;
    let mut own: HashMap<ScheduleId, TerritoryId> = HashMap::new();
    for body in &mut region.directory {
        if let Body::Schedule(schedule) = body {
            own.insert(schedule.id.clone(), schedule.territories[0]);
            vary_schedule(Arc::make_mut(schedule), all, share, &mut random);
        }
    }
    for slot in &mut region.slots {
        let (own, slot) = (own[&slot.schedule_id], Arc::make_mut(slot));
        vary_traits(Arc::make_mut(&mut slot.traits), own, all, share, &mut random);
    }
}

fn vary_schedule(schedule: &mut Schedule, all: &[TerritoryId], share: f64, random: &mut Random) {
    if random.chance(share) {
        schedule.territories.extend(around(schedule.territories[0], all, random));
        schedule.territories.dedup();
    }
    if random.chance(share) {
        schedule.specialties = specialties(random);
    }
    if random.chance(share) {
        schedule.practitioner_id = None;
        // Rarer still, not even the specialty is said: then general practice is a fair guess.
        schedule.specialties = if random.chance(share) { SpecialtySet::EMPTY } else { specialties(random) };
    }
}

/// Gives traits of a slot, each kind with a chance, what most do not have.
pub fn vary_traits(traits: &mut SlotTraits, own: TerritoryId, all: &[TerritoryId], chance: f64, random: &mut Random) {
    if random.chance(chance) {
        traits.territories = around(own, all, random);
        if random.chance(0.5) {
            traits.territories.extend(around(own, all, random));
            traits.territories.dedup();
        }
    }
    if random.chance(chance) {
        traits.specialties = specialties(random);
    }
    if random.chance(chance) {
        let several = [[Modality::Amb, Modality::Vr], [Modality::Amb, Modality::Hh], [Modality::Vr, Modality::Hh]];
        traits.modalities =
            if random.chance(0.25) { ModalitySet::ALL } else { ModalitySet::of(&several[random.below(3)]) };
    }
}

/// One or two specialties, rarely of one profession.
pub fn specialties(random: &mut Random) -> SpecialtySet {
    let mut one = || Specialty::parse(SPECIALTIES[random.below(SPECIALTIES.len())].0).unwrap();
    let both = SpecialtySet::of(&[one(), one()]);
    if random.chance(0.3) { both } else { both.iter().take(1).collect() }
}

/// A territory, or one beside it: those are asked for where the schedule is.
pub fn around(own: TerritoryId, all: &[TerritoryId], random: &mut Random) -> Vec<TerritoryId> {
    let at = all.binary_search(&own).unwrap();
    let step = [0, 1, 32, all.len() - 1, all.len() - 32][random.below(5)];
    vec![all[(at + step) % all.len()]]
}
