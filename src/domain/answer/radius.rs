//! How far was searched, and where that came from.

use crate::domain::department::Department;

/// Where a radius came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RadiusSource {
    /// The query gave it.
    Query,
    /// The official table, by the department that the query gave or its commune.
    Department,
    /// The official table, by a department estimated from the position.
    EstimatedDepartment,
    /// The documented default, because the official table says 0 or has no row.
    Default,
}

/// The radius of a search and where it came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Radius {
    /// In metres, as used in the end.
    pub radius_m: u32,
    /// Before it was widened, in metres.
    pub initial_radius_m: u32,
    /// How often it was widened.
    pub widened_count: u32,
    /// Where it came from.
    pub source: RadiusSource,
    /// Department whose table row was used.
    pub department: Option<Department>,
}
