//! The places of the map, packed: a hundred thousand are a megabyte, and a browser reads them without parsing.
//!
//! The form: length of the head (4 bytes), the head in JSON, zeros up to a multiple of 4; then, each for all places in order,
//! latitudes and longitudes in hundred-thousandths of a degree (4 bytes each), numbers of territories (4 bytes each, all ones for
//! none), states (1 byte each). Everything is little-endian.

use serde_json::json;

use crate::domain::geo::GeoPoint;
use crate::service::Board;

/// Parts of a degree.
const PARTS: f64 = 100_000.0;

/// The places with how they stand.
pub(super) fn packed(board: &Board) -> Vec<u8> {
    let map = &board.places;
    let territories: Vec<_> =
        map.territories.iter().map(|one| json!({ "id": one.id.as_str(), "name": one.name.as_ref() })).collect();
    let head = json!({
        "generation": map.generation,
        "revision": board.revision,
        "count": map.places.len(),
        "left_out": map.left_out_count,
        "territories": territories,
    });
    let head = head.to_string();
    let mut bytes = Vec::with_capacity(head.len() + 8 + 13 * map.places.len());
    bytes.extend(u32::try_from(head.len()).unwrap_or(0).to_le_bytes());
    bytes.extend(head.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    map.places.iter().for_each(|place| bytes.extend(parts(place.position.latitude()).to_le_bytes()));
    map.places.iter().for_each(|place| bytes.extend(parts(place.position.longitude()).to_le_bytes()));
    map.places.iter().for_each(|place| bytes.extend(place.territory.unwrap_or(u32::MAX).to_le_bytes()));
    bytes.extend(map.states.iter().map(|state| state.byte()));
    bytes
}

/// A coordinate of a [`GeoPoint`], which is at most 180.
#[allow(clippy::cast_possible_truncation, reason = "at most 180 times 100,000 fits")]
fn parts(degrees: f64) -> i32 {
    debug_assert!(GeoPoint::new(0.0, degrees).is_ok(), "a coordinate of a place is in range");
    (degrees * PARTS).round() as i32
}
