//! OSRM: `GET /table/v1/{profile}/{longitude},{latitude};…`, seconds in `durations`, `null` where no road is known.
//!
//! A server knows the one profile that its data was made for and gives its times whatever profile is named, so walking has
//! a base address of its own. The interface is that of OSRM 5 (`docs/http.md` of the project).

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;

use super::engine::{Question, Table, TableEngine, only_column, only_row};
use crate::domain::geo::GeoPoint;
use crate::domain::road::{Heading, RoadDoubt, RoadProfile};

/// How far from a position the nearest road may be, in metres; the server looks as far as it must.
const NEAREST_ROAD_M: f64 = 1_000.0;

pub(super) struct Osrm;

#[derive(Deserialize)]
struct Answer {
    code: String,
    #[serde(default)]
    durations: Vec<Vec<Option<f64>>>,
    #[serde(default)]
    sources: Vec<Waypoint>,
    #[serde(default)]
    destinations: Vec<Waypoint>,
}

/// Where a position met the road.
#[derive(Deserialize)]
struct Waypoint {
    /// Metres from the position; older servers do not say.
    #[serde(default)]
    distance: f64,
}

impl TableEngine for Osrm {
    fn question(&self, table: &Table) -> Question {
        let profile = match table.profile {
            RoadProfile::Car => "driving",
            RoadProfile::Walking => "foot",
        };
        let mut path = format!("/table/v1/{profile}/");
        write_position(&mut path, &table.position);
        for place in &table.places {
            path.push(';');
            write_position(&mut path, place);
        }
        let mut places = (1..=table.places.len()).map(|number| number.to_string()).collect::<Vec<_>>().join(";");
        if places.is_empty() {
            places.push('0');
        }
        let (sources, destinations) = match table.heading {
            Heading::FromPatient => ("0", places.as_str()),
            Heading::ToPatient => (places.as_str(), "0"),
        };
        // Writing to a String cannot fail.
        let _ =
            write!(path, "?sources={sources}&destinations={destinations}&annotations=duration&generate_hints=false");
        Question { method: Method::GET, path, body: Bytes::new() }
    }

    fn answer(&self, status: StatusCode, body: &[u8], count: usize) -> Result<Vec<Option<f64>>, RoadDoubt> {
        let answer: Option<Answer> = serde_json::from_slice(body).ok();
        match (status, answer) {
            (StatusCode::OK, Some(answer)) if answer.code == "Ok" => row(answer, count),
            (StatusCode::OK, _) => Err(RoadDoubt::Wrong),
            // The server works; it knows no road near one of the positions.
            (StatusCode::BAD_REQUEST, Some(answer)) if ["NoSegment", "NoTable"].contains(&&*answer.code) => {
                Ok(vec![None; count])
            }
            _ => Err(RoadDoubt::Refused),
        }
    }
}

fn write_position(path: &mut String, position: &GeoPoint) {
    // Writing to a String cannot fail.
    let _ = write!(path, "{:.6},{:.6}", position.longitude(), position.latitude());
}

/// The one row or column, without those that are far from any road.
fn row(answer: Answer, count: usize) -> Result<Vec<Option<f64>>, RoadDoubt> {
    let Answer { durations, sources, destinations, code: _ } = answer;
    let is_row = durations.len() == 1;
    let seconds = if is_row { only_row(durations, count)? } else { only_column(durations, count)? };
    let (ours, theirs) = if is_row { (sources, destinations) } else { (destinations, sources) };
    let is_far = |waypoint: Option<&Waypoint>| waypoint.is_some_and(|waypoint| waypoint.distance > NEAREST_ROAD_M);
    if is_far(ours.first()) {
        return Ok(vec![None; count]);
    }
    Ok(seconds.into_iter().enumerate().map(|(at, seconds)| seconds.filter(|_| !is_far(theirs.get(at)))).collect())
}
