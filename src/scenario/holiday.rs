//! The name of a public holiday, so that a story told of one is told of the right day in the right department.
//!
//! Good Friday is one only in communes of Alsace-Moselle that have a Protestant church; a story's word is taken for it.

use chrono::{Datelike as _, NaiveDate};

use crate::domain::department::Department;
use crate::domain::holiday::{PublicHoliday, public_holidays};

/// Whether a day is a holiday of this name in a department.
///
/// # Errors
/// With what to write when the name is unknown, or the holiday is on another day or elsewhere.
pub(super) fn check(name: &str, department: Department, day: NaiveDate) -> Result<(), String> {
    let Some(wanted) = PublicHoliday::ALL.into_iter().find(|known| known.label() == name) else {
        let labels = PublicHoliday::ALL.into_iter().map(PublicHoliday::label);
        let nearest = labels.min_by_key(|known| strsim::osa_distance(name, known)).unwrap_or_default();
        return Err(format!("unknown holiday `{name}`; nearest known: `{nearest}`"));
    };
    let is_kept = |date: &NaiveDate| public_holidays(department, *date).any(|holiday| holiday == wanted);
    if is_kept(&day) {
        return Ok(());
    }
    let year = NaiveDate::from_ymd_opt(day.year(), 1, 1).into_iter().flat_map(|day| day.iter_days());
    match year.take_while(|date| date.year() == day.year()).find(is_kept) {
        Some(date) => Err(format!("`{name}` is on {date} that year, not on {day}")),
        None => Err(format!("`{name}` is no holiday in {} ({})", department.name(), department.code())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, department: &str, day: &str) -> Result<(), String> {
        check(name, Department::parse(department).unwrap(), day.parse().unwrap())
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
