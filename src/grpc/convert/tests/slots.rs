//! Slots and rows of batches.

use super::super::row::{replacement_rows_from_proto, rows_from_proto};
use super::super::slot::published_from_proto;
use super::{Findings, ROOT, assert_refused, at};
use crate::domain::code::AppointmentType;
use crate::proto::routing as pb;
use crate::service::PublishRow;

/// 2026-11-22T08:00:00Z.
const EIGHT: i64 = 1_795_334_400;

fn slot() -> pb::SlotInput {
    pb::SlotInput {
        slot_id: "slot-1".into(),
        schedule_id: "agenda-1".into(),
        window: Some(pb::Window { start_at: at(EIGHT), end_at: at(EIGHT + 900) }),
        modalities: vec!["AMB".into()],
        visibilities: vec!["PRO".into(), "SNP".into()],
        ..pb::SlotInput::default()
    }
}

#[test]
fn a_slot_takes_the_documented_defaults() {
    let read = published_from_proto(slot(), ROOT, &mut Findings::default()).unwrap();
    assert_eq!(read.capacity, 1);
    assert_eq!(read.traits.appointment_type, AppointmentType::Routine);
    assert!(read.traits.specialties.is_empty() && read.traits.territories.is_empty());
}

#[test]
fn slots_with_a_wrong_field_are_refused() {
    type Alter = fn(&mut pb::SlotInput);
    fn window(slot: &mut pb::SlotInput) -> &mut pb::Window {
        slot.window.as_mut().unwrap()
    }
    let table: &[(&str, &str, Alter)] = &[
        ("slot_id", "empty", |s| s.slot_id.clear()),
        ("schedule_id", "empty", |s| s.schedule_id.clear()),
        ("window", "missing", |s| s.window = None),
        ("window.end_at", "empty", |s| window(s).end_at = at(EIGHT)),
        ("window.end_at", "inverted", |s| window(s).end_at = at(EIGHT - 1)),
        ("window", "24 hours", |s| window(s).end_at = at(EIGHT + 86_401)),
        ("window.start_at", "missing", |s| window(s).start_at = None),
        ("window.start_at", "out of range", |s| window(s).start_at = at(i64::MAX)),
        ("window.start_at", "2000 to 2199", |s| window(s).start_at = at(0)),
        ("window.start_at", "nanoseconds", |s| window(s).start_at.as_mut().unwrap().nanos = -1),
        ("window.start_at", "nanoseconds", |s| window(s).start_at.as_mut().unwrap().nanos = 1_000_000_000),
        ("modalities", "AMB, VR, HH", |s| s.modalities.clear()),
        ("modalities[0]", "nearest known: AMB", |s| s.modalities = vec!["AMC".into()]),
        ("appointment_type", "ROUTINE", |s| s.appointment_type = "ROUTIN".into()),
        ("visibilities", "never guessed", |s| s.visibilities.clear()),
        ("visibilities[0]", "nearest known: PUBLIC", |s| s.visibilities = vec!["PUBLIQUE".into()]),
        ("capacity", "1 to 500", |s| s.capacity = Some(0)),
        ("capacity", "1 to 500", |s| s.capacity = Some(70_000)),
        ("specialties[0]", "SM54", |s| s.specialties = vec!["sm54".into()]),
        ("territory_ids[0]", "FINESS", |s| s.territory_ids = vec!["CPTS".into()]),
        ("motives", "at most 10", |s| s.motives = vec!["fièvre".into(); 11]),
        ("motives[0]", "1 to 200", |s| s.motives = vec!["x".repeat(201)]),
        ("booking_url", "at most 500", |s| s.booking_url = "x".repeat(501)),
    ];
    for (field, words, alter) in table {
        let mut message = slot();
        alter(&mut message);
        assert_refused(|findings| published_from_proto(message, ROOT, findings), field, words);
    }
}

#[test]
fn a_bad_row_never_takes_down_the_good_ones() {
    let bad = pb::SlotInput { slot_id: "bad".into(), capacity: Some(0), window: None, ..slot() };
    let rows = rows_from_proto(vec![slot(), bad, slot()]);
    assert!(matches!(rows[0], PublishRow::Parsed { .. }) && matches!(rows[2], PublishRow::Parsed { .. }));
    let PublishRow::Refused { slot_id, violations } = &rows[1] else { panic!("row 1 is refused") };
    let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!((slot_id.as_str(), fields), ("bad", vec!["rows[1].window", "rows[1].capacity"]));
}

#[test]
fn a_replacement_names_the_wrong_rows_all_at_once() {
    let mut findings = Findings::default();
    let inverted = Some(pb::Window { start_at: at(EIGHT), end_at: at(EIGHT - 1) });
    let rows =
        vec![pb::SlotInput { capacity: Some(0), ..slot() }, slot(), pb::SlotInput { window: inverted, ..slot() }];
    replacement_rows_from_proto(rows, &mut findings);
    let fields: Vec<_> = findings.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["rows[0].capacity", "rows[2].window.end_at"]);
}

#[test]
fn what_is_finer_than_a_millisecond_is_dropped() {
    let mut message = slot();
    message.window.as_mut().unwrap().start_at.as_mut().unwrap().nanos = 1_999_999;
    let read = published_from_proto(message, ROOT, &mut Findings::default()).unwrap();
    assert_eq!(read.window.start_at().ms(), EIGHT * 1_000 + 1);
}
