//! Schedules of one group by place: square cells on the sphere, visited from the patient outwards.
//!
//! Rows of cells are bands of latitude; within a row, columns count from the prime meridian along that row's middle
//! parallel. A position belongs to exactly one cell. No French territory is within 300 km of the antimeridian, so columns
//! need not wrap.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::ahead::look_into;
use super::cell::{Cell, Square};
use super::scan::{CellScan, Scratch};
use super::tile::{TILE_SIDE, Tile, place_in_tile};
use crate::domain::geo::{EARTH_RADIUS_M, GeoPoint, whole_metres};
use crate::domain::offer::Judge;

/// Distances in the plane of cells are within this factor of those on the sphere, up to the largest radius.
const PLANE_TO_SPHERE: f64 = 0.95;
/// How many rings of cells are looked around first; then twice as many, and so on.
const FIRST_RINGS: i32 = 2;
/// Cells that are looked into together.
const TOGETHER: usize = 3;

/// Row and column of a cell, or of a tile of cells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CellKey {
    row: i32,
    column: i32,
}

impl CellKey {
    const fn tile(self) -> Self {
        Self { row: self.row.div_euclid(TILE_SIDE), column: self.column.div_euclid(TILE_SIDE) }
    }
}

/// A position in the plane of a row of cells.
#[derive(Clone, Copy, Debug)]
struct InRow {
    north_m: f64,
    east_m: f64,
}

/// The squares that hold something, by tile.
type Tiles = FxHashMap<CellKey, Arc<Tile>>;

/// Squares that may matter, with the least distance to anything in them.
type Around<'a> = SmallVec<[(u32, &'a Square); 64]>;

/// The schedules of a group by place.
#[derive(Debug)]
pub(super) struct Grid {
    cell_m: f64,
    tiles: ArcSwap<Tiles>,
}

impl Grid {
    pub(super) fn new(cell_km: u16) -> Self {
        Self { cell_m: f64::from(cell_km) * 1_000.0, tiles: ArcSwap::default() }
    }

    /// The square of a position, made when it is not there yet; for the one writer.
    pub(super) fn square(&self, position: &GeoPoint) -> Arc<Square> {
        let key = self.key(position);
        let (tiles, place) = (self.tiles.load(), place_in_tile(key.row, key.column));
        let known = tiles.get(&key.tile());
        if let Some(square) = known.and_then(|tile| tile.square(place)) {
            return Arc::clone(square);
        }
        let mut tile = known.map_or_else(Tile::default, |tile| Tile::clone(tile));
        let square = Arc::new(Square::new(tile.said_at(place)));
        tile.put(place, Arc::clone(&square));
        let mut tiles = Tiles::clone(&tiles);
        tiles.insert(key.tile(), Arc::new(tile));
        self.tiles.store(Arc::new(tiles));
        square
    }

    /// Puts these cells into use, and no others; for the one writer.
    pub(super) fn fill(&self, cells: impl Iterator<Item = (CellKey, Cell)>) {
        let mut filled = FxHashMap::<CellKey, Tile>::default();
        for (key, cell) in cells {
            let (tile, place) = (filled.entry(key.tile()).or_default(), place_in_tile(key.row, key.column));
            let square = Square::new(tile.said_at(place));
            square.store(cell);
            tile.put(place, Arc::new(square));
        }
        let tiles: Tiles = filled.into_iter().map(|(key, tile)| (key, Arc::new(tile))).collect();
        self.tiles.store(Arc::new(tiles));
    }

    /// Hands the schedules within reach to the judge, nearest cells first, until no farther cell can matter.
    pub(super) fn scan<J: Judge>(&self, center: &GeoPoint, scan: &CellScan, judge: &mut J) {
        let tiles = self.tiles.load();
        if tiles.is_empty() {
            return;
        }
        let (mut scratch, mut around) = (Scratch::new(), Around::new());
        let rings = 2 + whole_metres(f64::from(scan.radius_m) / (self.cell_m * PLANE_TO_SPHERE));
        let rings = i32::try_from(rings).unwrap_or(0);
        let (mut from, mut to) = (0, FIRST_RINGS.min(rings));
        while from < to {
            let ring_m = whole_metres(f64::from((from - 1).max(0)) * self.cell_m * PLANE_TO_SPHERE);
            if ring_m > scan.radius_m || scan.least_cost(ring_m, judge) > judge.bound() {
                return;
            }
            // All squares before any cell: looked up one after the other, their memory comes together.
            self.look_around(&tiles, (center, from..to), scan, judge, &mut around);
            around.sort_by_key(|(cell_m, _)| *cell_m);
            for some in around.chunks(TOGETHER) {
                let matters = |cell_m: u32, judge: &J| scan.least_cost(cell_m, judge) <= judge.bound();
                let Some((nearest_m, _)) = some.first() else { continue };
                if !matters(*nearest_m, judge) {
                    break;
                }
                let mut cells = [const { None }; TOGETHER];
                for (cell, (_, square)) in cells.iter_mut().zip(some) {
                    *cell = Some(square.load());
                }
                look_into(&cells);
                for ((cell_m, square), cell) in some.iter().zip(cells.iter().flatten()) {
                    if matters(*cell_m, judge) {
                        cell.scan(*cell_m, square.ways(), scan, &mut scratch, judge);
                    }
                }
            }
            around.clear();
            (from, to) = (to, (2 * to).min(rings));
        }
    }

