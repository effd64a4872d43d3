//! Valhalla: `POST /sources_to_targets`, seconds in `time`, `null` where no road is known.
//!
//! One server knows cars and pedestrians. The interface is that of Valhalla 3 (its matrix API reference); older answers lack
//! `null` and fail as a whole with a code of their own.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::engine::{Question, Table, TableEngine, only_column, only_row};
use crate::domain::geo::GeoPoint;
use crate::domain::road::{Heading, RoadDoubt, RoadProfile};

/// Codes of failures that are of the positions and not of the server: farther than it looks, roads that do not meet, no road
/// near a position, no path.
const NO_ROAD: [u32; 4] = [154, 170, 171, 442];

pub(super) struct Valhalla;

#[derive(Serialize)]
struct Asked {
    sources: Vec<Location>,
    targets: Vec<Location>,
    costing: &'static str,
    units: &'static str,
    verbose: bool,
}

#[derive(Serialize)]
struct Location {
    lat: f64,
    lon: f64,
}

#[derive(Deserialize)]
struct Answer {
    sources_to_targets: Vec<Vec<Entry>>,
}

#[derive(Deserialize)]
struct Entry {
    time: Option<f64>,
}

#[derive(Deserialize)]
struct Failure {
    error_code: u32,
}

impl TableEngine for Valhalla {
    fn question(&self, table: &Table) -> Question {
        let (patient, places) =
            (vec![location(&table.position)], table.places.iter().map(location).collect::<Vec<_>>());
        let (sources, targets) = match table.heading {
            Heading::FromPatient => (patient, places),
            Heading::ToPatient => (places, patient),
        };
        let costing = match table.profile {
            RoadProfile::Car => "auto",
            RoadProfile::Walking => "pedestrian",
        };
        let asked = Asked { sources, targets, costing, units: "kilometers", verbose: true };
        // Numbers and names of fields always can be written.
        let body = serde_json::to_vec(&asked).unwrap_or_default();
        Question { method: Method::POST, path: "/sources_to_targets".to_owned(), body: Bytes::from(body) }
    }

    fn answer(&self, status: StatusCode, body: &[u8], count: usize) -> Result<Vec<Option<f64>>, RoadDoubt> {
        if status == StatusCode::OK {
            let answer: Answer = serde_json::from_slice(body).map_err(|_| RoadDoubt::Wrong)?;
            let rows = answer.sources_to_targets;
            let entries = if rows.len() == 1 { only_row(rows, count)? } else { only_column(rows, count)? };
            return Ok(entries.into_iter().map(|entry| entry.time).collect());
        }
        let failure: Option<Failure> = serde_json::from_slice(body).ok();
        let is_no_road = failure.is_some_and(|failure| NO_ROAD.contains(&failure.error_code));
        if status == StatusCode::BAD_REQUEST && is_no_road { Ok(vec![None; count]) } else { Err(RoadDoubt::Refused) }
    }
}

const fn location(position: &GeoPoint) -> Location {
    Location { lat: position.latitude(), lon: position.longitude() }
}
