//! `sas-min-position`: a call that wants a state at least as new as one that its caller knows.
//!
//! One layer makes every call wait for it, but for those that tell how this instance stands. Invariant: a question of a regulator is never refused for it, and never waits when its
//! answer needs no slot; what it is answered says whether the position was missed.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, Request, Response};
use tonic::metadata::MetadataMap;
use tower::{Layer, Service as TowerService};

use super::gate::timeout_of;
use super::status;
use crate::domain::answer::CareAnswer;
use crate::domain::query::CareQuery;
use crate::domain::record::Position;
use crate::domain::violation::Violation;
use crate::service::{Error, MIN_POSITION_WAIT, Service};

/// The metadata that names the position: `EPOCH-POSITION`, as a stamp has them.
pub(super) const KEY: &str = "sas-min-position";
/// The questions of regulators, which wait by themselves.
const QUESTIONS: [&str; 2] = ["/sas.routing.v1.RoutingService/FindCare", "/sas.routing.v1.RoutingService/WatchCare"];

/// What tells how this instance stands, which matters most while it is behind.
const STATUS: &str = "/sas.routing.v1.OperationsService/GetStatus";
/// Health and reflection, which tell nothing of the state.
const INFRASTRUCTURE: &str = "/grpc.";

/// Whether this layer makes a call wait that names a position.
fn makes_wait(path: &str) -> bool {
    !QUESTIONS.contains(&path) && path != STATUS && !path.starts_with(INFRASTRUCTURE)
}

/// A position, and how long to wait for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    position: Position,
    within: Duration,
}

/// The position that a call wants; `None` when it wants none.
///
/// # Errors
/// When it is malformed.
pub(super) fn of(metadata: &MetadataMap) -> Result<Option<Wanted>, Error> {
    read(metadata.as_ref())
}

fn read(headers: &HeaderMap) -> Result<Option<Wanted>, Error> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|text| text.split_once('-'));
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok());
    let parsed = parsed.and_then(|(epoch, sequence)| Some((number(epoch)??, number(sequence)??)));
    let Some((epoch, sequence)) = parsed else {
        let message = "write epoch and position of a stamp with a hyphen between them, for instance 3-41825";
        return Err(Error::invalid(vec![Violation::new(KEY, message)]));
    };
    // Half of what the caller waits, so that there is time left to answer.
    let allowed = timeout_of(headers).map_or(MIN_POSITION_WAIT, |timeout| timeout / 2);
    let position = Position { partition: 0, epoch, sequence };
    Ok(Some(Wanted { position, within: allowed.min(MIN_POSITION_WAIT) }))
}

/// Waits for the position that a question wants, when its answer depends on it; whether it was missed.
pub(super) async fn awaited(service: &Service, wanted: Option<Wanted>, query: &CareQuery) -> bool {
    match wanted {
        Some(Wanted { position, within }) if service.answers_from_slots(query) => {
            service.reach(position, within).await.is_err()
        }
        Some(_) | None => false,
    }
}

/// What the messages of a watch are expected to take into account.
pub(super) struct Expected {
    service: Service,
    position: Option<Position>,
}

impl Expected {
    /// The position that the watch's caller wants.
    pub(super) fn of(service: &Service, wanted: Option<Wanted>) -> Self {
        Self { service: service.clone(), position: wanted.map(|wanted| wanted.position) }
    }

    /// Whether an answer does not take it into account.
    pub(super) fn is_missed_by(&self, answer: &CareAnswer) -> bool {
        self.position.is_some_and(|position| !self.service.takes_account(answer.stamp.position, position))
    }
}

/// Makes calls wait.
#[derive(Clone)]
pub(super) struct AtLeast {
    pub(super) service: Service,
}

impl<S> Layer<S> for AtLeast {
    type Service = Waiting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Waiting { inner, service: self.service.clone() }
    }
}

/// A service whose calls wait.
#[derive(Clone)]
pub(super) struct Waiting<S> {
    inner: S,
    service: Service,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<S, B> TowerService<Request<B>> for Waiting<S>
where
    S: TowerService<Request<B>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !request.headers().contains_key(KEY) || !makes_wait(request.uri().path()) {
            return Box::pin(self.inner.call(request));
        }
        let wanted = read(request.headers());
        // The one that is ready goes along; its copy is asked again before it is called.
        let copy = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, copy);
        let service = self.service.clone();
        Box::pin(async move {
            let reached: Result<(), Status> = match wanted {
                Err(malformed) => Err(status::from_error(malformed)),
                Ok(None) => Ok(()),
                Ok(Some(Wanted { position, within })) => {
                    service.reach(position, within).await.map_err(status::from_error)
                }
            };
            match reached {
                Ok(()) => inner.call(request).await,
                Err(status) => Ok(status.into_http()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str, timeout: Option<&str>) -> Result<Option<Wanted>, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(KEY, text.parse().unwrap());
        timeout.map(|timeout| headers.insert("grpc-timeout", timeout.parse().unwrap()));
        read(&headers)
    }

    #[test]
    fn a_position_is_an_epoch_and_a_number() {
        let Wanted { position, within } = wanted("3-41825", None).unwrap().unwrap();
        assert_eq!((position.epoch, position.sequence, within), (3, 41_825, MIN_POSITION_WAIT));
        assert_eq!(read(&HeaderMap::new()).unwrap(), None);
        for wrong in ["", "3", "3-", "-3", "3-x", "+3-1", "3--1", "3-1-1", " 3-1", "99999999999999999999-1"] {
            let error = wanted(wrong, None).unwrap_err();
            assert_eq!((error.reason.code(), error.violations[0].field.as_str()), ("INVALID_ARGUMENT", KEY), "{wrong}");
        }
    }

    #[test]
    fn what_tells_how_an_instance_stands_never_waits() {
        let health = "/grpc.health.v1.Health/Check";
        assert!([STATUS, QUESTIONS[0], health].into_iter().all(|path| !makes_wait(path)));
        assert!(makes_wait("/sas.routing.v1.DirectoryService/GetTerritory"));
    }

    #[test]
    fn the_wait_leaves_a_hurried_caller_time_for_the_answer() {
        assert_eq!(wanted("1-1", Some("100m")).unwrap().unwrap().within, Duration::from_millis(50));
        assert_eq!(wanted("1-1", Some("10S")).unwrap().unwrap().within, MIN_POSITION_WAIT);
    }
}
