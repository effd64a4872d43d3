//! Territories, places, practitioners, schedules, emergency sites.

use super::super::common::{instant_to_proto, window_to_proto};
use super::super::emergency_site::{emergency_site_from_proto, emergency_site_to_proto};
use super::super::place::{place_from_proto, place_to_proto};
use super::super::practitioner::{practitioner_from_proto, practitioner_to_proto};
use super::super::schedule::{schedule_from_proto, schedule_to_proto};
use super::super::territory::{territory_from_proto, territory_to_proto};
use super::{Findings, ROOT, assert_refused};
use crate::domain::emergency::EmergencySite;
use crate::domain::time::{UtcInstant, Window};
use crate::proto::routing as pb;

fn territory() -> pb::Territory {
    pb::Territory {
        territory_id: "1690000005".into(),
        name: "CPTS de Vénissieux".into(),
        commune_codes: vec!["69259".into()],
        neighbour_territory_ids: vec!["1380000004".into()],
        phone: "+33472000000".into(),
    }
}

fn place() -> pb::Place {
    pb::Place {
        place_id: "cabinet-1".into(),
        name: "Cabinet".into(),
        address: "1 rue de la Paix".into(),
        postal_code: "69200".into(),
        city: "Vénissieux".into(),
        commune_code: "69259".into(),
        department: "69".into(),
        position: Some(pb::GeoPoint { latitude: 45.7, longitude: 4.88 }),
        time_zone: "Europe/Paris".into(),
        structure_id: "1690000005".into(),
        phone: "+33472000001".into(),
        needs: vec![pb::NeedAnswer { need: pb::Need::Wheelchair.into(), met: pb::Knowledge::Yes.into() }],
    }
}

fn practitioner() -> pb::Practitioner {
    pb::Practitioner {
        practitioner_id: "810002909371".into(),
        family_name: "Durand".into(),
        given_name: "Anne".into(),
        profession: "10".into(),
        specialties: vec!["SM54".into()],
        languages: vec!["fr".into(), "en".into()],
        phone: String::new(),
    }
}

fn schedule() -> pb::Schedule {
    pb::Schedule {
        schedule_id: "agenda-1".into(),
        source_id: "cpts".into(),
        place_id: "cabinet-1".into(),
        practitioner_id: "810002909371".into(),
        territory_ids: vec!["1690000005".into()],
        specialties: vec!["SM54".into()],
        min_age_days: Some(0),
        max_age_days: Some(6_570),
        accepted_sexes: vec!["F".into()],
        home_visit_radius_m: Some(10_000),
        no_show_call_back: Some(false),
        booking_url: "https://agenda.example/1".into(),
        source_revision: 0,
        received_at: Some(prost_types::Timestamp::default()),
    }
}

fn site() -> pb::EmergencySite {
    pb::EmergencySite {
        emergency_site_id: "sau-1".into(),
        name: "Hôpital".into(),
        kind: pb::EmergencySiteKind::Department.into(),
        position: Some(pb::GeoPoint { latitude: 45.74, longitude: 4.88 }),
        structure_id: "1690000005".into(),
        department: "69".into(),
        phone: "+33472000002".into(),
        time_zone: "Europe/Paris".into(),
        weekly_access: vec![pb::WeeklyAccess {
            weekday: 1,
            start_minute: 480,
            end_minute: 1_500,
            access: pb::EmergencyAccess::Regulated.into(),
        }],
        holiday_access: vec![pb::HolidayAccess {
            start_minute: 600,
            end_minute: 1_440,
            access: pb::EmergencyAccess::Open.into(),
        }],
        dated_access: vec![pb::DatedAccess {
            window: Some(window("2026-12-24T19:00:00Z", "2026-12-26T07:00:00Z")),
            access: pb::EmergencyAccess::Closed.into(),
        }],
        capabilities: vec![pb::CapabilityAnswer {
            capability: pb::EmergencyCapability::Obstetric.into(),
            offered: pb::Knowledge::No.into(),
        }],
        saturation: None,
        access: pb::EmergencyAccess::Regulated.into(),
        access_changes_at: Some(instant_to_proto(at("2026-11-24T00:00:00Z"))),
    }
}

fn at(text: &str) -> UtcInstant {
    UtcInstant::parse_rfc3339(text).unwrap()
}

