//! What an engine is: a question for one row of a table, and the reading of its answer. Neither waits nor connects.

use bytes::Bytes;
use http::{Method, StatusCode};

use crate::domain::geo::GeoPoint;
use crate::domain::road::{Heading, Journey, RoadDoubt, RoadProfile};

/// One row of a table: between a position and some places, all the same way.
pub(super) struct Table {
    pub(super) position: GeoPoint,
    pub(super) profile: RoadProfile,
    pub(super) heading: Heading,
    pub(super) places: Vec<GeoPoint>,
}

impl Table {
    pub(super) fn new(position: GeoPoint, (profile, heading): (RoadProfile, Heading), journeys: &[Journey]) -> Self {
        Self { position, profile, heading, places: journeys.iter().map(|journey| journey.place).collect() }
    }
}

/// A question as HTTP sends it.
pub(super) struct Question {
    pub(super) method: Method,
    /// After the base address, from `/` on.
    pub(super) path: String,
    /// JSON, or nothing.
    pub(super) body: Bytes,
}

/// A server that answers tables.
pub(super) trait TableEngine: Send + Sync {
    /// What to ask.
    fn question(&self, table: &Table) -> Question;

    /// The seconds to or from each of `count` places; `None` for one to which no road is known.
    ///
    /// # Errors
    /// When that is not what the answer says.
    fn answer(&self, status: StatusCode, body: &[u8], count: usize) -> Result<Vec<Option<f64>>, RoadDoubt>;
}

/// The one row of an answer, when it is one and has as many entries as places were asked for.
pub(super) fn only_row<T>(rows: Vec<Vec<T>>, count: usize) -> Result<Vec<T>, RoadDoubt> {
    let mut rows = rows.into_iter();
    match (rows.next(), rows.next()) {
        (Some(row), None) if row.len() == count => Ok(row),
        _ => Err(RoadDoubt::Wrong),
    }
}

/// The one column of an answer, likewise.
pub(super) fn only_column<T>(rows: Vec<Vec<T>>, count: usize) -> Result<Vec<T>, RoadDoubt> {
    if rows.len() != count {
        return Err(RoadDoubt::Wrong);
    }
    rows.into_iter()
        .map(|row| only_row(vec![row], 1).and_then(|row| row.into_iter().next().ok_or(RoadDoubt::Wrong)))
        .collect()
}
