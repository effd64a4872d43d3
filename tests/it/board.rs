//! What operations look at, over a real connection and as the command line shows it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, reason};
use crate::harness::in_process::{InProcess, connect};
use crate::harness::server_process::program_command;
use crate::harness::world::{
    SOURCE, TERRITORY, batch, hold, minutes, place, publish, query, schedule, settled, slot, territory,
};

/// The board, after what is kept of the last one is too old.
async fn board(town: &InProcess) -> pb::GetBoardResponse {
    town.clock.advance_seconds(2);
    told(town).await
}

async fn told(town: &InProcess) -> pb::GetBoardResponse {
    town.operations().get_board(pb::GetBoardRequest::default()).await.unwrap().into_inner()
}

/// The row of general practice for a band of ages.
fn row(board: &pb::GetBoardResponse, age_band: &str) -> Option<pb::NeedTension> {
    let mut rows = board.tension.iter().filter(|row| row.specialty == "SM54" && row.age_band == age_band);
    let row = rows.next().cloned();
    assert!(rows.next().is_none(), "one row a need");
    row
}

async fn held(town: &InProcess, slot_id: &str) -> String {
    let case_id = format!("case of {slot_id}");
    let request = pb::HoldSlotRequest { case_id, ..hold(&format!("hold {slot_id}"), slot_id) };
    town.bookings().hold_slot(request).await.unwrap().into_inner().hold.unwrap().hold_id
}

#[tokio::test]
async fn a_need_that_is_booked_out_turns_tense_and_then_nothing_is_free() {
    let town = settled().await;
    publish(&town, batch("b2", 2, vec![slot("far", 1, 30 * 60)])).await;
    let met = row(&board(&town).await, "ADULTE").unwrap();
    assert_eq!((met.state(), met.first_slot_at, met.free_count), (pb::TensionState::Met, minutes(60), 2));
    assert_eq!(
        (met.threshold_seconds, met.schedule_count, met.territory_name.as_str()),
        (86_400, 2, "CPTS de Vénissieux")
    );

    held(&town, "a").await;
    assert_eq!(row(&board(&town).await, "ADULTE").unwrap().first_slot_at, minutes(120));
    held(&town, "b").await;
    let told = board(&town).await;
    let tense = row(&told, "ADULTE").unwrap();
    assert_eq!((tense.state(), tense.first_slot_at, tense.free_count), (pb::TensionState::Tense, minutes(30 * 60), 0));
    assert_eq!(told.tension_counts.unwrap().tense, 4, "for every band of ages");
    assert_eq!(told.live_hold_count, 2);

    held(&town, "far").await;
    let none = row(&board(&town).await, "ADULTE").unwrap();
    assert_eq!((none.state(), none.first_slot_at), (pb::TensionState::NoneFree, None));
    // Holds end by themselves: what they took is free again, and they are counted.
    town.clock.advance_seconds(300);
    let told = board(&town).await;
    assert_eq!(row(&told, "ADULTE").unwrap().state(), pb::TensionState::Met);
    assert_eq!(told.activity.iter().map(|minute| minute.expired_hold_count).sum::<u64>(), 3);
}

#[tokio::test]
async fn what_a_silent_source_published_is_not_free_and_is_counted() {
    let town = settled().await;
    let heartbeat = pb::HeartbeatRequest { source_id: SOURCE.into(), lease_seconds: Some(60) };
    town.publishing().heartbeat(heartbeat).await.unwrap();
    town.clock.advance_seconds(90);
    let doubted = board(&town).await;
    let row_of = |board: &pb::GetBoardResponse| {
        let row = row(board, "ADULTE").unwrap();
        (row.state(), row.silent_schedule_count, row.schedule_count)
    };
    assert_eq!(row_of(&doubted), (pb::TensionState::Met, 0, 2), "doubted, and still offered");
    assert_eq!(doubted.sources[0].confidence(), pb::Confidence::Uncertain);
    town.clock.advance_seconds(30 * 60);
    let hidden = board(&town).await;
    assert_eq!(row_of(&hidden), (pb::TensionState::NoneFree, 2, 2));
    assert_eq!(hidden.status.unwrap().conditions[0].code, "SOURCE_SILENT");
}

