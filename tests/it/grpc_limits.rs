//! What the transport bounds: messages, calls, time, connections.

use std::time::Duration;

use bytes::Bytes;
use h2::client;
use prost::Message as _;
use sas_router::domain::id::TerritoryId;
use sas_router::grpc::{MESSAGE_MAX_BYTES, Options};
use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::codegen::http;

use crate::harness::details::{reason, says_when_to_retry};
use crate::harness::in_process::{Directory, InProcess, connect};
use crate::harness::stalled_ledger::{Stalled, options};
use crate::harness::world::{TERRITORY, query, territory};

/// Longer than anything here should take.
const PATIENCE: Duration = Duration::from_secs(20);

fn upsert(request_id: &str) -> pb::UpsertTerritoryRequest {
    pb::UpsertTerritoryRequest { request_id: request_id.into(), territory: Some(territory()) }
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_the_connection_lives() {
    let town = InProcess::start().await;
    let large = pb::CareQuery { case_id: "x".repeat(MESSAGE_MAX_BYTES), ..query() };
    let status = town.routing().find_care(pb::FindCareRequest { query: Some(large) }).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
    assert!(town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.is_ok());
}

#[tokio::test]
async fn a_full_batch_of_long_rows_passes() {
    let town = InProcess::start().await;
    let row =
        pb::SlotInput { motives: vec!["é".repeat(200); 10], booking_url: "u".repeat(500), ..pb::SlotInput::default() };
    let batch = pb::PublishSlotsRequest {
        request_id: "b".into(),
        source_id: "s".into(),
        source_revision: 1,
        rows: vec![row; 500],
    };
    assert!(batch.encoded_len() > 2 * 1_024 * 1_024);
    let mut answers = town.publishing().publish_slots(tokio_stream::once(batch)).await.unwrap().into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().results.len(), 500);
}

#[tokio::test]
async fn calls_beyond_the_limit_are_shed_and_health_still_answers() {
    let stalled = Stalled::start(Options { calls_max: 2, ..options() }).await;
    let channel = connect(stalled.address).await;
    let tasks = Tasks::new();
    let waiting: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|request_id| {
            let mut directory = Directory::new(channel.clone());
            tasks.spawn(async move { directory.upsert_territory(upsert(request_id)).await })
        })
        .collect();
    until(|| stalled.server.calls_under_way() == 2).await;

    let status = Directory::new(channel.clone()).upsert_territory(upsert("c")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert!(says_when_to_retry(&status));
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();

    stalled.open_for(4);
    for call in waiting {
        call.await.unwrap().unwrap();
    }
    until(|| stalled.server.calls_under_way() == 0).await;
    Directory::new(channel).get_territory(pb::GetTerritoryRequest { territory_id: TERRITORY.into() }).await.unwrap();
}

#[tokio::test]
async fn a_deadline_ends_the_wait_while_the_write_completes() {
    let stalled = Stalled::start(options()).await;
    let (code, reason) = call_with_timeout(&stalled, "30m").await;
    assert_eq!((code, reason.as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));

    stalled.open_for(1);
    stalled.writes.drain().await;
    let id = TerritoryId::parse(TERRITORY).unwrap().value;
    assert!(stalled.service.territory(&id).is_ok(), "the write was not cut in two");
}

#[tokio::test]
async fn the_services_own_limit_ends_a_wait_without_deadline() {
    let stalled = Stalled::start(Options { call_timeout: Duration::from_millis(30), ..options() }).await;
    let mut directory = Directory::new(connect(stalled.address).await);
    let status = directory.upsert_territory(upsert("t")).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

/// Calls by hand, since the generated client would end the wait by a clock of its own.
async fn call_with_timeout(stalled: &Stalled, timeout: &str) -> (Code, String) {
    let stream = TcpStream::connect(stalled.address).await.unwrap();
    let (client, connection) = client::handshake(stream).await.unwrap();
    let _connection = Tasks::new().spawn(connection);
    let request =
        http::Request::post(format!("http://{}/sas.routing.v1.DirectoryService/UpsertTerritory", stalled.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("grpc-timeout", timeout)
            .body(())
            .unwrap();
    let (answer, mut body) = client.ready().await.unwrap().send_request(request, false).unwrap();
    let message = upsert("t").encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    body.send_data(Bytes::from(frame), true).unwrap();
    let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap().unwrap();
    let status = tonic::Status::from_header_map(answer.headers()).unwrap();
    (status.code(), reason(&status))
}

#[tokio::test]
async fn a_connection_that_stays_silent_is_closed() {
    let stalled = Stalled::start(Options { preface_deadline: Duration::from_millis(200), ..options() }).await;
    for said in [&b""[..], &b"PRI * HTTP/2.0\r\n"[..]] {
        let mut stream = TcpStream::connect(stalled.address).await.unwrap();
        stream.write_all(said).await.unwrap();
        assert!(is_closed_by_the_server(&mut stream).await, "after {} bytes", said.len());
    }
    let mut directory = Directory::new(connect(stalled.address).await);
    assert!(directory.list_places(pb::ListPlacesRequest::default()).await.is_ok(), "others are served");
}

#[tokio::test]
async fn silent_connections_at_the_cap_do_not_keep_others_out() {
    let options = Options { connections_max: 3, preface_deadline: Duration::from_millis(200), ..options() };
    let stalled = Stalled::start(options).await;
    let mut silent = Vec::new();
    for _ in 0..9 {
        silent.push(TcpStream::connect(stalled.address).await.unwrap());
    }
    let mut directory = Directory::new(tokio::time::timeout(PATIENCE, connect(stalled.address)).await.unwrap());
    let listed = tokio::time::timeout(PATIENCE, directory.list_places(pb::ListPlacesRequest::default())).await;
    assert!(listed.unwrap().is_ok());
}

async fn is_closed_by_the_server(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 256];
    let closed = async { while !matches!(stream.read(&mut buffer).await, Ok(0) | Err(_)) {} };
    tokio::time::timeout(PATIENCE, closed).await.is_ok()
}

/// Waits until a condition holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let met = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.expect("the condition never held");
}
