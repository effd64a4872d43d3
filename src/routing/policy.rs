//! The figures that physicians and territories may want otherwise: delays, margins, speeds, weights.

use std::sync::Arc;

use crate::domain::code::{CareLevel, Priority};

/// A version of the figures.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// Name of the version, stamped on every answer.
    pub version: Arc<str>,
    /// Minutes between arrival and the start of an appointment, or between arrival and the end of a walk-in window.
    pub arrival_margin_minutes: u32,
    /// Seconds from door to car and from car to door.
    pub travel_base_seconds: u32,
    /// Milliseconds of travel per metre of straight line: the road is longer by a detour, and driven at one speed.
    pub travel_ms_per_m: u32,
    /// How far home visits go when the schedule does not say, in metres.
    pub home_visit_radius_m: u32,
    /// How many options are enough choice, so that the radius is not widened.
    pub enough_options: usize,
    /// How often the radius may be widened by its step.
    pub widened_max: u32,
    /// Cost in seconds of leaving the patient's territory for a neighbour.
    pub neighbour_cost_seconds: u32,
    /// Cost in seconds of leaving it for any other.
    pub other_territory_cost_seconds: u32,
    /// Age in seconds from which what a source said is doubted.
    pub stale_after_seconds: u32,
    /// Cost in seconds of that doubt.
    pub stale_cost_seconds: u32,
}

impl Default for Policy {
    /// The national default.
    fn default() -> Self {
        Self {
            version: Arc::from("national-2026-1"),
            arrival_margin_minutes: 5,
            travel_base_seconds: 240,
            // 50 km/h over a road 1.3 times as long as the straight line.
            travel_ms_per_m: 94,
            home_visit_radius_m: 15_000,
            enough_options: 3,
            widened_max: 4,
            neighbour_cost_seconds: 300,
            other_territory_cost_seconds: 600,
            stale_after_seconds: 12 * 3_600,
            stale_cost_seconds: 600,
        }
    }
}

impl Policy {
    /// Clinical delay in minutes where the query gives none.
    #[must_use]
    pub const fn needed_within_minutes(&self, level: CareLevel, priority: Priority) -> u32 {
        match (level, priority) {
            (CareLevel::R1, _) | (_, Priority::P0) => 1,
            (CareLevel::R2, _) => 60,
            (CareLevel::R3 | CareLevel::R4, Priority::P1) => 4 * 60,
            (CareLevel::R3 | CareLevel::R4, Priority::P2 | Priority::NR) => 24 * 60,
            (CareLevel::R3 | CareLevel::R4, Priority::P3) => 48 * 60,
        }
    }

    /// How long a hold lives in seconds where the request does not say: the more urgent, the sooner it must be freed.
    #[must_use]
    pub const fn hold_seconds(&self, priority: Priority) -> u32 {
        match priority {
            Priority::P0 | Priority::P1 => 90,
            Priority::P2 | Priority::NR => 120,
            Priority::P3 => 180,
        }
    }
}
