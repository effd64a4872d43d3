//! What supervisors ask: whether the process lives, should get calls, has started.
//!
//! Invariant: a probe waits for nothing, and says in words or JSON (`Accept: application/json`) why it says no. Deliberately absent:
//! Redis in the answer about life, since a restart cures no other machine.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::standing::{Remark, Report, Standing};

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

/// What a probe says.
#[derive(Serialize)]
struct Verdict<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing: &'a [Remark],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    conditions: &'a [Remark],
}

/// How far the start has come.
#[derive(Serialize)]
struct Start {
    is_open: bool,
    missing: Vec<Remark>,
}

/// The process answers, so it lives.
pub(super) async fn live(headers: HeaderMap) -> Response {
    answer(&headers, StatusCode::OK, &Verdict { status: "ALIVE", missing: &[], conditions: &[] })
}

/// Whether this instance should get calls: it has its whole state, and does not end.
pub(super) async fn ready(State(standing): State<Arc<Standing>>, headers: HeaderMap) -> Response {
    let Report { missing, conditions, .. } = standing.report();
    let (code, status) = match missing.is_empty() {
        true => (StatusCode::OK, "READY"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "NOT_READY"),
    };
    answer(&headers, code, &Verdict { status, missing: &missing, conditions: &conditions })
}

/// Whether the state was complete once.
pub(super) async fn started(State(standing): State<Arc<Standing>>, headers: HeaderMap) -> Response {
    let Report { has_started, missing, .. } = standing.report();
    match has_started {
        true => answer(&headers, StatusCode::OK, &Verdict { status: "STARTED", missing: &[], conditions: &[] }),
        false => {
            let verdict = Verdict { status: "NOT_STARTED", missing: &missing, conditions: &[] };
            answer(&headers, StatusCode::SERVICE_UNAVAILABLE, &verdict)
        }
    }
}

/// What a page asks that is shown before the console is there: it is told with 200, since browsers complain of anything else.
pub(super) async fn start(State(standing): State<Arc<Standing>>) -> Response {
    let told = Start { is_open: standing.is_open(), missing: standing.report().missing };
    ([(CONTENT_TYPE, JSON)], serde_json::to_string(&told).unwrap_or_default()).into_response()
}

fn answer(headers: &HeaderMap, code: StatusCode, verdict: &Verdict<'_>) -> Response {
    let wants_json =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|given| given.contains(JSON));
    let json = wants_json.then(|| serde_json::to_string(verdict).ok()).flatten();
    let (content_type, mut body) = json.map_or_else(|| (TEXT, text(verdict)), |json| (JSON, json));
    if !body.ends_with('\n') {
        body.push('\n');
    }
    (code, [(CONTENT_TYPE, content_type), (VARY, ACCEPT.as_str())], body).into_response()
}

fn text(verdict: &Verdict<'_>) -> String {
    let Verdict { status, missing, conditions } = verdict;
    let mut text = format!("{status}\n");
    let missing = missing.iter().map(|remark| ("missing", remark));
    let standing = conditions.iter().map(|remark| (if remark.degrades { "degraded" } else { "noted" }, remark));
    for (word, Remark { code, message, .. }) in missing.chain(standing) {
        text.push_str(&format!("{word}: {code}: {message}\n"));
    }
    text
}
