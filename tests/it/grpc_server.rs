//! The server itself: reflection, health, start errors, and a quiet end.

use std::time::Duration;

use sas_router::app::{App, StartError};
use sas_router::clock::SystemClock;
use sas_router::config::LedgerKind;
use sas_router::domain::time::UtcInstant;
use sas_router::ledger::Unavailable;
use sas_router::proto::routing as pb;
use sas_router::service::ConditionKind;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::grpc_limits::until;
use crate::harness::details::reason;
use crate::harness::in_process::{Directory, InProcess, config, connect, listener};
use crate::harness::stalled_ledger::{Stalled, options};
use crate::harness::world::{batch, query, settle, slot, territory};

const SERVICES: [&str; 5] = [
    "sas.routing.v1.DirectoryService",
    "sas.routing.v1.PublishingService",
    "sas.routing.v1.RoutingService",
    "sas.routing.v1.BookingService",
    "sas.routing.v1.OperationsService",
];
const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

async fn reflect(town: &InProcess, ask: MessageRequest) -> ServerReflectionResponse {
    let mut client = ServerReflectionClient::new(town.channel.clone());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    answers.into_inner().message().await.unwrap().unwrap()
}

#[tokio::test]
async fn reflection_lists_every_service_and_describes_messages() {
    let town = InProcess::start().await;
    let Some(MessageResponse::ListServicesResponse(listed)) =
        reflect(&town, MessageRequest::ListServices(String::new())).await.message_response
    else {
        panic!("a list of services")
    };
    let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for service in SERVICES.iter().chain(&["grpc.health.v1.Health"]) {
        assert!(names.contains(service), "{service} in {names:?}");
    }
    let shown = |symbol: &str| MessageRequest::FileContainingSymbol(symbol.to_owned());
    for symbol in ["sas.routing.v1.HoldRefused", "google.rpc.ErrorInfo"] {
        let answer = reflect(&town, shown(symbol)).await.message_response;
        assert!(matches!(answer, Some(MessageResponse::FileDescriptorResponse(_))), "{symbol}: {answer:?}");
    }
}

#[tokio::test]
async fn records_on_disk_are_not_shown_by_reflection() {
    let town = InProcess::start().await;
    let mut client = ServerReflectionClient::new(town.channel.clone());
    let ask = MessageRequest::FileByFilename("sas/ledger/v1/record.proto".into());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let answer = client.server_reflection_info(tokio_stream::once(request)).await;
    let refused = match answer {
        Ok(answers) => answers.into_inner().message().await.map(|answer| answer.unwrap().message_response),
        Err(status) => Err(status),
    };
    assert!(!matches!(refused, Ok(Some(MessageResponse::FileDescriptorResponse(_)))), "{refused:?}");
}

