//! Eight schedules side by side as columns: what a scan compares before it looks at any of them.
//!
//! Positions are of single precision, so distances from them are lower bounds within [`COLUMN_ERROR_M`].

use std::sync::atomic::{AtomicI64, AtomicU16, AtomicU64, Ordering};

use super::tick::TickBits;
use super::ways::Ways;
use crate::domain::geo::EarthVector;
use crate::domain::time::UtcInstant;

/// Schedules in a block.
pub(super) const LANES: usize = 8;
/// What the columns may be wrong by, in metres: single precision at the size of the Earth, and the arc above its chord.
const COLUMN_ERROR_M: f32 = 4.0;

/// A position in single precision.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    x: f32,
    y: f32,
    z: f32,
}

impl Column {
    /// Farther than any radius from everywhere.
    pub(super) const NOWHERE: Self = Self { x: f32::MAX, y: f32::MAX, z: f32::MAX };
}

impl Column {
    /// Square of the distance to another.
    #[inline]
    pub(super) fn square_to(self, other: Self) -> f32 {
        let (dx, dy, dz) = (self.x - other.x, self.y - other.y, self.z - other.z);
        dx * dx + dy * dy + dz * dz
    }
}

impl From<&EarthVector> for Column {
    fn from(vector: &EarthVector) -> Self {
        Self { x: single(vector.x), y: single(vector.y), z: single(vector.z) }
    }
}

/// One schedule of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) at: Column,
    pub(super) ways: Ways,
    /// Which of the cell's sets of territories it has.
    pub(super) territories: u16,
    /// When its source was last heard.
    pub(super) received_at: UtcInstant,
    pub(super) ticks: TickBits,
}

/// Eight schedules, the last ones of a cell's last block absent.
///
/// Laid out so that what is compared first shares as few lines of the cache as it can.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Block {
    x: [f32; LANES],
    y: [f32; LANES],
    z: [f32; LANES],
    territories: [AtomicU16; LANES],
    ways: [AtomicU64; LANES],
    received_at_ms: [AtomicI64; LANES],
}

impl Block {
    /// A block of at most eight schedules.
    pub(super) fn of(lanes: &[Lane]) -> Self {
        let at = |lane: usize| lanes.get(lane).map_or(Column::NOWHERE, |lane| lane.at);
        let block = Self {
            x: std::array::from_fn(|lane| at(lane).x),
            y: std::array::from_fn(|lane| at(lane).y),
            z: std::array::from_fn(|lane| at(lane).z),
            ways: Default::default(),
            territories: Default::default(),
            received_at_ms: Default::default(),
        };
        for (number, lane) in lanes.iter().enumerate() {
            block.refresh(number, lane.ways, lane.territories, lane.received_at);
        }
        block
    }

    /// The schedule in a lane, with its ticks.
    pub(super) fn lane(&self, lane: usize, ticks: TickBits) -> Option<Lane> {
        let at = Column { x: *self.x.get(lane)?, y: *self.y.get(lane)?, z: *self.z.get(lane)? };
        Some(Lane {
            at,
            ways: self.ways(lane),
            territories: self.territories(lane),
            received_at: self.received_at(lane),
            ticks,
        })
    }

    /// Takes over what the filters say of the schedule in a lane.
    pub(super) fn refresh(&self, lane: usize, ways: Ways, territories: u16, received_at: UtcInstant) {
        if let Some(known) = self.ways.get(lane) {
            known.store(ways.0, Ordering::Relaxed);
        }
        if let (Some(set), Some(received)) = (self.territories.get(lane), self.received_at_ms.get(lane)) {
            set.store(territories, Ordering::Relaxed);
            received.store(received_at.ms(), Ordering::Relaxed);
        }
    }

    /// Squares of the distances to a position.
    #[inline]
    pub(super) fn squares(&self, from: Column) -> [f32; LANES] {
        let mut squares = [f32::INFINITY; LANES];
        for (square, ((x, y), z)) in squares.iter_mut().zip(self.x.iter().zip(&self.y).zip(&self.z)) {
            let (dx, dy, dz) = (x - from.x, y - from.y, z - from.z);
            *square = dx * dx + dy * dy + dz * dz;
        }
        squares
    }

    #[inline]
    pub(super) fn ways(&self, lane: usize) -> Ways {
        Ways(self.ways.get(lane).map_or(0, |ways| ways.load(Ordering::Relaxed)))
    }

    #[inline]
    pub(super) fn territories(&self, lane: usize) -> u16 {
        self.territories.get(lane).map_or(0, |territories| territories.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn received_at(&self, lane: usize) -> UtcInstant {
        UtcInstant::from_ms(self.received_at_ms.get(lane).map_or(0, |at| at.load(Ordering::Relaxed)))
    }
}

/// The greatest square that a schedule within a radius may have.
#[allow(clippy::cast_precision_loss, reason = "a radius of 300 km fits single precision")]
pub(super) fn radius_squared(radius_m: u32) -> f32 {
    (radius_m as f32 + COLUMN_ERROR_M).powi(2) * 1.000_1
}

/// A lower bound of the distance whose square this is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates at 0")]
#[inline]
pub(super) fn lower_bound_m(square: f32) -> u32 {
    (square.sqrt() * 0.999_9 - COLUMN_ERROR_M) as u32
}

/// Single precision, within [`COLUMN_ERROR_M`] for coordinates on Earth.
#[allow(clippy::cast_possible_truncation, reason = "the loss of precision is what the column error accounts for")]
const fn single(metres: f64) -> f32 {
    metres as f32
}
