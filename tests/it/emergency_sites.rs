//! Emergency sites from outside: rules kept and read by the clock, saturation, what a regulator is told, what is refused.

use sas_router::domain::time::UtcInstant;
use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{fields, reason};
use crate::harness::in_process::InProcess;
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::world::{HOME, emergency_site, minutes};

const OPEN: i32 = pb::EmergencyAccess::Open as i32;
const REGULATED: i32 = pb::EmergencyAccess::Regulated as i32;
const CLOSED: i32 = pb::EmergencyAccess::Closed as i32;

fn at(text: &str) -> prost_types::Timestamp {
    let at = UtcInstant::parse_rfc3339(text).unwrap();
    prost_types::Timestamp { seconds: at.ms() / 1_000, nanos: 0 }
}

/// Open by day, regulated by night, regulated on holidays' days, closed over one Christmas.
fn site(id: &str) -> pb::EmergencySite {
    let daily = |start_minute, end_minute, access| {
        (1..=7).map(move |weekday| pb::WeeklyAccess { weekday, start_minute, end_minute, access })
    };
    let window = pb::Window { start_at: Some(at("2026-12-24T19:00:00Z")), end_at: Some(at("2026-12-26T07:00:00Z")) };
    pb::EmergencySite {
        emergency_site_id: id.into(),
        weekly_access: daily(480, 1_200, OPEN).chain(daily(1_200, 1_920, REGULATED)).collect(),
        holiday_access: vec![pb::HolidayAccess { start_minute: 0, end_minute: 1_440, access: REGULATED }],
        dated_access: vec![pb::DatedAccess { window: Some(window), access: CLOSED }],
        ..emergency_site()
    }
}

async fn upsert(town: &InProcess, site: pb::EmergencySite) -> Result<pb::EmergencySite, tonic::Status> {
    let request_id = format!("upsert {} {}", site.emergency_site_id, site.name);
    let request = pb::UpsertEmergencySiteRequest { request_id, emergency_site: Some(site) };
    town.directory().upsert_emergency_site(request).await.map(|kept| kept.into_inner().emergency_site.unwrap())
}

async fn get(town: &InProcess, id: &str) -> pb::EmergencySite {
    let request = pb::GetEmergencySiteRequest { emergency_site_id: id.into() };
    town.directory().get_emergency_site(request).await.unwrap().into_inner().emergency_site.unwrap()
}

async fn urgent(town: &InProcess, age: &str) -> pb::FindCareResponse {
    let query =
        pb::CareQuery { position: Some(HOME), care_level: "R2".into(), age: age.into(), ..pb::CareQuery::default() };
    town.routing().find_care(pb::FindCareRequest { query: Some(query) }).await.unwrap().into_inner()
}

fn saturation(request_id: &str, end: Option<pb::set_saturation_request::End>) -> pb::SetSaturationRequest {
    pb::SetSaturationRequest { request_id: request_id.into(), emergency_site_id: "sau-1".into(), end }
}

fn for_minutes(minutes: u32) -> Option<pb::set_saturation_request::End> {
    Some(pb::set_saturation_request::End::ForMinutes(minutes))
}

#[tokio::test]
async fn a_site_is_read_by_the_clock_of_its_zone_and_by_its_holidays() {
    let table = [
        ("2026-11-23T08:00:00Z", OPEN, "2026-11-23T19:00:00Z"),
        ("2026-11-23T19:00:00Z", REGULATED, "2026-11-24T07:00:00Z"),
        // A rule belongs to the day on which it starts: the night of 11 November is the holiday's, which states none.
        ("2026-11-11T10:00:00Z", REGULATED, "2026-11-11T23:00:00Z"),
        ("2026-12-25T10:00:00Z", CLOSED, "2026-12-26T07:00:00Z"),
        // The clocks change in the night before: local hours stay.
        ("2026-10-25T06:59:59Z", REGULATED, "2026-10-25T07:00:00Z"),
        ("2027-03-28T05:59:59Z", REGULATED, "2027-03-28T06:00:00Z"),
    ];
    for (now, access, changes_at) in table {
        let town = InProcess::start_at(UtcInstant::parse_rfc3339(now).unwrap(), |_| {}).await;
        let kept = upsert(&town, site("sau-1")).await.unwrap();
        assert_eq!((kept.access, kept.access_changes_at), (access, Some(at(changes_at))), "{now}");
        assert_eq!(get(&town, "sau-1").await, kept, "{now}");
    }
}

