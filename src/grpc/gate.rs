//! Where every call passes: whether there is room for it, how long it may take, and one log line for each that fails.
//!
//! Invariant: a call holds its place ([`Room`]) until the last byte of its answer is sent or given up. Health and reflection take
//! no place, so that a busy service still says how it is. Where there is no room a call is refused at once instead of queued:
//! a regulator on the phone is better served by a second try than by an answer that comes too late. Refusals for want of room
//! share a line a second, since a line each would cost more than the refusal.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::Frame;
use tokio_util::either::Either;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response, Uri};
use tower::{Layer, Service};

use super::admission::Admission;
use super::room::{Class, Entry, EscalationsOnly, Place, Room, Taken};
use super::shedding::Shedding;
use super::status::{self, Gravity};
use super::witness::{CallEnd, CallKind, Witnessed, method_of};
use crate::clock::Stopwatch;
use crate::trace::{Attribute, Span, Tracer};

/// After how long a refused caller may try again, in milliseconds.
pub(super) const RETRY_AFTER_MS: u32 = 200;

/// The status of a call whose caller went away.
const CANCELLED: &str = "CANCELLED";

/// Lets calls through as long as there is room.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    room: Room,
    shedding: Arc<Shedding>,
    call_timeout: Duration,
    admission: Option<Admission>,
    /// Which calls are traced.
    tracer: Tracer,
    witnessed: Witnessed,
}

impl Gate {
    /// A gate for this many calls at once, each of which answers within this time.
    pub(super) fn new(calls_max: usize, call_timeout: Duration) -> Self {
        let (room, shedding) = (Room::new(calls_max), Arc::default());
        let (tracer, witnessed) = (Tracer::default(), Witnessed::default());
        Self { room, shedding, call_timeout, admission: None, tracer, witnessed }
    }

    /// The same, open to what is admitted only.
    pub(super) fn admitting(self, admission: Admission) -> Self {
        Self { admission: Some(admission), ..self }
    }

    /// The same, traced by this tracer.
    pub(super) fn traced_by(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }

    /// The same, telling of every call.
    pub(super) fn telling(self, witnessed: Witnessed) -> Self {
        Self { witnessed, ..self }
    }

    /// How many calls are under way.
    pub(super) fn under_way(&self) -> usize {
        let Taken { calls, questions, watches, .. } = self.load();
        calls + questions + watches
    }

    /// What is under way, and the most of it.
    pub(super) fn load(&self) -> Taken {
        self.room.taken()
    }

    /// Waits until no call is under way.
    pub(super) async fn idle(&self) {
        self.room.idle().await;
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Gated { inner, gate: self.clone() }
    }
}

/// A service behind the gate.
#[derive(Clone, Debug)]
pub(super) struct Gated<S> {
    inner: S,
    gate: Gate,
}

impl<S, B> Service<Request<B>> for Gated<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<WatchedBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut call = Call::new(request.uri().clone(), &self.gate);
        if call.is_about_the_server() {
            let answer = self.inner.call(request);
            return Box::pin(async move { Ok(call.watch(answer.await?, None)) });
        }
        call.span = self.gate.tracer.call(request.headers(), || method_of(call.uri.path()));
        if let Some(Err(early)) = self.gate.admission.as_ref().map(|admission| admission.check(call.uri.path())) {
            return Box::pin(async move { Ok(call.watch(early.into_http(), None)) });
        }
        let class = Class::of(call.uri.path());
        let (mut place, is_glance) = match self.gate.room.enter(class) {
            Entry::Place(place) => (place, false),
            Entry::Glance(place) => (place, true),
            Entry::Full => {
                call.shed(class.kind());
                let refused = status::overloaded(RETRY_AFTER_MS).into_http();
                return Box::pin(async move { Ok(call.watch(refused, None)) });
            }
        };
        if is_glance {
            request.extensions_mut().insert(EscalationsOnly);
        }
        let allowed =
            timeout_of(request.headers()).map_or(self.gate.call_timeout, |asked| asked.min(self.gate.call_timeout));
        // Made now and not at the first poll: the transport has a timer of its own for the same deadline, which answers
        // CANCELLED; this one must be the earlier of the two.
        let deadline = tokio::time::sleep(allowed);
        let below = call.span.parent();
        let answer = {
            let _below = below.enter();
            self.inner.call(request)
        };
        let answer = if below.is_there() { Either::Left(below.carry(answer)) } else { Either::Right(answer) };
        Box::pin(async move {
            // The transport begins a call in a task of its own: this is how long that task stood in line.
            place.begun(call.stopwatch.elapsed());
            let response = tokio::select! {
                biased;
                response = answer => response?,
                () = deadline => status::deadline_exceeded().into_http(),
            };
            place.answered();
            if is_glance && response.extensions().get::<Status>().is_some_and(status::is_overloaded) {
                call.shed(class.kind());
            }
            Ok(call.watch(response, Some(place)))
        })
    }
}

