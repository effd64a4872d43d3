//! An invented region to try the service with, compiled in: ten CPTS, their professionals, and the emergency sites around.
//!
//! Written in the roster format, so that it is an example of that too. Nobody in it exists; its first lines say how that shows.
//! Invariant: the importer reads it without refusing a row.

use crate::cli::import::{ImportError, ImportOptions, ImportPlan, Positions, parse_roster};
use crate::domain::time::UtcInstant;

/// The region as a roster; its openings are on 2026-01-05 and the day after.
pub const REGION_CSV: &str = include_str!("sample/region.csv");

/// Publishing system under which the region is imported.
pub const SOURCE_ID: &str = "sample";

/// The moment for which the region is written: Monday 2026-01-05 at 10:00 in Paris, with something to offer in each of the
/// eight hours after it.
pub const REFERENCE_AT: UtcInstant = UtcInstant::from_ms(1_767_603_600_000);

/// The region as a plan, on its own days.
///
/// # Errors
/// Never, as long as the tests pass; the importer's error otherwise.
pub fn region() -> Result<ImportPlan, ImportError> {
    let options = ImportOptions { source_id: SOURCE_ID.to_owned(), id_prefix: None, positions: Positions::default() };
    parse_roster(REGION_CSV.as_bytes(), &options)
}

/// The region as a plan, moved so that `now` is its reference moment.
///
/// # Errors
/// As [`region`].
pub fn region_at(now: UtcInstant) -> Result<ImportPlan, ImportError> {
    let mut plan = region()?;
    plan.shift_by_ms(now.ms_since(REFERENCE_AT));
    Ok(plan)
}

#[cfg(test)]
mod tests;
