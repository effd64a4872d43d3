//! The roster format, case by case.

mod emergency;

use super::*;
use crate::cli::import::{ImportPlan, RowReport, Severity};

const HEADER: &str = "place_id;commune_code;practitioner_id;date;start;end;slot_minutes;modalities;visibilities";
/// A row without fault; its RPPS is invented and has a sound check digit.
const ROW: &str = "mmg;18033;10999000010;2026-01-05;08:00;09:00;30;AMB;SNP";

fn read(text: &str) -> ImportPlan {
    parse_roster(text.as_bytes(), &ImportOptions::default()).unwrap()
}

pub(super) fn read_rows(rows: &str) -> ImportPlan {
    read(&format!("{HEADER}\n{rows}"))
}

/// Reads one row of extra columns beside the needed ones.
fn read_with(columns: &str, values: &str) -> ImportPlan {
    read(&format!("{HEADER};{columns}\n{ROW};{values}\n"))
}

/// Severity, line, field and reason of the findings that are not `OK`; place findings of the position left out.
fn faults(plan: &ImportPlan) -> Vec<(Severity, String, &str, &str)> {
    let told = |report: &&RowReport| {
        report.severity != Severity::Ok
            && !["NO_POSITION", "APPROXIMATE_POSITION", "NO_NAME"].contains(&&*report.reason)
    };
    let reports = plan.row_reports.iter().filter(told);
    reports.map(|report| (report.severity, report.origin.to_string(), &*report.field, &*report.reason)).collect()
}

fn starts(plan: &ImportPlan) -> Vec<String> {
    plan.slots.iter().map(|slot| slot.window.start_at().to_chrono().format("%dT%H:%MZ").to_string()).collect()
}

#[test]
fn a_row_is_cut_into_slots_with_stable_names() {
    let plan = read_rows(ROW);
    assert_eq!(faults(&plan), []);
    let ids: Vec<_> = plan.slots.iter().map(|slot| slot.input.slot_id.as_str()).collect();
    assert_eq!(ids, ["10999000010@mmg/20260105T070000Z/AMB", "10999000010@mmg/20260105T073000Z/AMB"]);
    assert_eq!(plan.schedules[0].message.practitioner_id, "810999000010");
    assert_eq!(plan.schedules[0].message.place_id, "mmg");
    assert_eq!(plan.slots[0].input.capacity, Some(1));
    assert_eq!(plan.slots[0].input.appointment_type, "ROUTINE");
    assert_eq!(plan, read_rows(ROW), "the same bytes give the same plan");
}

#[test]
fn separator_mark_line_ends_order_and_comments_do_not_matter() {
    let commas = format!("# comment\r\n{}\r\n\r\n{}\r\n", HEADER.replace(';', ","), ROW.replace(';', ","));
    assert_eq!(read(&commas).slots.len(), 2);
    let marked = format!("\u{feff}{HEADER}\n{ROW}");
    assert_eq!(read(&marked).slots.len(), 2);
    let quoted = format!("{HEADER};address\n{ROW};\"4; rue \"\"Moyenne\"\"\"\n");
    assert_eq!(read(&quoted).places[0].message.address, "4; rue \"Moyenne\"");
}