fn window(from: &str, until: &str) -> pb::Window {
    window_to_proto(Window::new(at(from), at(until)).unwrap())
}

#[test]
fn directory_entries_come_back_as_they_went_in() {
    let mut findings = Findings::default();
    let read = territory_from_proto(Some(territory()), ROOT, &mut findings).unwrap();
    assert_eq!(territory_to_proto(&read), territory());
    let read = place_from_proto(Some(place()), ROOT, &mut findings).unwrap();
    assert_eq!(place_to_proto(&read), place());
    let read = practitioner_from_proto(Some(practitioner()), ROOT, &mut findings).unwrap();
    assert_eq!(practitioner_to_proto(&read), practitioner());
    let read = schedule_from_proto(Some(schedule()), ROOT, &mut findings).unwrap();
    assert_eq!(schedule_to_proto(&read), schedule());
    let read = emergency_site_from_proto(Some(site()), ROOT, &mut findings).unwrap();
    // A Monday at eleven in Paris.
    assert_eq!(emergency_site_to_proto(&read, at("2026-11-23T10:00:00Z")), site());
    assert_eq!(findings.violations, []);
}

#[test]
fn what_is_missing_altogether_is_named() {
    let path = ROOT.field("place");
    assert_refused(|findings| place_from_proto(None, path, findings), "place", "missing");
    let path = ROOT.field("schedule");
    assert_refused(|findings| schedule_from_proto(None, path, findings), "schedule", "missing");
}

#[test]
fn territories_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::Territory);
    let table: &[(&str, &str, Alter)] = &[
        ("territory_id", "FINESS", |t| t.territory_id = "12".into()),
        ("territory_id", "empty", |t| t.territory_id.clear()),
        ("name", "1 to 200", |t| t.name = " ".into()),
        ("name", "1 to 200", |t| t.name = "x".repeat(201)),
        ("commune_codes[1]", "INSEE", |t| t.commune_codes.push("6925".into())),
        ("commune_codes[1]", "department", |t| t.commune_codes.push("20004".into())),
        ("commune_codes", "2000", |t| t.commune_codes = vec!["69259".into(); 2_001]),
        ("neighbour_territory_ids[0]", "FINESS", |t| t.neighbour_territory_ids = vec!["x".into()]),
        ("phone", "phone", |t| t.phone = "15".into()),
    ];
    for (field, words, alter) in table {
        let mut message = territory();
        alter(&mut message);
        assert_refused(|findings| territory_from_proto(Some(message), ROOT, findings), field, words);
    }
}

#[test]
fn places_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::Place);
    let point = |latitude, longitude| Some(pb::GeoPoint { latitude, longitude });
    let nan = |p: &mut pb::Place| p.position = Some(pb::GeoPoint { latitude: f64::NAN, longitude: 0.0 });
    let table: &[(&str, &str, Alter)] = &[
        ("place_id", "empty", |p| p.place_id.clear()),
        ("place_id", "128", |p| p.place_id = "x".repeat(129)),
        ("postal_code", "five digits", |p| p.postal_code = "6920".into()),
        ("commune_code", "INSEE", |p| p.commune_code = "Vénissieux".into()),
        ("department", "nearest known", |p| p.department = "96".into()),
        ("position", "latitude 91", |p| p.position = Some(pb::GeoPoint { latitude: 91.0, longitude: 0.0 })),
        ("position", "not a number", nan),
        ("time_zone", "Europe/Paris", |p| p.time_zone = "Europe/Pari".into()),
        ("structure_id", "FINESS", |p| p.structure_id = "abc".into()),
        ("phone", "phone", |p| p.phone = "nobody".into()),
        ("needs[0].need", "no need", |p| p.needs[0].need = 0),
        ("needs[0].need", "no need", |p| p.needs[0].need = 99),
        ("needs[0].met", "KNOWLEDGE_YES", |p| p.needs[0].met = 0),
        ("needs[1].need", "once", |p| p.needs.push(p.needs[0])),
    ];
    for (field, words, alter) in table {
        let mut message = place();
        alter(&mut message);
        assert_refused(|findings| place_from_proto(Some(message), ROOT, findings), field, words);
    }
    let message = pb::Place { position: point(0.0, f64::INFINITY), ..place() };
    assert_refused(|findings| place_from_proto(Some(message), ROOT, findings), "position", "longitude");
}

