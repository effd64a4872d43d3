//! The regulator's question.

use super::super::query::query_from_proto;
use super::{Findings, ROOT, assert_refused};
use crate::domain::code::{AppointmentTypeSet, CareLevel, ModalitySet, Priority, Role, Sex};
use crate::domain::query::CareQuery;
use crate::proto::routing as pb;

fn query() -> pb::CareQuery {
    pb::CareQuery { position: Some(pb::GeoPoint { latitude: 45.7, longitude: 4.88 }), ..pb::CareQuery::default() }
}

fn read(message: pb::CareQuery) -> CareQuery {
    let mut findings = Findings::default();
    let query = query_from_proto(Some(message), ROOT.field("query"), &mut findings);
    assert_eq!(findings.violations, []);
    query.unwrap()
}

#[test]
fn an_empty_query_takes_the_documented_defaults() {
    let query = read(query());
    let codes: Vec<_> = query.parts().specialties.iter().map(|specialty| specialty.code()).collect();
    assert_eq!(codes, ["SM26", "SM53", "SM54"], "general practice");
    assert_eq!((query.care_level(), query.priority()), (CareLevel::R3, Priority::P2));
    assert_eq!((query.sex(), query.role(), query.limit()), (Sex::Un, Role::Inconnu, 5));
    assert_eq!(query.parts().modalities, ModalitySet::ALL);
    assert_eq!(query.parts().appointment_types, AppointmentTypeSet::ALL);
}

#[test]
fn a_profession_alone_is_not_narrowed_to_general_practice() {
    let query = read(pb::CareQuery { professions: vec!["60".into()], ..query() });
    assert!(query.parts().specialties.is_empty());
}

#[test]
fn the_commune_gives_the_department_unless_it_is_given() {
    let table = [("75113", "", "75"), ("97411", "", "974"), ("2B033", "", "2B"), ("69259", "38", "38")];
    for (commune, department, expected) in table {
        let message = pb::CareQuery { commune_code: commune.into(), department: department.into(), ..query() };
        assert_eq!(read(message).parts().department.unwrap().code(), expected);
    }
}

#[test]
fn queries_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::CareQuery);
    let table: &[(&str, &str, Alter)] = &[
        ("query.case_id", "128", |q| q.case_id = "x".repeat(129)),
        ("query.position", "teleconsultation", |q| q.position = None),
        ("query.position", "not a number", |q| q.position.as_mut().unwrap().longitude = f64::NAN),
        ("query.position", "-90 to 90", |q| q.position.as_mut().unwrap().latitude = -90.1),
        ("query.commune_code", "INSEE", |q| q.commune_code = "69".into()),
        ("query.department", "nearest known", |q| q.department = "999".into()),
        ("query.care_level", "nearest known: R1", |q| q.care_level = "R11".into()),
        ("query.priority", "nearest known", |q| q.priority = "P9".into()),
        ("query.motive", "M03.14", |q| q.motive = "M03.144".into()),
        ("query.age", "P10Y", |q| q.age = "10".into()),
        ("query.sex", "nearest known", |q| q.sex = "X".into()),
        ("query.needed_within_minutes", "1 to 4320", |q| q.needed_within_minutes = Some(0)),
        ("query.specialties[0]", "SM54", |q| q.specialties = vec!["SM540".into()]),
        ("query.specialties", "at most 50", |q| q.specialties = vec!["SM54".into(); 51]),
        ("query.professions[1]", "nearest known", |q| q.professions = vec!["10".into(), "99".into()]),
        ("query.modalities[0]", "VR", |q| q.modalities = vec!["VRR".into()]),
        ("query.appointment_types[0]", "WALKIN", |q| q.appointment_types = vec!["WALK_IN".into()]),
        ("query.territory_ids[0]", "FINESS", |q| q.territory_ids = vec!["1".into()]),
        ("query.needs[0]", "NEED_WHEELCHAIR", |q| q.needs = vec![0]),
        ("query.languages[0]", "ISO 639-1", |q| q.languages = vec!["f".into()]),
        ("query.languages", "at most 10", |q| q.languages = vec!["fr".into(); 11]),
        ("query.radius_m", "100 to 300000", |q| q.radius_m = Some(99)),
        ("query.limit", "1 to 20", |q| q.limit = Some(21)),
        ("query.role", "MEDECIN", |q| q.role = "MEDECINE".into()),
    ];
    for (field, words, alter) in table {
        let mut message = query();
        alter(&mut message);
        assert_refused(|findings| query_from_proto(Some(message), ROOT.field("query"), findings), field, words);
    }
    assert_refused(|findings| query_from_proto(None, ROOT.field("query"), findings), "query", "missing");
}

#[test]
fn codes_ages_and_ranges_are_reported_together() {
    let mut findings = Findings::default();
    let message = pb::CareQuery { age: "ten".into(), limit: Some(0), sex: "?".into(), ..query() };
    assert!(query_from_proto(Some(message), ROOT.field("query"), &mut findings).is_none());
    let fields: Vec<_> = findings.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["query.age", "query.sex", "query.limit"]);
}

#[test]
fn an_escalation_needs_no_position() {
    read(pb::CareQuery { care_level: "R1".into(), ..pb::CareQuery::default() });
    read(pb::CareQuery { priority: "P0".into(), ..pb::CareQuery::default() });
    read(pb::CareQuery { modalities: vec!["VR".into()], ..pb::CareQuery::default() });
}
