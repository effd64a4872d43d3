//! Public holidays, by department and overseas collectivity.
//!
//! Sources: Code du travail L3133-1 (the eleven of everywhere), L3134-13 (Bas-Rhin, Haut-Rhin, Moselle), L3422-2 with the
//! decree 83-1003 (abolition of slavery overseas); for Saint-Martin, which celebrates a day later since 2018, the
//! government's data set "Jours fériés en France" (data.gouv.fr); for the Pacific, the collectivities' own labour codes
//! (Polynésie française: loi du pays of 2025, 20 November in place of 29 June).
//! Deliberately absent: customary days without force of law (Good Friday and Mi-Carême in the Antilles, the feasts of Islam
//! in Mayotte) and bridges; a site states those as dated exceptions. Good Friday counts in all of Alsace-Moselle, although
//! the law names only communes with a Protestant church: the list of those is not ours.

use chrono::{Datelike as _, NaiveDate, TimeDelta};

use super::department::Department;

/// A public holiday.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PublicHoliday {
    /// 1 January.
    NewYear,
    /// Friday before Easter, where it is one.
    GoodFriday,
    /// Monday after Easter.
    EasterMonday,
    /// 1 May.
    LabourDay,
    /// 8 May.
    Victory,
    /// Thursday, 39 days after Easter.
    Ascension,
    /// Monday, 50 days after Easter.
    WhitMonday,
    /// 14 July.
    NationalDay,
    /// 15 August.
    Assumption,
    /// 1 November.
    AllSaints,
    /// 11 November.
    Armistice,
    /// 25 December.
    Christmas,
    /// 26 December, in Alsace-Moselle.
    SaintStephen,
    /// Abolition of slavery, on a day of each overseas department's own.
    Abolition,
    /// A day of a Pacific collectivity's own.
    Territorial,
}

impl PublicHoliday {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::NewYear,
        Self::GoodFriday,
        Self::EasterMonday,
        Self::LabourDay,
        Self::Victory,
        Self::Ascension,
        Self::WhitMonday,
        Self::NationalDay,
        Self::Assumption,
        Self::AllSaints,
        Self::Armistice,
        Self::Christmas,
        Self::SaintStephen,
        Self::Abolition,
        Self::Territorial,
    ];

    /// French name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NewYear => "Jour de l'an",
            Self::GoodFriday => "Vendredi saint",
            Self::EasterMonday => "Lundi de Pâques",
            Self::LabourDay => "Fête du travail",
            Self::Victory => "Victoire 1945",
            Self::Ascension => "Ascension",
            Self::WhitMonday => "Lundi de Pentecôte",
            Self::NationalDay => "Fête nationale",
            Self::Assumption => "Assomption",
            Self::AllSaints => "Toussaint",
            Self::Armistice => "Armistice 1918",
            Self::Christmas => "Noël",
            Self::SaintStephen => "Saint-Étienne",
            Self::Abolition => "Abolition de l'esclavage",
            Self::Territorial => "Fête de la collectivité",
        }
    }
}

/// The public holidays that a date is in a department: mostly none, seldom two.
pub fn public_holidays(department: Department, date: NaiveDate) -> impl Iterator<Item = PublicHoliday> {
    let known = [of_the_calendar(date), of_the_department(department, date), of_easter(department, date)];
    known.into_iter().flatten()
}

/// The public holiday that a date is in a department; `None` on other days.
#[must_use]
pub fn public_holiday(department: Department, date: NaiveDate) -> Option<PublicHoliday> {
    public_holidays(department, date).next()
}

/// The days of fixed date that are holidays everywhere.
fn of_the_calendar(date: NaiveDate) -> Option<PublicHoliday> {
    match (date.month(), date.day()) {
        (1, 1) => Some(PublicHoliday::NewYear),
        (5, 1) => Some(PublicHoliday::LabourDay),
        (5, 8) => Some(PublicHoliday::Victory),
        (7, 14) => Some(PublicHoliday::NationalDay),
        (8, 15) => Some(PublicHoliday::Assumption),
        (11, 1) => Some(PublicHoliday::AllSaints),
        (11, 11) => Some(PublicHoliday::Armistice),
        (12, 25) => Some(PublicHoliday::Christmas),
        _ => None,
    }
}