#[tokio::test]
async fn health_is_told_for_every_service() {
    let town = InProcess::start().await;
    let mut health = HealthClient::new(town.channel.clone());
    for service in SERVICES.iter().chain(&[""]) {
        let answer = health.check(HealthCheckRequest { service: (*service).to_owned() }).await.unwrap();
        assert_eq!(answer.into_inner().status, SERVING, "{service}");
    }
    let unknown = health.check(HealthCheckRequest { service: "nobody".into() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn services_that_write_stop_serving_while_reads_go_on() {
    let stalled = Stalled::start(options()).await;
    *stalled.ledger.unavailable.lock() = Some(Unavailable::Refused("the disk is full".into()));
    stalled.server.tell_health(&[ConditionKind::WritesRefused]).await;
    let mut health = HealthClient::new(connect(stalled.address).await);
    for (service, expected) in
        [(SERVICES[2], SERVING), (SERVICES[3], NOT_SERVING), (SERVICES[4], SERVING), ("", SERVING)]
    {
        let answer = health.check(HealthCheckRequest { service: service.to_owned() }).await.unwrap();
        assert_eq!(answer.into_inner().status, expected, "{service}");
    }
    let mut routing = pb::routing_service_client::RoutingServiceClient::new(connect(stalled.address).await);
    let found = routing.find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner();
    assert!(found.stamp.unwrap().degraded);
}

/// Whether the process and operations, what reads, bookings, and whatever else writes serve under a condition.
fn serving_under(condition: ConditionKind) -> [bool; 4] {
    match condition {
        ConditionKind::Starting => [true, false, false, false],
        ConditionKind::WritesRefused => [true, true, false, false],
        ConditionKind::LedgerClockAhead => [true, true, false, true],
        ConditionKind::DurabilityReduced
        | ConditionKind::ClockNotTrusted
        | ConditionKind::SourceSilent
        | ConditionKind::RoadTimesPaused
        | ConditionKind::DigestMismatch
        | ConditionKind::PolicyUnreadable
        | ConditionKind::ClaimsQuarantined => [true; 4],
    }
}

#[tokio::test]
async fn every_condition_stops_the_services_that_it_is_documented_to_stop() {
    let groups: [&[&str]; 4] = [
        &["", "Operations"],
        &["Routing", "Explanation", "Indicator"],
        &["Booking"],
        &["Directory", "Publishing", "Orientation", "Policy", "Quarantine"],
    ];
    let stalled = Stalled::start(options()).await;
    let mut health = HealthClient::new(connect(stalled.address).await);
    for condition in ConditionKind::ALL {
        stalled.server.tell_health(&[condition]).await;
        for (group, is_serving) in groups.iter().zip(serving_under(condition)) {
            for name in *group {
                let full = format!("sas.routing.v1.{name}Service");
                let service = if name.is_empty() { String::new() } else { full };
                let answer = health.check(HealthCheckRequest { service }).await.unwrap().into_inner();
                let expected = if is_serving { SERVING } else { NOT_SERVING };
                assert_eq!(answer.status, expected, "{name} under {}", condition.code());
            }
        }
    }
}

#[tokio::test]
async fn a_drain_says_so_and_lets_calls_under_way_finish() {
    let stalled = Stalled::start(options()).await;
    let channel = connect(stalled.address).await;
    let mut watch = HealthClient::new(channel.clone());
    let mut health = watch.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(health.message().await.unwrap().unwrap().status, SERVING);
    let tasks = sas_router::tasks::Tasks::new();
    let call = tasks.spawn(async move {
        let request = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(territory()) };
        Directory::new(channel).upsert_territory(request).await
    });
    until(|| stalled.server.calls_under_way() == 1).await;
    stalled.server.begin_drain().await;
    assert_eq!(health.message().await.unwrap().unwrap().status, NOT_SERVING);
    stalled.open_for(1);
    stalled.server.idle().await;
    call.await.unwrap().expect("the call under way is answered");
    stalled.server.cut();
}

#[tokio::test]
async fn a_stream_of_a_publisher_ends_between_two_batches_when_the_service_drains() {
    let town = InProcess::start().await;
    settle(&town).await;
    let (batches, waiting) = mpsc::channel(1);
    let mut answers = town.publishing().publish_slots(ReceiverStream::new(waiting)).await.unwrap().into_inner();
    batches.send(batch("b1", 1, vec![slot("a", 1, 60)])).await.unwrap();
    assert_eq!(answers.message().await.unwrap().unwrap().request_id, "b1");
    town.shut_down();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
    let drained = town.ended().await;
    assert_eq!(drained.cut_calls, 0);
}

#[tokio::test]
async fn a_service_that_is_idle_ends_at_once() {
    let town = InProcess::start_with(|config| config.server.drain_timeout = Duration::from_secs(600)).await;
    let address = town.address;
    town.shut_down();
    assert!(town.ended().await.duration < Duration::from_secs(60));
    assert!(tokio::net::TcpListener::bind(address).await.is_ok(), "the port is free again");
}

#[tokio::test]
async fn a_port_that_is_taken_names_the_address_and_what_to_do() {
    let taken = listener().await;
    let mut config = config();
    config.server.listen = taken.local_addr().unwrap();
    let error = App::start(config, Arc::new(SystemClock)).await.err().unwrap();
    assert!(matches!(error, StartError::AddressInUse { .. }));
    let told = error.to_string();
    assert!(told.contains(&taken.local_addr().unwrap().to_string()) && told.contains("--listen"), "{told}");
}

#[tokio::test]
async fn state_of_an_embedded_ledger_outlives_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        InProcess::start_with(|config| {
            config.ledger.kind = LedgerKind::Embedded { data_dir: folder.path().to_owned() };
        })
    };
    let town = start().await;
    settle(&town).await;
    let mut second = config();
    second.ledger.kind = LedgerKind::Embedded { data_dir: folder.path().to_owned() };
    let refused = App::start_with(second, Arc::new(SystemClock), listener().await).await.err().unwrap();
    assert!(refused.to_string().contains("in use by another process"), "{refused}");
    town.shut_down();
    town.ended().await;

    let again = start().await;
    let status = again.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.ledger_kind.as_str(), status.counts.unwrap().schedules), ("embedded", 2));
    let started_at = status.started_at.unwrap();
    assert!(UtcInstant::parse_ms(started_at.seconds * 1_000).is_some());
}
