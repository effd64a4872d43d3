//! A machine's clock that is wrong: what the service says, and what it goes on doing.

use std::path::Path;
use std::time::Duration;

use sas_router::config::{Config, LedgerKind};
use sas_router::proto::routing as pb;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tracing::Level;

use crate::harness::details::reason;
use crate::harness::in_process::{InProcess, now};
use crate::harness::logged::Logged;
use crate::harness::world::{HOME, batch, hold, publish, query, settle, settled, slot};

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

/// Warnings of the service about itself; a call that is refused is logged beside them.
fn warnings(logged: &Logged) -> Vec<String> {
    let is_meant = |line: &&str| line.contains("WARN") && !line.contains("grpc::gate");
    logged.text().lines().filter(is_meant).map(str::to_owned).collect()
}

/// Follows the health of the service of bookings.
struct Bookable(tonic::Streaming<HealthCheckResponse>);

impl Bookable {
    async fn of(town: &InProcess) -> Self {
        let service = "sas.routing.v1.BookingService".to_owned();
        let watched = HealthClient::new(town.channel.clone()).watch(HealthCheckRequest { service }).await;
        Self(watched.unwrap().into_inner())
    }

    /// Waits until it says that it serves, or that it does not.
    async fn becomes(&mut self, expected: ServingStatus) {
        let met = async { while self.0.message().await.unwrap().unwrap().status() != expected {} };
        tokio::time::timeout(Duration::from_secs(30), met).await.expect("health never said so");
    }
}

#[tokio::test]
async fn a_ledger_whose_clock_is_ahead_is_told_everywhere_until_time_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let logged = Logged::default();
    let _logging = logged.begin(Level::INFO);
    let town = InProcess::start_at(now(), kept_in(folder.path())).await;
    settle(&town).await;
    publish(&town, batch("b", 1, vec![slot("a", 1, 60), slot("c", 1, 4 * 24 * 60)])).await;
    let mut bookable = Bookable::of(&town).await;
    bookable.becomes(ServingStatus::Serving).await;

    town.clock.advance_ms(3 * DAY_MS);
    town.bookings().hold_slot(hold("stamped", "c")).await.unwrap();
    town.clock.advance_ms(-3 * DAY_MS);
    bookable.becomes(ServingStatus::NotServing).await;
    let told = status(&town).await;
    assert_eq!(codes(&told), ["LEDGER_CLOCK_AHEAD"]);
    let Some(pb::Condition { message, degrades: true, .. }) = told.conditions.first() else { panic!("{told:?}") };
    assert!(message.contains("2026-11-26T08:00") && message.contains("export"), "{message}");
    assert!(told.writable && told.stamp.unwrap().degraded);
    let query = pb::FindCareRequest { query: Some(query()) };
    let found = town.routing().find_care(query.clone()).await.unwrap().into_inner();
    assert!(found.stamp.unwrap().degraded, "reads go on, and say so");
    assert!(!found.options.is_empty());
    let refused = town.bookings().hold_slot(hold("h", "a")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "LEDGER_UNAVAILABLE"));
    assert!(refused.message().contains("the ledger's clock shows 2026-11-26T08:00"), "{refused:?}");
    assert_eq!(publish(&town, batch("d", 1, vec![slot("e", 1, 90)])).await.results[0].status(), pb::RowStatus::Created);
    let warnings = warnings(&logged);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("LEDGER_CLOCK_AHEAD") && warnings[0].contains("export"), "{warnings:?}");

    town.clock.advance_ms(3 * DAY_MS);
    bookable.becomes(ServingStatus::Serving).await;
    let told = status(&town).await;
    assert!(!codes(&told).contains(&"LEDGER_CLOCK_AHEAD") && !told.stamp.unwrap().degraded);
    town.bookings().hold_slot(hold("again", "a")).await.expect_err("it is over by every clock");
}

#[tokio::test]
async fn a_small_step_back_of_the_clock_is_no_trouble() {
    let town = settled().await;
    town.clock.advance_seconds(-30);
    assert_eq!(codes(&status(&town).await), [""; 0]);
    town.bookings().hold_slot(hold("h", "a")).await.unwrap();
    town.clock.advance_ms(-1);
    assert_eq!(codes(&status(&town).await), ["LEDGER_CLOCK_AHEAD"]);
}
