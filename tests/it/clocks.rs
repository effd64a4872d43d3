//! A machine's clock that is wrong: what the service says, and what it goes on doing.

use std::path::Path;

use sas_router::config::{Config, LedgerKind};
use sas_router::proto::routing as pb;

use crate::harness::in_process::{InProcess, now};
use crate::harness::world::{HOME, batch, publish, settle, slot};

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Keeps state in a folder.
fn kept_in(folder: &Path) -> impl FnOnce(&mut Config) {
    |config| config.ledger.kind = LedgerKind::Embedded { data_dir: folder.to_owned() }
}

async fn status(town: &InProcess) -> pb::GetStatusResponse {
    town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner()
}

fn codes(status: &pb::GetStatusResponse) -> Vec<&str> {
    status.conditions.iter().map(|condition| condition.code.as_str()).collect()
}

#[tokio::test]
async fn a_service_that_starts_with_a_clock_far_ahead_says_so_and_serves() {
    let folder = tempfile::tempdir().unwrap();
    let town = InProcess::start_at(now(), kept_in(folder.path())).await;
    settle(&town).await;
    publish(&town, batch("b", 1, vec![slot("a", 1, 60)])).await;
    assert_eq!(codes(&status(&town).await), [""; 0]);
    town.shut_down();
    town.ended().await;

    let town = InProcess::start_at(now().plus_ms(9 * DAY_MS), kept_in(folder.path())).await;
    let told = status(&town).await;
    assert_eq!(codes(&told), ["CLOCK_NOT_TRUSTED"]);
    assert!(told.conditions[0].message.contains("2026-12-02T08:00"), "{:?}", told.conditions);
    assert!(told.conditions[0].message.contains("2026-11-23T08:00"), "{:?}", told.conditions);
    assert!(told.writable && !told.conditions[0].degrades && !told.stamp.unwrap().degraded);
    let query = pb::CareQuery { position: Some(HOME), ..pb::CareQuery::default() };
    town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap();
    publish(&town, batch("c", 1, vec![slot("b", 1, 9 * 24 * 60 + 60)])).await;
    assert_eq!(status(&town).await.counts.unwrap().slots, 2, "nothing was forgotten");
    town.shut_down();
    town.ended().await;

    let town = InProcess::start_at(now().plus_ms(DAY_MS), kept_in(folder.path())).await;
    assert!(!codes(&status(&town).await).contains(&"CLOCK_NOT_TRUSTED"), "by what a trusted clock recorded");
}
