//! Access by the clock: nights, clock changes, holidays, exceptions, and what holds for any rules.

use chrono::Timelike as _;
use chrono_tz::Tz;
use proptest::prelude::*;

use super::super::{
    AccessRules, Capabilities, DatedAccess, EmergencySiteKind, HolidayAccess, WeeklyAccess, dated_contradictions,
    weekly_contradictions,
};
use super::*;
use crate::domain::department::Department;
use crate::domain::geo::GeoPoint;
use crate::domain::id::EmergencySiteId;
use EmergencyAccess::{Closed, Open, Regulated};

fn site_in(department: &str, zone: Tz, rules: AccessRules) -> EmergencySite {
    EmergencySite {
        id: EmergencySiteId::parse("sau-1").unwrap(),
        name: "CH de Bourges".into(),
        kind: EmergencySiteKind::Department,
        position: GeoPoint::new(47.08, 2.4).unwrap(),
        structure: None,
        department: Department::parse(department).unwrap(),
        phone: None,
        zone,
        rules,
        capabilities: Capabilities::UNKNOWN,
        saturation: None,
    }
}

fn site(weekly: Vec<WeeklyAccess>) -> EmergencySite {
    site_in("18", Tz::Europe__Paris, AccessRules { weekly, ..AccessRules::default() })
}

fn at(text: &str) -> UtcInstant {
    UtcInstant::parse_rfc3339(text).unwrap()
}

fn weekly(weekday: u32, start: u32, end: u32, access: EmergencyAccess) -> WeeklyAccess {
    WeeklyAccess::new(weekday, start, end, access).unwrap()
}

/// A rule for every day of the week.
fn daily(start: u32, end: u32, access: EmergencyAccess) -> Vec<WeeklyAccess> {
    (1..=7).map(|weekday| weekly(weekday, start, end, access)).collect()
}

fn holiday(start: u32, end: u32, access: EmergencyAccess) -> HolidayAccess {
    HolidayAccess { hours: DayHours::new(start, end).unwrap(), access }
}

fn dated(from: &str, until: &str, access: EmergencyAccess) -> DatedAccess {
    DatedAccess { window: Window::new(at(from), at(until)).unwrap(), access }
}

#[test]
fn a_site_without_rules_is_always_open() {
    let site = site(vec![]);
    assert_eq!(site.access_at(at("2026-11-22T03:00:00Z")), Open);
    assert_eq!(site.access_changes_at(at("2026-11-22T03:00:00Z")), None);
}

#[test]
fn a_night_rule_runs_past_midnight_and_past_sunday() {
    let site = site(vec![weekly(7, 20 * 60, 32 * 60, Regulated)]);
    assert_eq!(site.access_at(at("2026-11-22T19:59:59+01:00")), Closed);
    assert_eq!(site.access_at(at("2026-11-22T20:00:00+01:00")), Regulated);
    assert_eq!(site.access_at(at("2026-11-23T07:59:59+01:00")), Regulated);
    assert_eq!(site.access_at(at("2026-11-23T08:00:00+01:00")), Closed);
    assert_eq!(site.access_changes_at(at("2026-11-22T21:00:30+01:00")), Some(at("2026-11-23T08:00:00+01:00")));
    assert_eq!(site.access_changes_at(at("2026-11-23T08:00:00+01:00")), Some(at("2026-11-29T20:00:00+01:00")));
}

#[test]
fn a_rule_keeps_its_local_hour_when_the_clocks_change() {
    let site = site(vec![weekly(6, 20 * 60, 32 * 60, Open)]);
    assert_eq!(site.access_changes_at(at("2026-10-24T21:00:00+02:00")), Some(at("2026-10-25T08:00:00+01:00")));
    assert_eq!(site.access_changes_at(at("2026-03-28T21:00:00+01:00")), Some(at("2026-03-29T08:00:00+02:00")));
}

