//! Clients of the admin port that want what it does not give, or keep it busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get as on_get, post as on_post};
use sas_router::admin::{Admin, Hosts, Limits, Scrape};
use sas_router::clock::Stopwatch;
use sas_router::tasks::Tasks;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::grpc_limits::until;
use crate::harness::http::{ask, get, rest, send};
use crate::harness::in_process::listener;

/// Deadlines that a test can wait for.
const SOON: Duration = Duration::from_millis(300);
const ROUTES: [&str; 5] = ["/livez", "/readyz", "/startupz", "/metrics", "/"];

fn measured(text: &'static str) -> Option<Scrape> {
    Some(Arc::new(move || text.to_owned()))
}

async fn port(limits: Limits, scrape: Option<Scrape>) -> (Admin, String) {
    let admin = Admin::start(listener().await, Arc::default(), limits, Hosts::default(), scrape).unwrap();
    let address = admin.address.to_string();
    (admin, address)
}

#[tokio::test]
async fn metrics_are_told_while_the_instance_starts() {
    let (_admin, address) = port(Limits::default(), measured("sas_ready 0\n")).await;
    assert_eq!(get(&address, "/startupz").await.status, 503);
    let scraped = get(&address, "/metrics").await;
    assert_eq!((scraped.status, scraped.body.as_str()), (200, "sas_ready 0\n"));
    assert_eq!(scraped.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let head = ask(&address, "HEAD", "/metrics", &[]).await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn whoever_wants_to_alter_something_is_told_that_this_port_only_reads() {
    let (_admin, address) = port(Limits::default(), measured("")).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        for path in ROUTES.iter().chain(&["/nowhere"]) {
            let refused = ask(&address, method, path, &["content-length: 0"]).await;
            assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"), "{method} {path}");
            assert!(refused.body.starts_with("READ_ONLY: ") && refused.body.contains("gRPC"), "{}", refused.body);
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_answered_with_those_that_are() {
    let (admin, address) = port(Limits::default(), measured("")).await;
    for path in ["/nowhere", "/livez/", "//livez", "/%00", "/../livez"] {
        let unknown = get(&address, path).await;
        assert_eq!(unknown.status, 404, "{path}");
        for route in ROUTES {
            assert!(unknown.body.contains(&format!("  {route}  ")), "{path}: {}", unknown.body);
        }
    }
    assert_eq!(get(&address, "/").await.status, 200, "before anything is mounted it says that it starts");
    admin.mount(Router::new().route("/", on_get(async || "the page")), &[]);
    assert_eq!(get(&address, "/").await.body, "the page");
    let (_bare, address) = port(Limits::default(), None).await;
    let unknown = get(&address, "/metrics").await;
    assert!(unknown.status == 404 && !unknown.body.contains("/metrics"), "{}", unknown.body);
}

#[tokio::test]
async fn a_mounted_page_may_ask_by_post_where_it_says_so() {
    let (admin, address) = port(Limits::default(), None).await;
    let routes = Router::new()
        .route("/ask", on_post(async |body: Bytes| format!("{} bytes", body.len())))
        .route("/change", on_post(async || "changed"));
    admin.mount(routes, &["/ask"]);
    let post = |path: &str, length: usize| {
        send_body(address.clone(), format!("POST {path}"), format!("content-length: {length}"), "x".repeat(length))
    };
    assert_eq!(post("/ask", 7).await.body, "7 bytes");
    let refused = post("/change", 0).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"), "{refused:?}");
    let too_much = post("/ask", 65_537).await;
    assert!(too_much.status == 413 && too_much.body.contains("65536"), "{too_much:?}");
    let wrong = get(&address, "/ask").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "POST"));
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", 65_537, "x".repeat(65_537));
    let unsaid = send_body(address, "POST /ask".into(), "transfer-encoding: chunked".into(), chunks).await;
    assert_eq!(unsaid.status, 413, "{unsaid:?}");
}

async fn send_body(address: String, ask: String, line: String, body: String) -> crate::harness::http::Answer {
    send(&address, &format!("{ask} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{line}\r\n\r\n{body}")).await
}

#[tokio::test]
async fn a_body_is_not_read() {
    let (_admin, address) = port(Limits::default(), None).await;
    for (line, body) in [("content-length: 5", "abcde"), ("transfer-encoding: chunked", "5\r\nabcde\r\n0\r\n\r\n")] {
        let refused = send_body(address.clone(), "GET /livez".into(), line.into(), body.into()).await;
        assert!(refused.status == 413 && refused.body.starts_with("BODY_REFUSED: send no body"), "{line}: {refused:?}");
    }
    let promised = send_body(address, "GET /livez".into(), "content-length: 1000000".into(), String::new()).await;
    assert_eq!(promised.status, 413, "it is not waited for");
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_what_is_not_from_here() {
    let (_admin, address) = port(Limits::default(), measured("")).await;
    for (method, path) in ROUTES.map(|path| ("GET", path)).into_iter().chain([("POST", "/livez"), ("HEAD", "/readyz")])
    {
        let answer = ask(&address, method, path, &["origin: https://evil.example"]).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(answer.header(name), value, "{method} {path}: {name}");
        }
    }
}

#[tokio::test]
async fn probes_and_scrapes_are_asked_by_any_name() {
    let (_admin, address) = port(Limits::default(), measured("sas_ready 1\n")).await;
    for path in ["/readyz", "/startupz", "/metrics"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: sas-1:7411\r\nconnection: close\r\n\r\n");
        assert_ne!(send(&address, &request).await.status, 421, "{path}");
    }
    for request in [
        "GET /livez HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        "GET http://evil.example/livez HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        "GET /livez HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(send(&address, request).await.body, "ALIVE\n", "{request}");
    }
}

#[tokio::test]
async fn a_page_is_shown_under_an_address_localhost_or_a_listed_name_only() {
    let hosts = ["console.sas.example".to_owned()].into_iter().collect();
    let admin = Admin::start(listener().await, Arc::default(), Limits::default(), hosts, None).unwrap();
    let address = admin.address.to_string();
    admin.mount(
        Router::new().route("/", on_get(async || "the page")).route("/ask", on_post(async || "answered")),
        &["/ask"],
    );
    let asked = async |what: &str, host: &str| {
        send(&address, &format!("{what} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
            .await
    };
    for host in ["localhost", &address, "console.sas.example", "console.sas.example:443"] {
        assert_eq!(asked("GET /", host).await.body, "the page", "{host}");
        assert_eq!(asked("POST /ask", host).await.body, "answered", "{host}");
    }
    for what in ["GET /", "HEAD /", "POST /ask", "GET /console/start", "GET /nowhere", "DELETE /", "GET //livez"] {
        let refused = asked(what, "evil.example").await;
        assert_eq!(refused.status, 421, "{what}: {refused:?}");
        assert!(what.starts_with("HEAD") || refused.body.starts_with("HOST_NOT_LISTED: "), "{what}: {refused:?}");
        assert!(what.starts_with("HEAD") || refused.body.contains("admin.hosts"), "{what}: {refused:?}");
        assert!(!format!("{refused:?}").contains("evil"), "{refused:?}");
    }
    assert_eq!(send(&address, "GET / HTTP/1.0\r\n\r\n").await.status, 421, "who does not say");
}

#[tokio::test]
async fn a_head_that_is_too_long_or_none_at_all_is_refused() {
    let (_admin, address) = port(Limits::default(), None).await;
    let long = format!("x-long: {}", "x".repeat(32 * 1_024));
    let many: Vec<_> = (0..100).map(|number| format!("x-{number}: 1")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(ask(&address, "GET", "/livez", &[&long]).await.status, 431);
    assert_eq!(ask(&address, "GET", "/livez", &many).await.status, 431);
    let path = format!("/{}", "x".repeat(70_000));
    let status = get(&address, &path).await.status;
    assert!([414, 431].contains(&status), "{status}");
    for garbage in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let status = send(&address, garbage).await.status;
        assert!([0, 400, 405, 505].contains(&status), "{garbage:?}: {status}");
    }
    assert_eq!(get(&address, "/livez").await.status, 200);
}

#[tokio::test]
async fn who_does_not_ask_in_time_loses_the_place_to_others() {
    let limits = Limits { connections_max: 2, head_deadline: SOON, ..Limits::default() };
    let (_admin, address) = port(limits, None).await;
    let silent = TcpStream::connect(&address).await.unwrap();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nx-slow: ").await.unwrap();
    let waited = Stopwatch::start();
    assert_eq!(get(&address, "/livez").await.status, 200, "a place was given up");
    assert!(waited.elapsed() >= SOON / 2, "both places were taken until then");
    assert!(!rest(slow).await.contains("200 OK"));
    assert_eq!(rest(silent).await, "");
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(rest(idle).await.ends_with("ALIVE\n"), "one that was answered is closed when it asks nothing more");
}

#[tokio::test]
async fn who_takes_nothing_of_the_answer_loses_the_place_to_others() {
    let limits = Limits { connections_max: 1, write_deadline: SOON, ..Limits::default() };
    let large: Scrape = Arc::new(|| "x".repeat(64 * 1_024 * 1_024));
    let (_admin, address) = port(limits, Some(large)).await;
    let mut lazy = TcpStream::connect(&address).await.unwrap();
    lazy.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(get(&address, "/livez").await.status, 200);
}

#[tokio::test]
async fn a_stream_that_is_read_outlives_the_deadlines() {
    let limits = Limits { head_deadline: SOON, answer_deadline: SOON, write_deadline: SOON, ..Limits::default() };
    let (admin, address) = port(limits, None).await;
    let (events, waiting) = mpsc::channel::<&str>(1);
    let waiting = Arc::new(parking_lot::Mutex::new(Some(waiting)));
    let stream = on_get(async move || {
        let waiting = waiting.lock().take().unwrap();
        Body::from_stream(ReceiverStream::new(waiting).map(Ok::<_, std::io::Error>))
    });
    admin.mount(Router::new().route("/events", stream), &[]);
    let read = Tasks::new().spawn(async move { get(&address, "/events").await });
    let open = Stopwatch::start();
    let mut ticks = tokio::time::interval(SOON);
    while open.elapsed() < SOON * 4 {
        ticks.tick().await;
        events.send("event\n").await.expect("it is still open");
    }
    events.send("the last\n").await.unwrap();
    drop(events);
    assert!(read.await.unwrap().body.contains("the last"));
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end() {
    let limits = Limits { close_deadline: SOON, ..Limits::default() };
    let (admin, address) = port(limits, None).await;
    let stream = on_get(async || Body::from_stream(tokio_stream::pending::<Result<Bytes, std::io::Error>>()));
    admin.mount(Router::new().route("/events", stream), &[]);
    let mut page = TcpStream::connect(&address).await.unwrap();
    page.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    page.readable().await.unwrap();
    tokio::time::timeout(Duration::from_secs(30), admin.close()).await.expect("the port closes");
    assert!(TcpStream::connect(&address).await.is_err());
}

/// Lets everything through once the test is over, however it ends: a runtime waits for what blocks its threads.
struct OpenedAtLast(Arc<Semaphore>);

impl Drop for OpenedAtLast {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[tokio::test]
async fn a_scrape_that_takes_long_is_said_to_be_slow_and_is_never_run_twice_at_once() {
    let (door, running, most) =
        (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let _opened_at_last = OpenedAtLast(Arc::clone(&door));
    let scrape: Scrape = {
        let (door, running, most) = (Arc::clone(&door), Arc::clone(&running), Arc::clone(&most));
        let runtime = tokio::runtime::Handle::current();
        Arc::new(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if let Ok(permit) = runtime.block_on(door.acquire()) {
                permit.forget();
            }
            running.fetch_sub(1, Ordering::SeqCst);
            "sas_ready 1\n".to_owned()
        })
    };
    let (_admin, address) = port(Limits { answer_deadline: SOON, ..Limits::default() }, Some(scrape)).await;
    let (first, second) = tokio::join!(get(&address, "/metrics"), get(&address, "/metrics"));
    for slow in [first, second] {
        assert!(slow.status == 503 && slow.body.starts_with("TOO_SLOW: "), "{slow:?}");
    }
    assert_eq!(get(&address, "/livez").await.status, 200, "a probe does not wait for it");
    door.add_permits(2);
    until(|| running.load(Ordering::SeqCst) == 0).await;
    assert_eq!(get(&address, "/metrics").await.body, "sas_ready 1\n");
    assert_eq!(most.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_scrape_that_panics_takes_nothing_down() {
    let (_admin, address) = port(Limits::default(), Some(Arc::new(|| panic!("on purpose")))).await;
    for _ in 0..2 {
        let failed = get(&address, "/metrics").await;
        assert!(failed.status == 500 && failed.body.starts_with("METRICS_FAILED: "), "{failed:?}");
    }
    assert_eq!(get(&address, "/livez").await.status, 200);
}
