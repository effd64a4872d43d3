//! Real processes that start while their Redis is away, or is none that will do.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{reason, says_when_to_retry};
use crate::harness::fake_redis::{FakeRedis, bulk};
use crate::harness::redis_server::Server;
use crate::harness::server_process::ServerProcess;
use crate::harness::site::{Instance, Site, settle, slot};
use crate::harness::world::{hold, query};

const ROUTING: &str = "sas.routing.v1.RoutingService";
const BOOKING: &str = "sas.routing.v1.BookingService";
const OPERATIONS: &str = "sas.routing.v1.OperationsService";
const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

/// An instance whose Redis does not run.
async fn without_redis() -> Site {
    let mut site = Site { instances: Vec::new(), redis: Server::absent_with(&[]), flags: Vec::new() };
    site.instances.push(site.instance().await);
    site
}

async fn find(instance: &Instance, query: pb::CareQuery) -> Result<pb::FindCareResponse, tonic::Status> {
    let request = pb::FindCareRequest { query: Some(query) };
    instance.routing().find_care(request).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn without_redis_an_instance_lives_is_not_ready_and_says_why() {
    let site = without_redis().await;
    let instance = &site.instances[0];
    for (service, expected) in [("", SERVING), (OPERATIONS, SERVING), (ROUTING, NOT_SERVING), (BOOKING, NOT_SERVING)] {
        assert_eq!(instance.health(service).await, expected, "`{service}`");
    }
    let status = instance.status().await;
    let codes: Vec<_> = status.conditions.iter().map(|condition| condition.code.as_str()).collect();
    assert_eq!((codes, status.writable), (vec!["STARTING"], false));
    let address = site.redis.url().replace("redis://", "");
    let why = &status.conditions[0].message;
    assert!(why.contains(&address) && why.contains("check that it runs"), "{why}");
    assert!(status.stamp.unwrap().degraded);
}

#[tokio::test]
async fn without_redis_escalations_are_answered_and_nothing_else_is_made_up() {
    let site = without_redis().await;
    let instance = &site.instances[0];
    for (level, outcome) in [("R1", "EMERGENCY_DISPATCH"), ("R2", "EMERGENCY_DEPARTMENT"), ("R4", "MEDICAL_ADVICE")] {
        let answer = find(instance, pb::CareQuery { care_level: level.into(), ..query() }).await.unwrap();
        assert_eq!(answer.outcome().as_str_name(), format!("CARE_OUTCOME_{outcome}"));
        assert!(answer.stamp.unwrap().degraded);
    }
    let refused = find(instance, query()).await.unwrap_err();
    let hold = instance.bookings().hold_slot(hold("h", "a")).await.unwrap_err();
    let request = pb::GetBookingRequest { booking_id: "01890a5d-ac96-774b-bcce-b302099a8057".into() };
    let booking = instance.bookings().get_booking(request).await.unwrap_err();
    for status in [refused, hold, booking] {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "STARTING"), "{status:?}");
        assert!(says_when_to_retry(&status), "{status:?}");
    }
}

#[tokio::test]
async fn an_instance_that_waited_for_redis_becomes_ready_by_itself() {
    let mut site = without_redis().await;
    site.redis.run();
    let instance = &site.instances[0];
    instance.wait_until_serving(BOOKING).await;
    instance.wait_until_serving(ROUTING).await;
    settle(site.instances[0].directory()).await;
    site.publish(1, vec![slot("a", 1, 60, 1)]).await;
    assert!(instance.bookings().hold_slot(hold("h", "a")).await.is_ok());
    let status = instance.status().await;
    assert!(status.conditions.is_empty() && status.writable, "{status:?}");
}

#[tokio::test]
async fn an_instance_that_waited_offers_what_others_published_before() {
    let mut site = Site::start(1).await;
    site.publish(1, vec![slot("a", 1, 60, 1)]).await;
    site.redis.kill();
    site.instances.clear();
    site.instances.push(site.instance().await);
    let instance = &site.instances[0];
    assert_eq!(reason(&find(instance, query()).await.unwrap_err()), "STARTING");
    site.redis.run();
    instance.wait_until("records", async |status| status.writable).await;
    let offered: Vec<_> = find(instance, query()).await.unwrap().options.into_iter().map(|one| one.slot_id).collect();
    assert_eq!(offered, ["a"]);
}

#[tokio::test]
async fn an_instance_that_waits_ends_when_it_is_asked_to() {
    let mut site = without_redis().await;
    let ended = site.instances.remove(0).process.terminate();
    assert!(ended.status.success(), "{}", ended.stderr);
    assert!(ended.stderr.contains("ledger closed"), "{}", ended.stderr);
}

/// What a server of this version says, which loads its data or not.
fn redis_of(version: &'static str, is_loading: bool) -> FakeRedis {
    FakeRedis::start(move |words| match words[0].to_uppercase().as_str() {
        "CLIENT" | "HELLO" => "+OK\r\n".to_owned(),
        _ if is_loading => "-LOADING Redis is loading the dataset in memory\r\n".to_owned(),
        "INFO" => bulk(&format!("# Server\r\nredis_version:{version}\r\nrole:master\r\n")),
        _ => "-ERR unknown command\r\n".to_owned(),
    })
}

#[test]
fn a_redis_that_is_too_old_is_named_at_start() {
    let old = redis_of("6.2.14", false);
    let ended =
        ServerProcess::try_start_on(&["--ledger".into(), old.url().into()], "127.0.0.1:0").map(drop).unwrap_err();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("it is version 6.2.14: this version needs Redis 7.0 or newer"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_redis_that_still_loads_is_waited_for() {
    let loading = redis_of("7.0.15", true);
    let instance = Instance::start(&loading.url()).await;
    let status = instance.status().await;
    assert_eq!(status.conditions[0].code, "STARTING");
    assert!(status.conditions[0].message.contains("still loading its data"), "{status:?}");
}
