//! The metrics, for whoever scrapes them.
//!
//! Invariant: one scrape at a time is worked out, away from the tasks that answer calls, and it never waits for the ledger;
//! a scrape that takes too long is said to be so, and the next one waits for its end instead of starting beside it.
//! Deliberately absent: what the metrics are, which is telemetry's.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use super::Scrape;

/// Prometheus' text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Works out one scrape at a time.
#[derive(Clone)]
pub(super) struct Scraper {
    scrape: Scrape,
    turn: Arc<Semaphore>,
}

impl Scraper {
    pub(super) fn new(scrape: Scrape) -> Self {
        Self { scrape, turn: Arc::new(Semaphore::new(1)) }
    }
}

/// Everything that is measured, as it is now.
pub(super) async fn metrics(State(Scraper { scrape, turn }): State<Scraper>) -> Response {
    let Ok(turn) = turn.acquire_owned().await else { return failed() };
    // The turn goes along: a scrape whose client is gone ends before the next begins.
    let scraped = tokio::task::spawn_blocking(move || {
        let text = scrape();
        drop(turn);
        text
    });
    match scraped.await {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be worked out");
            failed()
        }
    }
}

fn failed() -> Response {
    let told = "METRICS_FAILED: the metrics could not be worked out: report it with the log\n";
    (StatusCode::INTERNAL_SERVER_ERROR, told).into_response()
}
