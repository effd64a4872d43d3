//! Answers with road times, over gRPC: the last candidates by road, in the same order; and the estimate whenever they fail.

use std::time::Duration;

use parking_lot::Mutex;
use sas_router::proto::routing as pb;
use sas_router::road::{EngineKind, RoadOptions};

use crate::harness::in_process::InProcess;
use crate::harness::logged::Logged;
use crate::harness::road_stub::{Reply, RoadStub, closed_port, options, osrm};
use crate::harness::world::{batch, hold, minutes, publish, query, settle, slot};

/// Place 1 is a little nearer than place 2; this tells them apart.
const BETWEEN: f64 = 45.7015;

/// The settled town with these slots, which asks for road times.
async fn town_with(options: RoadOptions, slots: Vec<pb::SlotInput>) -> InProcess {
    let town = InProcess::start_with(|config| config.road_times.options = Some(options)).await;
    settle(&town).await;
    publish(&town, batch("b1", 1, slots)).await;
    town
}

async fn town(stub: &RoadStub, slots: Vec<pb::SlotInput>) -> InProcess {
    town_with(options(EngineKind::Osrm, stub.port), slots).await
}

/// An appointment at each place, in an hour.
fn in_an_hour() -> Vec<pb::SlotInput> {
    vec![slot("a", 1, 60), slot("b", 2, 60)]
}

async fn ask(town: &InProcess, query: pb::CareQuery) -> pb::FindCareResponse {
    let request = pb::FindCareRequest { query: Some(query) };
    town.routing().find_care(request).await.unwrap().into_inner()
}

async fn status(town: &InProcess) -> pb::GetStatusResponse {
    town.operations().get_status(pb::GetStatusRequest {}).await.unwrap().into_inner()
}

fn slots(answer: &pb::FindCareResponse) -> Vec<&str> {
    answer.options.iter().map(|option| option.slot_id.as_str()).collect()
}

/// Minutes, method and age of the travel of an option.
fn travel(answer: &pb::FindCareResponse, at: usize) -> (u32, pb::TravelMethod, Option<u32>) {
    let parts = answer.options[at].parts.as_ref().unwrap();
    (parts.travel_minutes, parts.travel_method(), parts.road_age_seconds)
}

fn reason(answer: &pb::FindCareResponse) -> &str {
    answer.road_times_doubt.as_ref().map_or("", |doubt| doubt.reason.as_str())
}

/// The way to place 1 takes longer than that to place 2.
fn first_is_far(latitude: f64) -> Option<f64> {
    Some(if latitude < BETWEEN { 1_500.0 } else { 120.0 })
}

#[tokio::test]
async fn the_road_alters_the_order_and_says_so() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let answer = ask(&town, query()).await;
    assert_eq!((slots(&answer), reason(&answer)), (vec!["b", "a"], ""));
    // The policy adds its minutes from door to door.
    let (minutes, method, age) = travel(&answer, 0);
    assert_eq!((method, age), (pb::TravelMethod::RoadTable, Some(0)));
    assert_eq!(travel(&answer, 1).0 - minutes, 23, "25 minutes less 2");
    assert!(answer.options[0].sentence.contains("min de trajet par la route"), "{}", answer.options[0].sentence);
    let costs: Vec<u32> = answer.options.iter().map(|option| option.parts.as_ref().unwrap().cost_seconds).collect();
    assert_eq!(costs[1] - costs[0], 1_380);
    assert_eq!(stub.asked().len(), 1, "one table for all candidates");
}

#[tokio::test]
async fn without_road_times_travel_is_estimated_and_nothing_said() {
    let town = InProcess::start().await;
    settle(&town).await;
    publish(&town, batch("b1", 1, in_an_hour())).await;
    let answer = ask(&town, query()).await;
    assert_eq!((slots(&answer), answer.road_times_doubt.is_none()), (vec!["a", "b"], true));
    assert_eq!(travel(&answer, 0).1, pb::TravelMethod::StraightLineEstimate);
    assert_eq!(status(&town).await.road_times, None);
}

