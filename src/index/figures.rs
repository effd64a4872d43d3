//! What was decided for cases, and the anonymous counts of days: records that no query looks at.

use std::sync::Arc;

use super::Index;
use super::shelf::Shelf;
use crate::domain::id::CaseId;
use crate::domain::offer::Offer;
use crate::domain::orientation::Orientation;
use crate::domain::record::Versioned;
use crate::domain::tally::{Tally, TallyId};

/// The records.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) orientations: Shelf<Orientation>,
    pub(super) tallies: Shelf<Tally>,
}

impl Index {
    /// What regulation decided for a case.
    #[must_use]
    pub fn orientation(&self, id: &CaseId) -> Option<Versioned<Arc<Orientation>>> {
        self.figures.orientations.get(id)
    }

    /// The orientations that are wanted, in order of case. Looks at all of them: not on the way of a query.
    pub fn orientations(&self, is_wanted: impl Fn(&Orientation) -> bool) -> Vec<Versioned<Arc<Orientation>>> {
        self.figures.orientations.select(is_wanted, usize::MAX)
    }

    /// The anonymous counts of a day.
    #[must_use]
    pub fn tally(&self, id: TallyId) -> Option<Versioned<Arc<Tally>>> {
        self.figures.tallies.get(&id)
    }

    /// The tallies that are wanted, in order of scope and day. Looks at all of them: not on the way of a query.
    pub fn tallies(&self, is_wanted: impl Fn(&Tally) -> bool) -> Vec<Versioned<Arc<Tally>>> {
        self.figures.tallies.select(is_wanted, usize::MAX)
    }

    /// Every resolved schedule with its openings, in no order. Not on the way of a query.
    pub fn offers(&self) -> impl Iterator<Item = Arc<Offer>> {
        self.nodes.all().into_iter().filter_map(|node| node.offer())
    }
}
