//! How far a search goes: the query's radius, else the department's official one, widened until there is enough choice.

use super::policy::Policy;
use crate::domain::answer::{Radius, RadiusSource};
use crate::domain::department::Department;
use crate::domain::query::{CareQuery, RADIUS_MAX_M};

/// The radii that a search may go through, the first one first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RadiusPlan {
    radius: Radius,
    step_m: u32,
    widened_max: u32,
}

impl RadiusPlan {
    /// The plan of a query. A radius that the query gives is kept; the department's may be widened.
    #[must_use]
    pub fn new(query: &CareQuery, policy: &Policy) -> Self {
        let parts = query.parts();
        if let Some(radius_m) = parts.radius_m {
            return Self::fixed(radius_m, RadiusSource::Query, parts.department);
        }
        let Some(department) = query.department() else {
            return Self::fixed(RADIUS_MAX_M, RadiusSource::Default, None);
        };
        let official = department.search_radius();
        let source = match (official.is_default, parts.department) {
            (true, _) => RadiusSource::Default,
            (false, Some(_)) => RadiusSource::Department,
            (false, None) => RadiusSource::EstimatedDepartment,
        };
        let mut plan = Self::fixed(official.radius_m, source, Some(department));
        // At most 1,000 per cent of at most 300 km.
        plan.step_m = official.step_m.saturating_mul(policy.step_percent) / 100;
        plan.widened_max = policy.widened_max;
        plan
    }

    const fn fixed(radius_m: u32, source: RadiusSource, department: Option<Department>) -> Self {
        let radius = Radius { radius_m, initial_radius_m: radius_m, widened_count: 0, source, department };
        Self { radius, step_m: 0, widened_max: 0 }
    }

    /// The radius as it is now.
    #[must_use]
    pub const fn radius(&self) -> Radius {
        self.radius
    }

    /// The plan when there never is enough choice.
    #[must_use]
    pub fn widest(mut self) -> Self {
        while self.widen() {}
        self
    }

    /// A radius one step farther, to see what a wider search would reach.
    #[must_use]
    pub fn one_step_farther_m(&self) -> u32 {
        let step_m = if self.step_m == 0 { self.radius.radius_m / 2 } else { self.step_m };
        self.radius.radius_m.saturating_add(step_m).min(RADIUS_MAX_M.max(self.radius.radius_m))
    }

    /// Widens the radius by one step; false when it may not be widened any more.
    pub fn widen(&mut self) -> bool {
        if self.radius.widened_count >= self.widened_max || self.step_m == 0 {
            return false;
        }
        self.radius.radius_m = self.radius.radius_m.saturating_add(self.step_m).min(RADIUS_MAX_M);
        self.radius.widened_count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::geo::GeoPoint;
    use crate::domain::query::CareQueryDraft;

    fn plan(department: Option<&str>, radius_m: Option<u32>) -> RadiusPlan {
        let draft = CareQueryDraft {
            position: GeoPoint::new(45.7, 4.88).ok(),
            department: department.map(|code| Department::parse(code).unwrap()),
            radius_m,
            ..CareQueryDraft::default()
        };
        RadiusPlan::new(&CareQuery::parse(draft).unwrap(), &Policy::default())
    }

    #[test]
    fn the_departments_radius_is_widened_by_its_step() {
        let mut plan = plan(Some("69"), None);
        assert_eq!((plan.radius().radius_m, plan.radius().source), (5_000, RadiusSource::Department));
        assert!(plan.widen());
        assert_eq!((plan.radius().radius_m, plan.radius().widened_count), (8_000, 1));
        assert!(plan.widen() && plan.widen() && plan.widen() && !plan.widen());
        assert_eq!(plan.radius().radius_m, 17_000);
    }

    #[test]
    fn the_querys_radius_is_kept() {
        let mut plan = plan(Some("69"), Some(1_200));
        assert_eq!((plan.radius().radius_m, plan.radius().source), (1_200, RadiusSource::Query));
        assert!(!plan.widen());
    }

    #[test]
    fn without_a_department_the_position_estimates_it() {
        let radius = plan(None, None).radius();
        assert_eq!((radius.radius_m, radius.source), (5_000, RadiusSource::EstimatedDepartment));
        assert_eq!(radius.department.map(Department::code), Some("69"));
    }

    #[test]
    fn the_two_zero_rows_take_the_documented_default() {
        for code in ["973", "976"] {
            let radius = plan(Some(code), None).radius();
            assert_eq!((radius.radius_m, radius.source), (20_000, RadiusSource::Default), "{code}");
        }
    }
}