#[tokio::test]
async fn what_is_known_tells_its_age_until_it_is_asked_anew() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    ask(&town, query()).await;
    town.clock.advance_seconds(90);
    let answer = ask(&town, query()).await;
    assert_eq!((slots(&answer), travel(&answer, 0).2), (vec!["b", "a"], Some(90)));
    assert_eq!(stub.asked().len(), 1);
    town.clock.advance_seconds(15 * 60);
    assert_eq!(travel(&ask(&town, query()).await, 0).2, Some(0));
    assert_eq!(stub.asked().len(), 2);
    let roads = status(&town).await.road_times.unwrap();
    assert_eq!((roads.engine.as_str(), roads.asked_count, roads.failed_count, roads.known_count), ("osrm", 2, 0, 2));
}

#[tokio::test]
async fn what_cannot_be_reached_in_time_by_road_is_a_near_miss() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, vec![slot("a", 1, 20), slot("b", 2, 60)]).await;
    let answer = ask(&town, query()).await;
    assert_eq!(slots(&answer), ["b"]);
    let miss = &answer.near_misses[0];
    assert_eq!((miss.option.as_ref().unwrap().slot_id.as_str(), miss.rule()), ("a", pb::Rule::Arrival));
    assert!(miss.excess > 5 && miss.sentence.ends_with("min trop tard par la route."), "{miss:?}");
    assert_eq!(miss.option.as_ref().unwrap().parts.as_ref().unwrap().travel_method(), pb::TravelMethod::RoadTable);
}

#[tokio::test]
async fn a_walk_in_that_is_too_far_by_road_is_held_by_a_physician_only() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let window = Some(pb::Window { start_at: minutes(-60), end_at: minutes(300) });
    let open = |id, schedule| pb::SlotInput { window, appointment_type: "WALKIN".into(), ..slot(id, schedule, 0) };
    let town = town(&stub, vec![open("a", 1), open("b", 2)]).await;
    let soon = pb::CareQuery { needed_within_minutes: Some(20), ..query() };
    assert_eq!(slots(&ask(&town, soon.clone()).await), ["b"]);
    let request = |id: &str| pb::HoldSlotRequest { query: Some(soon.clone()), ..hold(id, id) };
    let status = town.bookings().hold_slot(request("a")).await.unwrap_err();
    assert_eq!(crate::harness::details::reason(&status), "BEYOND_DELAY");
    town.bookings().hold_slot(request("b")).await.unwrap();
}

#[tokio::test]
async fn what_is_in_reach_by_road_only_becomes_an_option() {
    // Some 10 km by the straight line, and a motorway.
    let stub = RoadStub::start(osrm(|_| Some(400.0))).await;
    let town = town(&stub, vec![]).await;
    let far = pb::Place {
        place_id: "far".into(),
        position: Some(pb::GeoPoint { latitude: 45.6975 + 0.075, longitude: 4.8867 }),
        ..crate::harness::world::place(3)
    };
    let request = pb::UpsertPlaceRequest { request_id: "far".into(), place: Some(far) };
    town.directory().upsert_place(request).await.unwrap();
    let schedule = pb::Schedule { place_id: "far".into(), ..crate::harness::world::schedule(3) };
    let request = pb::UpsertScheduleRequest { request_id: "s3".into(), schedule: Some(schedule) };
    town.directory().upsert_schedule(request).await.unwrap();
    publish(&town, batch("b2", 1, vec![slot("soon", 3, 22)])).await;
    let query = pb::CareQuery { radius_m: Some(20_000), ..query() };
    let answer = ask(&town, query.clone()).await;
    assert_eq!((slots(&answer), answer.near_misses.len()), (vec!["soon"], 0));
    stub.answers(|_| Reply::HangUp);
    // Of a clock that was set back nothing is known.
    town.clock.advance_ms(-1_000);
    let answer = ask(&town, query).await;
    assert_eq!((slots(&answer).len(), answer.near_misses[0].rule()), (0, pb::Rule::Arrival));
}

#[tokio::test]
async fn a_candidate_beyond_the_limit_comes_in_by_road() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let answer = ask(&town, pb::CareQuery { limit: Some(1), ..query() }).await;
    assert_eq!(slots(&answer), ["b"]);
}

#[tokio::test]
async fn a_place_without_a_road_keeps_its_estimate() {
    let stub = RoadStub::start(osrm(|latitude| (latitude < BETWEEN).then_some(1_500.0))).await;
    let town = town(&stub, in_an_hour()).await;
    let answer = ask(&town, query()).await;
    assert_eq!((slots(&answer), reason(&answer)), (vec!["b", "a"], "ROAD_TIMES_NO_ROAD"));
    assert_eq!(travel(&answer, 0).1, pb::TravelMethod::StraightLineEstimate);
    assert_eq!(travel(&answer, 1).1, pb::TravelMethod::RoadTable);
    assert!(!answer.road_times_doubt.unwrap().sentence.is_empty());
}

