//! Whether travel of the last candidates is asked of a road table, and of which.

use std::time::Duration;

use super::reader::Reader;
use crate::road::{BaseAddress, EngineKind, RoadOptions};

/// Whether travel of the last candidates is asked of a road table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoadTimesConfig {
    /// Which server is asked; `None` when travel is estimated.
    pub options: Option<RoadOptions>,
}

impl RoadTimesConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const URL: (&str, &str) = (
            "road_times.url",
            "Address of an OSRM or Valhalla server for road times of the last candidates; travel is estimated without.",
        );
        const WALKING_URL: (&str, &str) = (
            "road_times.walking_url",
            "Address for walking: OSRM needs data of its own for it; Valhalla is asked at road_times.url unless this is set.",
        );
        let address = |text: &str| BaseAddress::parse(text).map_err(|error| error.to_string());
        let engine = reader.text(
            "road_times.engine",
            "What the server speaks: osrm (table service, version 1) or valhalla (sources_to_targets).",
            ("osrm", EngineKind::Osrm),
            |text| match text.trim() {
                "osrm" => Ok(EngineKind::Osrm),
                "valhalla" => Ok(EngineKind::Valhalla),
                _ => Err("give osrm or valhalla".to_owned()),
            },
        );
        let deadline = Duration::from_millis(reader.number(
            "road_times.deadline_ms",
            "Longest wait for road times, connecting included, in milliseconds; an answer never takes longer for them.",
            150,
            1..=2_000,
        ));
        let car = reader.optional_secret_text(URL.0, URL.1, address);
        reader.unset(URL.0, URL.1);
        let walking = reader.optional_secret_text(WALKING_URL.0, WALKING_URL.1, address);
        reader.unset(WALKING_URL.0, WALKING_URL.1);
        if car.is_none() && walking.is_some() {
            reader.require(URL.0, "missing: give the address for cars beside road_times.walking_url, or take that out");
        }
        let on_foot = |car: &BaseAddress| walking.or((engine == EngineKind::Valhalla).then(|| car.clone()));
        Self { options: car.map(|car| RoadOptions { engine, walking: on_foot(&car), car, deadline }) }
    }
}
