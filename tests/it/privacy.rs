//! Nothing of a patient, and nothing that names one, is in what the service tells of itself: logs, metrics, traces, probes, the console
//! and the board.
//!
//! One real process is asked, told wrong things and refused things, with marks in every field that is a patient's or a caller's;
//! whatever it then says anywhere is read. Deliberately absent: what callers are answered about their own questions.

use std::collections::BTreeMap;
use std::ffi::OsString;

use sas_router::clock::{Clock as _, SystemClock};
use sas_router::proto::routing as pb;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::transport::Channel;

use crate::harness::collector_stub::{CollectorStub, Manner};
use crate::harness::http::{ask, get, send};
use crate::harness::in_process::{Bookings, Operations, Publishing, Routing, connect};
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::world::{SOURCE, TERRITORY, batch, hold, practitioner, query, refusal, settle_over, slot};

const CASE: &str = "fr.health.samu690.marked-7761";
const REGULATOR: &str = "marked-regulator-5512";
const LATITUDE: f64 = 45.697_531;
const LONGITUDE: f64 = 4.886_642;
/// What must be nowhere: parts of the marks, and as many digits of the position as tell a street.
const SECRETS: [&str; 8] = ["marked-", "samu690", "45.697", "45,697", "4.8866", "4,8866", "P83Y", "DUPONT"];

/// What a signal says, by its name.
type Signals = BTreeMap<String, Vec<u8>>;

fn question() -> pb::CareQuery {
    let position = Some(pb::GeoPoint { latitude: LATITUDE, longitude: LONGITUDE });
    pb::CareQuery { position, case_id: CASE.into(), age: "P83Y".into(), ..query() }
}

/// A slot that begins in an hour, by this machine's clock.
fn soon(id: &str, schedule: u32) -> pb::SlotInput {
    let at = |minutes: i64| {
        let seconds = SystemClock.now().ms() / 1_000 + minutes * 60;
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    };
    pb::SlotInput { window: Some(pb::Window { start_at: at(60), end_at: at(75) }), ..slot(id, schedule, 0) }
}

fn of_case(request_id: &str, slot_id: &str) -> pb::HoldSlotRequest {
    pb::HoldSlotRequest {
        case_id: CASE.into(),
        query: Some(question()),
        regulator_id: REGULATOR.into(),
        ..hold(request_id, slot_id)
    }
}

/// A morning on the line: what is answered, booked and recorded, and as much that is refused.
async fn morning(channel: &Channel) {
    settle_over(channel).await;
    let rows = vec![soon("a", 1), soon("b", 2)];
    let published = Publishing::new(channel.clone()).publish_slots(tokio_stream::once(batch("b1", 1, rows))).await;
    assert!(published.unwrap().into_inner().message().await.unwrap().is_some());
    let (mut routing, mut bookings) = (Routing::new(channel.clone()), Bookings::new(channel.clone()));
    let found = routing.find_care(pb::FindCareRequest { query: Some(question()) }).await.unwrap().into_inner();
    assert!(!found.options.is_empty(), "{found:?}");
    let wrong_position = Some(pb::GeoPoint { latitude: 145.697_531, longitude: LONGITUDE });
    for wrong in [
        pb::CareQuery { age: "marked-DUPONT".into(), ..question() },
        pb::CareQuery { motive: "marked-DUPONT".into(), ..question() },
        pb::CareQuery { position: wrong_position, ..question() },
    ] {
        routing.find_care(pb::FindCareRequest { query: Some(wrong) }).await.unwrap_err();
    }
    let watched = pb::WatchCareRequest { query: Some(question()), ..pb::WatchCareRequest::default() };
    let mut watch = routing.watch_care(watched).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    let held = bookings.hold_slot(of_case("marked-h1", "a")).await.unwrap().into_inner().hold.unwrap();
    bookings.hold_slot(hold("h2", "a")).await.unwrap_err();
    bookings.hold_slot(of_case("marked-h3", "marked-nowhere")).await.unwrap_err();
    let confirm = |hold_id: String| pb::ConfirmHoldRequest { request_id: "marked-c1".into(), hold_id };
    let booking = bookings.confirm_hold(confirm(held.hold_id)).await.unwrap().into_inner().booking.unwrap();
    bookings.confirm_hold(confirm("marked-none".into())).await.unwrap_err();
    bookings.hold_slot(of_case("marked-h4", "b")).await.expect_err("the case has a booking");
    bookings.record_refusal(refusal("marked-r1", CASE, "b", pb::RefusalReason::NoAppointment)).await.unwrap();
    let orientation = pb::Orientation {
        case_id: CASE.into(),
        outcome: pb::CareOutcome::Appointment.into(),
        booking_id: booking.booking_id,
        territory_id: TERRITORY.into(),
        ..pb::Orientation::default()
    };
    let record = pb::RecordOrientationRequest { request_id: "marked-o1".into(), orientation: Some(orientation) };
    let mut orientations = pb::orientation_service_client::OrientationServiceClient::new(channel.clone());
    orientations.record_orientation(record).await.unwrap();
}

