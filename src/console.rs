//! The page of operations: what it is made of, the stream that keeps it live, the lists behind it, and the trial of a question.
//!
//! Invariant: nothing here writes, and a page costs no more than sending it what was worked out once for all pages. The one POST
//! asks a question that is counted nowhere; it is a POST so that a position stands in no address. Text is sent as data, never as markup.
//! Deliberately absent: the port, what it refuses, and its deadlines, which are `admin`'s; and what a board says, which is the service's.

mod page;
mod feed;
mod update;
mod listing;
mod rows;
mod places;
mod codes;
mod asked;
mod question;
mod answer;
mod trial;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::service::Service;

use asked::Asked;
use feed::Feed;
use page::Page;

/// Paths to which a question is posted: the only ones that take a body.
pub const QUESTIONS: &[&str] = &["/console/try"];
/// Where the page that is shown during the start asks whether the ledger is open, and what is waited for.
pub const START: &str = "/console/start";
/// Most pages that are kept live at once.
pub const PAGES_MAX: usize = 32;
/// Most bytes of an update.
pub const UPDATE_MAX_BYTES: usize = 50_000;

/// What an operator chose.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Options {
    /// Where the map's tiles are had; `None` for a map without.
    pub tiles: Option<Tiles>,
}

/// Where tiles of a map are had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tiles {
    /// Address with `{z}`, `{x}` and `{y}`.
    pub url: String,
    /// Scheme, host and port, from which alone a browser may load pictures.
    pub origin: String,
}

/// What every request is answered from.
struct Console {
    service: Service,
    feed: Feed,
    page: Page,
    /// The codes that the page offers, as they are sent.
    codes: String,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

/// The routes of the page that stands in for the other while the ledger is opened. It asks [`START`], which is the port's.
pub fn starting() -> Router {
    page::starting()
}

/// The routes of the page, to be mounted at the root of the admin port.
pub fn router(service: Service, options: &Options) -> Router {
    let page = Page::new(options.tiles.as_ref().map(|tiles| tiles.origin.as_str()));
    let console = Arc::new(Console {
        feed: Feed::new(service.clone()),
        codes: codes::codes(options.tiles.as_ref()).to_string(),
        page,
        service,
    });
    let mut routes = Router::new();
    for path in page::PATHS {
        routes = routes.route(path, get(page::file));
    }
    routes
        .route("/console/events", get(events))
        .route("/console/codes", get(list_codes))
        .route("/console/places", get(list_places))
        .route("/console/tension", get(list_tension))
        .route("/console/sources", get(list_sources))
        .route("/console/try", post(trial::answer))
        .with_state(console)
}

async fn events(State(console): State<Arc<Console>>) -> Response {
    reply(StatusCode::OK, "text/event-stream", console.feed.open())
}

async fn list_codes(State(console): State<Arc<Console>>) -> Response {
    reply(StatusCode::OK, JSON, Body::from(console.codes.clone()))
}

async fn list_places(State(console): State<Arc<Console>>) -> Response {
    let board = console.service.board().await;
    reply(StatusCode::OK, "application/octet-stream", Body::from(places::packed(&board)))
}

async fn list_tension(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let board = console.service.board().await;
    listed(Asked::of(&uri), |asked| rows::tension(&board, asked))
}

async fn list_sources(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let board = console.service.board().await;
    listed(Asked::of(&uri), |asked| rows::sources(&board, asked))
}

fn listed(asked: Result<Asked, String>, list: impl FnOnce(&Asked) -> Result<Value, String>) -> Response {
    match asked.and_then(|asked| list(&asked)) {
        Ok(list) => reply_json(StatusCode::OK, &list),
        Err(message) => reply_json(StatusCode::BAD_REQUEST, &json!({ "code": "INVALID_ARGUMENT", "message": message })),
    }
}

const JSON: &str = "application/json";

fn reply_json(status: StatusCode, value: &Value) -> Response {
    reply(status, JSON, Body::from(value.to_string()))
}

fn reply(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
