//! Public holidays, so that a story told of one is told of the right day in the right department.
//!
//! Sources: Code du travail L3133-1 (eleven national ones), L3134-13 (Bas-Rhin, Haut-Rhin, Moselle) and L3422-2
//! (commemoration of the abolition of slavery, overseas). Deliberately absent: holidays of the Pacific collectivities,
//! which have labour codes of their own, and any influence on matching.

use chrono::{Datelike as _, Days, NaiveDate};

use crate::domain::department::Department;

/// When a holiday is.
#[derive(Clone, Copy)]
enum Day {
    /// Month and day.
    Fixed(u32, u32),
    /// Days after Easter Sunday; two before is Good Friday.
    Easter(i64),
}

/// Name, day, and the departments that keep it; none for all.
type Holiday = (&'static str, Day, &'static [&'static str]);

/// Good Friday only in communes that have a Protestant church; nobody lists those, so a story's word is taken for it.
const ALSACE_MOSELLE: &[&str] = &["57", "67", "68"];

const HOLIDAYS: [Holiday; 20] = [
    ("Jour de l'an", Day::Fixed(1, 1), &[]),
    ("Lundi de Pâques", Day::Easter(1), &[]),
    ("Fête du travail", Day::Fixed(5, 1), &[]),
    ("Victoire 1945", Day::Fixed(5, 8), &[]),
    ("Ascension", Day::Easter(39), &[]),
    ("Lundi de Pentecôte", Day::Easter(50), &[]),
    ("Fête nationale", Day::Fixed(7, 14), &[]),
    ("Assomption", Day::Fixed(8, 15), &[]),
    ("Toussaint", Day::Fixed(11, 1), &[]),
    ("Armistice 1918", Day::Fixed(11, 11), &[]),
    ("Noël", Day::Fixed(12, 25), &[]),
    ("Vendredi saint", Day::Easter(-2), ALSACE_MOSELLE),
    ("Saint-Étienne", Day::Fixed(12, 26), ALSACE_MOSELLE),
    ("Abolition de l'esclavage", Day::Fixed(4, 27), &["976"]),
    ("Abolition de l'esclavage", Day::Fixed(5, 22), &["972"]),
    ("Abolition de l'esclavage", Day::Fixed(5, 27), &["971"]),
    ("Abolition de l'esclavage", Day::Fixed(5, 28), &["978"]),
    ("Abolition de l'esclavage", Day::Fixed(6, 10), &["973"]),
    ("Abolition de l'esclavage", Day::Fixed(10, 9), &["977"]),
    ("Abolition de l'esclavage", Day::Fixed(12, 20), &["974"]),
];

/// Whether a day is a holiday of this name in a department.
///
/// # Errors
/// With what to write when the name is unknown, or the holiday is on another day or elsewhere.
pub(super) fn check(name: &str, department: Department, day: NaiveDate) -> Result<(), String> {
    let named: Vec<_> = HOLIDAYS.iter().filter(|(known, _, _)| *known == name).collect();
    if named.is_empty() {
        let nearest = HOLIDAYS.iter().map(|(known, _, _)| *known).min_by_key(|known| strsim::osa_distance(name, known));
        return Err(format!("unknown holiday `{name}`; nearest known: `{}`", nearest.unwrap_or_default()));
    }
    let kept = named.iter().find(|(_, _, kept_in)| kept_in.is_empty() || kept_in.contains(&department.code()));
    let Some((_, kept_on, _)) = kept else {
        return Err(format!("`{name}` is no holiday in {} ({})", department.name(), department.code()));
    };
    match date(*kept_on, day.year()) {
        Some(date) if date == day => Ok(()),
        date => Err(format!("`{name}` is on {} that year, not on {day}", date.unwrap_or(day))),
    }
}

fn date(day: Day, year: i32) -> Option<NaiveDate> {
    match day {
        Day::Fixed(month, day) => NaiveDate::from_ymd_opt(year, month, day),
        Day::Easter(after) => {
            let easter = easter(year)?;
            let days = Days::new(after.unsigned_abs());
            if after < 0 { easter.checked_sub_days(days) } else { easter.checked_add_days(days) }
        }
    }
}

/// Easter Sunday by the Gregorian computus (Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(sum / 31).ok()?, u32::try_from(sum % 31).ok()? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, department: &str, day: &str) -> Result<(), String> {
        check(name, Department::parse(department).unwrap(), day.parse().unwrap())
    }

    #[test]
    fn easter_is_where_the_calendars_have_it() {
        for (year, expected) in [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28")]
        {
            assert_eq!(easter(year), expected.parse().ok(), "{year}");
        }
    }

    #[test]
    fn a_holiday_is_checked_by_name_day_and_department() {
        assert_eq!(checked("Vendredi saint", "67", "2026-04-03"), Ok(()));
        assert_eq!(checked("Saint-Étienne", "57", "2026-12-26"), Ok(()));
        assert_eq!(checked("Abolition de l'esclavage", "974", "2026-12-20"), Ok(()));
        assert_eq!(checked("Lundi de Pentecôte", "23", "2026-05-25"), Ok(()));
        assert!(checked("Vendredi saint", "54", "2026-04-03").unwrap_err().contains("no holiday in"));
        assert!(checked("Toussaint", "69", "2026-11-02").unwrap_err().contains("is on 2026-11-01"));
        assert!(checked("Toussain", "69", "2026-11-01").unwrap_err().contains("nearest known: `Toussaint`"));
    }
}
