//! Which calls are traced, and what is told of them.

use std::sync::Arc;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use parking_lot::Mutex;

use super::*;

/// Keeps what it is given.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> opentelemetry_sdk::error::OTelSdkResult {
        self.0.lock().extend(batch);
        Ok(())
    }
}

/// A tracer of this ratio and what it kept.
fn tracer(ratio: f64) -> (Tracer, Kept) {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
    (Tracer::new(provider.tracer("test"), ratio), kept)
}

fn headers(traceparent: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", HeaderValue::from_bytes(traceparent.as_bytes()).unwrap());
    headers
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

#[test]
fn without_a_tracer_nothing_is_traced() {
    let span = Tracer::default().call(&headers(SAMPLED), || unreachable!());
    assert!(!span.parent().is_traced());
    assert!(!parent().is_traced());
    assert_eq!(parent().trace_id(), None);
}

#[test]
fn what_a_caller_says_is_followed_and_what_cannot_be_read_is_not_said() {
    let is_traced = |ratio, traceparent: &str| {
        let (tracer, _kept) = tracer(ratio);
        tracer.call(&headers(traceparent), || "call").parent().is_traced()
    };
    assert!(is_traced(0.0, SAMPLED));
    assert!(!is_traced(1.0, UNSAMPLED));
    for wrong in ["", "00-xyz", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "é"] {
        assert!(is_traced(1.0, wrong), "{wrong}");
        assert!(!is_traced(0.0, wrong), "{wrong}");
    }
}

#[test]
fn what_a_caller_says_goes_on_to_servers_of_a_call_that_is_not_traced() {
    let kept = tracer(1.0);
    for (tracer, said) in [(&kept.0, UNSAMPLED), (&Tracer::default(), UNSAMPLED), (&Tracer::default(), SAMPLED)] {
        let mut told = headers(said);
        told.insert("tracestate", HeaderValue::from_static("samu=1"));
        let call = tracer.call(&told, || unreachable!());
        let _in_call = call.parent().enter();
        let part = part("answer");
        part.set(Attribute::OPTIONS, 1_usize);
        part.fail("SLOT_TAKEN");
        let question = part.parent().question("road.table");
        let mut sent = HeaderMap::new();
        question.parent().inject(&mut sent);
        assert_eq!(sent, told);
        assert_eq!((question.parent().is_traced(), question.parent().trace_id()), (false, None));
    }
    assert!(kept.1.0.lock().is_empty(), "and nothing is told of it");
}

#[test]
fn a_part_of_the_other_calls_is_traced() {
    let (tracer, _kept) = tracer(0.25);
    let traced = (0..4_000).filter(|_| tracer.call(&HeaderMap::new(), || "call").parent().is_traced()).count();
    assert!((800..1_200).contains(&traced), "{traced} of 4000");
}

#[test]
fn parts_are_below_their_call_also_on_another_thread() {
    let (tracer, kept) = tracer(0.0);
    let call = tracer.call(&headers(SAMPLED), || "call");
    {
        let _in_call = call.parent().enter();
        timed("triage", || ());
        let below = parent();
        std::thread::spawn(move || below.tell("store", Moment::now(), Duration::from_millis(1), &[])).join().unwrap();
    }
    assert!(!parent().is_traced(), "the thread left the call");
    let mut sent = HeaderMap::new();
    call.parent().inject(&mut sent);
    drop(call);
    let spans = kept.0.lock();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let call = named("call");
    assert_eq!(call.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(call.parent_span_id.to_string(), "00f067aa0ba902b7");
    for part in ["triage", "store"] {
        assert_eq!(named(part).parent_span_id, call.span_context.span_id(), "{part}");
    }
    let store = named("store");
    assert_eq!(store.end_time.duration_since(store.start_time).unwrap(), Duration::from_millis(1));
    let expected = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", call.span_context.span_id());
    assert_eq!(sent.get("traceparent").unwrap(), expected.as_str());
    assert!(!sent.contains_key("tracestate"), "there was none");
}

#[test]
fn a_reason_that_is_no_code_is_not_told() {
    let (tracer, kept) = tracer(1.0);
    for reason in ["SLOT_TAKEN", "Anne Durand", ""] {
        tracer.call(&HeaderMap::new(), || "call").fail(reason);
    }
    let told: Vec<_> = kept.0.lock().iter().map(|span| span.attributes[0].value.to_string()).collect();
    assert_eq!(told, ["SLOT_TAKEN", "_OTHER", "_OTHER"]);
}

#[test]
fn every_attribute_is_listed_once() {
    let keys: std::collections::BTreeSet<_> = Attribute::ALL.iter().map(|one| one.key()).collect();
    assert_eq!(keys.len(), Attribute::ALL.len());
}