#[tokio::test]
async fn a_band_of_ages_is_served_by_whoever_takes_half_of_it() {
    let town = settled().await;
    let mut directory = town.directory();
    for (number, min_age_days, max_age_days) in [(1, None, Some(18 * 365)), (2, Some(100), Some(27_000))] {
        let schedule = pb::Schedule { min_age_days, max_age_days, ..schedule(number) };
        let request = pb::UpsertScheduleRequest { request_id: format!("ages {number}"), schedule: Some(schedule) };
        directory.upsert_schedule(request).await.unwrap();
    }
    let told = board(&town).await;
    let first_of = |band| row(&told, band).map(|row| (row.first_slot_at, row.schedule_count));
    assert_eq!(first_of("NOURRISSON"), Some((minutes(60), 2)));
    assert_eq!(first_of("ENFANT"), Some((minutes(60), 2)));
    assert_eq!(first_of("ADULTE"), Some((minutes(120), 1)), "the first takes nobody above 18");
    assert_eq!(first_of("SENIOR"), None, "nobody takes them");
}

#[tokio::test]
async fn a_need_says_the_zone_of_its_cpts() {
    let town = settled().await;
    let zones = async || {
        let told = board(&town).await;
        let rows = told.tension.iter().map(|row| (row.territory_id.clone(), row.time_zone.clone()));
        rows.collect::<std::collections::BTreeMap<_, _>>()
    };
    // Told by their FINESS, without the figure that says what kind of number it is.
    assert_eq!(zones().await[&TERRITORY[1..]], "Europe/Paris");
    // Of the place where the directory knows no commune, and of the commune before the place.
    let mut directory = town.directory();
    let upsert = async |request_id: &str, commune: &str| {
        let communes = if commune.is_empty() { Vec::new() } else { vec![commune.to_owned()] };
        let territory = pb::Territory { territory_id: "1970000008".into(), commune_codes: communes, ..territory() };
        let request = pb::UpsertTerritoryRequest { request_id: request_id.into(), territory: Some(territory) };
        town.directory().upsert_territory(request).await.unwrap();
    };
    upsert("z0", "").await;
    let place = pb::Place { time_zone: "Indian/Reunion".into(), ..place(2) };
    directory.upsert_place(pb::UpsertPlaceRequest { request_id: "z1".into(), place: Some(place) }).await.unwrap();
    let schedule = pb::Schedule { territory_ids: vec!["1970000008".into()], ..schedule(2) };
    let request = pb::UpsertScheduleRequest { request_id: "z2".into(), schedule: Some(schedule) };
    directory.upsert_schedule(request).await.unwrap();
    assert_eq!(zones().await["970000008"], "Indian/Reunion");
    upsert("z3", "97209").await;
    assert_eq!(zones().await["970000008"], "America/Martinique");
}

#[tokio::test]
async fn a_second_viewer_costs_no_second_look() {
    let town = settled().await;
    let first = board(&town).await;
    town.clock.advance_seconds(1);
    publish(&town, batch("b2", 2, vec![slot("soon", 1, 30)])).await;
    let mut other = pb::operations_service_client::OperationsServiceClient::new(connect(town.address).await);
    let second = other.get_board(pb::GetBoardRequest::default()).await.unwrap().into_inner();
    assert_eq!((first.made_at, &first.tension), (second.made_at, &second.tension), "of a second ago");
    town.clock.advance_seconds(1);
    let third = told(&town).await;
    assert_eq!(row(&third, "ADULTE").unwrap().first_slot_at, minutes(30));
    town.clock.advance_seconds(-3_600);
    assert_ne!(told(&town).await.made_at, third.made_at, "a clock that was set back keeps no board for an hour");
}

