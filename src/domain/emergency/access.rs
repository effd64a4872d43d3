//! How patients come in at an instant, and until when: the rules of a site, read in its zone and department.
//!
//! Invariant: at every instant there is one access. A rule belongs to the local day on which it starts and becomes a
//! half-open window of instants there, so that hours which the clocks repeat or leave out neither reopen nor hide it.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta};

use super::rules::{DayHours, MINUTES_PER_DAY};
use super::{EmergencyAccess, EmergencySite};
use crate::domain::holiday::public_holiday;
use crate::domain::time::{UtcInstant, Window, civil_date, first_shown_at};

/// How many days ahead of an instant, and of the end of every exception, a change is looked for.
const CHANGE_AHEAD_DAYS: u32 = 14;

/// A rule of one day.
#[derive(Clone, Copy)]
struct DayRule {
    /// What decides between rules that both apply: a holiday's before a weekday's, the later of a list before the earlier.
    rank: (bool, usize),
    hours: DayHours,
    access: EmergencyAccess,
}

impl EmergencySite {
    /// How patients come in at an instant: by an exception of that date, else by the rules of the day; closed outside them.
    #[must_use]
    pub fn access_at(&self, at: UtcInstant) -> EmergencyAccess {
        if let Some(exception) = self.rules.dated.iter().rev().find(|exception| exception.window.contains(at)) {
            return exception.access;
        }
        if self.is_ordinarily_open() {
            return EmergencyAccess::Open;
        }
        let today = civil_date(self.zone, at);
        let yesterday =
            today.pred_opt().into_iter().flat_map(|date| self.day_rules(date).map(move |rule| (date, rule)));
        let running = yesterday.filter(|(_, rule)| rule.hours.end() > MINUTES_PER_DAY);
        let all = running.chain(self.day_rules(today).map(|rule| (today, rule)));
        let applying =
            all.filter(|(date, rule)| self.window_of(*date, *rule).is_some_and(|window| window.contains(at)));
        applying.max_by_key(|(_, rule)| rule.rank).map_or(EmergencyAccess::Closed, |(_, rule)| rule.access)
    }

    /// When the access at an instant changes next; `None` when it does not within two weeks.
    #[must_use]
    pub fn access_changes_at(&self, at: UtcInstant) -> Option<UtcInstant> {
        let access = self.access_at(at);
        let changes = |boundary: &UtcInstant| *boundary > at && self.access_at(*boundary) != access;
        let exceptions = self.rules.dated.iter().flat_map(|rule| [rule.window.start_at(), rule.window.end_at()]);
        let mut first = exceptions.filter(changes).min();
        if self.is_ordinarily_open() {
            return first;
        }
        // After an exception of weeks the next week is like every other.
        let from =
            [at].into_iter().chain(self.rules.dated.iter().map(|rule| rule.window.end_at()).filter(|end| *end > at));
        for from in from {
            first = [first, self.rule_changes_at(from, first, changes)].into_iter().flatten().min();
        }
        first
    }

    /// The first boundary of a rule that starts from the day before an instant on, that is a change, and that is earlier
    /// than the first one known.
    fn rule_changes_at(
        &self,
        from: UtcInstant,
        known: Option<UtcInstant>,
        changes: impl Fn(&UtcInstant) -> bool,
    ) -> Option<UtcInstant> {
        let mut first = known;
        let mut date = civil_date(self.zone, from).pred_opt()?;
        // The day before has rules that run past midnight.
        for _ in 0..=CHANGE_AHEAD_DAYS {
            // Nothing of this day or of a later one is earlier than its midnight.
            if first.is_some_and(|first| first <= first_shown_at(self.zone, date.and_time(NaiveTime::MIN))) {
                break;
            }
            let windows = self.day_rules(date).filter_map(|rule| self.window_of(date, rule));
            let boundaries = windows.flat_map(|window| [window.start_at(), window.end_at()]);
            let of_day =
                boundaries.filter(|boundary| first.is_none_or(|first| *boundary < first)).filter(&changes).min();
            first = of_day.or(first);
            date = date.checked_add_days(Days::new(1))?;
        }
        first
    }

    /// Whether only exceptions ever close it.
    fn is_ordinarily_open(&self) -> bool {
        self.rules.weekly.is_empty() && self.rules.holidays.is_empty()
    }

    /// The rules that start on a local day; on a public holiday those for holidays, when there are any.
    fn day_rules(&self, date: NaiveDate) -> impl Iterator<Item = DayRule> + '_ {
        let rules = &self.rules;
        let is_holiday = !rules.holidays.is_empty() && public_holiday(self.department, date).is_some();
        let weekday = date.weekday().number_from_monday();
        let holidays = rules.holidays.iter().enumerate().filter(move |_| is_holiday);
        let holidays =
            holidays.map(|(place, rule)| DayRule { rank: (true, place), hours: rule.hours, access: rule.access });
        let weekly = rules.weekly.iter().enumerate().filter(move |(_, rule)| !is_holiday && rule.weekday() == weekday);
        let weekly =
            weekly.map(|(place, rule)| DayRule { rank: (false, place), hours: rule.hours(), access: rule.access() });
        let whole_day = DayRule { rank: (false, 0), hours: DayHours::WHOLE_DAY, access: EmergencyAccess::Open };
        let is_like_any = !is_holiday && rules.weekly.is_empty();
        holidays.chain(weekly).chain(is_like_any.then_some(whole_day))
    }

    /// The instants of a rule that starts on a day; `None` when the clocks jump over all of them.
    fn window_of(&self, date: NaiveDate, rule: DayRule) -> Option<Window> {
        let at = |minute: u32| {
            let civil = date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::minutes(i64::from(minute)))?;
            Some(first_shown_at(self.zone, civil))
        };
        Window::new(at(rule.hours.start())?, at(rule.hours.end())?).ok()
    }
}

#[cfg(test)]
mod tests;