#[test]
fn a_bad_row_never_takes_down_the_good_ones() {
    let cells = |change: fn(&mut Vec<&str>)| {
        let mut cells: Vec<&str> = ROW.split(';').collect();
        change(&mut cells);
        cells.join(";")
    };
    let table = [
        (cells(|row| row[0] = ""), "place_id", "MISSING_VALUE"),
        (cells(|row| row[1] = "20033"), "commune_code", "INVALID_VALUE"),
        (cells(|row| row[2] = "12"), "practitioner_id", "INVALID_VALUE"),
        (cells(|row| row[2] = ""), "practitioner_id", "MISSING_VALUE"),
        (cells(|row| row[3] = "05/01/2026"), "date", "INVALID_VALUE"),
        (cells(|row| row[3] = "1999-12-30"), "date", "INVALID_VALUE"),
        (cells(|row| row[4] = "8h"), "start", "INVALID_VALUE"),
        (cells(|row| row[4] = "24:00"), "start", "INVALID_VALUE"),
        (cells(|row| (row[4], row[5]) = ("18:00", "18:00")), "end", "INVALID_VALUE"),
        (cells(|row| (row[4], row[5]) = ("18:00", "08:30")), "end", "INVALID_VALUE"),
        (cells(|row| row[5] = ""), "end", "MISSING_VALUE"),
        (cells(|row| row[6] = "4"), "slot_minutes", "INVALID_VALUE"),
        (cells(|row| row[6] = "90"), "slot_minutes", "INVALID_VALUE"),
        (cells(|row| row[7] = "AMV"), "modalities", "UNKNOWN_CODE"),
        (cells(|row| row[7] = "|"), "modalities", "MISSING_VALUE"),
        (cells(|row| row[8] = ""), "visibilities", "MISSING_VALUE"),
        (cells(|row| row[8] = "ALL"), "visibilities", "UNKNOWN_CODE"),
        (cells(|row| row.truncate(8)), "", "MALFORMED_ROW"),
        (cells(|row| row.push("x")), "", "MALFORMED_ROW"),
        (cells(|row| row[8] = "\"SNP"), "", "MALFORMED_ROW"),
    ];
    for (bad, field, reason) in table {
        let plan = read_rows(&format!("{bad}\n{}", ROW.replace("mmg", "good")));
        assert_eq!(faults(&plan), [(Severity::Refused, "line 2".to_owned(), field, reason)], "{bad}");
        assert_eq!(plan.slots.len(), 2, "{bad}");
        assert_eq!(plan.places.len(), 1, "nothing of a refused row is sent: {bad}");
    }
}

#[test]
fn every_fault_of_a_row_is_named_at_once() {
    let plan = read_rows("mmg;18033;12;x;25:00;;30;Z;\n");
    let fields: Vec<_> = faults(&plan).into_iter().map(|(_, _, field, _)| field.to_owned()).collect();
    assert_eq!(fields, ["practitioner_id", "date", "start", "end", "modalities", "visibilities"]);
}

#[test]
fn text_that_is_not_utf_8_is_named_with_row_and_column() {
    let bytes = [
        format!("{HEADER};city\n{ROW};Valen").into_bytes(),
        b"\xe7ay\n".to_vec(),
        format!("{ROW};Bourges").into_bytes(),
    ];
    let plan = parse_roster(&bytes.concat(), &ImportOptions::default()).unwrap();
    assert_eq!(faults(&plan), [(Severity::Refused, "line 2".to_owned(), "city", "ENCODING")]);
    assert_eq!(plan.slots.len(), 2);
    assert_eq!(parse_roster(b"pl\xe9ce", &ImportOptions::default()), Err(ImportError::HeaderEncoding));
}

#[test]
fn missing_doubled_and_unknown_columns_are_named() {
    let error = |text: &str| parse_roster(text.as_bytes(), &ImportOptions::default()).unwrap_err();
    assert_eq!(error(""), ImportError::NoHeader);
    assert_eq!(error("\n# only a comment\n"), ImportError::NoHeader);
    assert_eq!(error("place_id;date;DATE"), ImportError::DuplicateColumn("date".to_owned()));
    let missing = error("place_id;date;start").to_string();
    assert!(
        missing.starts_with("the header lacks end, modalities, visibilities, practitioner_id or structure_id:"),
        "{missing}"
    );
    assert!(error("kind;date").to_string().starts_with("the header lacks place_id:"));
    let plan = read_with("langages;", "fr;");
    assert_eq!(faults(&plan), [(Severity::Warning, "line 1".to_owned(), "langages", "UNKNOWN_COLUMN")]);
    assert!(plan.row_reports[0].message.contains("`languages`") || plan.row_reports[0].message.ends_with("languages"));
}

#[test]
fn the_documentation_names_every_column() {
    let documentation = include_str!("../ROSTER.md");
    for column in Column::ALL {
        assert!(documentation.contains(&format!("`{}`", column.name())), "{}", column.name());
    }
}