#[tokio::test]
async fn what_was_answered_and_held_is_counted_by_the_minute() {
    let town = settled().await;
    let find = async |care_level: &str| {
        let query = pb::CareQuery { care_level: care_level.into(), ..query() };
        town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap();
    };
    find("R3").await;
    town.clock.advance_seconds(60);
    find("R3").await;
    find("R1").await;
    let hold_id = held(&town, "a").await;
    let late = pb::HoldSlotRequest { case_id: "late".into(), ..hold("late", "a") };
    assert_eq!(reason(&town.bookings().hold_slot(late).await.unwrap_err()), "SLOT_TAKEN");
    let confirm = pb::ConfirmHoldRequest { request_id: "c".into(), hold_id };
    town.bookings().confirm_hold(confirm).await.unwrap();

    let told = board(&town).await;
    assert_eq!(told.activity.len(), 60);
    let [.., before, running] = &told.activity[..] else { panic!() };
    let answers = |minute: &pb::ActivityMinute| -> Vec<_> {
        minute.answers.iter().map(|one| (one.outcome(), one.count)).collect()
    };
    assert_eq!(answers(before), [(pb::CareOutcome::Appointment, 1)]);
    assert_eq!(answers(running), [(pb::CareOutcome::EmergencyDispatch, 1), (pb::CareOutcome::Appointment, 1)]);
    assert_eq!((running.hold_count, running.conflict_count, running.confirm_count), (1, 1, 1));
    assert_eq!((before.hold_count, running.expired_hold_count), (0, 0));
}

#[tokio::test]
async fn rows_beyond_what_was_asked_for_are_counted_and_a_wrong_number_is_refused() {
    let town = settled().await;
    let ask =
        async |tension_max| town.operations().get_board(pb::GetBoardRequest { tension_max: Some(tension_max) }).await;
    let told = ask(1).await.unwrap().into_inner();
    assert_eq!((told.tension.len(), told.tension_counts.unwrap().met), (1, 4));
    for wrong in [0, 20_001] {
        let status = ask(wrong).await.unwrap_err();
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["tension_max".to_owned()]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_the_board_once_or_again_and_again() {
    let town = settled().await;
    held(&town, "a").await;
    let server = format!("http://{}", town.address);
    let run = |arguments: &[&str]| {
        let output = program_command().arg("watch").args(arguments).args(["--server", server.as_str()]).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (exit, shown) = run(&["--once"]);
    assert_eq!(exit, Some(0));
    for part in
        ["CPTS de Vénissieux", "SM54 Médecine générale", "15-74 ans", "tenu", "Pré-réservations en cours : 1", SOURCE]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\x1b'), "{shown}");
    let (_, json) = run(&["--once", "--output", "json", "--rows", "2"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tension"].as_array().unwrap().len(), 2);
    assert_eq!(json["tension"][0]["state"], "TENSION_STATE_MET");
    assert_eq!(run(&["--interval", "0"]).0, Some(2));

    let mut command = program_command();
    command.args(["watch", "--interval", "1", "--output", "json", "--server", &server]).stdout(Stdio::piped());
    let mut watching = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let board: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(board["liveHoldCount"], "1");
    }
    // The service ends: that is said, and tried again until somebody ends the command.
    town.shut_down();
    let mut notes = BufReader::new(watching.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = notes.by_ref().find(|note| note.starts_with("LIEN COUPÉ")).unwrap();
    assert!(said.contains("nouvel essai dans 1 s"), "{said}");
    let said = notes.find(|note| note.starts_with("LIEN COUPÉ")).unwrap();
    assert!(said.contains("nouvel essai dans 2 s"), "{said}");
    watching.kill().unwrap();
    watching.wait().unwrap();
}

#[test]
fn a_board_that_nobody_shows_is_no_board() {
    let output = program_command().args(["watch", "--once", "--server", "http://127.0.0.1:9"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
}