/// One call, as far as its log line, its span and its witness are concerned: told once, when it is dropped if not before.
#[derive(Debug)]
struct Call {
    uri: Uri,
    stopwatch: Stopwatch,
    span: Span,
    /// Nobody once it was told.
    witnessed: Witnessed,
    shedding: Arc<Shedding>,
}

impl Call {
    fn new(uri: Uri, gate: &Gate) -> Self {
        let (witnessed, shedding) = (gate.witnessed.clone(), Arc::clone(&gate.shedding));
        Self { uri, stopwatch: Stopwatch::start(), span: Span::default(), witnessed, shedding }
    }

    fn is_about_the_server(&self) -> bool {
        self.uri.path().starts_with("/grpc.")
    }

    /// Watches how the answer ends.
    fn watch(mut self, response: Response<Body>, place: Option<Place>) -> Response<WatchedBody> {
        if let Some(status) = response.extensions().get::<Status>() {
            self.end(status);
            return response.map(|body| WatchedBody { body, call: None, _place: place });
        }
        response.map(|body| WatchedBody { body, call: Some(self), _place: place })
    }

    /// Tells of its end.
    fn end(&mut self, status: &Status) {
        let (code, gravity) = (status::code_name(status), status::gravity_of(status));
        let reason = gravity.as_ref().map(|_| status::reason_of(status)).unwrap_or_default();
        self.tell(code, &reason);
        self.show(gravity.as_ref(), code, &reason);
        match gravity {
            Some(_) if status::is_overloaded(status) => self.shedding.refused(),
            Some(gravity) => self.log(gravity, code, &reason),
            None => {}
        }
        // It ends with the call, and is told of once.
        drop(std::mem::take(&mut self.span));
    }

    /// Tells its witness, once.
    fn tell(&mut self, code: &'static str, reason: &str) {
        if let Some(witness) = self.witnessed.0.take() {
            let took = self.stopwatch.elapsed();
            witness.ended(&CallEnd { method: method_of(self.uri.path()), code, reason, took });
        }
    }

    /// Tells its span.
    fn show(&self, gravity: Option<&Gravity>, code: &'static str, reason: &str) {
        if !self.span.parent().is_traced() {
            return;
        }
        self.span.set(Attribute::SYSTEM, "grpc");
        self.span.set(Attribute::METHOD, method_of(self.uri.path()));
        self.span.set(Attribute::STATUS, code);
        let reason = if reason.is_empty() { code } else { reason };
        match gravity {
            None => {}
            Some(Gravity::Refusal) => self.span.refuse(reason),
            Some(Gravity::Trouble | Gravity::Fault) => self.span.fail(reason),
        }
    }

    fn shed(&self, kind: CallKind) {
        if let Some(witness) = &self.witnessed.0 {
            witness.shed(kind);
        }
    }

    /// Writes one line when the call failed. No field of the request is in it: cases and positions stay out of logs.
    fn log(&self, gravity: Gravity, code: &str, reason: &str) {
        let trace_id = self.span.parent().trace_id();
        let method = self.uri.path().trim_start_matches('/');
        let duration_ms = u64::try_from(self.stopwatch.elapsed().as_millis()).unwrap_or(u64::MAX);
        match gravity {
            Gravity::Refusal => tracing::info!(method, code, reason, duration_ms, trace_id, "a call was refused"),
            Gravity::Trouble => {
                tracing::warn!(method, code, reason, duration_ms, trace_id, "a call could not be served")
            }
            Gravity::Fault => tracing::error!(method, code, reason, duration_ms, trace_id, "a call failed"),
        }
    }
}

impl Drop for Call {
    /// Whoever asked gave up, or was cut.
    fn drop(&mut self) {
        self.tell(CANCELLED, "");
        self.show(Some(&Gravity::Refusal), CANCELLED, "");
    }
}

/// An answer on its way; keeps the call's place and sees its last status.
#[derive(Debug)]
pub(super) struct WatchedBody {
    body: Body,
    call: Option<Call>,
    _place: Option<Place>,
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let _below = self.call.as_ref().map(|call| call.span.parent().enter());
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
            && let Some(status) = Status::from_header_map(trailers)
            && let Some(mut call) = self.call.take()
        {
            call.end(&status);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// The time that the caller allows: at most eight digits and a unit, as the gRPC protocol writes `grpc-timeout`.
pub(super) fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(number * 3_600)),
        'M' => Some(Duration::from_secs(number * 60)),
        'S' => Some(Duration::from_secs(number)),
        'm' => Some(Duration::from_millis(number)),
        'u' => Some(Duration::from_micros(number)),
        'n' => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