#[test]
fn an_hour_that_the_clocks_repeat_does_not_reopen_a_site() {
    let site = site(vec![weekly(6, 20 * 60, 26 * 60 + 30, Open), weekly(7, 150, 180, Regulated)]);
    assert_eq!(site.access_at(at("2026-10-25T02:29:00+02:00")), Open);
    assert_eq!(site.access_at(at("2026-10-25T02:30:00+02:00")), Regulated);
    assert_eq!(site.access_at(at("2026-10-25T02:10:00+01:00")), Regulated, "the second time that clocks show 02:10");
    assert_eq!(site.access_at(at("2026-10-25T02:59:59+01:00")), Regulated);
    assert_eq!(site.access_at(at("2026-10-25T03:00:00+01:00")), Closed);
}

#[test]
fn an_hour_that_the_clocks_leave_out_opens_nothing() {
    let site =
        site(vec![weekly(6, 20 * 60, 26 * 60 + 30, Open), weekly(7, 150, 180, Regulated), weekly(7, 180, 480, Open)]);
    assert_eq!(site.access_at(at("2026-03-29T01:59:59+01:00")), Open);
    assert_eq!(site.access_at(at("2026-03-29T03:00:00+02:00")), Open);
    assert_eq!(site.access_changes_at(at("2026-03-28T21:00:00+01:00")), Some(at("2026-03-29T08:00:00+02:00")));
}

#[test]
fn rules_are_local_time_overseas() {
    let days = || AccessRules { weekly: daily(480, 1_200, Open), ..AccessRules::default() };
    let table = [
        ("974", Tz::Indian__Reunion, "2026-11-23T04:00:00Z", "2026-11-23T16:00:00Z"),
        ("972", Tz::America__Martinique, "2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z"),
        ("973", Tz::America__Cayenne, "2026-11-23T11:00:00Z", "2026-11-23T23:00:00Z"),
        ("988", Tz::Pacific__Noumea, "2026-11-22T21:00:00Z", "2026-11-23T09:00:00Z"),
        ("987", Tz::Pacific__Marquesas, "2026-11-23T17:30:00Z", "2026-11-24T05:30:00Z"),
        ("975", Tz::America__Miquelon, "2026-07-01T10:00:00Z", "2026-07-01T22:00:00Z"),
    ];
    for (department, zone, opens, closes) in table {
        let site = site_in(department, zone, days());
        assert_eq!(site.access_at(at(opens).plus_ms(-1)), Closed, "{zone}");
        assert_eq!(site.access_at(at(opens)), Open, "{zone}");
        assert_eq!(site.access_changes_at(at(opens)), Some(at(closes)), "{zone}");
        assert_eq!(site.access_at(at(closes)), Closed, "{zone}");
    }
}

#[test]
fn a_holiday_has_rules_of_its_own_in_the_departments_that_keep_it() {
    let rules =
        || AccessRules { weekly: daily(480, 1_200, Open), holidays: vec![holiday(600, 720, Regulated)], dated: vec![] };
    // 26 December 2026 is a Saturday.
    let strasbourg = site_in("67", Tz::Europe__Paris, rules());
    let nancy = site_in("54", Tz::Europe__Paris, rules());
    let morning = at("2026-12-26T11:00:00+01:00");
    assert_eq!((strasbourg.access_at(morning), nancy.access_at(morning)), (Regulated, Open));
    let afternoon = at("2026-12-26T15:00:00+01:00");
    assert_eq!((strasbourg.access_at(afternoon), nancy.access_at(afternoon)), (Closed, Open));
    assert_eq!(strasbourg.access_changes_at(afternoon), Some(at("2026-12-27T08:00:00+01:00")));
    let reunion = site_in("974", Tz::Indian__Reunion, rules());
    assert_eq!(reunion.access_at(at("2026-12-20T15:00:00+04:00")), Closed);
    // In Paris it is still the nineteenth.
    assert_eq!(reunion.access_at(at("2026-12-20T00:30:00+04:00").plus_minutes(60 * 10)), Regulated);
    assert_eq!(site_in("75", Tz::Europe__Paris, rules()).access_at(at("2026-12-20T15:00:00+01:00")), Open);
}

