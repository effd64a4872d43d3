//! What one call does and how long each part of it takes, for the calls that are traced.
//!
//! Whether a call is traced is decided once, where it comes in ([`Tracer::call`]); below, the span under way is that of the
//! thread. For a call that is not traced there is none, which costs one look, or the one of its caller, which is only passed on to
//! servers that are asked. Invariant: what a span tells is a number or
//! one of the program's own words, under an [`Attribute`] of the list; no text of a caller can be told.
//! Deliberately absent: where spans go, which is `telemetry`'s, and logs.

mod attribute;
mod tracer;

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::context::FutureExt as _;
use opentelemetry::propagation::{Injector, TextMapPropagator as _};
use opentelemetry::trace::{SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, ContextGuard, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;

pub use attribute::{Attribute, Value};
pub use tracer::Tracer;

/// What makes spans, kept in the context of a call that is traced.
struct Maker(SdkTracer);

/// The span under way, below which others begin; in a call that is not traced that of its caller, below which none does, or none.
#[derive(Clone, Debug, Default)]
pub struct Parent(Option<Context>);

/// A span; it ends when it is dropped. In a call that is not traced nothing is told of it.
#[derive(Debug, Default)]
#[must_use = "a span that is dropped at once tells nothing"]
pub struct Span(Option<Context>);

/// When something began, on the clock that spans are told by.
#[derive(Clone, Copy, Debug)]
pub struct Moment(SystemTime);

/// The thread works below a span until this is dropped.
#[must_use = "the span is that of the thread only while this is kept"]
pub struct Entered {
    _guard: Option<ContextGuard>,
}

/// The span under way on this thread.
#[must_use]
#[inline]
pub fn parent() -> Parent {
    Parent(Context::map_current(|context| context.has_active_span().then(|| context.clone())))
}

/// Begins a part of what is under way on this thread.
#[inline]
pub fn part(name: &'static str) -> Span {
    parent().part(name)
}

/// Does a part of what is under way on this thread.
#[inline]
pub fn timed<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    let _span = part(name);
    work()
}

/// Takes the span under way on this thread along, so that what a future does is below it, wherever it runs.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    parent().carry(future)
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(opentelemetry::time::now())
    }

    /// How long ago that is.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        Self::now().0.duration_since(self.0).unwrap_or_default()
    }

    /// A moment later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.checked_add(duration).unwrap_or(self.0))
    }
}

impl Parent {
    /// Whether the call is traced.
    #[must_use]
    #[inline]
    pub fn is_traced(&self) -> bool {
        self.0.as_ref().is_some_and(|context| context.get::<Maker>().is_some())
    }

    /// Whether there is anything to take along, be it only what the caller said.
    #[must_use]
    #[inline]
    pub const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a part of it.
    pub fn part(&self, name: &'static str) -> Span {
        self.begin(name, SpanKind::Internal, None)
    }

    /// Begins a question to another server.
    pub fn question(&self, name: &'static str) -> Span {
        self.begin(name, SpanKind::Client, None)
    }

    /// Tells a part that is over: from when on, how long it took, and figures of it.
    pub fn tell(&self, name: &'static str, from: Moment, took: Duration, figures: &[(Attribute, Value)]) {
        let mut span = self.begin(name, SpanKind::Internal, Some(from.0));
        for (attribute, value) in figures {
            span.set(*attribute, *value);
        }
        if let Some(context) = span.0.take() {
            context.span().end_with_timestamp(from.plus(took).0);
        }
    }

    /// Makes it the span of this thread for a while, which must not be across an `await`.
    pub fn enter(&self) -> Entered {
        Entered { _guard: self.0.clone().map(Context::attach) }
    }

    /// Makes it the span of a future, wherever that runs.
    pub fn carry<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        future.with_context(self.0.clone().unwrap_or_default())
    }

    /// Writes it where the next server looks for it: `traceparent` and `tracestate` of W3C Trace Context.
    pub fn inject(&self, headers: &mut HeaderMap) {
        if let Some(context) = &self.0 {
            TraceContextPropagator::new().inject_context(context, &mut Headers(headers));
        }
    }

    /// Identifier of the trace, for a line of the log.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.0.as_ref().filter(|_| self.is_traced()).map(|context| context.span().span_context().trace_id().to_string())
    }

    fn begin(&self, name: impl Into<Cow<'static, str>>, kind: SpanKind, from: Option<SystemTime>) -> Span {
        let Some(context) = &self.0 else { return Span::default() };
        // What a caller said of a call that is not traced goes on as it is.
        let Some(maker) = context.get::<Maker>() else { return Span(Some(context.clone())) };
        let builder = SpanBuilder { start_time: from, ..SpanBuilder::from_name(name) }.with_kind(kind);
        let span = maker.0.build_with_context(builder, context);
        Span(Some(context.with_span(span)))
    }
}

impl Span {
    /// What begins below it.
    #[must_use]
    pub fn parent(&self) -> Parent {
        Parent(self.0.clone())
    }

    /// Tells something of it.
    pub fn set(&self, attribute: Attribute, value: impl Into<Value>) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(attribute.key(), value.into()));
        }
    }

    /// Tells why it came to nothing, as a stable code; what is none is told as `_OTHER`.
    pub fn refuse(&self, reason: &str) {
        let Some(context) = &self.0 else { return };
        let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_stable = (1..=64).contains(&reason.len()) && reason.bytes().all(is_code);
        let reason = if is_stable { reason.to_owned() } else { "_OTHER".to_owned() };
        context.span().set_attribute(KeyValue::new(Attribute::ERROR.key(), reason));
    }

    /// The same of what is an error of the service and not of who asked.
    pub fn fail(&self, reason: &str) {
        self.refuse(reason);
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(""));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // What was begun below may keep the context; the span ends now.
        if let Some(context) = self.0.take() {
            context.span().end();
        }
    }
}

/// Headers that a context is written to.
struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // What is no header is left out: the next server begins a trace of its own.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
            && !value.is_empty()
        {
            self.0.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests;
