//! What the ledger tells of itself and of the records, for the wire.

use super::common::instant_to_proto;
use crate::proto::routing as pb;
use crate::service::{InstanceView, Overview, RecordPage};

/// Writes the ledger that instances share; `None` when nobody shares it.
pub(in crate::grpc) fn shared_ledger_to_proto(ledger: Overview) -> Option<pb::SharedLedger> {
    let Overview { own: _, head, seen_at, seen_age: _, instances, counters: _ } = ledger;
    let head = head?;
    Some(pb::SharedLedger {
        epoch: head.position.epoch,
        position: head.position.sequence,
        digest: head.digest,
        seen_at: seen_at.map(instant_to_proto),
        instances: instances.into_iter().map(instance_view_to_proto).collect(),
    })
}

fn instance_view_to_proto(view: InstanceView) -> pb::InstanceStatus {
    let InstanceView {
        instance_id,
        is_self,
        version,
        address,
        started_at,
        durability_class,
        standpoint,
        lag_changes,
        lag_ms,
        heard_at,
        is_silent,
        differs,
    } = view;
    let state = if is_silent { pb::InstanceState::Silent } else { pb::InstanceState::Live };
    pb::InstanceStatus {
        instance_id,
        is_self,
        state: state.into(),
        version,
        address,
        started_at: started_at.map(instant_to_proto),
        durability_class,
        epoch: standpoint.position.epoch,
        position: standpoint.position.sequence,
        digest: standpoint.digest,
        lag_changes,
        lag_ms,
        last_heard_at: Some(instant_to_proto(heard_at)),
        digest_differs: differs,
    }
}

/// Writes some of the records.
pub(in crate::grpc) fn page_to_proto(page: RecordPage) -> pb::ListRecordDigestsResponse {
    let RecordPage { position, records } = page;
    let records = records.into_iter().map(|record| pb::RecordDigest {
        key: record.key,
        version: record.image.version,
        image_digest: record.image.sha1.to_vec(),
    });
    pb::ListRecordDigestsResponse { epoch: position.epoch, position: position.sequence, records: records.collect() }
}