#[tokio::test]
async fn who_does_not_travel_by_road_is_not_asked_about() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let remote = pb::SlotInput { modalities: vec!["VR".into()], ..slot("a", 1, 60) };
    let town = town(&stub, vec![remote, slot("b", 2, 60)]).await;
    let no_car = pb::CareQuery { travel_mode: pb::TravelMode::NoCar.into(), ..query() };
    let answer = ask(&town, no_car).await;
    assert_eq!((slots(&answer), reason(&answer)), (vec!["a", "b"], ""));
    assert_eq!(travel(&answer, 0), (0, pb::TravelMethod::Unspecified, None));
    assert_eq!(travel(&answer, 1).1, pb::TravelMethod::StraightLineEstimate);
    assert_eq!(stub.asked(), []);
    let remote_only = pb::CareQuery { modalities: vec!["VR".into()], ..query() };
    assert_eq!(slots(&ask(&town, remote_only).await), ["a"]);
    let escalated = pb::CareQuery { care_level: "R1".into(), ..query() };
    assert_eq!(ask(&town, escalated).await.outcome(), pb::CareOutcome::EmergencyDispatch);
    assert_eq!(stub.asked(), []);
}

#[tokio::test]
async fn for_a_home_visit_the_professional_travels() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let visit = |id, schedule| pb::SlotInput { modalities: vec!["HH".into()], ..slot(id, schedule, 60) };
    let town = town(&stub, vec![visit("a", 1), visit("b", 2)]).await;
    let answer = ask(&town, query()).await;
    assert_eq!(slots(&answer), ["b", "a"]);
    assert!(answer.options[1].sentence.contains("min de trajet par la route"), "{}", answer.options[1].sentence);
    assert!(stub.asked()[0].line.contains("destinations=0&"), "{:?}", stub.asked());
}

#[tokio::test]
async fn the_preferred_practitioner_stays_first_by_road() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let other = pb::Practitioner { practitioner_id: "810000000001".into(), ..crate::harness::world::practitioner() };
    let request = pb::UpsertPractitionerRequest { request_id: "p2".into(), practitioner: Some(other) };
    town.directory().upsert_practitioner(request).await.unwrap();
    let schedule = pb::Schedule { practitioner_id: "810000000001".into(), ..crate::harness::world::schedule(1) };
    let request = pb::UpsertScheduleRequest { request_id: "s1b".into(), schedule: Some(schedule) };
    town.directory().upsert_schedule(request).await.unwrap();
    let query = pb::CareQuery { preferred_practitioner_id: "810000000001".into(), ..query() };
    assert_eq!(slots(&ask(&town, query).await), ["a", "b"]);
}