#[test]
fn an_end_before_the_start_is_on_the_next_morning() {
    let table = [
        ("20:00;00:30", ["05T19:00Z", "05T23:30Z"]),
        ("20:00;24:00", ["05T19:00Z", "05T23:00Z"]),
        ("08:00;08:30", ["05T07:00Z", "05T07:30Z"]),
    ];
    for (times, [start, end]) in table {
        let plan = read_rows(&format!("mmg;18033;10999000010;2026-01-05;{times};;AMB;SNP"));
        assert_eq!(plan.count(Severity::Refused), 0, "{times}");
        assert_eq!(starts(&plan), [start], "{times}");
        let end_at = plan.slots[0].window.end_at().to_chrono();
        assert_eq!(end_at.format("%dT%H:%MZ").to_string(), end, "{times}");
    }
}

#[test]
fn local_times_are_those_of_the_place() {
    let start = |header: &str, values: &str| {
        let text = format!("place_id;practitioner_id;date;start;end;modalities;visibilities;{header}\n");
        let plan = read(&format!("{text}p;10999000010;2026-01-05;08:00;09:00;AMB;SNP;{values}\n"));
        (starts(&plan).concat(), plan.places[0].message.time_zone.clone())
    };
    let table = [
        ("commune_code", "97411", "05T04:00Z", "Indian/Reunion"),
        ("postal_code", "97200", "05T12:00Z", "America/Martinique"),
        ("postal_code", "20000", "05T07:00Z", "Europe/Paris"),
        ("time_zone", "Pacific/Marquesas", "05T17:30Z", "Pacific/Marquesas"),
        ("latitude;longitude", "-21,1;55.5", "05T04:00Z", "Indian/Reunion"),
    ];
    for (header, values, at, zone) in table {
        assert_eq!(start(header, values), (at.to_owned(), zone.to_owned()), "{header} {values}");
    }
}

#[test]
fn a_place_that_tells_no_zone_is_taken_to_be_in_paris_with_a_warning() {
    let plan = read(
        "place_id;practitioner_id;date;start;end;modalities;visibilities\np;10999000010;2026-01-05;08:00;09:00;AMB;SNP",
    );
    assert_eq!(faults(&plan), [(Severity::Warning, "line 2".to_owned(), "commune_code", "ASSUMED_ZONE")]);
    assert_eq!(starts(&plan), ["05T07:00Z"]);
}

#[test]
fn changes_of_the_clocks_neither_lose_nor_double_a_slot() {
    let table = [
        // The night of spring: 02:00 to 03:00 does not exist.
        ("2026-03-29;01:00;04:00;30", 4, None),
        ("2026-03-29;02:30;04:00;30", 1, Some(("start", "CLOCK_GAP"))),
        // The night of autumn: 02:00 to 03:00 happens twice.
        ("2026-10-25;01:00;04:00;30", 8, None),
        ("2026-10-25;02:30;04:00;30", 5, Some(("start", "CLOCK_OVERLAP"))),
        ("2026-10-25;00:00;24:00;60", 25, None),
    ];
    for (times, count, fault) in table {
        let plan = read_rows(&format!("mmg;18033;10999000010;{times};AMB;SNP"));
        let found: Vec<_> =
            faults(&plan).into_iter().map(|(_, _, field, reason)| (field.to_owned(), reason.to_owned())).collect();
        let expected: Vec<_> = fault.into_iter().map(|(field, reason)| (field.to_owned(), reason.to_owned())).collect();
        assert_eq!((plan.slots.len(), found), (count, expected), "{times}");
    }
}

#[test]
fn a_whole_day_of_25_hours_must_be_cut() {
    let plan = read_rows("mmg;18033;10999000010;2026-10-25;00:00;24:00;;AMB;SNP");
    assert_eq!(faults(&plan), [(Severity::Refused, "line 2".to_owned(), "end", "TOO_LONG")]);
}

#[test]
fn a_long_slot_with_appointment_is_doubted() {
    let rows = |hours: &str, kind: &str| {
        let header = format!("{HEADER};appointment_type");
        let plan = read(&format!("{header}\nmmg;18033;10999000010;2026-01-05;{hours};AMB;SNP;{kind}"));
        faults(&plan).first().map(|fault| fault.3.to_owned())
    };
    assert_eq!(rows("08:00;12:00;", ""), None);
    assert_eq!(rows("08:00;12:01;", ""), Some("OFFERED_BEFORE_START".to_owned()));
    assert_eq!(rows("08:00;20:00;", "WALKIN"), None);
    assert_eq!(rows("08:00;20:00;30", ""), None);
}

