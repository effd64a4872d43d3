//! What operations look at, worked out once for everybody: how needs are met, what was answered, who publishes, how the instance stands.
//!
//! Invariant: a board is at most [`BOARD_KEPT_MS`] old when it is handed out, and is worked out only when somebody asks, once
//! however many ask; the way of a question is never touched by it. Everything in it is bounded.
//! Deliberately absent: patients, and anything of single questions; and what other instances answered, which they tell.

mod activity;
mod places;
mod survey;
mod tension;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use crate::domain::source::Confidence;
use crate::domain::time::UtcInstant;

use super::Service;
use super::limits::{BOARD_KEPT_MS, BOARD_SOURCES_MAX};
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
    /// Holds that live.
    pub live_hold_count: u64,
    /// How needs are met, the tensest first.
    pub tension: TensionBoard,
    /// Who publishes, the least believed first, then the one that was not heard for longest.
    pub sources: Vec<SourceView>,
    /// Sources that found no room among them.
    pub sources_left_out_count: usize,
    /// Where care is given, for a map.
    pub places: PlaceMap,
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

    /// The board that was worked out last, however old; none when nobody looked yet.
    #[must_use]
    pub fn last_board(&self) -> Option<Arc<Board>> {
        self.shared.boards.last.load_full()
    }

    /// Works it out; takes a tenth of a second with a hundred thousand schedules.
    fn make_board(&self) -> Board {
        let parts = self.parts();
        let (at, last) = (parts.clock.now(), self.last_board());
        // No process hands out the numbers of another one's boards.
        let revision = u64::try_from(at.ms()).unwrap_or(0).max(last.as_ref().map_or(0, |last| last.revision + 1));
        let in_force = self.policies().load_full();
        let mut activity = self.shared.activity.told(at);
        activity.note_expired(&parts.index.hold_ends(at), last.as_ref().map(|last| &last.activity));
        let survey = survey::Survey::of(&parts.index, &in_force.set, at);
        let (sources, sources_left_out_count) = self.board_sources();
        Board {
            at,
            revision,
            status: self.status(),
            activity,
            live_hold_count: parts.index.live_hold_count(at),
            tension: TensionBoard::of(&survey, &parts.index, at),
            sources,
            sources_left_out_count,
            places: PlaceMap::of(survey, &parts.index, (at, revision), last.as_ref().map(|last| &last.places)),
        }
    }

    /// The sources that need looking at, and how many found no room.
    fn board_sources(&self) -> (Vec<SourceView>, usize) {
        let mut sources = self.sources();
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
