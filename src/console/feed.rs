//! The stream of updates: worked out once every two seconds while somebody looks, and sent as the same bytes to every page.
//!
//! Invariant: nothing waits for a page. A slow one misses updates, never delays them, and finds out by itself (see
//! `places` and the map's revisions). Pages are bounded; the one too many is told so, by an event, and tries again later.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::time::MissedTickBehavior;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::WatchStream;

use super::PAGES_MAX;
use super::update::{Since, update};
use crate::service::Service;
use crate::tasks::Tasks;

/// How often pages are told.
const EVERY: Duration = Duration::from_secs(2);
/// After what a browser connects again.
const GREETING: &[u8] = b"retry: 2000\n\n";

/// One update, as it is sent; none before the first.
type Frame = Option<Bytes>;

/// Whom updates go to.
#[derive(Clone)]
pub(super) struct Feed {
    shared: Arc<Shared>,
}

struct Shared {
    service: Service,
    /// Not waited for by anybody: the task ends by itself soon after the last page.
    tasks: Tasks,
    places: Arc<Semaphore>,
    latest: watch::Sender<Frame>,
    /// Whether the task runs.
    is_running: Mutex<bool>,
}

impl Feed {
    pub(super) fn new(service: Service) -> Self {
        let (latest, _) = watch::channel(None);
        let places = Arc::new(Semaphore::new(PAGES_MAX));
        let shared = Shared { service, tasks: Tasks::new(), places, latest, is_running: Mutex::new(false) };
        Self { shared: Arc::new(shared) }
    }

    /// A stream for one more page, or what the page too many is told.
    pub(super) fn open(&self) -> Body {
        let Ok(place) = Arc::clone(&self.shared.places).try_acquire_owned() else {
            return Body::from(format!("retry: 30000\nevent: full\ndata: {{\"max\":{PAGES_MAX}}}\n\n"));
        };
        let receiver = self.subscribe();
        let frames = WatchStream::new(receiver).filter_map(move |frame| {
            // The page's place is taken for as long as its stream is there.
            let _taken = &place;
            frame.map(Ok::<_, Infallible>)
        });
        Body::from_stream(tokio_stream::once(Ok(Bytes::from_static(GREETING))).chain(frames))
    }

    fn subscribe(&self) -> watch::Receiver<Frame> {
        let mut is_running = self.shared.is_running.lock();
        let receiver = self.shared.latest.subscribe();
        if !*is_running {
            *is_running = true;
            self.shared.tasks.spawn(Arc::clone(&self.shared).run());
        }
        receiver
    }
}

impl Shared {
    /// Sends updates until nobody looks.
    async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut since = Since::default();
        let mut number = 0_u64;
        loop {
            ticks.tick().await;
            if self.is_over() {
                return;
            }
            let board = self.service.board().await;
            let age_ms = self.service.stamp().answered_at.ms_since(board.at).max(0);
            number += 1;
            let data = update(&board, since, age_ms);
            since = Since::of(&board);
            let frame = format!("id: {}-{number}\nevent: board\ndata: {data}\n\n", board.revision);
            self.latest.send_replace(Some(Bytes::from(frame)));
        }
    }

    /// Whether nobody looks any more; then the next page starts anew, and is shown nothing old.
    fn is_over(&self) -> bool {
        let mut is_running = self.is_running.lock();
        if self.latest.receiver_count() > 0 {
            return false;
        }
        *is_running = false;
        self.latest.send_replace(None);
        true
    }
}
