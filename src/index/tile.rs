//! Squares side by side: what each of 64 offers stands in eight lines of the cache, so that a question passes those that cannot
//! suit without looking anything up.
//!
//! Invariant: the words of a tile are those of its squares, whichever copy of the tile is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cell::Square;
use super::ways::Ways;

/// Squares along a side of a tile.
pub(super) const TILE_SIDE: i32 = 8;
const SQUARES: usize = 64;

/// What each square of a tile offers, row by row; nothing where there is none.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct TileWays([AtomicU64; SQUARES]);

impl Default for TileWays {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The squares of a tile.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    ways: Arc<TileWays>,
    squares: Box<[Option<Arc<Square>>; SQUARES]>,
}

impl Default for Tile {
    fn default() -> Self {
        Self { ways: Arc::default(), squares: Box::new([const { None }; SQUARES]) }
    }
}

/// The place in its tile of a cell.
#[inline]
pub(super) fn place_in_tile(row: i32, column: i32) -> usize {
    usize::try_from(row.rem_euclid(TILE_SIDE) * TILE_SIDE + column.rem_euclid(TILE_SIDE)).unwrap_or(0)
}

impl TileWays {
    #[inline]
    fn at(&self, place: usize) -> &AtomicU64 {
        // A place is always within; whatever is beyond would be the first.
        let [first, ..] = &self.0;
        self.0.get(place).unwrap_or(first)
    }
}

impl Tile {
    /// The square at a place.
    #[inline]
    pub(super) fn square(&self, place: usize) -> Option<&Arc<Square>> {
        self.squares.get(place)?.as_ref()
    }

    /// What the square at a place offers, or more.
    #[inline]
    pub(super) fn ways(&self, place: usize) -> Ways {
        Ways(self.ways.at(place).load(Ordering::Relaxed))
    }

    /// Where the square at a place says what it offers.
    pub(super) fn said_at(&self, place: usize) -> SquareWays {
        SquareWays { tile: Arc::clone(&self.ways), place }
    }

    /// Puts a square at a place.
    pub(super) fn put(&mut self, place: usize, square: Arc<Square>) {
        if let Some(known) = self.squares.get_mut(place) {
            *known = Some(square);
        }
    }
}

/// Where a square says what it offers.
#[derive(Debug)]
pub(super) struct SquareWays {
    tile: Arc<TileWays>,
    place: usize,
}

impl SquareWays {
    /// What it offers, or more.
    #[inline]
    pub(super) fn get(&self) -> Ways {
        Ways(self.tile.at(self.place).load(Ordering::Relaxed))
    }

    /// Adds to it.
    pub(super) fn add(&self, ways: Ways) {
        self.tile.at(self.place).fetch_or(ways.0, Ordering::Relaxed);
    }

    /// Puts something else there.
    pub(super) fn set(&self, ways: Ways) {
        self.tile.at(self.place).store(ways.0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_has_its_own_place_in_its_tile_on_both_sides_of_the_meridian() {
        for corner in [-16, -8, 0, 8] {
            let cells = (corner..corner + TILE_SIDE)
                .flat_map(|row| (corner..corner + TILE_SIDE).map(move |column| (row, column)));
            let mut places: Vec<usize> = cells.map(|(row, column)| place_in_tile(row, column)).collect();
            places.sort_unstable();
            assert_eq!(places, (0..SQUARES).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_a_square_says_is_read_from_every_copy_of_its_tile() {
        let first = Tile::default();
        let mut second = first.clone();
        second.put(9, Arc::new(Square::new(first.said_at(9))));
        first.said_at(9).set(Ways(5));
        second.said_at(9).add(Ways(2));
        assert_eq!(
            [first.ways(9), second.ways(9), second.said_at(9).get(), second.ways(10)].map(|ways| ways.0),
            [7, 7, 7, 0]
        );
        assert!(first.square(9).is_none() && second.square(9).is_some() && second.square(10).is_none());
    }
}
