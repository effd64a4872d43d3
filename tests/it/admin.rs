//! The admin port as supervisors see it: what each probe says while the process starts, serves, is short of something, and ends.
//!
//! Deliberately absent: bad clients of the port; see the module below.

mod clients;

use std::net::TcpListener;
use std::sync::Arc;

use sas_router::app::{App, Listeners};
use sas_router::clock::SystemClock;
use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::fake_redis::FakeRedis;
use crate::harness::http::{Answer, ask, get, until};
use crate::harness::in_process::{InProcess, Routing, connect, listener, waiting_for};
use crate::harness::redis_server::Server;
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::site::{Instance, Site};
use crate::harness::world::{query, settle};

const ROUTING: &str = "sas.routing.v1.RoutingService";
const BOOKING: &str = "sas.routing.v1.BookingService";
const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;
/// Any free port for the admin port too.
const WITH_ADMIN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

/// The flags of a service in a folder, with an admin port.
fn in_folder(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let data_dir = [std::ffi::OsString::from("--data-dir"), folder.into()];
    data_dir.into_iter().chain(WITH_ADMIN.map(Into::into)).collect()
}

fn start(folder: &std::path::Path) -> ServerProcess {
    ServerProcess::try_start_on(&in_folder(folder), "127.0.0.1:0").unwrap_or_else(|ended| panic!("{}", ended.stderr))
}

async fn find(channel: Channel) -> Result<pb::FindCareResponse, tonic::Status> {
    let request = pb::FindCareRequest { query: Some(query()) };
    Routing::new(channel).find_care(request).await.map(tonic::Response::into_inner)
}

/// What the three probes answer: life, readiness, start.
async fn probes(address: &str) -> [Answer; 3] {
    [get(address, "/livez").await, get(address, "/readyz").await, get(address, "/startupz").await]
}

fn statuses(answers: &[Answer; 3]) -> [u16; 3] {
    answers.each_ref().map(|answer| answer.status)
}

#[tokio::test]
async fn an_instance_that_serves_lives_is_ready_and_has_started() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let answers = probes(server.admin_address()).await;
    assert_eq!(statuses(&answers), [200; 3], "{answers:?}");
    assert_eq!(answers.map(|answer| answer.body), ["ALIVE\n", "READY\n", "STARTED\n"]);
    let json = ask(server.admin_address(), "GET", "/readyz", &["accept: application/json"]).await;
    assert_eq!((json.status, json.header("content-type")), (200, "application/json"));
    assert_eq!(json.body, "{\"status\":\"READY\"}\n");
    let ended = server.terminate();
    assert!(ended.status.success() && ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn there_is_no_admin_port_unless_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path());
    assert_eq!(server.admin_address(), "");
    assert!(!server.terminate().stderr.contains("admin port"));
}

#[tokio::test]
async fn without_redis_an_instance_lives_and_says_what_its_start_waits_for() {
    let flags = WITH_ADMIN.map(Into::into).to_vec();
    let mut site = Site { instances: Vec::new(), redis: Server::absent_with(&[]), flags };
    site.instances.push(site.instance().await);
    let admin = site.instances[0].process.admin_address().to_owned();
    let answers = probes(&admin).await;
    assert_eq!(statuses(&answers), [200, 503, 503], "{answers:?}");
    let redis = site.redis.url().replace("redis://", "");
    for answer in &answers[1..] {
        assert!(answer.body.contains("missing: STARTING: ") && answer.body.contains(&redis), "{}", answer.body);
        assert!(answer.body.contains("check that it runs"), "{}", answer.body);
    }
    let json = ask(&admin, "GET", "/startupz", &["accept: application/json"]).await;
    assert!(json.body.starts_with("{\"status\":\"NOT_STARTED\",\"missing\":[{\"code\":\"STARTING\""), "{}", json.body);
    site.redis.run();
    until(&admin, "/startupz", |answer| answer.status == 200).await;
    until(&admin, "/readyz", |answer| answer.body == "READY\n").await;
}

