//! Rows of a batch: from the wire to what the publisher says or what is wrong with it, and their results.

use super::common::{count, warnings_to_proto};
use super::slot::published_from_proto;
use crate::domain::slot::Published;
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;
use crate::service::{KeptSlot, PublishRow, Reason, RowOutcome, RowStatus};

/// Reads the rows of a batch; a wrong row is carried along with what is wrong, so that it never takes down the others.
pub(in crate::grpc) fn rows_from_proto(rows: Vec<pb::SlotInput>) -> Vec<PublishRow> {
    let path = Path::ROOT.field("rows");
    rows.into_iter().enumerate().map(|(index, row)| row_from_proto(row, path.index(index))).collect()
}

fn row_from_proto(row: pb::SlotInput, path: Path<'_>) -> PublishRow {
    let mut findings = Findings::default();
    // Kept for the row's result, which names the slot even when nothing else of the row is sound.
    let slot_id: String = row.slot_id.chars().take(128).collect();
    let published = published_from_proto(row, path, &mut findings);
    let Findings { violations, warnings } = findings;
    match published {
        Some(published) if violations.is_empty() => PublishRow::Parsed { published, warnings },
        Some(_) | None => PublishRow::Refused { slot_id, violations },
    }
}

/// Reads the rows of a replacement, which is taken whole or not at all.
pub(in crate::grpc) fn replacement_rows_from_proto(
    rows: Vec<pb::SlotInput>,
    findings: &mut Findings,
) -> Vec<Published> {
    let path = Path::ROOT.field("rows");
    let parse = |(index, row)| published_from_proto(row, path.index(index), findings);
    rows.into_iter().enumerate().filter_map(parse).collect()
}

/// Writes the results of rows, in order.
pub(in crate::grpc) fn results_to_proto(outcomes: Vec<RowOutcome>) -> Vec<pb::RowResult> {
    outcomes.into_iter().enumerate().map(|(row, outcome)| result_to_proto(row, outcome)).collect()
}

fn result_to_proto(row: usize, outcome: RowOutcome) -> pb::RowResult {
    let RowOutcome { slot_id, status, reason, message, field, warnings } = outcome;
    let status = match status {
        RowStatus::Created => pb::RowStatus::Created,
        RowStatus::Updated => pb::RowStatus::Updated,
        RowStatus::Unchanged => pb::RowStatus::Unchanged,
        RowStatus::Refused => pb::RowStatus::Refused,
    };
    pb::RowResult {
        row: count(row),
        slot_id,
        status: status.into(),
        reason: reason.map(Reason::code).unwrap_or_default().to_owned(),
        message,
        field,
        warnings: warnings_to_proto(warnings),
    }
}

/// Writes a slot that stays.
pub(in crate::grpc) fn kept_slot_to_proto(kept: &KeptSlot) -> pb::KeptSlot {
    let KeptSlot { slot_id, booked_count, held_count, case_ids } = kept;
    pb::KeptSlot {
        slot_id: slot_id.to_string(),
        booked_count: count(*booked_count),
        held_count: count(*held_count),
        case_ids: case_ids.iter().map(ToString::to_string).collect(),
    }
}
