//! The server: services behind the gate, behind guarded connections, with health and reflection beside them.
//!
//! It stops in steps, which its owner takes: [`Server::announce_drain`] says `NOT_SERVING`, [`Server::begin_drain`] takes nothing
//! new, [`Server::idle`] waits for the calls under way, [`Server::cut`] closes what is left.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::admission::Admission;
use super::booking::Booking;
use super::directory::Directory;
use super::explanation::Explanation;
use super::gate::Gate;
use super::incoming::{self, Guard};
use super::indicators::Indicators;
use super::min_position::AtLeast;
use super::operations::{LISTINGS_MAX, Operations};
use super::orientation::Orientations;
use super::policy::Policies;
use super::publishing::Publishing;
use super::quarantine::Quarantines;
use super::reflection;
use super::room::Taken;
use super::routing::Routing;
use super::served::routing_service_server::{RoutingServiceServer, SERVICE_NAME as ROUTING};
use super::witness::{Load, Witnessed};
use super::{ANSWER_MAX_BYTES, HEADERS_MAX_BYTES, MESSAGE_MAX_BYTES, PUBLISHING_MESSAGE_MAX_BYTES};
use crate::proto::routing::booking_service_server::{BookingServiceServer, SERVICE_NAME as BOOKING};
use crate::proto::routing::directory_service_server::{DirectoryServiceServer, SERVICE_NAME as DIRECTORY};
use crate::proto::routing::explanation_service_server::{ExplanationServiceServer, SERVICE_NAME as EXPLANATION};
use crate::proto::routing::indicator_service_server::{IndicatorServiceServer, SERVICE_NAME as INDICATORS};
use crate::proto::routing::operations_service_server::{OperationsServiceServer, SERVICE_NAME as OPERATIONS};
use crate::proto::routing::orientation_service_server::{OrientationServiceServer, SERVICE_NAME as ORIENTATION};
use crate::proto::routing::policy_service_server::{PolicyServiceServer, SERVICE_NAME as POLICY};
use crate::proto::routing::publishing_service_server::{PublishingServiceServer, SERVICE_NAME as PUBLISHING};
use crate::proto::routing::quarantine_service_server::{QuarantineServiceServer, SERVICE_NAME as QUARANTINE};
use crate::service::{ConditionKind, Service};
use crate::tasks::Tasks;
use crate::trace::Tracer;

/// Most streams that a client may open and reset before they are served (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 20;
/// Most streams that the server resets on a connection before it closes it.
const LOCAL_RESETS_MAX: usize = 128;
/// The process itself, and how it stands: served from the start.
const ALWAYS: [&str; 2] = ["", OPERATIONS];
/// Services that only read: they serve while writes are refused.
const READERS: [&str; 3] = [ROUTING, EXPLANATION, INDICATORS];
/// Services that write.
const WRITERS: [&str; 6] = [DIRECTORY, PUBLISHING, BOOKING, ORIENTATION, POLICY, QUARANTINE];

/// How the server serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most calls at once, questions, health and reflection aside, and the most questions that there can ever be room for; more are
    /// refused with `OVERLOADED`.
    pub calls_max: usize,
    /// Longest wait for an answer, whatever deadline the caller sets.
    pub call_timeout: Duration,
    /// Most connections at once.
    pub connections_max: usize,
    /// Most calls at once on one connection.
    pub streams_per_connection_max: u32,
    /// Within which time a connection must begin to speak.
    pub preface_deadline: Duration,
    /// After how long a silent connection is asked whether it lives.
    pub keepalive_interval: Duration,
    /// Within which time it must answer that.
    pub keepalive_timeout: Duration,
    /// Which calls are traced.
    pub tracer: Tracer,
    /// Who is told of calls.
    pub witnessed: Witnessed,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The compiled-in descriptors cannot be served.
    #[error("the interface description of this build is damaged: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
}

/// A server that serves.
#[derive(Debug)]
pub struct Server {
    health: Mutex<Told>,
    gate: Gate,
    connections: Arc<AtomicUsize>,
    draining: CancellationToken,
    cut: CancellationToken,
}

/// What health was told, so that whoever watches it hears of changes only.
#[derive(Debug)]
struct Told {
    reporter: HealthReporter,
    serving: BTreeMap<&'static str, bool>,
    /// Whether it was told for good that nothing serves.
    is_last: bool,
}

