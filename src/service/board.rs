//! What operations look at, worked out once for everybody: how needs are met, what was answered, who publishes, how the instance stands.
//!
//! Invariant: a board is at most [`BOARD_KEPT_MS`] old when it is handed out, and is worked out only when somebody asks, once
//! however many ask; the way of a question is never touched by it. What takes a look at every schedule is looked at again after
//! [`BOARD_LOOK_SHARE`] times what the look took, and says of when it is. Everything in it is bounded.
//! Deliberately absent: patients, and anything of single questions; and what other instances answered, which they tell.

mod activity;
mod places;
mod survey;
mod tension;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use crate::domain::id::SourceId;
use crate::domain::source::Confidence;
use crate::domain::time::UtcInstant;
use crate::index::SourceExtent;

use super::Service;
use super::limits::{BOARD_KEPT_MS, BOARD_LOOK_KEPT_MAX_MS, BOARD_LOOK_SHARE, BOARD_SOURCES_MAX};
use super::source::SourceView;
use super::status::Status;

pub(super) use activity::Tallied;
pub use activity::{ACTIVITY_MINUTES, Activity, Deed, Minute};
pub use places::{MapPlace, MapTerritory, PlaceMap, PlaceState};
pub use survey::AGE_BANDS;
pub use tension::{TensionBoard, TensionRow, TensionState};

/// How everything stands at an instant.
#[derive(Clone, PartialEq, Debug)]
pub struct Board {
    /// When it was worked out.
    pub at: UtcInstant,
    /// Grows with every board of a process; see [`PlaceMap::changed_since`].
    pub revision: u64,
    /// The instance, its ledger and those that share it, conditions, the state of which this is told.
    pub status: Status,
    /// What this instance answered and wrote in the last hour.
    pub activity: Activity,
    /// When every schedule was looked at: of then are `live_hold_count`, `tension`, `places` and the schedules of sources.
    pub tension_at: UtcInstant,
    /// Holds that live.
    pub live_hold_count: u64,
    /// How needs are met, the tensest first.
    pub tension: Arc<TensionBoard>,
    /// Who publishes, the least believed first, then the one that was not heard for longest.
    pub sources: Vec<SourceView>,
    /// Sources that found no room among them.
    pub sources_left_out_count: usize,
    /// Where care is given, for a map.
    pub places: Arc<PlaceMap>,
    /// The look that this was told from.
    look: Arc<Look>,
}

/// What one look at every schedule told, beside what a board shows of it.
#[derive(PartialEq, Debug)]
struct Look {
    at: UtcInstant,
    /// From when on the next one may be taken.
    due_at: UtcInstant,
    live_hold_count: u64,
    /// When holds ended by themselves.
    hold_ends: Vec<UtcInstant>,
    tension: Arc<TensionBoard>,
    places: Arc<PlaceMap>,
    /// What each source published.
    extents: BTreeMap<SourceId, SourceExtent>,
}

impl Look {
    /// Whether it still stands; one from after the clock was set back does not.
    fn stands(&self, now: UtcInstant) -> bool {
        (self.at..self.due_at).contains(&now)
    }
}

/// From when on schedules may be looked at again after a look. A step of the clock that looks like a long look is bounded.
fn due_at(began_at: UtcInstant, ended_at: UtcInstant) -> UtcInstant {
    let rest_ms = ended_at.ms_since(began_at).saturating_mul(BOARD_LOOK_SHARE);
    began_at.plus_ms(rest_ms.clamp(BOARD_KEPT_MS, BOARD_LOOK_KEPT_MAX_MS))
}

/// The board that stands, and who works out the next.
#[derive(Default)]
pub(super) struct Boards {
    last: ArcSwapOption<Board>,
    /// Held while the next is worked out, so that who asks meanwhile waits for that one.
    making: Arc<Mutex<()>>,
}

impl Boards {
    /// The board that stands, when it is young enough; one from after the clock was set back is not.
    fn fresh(&self, now: UtcInstant) -> Option<Arc<Board>> {
        self.last.load_full().filter(|board| (0..BOARD_KEPT_MS).contains(&now.ms_since(board.at)))
    }
}

