//! How each need of each CPTS is met: when the first free slot begins, how much is free, against the clinical delay.
//!
//! Invariant: a row stands for what a schedule of the CPTS really offers, and is there while nothing is free of it too. Rows that find
//! no room are counted with the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::domain::code::PatientCategory;
use crate::domain::id::TerritoryId;
use crate::domain::tension::AskedFor;
use crate::domain::time::UtcInstant;
use crate::index::Index;

use super::survey::{AGE_BANDS, Supply, Survey};
use crate::service::limits::BOARD_ROWS_MAX;

/// How needs are met.
#[derive(Clone, PartialEq, Debug)]
pub struct TensionBoard {
    /// The tensest first: nothing free, the more schedules the earlier, then who waits longest.
    pub rows: Vec<TensionRow>,
    /// Rows that found no room, the least tense.
    pub left_out_count: usize,
    /// How many needs of each CPTS stand how, in the order of [`TensionState::ALL`], those without room included.
    pub by_territory: BTreeMap<TerritoryId, [usize; TensionState::ALL.len()]>,
}

/// How a need of a CPTS is met for patients of a band of ages.
#[derive(Clone, PartialEq, Debug)]
pub struct TensionRow {
    /// The CPTS.
    pub territory: TerritoryId,
    /// Its name; its number while the directory does not know it.
    pub territory_name: Arc<str>,
    /// Where its times are read.
    pub zone: Tz,
    /// A specialty, general practice as SM54 whichever of its codes; a profession where no specialty is stated.
    pub need: AskedFor,
    /// The band of ages.
    pub age_band: PatientCategory,
    /// When the first free slot begins, now for a walk-in window that runs; `None` when none is free.
    pub first_slot_at: Option<UtcInstant>,
    /// The same as seconds from when the board was worked out.
    pub first_slot_seconds: Option<u32>,
    /// Patients who can be taken in slots that begin within a day, or run.
    pub free_count: u32,
    /// The clinical delay under the policy of the CPTS, of a question with care level R3 that says nothing else, in seconds.
    pub threshold_seconds: u32,
    /// How it stands.
    pub state: TensionState,
    /// Schedules that serve the need.
    pub schedule_count: u32,
    /// Of these, those whose source is silent, of which nothing is counted as free.
    pub silent_count: u32,
}

/// How a need stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum TensionState {
    /// Nothing is free.
    NoneFree,
    /// What is free begins later than the threshold.
    Tense,
    /// Something is free within the threshold.
    Met,
}

impl TensionState {
    /// All of them, the worst first.
    pub const ALL: [Self; 3] = [Self::NoneFree, Self::Tense, Self::Met];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoneFree => "NONE_FREE",
            Self::Tense => "TENSE",
            Self::Met => "MET",
        }
    }

    /// That of a first free slot against a threshold.
    #[must_use]
    pub fn of(first_slot_at: Option<UtcInstant>, now: UtcInstant, threshold_seconds: u32) -> Self {
        match first_slot_at {
            None => Self::NoneFree,
            Some(at) if at <= now.plus_seconds(threshold_seconds) => Self::Met,
            Some(_) => Self::Tense,
        }
    }
}

impl TensionBoard {
    /// The rows of a survey.
    pub(super) fn of(survey: &Survey, index: &Index, now: UtcInstant) -> Self {
        let mut rows = Vec::new();
        for (id, territory) in &survey.territories {
            let name =
                index.territory(id).map_or_else(|| Arc::from(id.as_str()), |known| Arc::clone(&known.value.name));
            for ((need, supplies), (band, at)) in territory
                .needs
                .iter()
                .flat_map(|need| AGE_BANDS.into_iter().zip(0_usize..).map(move |band| (need, band)))
            {
                let Some(supply) = supplies.get(at).filter(|supply| supply.schedules > 0) else { continue };
                let threshold_seconds = territory.threshold_seconds.get(at).copied().unwrap_or_default();
                rows.push(TensionRow::of(
                    (*id, &name, territory.zone()),
                    (*need, band),
                    supply,
                    now,
                    threshold_seconds,
                ));
            }
        }
        Self::of_rows(rows)
    }

    /// Counts all of them and keeps the tensest.
    fn of_rows(mut rows: Vec<TensionRow>) -> Self {
        let mut by_territory = BTreeMap::<_, [usize; TensionState::ALL.len()]>::new();
        for row in &rows {
            let counts = by_territory.entry(row.territory).or_default();
            if let Some(count) = counts.get_mut(row.state as usize) {
                *count += 1;
            }
        }
        rows.sort_by_cached_key(TensionRow::rank);
        let left_out_count = rows.len().saturating_sub(BOARD_ROWS_MAX);
        rows.truncate(BOARD_ROWS_MAX);
        Self { rows, left_out_count, by_territory }
    }

    /// How many needs stand so.
    #[must_use]
    pub fn count(&self, state: TensionState) -> usize {
        self.by_territory.values().filter_map(|counts| counts.get(state as usize)).sum()
    }
}

impl TensionRow {
    fn of(
        (territory, name, zone): (TerritoryId, &Arc<str>, Tz),
        (need, age_band): (AskedFor, PatientCategory),
        supply: &Supply,
        now: UtcInstant,
        threshold_seconds: u32,
    ) -> Self {
        let first_slot_at = supply.first_at();
        Self {
            territory,
            territory_name: Arc::clone(name),
            zone,
            need,
            age_band,
            first_slot_at,
            first_slot_seconds: first_slot_at.map(|at| at.seconds_since(now)),
            free_count: supply.free,
            threshold_seconds,
            state: TensionState::of(first_slot_at, now, threshold_seconds),
            schedule_count: supply.schedules,
            silent_count: supply.silent,
        }
    }

    /// Its place among the others: the least comes first.
    fn rank(&self) -> impl Ord + use<> {
        let crowd = if self.first_slot_at.is_none() { Reverse(self.schedule_count) } else { Reverse(0) };
        let wait = Reverse(self.first_slot_seconds);
        (self.state, crowd, wait, self.territory, self.need.code(), self.age_band)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_without_room_are_counted_with_the_others() {
        let row = |(territory, number): (&str, usize), first_slot_at: Option<UtcInstant>| TensionRow {
            territory: TerritoryId::parse(territory).unwrap().value,
            territory_name: Arc::from(territory),
            zone: Tz::Europe__Paris,
            need: AskedFor::Unstated,
            age_band: PatientCategory::Adulte,
            first_slot_at,
            first_slot_seconds: first_slot_at.map(|_| u32::try_from(number).unwrap()),
            free_count: 0,
            threshold_seconds: 0,
            state: if first_slot_at.is_some() { TensionState::Met } else { TensionState::NoneFree },
            schedule_count: 1,
            silent_count: 0,
        };
        let at = Some(UtcInstant::from_ms(0));
        let met = (0..BOARD_ROWS_MAX).map(|number| row(("690000005", number), at));
        let none = (0..7).map(|number| row(("690000013", number), None));
        let board = TensionBoard::of_rows(met.chain(none).collect());
        assert_eq!((board.rows.len(), board.left_out_count), (BOARD_ROWS_MAX, 7));
        assert!(board.rows[..7].iter().all(|row| row.state == TensionState::NoneFree), "the tensest first");
        assert_eq!(TensionState::ALL.map(|state| board.count(state)), [7, 0, BOARD_ROWS_MAX]);
        let told: Vec<_> = board.by_territory.values().copied().collect();
        assert_eq!(told, [[0, 0, BOARD_ROWS_MAX], [7, 0, 0]]);
    }
}
