//! Road tables by themselves: what servers are asked, what of their answers is used, and what is made of those that fail.

use std::sync::Arc;
use std::time::Duration;

use sas_router::domain::geo::GeoPoint;
use sas_router::domain::road::{Heading, Journey, RoadDoubt, RoadProfile, RoadTime, RoadTimes};
use sas_router::domain::time::UtcInstant;
use sas_router::road::{EngineKind, RoadOptions, Roads};

use crate::harness::in_process::now;
use crate::harness::road_stub::{Reply, RoadStub, closed_port, options, osrm};

/// Two places some kilometres north of the patient.
const PLACES: [f64; 2] = [45.72, 45.74];

fn home() -> GeoPoint {
    GeoPoint::new(45.69754, 4.88671).unwrap()
}

fn journeys(profile: RoadProfile, heading: Heading) -> Vec<Journey> {
    let journey = |latitude| Journey { place: GeoPoint::new(latitude, 4.88).unwrap(), profile, heading };
    PLACES.map(journey).to_vec()
}

fn by_car() -> Vec<Journey> {
    journeys(RoadProfile::Car, Heading::FromPatient)
}

fn roads(options: RoadOptions) -> Arc<Roads> {
    Roads::new(options).unwrap()
}

/// The seconds that are known, in order of the journeys.
fn seconds(times: &RoadTimes, journeys: &[Journey]) -> Vec<Option<u32>> {
    journeys.iter().map(|journey| times.of(journey).map(|time| time.seconds)).collect()
}

fn http(status: u16, body: &str) -> impl Fn(&crate::harness::road_stub::Asked) -> Reply + use<> {
    let body = body.to_owned();
    move |_| Reply::Http(status, body.clone())
}

#[tokio::test]
async fn osrm_is_asked_for_a_row_from_the_corner_of_the_grid() {
    let stub = RoadStub::start(osrm(|latitude| Some(if latitude < 45.73 { 600.4 } else { 900.0 }))).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    let times = roads.times(home(), &by_car(), now()).await;
    assert_eq!((seconds(&times, &by_car()), times.doubt), (vec![Some(601), Some(900)], None));
    assert_eq!(
        stub.asked()[0].line,
        "GET /table/v1/driving/4.887000,45.698000;4.880000,45.720000;4.880000,45.740000\
         ?sources=0&destinations=1;2&annotations=duration&generate_hints=false"
    );
}

#[tokio::test]
async fn osrm_is_asked_for_a_column_to_the_patient() {
    let stub = RoadStub::start(osrm(|latitude| Some(if latitude < 45.73 { 600.0 } else { 900.0 }))).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    let back = journeys(RoadProfile::Car, Heading::ToPatient);
    let times = roads.times(home(), &back, now()).await;
    assert_eq!(seconds(&times, &back), [Some(600), Some(900)]);
    assert!(stub.asked()[0].line.contains("?sources=1;2&destinations=0&"), "{:?}", stub.asked());
    assert_eq!(seconds(&times, &by_car()), [None, None], "the other way is another time");
}