impl Service {
    /// What operations look at. Worked out on a thread of its own when the last one is too old; who stops waiting does not
    /// stop that.
    pub async fn board(&self) -> Arc<Board> {
        let now = || self.parts().clock.now();
        loop {
            if let Some(fresh) = self.shared.boards.fresh(now()) {
                return fresh;
            }
            let place = Arc::clone(&self.shared.boards.making).lock_owned().await;
            if let Some(fresh) = self.shared.boards.fresh(now()) {
                return fresh;
            }
            let service = self.clone();
            let made = tokio::task::spawn_blocking(move || {
                let board = Arc::new(service.make_board());
                service.shared.boards.last.store(Some(Arc::clone(&board)));
                drop(place);
                board
            });
            if let Ok(board) = made.await {
                return board;
            }
        }
    }

    /// The same for who has a thread of its own to wait on and may see an older one: it is worked out here, unless somebody else
    /// does so already; then it is the last one, and none when that is the first.
    #[must_use]
    pub fn board_here(&self) -> Option<Arc<Board>> {
        let now = self.parts().clock.now();
        if let Some(fresh) = self.shared.boards.fresh(now) {
            return Some(fresh);
        }
        let Ok(_place) = self.shared.boards.making.try_lock() else { return self.last_board() };
        let board = Arc::new(self.make_board());
        self.shared.boards.last.store(Some(Arc::clone(&board)));
        Some(board)
    }

    /// The board that was worked out last, however old; none when nobody looked yet.
    #[must_use]
    pub fn last_board(&self) -> Option<Arc<Board>> {
        self.shared.boards.last.load_full()
    }

    /// Works it out, from the last look at every schedule while that stands.
    fn make_board(&self) -> Board {
        let parts = self.parts();
        let (at, last) = (parts.clock.now(), self.last_board());
        // No process hands out the numbers of another one's boards.
        let revision = u64::try_from(at.ms()).unwrap_or(0).max(last.as_ref().map_or(0, |last| last.revision + 1));
        let standing = last.as_ref().map(|last| &last.look).filter(|look| look.stands(at));
        let look = standing.map_or_else(|| Arc::new(self.look((at, revision), last.as_deref())), Arc::clone);
        let mut activity = self.shared.activity.told(at);
        activity.note_expired(&look.hold_ends, last.as_ref().map(|last| &last.activity));
        let (sources, sources_left_out_count) = self.board_sources(&look);
        Board {
            at,
            revision,
            status: self.status(),
            activity,
            tension_at: look.at,
            live_hold_count: look.live_hold_count,
            tension: Arc::clone(&look.tension),
            sources,
            sources_left_out_count,
            places: Arc::clone(&look.places),
            look,
        }
    }

    /// Looks at every schedule.
    fn look(&self, (at, revision): (UtcInstant, u64), last: Option<&Board>) -> Look {
        let parts = self.parts();
        let in_force = self.policies().load_full();
        let survey = survey::Survey::of(&parts.index, &in_force.set, at);
        let (live_hold_count, hold_ends) = (survey.live_hold_count, survey.hold_ends.clone());
        let tension = Arc::new(TensionBoard::of(&survey, &parts.index, at));
        let last = last.map(|last| &*last.places);
        let places = Arc::new(PlaceMap::of(survey, &parts.index, (at, revision), last));
        let extents = parts.index.source_extents();
        let due_at = due_at(at, parts.clock.now());
        Look { at, due_at, live_hold_count, hold_ends, tension, places, extents }
    }

    /// The sources that need looking at, and how many found no room.
    fn board_sources(&self, look: &Look) -> (Vec<SourceView>, usize) {
        let mut sources = self.sources_of(look.extents.iter().map(|(id, extent)| (id.clone(), *extent)));
        let heard_at = |view: &SourceView| match view.source.lease_seconds {
            Some(_) => Some(view.source.heard_at).max(view.extent.last_received_at),
            None => view.extent.last_received_at,
        };
        let believed = |confidence: Confidence| std::cmp::Reverse(confidence);
        sources.sort_by_cached_key(|view| (believed(view.confidence), heard_at(view), view.source.id.to_string()));
        let left_out = sources.len().saturating_sub(BOARD_SOURCES_MAX);
        sources.truncate(BOARD_SOURCES_MAX);
        (sources, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_takes_a_hundredth_of_the_time_at_most() {
        let began_at = UtcInstant::from_ms(1_800_000_000_000);
        let due_after = |took_ms| due_at(began_at, began_at.plus_ms(took_ms)).ms_since(began_at);
        assert_eq!([0, 5, 20, 21, 100, 1_000].map(due_after), [2_000, 2_000, 2_000, 2_100, 10_000, 100_000]);
        assert_eq!([-3_600_000, 3_600_000].map(due_after), [2_000, 600_000], "a clock that was set meanwhile");
    }
}