#[test]
fn a_remainder_is_named_and_not_offered() {
    let plan = read_rows("mmg;18033;10999000010;2026-01-05;08:00;09:10;30;AMB;SNP");
    assert_eq!(faults(&plan), [(Severity::Warning, "line 2".to_owned(), "slot_minutes", "REMAINDER")]);
    assert_eq!(plan.slots.len(), 2);
}

#[test]
fn an_opening_in_two_territories_is_one_capacity() {
    let plan = read_with("territory_id;territory_name;capacity", "369990015|1369990023;CPTS A|CPTS B;7");
    assert_eq!(faults(&plan), []);
    assert_eq!(plan.slots.len(), 2, "two slots of half an hour, not four");
    assert_eq!(plan.schedules[0].message.territory_ids, ["1369990015", "1369990023"]);
    assert_eq!(plan.slots[0].input.territory_ids, Vec::<String>::new(), "left to the schedule");
    let names: Vec<_> = plan.territories.iter().map(|territory| territory.message.name.as_str()).collect();
    assert_eq!(names, ["CPTS A", "CPTS B"]);
}

#[test]
fn a_slot_offered_by_part_of_its_schedules_territories_says_so() {
    let header = format!("{HEADER};territory_id");
    let plan = read(&format!(
        "{header}\n{ROW};369990015|369990023\n{};369990015\n",
        ROW.replace("08:00;09:00", "10:00;11:00")
    ));
    let own: Vec<_> = plan.slots.iter().map(|slot| slot.input.territory_ids.len()).collect();
    assert_eq!(own, [0, 0, 1, 1]);
}

#[test]
fn a_structure_that_decides_later_has_a_schedule_without_professional() {
    let plan = read(
        "place_id;commune_code;structure_id;date;start;end;modalities;visibilities;capacity;specialties;appointment_type\n\
         sos;18033;99900000000011;2026-01-05;20:00;08:00;HH;SNP;6;SM54;WALKIN\n",
    );
    assert_eq!(faults(&plan), []);
    let schedule = &plan.schedules[0].message;
    assert_eq!((schedule.schedule_id.as_str(), schedule.practitioner_id.as_str()), ("99900000000011@sos", ""));
    assert_eq!(schedule.specialties, ["SM54"]);
    assert_eq!(plan.places[0].message.structure_id, "399900000000011");
    assert_eq!(plan.slots[0].input.capacity, Some(6));
}

#[test]
fn ages_are_whole_years_months_weeks_or_days_with_both_ends() {
    let table = [
        ("15;17", Some(5_478), Some(6_573)),
        (";P23M", None, Some(729)),
        ("P28D;P3M", Some(28), Some(120)),
        (";P6W", None, Some(48)),
        (";999", None, Some(364_884)),
    ];
    for (ages, min, max) in table {
        let plan = read_with("min_age;max_age", ages);
        assert_eq!(faults(&plan), [], "{ages}");
        let schedule = &plan.schedules[0].message;
        assert_eq!((schedule.min_age_days, schedule.max_age_days), (min, max), "{ages}");
    }
    for ages in ["15 ans;", ";P1", "18;15", "-1;"] {
        assert_eq!(read_with("min_age;max_age", ages).slots.len(), 0, "{ages}");
    }
}

#[test]
fn openings_for_other_patients_need_a_schedule_of_their_own() {
    let header = format!("{HEADER};max_age;schedule_id");
    let later = ROW.replace("08:00;09:00", "10:00;11:00");
    let plan = read(&format!("{header}\n{ROW};;\n{later};P23M;\n{later};P23M;nourrissons\n"));
    assert_eq!(faults(&plan), [(Severity::Refused, "line 3".to_owned(), "schedule_id", "CONFLICT")]);
    assert_eq!(plan.schedules.len(), 2);
}