#[test]
fn a_place_derives_its_department_and_zone() {
    let bare = |commune: &str, position| pb::Place {
        commune_code: commune.into(),
        department: String::new(),
        time_zone: String::new(),
        position,
        ..place()
    };
    let saint_denis = Some(pb::GeoPoint { latitude: -20.88, longitude: 55.45 });
    let table = [
        ("97411", None, "974", "Indian/Reunion"),
        ("", saint_denis, "974", "Indian/Reunion"),
        ("2A004", None, "2A", "Europe/Paris"),
    ];
    for (commune, position, department, zone) in table {
        let read = place_from_proto(Some(bare(commune, position)), ROOT, &mut Findings::default()).unwrap();
        assert_eq!((read.department.code(), read.zone.name()), (department, zone));
    }
    assert_refused(
        |findings| place_from_proto(Some(bare("", None)), ROOT, findings),
        "department",
        "commune or the position",
    );
}

#[test]
fn practitioners_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::Practitioner);
    let table: &[(&str, &str, Alter)] = &[
        ("practitioner_id", "RPPS", |p| p.practitioner_id = "123".into()),
        ("family_name", "1 to 100", |p| p.family_name.clear()),
        ("profession", "nearest known: 10", |p| p.profession = "11".into()),
        ("specialties[1]", "nearest known: SM54", |p| p.specialties.push("sm54".into())),
        ("specialties", "at most 20", |p| p.specialties = vec!["SM54".into(); 21]),
        ("languages[0]", "ISO 639-1", |p| p.languages = vec!["french".into()]),
    ];
    for (field, words, alter) in table {
        let mut message = practitioner();
        alter(&mut message);
        assert_refused(|findings| practitioner_from_proto(Some(message), ROOT, findings), field, words);
    }
}

#[test]
fn a_failed_check_digit_is_a_warning() {
    let mut findings = Findings::default();
    let message =
        pb::Practitioner { practitioner_id: "10100050075".into(), profession: String::new(), ..practitioner() };
    let read = practitioner_from_proto(Some(message), ROOT.field("practitioner"), &mut findings).unwrap();
    assert_eq!(findings.violations, []);
    assert_eq!(findings.warnings.len(), 1);
    assert_eq!(findings.warnings[0].field, "practitioner.practitioner_id");
    assert_eq!(read.id.wire(), "810100050075");
    assert_eq!(read.profession.unwrap().code(), "10", "derived from the specialty");
}

#[test]
fn schedules_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::Schedule);
    let table: &[(&str, &str, Alter)] = &[
        ("schedule_id", "empty", |s| s.schedule_id.clear()),
        ("source_id", "empty", |s| s.source_id = " ".into()),
        ("place_id", "visible", |s| s.place_id = "a\u{200b}b".into()),
        ("practitioner_id", "RPPS", |s| s.practitioner_id = "9".into()),
        ("territory_ids", "at most 10", |s| s.territory_ids = vec!["1690000005".into(); 11]),
        ("max_age_days", "youngest", |s| s.min_age_days = Some(10_000)),
        ("accepted_sexes[0]", "nearest known", |s| s.accepted_sexes = vec!["H".into()]),
        ("home_visit_radius_m", "100000", |s| s.home_visit_radius_m = Some(100_001)),
        ("booking_url", "at most 500", |s| s.booking_url = "x".repeat(501)),
    ];
    for (field, words, alter) in table {
        let mut message = schedule();
        alter(&mut message);
        assert_refused(|findings| schedule_from_proto(Some(message), ROOT, findings), field, words);
    }
}

