//! What operations look at, for the wire.
//!
//! Deliberately absent: places, which a map needs and a terminal does not; the console has them.

use super::answer::outcome_to_proto;
use super::common::instant_to_proto;
use crate::domain::answer::CareOutcome;
use crate::domain::tension::AskedFor;
use crate::domain::violation::Violation;
use crate::grpc::findings::{Findings, Path};
use crate::grpc::operations::{source_to_proto, status_to_proto};
use crate::proto::routing as pb;
use crate::service::limits::{BOARD_ROWS_DEFAULT, BOARD_ROWS_MAX};
use crate::service::{Board, Deed, Minute, TensionBoard, TensionRow, TensionState};

/// Reads how many rows are wanted.
pub(in crate::grpc) fn board_request_from_proto(request: &pb::GetBoardRequest) -> Result<usize, Vec<Violation>> {
    let pb::GetBoardRequest { tension_max } = request;
    let Some(wanted) = *tension_max else { return Ok(BOARD_ROWS_DEFAULT) };
    let rows = usize::try_from(wanted).unwrap_or(usize::MAX);
    if (1..=BOARD_ROWS_MAX).contains(&rows) {
        return Ok(rows);
    }
    let mut findings = Findings::default();
    let path = Path::ROOT;
    findings.refuse(path.field("tension_max"), format_args!("{wanted} rows: give 1 to {BOARD_ROWS_MAX}"));
    Err(findings.violations)
}

/// Writes the board with at most so many rows.
pub(in crate::grpc) fn board_to_proto(board: &Board, rows_max: usize) -> pb::GetBoardResponse {
    let Board { at, revision: _, status, activity, live_hold_count, tension, .. } = board;
    let Board { tension_at, sources, sources_left_out_count, places: _, .. } = board;
    pb::GetBoardResponse {
        made_at: Some(instant_to_proto(*at)),
        status: Some(status_to_proto(status.clone())),
        tension: tension.rows.iter().take(rows_max).map(row_to_proto).collect(),
        tension_counts: Some(counts_to_proto(tension)),
        activity: activity.minutes.iter().map(minute_to_proto).collect(),
        live_hold_count: *live_hold_count,
        sources: sources.iter().cloned().map(source_to_proto).collect(),
        sources_left_out_count: count(*sources_left_out_count),
        tension_at: Some(instant_to_proto(*tension_at)),
    }
}

fn counts_to_proto(tension: &TensionBoard) -> pb::TensionCounts {
    let of = |state| count(tension.count(state));
    pb::TensionCounts {
        met: of(TensionState::Met),
        tense: of(TensionState::Tense),
        none_free: of(TensionState::NoneFree),
        left_out: count(tension.left_out_count),
    }
}

fn row_to_proto(row: &TensionRow) -> pb::NeedTension {
    let TensionRow { territory, territory_name, zone, need, age_band, first_slot_at, first_slot_seconds: _, .. } = row;
    let TensionRow { free_count, threshold_seconds, state, schedule_count, silent_count, .. } = row;
    let (specialty, profession) = match need {
        AskedFor::Specialty(specialty) => (specialty.code(), ""),
        AskedFor::Profession(profession) => ("", profession.code()),
        AskedFor::Unstated => ("", ""),
    };
    pb::NeedTension {
        territory_id: territory.to_string(),
        territory_name: territory_name.to_string(),
        specialty: specialty.to_owned(),
        profession: profession.to_owned(),
        age_band: age_band.code().to_owned(),
        first_slot_at: first_slot_at.map(instant_to_proto),
        free_count: *free_count,
        threshold_seconds: *threshold_seconds,
        state: state_to_proto(*state).into(),
        schedule_count: *schedule_count,
        silent_schedule_count: *silent_count,
        time_zone: zone.name().to_owned(),
    }
}

const fn state_to_proto(state: TensionState) -> pb::TensionState {
    match state {
        TensionState::NoneFree => pb::TensionState::NoneFree,
        TensionState::Tense => pb::TensionState::Tense,
        TensionState::Met => pb::TensionState::Met,
    }
}

fn minute_to_proto(minute: &Minute) -> pb::ActivityMinute {
    let told = CareOutcome::ALL.into_iter().map(|outcome| (outcome, minute.answers(outcome)));
    let answers = told.filter(|(_, count)| *count > 0);
    let answers = answers.map(|(outcome, count)| pb::OutcomeCount { outcome: outcome_to_proto(outcome).into(), count });
    pb::ActivityMinute {
        begins_at: Some(instant_to_proto(minute.begins_at)),
        answers: answers.collect(),
        hold_count: minute.deeds(Deed::Hold),
        conflict_count: minute.deeds(Deed::Conflict),
        confirm_count: minute.deeds(Deed::Confirm),
        release_count: minute.deeds(Deed::Release),
        cancel_count: minute.deeds(Deed::Cancel),
        rebook_count: minute.deeds(Deed::Rebook),
        expired_hold_count: minute.deeds(Deed::Expiry),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
