//! Whether times can be true: a table with one that cannot is of another unit, another profile or another world.

use super::engine::Table;
use crate::domain::road::{RoadDoubt, RoadProfile};

/// By how much a straight line may be shorter than it seems: roads are met beside both positions.
const SLACK_M: f64 = 500.0;

/// What is possible with a profile.
struct Possible {
    /// Fastest over the straight line, in metres a second.
    fastest: f64,
    /// Longest however near, in seconds.
    longest: f64,
    /// Slowest over the straight line beyond that, in metres a second.
    slowest: f64,
}

/// 200 km/h, and 6 hours plus 7 km/h: detours around an estuary or over a pass are long.
const BY_CAR: Possible = Possible { fastest: 55.6, longest: 6.0 * 3_600.0, slowest: 2.0 };
/// 15 km/h, and a day plus 1.8 km/h.
const ON_FOOT: Possible = Possible { fastest: 4.2, longest: 24.0 * 3_600.0, slowest: 0.5 };

/// The times in whole seconds, rounded up, when all of them can be true.
pub(super) fn checked(table: &Table, seconds: &[Option<f64>]) -> Result<Vec<Option<u32>>, RoadDoubt> {
    let possible = match table.profile {
        RoadProfile::Car => BY_CAR,
        RoadProfile::Walking => ON_FOOT,
    };
    let check = |(place, seconds): (_, &Option<f64>)| {
        let Some(seconds) = *seconds else { return Ok(None) };
        let line_m = f64::from(table.position.distance_m(place));
        let shortest = (line_m - SLACK_M).max(0.0) / possible.fastest;
        let longest = possible.longest + line_m / possible.slowest;
        // What is not a number is in no range.
        if (shortest..=longest).contains(&seconds) { Ok(Some(whole(seconds))) } else { Err(RoadDoubt::Wrong) }
    };
    table.places.iter().zip(seconds).map(check).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was checked: none below 0, none above a month"
)]
fn whole(seconds: f64) -> u32 {
    seconds.ceil() as u32
}