#[test]
fn a_site_that_is_always_open_but_on_holidays_says_when_it_closes() {
    let rules = AccessRules { weekly: vec![], holidays: vec![holiday(480, 1_200, Regulated)], dated: vec![] };
    let site = site_in("18", Tz::Europe__Paris, rules);
    assert_eq!(site.access_at(at("2026-12-24T23:59:59+01:00")), Open);
    assert_eq!(site.access_at(at("2026-12-25T00:00:00+01:00")), Closed);
    assert_eq!(site.access_changes_at(at("2026-12-22T10:00:00+01:00")), Some(at("2026-12-25T00:00:00+01:00")));
    assert_eq!(site.access_changes_at(at("2026-12-25T21:00:00+01:00")), Some(at("2026-12-26T00:00:00+01:00")));
    assert_eq!(site.access_changes_at(at("2026-11-20T10:00:00+01:00")), None, "not within two weeks");
}

#[test]
fn a_night_of_the_eve_runs_into_the_holiday_until_its_own_rules_begin() {
    let rules = AccessRules {
        weekly: daily(1_260, 1_980, Open),
        holidays: vec![holiday(480, 1_920, Regulated)],
        dated: vec![],
    };
    let site = site_in("18", Tz::Europe__Paris, rules);
    assert_eq!(site.access_at(at("2026-12-25T07:59:59+01:00")), Open);
    assert_eq!(site.access_at(at("2026-12-25T08:00:00+01:00")), Regulated);
    assert_eq!(site.access_at(at("2026-12-26T07:59:59+01:00")), Regulated, "its own night runs into the day after");
    assert_eq!(site.access_at(at("2026-12-26T08:00:00+01:00")), Closed, "there was no weekly night");
}

#[test]
fn an_exception_takes_precedence_and_a_closed_site_says_until_when() {
    let closed = dated("2026-12-24T20:00:00+01:00", "2027-01-20T08:00:00+01:00", Closed);
    let rules =
        AccessRules { weekly: daily(480, 1_200, Open), holidays: vec![holiday(0, 1_440, Open)], dated: vec![closed] };
    let site = site_in("18", Tz::Europe__Paris, rules);
    assert_eq!(site.access_at(at("2026-12-25T12:00:00+01:00")), Closed);
    assert_eq!(site.access_changes_at(at("2026-12-25T12:00:00+01:00")), Some(at("2027-01-20T08:00:00+01:00")));
    let night = dated("2026-12-24T20:00:00+01:00", "2027-01-20T05:00:00+01:00", Closed);
    let ends_at_night =
        EmergencySite { rules: AccessRules { dated: vec![night], ..site.rules.clone() }, ..site.clone() };
    let changes_at = ends_at_night.access_changes_at(at("2026-12-28T12:00:00+01:00"));
    assert_eq!(changes_at, Some(at("2027-01-20T08:00:00+01:00")), "it does not open when the exception ends at night");
    let open = site_in("18", Tz::Europe__Paris, AccessRules { dated: vec![closed], ..AccessRules::default() });
    assert_eq!(open.access_changes_at(at("2026-11-01T12:00:00+01:00")), Some(at("2026-12-24T20:00:00+01:00")));
}

fn any_access() -> impl Strategy<Value = EmergencyAccess> {
    prop::sample::select(EmergencyAccess::ALL.to_vec())
}

fn any_weekly() -> impl Strategy<Value = Vec<WeeklyAccess>> {
    let rule = (1u32..=7, 0u32..1_440, 1u32..=1_440, any_access());
    let rule = rule.prop_map(|(weekday, start, length, access)| weekly(weekday, start, start + length, access));
    prop::collection::vec(rule, 0..8)
}

