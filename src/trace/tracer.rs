//! Which calls are traced: those whose caller traces them, and a part of the others.
//!
//! Invariant: what a caller says is followed as W3C Trace Context has it, and passed on also where nothing is traced; what cannot be
//! read counts as not said.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer};

use super::{Maker, Parent, Span};

/// Decides which calls are traced; by default none.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Inner>>);

struct Inner {
    tracer: SdkTracer,
    /// The part of calls that nobody traced before and that are traced here, from 0 to 1.
    ratio: f64,
    ids: RandomIdGenerator,
}

impl Tracer {
    /// Traces what callers trace, and this part of the other calls, from 0 to 1.
    #[must_use]
    pub fn new(tracer: SdkTracer, ratio: f64) -> Self {
        Self(Some(Arc::new(Inner { tracer, ratio, ids: RandomIdGenerator::default() })))
    }

    /// Begins the span of a call that comes in with these headers; of one that is not traced it only passes on what its caller said.
    #[inline]
    pub fn call(&self, headers: &HeaderMap, name: impl FnOnce() -> &'static str) -> Span {
        let before = if headers.contains_key("traceparent") { said(headers) } else { None };
        let Some(inner) = &self.0 else { return Span(before) };
        let is_traced =
            before.as_ref().map_or_else(|| inner.draws(), |before| before.span().span_context().is_sampled());
        if !is_traced {
            return Span(before);
        }
        let maker = Maker(inner.tracer.clone());
        Parent(Some(before.unwrap_or_default().with_value(maker))).begin(name(), SpanKind::Server, None)
    }
}

/// The span that a caller says its call is below; `None` when that cannot be read.
fn said(headers: &HeaderMap) -> Option<Context> {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    context.span().span_context().is_valid().then_some(context)
}

impl Inner {
    /// Whether this one is among the part that is traced.
    fn draws(&self) -> bool {
        let drawn = u32::from_be_bytes({
            let [a, b, c, d, ..] = self.ids.new_span_id().to_bytes();
            [a, b, c, d]
        });
        f64::from(drawn) < self.ratio * (f64::from(u32::MAX) + 1.0)
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("ratio", &self.0.as_ref().map(|inner| inner.ratio)).finish()
    }
}

/// Headers that a context is read from.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