#[test]
fn blanks_are_as_on_another_line_and_differences_are_named() {
    let header = format!("{HEADER};place_name;family_name;latitude;longitude");
    let (second, third) = (ROW.replace("08:00;09:00", "10:00;11:00"), ROW.replace("08:00;09:00", "12:00;13:00"));
    let plan = read(&format!("{header}\n{ROW};Cabinet;Tilleul;47.08;2.40\n{second};;;;\n{third};Maison;;;\n"));
    assert_eq!(faults(&plan), [(Severity::Warning, "line 4".to_owned(), "place_id", "CONFLICT")]);
    assert_eq!(plan.places[0].message.name, "Cabinet");
    assert_eq!(plan.practitioners[0].message.family_name, "Tilleul");
}

#[test]
fn the_same_opening_twice_is_refused_the_second_time() {
    let plan = read_rows(&format!("{ROW}\n{ROW}\n"));
    assert_eq!(plan.slots.len(), 2);
    assert!(faults(&plan).iter().all(|fault| *fault == (Severity::Refused, "line 3".to_owned(), "", "DUPLICATE_SLOT")));
}

#[test]
fn codes_phones_and_languages_are_read_or_named() {
    let plan = read_with(
        "specialties;languages;phone;wheelchair;accepted_sexes",
        "SM54|SM40;fr|AR|klingon;02 61 91 00 01;yes;F",
    );
    assert_eq!(faults(&plan), [(Severity::Warning, "line 2".to_owned(), "languages", "INVALID_VALUE")]);
    assert_eq!(plan.practitioners[0].message.specialties, ["SM54", "SM40"]);
    assert_eq!(plan.practitioners[0].message.languages, ["fr", "ar"]);
    assert_eq!(plan.places[0].message.phone, "+33261910001");
    assert_eq!(plan.places[0].message.needs[0].met(), pb::Knowledge::Yes);
    assert_eq!(plan.schedules[0].message.accepted_sexes, ["F"]);
    assert_eq!(plan.slots[0].input.specialties, Vec::<String>::new(), "left to the professional");
    assert_eq!(faults(&read_with("specialties", "SM5"))[0].3, "UNKNOWN_CODE");
}

#[test]
fn a_failed_check_digit_is_a_warning() {
    let plan = read_rows(&ROW.replace("10999000010", "10999000011"));
    assert_eq!(faults(&plan), [(Severity::Warning, "line 2".to_owned(), "practitioner_id", "CHECK_DIGIT")]);
    assert_eq!(plan.slots.len(), 2);
}

#[test]
fn a_place_without_position_is_named_once_unless_its_position_is_given() {
    let later = ROW.replace("08:00;09:00", "10:00;11:00");
    let text = format!("{HEADER}\n{ROW}\n{later}\n");
    let positions = |plan: &ImportPlan| plan.row_reports.iter().filter(|report| report.reason == "NO_POSITION").count();
    assert_eq!(positions(&read(&text)), 1);
    let mut options = ImportOptions::for_source("vendor");
    options.positions.add_place("mmg=47.08,2.40").unwrap();
    let plan = parse_roster(text.as_bytes(), &options).unwrap();
    assert_eq!(positions(&plan), 0);
    assert_eq!(plan.places[0].message.place_id, "vendor:mmg");
    assert_eq!(plan.schedules[0].message.schedule_id, "vendor:10999000010@mmg");
    assert_eq!(plan.schedules[0].message.source_id, "vendor");
}

#[test]
fn all_or_nothing_leaves_nothing_when_a_row_is_refused() {
    let plan = read_rows(&format!("{ROW}\nx\n")).all_or_nothing();
    assert!(plan.is_empty());
    assert_eq!(plan.row_reports.last().unwrap().reason, "ALL_OR_NOTHING");
    let whole = read_rows(ROW);
    assert_eq!(whole.clone().all_or_nothing(), whole);
}

#[test]
fn the_fixture_shows_the_format() {
    let plan = read(include_str!("../../../../tests/fixtures/roster.csv"));
    assert_eq!(faults(&plan), []);
    assert_eq!((plan.schedules.len(), plan.slots.len(), plan.emergency_sites.len()), (2, 9, 1));
    let bad = read(include_str!("../../../../tests/fixtures/roster-with-faults.csv"));
    assert_eq!((bad.slots.len(), bad.count(Severity::Refused), bad.count(Severity::Ok)), (4, 2, 1));
}
