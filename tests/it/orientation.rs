//! How cases and bookings end, over a real connection; and the figures that a CPTS takes out as CSV.

use sas_router::proto::routing as pb;
use sas_router::proto::routing::list_indicators_request::Scope;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::harness::details::{fields, reason};
use crate::harness::in_process::InProcess;
use crate::harness::server_process::program_command;
use crate::harness::world::{TERRITORY, hold, settled};

const CASE: &str = "fr.health.samu690.1";

type Orientations = pb::orientation_service_client::OrientationServiceClient<Channel>;

fn orientations(town: &InProcess) -> Orientations {
    Orientations::new(town.channel.clone())
}

async fn booked(town: &InProcess) -> String {
    let held = town.bookings().hold_slot(hold("h", "a")).await.unwrap().into_inner().hold.unwrap();
    let request = pb::ConfirmHoldRequest { request_id: "c".into(), hold_id: held.hold_id };
    town.bookings().confirm_hold(request).await.unwrap().into_inner().booking.unwrap().booking_id
}

fn decided(request_id: &str, booking_id: &str) -> pb::RecordOrientationRequest {
    let orientation = pb::Orientation {
        case_id: CASE.into(),
        outcome: pb::CareOutcome::Appointment.into(),
        booking_id: booking_id.into(),
        territory_id: TERRITORY.into(),
        specialty: "SM54".into(),
        age_band: "ADULTE".into(),
        ..pb::Orientation::default()
    };
    pb::RecordOrientationRequest { request_id: request_id.into(), orientation: Some(orientation) }
}

fn attended(request_id: &str, booking_id: &str, attendance: pb::Attendance) -> pb::RecordAttendanceRequest {
    pb::RecordAttendanceRequest {
        request_id: request_id.into(),
        booking_id: booking_id.into(),
        attendance: attendance.into(),
    }
}

fn rebooked(request_id: &str, booking_id: &str, slot_id: &str) -> pb::RebookRequest {
    pb::RebookRequest {
        request_id: request_id.into(),
        booking_id: booking_id.into(),
        target: Some(pb::rebook_request::Target::SlotId(slot_id.into())),
        ..pb::RebookRequest::default()
    }
}

async fn listed(town: &InProcess, scope: Scope, first_day: &str) -> Result<pb::ListIndicatorsResponse, Status> {
    let mut client = pb::indicator_service_client::IndicatorServiceClient::new(town.channel.clone());
    let request =
        pb::ListIndicatorsRequest { scope: Some(scope), first_day: first_day.into(), last_day: String::new() };
    client.list_indicators(request).await.map(tonic::Response::into_inner)
}

/// The figures that are not 0, as text.
fn figures(response: &pb::ListIndicatorsResponse) -> Vec<String> {
    let told = response.indicators.iter().filter(|indicator| indicator.count > 0);
    told.map(|one| format!("{} {} {}", one.measure, one.detail, one.count)).collect()
}

#[tokio::test]
async fn a_case_is_recorded_attended_and_counted() {
    let town = settled().await;
    let booking_id = booked(&town).await;
    let recorded = orientations(&town).record_orientation(decided("o1", &booking_id)).await.unwrap().into_inner();
    let told = recorded.orientation.clone().unwrap();
    assert_eq!((told.decision_type.as_str(), told.orientation_type.as_str()), ("ORIENT", "CABINET"));
    assert_eq!((told.department.as_str(), told.day.as_str(), recorded.replayed), ("69", "2026-11-23", false));
    let again = orientations(&town).record_orientation(decided("o1", &booking_id)).await.unwrap().into_inner();
    assert!(again.replayed && again.orientation == recorded.orientation);

    let status =
        orientations(&town).record_attendance(attended("a0", &booking_id, pb::Attendance::NoShow)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "SLOT_NOT_BEGUN"));
    town.clock.advance_seconds(3_600);
    let absent = orientations(&town).record_attendance(attended("a1", &booking_id, pb::Attendance::NoShow)).await;
    let absent = absent.unwrap().into_inner();
    assert!(absent.call_back_requested && absent.booking.as_ref().unwrap().booking_id == booking_id);
    assert_eq!(absent.attendance(), pb::Attendance::NoShow);

    let of_cpts = listed(&town, Scope::TerritoryId(TERRITORY.into()), "2026-11-23").await.unwrap();
    let expected = [
        "ORIENTATION APPOINTMENT 1",
        "SLOTS_PUBLISHED  2",
        "PLACES_PUBLISHED  2",
        "PLACES_BOOKED  1",
        "ATTENDANCE NO_SHOW 1",
    ];
    assert_eq!(figures(&of_cpts), expected);
    assert_eq!((of_cpts.time_zone.as_str(), of_cpts.kept_days), ("Europe/Paris", 100));
    assert_eq!(of_cpts.indicators.iter().filter(|one| one.measure == "ORIENTATION").count(), 8, "0 is told too");
    let of_department = listed(&town, Scope::Department("69".into()), "2026-11-23").await.unwrap();
    assert_eq!(figures(&of_department), expected);
}

