//! What became of an import.

use serde::Serialize;

use super::SendOptions;
use crate::cli::import::{ImportPlan, RowReport, Severity};

/// What became of an import: counts, and a finding for each row of the file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ImportReport {
    /// True when nothing was sent because the caller only asked what would be.
    pub dry_run: bool,
    /// The file in which the rows stand; empty when it has no name.
    pub file: String,
    /// Publishing system.
    pub source_id: String,
    /// Revision under which the file was sent; the same again is a replay.
    pub source_revision: u64,
    /// Territories, places, professionals, schedules and emergency sites.
    pub directory: DirectoryCounts,
    /// Slots.
    pub slots: SlotCounts,
    /// Rows with a finding of severity `OK`.
    pub ok_count: usize,
    /// Rows that say nothing to import.
    pub skipped_count: usize,
    /// Findings that doubt a row.
    pub warning_count: usize,
    /// Findings that refuse a row.
    pub refused_count: usize,
    /// Findings, in the order of the file.
    pub rows: Vec<RowReport>,
}

/// Directory entries of an import; what was accepted may have been there before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct DirectoryCounts {
    /// Territories in the plan.
    pub territories: usize,
    /// Places in the plan.
    pub places: usize,
    /// Professionals in the plan.
    pub practitioners: usize,
    /// Schedules in the plan.
    pub schedules: usize,
    /// Emergency sites in the plan.
    pub emergency_sites: usize,
    /// Entries that the server took.
    pub accepted: usize,
    /// Entries that the server refused or did not answer.
    pub refused: usize,
}

/// Slots of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SlotCounts {
    /// Slots in the plan.
    pub planned: usize,
    /// New ones.
    pub created: usize,
    /// Changed ones.
    pub updated: usize,
    /// Those that were there and are the same.
    pub unchanged: usize,
    /// Those that the server refused.
    pub refused: usize,
    /// Those of which nothing was heard.
    pub unanswered: usize,
}

impl ImportReport {
    /// What a plan would send.
    #[must_use]
    pub fn planned(plan: &ImportPlan, options: &SendOptions) -> Self {
        let mut report = Self {
            dry_run: options.dry_run,
            file: options.file.clone(),
            source_id: options.source_id.clone(),
            source_revision: options.source_revision,
            directory: DirectoryCounts {
                territories: plan.territories.len(),
                places: plan.places.len(),
                practitioners: plan.practitioners.len(),
                schedules: plan.schedules.len(),
                emergency_sites: plan.emergency_sites.len(),
                accepted: 0,
                refused: 0,
            },
            slots: SlotCounts { planned: plan.slots.len(), ..SlotCounts::default() },
            ..Self::default()
        };
        report.add(plan.row_reports.clone());
        report
    }

    /// Whether every row arrived.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.refused_count == 0 && self.slots.unanswered == 0 && self.directory.refused == 0
    }

    /// Takes findings and counts them.
    pub(super) fn add(&mut self, rows: Vec<RowReport>) {
        for row in &rows {
            let count = match row.severity {
                Severity::Ok => &mut self.ok_count,
                Severity::Skipped => &mut self.skipped_count,
                Severity::Warning => &mut self.warning_count,
                Severity::Refused => &mut self.refused_count,
            };
            *count += 1;
        }
        self.rows.extend(rows);
    }
}
