//! `PublishingService`: how availability reaches the service.
//!
//! A stream of batches is taken one batch at a time, in order: the next is read when the answer to the last is on its way,
//! so a publisher that sends faster than the ledger writes is slowed down by the transport's flow control, and revisions
//! never overtake each other.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::convert::claim::booking_to_proto;
use super::convert::common::{
    instant_to_proto, request_id_from_proto, stamp_to_proto, warnings_to_proto, window_from_proto,
};
use super::convert::refusal::{refusals_to_proto, scope_from_proto};
use super::convert::row::{kept_slot_to_proto, replacement_rows_from_proto, results_to_proto, rows_from_proto};
use super::convert::schedule::schedule_to_proto;
use super::convert::slot::slot_to_proto;
use super::findings::{Findings, Path};
use super::status;
use crate::domain::id::{ScheduleId, SlotId, SourceId};
use crate::domain::source::{LEASE_MAX_SECONDS, LEASE_MIN_SECONDS};
use crate::domain::violation::Violation;
use crate::proto::routing as pb;
use crate::proto::routing::publishing_service_server::PublishingService;
use crate::service::limits::{PUBLISH_ROWS_MAX, REPLACE_ROWS_MAX, REPLACE_WINDOW_MAX_MS, WITHDRAW_ROWS_MAX};
use crate::service::{Caller, PublishBatch, Replacement, Service, Withdrawal};
use crate::tasks::Tasks;
use crate::trace;

/// Answers that wait for a slow publisher before the next batch is read.
const ANSWERS_AHEAD: usize = 1;
/// After how long a publisher may come back to another instance, in milliseconds.
const RETRY_AFTER_MS: u32 = 1_000;

/// Takes slots from publishers.
#[derive(Clone)]
pub(super) struct Publishing {
    pub(super) service: Service,
    /// Owner of the tasks that serve streams.
    pub(super) tasks: Tasks,
    /// Ends streams between two batches.
    pub(super) draining: CancellationToken,
}

#[tonic::async_trait]
impl PublishingService for Publishing {
    type PublishSlotsStream = ReceiverStream<Result<pb::PublishSlotsResponse, Status>>;

