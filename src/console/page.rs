//! The files of the page, which are part of the program.
//!
//! Invariant: a browser that loads them asks nobody else for anything (but for tiles, where an operator named a source), and
//! runs nothing that is not among them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use sha1_smol::Sha1;

use super::Console;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Path, kind and content of each file.
const FILES: [(&str, &str, &str); 18] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", STYLE, include_str!("page/style.css")),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("/start.js", SCRIPT, include_str!("page/start.js")),
    ("/starting.js", SCRIPT, include_str!("page/starting.js")),
    ("/conditions.js", SCRIPT, include_str!("page/conditions.js")),
    ("/switches.js", SCRIPT, include_str!("page/switches.js")),
    ("/page.js", SCRIPT, include_str!("page/page.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
    ("/fr.js", SCRIPT, include_str!("page/fr.js")),
    ("/en.js", SCRIPT, include_str!("page/en.js")),
    ("/listing.js", SCRIPT, include_str!("page/listing.js")),
    ("/chart.js", SCRIPT, include_str!("page/chart.js")),
    ("/map.js", SCRIPT, include_str!("page/map.js")),
    ("/trial.js", SCRIPT, include_str!("page/trial.js")),
    ("/vendor/leaflet-1.9.4/leaflet.js", SCRIPT, include_str!("page/vendor/leaflet-1.9.4/leaflet.js")),
    ("/vendor/leaflet-1.9.4/leaflet.css", STYLE, include_str!("page/vendor/leaflet-1.9.4/leaflet.css")),
];

/// What is at `/` while the ledger is opened.
const STARTING: &str = include_str!("page/starting.html");

/// Where the files are.
pub(super) const PATHS: [&str; FILES.len()] = {
    let mut paths = [""; FILES.len()];
    let (mut files, mut left): (&[(&str, &str, &str)], &mut [&str]) = (&FILES, &mut paths);
    while let ([(path, _, _), other_files @ ..], [first, others @ ..]) = (files, left) {
        *first = *path;
        files = other_files;
        left = others;
    }
    paths
};

/// What goes along with the files.
pub(super) struct Page {
    security: HeaderValue,
    /// One digest of all files: they are of one version.
    tag: HeaderValue,
}

impl Page {
    /// The page, with the origin from which a browser may load tiles.
    pub(super) fn new(tiles_origin: Option<&str>) -> Self {
        let pictures = tiles_origin.map_or(String::new(), |origin| format!(" {origin}"));
        let security = format!(
            "default-src 'self'; img-src 'self' data:{pictures}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
             object-src 'none'"
        );
        let mut digest = Sha1::new();
        FILES.iter().for_each(|(_, _, content)| digest.update(content.as_bytes()));
        let header =
            |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("default-src 'self'"));
        Self { security: header(security), tag: header(format!("\"{}\"", digest.digest())) }
    }

    fn file(&self, uri: &Uri, asked: &HeaderMap) -> Response {
        let Some((_, kind, content)) = FILES.iter().find(|(path, _, _)| *path == uri.path()) else {
            return with_status(StatusCode::NOT_FOUND, Body::empty());
        };
        let is_kept = asked.get(IF_NONE_MATCH) == Some(&self.tag);
        let mut response = if is_kept {
            with_status(StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            with_status(StatusCode::OK, Body::from(*content))
        };
        let fixed: [(HeaderName, HeaderValue); 4] = [
            (CONTENT_TYPE, HeaderValue::from_static(kind)),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        response.headers_mut().extend(fixed);
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, self.security.clone());
        response.headers_mut().insert(ETAG, self.tag.clone());
        response
    }
}

/// Hands out a file, unless the browser has it.
pub(super) async fn file(State(console): State<Arc<Console>>, uri: Uri, asked: HeaderMap) -> Response {
    console.page.file(&uri, &asked)
}

/// The page that says what is waited for, and the files that it shares with the other.
pub(super) fn starting() -> Router {
    let page = Arc::new(Page::new(None));
    // No browser keeps it: the other page takes its place.
    let shown = get(async || ([(CONTENT_TYPE, HTML), (CACHE_CONTROL, "no-store")], STARTING));
    let file = async |State(page): State<Arc<Page>>, uri: Uri, asked: HeaderMap| page.file(&uri, &asked);
    let shared = PATHS.into_iter().filter(|path| *path != "/");
    shared.fold(Router::new().route("/", shown), |routes, path| routes.route(path, get(file))).with_state(page)
}

fn with_status(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
