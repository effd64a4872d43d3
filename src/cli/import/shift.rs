//! Moves the slots of a plan in time, so that yesterday's file can be tried today.
//!
//! Invariant: by whole days the local times stay, whatever the clocks did in between; by milliseconds the distances stay.
//! Identifiers follow the new start, so that two days' trials are two sets of slots.
//! Deliberately absent: the weekly rules of emergency sites, which are true on every day.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::{ImportPlan, Origin, PlannedSlot, Reason, RowReport, Severity};
use crate::domain::time::{UtcInstant, Window, civil_date, from_civil};

impl ImportPlan {
    /// Moves every slot by the same number of days, such that the first day of the plan becomes today; the number of days.
    ///
    /// Days are counted on the calendar of each slot's place; today is that of the place of the earliest slot.
    pub fn shift_to_today(&mut self, now: UtcInstant) -> i64 {
        let Some((first, zone)) = self.first_day() else { return 0 };
        let days = civil_date(zone, now).signed_duration_since(first).num_days();
        if days != 0 {
            for slot in &mut self.slots {
                let window = shifted_by_days(slot, days);
                slot.set_window(window);
            }
        }
        days
    }

    /// Moves every slot by milliseconds, back when negative.
    pub fn shift_by_ms(&mut self, ms: i64) {
        for slot in self.slots.iter_mut().filter(|_| ms != 0) {
            let moved = Window::new(slot.window.start_at().plus_ms(ms), slot.window.end_at().plus_ms(ms));
            slot.set_window(moved.unwrap_or(slot.window));
        }
    }

    /// Leaves out the slots that are over at an instant, with one remark for each row that gave some; how many they are.
    pub fn leave_out_past(&mut self, now: UtcInstant) -> usize {
        let mut over: BTreeMap<Origin, usize> = BTreeMap::new();
        self.slots.retain(|slot| {
            let is_over = slot.window.end_at() <= now;
            if is_over {
                *over.entry(slot.origin.clone()).or_default() += 1;
            }
            !is_over
        });
        for (origin, count) in &over {
            let message = format!("{count} slots of the row are over and are left out");
            self.row_reports.push(RowReport::new(origin.clone(), Severity::Skipped, "", Reason::SlotPast, message));
        }
        over.values().sum()
    }

    /// The first local day on which something opens, and the zone of that place.
    #[must_use]
    pub fn first_day(&self) -> Option<(NaiveDate, Tz)> {
        let days = self.slots.iter().map(|slot| (civil_date(slot.zone, slot.window.start_at()), slot.zone));
        days.min_by_key(|(day, _)| *day)
    }
}

fn shifted_by_days(slot: &PlannedSlot, days: i64) -> Window {
    let moved = |at: UtcInstant| {
        let local = at.to_local(slot.zone).naive_local();
        let civil = TimeDelta::try_days(days).and_then(|days| local.checked_add_signed(days)).unwrap_or(local);
        from_civil(slot.zone, civil).chosen()
    };
    let start_at = moved(slot.window.start_at());
    // A slot that spans a change of the clocks may collapse; it keeps its length then.
    Window::new(start_at, moved(slot.window.end_at()))
        .or_else(|_| Window::new(start_at, start_at.plus_ms(slot.window.length_ms())))
        .unwrap_or(slot.window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::import::{ImportOptions, parse_roster};

    const HEADER: &str = "place_id;commune_code;practitioner_id;date;start;end;modalities;visibilities\n";

    fn plan(rows: &str) -> ImportPlan {
        let text = format!("{HEADER}{rows}");
        let plan = parse_roster(text.as_bytes(), &ImportOptions::default()).unwrap();
        assert_eq!(plan.count(crate::cli::import::Severity::Refused), 0, "{:?}", plan.row_reports);
        plan
    }

    fn starts(plan: &ImportPlan) -> Vec<String> {
        plan.slots.iter().map(|slot| slot.window.start_at().to_string()).collect()
    }

    fn at(text: &str) -> UtcInstant {
        UtcInstant::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn local_times_stay_when_the_first_day_becomes_today() {
        let rows = "a;18033;10100000011;2026-01-06;08:00;09:00;AMB;SNP\na;18033;10100000011;2026-01-05;23:30;01:00;AMB;SNP\n\
                    b;97411;10100000029;2026-01-05;08:00;09:00;AMB;SNP\n";
        let mut plan = plan(rows);
        assert_eq!(plan.shift_to_today(at("2026-07-01T10:00:00+02:00")), 177);
        assert_eq!(
            starts(&plan),
            ["2026-07-02T06:00:00.000Z", "2026-07-01T21:30:00.000Z", "2026-07-01T04:00:00.000Z"],
            "summer time in Paris, the same hour in Saint-Denis"
        );
        assert!(plan.slots[0].input.slot_id.contains("20260702T060000Z"));
        assert_eq!(plan.shift_to_today(at("2026-07-01T23:00:00+02:00")), 0);
    }

    #[test]
    fn a_plan_without_slots_is_not_moved() {
        assert_eq!(ImportPlan::default().shift_to_today(at("2026-07-01T10:00:00+02:00")), 0);
    }

    #[test]
    fn milliseconds_move_every_slot_alike() {
        let mut plan = plan("a;18033;10100000011;2026-01-05;08:00;09:00;AMB;SNP\n");
        plan.shift_by_ms(90 * 60_000);
        assert_eq!(starts(&plan), ["2026-01-05T08:30:00.000Z"]);
        assert_eq!(plan.slots[0].input.window, Some(super::super::plan::window_message(plan.slots[0].window)));
        plan.shift_by_ms(-90 * 60_000);
        assert_eq!(starts(&plan), ["2026-01-05T07:00:00.000Z"]);
    }
}