    async fn publish_slots(
        &self,
        request: Request<Streaming<pb::PublishSlotsRequest>>,
    ) -> Result<Response<Self::PublishSlotsStream>, Status> {
        let (sender, receiver) = mpsc::channel(ANSWERS_AHEAD);
        self.tasks.spawn(trace::carried(self.clone().serve(request.into_inner(), sender)));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn replace_schedule(
        &self,
        request: Request<pb::ReplaceScheduleRequest>,
    ) -> Result<Response<pb::ReplaceScheduleResponse>, Status> {
        let (replacement, warnings) = replacement_from_proto(request.into_inner())?;
        let done = self.service.replace(&Caller::local(), replacement).await.map_err(status::from_error)?;
        let text = |ids: &[SlotId]| ids.iter().map(ToString::to_string).collect();
        Ok(Response::new(pb::ReplaceScheduleResponse {
            added_slot_ids: text(&done.value.added),
            changed_slot_ids: text(&done.value.changed),
            withdrawn_slot_ids: text(&done.value.withdrawn),
            kept_slots: done.value.kept.iter().map(kept_slot_to_proto).collect(),
            unchanged_count: done.value.unchanged_count,
            applied: done.value.applied,
            warnings: warnings_to_proto(warnings),
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn withdraw_slots(
        &self,
        request: Request<pb::WithdrawSlotsRequest>,
    ) -> Result<Response<pb::WithdrawSlotsResponse>, Status> {
        let withdrawal = withdrawal_from_proto(request.into_inner())?;
        let done = self.service.withdraw(&Caller::local(), withdrawal).await.map_err(status::from_error)?;
        Ok(Response::new(pb::WithdrawSlotsResponse {
            results: results_to_proto(done.value.rows),
            bookings_to_replace: done.value.bookings_to_replace.iter().map(booking_to_proto).collect(),
            stamp: Some(stamp_to_proto(&done.stamp)),
        }))
    }

    async fn heartbeat(
        &self,
        request: Request<pb::HeartbeatRequest>,
    ) -> Result<Response<pb::HeartbeatResponse>, Status> {
        let (source_id, lease_seconds) = heartbeat_from_proto(request.into_inner())?;
        let (stamp, source) = self.service.heartbeat(&source_id, lease_seconds).await.map_err(status::from_error)?;
        Ok(Response::new(pb::HeartbeatResponse {
            lease_ends_at: source.lease_ends_at().map(instant_to_proto),
            stamp: Some(stamp_to_proto(&stamp)),
        }))
    }

    async fn list_refusals(
        &self,
        request: Request<pb::ListRefusalsRequest>,
    ) -> Result<Response<pb::ListRefusalsResponse>, Status> {
        let mut findings = Findings::default();
        let scope = scope_from_proto(request.into_inner(), &mut findings);
        let scope = scope.ok_or_else(|| status::from_violations(findings.violations))?;
        let (schedules, truncated) = refusals_to_proto(self.service.refusals(&scope).map_err(status::from_error)?);
        let stamp = Some(stamp_to_proto(&self.service.stamp()));
        Ok(Response::new(pb::ListRefusalsResponse { schedules, truncated, stamp }))
    }

    async fn get_schedule(
        &self,
        request: Request<pb::GetScheduleRequest>,
    ) -> Result<Response<pb::GetScheduleResponse>, Status> {
        let pb::GetScheduleRequest { schedule_id, window } = request.into_inner();
        let (path, mut findings) = (Path::ROOT, Findings::default());
        let id = findings.take(path.field("schedule_id"), ScheduleId::parse(&schedule_id));
        let window = window.and_then(|window| window_from_proto(Some(window), path.field("window"), &mut findings));
        let Some(id) = id.filter(|_| findings.violations.is_empty()) else {
            return Err(status::from_violations(findings.violations));
        };
        let view = self.service.schedule_view(&id, window).map_err(status::from_error)?;
        Ok(Response::new(pb::GetScheduleResponse {
            schedule: Some(schedule_to_proto(&view.schedule)),
            slots: view.slots.iter().map(|slot| slot_to_proto(slot, view.now)).collect(),
            stamp: Some(stamp_to_proto(&view.stamp)),
        }))
    }
}

impl Publishing {
    /// Serves a stream until its publisher ends it, a batch fails as a whole, or the service drains.
    async fn serve(
        self,
        mut batches: Streaming<pb::PublishSlotsRequest>,
        answers: mpsc::Sender<Result<pb::PublishSlotsResponse, Status>>,
    ) {
        loop {
            let batch = tokio::select! {
                biased;
                () = answers.closed() => return,
                () = self.draining.cancelled() => Err(status::shutting_down(RETRY_AFTER_MS)),
                batch = batches.message() => batch,
            };
            let answer = match batch {
                Ok(Some(batch)) => self.publish(batch).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let is_last = answer.is_err();
            if answers.send(answer).await.is_err() || is_last {
                return;
            }
        }
    }

    async fn publish(&self, message: pb::PublishSlotsRequest) -> Result<pb::PublishSlotsResponse, Status> {
        let batch = batch_from_proto(message)?;
        let request_id = batch.request_id.to_string();
        let done = self.service.publish(&Caller::local(), batch).await.map_err(status::from_error)?;
        Ok(pb::PublishSlotsResponse {
            request_id,
            results: results_to_proto(done.value),
            stamp: Some(stamp_to_proto(&done.stamp)),
        })
    }
}

fn batch_from_proto(message: pb::PublishSlotsRequest) -> Result<PublishBatch, Status> {
    let pb::PublishSlotsRequest { request_id, source_id, source_revision, rows } = message;
    if rows.len() > PUBLISH_ROWS_MAX {
        return Err(status::too_many_rows("rows", rows.len(), PUBLISH_ROWS_MAX));
    }
    let mut findings = Findings::default();
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let source_id = findings.take(Path::ROOT.field("source_id"), SourceId::parse(&source_id));
    let Some((request_id, source_id)) = request_id.zip(source_id) else {
        return Err(status::from_violations(findings.violations));
    };
    Ok(PublishBatch { request_id, source_id, source_revision, rows: rows_from_proto(rows) })
}

fn replacement_from_proto(message: pb::ReplaceScheduleRequest) -> Result<(Replacement, Vec<Violation>), Status> {
    let pb::ReplaceScheduleRequest { request_id, schedule_id, source_id, source_revision, window, rows, validate_only } =
        message;
    if rows.len() > REPLACE_ROWS_MAX {
        return Err(status::too_many_rows("rows", rows.len(), REPLACE_ROWS_MAX));
    }
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let schedule_id = findings.take(path.field("schedule_id"), ScheduleId::parse(&schedule_id));
    let source_id = findings.take(path.field("source_id"), SourceId::parse(&source_id));
    let window = window_from_proto(window, path.field("window"), &mut findings);
    if window.is_some_and(|window| window.length_ms() > REPLACE_WINDOW_MAX_MS) {
        findings.refuse(path.field("window"), "longer than 7 days: replace it in parts");
    }
    let rows = replacement_rows_from_proto(rows, &mut findings);
    let Findings { violations, warnings } = findings;
    match (request_id, schedule_id, source_id, window) {
        (Some(request_id), Some(schedule_id), Some(source_id), Some(window)) if violations.is_empty() => {
            let replacement =
                Replacement { request_id, schedule_id, source_id, source_revision, window, rows, validate_only };
            Ok((replacement, warnings))
        }
        _ => Err(status::from_violations(violations)),
    }
}

fn heartbeat_from_proto(message: pb::HeartbeatRequest) -> Result<(SourceId, Option<u32>), Status> {
    let pb::HeartbeatRequest { source_id, lease_seconds } = message;
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let id = findings.take(path.field("source_id"), SourceId::parse(&source_id));
    if lease_seconds.is_some_and(|lease| !(LEASE_MIN_SECONDS..=LEASE_MAX_SECONDS).contains(&lease)) {
        let message = format!("give {LEASE_MIN_SECONDS} to {LEASE_MAX_SECONDS} seconds, or none to end the lease");
        findings.violations.push(Violation::new(path.field("lease_seconds").to_string(), message));
    }
    match id {
        Some(id) if findings.violations.is_empty() => Ok((id, lease_seconds)),
        Some(_) | None => Err(status::from_violations(findings.violations)),
    }
}

fn withdrawal_from_proto(message: pb::WithdrawSlotsRequest) -> Result<Withdrawal, Status> {
    let pb::WithdrawSlotsRequest { request_id, source_id, source_revision, slot_ids } = message;
    if slot_ids.len() > WITHDRAW_ROWS_MAX {
        return Err(status::too_many_rows("slot_ids", slot_ids.len(), WITHDRAW_ROWS_MAX));
    }
    let (path, mut findings) = (Path::ROOT, Findings::default());
    let request_id = request_id_from_proto(&request_id, &mut findings);
    let source_id = findings.take(path.field("source_id"), SourceId::parse(&source_id));
    let list = path.field("slot_ids");
    let parse = |(index, id): (usize, &String)| findings.take(list.index(index), SlotId::parse(id));
    let slot_ids = slot_ids.iter().enumerate().filter_map(parse).collect();
    match request_id.zip(source_id) {
        Some((request_id, source_id)) if findings.violations.is_empty() => {
            Ok(Withdrawal { request_id, source_id, source_revision, slot_ids })
        }
        _ => Err(status::from_violations(findings.violations)),
    }
}