/// What the page of operations is told, while it is open and when it asks.
async fn console(admin: &str, signals: &mut Signals) {
    let trial = json!({ "position": { "latitude": LATITUDE, "longitude": LONGITUDE }, "age": "P83Y" }).to_string();
    for (body, status) in [(trial.as_str(), 200), (&trial[..40], 400)] {
        let head = format!("content-type: application/json\r\ncontent-length: {}", body.len());
        let request =
            format!("POST /console/try HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n{head}\r\n\r\n{body}");
        assert_eq!(send(admin, &request).await.status, status);
    }
    for path in ["/console/tension", "/console/sources", "/console/codes", "/console/start", "/metrics", "/nowhere"] {
        signals.insert(path.to_owned(), get(admin, path).await.body.into_bytes());
    }
    for path in ["/livez", "/readyz", "/startupz"] {
        let told = ask(admin, "GET", path, &["accept: application/json"]).await;
        signals.insert(path.to_owned(), told.body.into_bytes());
    }
    for (path, end) in [("/console/places", None), ("/console/events", Some("event: board"))] {
        let mut stream = TcpStream::connect(admin).await.unwrap();
        let close = if end.is_none() { "connection: close\r\n" } else { "" };
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\n{close}\r\n").as_bytes()).await.unwrap();
        let mut told = Vec::new();
        let has_come = |told: &[u8]| end.is_some_and(|end| String::from_utf8_lossy(told).matches(end).count() > 2);
        while !has_come(&told) && stream.read_buf(&mut told).await.unwrap() > 0 {}
        signals.insert(path.to_owned(), told);
    }
}

/// What is told to whoever asks for the state by gRPC.
async fn operations(channel: &Channel, signals: &mut Signals) {
    let mut operations = Operations::new(channel.clone());
    let board = operations.get_board(pb::GetBoardRequest::default()).await.unwrap().into_inner();
    signals.insert("GetBoard".to_owned(), format!("{board:?}").into_bytes());
    let status = operations.get_status(pb::GetStatusRequest::default()).await.unwrap().into_inner();
    signals.insert("GetStatus".to_owned(), format!("{status:?}").into_bytes());
}

fn contains(told: &[u8], part: &[u8]) -> bool {
    told.windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_signal_tells_anything_of_a_patient() {
    let collector = CollectorStub::start(Manner::Takes).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = program_command();
    command.env("SAS_ROUTER_LOGGING__LEVEL", "trace");
    command.env("SAS_ROUTER_TELEMETRY__OTLP_ENDPOINT", collector.endpoint());
    command.env("SAS_ROUTER_TELEMETRY__TRACES_RATIO", "1");
    // Nobody is there, so that what could not be asked is logged.
    command.env("SAS_ROUTER_ROAD_TIMES__URL", "http://127.0.0.1:9");
    let flags: [OsString; 4] =
        ["--data-dir".into(), folder.path().into(), "--admin-listen".into(), "127.0.0.1:0".into()];
    let server =
        ServerProcess::try_start_by(command, &flags, "127.0.0.1:0").unwrap_or_else(|ended| panic!("{ended:?}"));
    let channel = connect(server.address().parse().unwrap()).await;
    let mut signals = Signals::new();
    morning(&channel).await;
    console(server.admin_address(), &mut signals).await;
    operations(&channel, &mut signals).await;
    drop(channel);
    let ended = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
    // Without when each line was written: seconds and their parts may look like a latitude.
    let log = ended.stderr.lines().map(|line| line.split_once("Z ").map_or(line, |(_, told)| told));
    signals.insert("logs".to_owned(), log.collect::<Vec<_>>().join("\n").into_bytes());
    signals.insert("traces".to_owned(), collector.traces_as_text().into_bytes());
    signals.insert("exported metrics".to_owned(), collector.metrics_as_text().into_bytes());

    // That the right texts are read.
    let name = practitioner().family_name;
    for (signal, part) in [
        ("logs", "a call was refused"),
        ("logs", "a road table could not be had"),
        ("logs", "TRACE "),
        ("traces", "RoutingService/FindCare"),
        ("traces", "road.table"),
        ("exported metrics", SOURCE),
        ("/metrics", "sas_find_answers_total{"),
        ("/console/tension", "CPTS de Vénissieux"),
        ("/console/sources", SOURCE),
        ("/console/events", "\"activity\""),
        ("/console/places", "CPTS de Vénissieux"),
        ("GetBoard", "CPTS de Vénissieux"),
        ("GetStatus", "conditions"),
        ("/readyz", "READY"),
    ] {
        let told = &signals[signal];
        assert!(contains(told, part.as_bytes()), "{signal} lacks {part}: {}", String::from_utf8_lossy(told));
    }
    for (signal, told) in &signals {
        for secret in SECRETS.into_iter().chain([name.as_str()]) {
            let lines = String::from_utf8_lossy(told).into_owned();
            let found: Vec<_> = lines.lines().filter(|line| line.contains(secret)).collect();
            assert!(found.is_empty(), "{signal} tells `{secret}`: {found:#?}");
        }
        // As the map packs positions.
        for packed in [4_569_753_i32, 488_664] {
            assert!(!contains(told, &packed.to_le_bytes()), "{signal} tells where the patient is");
        }
    }
    assert!(contains(&signals["/console/places"], &4_570_100_i32.to_le_bytes()), "where care is given is told so");
}
