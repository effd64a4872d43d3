//! Publishes slots in batches over one stream.

use std::collections::HashMap;

use indicatif::ProgressBar;
use prost::Message as _;

use super::directory::server_warning;
use super::{ImportReport, SendOptions, Transport, refusals};
use crate::cli::import::wording::Kind;
use crate::cli::import::{Origin, PlannedSlot, Reason, RowReport, Severity, identity};
use crate::proto::routing as pb;
use crate::proto::routing::publishing_service_client::PublishingServiceClient;

/// Most slots of a batch; the limit of `PublishSlotsRequest.rows`.
const BATCH_MAX_ROWS: usize = 500;
/// Most bytes of a batch's rows, well under the 4 MiB that a gRPC message may have.
const BATCH_MAX_BYTES: usize = 1024 * 1024;

/// A batch and where its rows stand.
struct Batch {
    request: pb::PublishSlotsRequest,
    origins: Vec<Origin>,
}

/// Publishes the slots; results go to the report row by row.
pub(super) async fn send<T: Transport>(
    transport: T,
    slots: Vec<PlannedSlot>,
    options: &SendOptions,
    progress: &ProgressBar,
    report: &mut ImportReport,
) {
    if slots.is_empty() {
        return;
    }
    progress.set_message("slots");
    let batches = batches(slots, options);
    let requests: Vec<pb::PublishSlotsRequest> = batches.iter().map(|batch| batch.request.clone()).collect();
    let mut client = PublishingServiceClient::new(transport);
    let mut answers = match client.publish_slots(tokio_stream::iter(requests)).await {
        Ok(response) => response.into_inner(),
        Err(status) => {
            report.add(refusals(None, &Origin::File, &status));
            leave_unanswered(&batches, report);
            return;
        }
    };
    let mut said = Said::default();
    let mut batches = batches.into_iter();
    while let Some(batch) = batches.next() {
        match answers.message().await {
            Ok(Some(answer)) if answer.request_id == batch.request.request_id => {
                progress.inc(u64::try_from(batch.origins.len()).unwrap_or_default());
                take(&batch, answer, &mut said, report);
            }
            other => {
                if let Err(status) = other {
                    report.add(refusals(None, &Origin::File, &status));
                }
                let rest: Vec<Batch> = std::iter::once(batch).chain(batches.by_ref()).collect();
                leave_unanswered(&rest, report);
            }
        }
    }
    report.add(said.rows);
}

/// What the server says of slots: one finding for all slots of a row of the file of which it says the same.
#[derive(Default)]
struct Said {
    rows: Vec<RowReport>,
    places: HashMap<Cause, usize>,
}

/// Row of the file, field, reason and message.
type Cause = (Origin, String, String, String);

impl Said {
    fn add(&mut self, slot_id: &str, said: RowReport) {
        let cause = (said.origin.clone(), said.field.clone(), said.reason.clone(), said.message.clone());
        let place = *self.places.entry(cause).or_insert(self.rows.len());
        if place == self.rows.len() {
            self.rows.push(said);
        }
        if let Some(row) = self.rows.get_mut(place) {
            row.slot_ids.push(slot_id.to_owned());
        }
    }
}

fn batches(slots: Vec<PlannedSlot>, options: &SendOptions) -> Vec<Batch> {
    let mut batches = Vec::new();
    let (mut rows, mut origins, mut bytes) = (Vec::new(), Vec::new(), 0);
    for slot in slots {
        let size = slot.input.encoded_len();
        if rows.len() == BATCH_MAX_ROWS || (bytes + size > BATCH_MAX_BYTES && !rows.is_empty()) {
            batches.push(batch(std::mem::take(&mut rows), std::mem::take(&mut origins), options));
            bytes = 0;
        }
        bytes += size;
        rows.push(slot.input);
        origins.push(slot.origin);
    }
    if !rows.is_empty() {
        batches.push(batch(rows, origins, options));
    }
    batches
}

fn batch(rows: Vec<pb::SlotInput>, origins: Vec<Origin>, options: &SendOptions) -> Batch {
    let mut request = pb::PublishSlotsRequest {
        request_id: String::new(),
        source_id: options.source_id.clone(),
        source_revision: options.source_revision,
        rows,
    };
    request.request_id = identity::request_id("slots", options.source_revision, &request.encode_to_vec());
    Batch { request, origins }
}

fn take(batch: &Batch, answer: pb::PublishSlotsResponse, said: &mut Said, report: &mut ImportReport) {
    let mut answered = 0;
    for result in answer.results {
        let place = usize::try_from(result.row).ok();
        let Some(origin) = place.and_then(|place| batch.origins.get(place)) else { continue };
        answered += 1;
        match result.status() {
            pb::RowStatus::Created => report.slots.created += 1,
            pb::RowStatus::Updated => report.slots.updated += 1,
            pb::RowStatus::Unchanged => report.slots.unchanged += 1,
            pb::RowStatus::Refused => {
                report.slots.refused += 1;
                said.add(&result.slot_id, refusal(origin, &result));
            }
            pb::RowStatus::Unspecified => answered -= 1,
        }
        for warning in result.warnings {
            said.add(&result.slot_id, server_warning(Kind::Slot, origin, warning));
        }
    }
    report.slots.unanswered += batch.origins.len().saturating_sub(answered);
}

fn refusal(origin: &Origin, result: &pb::RowResult) -> RowReport {
    let pb::RowResult { row: _, slot_id: _, status: _, reason, message, field, warnings: _ } = result;
    let field =
        if field.is_empty() { Kind::Slot.field_of_reason(reason, origin) } else { Kind::Slot.field(field, origin) };
    RowReport {
        origin: origin.clone(),
        severity: Severity::Refused,
        field: field.to_owned(),
        reason: reason.clone(),
        message: message.clone(),
        slot_ids: Vec::new(),
    }
}

/// Says, once per row of the file, that nothing was heard of its slots.
fn leave_unanswered(batches: &[Batch], report: &mut ImportReport) {
    let mut origins: Vec<&Origin> = batches.iter().flat_map(|batch| &batch.origins).collect();
    report.slots.unanswered += origins.len();
    origins.dedup();
    let message = "the server did not answer: import again with the same revision, what was taken is not taken twice";
    let unanswered = origins
        .into_iter()
        .map(|origin| RowReport::new(origin.clone(), Severity::Refused, "", Reason::NotAnswered, message));
    report.add(unanswered.collect());
}