fn any_site() -> impl Strategy<Value = EmergencySite> {
    let holidays = prop::collection::vec((0u32..1_440, 1u32..=1_440, any_access()), 0..3);
    let exceptions = prop::collection::vec((0i64..40_000, 1i64..5_000, any_access()), 0..3);
    let zone = prop::sample::select(vec![
        ("67", Tz::Europe__Paris),
        ("974", Tz::Indian__Reunion),
        ("975", Tz::America__Miquelon),
    ]);
    (any_weekly(), holidays, exceptions, zone).prop_map(|(weekly, holidays, exceptions, (department, zone))| {
        let rules = AccessRules {
            weekly,
            holidays: holidays
                .into_iter()
                .map(|(start, length, access)| holiday(start, start + length, access))
                .collect(),
            dated: exceptions
                .into_iter()
                .map(|(start, length, access)| DatedAccess {
                    window: Window::new(someday(start), someday(start + length)).unwrap(),
                    access,
                })
                .collect(),
        };
        site_in(department, zone, rules)
    })
}

/// An instant of spring 2026 by its minute: the clocks change, and Easter with its holidays falls in.
fn someday(minute: i64) -> UtcInstant {
    at("2026-03-20T00:00:00Z").plus_ms(minute * 60_000)
}

proptest! {
    #[test]
    fn the_access_lasts_until_it_changes_and_not_longer(site in any_site(), minute in 0i64..40_000) {
        let now = someday(minute);
        let (access, changes_at) = (site.access_at(now), site.access_changes_at(now));
        let last = changes_at.unwrap_or(now.plus_minutes(7 * 1_440)).min(now.plus_minutes(9 * 1_440));
        let mut probe = now;
        while probe < last {
            prop_assert_eq!(site.access_at(probe), access, "{} of {:?}", probe, changes_at);
            probe = probe.plus_minutes(17);
        }
        prop_assert_eq!(site.access_at(last.plus_ms(-1).max(now)), access);
        if let Some(changes_at) = changes_at {
            prop_assert!(changes_at > now);
            prop_assert_ne!(site.access_at(changes_at), access);
        }
    }

    #[test]
    fn rules_without_contradiction_never_both_open_and_close(rules in any_weekly(), minute in 0i64..20_160) {
        prop_assume!(weekly_contradictions(&rules).is_empty());
        // No clock changes in these weeks, so that minutes of the local week tell the truth.
        let now = at("2026-06-01T00:00:00+02:00").plus_ms(minute * 60_000);
        let of_week = u32::try_from(minute % 10_080).unwrap();
        let applies = |rule: &&WeeklyAccess| {
            let start = (rule.weekday() - 1) * 1_440 + rule.hours().start();
            (of_week + 10_080 - start) % 10_080 < rule.hours().end() - rule.hours().start()
        };
        let mut said: Vec<_> = rules.iter().filter(applies).map(WeeklyAccess::access).collect();
        said.dedup();
        prop_assert!(said.len() <= 1, "{:?}", said);
        let expected = if rules.is_empty() { Open } else { said.first().copied().unwrap_or(Closed) };
        prop_assert_eq!(site(rules.clone()).access_at(now), expected);
        let reversed = rules.iter().rev().copied().collect();
        prop_assert_eq!(site(reversed).access_at(now), expected, "order decides nothing");
    }

    #[test]
    fn an_exception_is_half_open(start in 0i64..40_000, length in 1i64..5_000, mut other in any_site()) {
        let window = Window::new(someday(start), someday(start + length)).unwrap();
        other.rules.dated = vec![];
        let with = EmergencySite {
            rules: AccessRules { dated: vec![DatedAccess { window, access: Closed }], ..other.rules.clone() },
            ..other.clone()
        };
        prop_assert!(dated_contradictions(&with.rules.dated).is_empty());
        prop_assert_eq!(with.access_at(window.start_at()), Closed);
        prop_assert_eq!(with.access_at(window.end_at().plus_ms(-1)), Closed);
        prop_assert_eq!(with.access_at(window.end_at()), other.access_at(window.end_at()));
        prop_assert_eq!(with.access_at(window.start_at().plus_ms(-1)), other.access_at(window.start_at().plus_ms(-1)));
    }

    #[test]
    fn a_change_falls_on_a_whole_local_minute(site in any_site(), minute in 0i64..40_000) {
        if let Some(changes_at) = site.access_changes_at(someday(minute).plus_ms(12_345)) {
            prop_assert_eq!(changes_at.to_local(site.zone).second(), 0);
        }
    }
}
