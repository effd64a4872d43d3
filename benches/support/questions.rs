//! Questions about a region, in the mix that the targets are stated for.

use sas_router::domain::code::{
    AppointmentTypeSet, Modality, ModalitySet, Profession, ProfessionSet, Specialty, SpecialtySet,
};
use sas_router::domain::patient::{Age, Language, Need, NeedSet};
use sas_router::domain::query::{CareQuery, CareQueryDraft};
use sas_router::domain::time::UtcInstant;

use super::random::Random;
use super::region::{Region, anywhere, at_minute, by_people, in_town, point, territory_at};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    Mixed,
    Urban,
    Rural,
    Remote,
    Nothing,
}

impl Class {
    pub const ALL: [Self; 5] = [Self::Mixed, Self::Urban, Self::Rural, Self::Remote, Self::Nothing];
    /// How often each is asked, in per cent.
    const SHARES: [f64; 5] = [60.0, 15.0, 10.0, 10.0, 5.0];
}

/// A question and when it is asked.
pub type Asked = (Class, CareQuery, UtcInstant);

/// This many questions, reproducible by the seed.
pub fn questions(region: &Region, count: usize, seed: u64) -> Vec<Asked> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| {
            let class = Class::ALL[random.weighted(&Class::SHARES)];
            let (query, now) = question(region, class, &mut random);
            (class, query, now)
        })
        .collect()
}

fn specialties(random: &mut Random) -> SpecialtySet {
    let code = |text| Specialty::parse(text).unwrap();
    match random.below(10) {
        0..=4 => SpecialtySet::of(&[code("SM54"), code("SM53"), code("SM26")]),
        5 => SpecialtySet::of(&[code("SM40")]),
        6 => SpecialtySet::of(&[code("SM15"), code("SM38")]),
        7 => SpecialtySet::of(&[code("SM20")]),
        8 => SpecialtySet::of(&[code("SM42")]),
        _ => SpecialtySet::of(&[code("SM48")]),
    }
}

fn question(region: &Region, class: Class, random: &mut Random) -> (CareQuery, UtcInstant) {
    let now = at_minute(7 * 60 + random.below(600) as i64);
    let general = ["SM54", "SM53", "SM26"].map(|code| Specialty::parse(code).unwrap());
    let mut draft = CareQueryDraft {
        specialties: SpecialtySet::of(&general),
        modalities: ModalitySet::of(&[Modality::Amb]),
        needed_within_minutes: Some([120, 240, 480, 900][random.below(4)]),
        limit: Some(10),
        ..CareQueryDraft::default()
    };
    let town = by_people(random, &region.towns);
    let at = match class {
        Class::Rural => anywhere(random),
        Class::Urban => in_town(random, &region.towns[random_of(town, 7)]),
        Class::Mixed if random.chance(0.2) => anywhere(random),
        Class::Mixed | Class::Remote => in_town(random, &region.towns[town]),
        Class::Nothing => in_town(random, &region.towns[0]),
    };
    draft.position = Some(point(at));
    if random.chance(0.6) {
        draft.territories = vec![region.territories[territory_at(&point(at))]];
    }
    match class {
        Class::Urban => draft.radius_m = Some(10_000),
        Class::Rural => {
            draft.radius_m = Some(40_000);
            draft.specialties = specialties(random);
            draft.modalities = ModalitySet::of(&[Modality::Amb, Modality::Hh]);
        }
        Class::Mixed => {
            draft.radius_m = Some([5_000, 10_000, 20_000, 30_000, 50_000][random.below(5)]);
            draft.specialties = specialties(random);
            draft.modalities =
                [ModalitySet::of(&[Modality::Amb]), ModalitySet::of(&[Modality::Amb, Modality::Hh]), ModalitySet::ALL]
                    [random.below(3)];
            needs(&mut draft, region, random);
        }
        Class::Remote => draft.modalities = ModalitySet::of(&[Modality::Vr]),
        // Around Paris, a profession that exists there in another trade's specialty only: everything is looked at in vain.
        Class::Nothing => {
            draft.radius_m = Some(50_000);
            draft.appointment_types = AppointmentTypeSet::ALL;
            draft.specialties = SpecialtySet::of(&[Specialty::parse("SM53").unwrap()]);
        }
    }
    (CareQuery::parse(draft).unwrap(), now)
}

fn needs(draft: &mut CareQueryDraft, region: &Region, random: &mut Random) {
    match random.below(10) {
        0 => draft.needs = NeedSet::of(&[Need::Wheelchair]),
        1 => draft.age = Some(Age::from_years(3)),
        2 => draft.age = Some(Age::from_years(40)),
        3 => draft.languages = vec![Language::parse("en").unwrap()],
        4 => {
            draft.specialties = SpecialtySet::EMPTY;
            draft.professions = ProfessionSet::of(&[Profession::NURSE]);
        }
        // On behalf of the territory beyond it too.
        5 => {
            let own = draft.position.map_or(0, |at| territory_at(&at));
            draft.territories.push(region.territories[(own + 1) % region.territories.len()]);
        }
        _ => {}
    }
}

fn random_of(town: usize, most: usize) -> usize {
    town % most
}
