//! What of a day's counts is told, so that nobody can be singled out.
//!
//! Invariant: of what patients needed (specialty, band of ages), nothing is told of a day that is not over, no count below
//! [`SMALL_COUNT_MIN`], and nothing from which one follows: neither from a total, nor from those who asked less those who
//! found nothing. What is rarer is told together under the empty detail, with what nobody stated, or not at all.
//! What the day's work came to (decisions, slots, places, attendance) is told whole: it is the CPTS's own, it says neither
//! age nor need, and figures that do not add up to what was done are of no use to it.

use std::cmp::Reverse;

use super::{Counts, Measure, MeasureKind};
use crate::domain::tension::SMALL_COUNT_MIN;

/// A kind of need: those who asked, and those of them for whom nothing was found.
const NEEDS: [(MeasureKind, MeasureKind); 2] = [
    (MeasureKind::SpecialtyAsked, MeasureKind::SpecialtyNothingFound),
    (MeasureKind::AgeBandAsked, MeasureKind::AgeBandNothingFound),
];

/// Cases of one sort.
#[derive(Clone, Copy, Default)]
struct Group {
    detail: &'static str,
    asked: u64,
    nothing_found: u64,
}

impl Group {
    fn join(&mut self, other: Self) {
        self.asked += other.asked;
        self.nothing_found += other.nothing_found;
    }

    /// Whether neither who found nothing nor who found something is few.
    fn hides_both(&self) -> bool {
        !is_small(self.nothing_found) && !is_small(self.asked.saturating_sub(self.nothing_found))
    }
}

const fn is_small(count: u64) -> bool {
    0 < count && count < SMALL_COUNT_MIN
}

/// What is told of the counts of a day.
#[must_use]
pub fn told(counts: &Counts, day_is_over: bool) -> Counts {
    let mut told = Counts::default();
    let is_need = |kind| NEEDS.iter().any(|(asked, nothing_found)| kind == *asked || kind == *nothing_found);
    counts.iter().filter(|(measure, _)| !is_need(measure.kind)).for_each(|(measure, count)| told.add(measure, count));
    if day_is_over {
        for (asked, nothing_found) in NEEDS {
            let groups = told_groups(groups(counts, asked, nothing_found));
            let of = |kind| move |group: &Group| Measure { kind, detail: group.detail };
            groups.iter().for_each(|group| told.add(of(asked)(group), group.asked));
            let groups = told_groups_of_nothing_found(groups);
            groups.iter().for_each(|group| told.add(of(nothing_found)(group), group.nothing_found));
        }
    }
    told
}

/// Cases by detail, the most frequent first.
fn groups(counts: &Counts, asked: MeasureKind, nothing_found: MeasureKind) -> Vec<Group> {
    let of_kind = counts.iter().filter(|(measure, _)| measure.kind == asked);
    let group = |(Measure { detail, .. }, asked): (Measure, u64)| {
        let nothing_found = counts.get(Measure { kind: nothing_found, detail });
        Group { detail, asked, nothing_found }
    };
    let mut groups: Vec<Group> = of_kind.map(group).collect();
    groups.sort_by_key(|group| (Reverse(group.asked), group.detail));
    groups
}

/// The groups that are frequent enough, and one of all others.
fn told_groups(groups: Vec<Group>) -> Vec<Group> {
    let is_told = |group: &Group| !group.detail.is_empty() && group.asked >= SMALL_COUNT_MIN;
    let (told, others) = groups.into_iter().partition(is_told);
    with_rest(told, others, |rest| !is_small(rest.asked)).into_iter().filter(|group| !is_small(group.asked)).collect()
}

/// Of groups that are told, those of whom is told who found nothing, and one of all others; where not even all together
/// hide anybody, all together, which is the number of decisions that nothing was found.
fn told_groups_of_nothing_found(groups: Vec<Group>) -> Vec<Group> {
    let is_told = |group: &Group| !group.detail.is_empty() && group.hides_both();
    let (told, others) = groups.into_iter().partition(is_told);
    let groups = with_rest(told, others, Group::hides_both);
    groups.into_iter().filter(|group| !is_small(group.nothing_found)).collect()
}

