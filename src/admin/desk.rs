//! Where requests come in: what is not asked rightly is refused, all else goes to its route, and every answer is made safe to show.
//!
//! Invariant: only GET and HEAD reach a route, and POST where a mounted page asks questions so; a refusal has a name and says what to
//! do; every answer forbids browsers to run, load, frame or keep what is not from here; and but for probes and scrapes nothing is told to
//! whoever was sent here by a name that is not known. Deliberately absent: what a request said, which no refusal repeats.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http_body_util::Limited;
use tower::ServiceExt as _;

use super::Scrape;
use super::hosts::Hosts;
use super::metrics::{Scraper, metrics};
use super::probes::{live, ready, start, started};
use super::standing::Standing;
use crate::console;

/// Longest body of a question.
const QUESTION_MAX_BYTES: u64 = 64 * 1_024;
/// What a page from here may do in a browser, unless it says more strictly itself.
const CONTENT_SECURITY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// The routes of the port itself, with what each tells.
const ROUTES: [(&str, &str); 3] = [
    ("/livez", "whether the process answers"),
    ("/readyz", "whether this instance should get calls, and what is not as it should be"),
    ("/startupz", "whether the state was complete once"),
];
/// The page; while the ledger is opened, one that says so.
const PAGE: (&str, &str) = ("/", "the page of operations");
/// The route that is there when something is measured.
const METRICS: (&str, &str) = ("/metrics", "the metrics, in Prometheus' text format");

/// What is mounted beside the port's own routes.
struct Mounted {
    router: Router,
    questions: &'static [&'static str],
}

/// Answers requests.
pub(super) struct Desk {
    answer_deadline: Duration,
    hosts: Hosts,
    own: Router,
    /// What is there before anything is mounted: the port's own routes, and a page that says what is waited for.
    before: Router,
    mounted: OnceLock<Mounted>,
    has_metrics: bool,
}

impl Desk {
    pub(super) fn new(
        standing: Arc<Standing>,
        answer_deadline: Duration,
        hosts: Hosts,
        scrape: Option<Scrape>,
    ) -> Self {
        let has_metrics = scrape.is_some();
        let [(livez, _), (readyz, _), (startupz, _)] = ROUTES;
        let mut own = Router::new()
            .route(livez, get(live))
            .route(readyz, get(ready))
            .route(startupz, get(started))
            .route(console::START, get(start))
            .with_state(standing);
        if let Some(scrape) = scrape {
            own = own.route(METRICS.0, get(metrics).with_state(Scraper::new(scrape)));
        }
        let before = own.clone().merge(console::starting());
        Self { answer_deadline, hosts, own, before, mounted: OnceLock::new(), has_metrics }
    }

    pub(super) fn mount(&self, routes: Router, questions: &'static [&'static str]) {
        self.mounted.get_or_init(|| Mounted { router: self.own.clone().merge(routes), questions });
    }

    /// Answers one request; the answer begins before the deadline.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response
    where
        B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let is_head = request.method() == Method::HEAD;
        let mut response = match self.refusal(&request) {
            Some(refusal) => refusal,
            None => {
                let limit = usize::try_from(QUESTION_MAX_BYTES).unwrap_or(usize::MAX);
                let routed = self.routed(request.map(|body| Body::new(Limited::new(body, limit))));
                tokio::time::timeout(self.answer_deadline, routed).await.unwrap_or_else(|_| too_slow())
            }
        };
        if is_head {
            *response.body_mut() = Body::empty();
        }
        protect(response.headers_mut());
        response
    }

    /// Why a request is not even looked at; `None` when it is.
    fn refusal<B: axum::body::HttpBody>(&self, request: &Request<B>) -> Option<Response> {
        let (method, path) = (request.method(), request.uri().path());
        let is_for_all = ROUTES.iter().chain([&METRICS]).any(|(open, _)| *open == path);
        if !is_for_all && !self.hosts.admit(request.uri(), request.headers()) {
            return Some(unknown_host());
        }
        let is_question = method == Method::POST && self.questions().contains(&path);
        if !is_question && method != Method::GET && method != Method::HEAD {
            return Some(read_only(self.methods(path)));
        }
        let size = request.body().size_hint();
        let most = if is_question { QUESTION_MAX_BYTES } else { 0 };
        let is_too_much = size.lower() > most || (!is_question && size.upper() != Some(0));
        is_too_much.then(|| body_refused(most))
    }

    async fn routed(&self, request: Request<Body>) -> Response {
        let path = request.uri().path().to_owned();
        let router = self.mounted.get().map_or(&self.before, |mounted| &mounted.router);
        let Ok(response) = router.clone().oneshot(request).await;
        match response.status() {
            StatusCode::NOT_FOUND if is_without_body(&response) => self.unknown(),
            StatusCode::METHOD_NOT_ALLOWED => read_only(self.methods(&path)),
            _ => response,
        }
    }

    fn questions(&self) -> &'static [&'static str] {
        self.mounted.get().map_or(&[], |mounted| mounted.questions)
    }

    /// The methods that a path takes.
    fn methods(&self, path: &str) -> &'static str {
        if self.questions().contains(&path) { "POST" } else { "GET, HEAD" }
    }

    fn unknown(&self) -> Response {
        let mut told = "NOT_FOUND: nothing is here; there is:\n".to_owned();
        let metrics = self.has_metrics.then_some(METRICS);
        for (path, meaning) in ROUTES.into_iter().chain(metrics).chain([PAGE]) {
            told.push_str(&format!("  {path}  {meaning}\n"));
        }
        (StatusCode::NOT_FOUND, told).into_response()
    }
}

fn is_without_body(response: &Response) -> bool {
    response.body().size_hint().exact() == Some(0)
}

fn unknown_host() -> Response {
    let told = "HOST_NOT_LISTED: pages are shown under the address of this machine, localhost, and the names of admin.hosts: open the \
                page by one of these, or add the name by which you came to admin.hosts\n";
    (StatusCode::MISDIRECTED_REQUEST, told).into_response()
}

fn read_only(methods: &'static str) -> Response {
    let told = format!(
        "READ_ONLY: here it takes {methods}, since this port only reads; whatever alters something goes through gRPC (server.listen)\n"
    );
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, methods)], told).into_response()
}

fn body_refused(most: u64) -> Response {
    let told = match most {
        0 => "BODY_REFUSED: send no body: nothing here reads one\n".to_owned(),
        most => format!("BODY_REFUSED: send at most {most} bytes\n"),
    };
    (StatusCode::PAYLOAD_TOO_LARGE, told).into_response()
}

fn too_slow() -> Response {
    let told = "TOO_SLOW: the answer was not ready in time: ask again; if it stays so, the machine has too little to compute with\n";
    (StatusCode::SERVICE_UNAVAILABLE, told).into_response()
}

/// Forbids what no answer from here needs; a page may have set a policy of its own.
fn protect(headers: &mut HeaderMap) {
    let unless_set = [(CONTENT_SECURITY_POLICY, CONTENT_SECURITY), (CACHE_CONTROL, "no-store")];
    for (name, value) in unless_set {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