#[tokio::test]
async fn while_the_ledger_is_opened_the_port_answers_already() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let ledger = format!("redis://{}", mute.local_addr().unwrap());
    let listeners = Listeners::from(listener().await).with_admin(listener().await);
    let admin = listeners.admin_address().unwrap().to_string();
    let starting = Tasks::new().spawn(App::start_with(waiting_for(&mute), Arc::new(SystemClock), listeners));
    let answers = probes(&admin).await;
    assert_eq!(statuses(&answers), [200, 503, 503], "{answers:?}");
    assert!(answers[1].body.contains("missing: OPENING_LEDGER: "), "{}", answers[1].body);
    assert!(answers[1].body.contains(&format!("the ledger at {ledger} is being opened")), "{}", answers[1].body);
    let page = get(&admin, "/").await;
    assert!(page.status == 200 && page.body.contains("Le service démarre"), "{page:?}");
    assert_eq!((page.header("cache-control"), page.header("etag")), ("no-store", ""), "the console takes its place");
    let told: serde_json::Value = serde_json::from_str(&get(&admin, "/console/start").await.body).unwrap();
    assert_eq!((&told["is_open"], &told["missing"][0]["code"]), (&false.into(), &"OPENING_LEDGER".into()));
    let scraped = get(&admin, "/metrics").await.body;
    for told in ["sas_ready 0", "sas_build_info{", "process_memory_usage_bytes ", "process_uptime_seconds "] {
        assert!(scraped.lines().any(|line| line.starts_with(told)), "{told}: {scraped}");
    }
    assert!(!starting.is_finished());
    let app = starting.await.unwrap().unwrap();
    let page = get(&admin, "/").await;
    assert!(page.status == 200 && page.body.contains("id=\"tension\""), "{page:?}");
    let told = get(&admin, "/console/start").await.body;
    assert!(told.starts_with("{\"is_open\":true"), "{told}");
    let waits = get(&admin, "/readyz").await;
    assert!(waits.status == 503 && waits.body.contains("missing: STARTING: "), "{}", waits.body);
    app.run_until(std::future::ready(())).await;
    assert!(tokio::net::TcpStream::connect(&admin).await.is_err(), "the port closes with the service");
}

/// What health tells of a service, whenever that changes.
async fn watched(instance: &Instance, service: &str) -> tonic::Streaming<tonic_health::pb::HealthCheckResponse> {
    let address = instance.process.address().parse().unwrap();
    let request = HealthCheckRequest { service: service.to_owned() };
    HealthClient::new(connect(address).await).watch(request).await.unwrap().into_inner()
}

async fn next(health: &mut tonic::Streaming<tonic_health::pb::HealthCheckResponse>) -> i32 {
    let waiting = tokio::time::timeout(std::time::Duration::from_secs(60), health.message());
    waiting.await.expect("health says nothing").unwrap().unwrap().status
}

#[tokio::test]
async fn while_writes_are_refused_an_instance_stays_ready_and_only_what_writes_stops_serving() {
    let mut site = Site::start_on(Server::start(), 1, &WITH_ADMIN).await;
    let admin = site.instances[0].process.admin_address().to_owned();
    let (mut routing, mut booking) =
        (watched(&site.instances[0], ROUTING).await, watched(&site.instances[0], BOOKING).await);
    assert_eq!((next(&mut routing).await, next(&mut booking).await), (SERVING, SERVING));
    site.redis.kill();
    assert_eq!(next(&mut booking).await, NOT_SERVING);
    let degraded = until(&admin, "/readyz", |answer| answer.body.contains("WRITES_REFUSED")).await;
    assert_eq!(degraded.status, 200, "care is found without writes");
    assert!(degraded.body.starts_with("READY\ndegraded: WRITES_REFUSED: writes are refused"), "{}", degraded.body);
    let [live, _, started] = probes(&admin).await;
    assert_eq!((live.status, started.status), (200, 200), "a restart cures no Redis");
    assert_eq!(site.instances[0].health(ROUTING).await, SERVING);
    site.redis.run();
    assert_eq!(next(&mut booking).await, SERVING);
    until(&admin, "/readyz", |answer| answer.body == "READY\n").await;
    site.instances[0].process.signal("-TERM");
    assert_eq!(next(&mut routing).await, NOT_SERVING, "what reads served all along, and nothing was told of it before");
}

#[tokio::test]
async fn while_the_ledgers_clock_is_ahead_an_instance_stays_ready_and_only_bookings_stop_serving() {
    let town = InProcess::start_with(|config| config.admin.listen = "127.0.0.1:0".parse().ok()).await;
    let admin = town.admin.unwrap().to_string();
    town.clock.advance_ms(3_600_000);
    settle(&town).await;
    town.clock.advance_ms(-3_600_000);
    let degraded = until(&admin, "/readyz", |answer| answer.body != "READY\n").await;
    assert_eq!(degraded.status, 200);
    assert!(degraded.body.starts_with("READY\ndegraded: LEDGER_CLOCK_AHEAD: "), "{}", degraded.body);
    let mut health = HealthClient::new(town.channel.clone());
    let mut serving = async |service: &str| {
        let request = HealthCheckRequest { service: service.to_owned() };
        health.check(request).await.unwrap().into_inner().status
    };
    let told = async { while serving(BOOKING).await != NOT_SERVING {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), told).await.expect("health never said so");
    for service in ["", ROUTING, "sas.routing.v1.PublishingService"] {
        assert_eq!(serving(service).await, SERVING, "{service}");
    }
}