#[test]
fn emergency_sites_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::EmergencySite);
    let table: &[(&str, &str, Alter)] = &[
        ("kind", "DEPARTMENT", |s| s.kind = 0),
        ("kind", "DEPARTMENT", |s| s.kind = -1),
        ("position", "missing", |s| s.position = None),
        ("weekly_access[0].weekday", "Monday", |s| s.weekly_access[0].weekday = 8),
        ("weekly_access[0].start_minute", "1439", |s| s.weekly_access[0].start_minute = 1_440),
        ("weekly_access[0].end_minute", "1440", |s| s.weekly_access[0].end_minute = 480),
        ("weekly_access[0].access", "OPEN", |s| s.weekly_access[0].access = 0),
        ("weekly_access", "at most 50", |s| s.weekly_access = vec![s.weekly_access[0]; 51]),
        ("weekly_access[1]", "overlaps with weekly_access[0]", |s| {
            s.weekly_access.push(pb::WeeklyAccess { weekday: 2, start_minute: 59, end_minute: 90, access: 3 });
        }),
        ("holiday_access[0].start_minute", "1439", |s| s.holiday_access[0].start_minute = 1_440),
        ("holiday_access[0].end_minute", "1440", |s| s.holiday_access[0].end_minute = 600),
        ("holiday_access[0].access", "OPEN", |s| s.holiday_access[0].access = 4),
        ("holiday_access[1]", "overlaps with holiday_access[0]", |s| {
            s.holiday_access.push(pb::HolidayAccess { start_minute: 0, end_minute: 601, access: 3 });
        }),
        ("holiday_access", "at most 20", |s| s.holiday_access = vec![s.holiday_access[0]; 21]),
        ("dated_access[0].window", "missing", |s| s.dated_access[0].window = None),
        ("dated_access[0].window.end_at", "inverted", |s| {
            s.dated_access[0].window = Some(inverted(&s.dated_access[0]));
        }),
        ("dated_access[0].access", "OPEN", |s| s.dated_access[0].access = 0),
        ("dated_access[1]", "overlaps with dated_access[0]", |s| {
            s.dated_access.push(pb::DatedAccess { access: 1, ..s.dated_access[0] });
        }),
        ("dated_access", "at most 100", |s| s.dated_access = vec![s.dated_access[0]; 101]),
        ("time_zone", "Europe/Paris", |s| s.time_zone = "Europe/Pariss".into()),
        ("capabilities[0].capability", "ADULT", |s| s.capabilities[0].capability = 9),
        ("capabilities[0].offered", "YES", |s| s.capabilities[0].offered = 0),
        ("capabilities[1].capability", "once", |s| s.capabilities.push(s.capabilities[0])),
        ("capabilities", "at most 4", |s| s.capabilities = vec![s.capabilities[0]; 5]),
        ("capabilities[0].offered", "takes children", |s| {
            s.kind = pb::EmergencySiteKind::Paediatric.into();
            s.capabilities[0].capability = pb::EmergencyCapability::Paediatric.into();
        }),
    ];
    for (field, words, alter) in table {
        let mut message = site();
        alter(&mut message);
        assert_refused(|findings| emergency_site_from_proto(Some(message), ROOT, findings), field, words);
    }
}

/// The window of an exception, its ends changed over.
fn inverted(exception: &pb::DatedAccess) -> pb::Window {
    let pb::Window { start_at, end_at } = exception.window.unwrap();
    pb::Window { start_at: end_at, end_at: start_at }
}

#[test]
fn what_the_service_keeps_of_an_emergency_site_is_ignored_on_input() {
    let saturation = Some(window("2026-11-23T09:00:00Z", "2026-11-23T11:00:00Z"));
    let message = pb::EmergencySite { saturation, ..site() };
    let read = emergency_site_from_proto(Some(message), ROOT, &mut Findings::default()).unwrap();
    assert_eq!(read.saturation, None);
    let until = Window::new(at("2026-11-23T09:00:00Z"), at("2026-11-23T11:00:00Z")).unwrap();
    let saturated = EmergencySite { saturation: Some(until), ..read };
    assert_eq!(emergency_site_to_proto(&saturated, at("2026-11-23T10:00:00Z")).saturation, saturation);
    assert_eq!(
        emergency_site_to_proto(&saturated, at("2026-11-23T11:00:00Z")).saturation,
        None,
        "it ended by the clock"
    );
}

#[test]
fn every_wrong_field_is_reported_at_once() {
    let mut findings = Findings::default();
    let message = pb::Practitioner {
        practitioner_id: "x".into(),
        family_name: String::new(),
        languages: vec!["fr".into(), "1".into()],
        ..practitioner()
    };
    practitioner_from_proto(Some(message), ROOT.field("practitioner"), &mut findings);
    let fields: Vec<_> = findings.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["practitioner.practitioner_id", "practitioner.family_name", "practitioner.languages[1]"]);
}