#[tokio::test]
async fn what_patients_needed_is_told_of_five_and_more_once_the_day_is_over() {
    let town = settled().await;
    for (case, specialty, age_band) in [
        ("1", "SM54", "ADULTE"),
        ("2", "SM54", "ADULTE"),
        ("3", "SM54", "ADULTE"),
        ("4", "SM54", "ADULTE"),
        ("5", "SM54", "ENFANT"),
        ("6", "SM40", "ENFANT"),
    ] {
        let mut request = decided(case, "");
        let orientation = request.orientation.as_mut().unwrap();
        (orientation.case_id, orientation.specialty) = (case.into(), specialty.into());
        (orientation.age_band, orientation.outcome) = (age_band.into(), pb::CareOutcome::MedicalAdvice.into());
        orientations(&town).record_orientation(request).await.unwrap();
    }
    let needs = |told: &pb::ListIndicatorsResponse| {
        let is_need = |line: &String| line.starts_with("SPECIALTY") || line.starts_with("AGE_BAND");
        figures(told).into_iter().filter(is_need).collect::<Vec<_>>()
    };
    let day = || listed(&town, Scope::TerritoryId(TERRITORY.into()), "2026-11-23");
    assert_eq!(needs(&day().await.unwrap()), Vec::<String>::new());
    town.clock.advance_seconds(15 * 3_600);
    let told = day().await.unwrap();
    assert_eq!(needs(&told), ["SPECIALTY_ASKED  6", "AGE_BAND_ASKED  6"], "one of six would follow from the total");
    assert!(figures(&told).contains(&"ORIENTATION MEDICAL_ADVICE 6".to_owned()));
    assert_eq!(told.small_count, 5);
}

#[tokio::test]
async fn a_no_show_that_is_rebooked_stays_counted_and_can_be_corrected() {
    let town = settled().await;
    let missed = booked(&town).await;
    town.clock.advance_seconds(3_600);
    orientations(&town).record_attendance(attended("a1", &missed, pb::Attendance::NoShow)).await.unwrap();
    let done = town.bookings().rebook(rebooked("r1", &missed, "b")).await.unwrap().into_inner();
    assert_eq!(done.replaced.unwrap().state(), pb::ClaimState::Cancelled);
    let counted = |told: &pb::ListIndicatorsResponse| {
        let told = figures(told);
        let is_of_bookings = |line: &String| line.starts_with("PLACES_BOOKED") || line.starts_with("ATTENDANCE");
        told.into_iter().filter(is_of_bookings).collect::<Vec<_>>()
    };
    let of_cpts = listed(&town, Scope::TerritoryId(TERRITORY.into()), "2026-11-23").await.unwrap();
    assert_eq!(counted(&of_cpts), ["PLACES_BOOKED  2", "ATTENDANCE NO_SHOW 1"]);

    let corrected = orientations(&town).record_attendance(attended("a2", &missed, pb::Attendance::Late)).await.unwrap();
    assert_eq!(corrected.into_inner().booking.unwrap().state(), pb::ClaimState::Cancelled);
    let of_cpts = listed(&town, Scope::TerritoryId(TERRITORY.into()), "2026-11-23").await.unwrap();
    assert_eq!(counted(&of_cpts), ["PLACES_BOOKED  2", "ATTENDANCE LATE 1"]);
    let status = town.bookings().hold_slot(hold("h2", "b")).await.unwrap_err();
    assert_eq!(reason(&status), "CASE_BOOKED", "the newer booking lives");
}

#[tokio::test]
async fn a_patient_who_was_seen_is_not_cancelled_but_may_be_booked_again() {
    let town = settled().await;
    let seen = booked(&town).await;
    town.clock.advance_seconds(3_600);
    orientations(&town).record_attendance(attended("a1", &seen, pb::Attendance::Seen)).await.unwrap();
    let cancel = pb::CancelBookingRequest {
        request_id: "x".into(),
        booking_id: seen.clone(),
        ..pb::CancelBookingRequest::default()
    };
    let status = town.bookings().cancel_booking(cancel).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "BOOKING_ATTENDED"));
    let status = town.bookings().rebook(rebooked("r1", &seen, "b")).await.unwrap_err();
    assert_eq!(reason(&status), "BOOKING_ATTENDED");
    town.bookings().hold_slot(hold("h2", "b")).await.expect("the slot is not over, the case is free all the same");
}

