//! Schedules of one group by place: square cells on the sphere, visited ring by ring around the patient.
//!
//! Rows of cells are bands of latitude; within a row, columns count from the prime meridian along that row's middle
//! parallel. A position belongs to exactly one cell. No French territory is within 300 km of the antimeridian, so columns
//! need not wrap.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::cell::{Cell, Square};
use super::scan::{CellScan, Scratch};
use crate::domain::geo::{EARTH_RADIUS_M, GeoPoint, whole_metres};
use crate::domain::offer::Judge;

/// Distances in the plane of cells are within this factor of those on the sphere, up to the largest radius.
const PLANE_TO_SPHERE: f64 = 0.95;

/// Row and column of a cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct CellKey {
    row: i32,
    column: i32,
}

/// A position in the plane of a row of cells.
#[derive(Clone, Copy, Debug)]
struct InRow {
    north_m: f64,
    east_m: f64,
}

/// The squares that hold something.
type Squares = FxHashMap<CellKey, Arc<Square>>;

/// Squares of a ring that may matter, with the least distance to anything in them.
type Ring<'a> = SmallVec<[(u32, &'a Square); 64]>;

/// The schedules of a group by place.
#[derive(Debug)]
pub(super) struct Grid {
    cell_m: f64,
    squares: ArcSwap<Squares>,
}

impl Grid {
    pub(super) fn new(cell_km: u16) -> Self {
        Self { cell_m: f64::from(cell_km) * 1_000.0, squares: ArcSwap::default() }
    }

    /// The square of a position, made when it is not there yet.
    pub(super) fn square(&self, position: &GeoPoint) -> Arc<Square> {
        let key = self.key(position);
        if let Some(square) = self.squares.load().get(&key) {
            return Arc::clone(square);
        }
        let square = Arc::<Square>::default();
        let mut squares = Squares::clone(&self.squares.load());
        squares.insert(key, Arc::clone(&square));
        self.squares.store(Arc::new(squares));
        square
    }

    /// Puts these cells into use, and no others; for the one writer.
    pub(super) fn fill(&self, cells: impl Iterator<Item = (CellKey, Cell)>) {
        let square = |cell| {
            let square = Arc::<Square>::default();
            square.store(cell);
            square
        };
        let mut squares: Squares = cells.map(|(key, cell)| (key, square(cell))).collect();
        squares.shrink_to_fit();
        self.squares.store(Arc::new(squares));
    }

    /// Hands the schedules within reach to the judge, nearest cells first, until no farther cell can matter.
    pub(super) fn scan<J: Judge>(&self, center: &GeoPoint, scan: &CellScan, judge: &mut J) {
        let squares = self.squares.load();
        if squares.is_empty() {
            return;
        }
        let (mut scratch, mut around) = (Scratch::new(), Ring::new());
        let rings = 2 + whole_metres(f64::from(scan.radius_m) / (self.cell_m * PLANE_TO_SPHERE));
        for ring in 0..i32::try_from(rings).unwrap_or(0) {
            let ring_m = whole_metres(f64::from((ring - 1).max(0)) * self.cell_m * PLANE_TO_SPHERE);
            if ring_m > scan.radius_m || scan.least_cost(ring_m, judge) > judge.bound() {
                return;
            }
            // All squares of the ring before any cell: looked up one after the other, their memory comes together.
            self.look_around(&squares, (center, ring), scan, judge, &mut around);
            for (cell_m, square) in around.drain(..) {
                if scan.least_cost(cell_m, judge) <= judge.bound() {
                    square.load().scan(cell_m, square.ways(), scan, &mut scratch, judge);
                }
            }
        }
    }

    /// Notes the squares of a ring that may matter.
    fn look_around<'a, J: Judge>(
        &self,
        squares: &'a Squares,
        (center, ring): (&GeoPoint, i32),
        scan: &CellScan,
        judge: &J,
        around: &mut Ring<'a>,
    ) {
        let center_row = self.key(center).row;
        for row in center_row - ring..=center_row + ring {
            let at = self.at_in_row(center, row);
            let column = floor_i32(at.east_m / self.cell_m);
            let whole_row = (row - center_row).abs() == ring;
            let step = if whole_row || ring == 0 { 1 } else { 2 * ring };
            for column in (column - ring..=column + ring).step_by(usize::try_from(step).unwrap_or(1)) {
                let cell_m = self.distance_to_cell_m(at, row, column);
                if cell_m > scan.radius_m || scan.least_cost(cell_m, judge) > judge.bound() {
                    continue;
                }
                if let Some(square) = squares.get(&CellKey { row, column })
                    && (scan.exhaustive || square.ways().may_suit(scan.ways))
                {
                    around.push((cell_m, square));
                }
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
