//! Places for a map: where they are, whose they are, and whether care can be had there in time.
//!
//! Invariant: within one generation the list of places stays the same, in the same order, so that a client that has it needs
//! only the states that changed. Positions are those of places, which are public; patients have none here.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::domain::geo::GeoPoint;
use crate::domain::id::{PlaceId, TerritoryId};
use crate::domain::tension::AskedFor;
use crate::domain::time::UtcInstant;
use crate::index::Index;

use super::survey::{AGE_BANDS, PlaceSupply, Supply, Survey};
use super::tension::TensionState;
use crate::service::limits::BOARD_PLACES_MAX;

/// General practice.
const GENERAL_PRACTICE: &str = "SM54";
/// Place of the adults among the bands of ages.
const ADULTS: usize = AGE_BANDS.len() - 2;

/// The places that have a position.
#[derive(Clone, PartialEq, Debug)]
pub struct PlaceMap {
    /// Which list of places this is.
    pub generation: u64,
    /// The places, in order of identifier.
    pub places: Arc<[MapPlace]>,
    /// Territories that places name by their number here.
    pub territories: Arc<[MapTerritory]>,
    /// How each stands, in the same order.
    pub states: Box<[PlaceState]>,
    /// The board with which each came to stand so, in the same order.
    changed_in: Box<[u64]>,
    /// Places that found no room.
    pub left_out_count: usize,
}

/// A place.
#[derive(Clone, PartialEq, Debug)]
pub struct MapPlace {
    /// Its identifier.
    pub id: PlaceId,
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub position: GeoPoint,
    /// The number of its CPTS among [`PlaceMap::territories`].
    pub territory: Option<u32>,
}

/// A CPTS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MapTerritory {
    /// Its FINESS.
    pub id: TerritoryId,
    /// Its name; its number while the directory does not know it.
    pub name: Arc<str>,
}

/// Whether general practice, or what a place without it mostly offers, can be had there in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum PlaceState {
    /// Nothing is free.
    NoneFree = 0,
    /// What is free begins later than the threshold.
    Tense = 1,
    /// Something is free within the threshold.
    Met = 2,
    /// Nothing is free of what is believed, and some of it is silent.
    Unknown = 3,
}

impl PlaceState {
    /// As a byte, 0 to 3 in the order of the variants.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    fn of(supply: &Supply, now: UtcInstant, threshold_seconds: u32) -> Self {
        match TensionState::of(supply.first_at(), now, threshold_seconds) {
            TensionState::NoneFree if supply.silent > 0 => Self::Unknown,
            TensionState::NoneFree => Self::NoneFree,
            TensionState::Tense => Self::Tense,
            TensionState::Met => Self::Met,
        }
    }
}

impl PlaceMap {
    /// The places of a survey, after the map of the last board.
    pub(super) fn of(survey: Survey, index: &Index, (now, revision): (UtcInstant, u64), last: Option<&Self>) -> Self {
        let Survey { territories: surveyed, places, national_threshold_seconds } = survey;
        let mut seen: Vec<PlaceSupply> = places.into_values().collect();
        seen.sort_unstable_by(|a, b| a.place.id.cmp(&b.place.id));
        let left_out_count = seen.len().saturating_sub(BOARD_PLACES_MAX);
        seen.truncate(BOARD_PLACES_MAX);

        let mut ids: Vec<TerritoryId> = seen.iter().filter_map(|place| place.territory).collect();
        ids.sort_unstable();
        ids.dedup();
        let numbers: FxHashMap<TerritoryId, u32> = ids.iter().copied().zip(0..).collect();
        let territories = ids.into_iter().map(|id| MapTerritory::of(id, index)).collect();
        let place = |one: &PlaceSupply| {
            let territory = one.territory.and_then(|id| numbers.get(&id)).copied();
            let (id, name) = (one.place.id.clone(), Arc::clone(&one.place.name));
            one.place.position.map(|position| MapPlace { id, name, position, territory })
        };
        let places = seen.iter().filter_map(place).collect();
        let state = |one: &PlaceSupply| {
            let territory = one.territory.and_then(|id| surveyed.get(&id));
            let threshold = territory.and_then(|territory| territory.threshold_seconds.get(ADULTS)).copied();
            let supply = told(one);
            PlaceState::of(&supply, now, threshold.unwrap_or(national_threshold_seconds))
        };
        let states: Box<[PlaceState]> = seen.iter().filter(|one| one.place.position.is_some()).map(state).collect();
        Self::after(last, (places, territories), states, left_out_count, revision)
    }

    fn after(
        last: Option<&Self>,
        (places, territories): (Arc<[MapPlace]>, Arc<[MapTerritory]>),
        states: Box<[PlaceState]>,
        left_out_count: usize,
        revision: u64,
    ) -> Self {
        let same = last.filter(|last| last.places == places && last.territories == territories);
        let Some(last) = same else {
            let changed_in = vec![revision; states.len()].into();
            return Self { generation: revision, places, territories, states, changed_in, left_out_count };
        };
        let before = last.states.iter().zip(&last.changed_in);
        let changed = |(state, (old, since)): (&PlaceState, (&PlaceState, &u64))| {
            if state == old { *since } else { revision }
        };
        Self {
            generation: last.generation,
            // The same lists as before, kept once.
            places: Arc::clone(&last.places),
            territories: Arc::clone(&last.territories),
            changed_in: states.iter().zip(before).map(changed).collect(),
            states,
            left_out_count,
        }
    }

    /// The places, by their number, that stand otherwise than in an earlier board of this generation.
    pub fn changed_since(&self, revision: u64) -> impl Iterator<Item = (usize, PlaceState)> {
        let all = self.states.iter().zip(&self.changed_in).enumerate();
        all.filter(move |(_, (_, changed_in))| **changed_in > revision).map(|(number, (state, _))| (number, *state))
    }
}

impl MapTerritory {
    fn of(id: TerritoryId, index: &Index) -> Self {
        let name = index.territory(&id).map_or_else(|| Arc::from(id.as_str()), |known| Arc::clone(&known.value.name));
        Self { id, name }
    }
}

/// General practice where it is offered, else what most schedules of the place offer, of several the first code.
fn told(place: &PlaceSupply) -> Supply {
    let general = place.needs.iter().find(|(need, _)| need.code() == GENERAL_PRACTICE);
    let rank = |(need, supply): &(AskedFor, Supply)| (supply.schedules, std::cmp::Reverse(need.code()));
    let main = || place.needs.iter().max_by_key(|one| rank(one));
    general.or_else(main).map_or_else(Supply::default, |(_, supply)| *supply)
}