/// The told groups and the others as one, which the least of the told join until it hides everybody.
fn with_rest(mut told: Vec<Group>, others: Vec<Group>, hides: impl Fn(&Group) -> bool) -> Vec<Group> {
    let mut rest = Group::default();
    others.into_iter().for_each(|group| rest.join(group));
    while !hides(&rest) {
        let Some(least) = told.pop() else { break };
        rest.join(least);
    }
    told.push(rest);
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DETAILS: [&str; 5] = ["", "SM54", "SM40", "SM15", "SM42"];

    /// Counts of specialties: detail, how many asked, for how many of them nothing was found.
    fn counts(cells: &[(&'static str, u64, u64)]) -> Counts {
        let mut counts = Counts::default();
        for (detail, asked, nothing_found) in cells {
            counts.add(Measure { kind: MeasureKind::SpecialtyAsked, detail }, *asked);
            counts.add(Measure { kind: MeasureKind::SpecialtyNothingFound, detail }, *nothing_found);
        }
        counts
    }

    fn lines(counts: &Counts) -> Vec<String> {
        counts.iter().map(|(measure, count)| format!("{} {} {count}", measure.kind.code(), measure.detail)).collect()
    }

    #[test]
    fn what_is_rare_is_told_together_with_what_was_not_stated() {
        let day = counts(&[("SM54", 20, 10), ("SM40", 3, 0), ("SM15", 1, 1), ("", 1, 0)]);
        let expected = ["SPECIALTY_ASKED  5", "SPECIALTY_ASKED SM54 20", "SPECIALTY_NOTHING_FOUND  11"];
        assert_eq!(lines(&told(&day, true)), expected, "1 of the 5 found nothing: it goes with the others");
    }

    #[test]
    fn a_small_rest_does_not_follow_from_the_total() {
        let day = counts(&[("SM54", 20, 0), ("SM40", 6, 0), ("SM15", 1, 0)]);
        assert_eq!(lines(&told(&day, true)), ["SPECIALTY_ASKED  7", "SPECIALTY_ASKED SM54 20"]);
        assert_eq!(lines(&told(&counts(&[("SM54", 4, 4)]), true)), Vec::<String>::new());
    }

    #[test]
    fn who_found_something_does_not_follow_from_who_did_not() {
        let day = counts(&[("SM54", 20, 10), ("SM40", 9, 7), ("SM15", 12, 6)]);
        let told = lines(&told(&day, true));
        let nothing_found: Vec<_> = told.iter().filter(|line| line.contains("NOTHING")).collect();
        assert_eq!(nothing_found, ["SPECIALTY_NOTHING_FOUND  13", "SPECIALTY_NOTHING_FOUND SM54 10"]);
    }

    #[test]
    fn of_a_day_that_is_not_over_only_the_work_is_told() {
        let mut day = counts(&[("SM54", 20, 10)]);
        let work = Measure { kind: MeasureKind::Attendance, detail: "SEEN" };
        day.add(work, 1);
        assert_eq!(lines(&told(&day, false)), ["ATTENDANCE SEEN 1"]);
        assert_eq!(told(&day, true).get(work), 1);
    }

    proptest! {
        #[test]
        fn no_small_count_is_told_and_none_follows(drawn in prop::collection::vec((0u64..12, 0u64..12), 5)) {
            let cells: Vec<_> = DETAILS.into_iter().zip(&drawn).map(|(detail, (a, b))| (detail, a + b, *b)).collect();
            let day = counts(&cells);
            let told = told(&day, true);
            prop_assert!(told.iter().all(|(_, count)| count >= SMALL_COUNT_MIN), "{:?}", lines(&told));
            let of = |kind, detail| told.get(Measure { kind, detail });
            let all = |kind| DETAILS.map(|detail| of(kind, detail)).iter().sum::<u64>();
            let (asked, nothing) = (MeasureKind::SpecialtyAsked, MeasureKind::SpecialtyNothingFound);
            let (asked_total, nothing_total) = cells.iter().fold((0, 0), |sum, cell| (sum.0 + cell.1, sum.1 + cell.2));
            prop_assert_eq!(all(asked), if asked_total < SMALL_COUNT_MIN { 0 } else { asked_total });
            prop_assert_eq!(all(nothing), if nothing_total < SMALL_COUNT_MIN || asked_total < SMALL_COUNT_MIN { 0 } else { nothing_total });
            // Who found something, sort by sort and for all other sorts together, unless no sort is told of at all.
            let in_detail: Vec<_> = DETAILS.into_iter().filter(|one| !one.is_empty() && of(nothing, one) > 0).collect();
            let found = |detail: &&'static str| of(asked, detail) - of(nothing, detail);
            for detail in &in_detail {
                prop_assert!(of(asked, detail) > 0 && !is_small(found(detail)), "{} {:?}", detail, lines(&told));
            }
            let others = asked_total - nothing_total - in_detail.iter().map(found).sum::<u64>();
            prop_assert!(in_detail.is_empty() || !is_small(others), "{:?}", lines(&told));
        }
    }
}
