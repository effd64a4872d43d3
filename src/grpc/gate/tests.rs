//! Calls beyond the limit are refused at once, deadlines end a wait, and a place is held until the answer is sent.

use std::future::{pending, ready};

use http_body::Body as _;
use tonic::Code;
use tower::service_fn;

use super::*;

fn request(path: &str, timeout: Option<&str>) -> Request<()> {
    let mut builder = Request::builder().uri(format!("http://localhost{path}"));
    if let Some(timeout) = timeout {
        builder = builder.header("grpc-timeout", timeout);
    }
    builder.body(()).unwrap()
}

fn gate(calls_max: usize) -> Gate {
    Gate::new(calls_max, Duration::from_secs(30))
}

async fn code_of(answer: impl Future<Output = Result<Response<WatchedBody>, Infallible>>) -> Code {
    let response = answer.await.unwrap();
    Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code())
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_refused_at_once() {
    let gate = gate(1);
    let mut gated = gate.layer(service_fn(|_: Request<()>| pending::<Result<Response<Body>, Infallible>>()));
    let waiting = gated.call(request("/sas.routing.v1.BookingService/HoldSlot", None));
    assert_eq!(gate.under_way(), 1);
    assert_eq!(
        code_of(gated.call(request("/sas.routing.v1.BookingService/HoldSlot", None))).await,
        Code::ResourceExhausted
    );
    drop(waiting);
    assert_eq!(gate.under_way(), 0, "a caller that goes away gives its place back");
}

#[tokio::test]
async fn health_takes_no_place() {
    let gate = gate(1);
    let mut gated = gate.layer(service_fn(|_: Request<()>| ready(Ok(Response::new(Body::empty())))));
    let held = gated.call(request("/a/B", None)).await.unwrap();
    assert_eq!(gate.under_way(), 1, "held until the answer is sent");
    assert_eq!(code_of(gated.call(request("/grpc.health.v1.Health/Check", None))).await, Code::Ok);
    drop(held);
    gate.idle().await;
}

#[tokio::test]
async fn a_watch_takes_no_place_of_calls_and_is_waited_for() {
    let gate = gate(1);
    let mut gated = gate.layer(service_fn(|_: Request<()>| ready(Ok(Response::new(Body::empty())))));
    let watch = gated.call(request("/sas.routing.v1.RoutingService/WatchCare", None)).await.unwrap();
    let other = gated.call(request("/sas.routing.v1.RoutingService/WatchCare", None)).await.unwrap();
    let call = gated.call(request("/sas.routing.v1.RoutingService/FindCare", None)).await.unwrap();
    assert_eq!(gate.under_way(), 3);
    drop((other, call));
    assert!(tokio::time::timeout(Duration::ZERO, gate.idle()).await.is_err(), "a watch is open");
    drop(watch);
    gate.idle().await;
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_ends_the_wait() {
    let gate = gate(1);
    let mut gated = gate.layer(service_fn(|_: Request<()>| pending::<Result<Response<Body>, Infallible>>()));
    let started = tokio::time::Instant::now();
    assert_eq!(code_of(gated.call(request("/a/B", Some("50m")))).await, Code::DeadlineExceeded);
    assert_eq!(started.elapsed().as_millis(), 50);
    assert_eq!(code_of(gated.call(request("/a/B", Some("99H")))).await, Code::DeadlineExceeded);
    assert_eq!(started.elapsed().as_secs(), 30, "the service's own limit is the shorter one");
}

#[test]
fn timeouts_are_read_as_the_protocol_writes_them() {
    let table = [
        ("1H", Some(Duration::from_secs(3_600))),
        ("2M", Some(Duration::from_secs(120))),
        ("3S", Some(Duration::from_secs(3))),
        ("4m", Some(Duration::from_millis(4))),
        ("5u", Some(Duration::from_micros(5))),
        ("99999999n", Some(Duration::from_nanos(99_999_999))),
        ("123456789S", None),
        ("S", None),
        ("", None),
        ("-1S", None),
        ("1s", None),
    ];
    for (text, expected) in table {
        assert_eq!(timeout_of(request("/a/B", Some(text)).headers()), expected, "{text}");
    }
}

#[tokio::test]
async fn an_answer_passes_unchanged() {
    let mut gated = gate(1).layer(service_fn(|_: Request<()>| ready(Ok(Response::new(Body::empty())))));
    let response = gated.call(request("/a/B", None)).await.unwrap();
    assert!(response.body().is_end_stream());
}

/// What was logged while a future ran on this thread.
async fn logged(work: impl Future<Output = ()>) -> Vec<serde_json::Value> {
    let lines = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || Sink(Arc::clone(&sink)))
        .with_max_level(tracing::Level::INFO)
        .finish();
    // While there is one subscriber only, a log line that another thread reaches first is switched off for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    work.await;
    let text = String::from_utf8(lines.lock().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

struct Sink(Arc<parking_lot::Mutex<Vec<u8>>>);

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A body that ends with a status, as a stream does.
struct Ending(Option<Status>);

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(status) = self.0.take() else { return Poll::Ready(None) };
        let mut trailers = HeaderMap::new();
        status.add_header(&mut trailers).unwrap();
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

#[tokio::test]
async fn a_failed_call_is_one_line_without_anything_of_the_request() {
    let refused = || {
        Ok(status::from_violations(vec![crate::domain::violation::Violation::new("case_id", "dossier-7")]).into_http())
    };
    let mut gated = gate(1).layer(service_fn(move |_: Request<()>| ready(refused())));
    let lines = logged(async {
        gated.call(request("/sas.routing.v1.RoutingService/FindCare", None)).await.unwrap();
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["method"], "sas.routing.v1.RoutingService/FindCare");
    assert_eq!((&lines[0]["code"], &lines[0]["reason"]), (&"INVALID_ARGUMENT".into(), &"INVALID_ARGUMENT".into()));
    assert!(lines[0]["duration_ms"].is_u64());
    assert!(!lines[0].to_string().contains("dossier"), "{lines:?}");
}

#[tokio::test]
async fn a_stream_that_ends_badly_is_one_line_too() {
    let ending = || Ok(Response::new(Body::new(Ending(Some(status::shutting_down(1))))));
    let mut gated = gate(1).layer(service_fn(move |_: Request<()>| ready(ending())));
    let lines = logged(async {
        let mut body = gated.call(request("/a/B", None)).await.unwrap().into_body();
        while std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_some() {}
    })
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["level"], &lines[0]["reason"]), (&"WARN".into(), &"SHUTTING_DOWN".into()));
}

#[tokio::test]
async fn a_call_that_succeeds_writes_no_line() {
    let ending = || Ok(Response::new(Body::new(Ending(Some(Status::ok(""))))));
    let mut gated = gate(1).layer(service_fn(move |_: Request<()>| ready(ending())));
    let lines = logged(async {
        let mut body = gated.call(request("/a/B", None)).await.unwrap().into_body();
        while std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await.is_some() {}
    })
    .await;
    assert_eq!(lines, Vec::<serde_json::Value>::new());
}
