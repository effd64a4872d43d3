//! Sources that fall silent, as a publisher, a regulator and operations see it over a real connection.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, reason};
use crate::harness::in_process::InProcess;
use crate::harness::world::{SOURCE, query, settled};

async fn heartbeat(town: &InProcess, lease_seconds: Option<u32>) -> pb::HeartbeatResponse {
    let request = pb::HeartbeatRequest { source_id: SOURCE.into(), lease_seconds };
    town.publishing().heartbeat(request).await.unwrap().into_inner()
}

async fn find(town: &InProcess) -> pb::FindCareResponse {
    let request = pb::FindCareRequest { query: Some(query()) };
    town.routing().find_care(request).await.unwrap().into_inner()
}

async fn silent_conditions(town: &InProcess) -> Vec<String> {
    let status = town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    status.conditions.into_iter().map(|condition| condition.code).filter(|code| code == "SOURCE_SILENT").collect()
}

async fn source(town: &InProcess) -> pb::Source {
    let listed = town.operations().list_sources(pb::ListSourcesRequest {}).await.unwrap().into_inner();
    assert_eq!(listed.sources.len(), 1);
    listed.sources.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_silent_source_is_uncertain_then_unknown_and_free_again_when_it_is_heard() {
    let town = settled().await;
    let beat = heartbeat(&town, Some(300)).await;
    let ends_at = beat.lease_ends_at.unwrap().seconds - beat.stamp.unwrap().answered_at.unwrap().seconds;
    assert_eq!(ends_at, 300);
    assert_eq!((find(&town).await.availability(), silent_conditions(&town).await.len()), (pb::Availability::Free, 0));
    assert_eq!(source(&town).await.schedule_count, 2);

    town.clock.advance_seconds(301);
    let answer = find(&town).await;
    assert_eq!(answer.options[0].parts.unwrap().confidence(), pb::Confidence::Uncertain);
    assert_eq!(answer.silent_sources[0].source_id, SOURCE);
    assert_eq!(silent_conditions(&town).await, ["SOURCE_SILENT"]);

    town.clock.advance_seconds(30 * 60);
    let answer = find(&town).await;
    assert_eq!((answer.options.len(), answer.availability()), (0, pb::Availability::Unknown));
    assert!(answer.near_misses.iter().all(|miss| miss.rule() == pb::Rule::Silence), "{:?}", answer.near_misses);
    assert_eq!(source(&town).await.confidence(), pb::Confidence::Hidden);

    heartbeat(&town, Some(300)).await;
    assert_eq!((find(&town).await.availability(), silent_conditions(&town).await.len()), (pb::Availability::Free, 0));
    let beat = heartbeat(&town, None).await;
    assert_eq!(beat.lease_ends_at, None);
    assert_eq!(source(&town).await.lease_seconds, None);
}

#[tokio::test]
async fn a_wrong_heartbeat_names_its_fields() {
    let town = settled().await;
    let request = pb::HeartbeatRequest { source_id: " ".into(), lease_seconds: Some(29) };
    let refused = town.publishing().heartbeat(request).await.unwrap_err();
    assert_eq!(fields(&refused), ["source_id", "lease_seconds"]);
    let request = pb::HeartbeatRequest { source_id: "nobody".into(), lease_seconds: Some(30) };
    let refused = town.publishing().heartbeat(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_SOURCE"));
}