#[tokio::test]
async fn a_night_that_the_holiday_rules_leave_out_is_told() {
    let town = InProcess::start().await;
    let upsert = |id: &str, end_minute| pb::UpsertEmergencySiteRequest {
        request_id: id.into(),
        emergency_site: Some(pb::EmergencySite {
            holiday_access: vec![pb::HolidayAccess { start_minute: 480, end_minute, access: REGULATED }],
            ..site(id)
        }),
    };
    let told = town.directory().upsert_emergency_site(upsert("day", 1_200)).await.unwrap().into_inner().warnings;
    let fields: Vec<_> = told.iter().map(|warning| warning.field.as_str()).collect();
    assert_eq!(fields, ["emergency_site.holiday_access"]);
    let told = town.directory().upsert_emergency_site(upsert("night", 1_920)).await.unwrap().into_inner().warnings;
    assert_eq!(told, []);
}

#[tokio::test]
async fn overseas_holidays_follow_the_site_s_department() {
    // 20 December is a holiday on Réunion alone; 22 hours in Paris the day before are 1 o'clock there.
    let table =
        [("974", "Indian/Reunion", REGULATED), ("972", "America/Martinique", OPEN), ("75", "Europe/Paris", OPEN)];
    for (department, zone, access) in table {
        let town = InProcess::start_at(UtcInstant::parse_rfc3339("2026-12-20T14:00:00Z").unwrap(), |_| {}).await;
        let message = pb::EmergencySite { department: department.into(), time_zone: String::new(), ..site("sau-1") };
        let kept = upsert(&town, message).await.unwrap();
        assert_eq!((kept.time_zone.as_str(), kept.access), (zone, access));
    }
}

#[tokio::test]
async fn a_saturated_site_comes_after_the_others_until_the_clock_ends_it() {
    let town = InProcess::start().await;
    upsert(&town, emergency_site()).await.unwrap();
    let farther = pb::GeoPoint { latitude: 45.8, longitude: 4.87 };
    let other = pb::EmergencySite { name: "Autre".into(), position: Some(farther), ..site("sau-2") };
    upsert(&town, other).await.unwrap();
    let order = |answer: &pb::FindCareResponse| -> Vec<String> {
        answer.emergency_sites.iter().map(|site| site.emergency_site_id.clone()).collect()
    };
    assert_eq!(order(&urgent(&town, "P40Y").await), ["sau-1", "sau-2"]);

    let said = town.directory().set_saturation(saturation("s", for_minutes(90))).await.unwrap().into_inner();
    let kept = said.emergency_site.unwrap();
    assert_eq!(kept.saturation, Some(pb::Window { start_at: minutes(0), end_at: minutes(90) }));
    let answer = urgent(&town, "P40Y").await;
    assert_eq!(order(&answer), ["sau-2", "sau-1"]);
    assert_eq!(answer.emergency_sites[1].saturated_until_at, minutes(90));
    assert_eq!(answer.emergency_sites[1].sentence, "Saturé jusqu'à 10:30 ; ouvert à l'arrivée.");
    assert!(answer.sentence.contains("Le plus proche : Autre, ouvert, à"), "{}", answer.sentence);

    town.clock.advance_seconds(90 * 60);
    assert_eq!(order(&urgent(&town, "P40Y").await), ["sau-1", "sau-2"]);
    assert_eq!(get(&town, "sau-1").await.saturation, None, "nobody cleared it");
    let again = town.directory().set_saturation(saturation("s", for_minutes(90))).await.unwrap().into_inner();
    assert!(again.replayed);

    town.directory().set_saturation(saturation("t", for_minutes(90))).await.unwrap();
    let end = pb::EndSaturationRequest { request_id: "e".into(), emergency_site_id: "sau-1".into() };
    let ended = town.directory().end_saturation(end).await.unwrap().into_inner();
    assert_eq!(ended.emergency_site.unwrap().saturation, None);
    assert_eq!(order(&urgent(&town, "P40Y").await), ["sau-1", "sau-2"]);
}