#[tokio::test]
async fn an_instance_that_ends_is_not_ready_at_once_and_serves_until_others_have_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program_command();
    command.env("SAS_ROUTER_SERVER__DRAIN_DELAY_SECONDS", "600");
    let server = ServerProcess::try_start_by(command, &in_folder(folder.path()), "127.0.0.1:0");
    let server = server.unwrap_or_else(|ended| panic!("{}", ended.stderr));
    let (admin, address) = (server.admin_address().to_owned(), server.address().parse().unwrap());
    let mut health = HealthClient::new(connect(address).await);
    server.signal("-TERM");
    let drains = until(&admin, "/readyz", |answer| answer.status != 200).await;
    assert!(drains.status == 503 && drains.body.starts_with("NOT_READY\nmissing: DRAINING: "), "{}", drains.body);
    let [live, _, started] = probes(&admin).await;
    assert_eq!((live.status, started.status), (200, 200), "it ends by itself: nobody needs to kill it");
    let newcomer = connect(address).await;
    find(newcomer).await.expect("a caller who has not heard of it yet is answered");
    for service in ["", ROUTING, BOOKING] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let told = async { while health.check(request.clone()).await.unwrap().into_inner().status != NOT_SERVING {} };
        tokio::time::timeout(std::time::Duration::from_secs(60), told).await.expect("health never said so");
    }
}

#[tokio::test]
async fn the_port_answers_until_the_last_call_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program_command();
    command.env("SAS_ROUTER_SERVER__DRAIN_DELAY_SECONDS", "1");
    let server = ServerProcess::try_start_by(command, &in_folder(folder.path()), "127.0.0.1:0");
    let server = server.unwrap_or_else(|ended| panic!("{}", ended.stderr));
    let admin = server.admin_address().to_owned();
    let ending = tokio::task::spawn_blocking(move || server.terminate());
    until(&admin, "/readyz", |answer| answer.status == 503).await;
    let ended = ending.await.unwrap();
    assert!(ended.status.success(), "{}", ended.stderr);
    let (closed, stopped) = (ended.stderr.find("ledger closed"), ended.stderr.find("stopped"));
    assert!(closed.is_some() && closed < stopped, "{}", ended.stderr);
    assert!(tokio::net::TcpStream::connect(&admin).await.is_err());
}

#[test]
fn an_admin_port_that_cannot_be_had_ends_the_start_before_anything_else() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let table = [
        (
            taken.to_string(),
            1,
            "is in use by another process: stop it, or listen elsewhere (admin.listen, --admin-listen)",
        ),
        ("192.0.2.1:7411".to_owned(), 2, "choose another address (admin.listen, --admin-listen)"),
        ("localhost:7411".to_owned(), 2, "admin.listen = \"localhost:7411\" (flag): give an IP address and a port"),
    ];
    for (address, code, said) in table {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let flags = ["--data-dir".into(), state.clone().into(), "--admin-listen".into(), address.into()];
        let Err(ended) = ServerProcess::try_start_on(&flags, "127.0.0.1:0") else { panic!("it started") };
        assert_eq!(ended.status.code(), Some(code), "{}", ended.stderr);
        let told = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(said), "{told}");
        assert!(!state.exists(), "nothing was opened");
    }
}

#[tokio::test]
async fn a_redis_that_will_never_do_ends_the_start_and_the_port() {
    let old = FakeRedis::start(|words| match words[0].to_uppercase().as_str() {
        "INFO" => crate::harness::fake_redis::bulk("# Server\r\nredis_version:6.2.14\r\nrole:master\r\n"),
        _ => "+OK\r\n".to_owned(),
    });
    let flags = ["--ledger".into(), old.url().into(), WITH_ADMIN[0].into(), WITH_ADMIN[1].into()];
    let Err(ended) = ServerProcess::try_start_on(&flags, "127.0.0.1:0") else { panic!("it started") };
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("this version needs Redis 7.0"), "{}", ended.stderr);
}

#[test]
fn a_command_that_is_given_the_admin_port_says_which_port_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let url = format!("http://{}", server.admin_address());
    let said = program_command().args(["status", "--server", &url]).output().unwrap();
    assert_eq!(said.status.code(), Some(4));
    let said = String::from_utf8_lossy(&said.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("does not speak gRPC") && said.contains("admin port"), "{said}");
}
