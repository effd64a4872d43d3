//! Facts about departments: the published radii, the spellings that are read, zones and centres.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::code::tests::published;

fn department(code: &str) -> Department {
    Department::parse(code).expect(code)
}

#[test]
fn departments_are_read_in_every_spelling_of_the_national_tables() {
    let samples = [
        ("4", "04"),
        ("04", "04"),
        (" 75 ", "75"),
        ("2A", "2A"),
        ("2b", "2B"),
        ("20A", "2A"),
        ("20b", "2B"),
        ("971", "971"),
        ("988", "988"),
    ];
    for (given, code) in samples {
        assert_eq!(department(given).code(), code, "{given}");
    }
}

#[test]
fn an_unknown_department_names_the_nearest_ones() {
    for given in ["", "0", "00", "20", "96", "004", "99", "970", "979", "984", "2C", "A", "é", "20AA"] {
        let refusal = Department::parse(given).expect_err(given);
        assert_eq!((refusal.list, refusal.nearest.len()), ("department", 3), "{given}");
    }
    let refusal = Department::parse("979").unwrap_err();
    assert_eq!(refusal.to_string(), "unknown department code `979`; nearest known: 971, 972, 973");
}

#[test]
fn every_department_is_there_once() {
    assert_eq!(Department::COUNT, 107);
    assert!(Department::ALL.windows(2).all(|pair| pair.first() < pair.last()));
    for known in Department::ALL {
        assert_eq!(Department::parse(known.code()), Ok(*known));
        assert_eq!(Department::from_index(known.index()), Some(*known));
        assert!(!known.name().is_empty());
    }
    assert_eq!(Department::from_index(107), None);
    // Corsica was department 20 until 1976 and keeps that place.
    let places = Department::ALL.iter().map(|known| known.code().replace("2A", "20A").replace("2B", "20B"));
    assert!(places.is_sorted(), "departments are in the order of their codes");
}

#[test]
fn the_default_radius_is_the_median_of_the_published_ones() {
    let mut radii: Vec<u16> = ROWS.iter().map(|row| row.radius_km).filter(|radius_km| *radius_km > 0).collect();
    radii.sort_unstable();
    assert_eq!(radii.len(), 99);
    assert_eq!(radii.get(49), Some(&DEFAULT_RADIUS_KM));
    let defaults: Vec<_> =
        Department::ALL.iter().filter(|known| known.search_radius().is_default).map(|known| known.code()).collect();
    assert_eq!(defaults, ["973", "975", "976", "977", "978", "986", "987", "988"]);
    let default = SearchRadius { radius_m: 20_000, step_m: 10_000, is_default: true };
    assert_eq!(department("976").search_radius(), default);
}

#[test]
fn radii_differ_between_town_and_country() {
    let samples = [("75", 5_000, 3_000), ("48", 50_000, 25_000), ("2A", 30_000, 15_000), ("974", 10_000, 5_000)];
    for (code, radius_m, step_m) in samples {
        let wanted = SearchRadius { radius_m, step_m, is_default: false };
        assert_eq!(department(code).search_radius(), wanted, "{code}");
    }
}

#[test]
fn radii_and_centres_are_the_published_ones() {
    let Some(rows) = published("moteur/sas_search_radius_2025.csv") else { return };
    assert_eq!(rows.len(), 101);
    let number = |row: &std::collections::HashMap<String, String>, column: &str| {
        row.get(column).and_then(|cell| cell.parse::<f64>().ok()).expect("a number")
    };
    for row in &rows {
        let known = department(row.get("code").expect("a code"));
        assert_eq!(Some(known.name()), row.get("label").map(String::as_str));
        let radius = known.search_radius();
        let radius_m = number(row, "cityDefaultRadius") * 1000.0;
        assert_eq!(radius.is_default, radius_m == 0.0, "{known}");
        if !radius.is_default {
            let step_m = number(row, "enlargementValue") * 1000.0;
            assert_eq!((f64::from(radius.radius_m), f64::from(radius.step_m)), (radius_m, step_m), "{known}");
        }
        let centre = (number(row, "barycentreCityLat"), number(row, "barycentreCityLon"));
        if centre != (0.0, 0.0) {
            assert_eq!(known.barycentre(), centre, "{known}");
        }
    }
}

#[test]
fn zones_are_the_published_ones() {
    let Some(rows) = published("moteur/timezones.csv") else { return };
    let mut zones: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let (prefix, zone) =
            (row.get("insee_prefix").expect("a prefix"), row.get("iana_zone_in_platform").expect("a zone"));
        zones.entry(prefix.clone()).or_default().push(zone.clone());
    }
    for known in Department::ALL {
        let default = vec!["Europe/Paris".to_owned()];
        let published = zones.get(known.code()).unwrap_or(&default);
        assert!(published.contains(&known.zone().name().to_owned()), "{known}");
    }
}

#[test]
fn overseas_clocks_are_not_those_of_paris() {
    let samples = [
        ("75", Tz::Europe__Paris),
        ("2B", Tz::Europe__Paris),
        ("974", Tz::Indian__Reunion),
        ("987", Tz::Pacific__Tahiti),
    ];
    for (code, zone) in samples {
        assert_eq!(department(code).zone(), zone);
    }
    let overseas = Department::ALL.iter().filter(|known| known.code().len() == 3);
    assert!(overseas.clone().all(|known| known.zone() != Tz::Europe__Paris));
    assert_eq!(overseas.count(), 11);
}

#[test]
fn a_point_is_in_the_department_of_the_nearest_centre() {
    let samples = [
        ("Notre-Dame de Paris", 48.853, 2.350, "75"),
        ("Mende", 44.518, 3.501, "48"),
        ("Ajaccio", 41.919, 8.739, "2A"),
        ("Saint-Denis de La Réunion", -20.882, 55.450, "974"),
        ("Cayenne", 4.922, -52.313, "973"),
        ("Nouméa", -22.276, 166.458, "988"),
        ("just east of the date line", -13.28, 179.9, "986"),
    ];
    for (place, latitude, longitude, code) in samples {
        assert_eq!(Department::nearest_to(latitude, longitude).code(), code, "{place}");
    }
    for known in Department::ALL {
        let (latitude, longitude) = known.barycentre();
        assert_eq!(Department::nearest_to(latitude, longitude), *known);
    }
}

proptest! {
    #[test]
    fn parse_never_panics_and_what_it_reads_round_trips(given in prop_oneof![any::<String>(), "[0-9ABab ]{0,4}"]) {
        if let Ok(known) = Department::parse(&given) {
            prop_assert_eq!(Department::parse(known.code()), Ok(known));
        }
    }

    #[test]
    fn any_two_numbers_have_a_nearest_department(latitude in any::<f64>(), longitude in any::<f64>()) {
        prop_assert!(Department::ALL.contains(&Department::nearest_to(latitude, longitude)));
    }
}