/// The days of fixed date of one department or collectivity.
fn of_the_department(department: Department, date: NaiveDate) -> Option<PublicHoliday> {
    use PublicHoliday::{Abolition, SaintStephen, Territorial};
    match (department.code(), date.month(), date.day()) {
        ("57" | "67" | "68", 12, 26) => Some(SaintStephen),
        ("971", 5, 27) | ("972", 5, 22) | ("973", 6, 10) | ("974", 12, 20) | ("976", 4, 27) | ("977", 10, 9) => {
            Some(Abolition)
        }
        ("978", 5, 28) if date.year() >= 2018 => Some(Abolition),
        ("978", 5, 27) if date.year() < 2018 => Some(Abolition),
        ("986", 4, 28) | ("986", 7, 29) | ("987", 3, 5) | ("988", 9, 24) => Some(Territorial),
        ("987", 11, 20) if date.year() >= 2025 => Some(Territorial),
        ("987", 6, 29) if date.year() < 2025 => Some(Territorial),
        _ => None,
    }
}

/// The days that move with Easter.
fn of_easter(department: Department, date: NaiveDate) -> Option<PublicHoliday> {
    let days = date.signed_duration_since(easter_sunday(date.year())?).num_days();
    match days {
        -2 if matches!(department.code(), "57" | "67" | "68" | "987") => Some(PublicHoliday::GoodFriday),
        1 => Some(PublicHoliday::EasterMonday),
        39 => Some(PublicHoliday::Ascension),
        50 => Some(PublicHoliday::WhitMonday),
        _ => None,
    }
}