    /// Notes the squares of some rings that may matter.
    fn look_around<'a, J: Judge>(
        &self,
        tiles: &'a Tiles,
        (center, rings): (&GeoPoint, Range<i32>),
        scan: &CellScan,
        judge: &J,
        around: &mut Around<'a>,
    ) {
        let (center_row, last) = (self.key(center).row, rings.end - 1);
        for row in center_row - last..=center_row + last {
            let at = self.at_in_row(center, row);
            let column = floor_i32(at.east_m / self.cell_m);
            // Rows of the rings before are left out in their middle.
            let is_whole = (row - center_row).abs() >= rings.start;
            let left = if is_whole { column + last } else { column - rings.start };
            self.look_along(tiles, (at, row, column - last..=left), scan, judge, around);
            if !is_whole {
                self.look_along(tiles, (at, row, column + rings.start..=column + last), scan, judge, around);
            }
        }
    }

    /// Notes the squares of a part of a row that may matter.
    fn look_along<'a, J: Judge>(
        &self,
        tiles: &'a Tiles,
        (at, row, columns): (InRow, i32, RangeInclusive<i32>),
        scan: &CellScan,
        judge: &J,
        around: &mut Around<'a>,
    ) {
        let mut known: Option<(CellKey, Option<&Tile>)> = None;
        for column in columns {
            let key = CellKey { row, column }.tile();
            if known.is_none_or(|(of, _)| of != key) {
                known = Some((key, tiles.get(&key).map(|tile| &**tile)));
            }
            let Some((_, Some(tile))) = known else { continue };
            let place = place_in_tile(row, column);
            if !scan.exhaustive && !tile.ways(place).may_suit(scan.ways) {
                continue;
            }
            let Some(square) = tile.square(place) else { continue };
            let cell_m = self.distance_to_cell_m(at, row, column);
            if cell_m <= scan.radius_m && scan.least_cost(cell_m, judge) <= judge.bound() {
                around.push((cell_m, square));
            }
        }
    }

    /// The cell of a position.
    pub(super) fn key(&self, position: &GeoPoint) -> CellKey {
        let row = floor_i32(position.latitude().to_radians() * EARTH_RADIUS_M / self.cell_m);
        CellKey { row, column: self.column(row, position.longitude()) }
    }

    fn column(&self, row: i32, longitude: f64) -> i32 {
        floor_i32(longitude.to_radians() * self.parallel_radius_m(row) / self.cell_m)
    }

    /// Radius of a row's middle parallel.
    fn parallel_radius_m(&self, row: i32) -> f64 {
        EARTH_RADIUS_M * ((f64::from(row) + 0.5) * self.cell_m / EARTH_RADIUS_M).cos()
    }

    /// A position in the plane in which a row's cells are squares.
    fn at_in_row(&self, center: &GeoPoint, row: i32) -> InRow {
        InRow {
            north_m: center.latitude().to_radians() * EARTH_RADIUS_M,
            east_m: center.longitude().to_radians() * self.parallel_radius_m(row),
        }
    }

    /// A lower bound of the distance to anything in a cell.
    fn distance_to_cell_m(&self, at: InRow, row: i32, column: i32) -> u32 {
        let beyond = |at: f64, index: i32| {
            let low = f64::from(index) * self.cell_m;
            (low - at).max(at - low - self.cell_m).max(0.0)
        };
        let (north, east) = (beyond(at.north_m, row), beyond(at.east_m, column));
        whole_metres((north * north + east * east).sqrt() * PLANE_TO_SPHERE)
    }
}

/// The greatest whole number not above; positions on Earth in cells of kilometres are far within range.
#[allow(clippy::cast_possible_truncation, reason = "a float cast saturates, and no index comes near the limit")]
fn floor_i32(value: f64) -> i32 {
    value.floor() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_bound_of_a_cell_is_never_above_a_distance_into_it(
            latitude in -52.0..52.0f64, longitude in -179.0..169.0f64,
            north in -2.5..2.5f64, east in -3.0..3.0f64, cell_km in 4u16..33,
        ) {
            let grid = Grid::new(cell_km);
            let center = GeoPoint::new(latitude, longitude).unwrap();
            let other = GeoPoint::new(latitude + north, (longitude + east).max(-180.0)).unwrap();
            let distance_m = center.distance_m(&other);
            prop_assume!(distance_m <= crate::domain::query::RADIUS_MAX_M);
            let key = grid.key(&other);
            prop_assert!(grid.distance_to_cell_m(grid.at_in_row(&center, key.row), key.row, key.column) <= distance_m);
            let ring = (key.row - grid.key(&center).row).abs()
                .max((key.column - grid.column(key.row, center.longitude())).abs());
            prop_assert!(f64::from((ring - 1).max(0)) * grid.cell_m * PLANE_TO_SPHERE <= f64::from(distance_m) + 1.0);
        }
    }
}
