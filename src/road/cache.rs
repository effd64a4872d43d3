//! Times that are known: bounded in number, forgotten after a quarter of an hour, in memory only.
//!
//! Patients are known by the corner of a grid of about 100 metres, by which servers are asked too: whoever asks from the same
//! corner is told the same, whether the table was asked for him or for another.

use rustc_hash::FxHashMap;

use crate::domain::geo::GeoPoint;
use crate::domain::road::{Heading, Journey, RoadProfile, RoadTime};
use crate::domain::time::UtcInstant;

/// How long a time is believed: traffic and paces change by the hour.
pub(super) const BELIEVED_MS: i64 = 15 * 60_000;
/// Corners of the grid in a degree: 111 metres from south to north, 70 to 80 from west to east in France.
const CORNERS_A_DEGREE: f64 = 1_000.0;
/// Places are told apart to about a metre.
const PLACES_A_DEGREE: f64 = 100_000.0;

/// The corner of the grid that is next to a position.
#[derive(Clone, Copy)]
pub(super) struct Corner {
    steps: (i32, i32),
    position: GeoPoint,
}

impl Corner {
    pub(super) fn of(position: GeoPoint) -> Self {
        let steps = steps(&position, CORNERS_A_DEGREE);
        let (latitude, longitude) = (f64::from(steps.0) / CORNERS_A_DEGREE, f64::from(steps.1) / CORNERS_A_DEGREE);
        // The corner next to a position in range is in range too, since the limits are corners.
        Self { steps, position: GeoPoint::new(latitude, longitude).unwrap_or(position) }
    }

    pub(super) const fn position(self) -> GeoPoint {
        self.position
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    corner: (i32, i32),
    place: (i32, i32),
    profile: RoadProfile,
    heading: Heading,
}

#[derive(Clone, Copy)]
struct Known {
    /// `None` when no road is known.
    seconds: Option<u32>,
    asked_at: UtcInstant,
}

/// Times in two halves: when the younger is full, the elder goes.
pub(super) struct Cache {
    half_max: usize,
    young: FxHashMap<Key, Known>,
    old: FxHashMap<Key, Known>,
}

impl Cache {
    pub(super) fn new(max: usize) -> Self {
        Self { half_max: (max / 2).max(1), young: FxHashMap::default(), old: FxHashMap::default() }
    }

    /// What is known of a journey: a time, or that there is no road; `None` when nothing is.
    pub(super) fn get(&self, corner: Corner, journey: &Journey, now: UtcInstant) -> Option<Option<RoadTime>> {
        let key = key(corner, journey);
        let known = self.young.get(&key).or_else(|| self.old.get(&key))?;
        let age_ms = now.ms_since(known.asked_at);
        let age_seconds = now.seconds_since(known.asked_at);
        (0..BELIEVED_MS).contains(&age_ms).then(|| known.seconds.map(|seconds| RoadTime { seconds, age_seconds }))
    }

    pub(super) fn keep(&mut self, corner: Corner, journey: &Journey, seconds: Option<u32>, now: UtcInstant) {
        if self.young.len() >= self.half_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key(corner, journey), Known { seconds, asked_at: now });
    }
}

fn key(corner: Corner, journey: &Journey) -> Key {
    let Journey { place, profile, heading } = journey;
    Key { corner: corner.steps, place: steps(place, PLACES_A_DEGREE), profile: *profile, heading: *heading }
}

#[allow(clippy::cast_possible_truncation, reason = "180 degrees have 18,000,000 steps at most")]
fn steps(position: &GeoPoint, a_degree: f64) -> (i32, i32) {
    ((position.latitude() * a_degree).round() as i32, (position.longitude() * a_degree).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(latitude: f64, longitude: f64) -> GeoPoint {
        GeoPoint::new(latitude, longitude).unwrap()
    }

    fn journey(number: u32) -> Journey {
        let place = point(45.0 + f64::from(number) / 1_000.0, 4.8);
        Journey { place, profile: RoadProfile::Car, heading: Heading::FromPatient }
    }

    #[test]
    fn a_time_is_known_of_the_corner_for_a_quarter_of_an_hour() {
        let now = UtcInstant::from_ms(1_000_000_000);
        let mut cache = Cache::new(16);
        let home = Corner::of(point(45.6975, 4.8867));
        cache.keep(home, &journey(1), Some(600), now);
        cache.keep(home, &journey(2), None, now);
        let neighbour = Corner::of(point(45.69762, 4.88682));
        let at = |ms| cache.get(neighbour, &journey(1), now.plus_ms(ms));
        assert_eq!(at(61_000), Some(Some(RoadTime { seconds: 600, age_seconds: 61 })));
        assert_eq!(at(BELIEVED_MS), None);
        assert_eq!(at(-1), None, "of a clock that was set back");
        assert_eq!(cache.get(home, &journey(2), now), Some(None), "that there is no road is known too");
        assert_eq!(cache.get(home, &journey(3), now), None);
        assert_eq!(cache.get(Corner::of(point(45.6995, 4.8867)), &journey(1), now), None, "of 200 metres away");
        let back = Journey { heading: Heading::ToPatient, ..journey(1) };
        let on_foot = Journey { profile: RoadProfile::Walking, ..journey(1) };
        assert_eq!((cache.get(home, &back, now), cache.get(home, &on_foot, now)), (None, None));
    }

    #[test]
    fn no_more_is_kept_than_the_bound_and_the_newest_stays() {
        let now = UtcInstant::from_ms(1_000_000_000);
        let mut cache = Cache::new(8);
        let home = Corner::of(point(45.6975, 4.8867));
        for number in 0..100 {
            cache.keep(home, &journey(number), Some(number), now);
            assert!(cache.young.len() + cache.old.len() <= 8);
            assert!(cache.get(home, &journey(number), now).is_some());
        }
    }

    #[test]
    fn a_corner_is_next_to_its_position() {
        for (latitude, longitude) in [(45.69754, 4.88671), (-21.34, 55.48), (90.0, -180.0)] {
            let position = point(latitude, longitude);
            assert!(Corner::of(position).position().distance_m(&position) <= 90);
        }
    }
}