/// Easter Sunday of the Gregorian calendar, by the golden number and the epact (Clavius' rule for the paschal full moon);
/// `None` only outside the years that a date can have.
#[must_use]
pub fn easter_sunday(year: i32) -> Option<NaiveDate> {
    let golden = year.rem_euclid(19) + 1;
    let century = year.div_euclid(100) + 1;
    let solar = 3 * century / 4 - 12;
    let lunar = (8 * century + 5) / 25 - 5;
    let mut epact = (11 * golden + 20 + lunar - solar).rem_euclid(30);
    if epact == 24 || (epact == 25 && golden > 11) {
        epact += 1;
    }
    // Days after 1 March until the paschal full moon, which is never before 21 March.
    let moon = if epact > 23 { 74 - epact } else { 44 - epact };
    let full_moon = NaiveDate::from_ymd_opt(year, 3, 1)?.checked_add_signed(TimeDelta::days(i64::from(moon) - 1))?;
    // Easter is the Sunday after it, never the day itself.
    let until_sunday = 7 - i64::from(full_moon.weekday().num_days_from_sunday());
    full_moon.checked_add_signed(TimeDelta::days(until_sunday))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Weekday;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn department(code: &str) -> Department {
        Department::parse(code).unwrap()
    }

    /// The holidays of a year, month and day each.
    fn of_year(code: &str, year: i32) -> Vec<String> {
        let days = NaiveDate::from_ymd_opt(year, 1, 1).unwrap().iter_days().take_while(|day| day.year() == year);
        days.filter(|day| public_holiday(department(code), *day).is_some())
            .map(|day| day.format("%m-%d").to_string())
            .collect()
    }

    #[test]
    fn easter_falls_as_published() {
        let table = [
            "2000-04-23",
            "2005-03-27",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2028-04-16",
            "2030-04-21",
            "2035-03-25",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2099-04-12",
        ];
        for easter in table.map(date) {
            assert_eq!(easter_sunday(easter.year()), Some(easter));
        }
    }

    #[test]
    fn the_mainland_has_eleven_days() {
        let of_2026 =
            ["01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25"];
        assert_eq!(of_year("75", 2026), of_2026);
        assert_eq!(of_year("2A", 2026), of_2026);
        let of_2025 =
            ["01-01", "04-21", "05-01", "05-08", "05-29", "06-09", "07-14", "08-15", "11-01", "11-11", "12-25"];
        assert_eq!(of_year("13", 2025), of_2025);
        assert_eq!(of_year("33", 2008).len(), 10, "Ascension fell on 1 May");
    }

    #[test]
    fn alsace_and_moselle_have_two_more() {
        for code in ["57", "67", "68"] {
            for (year, good_friday) in [(2025, "2025-04-18"), (2026, "2026-04-03"), (2027, "2027-03-26")] {
                assert_eq!(public_holiday(department(code), date(good_friday)), Some(PublicHoliday::GoodFriday));
                assert!(of_year(code, year).contains(&"12-26".to_owned()), "{code} {year}");
                assert_eq!(of_year(code, year).len(), 13, "{code} {year}");
            }
        }
        assert_eq!(public_holiday(department("54"), date("2026-04-03")), None);
        assert_eq!(public_holiday(department("88"), date("2026-12-26")), None);
    }

    #[test]
    fn every_overseas_department_has_its_day_of_abolition() {
        let table = [
            ("971", "05-27"),
            ("972", "05-22"),
            ("973", "06-10"),
            ("974", "12-20"),
            ("976", "04-27"),
            ("977", "10-09"),
            ("978", "05-28"),
        ];
        for (code, day) in table {
            for year in [2020, 2025, 2026, 2028] {
                let on = date(&format!("{year}-{day}"));
                assert_eq!(public_holiday(department(code), on), Some(PublicHoliday::Abolition), "{code} {on}");
                for (other, _) in table.iter().filter(|(other, _)| *other != code) {
                    assert_ne!(public_holiday(department(other), on), Some(PublicHoliday::Abolition), "{other} {on}");
                }
                assert_ne!(public_holiday(department("75"), on), Some(PublicHoliday::Abolition));
                assert_eq!(of_year(code, year).len(), 12, "{code} {year}");
            }
        }
        assert_eq!(public_holiday(department("978"), date("2017-05-27")), Some(PublicHoliday::Abolition));
        assert_eq!(of_year("975", 2026).len(), 11, "Saint-Pierre-et-Miquelon knew none");
    }

    #[test]
    fn the_pacific_has_days_of_its_own() {
        let table = [
            ("986", "2026-04-28"),
            ("986", "2026-07-29"),
            ("987", "2026-03-05"),
            ("987", "2026-11-20"),
            ("987", "2024-06-29"),
            ("988", "2026-09-24"),
        ];
        for (code, on) in table {
            assert_eq!(public_holiday(department(code), date(on)), Some(PublicHoliday::Territorial), "{code} {on}");
        }
        assert_eq!(public_holiday(department("987"), date("2026-06-29")), None);
        assert_eq!(public_holiday(department("987"), date("2026-04-03")), Some(PublicHoliday::GoodFriday));
    }

    proptest! {
        #[test]
        fn easter_is_a_sunday_of_its_season_and_its_days_follow(year in 1900i32..2200, place in 0..Department::COUNT) {
            let easter = easter_sunday(year).unwrap();
            prop_assert_eq!(easter.weekday(), Weekday::Sun);
            let season = NaiveDate::from_ymd_opt(year, 3, 22).unwrap()..=NaiveDate::from_ymd_opt(year, 4, 25).unwrap();
            prop_assert!(season.contains(&easter));
            for (days, weekday) in [(1, Weekday::Mon), (39, Weekday::Thu), (50, Weekday::Mon)] {
                let day = easter + TimeDelta::days(days);
                prop_assert_eq!(day.weekday(), weekday);
                prop_assert!(public_holiday(Department::ALL[place], day).is_some());
            }
        }

        #[test]
        fn a_year_has_ten_to_fifteen_holidays_wherever_one_is(year in 2000i32..2200, place in 0..Department::COUNT) {
            let count = of_year(Department::ALL[place].code(), year).len();
            prop_assert!((10..=15).contains(&count), "{}", count);
        }
    }
}