#[tokio::test]
async fn valhalla_is_asked_for_both_profiles_and_headings() {
    let row = r#"{"sources_to_targets":[[{"distance":3.1,"time":600,"to_index":0,"from_index":0},
        {"distance":null,"time":null,"to_index":1,"from_index":0}]],"units":"kilometers"}"#;
    let column = r#"{"sources_to_targets":[[{"distance":3.1,"time":2000}],[{"distance":5.0,"time":4000}]]}"#;
    let stub = RoadStub::start(http(200, row)).await;
    let roads = roads(options(EngineKind::Valhalla, stub.port));
    let times = roads.times(home(), &by_car(), now()).await;
    assert_eq!((seconds(&times, &by_car()), times.doubt), (vec![Some(600), None], Some(RoadDoubt::NoRoad)));
    stub.answers(http(200, column));
    let back = journeys(RoadProfile::Walking, Heading::ToPatient);
    assert_eq!(seconds(&roads.times(home(), &back, now()).await, &back), [Some(2_000), Some(4_000)]);
    let asked = stub.asked();
    assert_eq!(asked[0].line, "POST /sources_to_targets");
    assert_eq!(
        asked[0].body,
        r#"{"sources":[{"lat":45.698,"lon":4.887}],"targets":[{"lat":45.72,"lon":4.88},{"lat":45.74,"lon":4.88}],"costing":"auto","units":"kilometers","verbose":true}"#
    );
    assert!(asked[1].body.starts_with(r#"{"sources":[{"lat":45.72,"#) && asked[1].body.contains("pedestrian"));
}

#[tokio::test]
async fn both_headings_are_asked_at_once_and_again_on_the_same_connections() {
    let stub = RoadStub::start(osrm(|_| Some(600.0))).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    let both = [by_car(), journeys(RoadProfile::Car, Heading::ToPatient)].concat();
    for minutes in 0..5 {
        let times = roads.times(home(), &both, now().plus_minutes(minutes * 15)).await;
        assert_eq!(seconds(&times, &both), [Some(600); 4]);
    }
    assert_eq!((stub.asked().len(), stub.connections()), (10, 2));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_anew() {
    let stub = RoadStub::start(|_| {
        let body = r#"{"code":"Ok","durations":[[600,900]]}"#;
        Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
    })
    .await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    for minutes in 0..3 {
        let times = roads.times(home(), &by_car(), now().plus_minutes(minutes * 15)).await;
        assert_eq!(seconds(&times, &by_car()), [Some(600), Some(900)]);
    }
    assert_eq!(roads.health(now()).failed_count, 0);
}

#[tokio::test]
async fn what_is_known_is_not_asked_again_until_it_is_old() {
    let stub = RoadStub::start(osrm(|latitude| (latitude < 45.73).then_some(600.0))).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    assert_eq!(roads.known(home(), &by_car(), now()), RoadTimes::default());
    roads.times(home(), &by_car(), now()).await;
    let later = now().plus_seconds(61);
    let times = roads.times(home(), &by_car(), later).await;
    assert_eq!(times.of(&by_car()[0]), Some(RoadTime { seconds: 600, age_seconds: 61 }));
    assert_eq!(times.doubt, Some(RoadDoubt::NoRoad), "that there is no road is known too");
    assert_eq!(roads.known(home(), &by_car(), later), times);
    assert_eq!(stub.asked().len(), 1);
    roads.times(home(), &by_car(), now().plus_minutes(15)).await;
    assert_eq!(stub.asked().len(), 2);
}

/// Asks once and tells why nothing is known.
async fn doubt(
    engine: EngineKind,
    reply: impl Fn(&crate::harness::road_stub::Asked) -> Reply + Send + Sync + 'static,
) -> RoadDoubt {
    let stub = RoadStub::start(reply).await;
    let roads = roads(options(engine, stub.port));
    let times = roads.times(home(), &by_car(), now()).await;
    assert_eq!(times.known, [], "of a wrong answer nothing is used");
    assert_eq!(roads.known(home(), &by_car(), now()).known, [], "nor kept");
    times.doubt.unwrap()
}

#[tokio::test]
async fn an_answer_that_cannot_be_true_is_not_used_at_all() {
    let durations = |rows: &str| format!(r#"{{"code":"Ok","durations":{rows}}}"#);
    let osrm = [
        durations("[[600]]"),
        durations("[[600,900,1200]]"),
        durations("[[600,900],[1,2]]"),
        durations("[[600],[900],[900]]"),
        durations("[]"),
        durations("[[600,-1]]"),
        durations("[[600,NaN]]"),
        durations("[[600,1e999]]"),
        durations(r#"[[600,"900"]]"#),
        // As minutes, and as milliseconds.
        durations("[[600,15]]"),
        durations("[[600,900000]]"),
        r#"{"durations":[[600,900]]}"#.to_owned(),
        r#"{"code":"TooBig"}"#.to_owned(),
        "<html>".to_owned(),
        String::new(),
        "[".repeat(100_000),
    ];
    for body in osrm {
        let shown: String = body.chars().take(60).collect();
        assert_eq!(doubt(EngineKind::Osrm, http(200, &body)).await, RoadDoubt::Wrong, "{shown}");
    }
    for body in
        ["{}", r#"{"sources_to_targets":[[{"time":600}]]}"#, r#"{"sources_to_targets":[[{"time":600},{"time":-9}]]}"#]
    {
        assert_eq!(doubt(EngineKind::Valhalla, http(200, body)).await, RoadDoubt::Wrong, "{body}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_left() {
    let huge = format!(r#"{{"code":"Ok","message":"{}"}}"#, "x".repeat(300_000));
    assert_eq!(doubt(EngineKind::Osrm, http(200, &huge)).await, RoadDoubt::Wrong);
    let chunked = |_: &_| {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000)).repeat(20);
        Reply::Raw(format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}").into_bytes())
    };
    assert_eq!(doubt(EngineKind::Osrm, chunked).await, RoadDoubt::Wrong);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_told_by_how() {
    for status in [301, 302, 307, 308, 400, 401, 403, 404, 429, 500, 503] {
        let body = r#"{"code":"InvalidUrl","error_code":106}"#;
        assert_eq!(doubt(EngineKind::Osrm, http(status, body)).await, RoadDoubt::Refused, "{status}");
        assert_eq!(doubt(EngineKind::Valhalla, http(status, body)).await, RoadDoubt::Refused, "{status}");
    }
    assert_eq!(doubt(EngineKind::Osrm, |_| Reply::HangUp).await, RoadDoubt::Unreachable);
    assert_eq!(doubt(EngineKind::Osrm, |_| Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await, RoadDoubt::Wrong);
    let absent = roads(options(EngineKind::Osrm, closed_port().await));
    assert_eq!(absent.times(home(), &by_car(), now()).await.doubt, Some(RoadDoubt::Unreachable));
}

#[tokio::test]
async fn where_no_road_is_near_the_server_is_not_to_blame() {
    let far = r#"{"code":"Ok","durations":[[600,900]],"sources":[{"distance":12.0}],
        "destinations":[{"distance":3.5},{"distance":4000.0}]}"#;
    let stub = RoadStub::start(http(200, far)).await;
    let osrm = roads(options(EngineKind::Osrm, stub.port));
    let times = osrm.times(home(), &by_car(), now()).await;
    assert_eq!((seconds(&times, &by_car()), times.doubt), (vec![Some(600), None], Some(RoadDoubt::NoRoad)));
    assert_eq!(doubt(EngineKind::Osrm, http(400, r#"{"code":"NoSegment"}"#)).await, RoadDoubt::NoRoad);
    let failure = r#"{"error_code":171,"error":"No suitable edges near location","status_code":400}"#;
    assert_eq!(doubt(EngineKind::Valhalla, http(400, failure)).await, RoadDoubt::NoRoad);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_left_at_the_deadline() {
    let stub = RoadStub::start(|_| Reply::Silence).await;
    let slow = roads(RoadOptions { deadline: Duration::from_millis(150), ..options(EngineKind::Osrm, stub.port) });
    let before = tokio::time::Instant::now();
    let both = [by_car(), journeys(RoadProfile::Car, Heading::ToPatient)].concat();
    assert_eq!(slow.times(home(), &both, now()).await.doubt, Some(RoadDoubt::Late));
    let waited = before.elapsed();
    assert!((150..160).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn no_more_tables_than_the_bound_are_under_way() {
    let stub = RoadStub::start(|_| Reply::Silence).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    let far_apart = |number: u32| GeoPoint::new(45.0 + f64::from(number) / 10.0, 4.88).unwrap();
    let ask = |number| {
        let roads = Arc::clone(&roads);
        async move { roads.times(far_apart(number), &by_car(), now()).await }
    };
    let waiting: Vec<_> = (0..32).map(|number| sas_router::tasks::Tasks::new().spawn(ask(number))).collect();
    let is_full = async {
        while stub.asked().len() < 32 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), is_full).await.unwrap();
    assert_eq!(ask(32).await.doubt, Some(RoadDoubt::Busy), "and at once");
    assert_eq!(roads.health(now()).skipped_count, 1);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for one in waiting {
        assert!(one.await.unwrap_err().is_cancelled());
    }
    stub.answers(osrm(|_| Some(6_000.0)));
    assert_eq!(ask(32).await.doubt, None, "a caller that left makes room");
}

#[tokio::test]
async fn a_server_that_fails_is_left_alone_and_tried_again() {
    let stub = RoadStub::start(http(500, "")).await;
    let roads = roads(options(EngineKind::Osrm, stub.port));
    let doubt = async |at: UtcInstant| roads.times(home(), &by_car(), at).await.doubt;
    for _ in 0..3 {
        assert_eq!(doubt(now()).await, Some(RoadDoubt::Refused));
    }
    assert_eq!((doubt(now()).await, stub.asked().len()), (Some(RoadDoubt::Paused), 3));
    let health = roads.health(now());
    assert_eq!((health.asked_count, health.failed_count, health.skipped_count), (3, 3, 1));
    assert_eq!((health.last_failure, health.paused_until), (Some(RoadDoubt::Refused), Some(now().plus_seconds(10))));
    let later = now().plus_seconds(10);
    assert_eq!(doubt(later).await, Some(RoadDoubt::Refused), "one is tried");
    assert_eq!((doubt(later).await, stub.asked().len()), (Some(RoadDoubt::Paused), 4));
    stub.answers(osrm(|_| Some(600.0)));
    let healed = later.plus_seconds(10);
    assert_eq!(doubt(healed).await, None);
    assert_eq!((roads.health(healed).last_failure, roads.health(healed).is_failing), (None, false));
}

#[tokio::test]
async fn walking_is_not_asked_of_data_for_cars() {
    let stub = RoadStub::start(osrm(|_| Some(2_000.0))).await;
    let on_foot = journeys(RoadProfile::Walking, Heading::FromPatient);
    let cars_only = roads(options(EngineKind::Osrm, stub.port));
    assert_eq!(cars_only.times(home(), &on_foot, now()).await, RoadTimes::default());
    assert_eq!(stub.asked(), []);
    let both = roads(RoadOptions { walking: Some(stub.base()), ..options(EngineKind::Osrm, stub.port) });
    assert_eq!(seconds(&both.times(home(), &on_foot, now()).await, &on_foot), [Some(2_000); 2]);
    assert!(stub.asked()[0].line.starts_with("GET /table/v1/foot/"));
    stub.answers(osrm(|_| Some(300.0)));
    let elsewhere = GeoPoint::new(45.6, 4.88).unwrap();
    let times = both.times(elsewhere, &on_foot, now()).await;
    assert_eq!(times.doubt, Some(RoadDoubt::Wrong), "nobody walks as fast as a car drives");
}