#[tokio::test]
async fn a_child_and_an_adult_are_shown_the_sites_that_take_them() {
    let town = InProcess::start().await;
    let stated = |capability: pb::EmergencyCapability, offered: pb::Knowledge| {
        vec![pb::CapabilityAnswer { capability: capability.into(), offered: offered.into() }]
    };
    let no_children = stated(pb::EmergencyCapability::Paediatric, pb::Knowledge::No);
    upsert(&town, pb::EmergencySite { capabilities: no_children, ..site("adults") }).await.unwrap();
    let kind = pb::EmergencySiteKind::Paediatric.into();
    upsert(&town, pb::EmergencySite { kind, ..site("children") }).await.unwrap();
    upsert(&town, site("general")).await.unwrap();
    let listed = |answer: pb::FindCareResponse| -> Vec<(String, usize)> {
        answer.emergency_sites.into_iter().map(|site| (site.emergency_site_id, site.unknowns.len())).collect()
    };
    let known = |id: &str, doubts| (id.to_owned(), doubts);
    assert_eq!(listed(urgent(&town, "P40Y").await), [known("adults", 0), known("general", 0)]);
    let child = urgent(&town, "P4Y").await;
    let doubt = &child.emergency_sites[1].unknowns[0];
    assert_eq!((doubt.kind(), doubt.capability()), (pb::UnknownKind::Capability, pb::EmergencyCapability::Paediatric));
    assert_eq!(listed(child), [known("children", 0), known("general", 1)]);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_field() {
    let town = InProcess::start().await;
    upsert(&town, emergency_site()).await.unwrap();
    let contradicting = pb::WeeklyAccess { weekday: 3, start_minute: 700, end_minute: 800, access: CLOSED };
    let mut message = site("bad");
    message.weekly_access.push(contradicting);
    message.holiday_access[0].end_minute = 0;
    message.dated_access[0].window = Some(pb::Window { start_at: minutes(60), end_at: minutes(0) });
    message.time_zone = "Europe/Lyon".into();
    let refused = upsert(&town, message).await.unwrap_err();
    let expected = [
        "emergency_site.time_zone",
        "emergency_site.weekly_access[14]",
        "emergency_site.holiday_access[0].end_minute",
        "emergency_site.dated_access[0].window.end_at",
    ];
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, expected.map(str::to_owned).to_vec()));

    let until = |instant: Option<prost_types::Timestamp>| instant.map(pb::set_saturation_request::End::UntilAt);
    let table = [
        (saturation("s", None), "until_at"),
        (saturation("s", for_minutes(0)), "for_minutes"),
        (saturation("s", for_minutes(1_441)), "for_minutes"),
        (saturation("s", until(minutes(0))), "until_at"),
        (saturation("s", until(minutes(24 * 60 + 1))), "until_at"),
    ];
    for (request, field) in table {
        let refused = town.directory().set_saturation(request).await.unwrap_err();
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let nowhere = pb::SetSaturationRequest { emergency_site_id: "nowhere".into(), ..saturation("s", for_minutes(5)) };
    let refused = town.directory().set_saturation(nowhere).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_EMERGENCY_SITE"));
}

#[test]
fn a_bed_manager_says_on_the_command_line_that_a_site_is_saturated() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let roster = folder.path().join("sites.csv");
    let header = "kind;place_id;place_name;commune_code;latitude;longitude;weekly_access;capabilities";
    let row = "emergency_department;sau;SAU de Bourges;18033;47.07;2.37;daily closed;no-obstetric";
    std::fs::write(&roster, format!("{header}\n{row}\nsmur;smur;SMUR;18033;47.08;2.37;;\n")).unwrap();
    let run = |arguments: &[&str], exit: i32| {
        let output = program_command().args(arguments).args(["--server", server.address()]).output().unwrap();
        let (text, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {text}{errors}");
        (text, errors)
    };
    run(&["import", roster.to_str().unwrap(), "--source-id", "s"], 0);
    let (text, _) = run(&["sites", "--department", "18"], 0);
    for part in ["SAU de Bourges", "fermé (CLOSED)", "obstétrique non", "base de SMUR (SMUR)", "ouvert (OPEN)"] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
    assert_eq!(run(&["sites", "--department", "75"], 0).0.trim(), "Aucun site d'urgence.");
    let (text, _) = run(&["sites", "--output", "json"], 0);
    let listed: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids = listed["emergencySites"].as_array().unwrap().iter().map(|site| site["emergencySiteId"].as_str().unwrap());
    let smur = ids.into_iter().find(|id| id.ends_with("smur")).unwrap();
    let (text, _) = run(&["saturation", smur, "--for", "2H", "--request-id", "one"], 0);
    assert!(text.contains("SATURÉ jusqu'à"), "{text}");
    let (text, _) = run(&["saturation", smur, "--for", "2H", "--request-id", "one", "--output", "json"], 0);
    assert!(text.contains("\"replayed\": true"), "{text}");
    let (text, _) = run(&["find", "--at", "47.07,2.37", "--care-level", "R1", "--width", "130"], 0);
    assert!(text.contains("SATURÉ jusqu'à") && text.contains("ne pas y adresser"), "{text}");
    let (_, errors) = run(&["saturation", smur, "--for", "30H"], 2);
    assert!(errors.contains("for_minutes") && errors.contains("24 hours"), "{errors}");
    run(&["saturation", smur], 2);
    run(&["saturation", smur, "--end"], 0);
    assert!(!run(&["sites"], 0).0.contains("SATURÉ"));
    run(&["saturation", "nowhere", "--end"], 3);
}
