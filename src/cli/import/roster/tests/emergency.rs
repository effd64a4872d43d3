//! Rows of emergency departments and SMUR bases.

use super::{faults, read};
use crate::proto::routing as pb;

#[test]
fn emergency_sites_are_rows_too() {
    let header = "kind;place_id;place_name;commune_code;latitude;longitude;phone;weekly_access";
    let plan = read(&format!(
        "{header}\n\
         emergency_department;sau;SAU – CH de Bourges;18033;47.07;2.37;;daily 08:00-20:00 open|daily 20:00-08:00 regulated\n\
         smur;smur;SMUR – Bourges;18033;47.07;2.37;;\n\
         paediatric_emergency;ped;;18033;47.07;2.37;;\n\
         smur;none;SMUR;18033;;;;\n\
         clinic;x;X;18033;47.07;2.37;;\n\
         smur;bad;SMUR;18033;47.07;2.37;;always\n"
    ));
    let refused: Vec<_> = faults(&plan).into_iter().map(|(_, origin, field, _)| (origin, field.to_owned())).collect();
    let expected = [("line 4", "place_name"), ("line 5", "latitude"), ("line 6", "kind"), ("line 7", "weekly_access")];
    assert_eq!(refused, expected.map(|(origin, field)| (origin.to_owned(), field.to_owned())));
    let site = &plan.emergency_sites[0].message;
    assert_eq!((site.kind(), site.department.as_str()), (pb::EmergencySiteKind::Department, "18"));
    assert_eq!(site.weekly_access.len(), 14);
    assert_eq!(plan.emergency_sites[1].message.kind(), pb::EmergencySiteKind::Smur);
}

#[test]
fn emergency_sites_state_holidays_exceptions_and_capabilities() {
    let header = "kind;place_id;place_name;commune_code;latitude;longitude;weekly_access;holiday_access;dated_access;capabilities";
    let plan = read(&format!(
        "{header}\n\
         emergency_department;sau;SAU;97411;-20.9;55.5;;08:00-20:00 open|20:00-08:00 regulated;2026-12-24T20:00/2026-12-26T08:00 closed;paediatric|no-obstetric\n\
         smur;a;A;18033;47.07;2.37;daily open|sun closed;;;\n\
         smur;b;B;18033;47.07;2.37;;closed|08:00-09:00 open;;\n\
         smur;c;C;18033;47.07;2.37;;;2026-12-26T08:00/2026-12-24T20:00 closed;\n\
         smur;d;D;18033;47.07;2.37;;;2026-12-24T08:00/2026-12-26T20:00 open|2026-12-25T08:00/2026-12-27T20:00 closed;\n\
         smur;e;E;18033;47.07;2.37;;;;adult|no-adult\n\
         smur;f;F;18033;47.07;2.37;;;;dental\n"
    ));
    let refused: Vec<_> = faults(&plan).into_iter().map(|(_, origin, field, _)| (origin, field.to_owned())).collect();
    let expected = [
        ("line 3", "weekly_access"),
        ("line 4", "holiday_access"),
        ("line 5", "dated_access"),
        ("line 6", "dated_access"),
        ("line 7", "capabilities"),
        ("line 8", "capabilities"),
    ];
    assert_eq!(refused, expected.map(|(origin, field)| (origin.to_owned(), field.to_owned())));
    let site = &plan.emergency_sites[0].message;
    let hours: Vec<_> = site.holiday_access.iter().map(|rule| (rule.start_minute, rule.end_minute)).collect();
    assert_eq!(hours, [(480, 1_200), (1_200, 1_920)]);
    let begins = site.dated_access[0].window.unwrap().start_at.unwrap();
    assert_eq!(begins.seconds, 1_798_128_000, "16:00 UTC is 20:00 on Réunion");
    let stated: Vec<_> = site.capabilities.iter().map(|answer| (answer.capability(), answer.offered())).collect();
    let expected = [
        (pb::EmergencyCapability::Paediatric, pb::Knowledge::Yes),
        (pb::EmergencyCapability::Obstetric, pb::Knowledge::No),
    ];
    assert_eq!(stated, expected);
}
