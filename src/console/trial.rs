//! The trial of a question: answered as a regulator would be, and counted nowhere.
//!
//! Invariant: a trial alters nothing and is kept nowhere: no turn, no tension, no metric, no log, not among the questions on
//! which policies are tried. Another site cannot have a browser send one: the form of the body needs this page's origin.
//! Deliberately absent: road times; a trial asks no other server.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HOST, HeaderMap, ORIGIN};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::answer::answer as told;
use super::question::Question;
use super::{Console, JSON, reply_json};
use crate::domain::violation::Violation;

/// Longest question.
const QUESTION_MAX_BYTES: usize = 16 * 1_024;

/// Why a question is not answered.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    violations: Vec<Violation>,
}

impl Refused {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), violations: Vec::new() }
    }

    fn to_response(&self) -> Response {
        let violations: Vec<_> =
            self.violations.iter().map(|one| json!({ "field": one.field, "message": one.message })).collect();
        let body = json!({ "code": self.code, "message": self.message, "violations": violations });
        reply_json(self.status, &body)
    }
}

/// Answers a question that was posted.
pub(super) async fn answer(State(console): State<Arc<Console>>, request: Request<Body>) -> Response {
    match answered(&console, request).await {
        Ok(response) => response,
        Err(refused) => refused.to_response(),
    }
}

async fn answered(console: &Console, request: Request<Body>) -> Result<Response, Refused> {
    let (head, body) = request.into_parts();
    check_origin(&head.headers)?;
    let too_large = |_| {
        let message = format!("the question is longer than {QUESTION_MAX_BYTES} bytes, or did not come whole.");
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "INVALID_ARGUMENT", message)
    };
    let body = to_bytes(body, QUESTION_MAX_BYTES).await.map_err(too_large)?;
    let question: Question = serde_json::from_slice(&body).map_err(|error| {
        let message = format!("the question cannot be read: {error}.");
        Refused::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    })?;
    let query = question.to_query().map_err(|violations| Refused {
        violations,
        ..Refused::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "some fields are wrong.")
    })?;
    let early = |error: crate::service::Error| {
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, error.reason.code(), error.to_string())
    };
    console.service.check_answerable(&query).map_err(early)?;
    Ok(reply_json(StatusCode::OK, &told(&console.service.find(&query))))
}

/// Only this page asks: a form of another site cannot state JSON, and a script of one says where it comes from.
fn check_origin(headers: &HeaderMap) -> Result<(), Refused> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(CONTENT_TYPE.as_str()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some(JSON) {
        let message = format!("send the question as {JSON}.");
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "INVALID_ARGUMENT", message));
    }
    let is_foreign_fetch = text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let host = text(HOST.as_str()).unwrap_or_default();
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| authority == host);
    if is_foreign_fetch || text(ORIGIN.as_str()).is_some_and(|origin| !is_own(origin)) {
        let message = "a trial is asked from the page of this port only: open that page.";
        return Err(Refused::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message));
    }
    Ok(())
}