#[tokio::test]
async fn a_schedule_says_whether_to_call_back() {
    let town = settled().await;
    let booking_id = booked(&town).await;
    let silent = pb::Schedule { no_show_call_back: Some(false), ..crate::harness::world::schedule(1) };
    let request = pb::UpsertScheduleRequest { request_id: "silent".into(), schedule: Some(silent) };
    town.directory().upsert_schedule(request).await.unwrap();
    town.clock.advance_seconds(3_600);
    let absent = orientations(&town).record_attendance(attended("a1", &booking_id, pb::Attendance::NoShow)).await;
    assert!(!absent.unwrap().into_inner().call_back_requested);
}

#[tokio::test]
async fn what_is_wrong_is_named_field_by_field() {
    let town = settled().await;
    let wrong = pb::Orientation {
        case_id: String::new(),
        outcome: 99,
        decision_type: "GUESS".into(),
        orientation_type: "MOON".into(),
        booking_id: "x".into(),
        territory_id: "1".into(),
        department: "999".into(),
        specialty: "SM540".into(),
        age_band: "TOAD".into(),
        ..pb::Orientation::default()
    };
    let request = pb::RecordOrientationRequest { request_id: String::new(), orientation: Some(wrong) };
    let status = orientations(&town).record_orientation(request).await.unwrap_err();
    let named = ["case_id", "outcome", "decision_type", "orientation_type", "booking_id", "territory_id", "department"];
    let named = named.into_iter().chain(["specialty", "age_band"]).map(|field| format!("orientation.{field}"));
    assert_eq!(fields(&status), ["request_id".to_owned()].into_iter().chain(named).collect::<Vec<_>>());
    let status =
        orientations(&town).record_attendance(attended("", "x", pb::Attendance::Unspecified)).await.unwrap_err();
    assert_eq!(fields(&status), ["request_id", "booking_id", "attendance"]);
    let status =
        orientations(&town).record_orientation(decided("o", &uuid::Uuid::nil().to_string())).await.unwrap_err();
    assert_eq!(reason(&status), "UNKNOWN_BOOKING");
    let status = listed(&town, Scope::TerritoryId(TERRITORY.into()), "23/11/2026").await.unwrap_err();
    assert_eq!(fields(&status), ["first_day"]);
    let status = listed(&town, Scope::TerritoryId("750000016".into()), "2026-11-23").await.unwrap_err();
    assert_eq!(reason(&status), "UNKNOWN_TERRITORY");
    let mut client = pb::indicator_service_client::IndicatorServiceClient::new(town.channel.clone());
    let status = client.list_indicators(pb::ListIndicatorsRequest::default()).await.unwrap_err();
    assert_eq!(fields(&status), ["scope", "first_day"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_records_and_exports() {
    let town = settled().await;
    let booking_id = booked(&town).await;
    let server = format!("http://{}", town.address);
    let run = |arguments: &[&str]| {
        let output = program_command().args(arguments).args(["--server", server.as_str()]).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let orient = ["orient", CASE, "--outcome", "appointment", "--booking", &booking_id, "--territory", TERRITORY];
    let (exit, shown, errors) = run(&orient);
    assert_eq!(exit, Some(0), "{errors}");
    assert!(shown.contains("(APPOINTMENT)") && shown.contains("ORIENT / CABINET"), "{shown}");
    assert_eq!(run(&["attend", &booking_id, "no-show"]).0, Some(3), "too early is a refusal");
    town.clock.advance_seconds(3_600);
    let (exit, shown, _) = run(&["attend", &booking_id, "no-show"]);
    assert_eq!(exit, Some(0));
    assert!(shown.contains("RAPPELER le patient"), "{shown}");

    let (exit, csv, errors) = run(&["indicators", "--territory", TERRITORY, "--day", "2026-11-23"]);
    assert_eq!(exit, Some(0), "{errors}");
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], "territory_id,department,day,time_zone,measure,detail,count");
    for line in
        ["ORIENTATION,APPOINTMENT,1", "ORIENTATION,NO_SLOT_IN_TIME,0", "PLACES_BOOKED,,1", "ATTENDANCE,NO_SHOW,1"]
    {
        assert!(lines.contains(&format!("{TERRITORY},,2026-11-23,Europe/Paris,{line}").as_str()), "{line}: {csv}");
    }
    let (_, json, _) = run(&["indicators", "--department", "69", "--day", "2026-11-23", "--output", "json"]);
    assert!(json.contains(r#""timeZone": "Europe/Paris""#), "{json}");
    assert_eq!(run(&["indicators", "--day", "2026-11-23"]).0, Some(2), "of a territory or a department");
    let (exit, _, errors) = run(&["orient", CASE, "--outcome", "luck"]);
    assert!(exit == Some(2) && errors.contains("no-slot-in-time"), "{errors}");
}