impl Told {
    async fn tell(&mut self, services: &[&'static str], is_serving: bool) {
        let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in services {
            if self.serving.insert(service, is_serving) != Some(is_serving) {
                self.reporter.set_service_status(service, status).await;
            }
        }
    }
}

impl Server {
    /// Serves on a listener, in tasks of this owner.
    ///
    /// # Errors
    /// When the compiled-in descriptors cannot be read.
    pub async fn start(
        service: Service,
        listener: TcpListener,
        options: Options,
        tasks: &Tasks,
    ) -> Result<Self, ServeError> {
        let (draining, cut, connections) = (CancellationToken::new(), CancellationToken::new(), Arc::default());
        let gate = gate(&options, &service);
        let (health, health_service) = tonic_health::server::health_reporter();
        let guard = Guard {
            connections_max: options.connections_max,
            preface_deadline: options.preface_deadline,
            cut: cut.clone(),
            open: Arc::clone(&connections),
        };
        let publishing = Publishing { service: service.clone(), tasks: tasks.clone(), draining: draining.clone() };
        let listings = Arc::new(Semaphore::new(LISTINGS_MAX));
        let operations = Operations { service: service.clone(), listings, tasks: tasks.clone() };
        let router = transport(&options)
            .layer(gate.clone())
            .layer(AtLeast { service: service.clone() })
            .add_service(health_service)
            .add_service(reflection::builder()?.build_v1()?)
            .add_service(reflection::builder()?.build_v1alpha()?)
            .add_service(
                PublishingServiceServer::new(publishing)
                    .max_decoding_message_size(PUBLISHING_MESSAGE_MAX_BYTES)
                    .max_encoding_message_size(ANSWER_MAX_BYTES),
            )
            .add_service(
                DirectoryServiceServer::new(Directory { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                RoutingServiceServer::new(Routing { service: service.clone(), draining: draining.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                ExplanationServiceServer::new(Explanation { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                OrientationServiceServer::new(Orientations { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                IndicatorServiceServer::new(Indicators { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                PolicyServiceServer::new(Policies { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                QuarantineServiceServer::new(Quarantines { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(
                BookingServiceServer::new(Booking { service: service.clone() })
                    .max_decoding_message_size(MESSAGE_MAX_BYTES),
            )
            .add_service(OperationsServiceServer::new(operations).max_decoding_message_size(MESSAGE_MAX_BYTES));
        let (accepted, signal) = (incoming::accept(listener, guard, tasks), draining.clone().cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = router.serve_with_incoming_shutdown(accepted, signal).await {
                tracing::error!(%error, "the gRPC server ended");
            }
        });
        let health = Mutex::new(Told { reporter: health, serving: BTreeMap::new(), is_last: false });
        let server = Self { health, gate, connections, draining, cut };
        let conditions: Vec<_> = service.conditions().into_iter().map(|condition| condition.kind).collect();
        server.health.lock().await.tell(&ALWAYS, true).await;
        server.tell_health(&conditions).await;
        Ok(server)
    }

    /// Tells health what is not as it should be: nothing that writes serves while writes are refused, and bookings do not
    /// while holds may be refused for the ledger's clock; reads go on either way, once there is something to read.
    pub async fn tell_health(&self, conditions: &[ConditionKind]) {
        let mut told = self.health.lock().await;
        if told.is_last {
            return;
        }
        let has_started = !conditions.contains(&ConditionKind::Starting);
        let accepts_writes = has_started && !conditions.contains(&ConditionKind::WritesRefused);
        let judges_holds = !conditions.contains(&ConditionKind::LedgerClockAhead);
        told.tell(&READERS, has_started).await;
        told.tell(&[DIRECTORY, PUBLISHING, ORIENTATION, POLICY, QUARANTINE], accepts_writes).await;
        told.tell(&[BOOKING], accepts_writes && judges_holds).await;
    }

    /// Says `NOT_SERVING` for good; calls are still taken.
    pub async fn announce_drain(&self) {
        let mut told = self.health.lock().await;
        told.is_last = true;
        for services in [&ALWAYS[..], &READERS, &WRITERS] {
            told.tell(services, false).await;
        }
    }

    /// Takes no new connection or call, and ends streams between two batches; says `NOT_SERVING` if nobody has.
    pub async fn begin_drain(&self) {
        self.announce_drain().await;
        self.draining.cancel();
    }

    /// Waits until no call is under way.
    pub async fn idle(&self) {
        self.gate.idle().await;
    }

    /// What is under way.
    #[must_use]
    pub fn load(&self) -> Load {
        let Taken { calls, calls_max, questions, questions_max, watches } = self.gate.load();
        Load {
            calls,
            calls_max,
            questions,
            questions_max,
            watches,
            connections: self.connections.load(Ordering::Relaxed),
        }
    }

    /// How many calls are under way.
    #[must_use]
    pub fn calls_under_way(&self) -> usize {
        self.gate.under_way()
    }

    /// Closes every connection; the server's tasks end then.
    pub fn cut(&self) {
        self.cut.cancel();
    }
}

fn gate(options: &Options, service: &Service) -> Gate {
    let Options { calls_max, call_timeout, tracer, witnessed, .. } = options;
    let gate = Gate::new(*calls_max, *call_timeout).admitting(Admission(service.clone()));
    gate.traced_by(tracer.clone()).telling(witnessed.clone())
}

fn transport(options: &Options) -> tonic::transport::Server {
    tonic::transport::Server::builder()
        .max_concurrent_streams(options.streams_per_connection_max)
        .http2_keepalive_interval(Some(options.keepalive_interval))
        .http2_keepalive_timeout(Some(options.keepalive_timeout))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS_MAX))
        .http2_max_local_error_reset_streams(Some(LOCAL_RESETS_MAX))
        .http2_max_header_list_size(HEADERS_MAX_BYTES)
}
