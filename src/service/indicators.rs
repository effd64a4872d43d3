//! The figures of a CPTS or department, day by day: what is kept as counts, and what is still there to be counted.
//!
//! Invariant: a case or slot is counted in its record until it is forgotten and in the day's counts from then on, never in
//! both: one append takes it out of the one and into the other.
//! Deliberately absent: who or what a figure is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::answer::Stamp;
use crate::domain::offer::{Offer, Opening};
use crate::domain::record::Versioned;
use crate::domain::slot::Slot;
use crate::domain::tally::told::told;
use crate::domain::tally::{Counts, Scope, Tally, TallyId, counts_of_slot};
use crate::domain::time::civil_date;
use crate::domain::violation::Violation;

use super::Service;
use super::error::{Error, Reason};
use super::limits::INDICATOR_DAYS_MAX;

/// How often the counts are read again when a purge came between.
const READS_MAX: usize = 3;

/// The figures of one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayIndicators {
    /// Whose, and of which day.
    pub id: TallyId,
    /// The counts, without those from which somebody could be told.
    pub counts: Counts,
}

/// The figures of some days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Indicators {
    /// The days asked for, in order.
    pub days: Vec<DayIndicators>,
    /// The zone in which days begin and end.
    pub zone: Tz,
    /// The state of which this is told.
    pub stamp: Stamp,
}

impl Service {
    /// The figures of a territory or department from one day to another, both included.
    ///
    /// # Errors
    /// When the territory is unknown, or the days are in the wrong order or too many.
    pub fn indicators(&self, scope: Scope, first: NaiveDate, last: NaiveDate) -> Result<Indicators, Error> {
        let zone = self.zone_of(scope)?;
        let days: Vec<NaiveDate> =
            first.iter_days().take_while(|day| *day <= last).take(INDICATOR_DAYS_MAX + 1).collect();
        if days.is_empty() || days.len() > INDICATOR_DAYS_MAX {
            let message =
                format!("give a last day that is not before the first, and at most {INDICATOR_DAYS_MAX} days");
            return Err(Error::invalid(vec![Violation::new("last_day", message)]));
        }
        let index = &self.parts().index;
        let kept = || days.iter().map(|day| index.tally(TallyId { scope, day: *day })).collect::<Vec<_>>();
        let (mut tallies, mut live) = (kept(), BTreeMap::new());
        for _ in 0..READS_MAX {
            // A purge that is being taken shows its counts before what it removes is gone.
            index.settle();
            tallies = kept();
            live = self.live_counts(scope, first, last);
            if kept() == tallies {
                break;
            }
        }
        let today = civil_date(zone, self.parts().clock.now());
        let of_day = |(day, tally): (&NaiveDate, &Option<Versioned<Arc<Tally>>>)| {
            let mut counts = live.remove(day).unwrap_or_default();
            if let Some(tally) = tally {
                counts.add_all(&tally.value.counts);
            }
            DayIndicators { id: TallyId { scope, day: *day }, counts: told(&counts, *day < today) }
        };
        Ok(Indicators { days: days.iter().zip(&tallies).map(of_day).collect(), zone, stamp: self.stamp() })
    }

    /// The zone in which the days of a scope begin and end.
    pub(super) fn zone_of(&self, scope: Scope) -> Result<Tz, Error> {
        match scope {
            Scope::Department(department) => Ok(department.zone()),
            Scope::Territory(id) => {
                let territory = self.parts().index.territory(&id).ok_or_else(|| {
                    let message = format!("territory `{id}` is unknown: create it first, or correct its identifier");
                    Error::new(Reason::UnknownTerritory, message).about(id)
                })?;
                Ok(territory.value.department().map_or(Tz::Europe__Paris, |department| department.zone()))
            }
        }
    }

    /// The counts of what is not forgotten yet, by day.
    fn live_counts(&self, scope: Scope, first: NaiveDate, last: NaiveDate) -> BTreeMap<NaiveDate, Counts> {
        let index = &self.parts().index;
        let mut days: BTreeMap<NaiveDate, Counts> = BTreeMap::new();
        let is_asked = |day: NaiveDate| (first..=last).contains(&day);
        let oriented = index.orientations(|one| is_asked(one.day) && one.scopes().any(|of| of == scope));
        for Versioned { version: _, value: orientation } in oriented {
            days.entry(orientation.day).or_default().add_all(&orientation.measures().into_iter().collect());
        }
        for offer in index.offers().filter(|offer| may_count(offer, scope)) {
            for at in 0..offer.row.openings().len() {
                let is_of_day = |opening: &Opening| is_asked(civil_date(offer.place.zone, opening.start_at));
                if !offer.row.openings().get(at).is_some_and(is_of_day) {
                    continue;
                }
                let Some(slot) = offer.slot(at).map(|slot| slot.value) else { continue };
                if scopes_of_slot(&offer, &slot).any(|one| one == scope) {
                    let day = day_of_slot(&offer, &slot);
                    days.entry(day).or_default().add_all(&counts_of_slot(&slot));
                }
            }
        }
        days
    }
}

/// Whether any slot of a schedule may count for a scope.
fn may_count(offer: &Offer, scope: Scope) -> bool {
    match scope {
        Scope::Department(department) => offer.place.department == department,
        Scope::Territory(id) => {
            let others = offer.row.practices.iter().any(|practice| practice.territories.contains(&id));
            others || offer.practice.territories.contains(&id)
        }
    }
}

/// Whose figures a slot counts in: its territories, and its place's department.
pub(super) fn scopes_of_slot(offer: &Offer, slot: &Slot) -> impl Iterator<Item = Scope> {
    let territories = offer.practice_with(&slot.traits).territories;
    territories.into_iter().map(Scope::Territory).chain([Scope::Department(offer.place.department)])
}

/// The civil day of a slot at its place.
pub(super) fn day_of_slot(offer: &Offer, slot: &Slot) -> NaiveDate {
    civil_date(offer.place.zone, slot.window.start_at())
}
