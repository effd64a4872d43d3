//! Which needs found nothing, over a real connection and as the command line shows it; nobody can be singled out.

use sas_router::proto::routing as pb;
use sas_router::proto::routing::list_near_misses_request::Scope;
use tonic::Status;

use crate::harness::details::{fields, reason};
use crate::harness::in_process::InProcess;
use crate::harness::server_process::program_command;
use crate::harness::world::{TERRITORY, emergency_site, query, settled};

const DAY: &str = "2026-11-23";

/// Asks for a dermatologist on behalf of the CPTS, so often; there is none.
async fn ask(town: &InProcess, times: usize, alter: impl Fn(&mut pb::CareQuery)) {
    for _ in 0..times {
        let mut query = pb::CareQuery {
            specialties: vec!["SM15".into()],
            age: "P8Y".into(),
            territory_ids: vec![TERRITORY.into()],
            ..query()
        };
        alter(&mut query);
        town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap();
    }
}

async fn listed(town: &InProcess, scope: Scope, day: &str) -> Result<pb::ListNearMissesResponse, Status> {
    let mut client = pb::indicator_service_client::IndicatorServiceClient::new(town.channel.clone());
    let request = pb::ListNearMissesRequest { scope: Some(scope), day: day.into() };
    client.list_near_misses(request).await.map(tonic::Response::into_inner)
}

fn need(
    specialty: Option<&str>,
    age: Option<&str>,
    hour: Option<u32>,
    commune: Option<&str>,
    count: u64,
) -> pb::UnmetNeed {
    pb::UnmetNeed {
        specialty: specialty.map(str::to_owned),
        profession: None,
        age_band: age.map(str::to_owned),
        local_hour: hour,
        commune_code: commune.map(str::to_owned),
        count,
    }
}

#[tokio::test]
async fn needs_that_found_nothing_are_counted_and_rare_ones_told_together() {
    let town = settled().await;
    ask(&town, 6, |_| {}).await;
    ask(&town, 4, |query| query.commune_code = "69123".into()).await;
    ask(&town, 1, |query| (query.age, query.commune_code) = ("P80Y".into(), String::new())).await;
    let of_cpts = listed(&town, Scope::TerritoryId(TERRITORY.into()), DAY).await.unwrap();
    let expected =
        [need(Some("SM15"), Some("ENFANT"), Some(9), Some("69259"), 6), need(Some("SM15"), None, None, None, 5)];
    assert_eq!(of_cpts.needs, expected, "at 09:00 in Paris; four and one alone would be too few");
    assert_eq!((of_cpts.asked_count, of_cpts.nothing_found_count, of_cpts.small_count), (Some(11), Some(11), 5));

    ask(&town, 3, |query| (query.territory_ids, query.specialties) = (vec![], vec![])).await;
    let of_rhone = listed(&town, Scope::Department("69".into()), DAY).await.unwrap();
    assert_eq!((of_rhone.asked_count, of_rhone.nothing_found_count), (Some(14), Some(11)), "three were found");
    assert_eq!(of_rhone.needs, expected);
    let tomorrow = listed(&town, Scope::Department("69".into()), "2026-11-24").await.unwrap();
    assert_eq!((tomorrow.asked_count, tomorrow.needs), (None, vec![]));
}

#[tokio::test]
async fn a_question_that_is_watched_counts_once_however_often_it_is_answered() {
    let town = settled().await;
    let question = pb::CareQuery { specialties: vec!["SM15".into()], ..query() };
    let watch = pb::WatchCareRequest { query: Some(question), ..pb::WatchCareRequest::default() };
    for number in 0..5 {
        let mut messages = town.routing().watch_care(watch.clone()).await.unwrap().into_inner();
        let first = messages.message().await.unwrap().unwrap();
        // Another emergency site: the open watch is answered anew, and another goes on from the first token.
        let site = pb::EmergencySite { emergency_site_id: format!("sau-1{number}"), ..emergency_site() };
        let upsert = pb::UpsertEmergencySiteRequest { request_id: format!("e{number}"), emergency_site: Some(site) };
        town.directory().upsert_emergency_site(upsert).await.unwrap();
        if number == 0 {
            assert!(messages.message().await.unwrap().unwrap().emergency_sites_changed);
            let resumed = pb::WatchCareRequest { resume_token: first.resume_token, ..watch.clone() };
            let mut messages = town.routing().watch_care(resumed).await.unwrap().into_inner();
            assert!(messages.message().await.unwrap().unwrap().emergency_sites_changed);
        }
    }
    let of_rhone = listed(&town, Scope::Department("69".into()), DAY).await.unwrap();
    assert_eq!((of_rhone.asked_count, of_rhone.nothing_found_count), (Some(5), Some(5)));
}

#[tokio::test]
async fn what_is_too_rare_is_not_told_at_all() {
    let town = settled().await;
    ask(&town, 4, |_| {}).await;
    let listed = listed(&town, Scope::TerritoryId(TERRITORY.into()), DAY).await.unwrap();
    assert_eq!((listed.asked_count, listed.nothing_found_count, listed.needs), (None, None, vec![]));
}

#[tokio::test]
async fn an_escalation_misses_nothing_and_a_made_up_territory_counts_for_none() {
    let town = settled().await;
    ask(&town, 5, |query| query.care_level = "R1".into()).await;
    assert_eq!(listed(&town, Scope::Department("69".into()), DAY).await.unwrap().asked_count, None);
    ask(&town, 5, |query| query.territory_ids = vec!["750000016".into()]).await;
    assert_eq!(listed(&town, Scope::Department("69".into()), DAY).await.unwrap().nothing_found_count, Some(5));
    let status = listed(&town, Scope::TerritoryId("750000016".into()), DAY).await.unwrap_err();
    assert_eq!(reason(&status), "UNKNOWN_TERRITORY");
    let status = listed(&town, Scope::Department("999".into()), "today").await.unwrap_err();
    assert_eq!(fields(&status), ["department", "day"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_tension() {
    let town = settled().await;
    ask(&town, 6, |_| {}).await;
    let server = format!("http://{}", town.address);
    let run = |arguments: &[&str]| {
        let output = program_command().arg("tension").args(arguments).args(["--server", server.as_str()]).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (exit, shown) = run(&["--territory", TERRITORY, "--day", DAY]);
    assert_eq!(exit, Some(0));
    for part in ["sans solution dans le délai : 6", "(SM15)", "ENFANT", "09 h", "69259"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, json) = run(&["--department", "69", "--day", DAY, "--output", "json"]);
    assert!(json.contains(r#""communeCode": "69259""#), "{json}");
    assert_eq!(run(&["--day", DAY]).0, Some(2), "of a territory or a department");
}