#[tokio::test]
async fn whatever_fails_the_answer_is_that_without_road_times() {
    let plain = InProcess::start().await;
    settle(&plain).await;
    publish(&plain, batch("b1", 1, in_an_hour())).await;
    let expected = ask(&plain, query()).await;
    type Answering = fn(&crate::harness::road_stub::Asked) -> Reply;
    let failures: [(Answering, &str); 4] = [
        (|_| Reply::Silence, "ROAD_TIMES_LATE"),
        (|_| Reply::Http(200, r#"{"code":"Ok","durations":[[1]]}"#.to_owned()), "ROAD_TIMES_WRONG"),
        (|_| Reply::Http(302, String::new()), "ROAD_TIMES_REFUSED"),
        (|_| Reply::HangUp, "ROAD_TIMES_UNREACHABLE"),
    ];
    for (failure, expected_reason) in failures {
        let stub = RoadStub::start(failure).await;
        let soon = RoadOptions { deadline: Duration::from_millis(50), ..options(EngineKind::Osrm, stub.port) };
        let town = town_with(soon, in_an_hour()).await;
        let answer = ask(&town, query()).await;
        // A slow machine may be late with any of them.
        assert!([expected_reason, "ROAD_TIMES_LATE"].contains(&reason(&answer)), "{}", reason(&answer));
        assert_eq!(pb::FindCareResponse { road_times_doubt: None, ..answer }, expected);
    }
}

#[tokio::test]
async fn an_absent_server_is_left_alone_until_it_is_back() {
    let town = town_with(options(EngineKind::Osrm, closed_port().await), in_an_hour()).await;
    for _ in 0..3 {
        assert_eq!(reason(&ask(&town, query()).await), "ROAD_TIMES_UNREACHABLE");
    }
    assert_eq!(reason(&ask(&town, query()).await), "ROAD_TIMES_PAUSED");
    let now = status(&town).await;
    let roads = now.road_times.unwrap();
    assert_eq!((roads.asked_count, roads.failed_count, roads.skipped_count), (3, 3, 1));
    assert_eq!((roads.last_failure.as_str(), roads.paused_until.is_some()), ("ROAD_TIMES_UNREACHABLE", true));
    let condition = now.conditions.iter().find(|condition| condition.code == "ROAD_TIMES_PAUSED").unwrap();
    assert!(!condition.degrades && condition.message.contains("road_times.url"), "{condition:?}");
    town.clock.advance_seconds(10);
    assert_eq!(reason(&ask(&town, query()).await), "ROAD_TIMES_UNREACHABLE", "tried again");
}

#[tokio::test]
async fn a_watch_keeps_the_road_times_of_its_first_answer() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let request = pb::WatchCareRequest { query: Some(query()), ..pb::WatchCareRequest::default() };
    let mut watch = town.routing().watch_care(request).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap().answer.unwrap();
    assert_eq!((slots(&first), travel(&first, 0).2), (vec!["b", "a"], Some(0)));
    town.clock.advance_seconds(16 * 60 - 90);
    stub.answers(|_| Reply::HangUp);
    publish(&town, batch("b2", 2, vec![slot("a", 1, 75), slot("b", 2, 90)])).await;
    let next = watch.message().await.unwrap().unwrap().answer.unwrap();
    assert_eq!(travel(&next, 0).1, pb::TravelMethod::RoadTable);
    assert_eq!(travel(&next, 0).2, Some(16 * 60 - 90));
    assert_eq!(stub.asked().len(), 1, "later answers do not wait for a server");
}

#[tokio::test]
async fn an_option_that_is_too_late_by_road_alone_goes_for_that_and_is_not_said_to_be_free() {
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let request =
        pb::WatchCareRequest { query: Some(query()), duration_seconds: Some(3_600), ..pb::WatchCareRequest::default() };
    let mut watch = town.routing().watch_care(request).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    // Half an hour by road, and a few minutes as the crow flies.
    town.clock.advance_seconds(40 * 60);
    let told = watch.message().await.unwrap().unwrap();
    assert_eq!(slots(told.answer.as_ref().unwrap()), ["b"]);
    let gone: Vec<_> = told.gone_options.iter().map(|gone| (gone.slot_id.as_str(), gone.reason())).collect();
    assert_eq!(gone, [("a", pb::GoneReason::TooLate)]);
}

#[tokio::test]
async fn where_the_patient_is_stands_in_no_log_and_no_status() {
    let logged = Logged::default();
    let _logging = logged.begin(tracing::Level::TRACE);
    let stub = RoadStub::start(osrm(first_is_far)).await;
    let town = town(&stub, in_an_hour()).await;
    let replies =
        [Reply::Http(500, "45.698".into()), Reply::Http(200, "<p>45.698".into()), Reply::HangUp, Reply::HangUp];
    let mut told = String::new();
    for reply in replies {
        let reply = Mutex::new(Some(reply));
        stub.answers(move |_| reply.lock().take().unwrap_or(Reply::HangUp));
        town.clock.advance_seconds(15 * 60);
        let answer = ask(&town, pb::CareQuery { needed_within_minutes: Some(4_320), ..query() }).await;
        told.push_str(reason(&answer));
        told.push_str(&format!("{:?}", status(&town).await));
    }
    let logged = logged.text();
    assert!(logged.contains("ROAD_TIMES_REFUSED") && logged.contains("ROAD_TIMES_UNREACHABLE"), "{logged}");
    for position in ["45.69", "4.88", "/table/v1"] {
        let line = logged.lines().chain([told.as_str()]).find(|line| line.contains(position));
        assert_eq!(line, None, "{position}");
    }
}
