//! The composition root: from a valid configuration to a running service, and back to a quiet end.
//!
//! Start: both ports are taken, then the admin port answers, index, ledger (which fills the index), service, then the gRPC
//! server; before the state is complete, which it
//! is at once unless Redis is away, nothing is served but escalations and how the service stands. End: health and the admin
//! port say that the instance is not ready, after a delay no call is taken, calls under way finish within the drain time, writes
//! under way complete, the ledger is closed, and the admin port last. Names everything; nothing but the command line names it.

mod listeners;
mod measuring;
mod opened_ledger;
mod signals;
mod supervisor;
mod steadiness;
mod forgetting;
mod upkeep;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::admin::{Admin, Limits, Scrape, Standing};
use crate::clock::{SharedClock, Stopwatch};
use crate::config::{Config, ConsoleConfig, TilesConfig};
use crate::console;
use crate::grpc::{Options, ServeError, Server, Witnessed};
use crate::index::Index;
use crate::ledger::embedded::OpenError;
use crate::ledger::redis::{AddressError, Identity, Member, OpenError as RedisOpenError};
use crate::road::{CertificatesError, Roads};
use crate::service::{Parts, Service, WatchLimits};
use crate::tasks::Tasks;
use crate::telemetry::{self, Export, ExportError, Telemetry, TelemetryError};
use crate::trace::Tracer;

use forgetting::Forgetting;
use opened_ledger::OpenedLedger;

pub use listeners::{Listeners, Port};
pub use signals::termination;
pub use supervisor::Supervisor;

/// Version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process listens there.
    #[error("{address} is in use by another process: stop it, or listen elsewhere ({port})")]
    AddressInUse {
        /// What was to listen there.
        port: Port,
        /// Address and port.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on: {source}; choose another address ({port})")]
    Address {
        /// What was to listen there.
        port: Port,
        /// Address and port.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The ledger cannot be opened; the message says what to do.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The address of Redis is wrong.
    #[error(transparent)]
    RedisAddress(#[from] AddressError),
    /// The ledger in Redis cannot be opened; the message says what to do.
    #[error(transparent)]
    Redis(#[from] RedisOpenError),
    /// The task that opened the ledger ended by a panic.
    #[error("opening the ledger at `{place}` failed unexpectedly: report it with the log")]
    LedgerTask {
        /// The data folder, or the address of Redis.
        place: String,
    },
    /// A server of road times cannot be asked over TLS.
    #[error("road_times.url: {0}")]
    RoadTimes(#[from] CertificatesError),
    /// Nothing can be sent to the collector.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Nothing can be measured.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The server cannot be built.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// How a service ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Drained {
    /// Calls that were cut because the drain time was over.
    pub cut_calls: usize,
    /// How long it took.
    pub duration: Duration,
}

/// Ends a service from anywhere.
#[derive(Clone, Debug)]
pub struct ShutdownHandle(CancellationToken);

impl ShutdownHandle {
    /// Asks the service to end; asking twice is asking once.
    pub fn shutdown(&self) {
        self.0.cancel();
    }
}

/// A running service.
pub struct App {
    /// Where it listens; with port 0 configured, the port that was free.
    pub address: SocketAddr,
    standing: Arc<Standing>,
    admin: Option<Admin>,
    telemetry: Arc<Telemetry>,
    server: Arc<Server>,
    ledger: OpenedLedger,
    /// What is sent to a collector, when there is one.
    export: Option<Export>,
    /// Tasks of the transport and of upkeep.
    background: Tasks,
    /// Tasks of writes.
    writes: Tasks,
    shutdown: CancellationToken,
    drain_delay: Duration,
    drain_timeout: Duration,
}

impl App {
    /// Starts a service on the configured addresses.
    ///
    /// # Errors
    /// When an address or the ledger cannot be had; the error says what to do.
    pub async fn start(config: Config, clock: SharedClock) -> Result<Self, StartError> {
        let listeners = Listeners::bind(&config).await?;
        Self::start_with(config, clock, listeners).await
    }

    /// Starts a service on listeners that are given.
    ///
    /// # Errors
    /// When the ledger cannot be had; the error says what to do.
    pub async fn start_with(
        config: Config,
        clock: SharedClock,
        listeners: impl Into<Listeners>,
    ) -> Result<Self, StartError> {
        let Listeners { grpc: listener, admin } = listeners.into();
        let address = config.server.listen;
        let address =
            listener.local_addr().map_err(|source| StartError::Address { port: Port::Grpc, address, source })?;
        let instance_id = Uuid::now_v7();
        let identity = telemetry::Identity { instance_id, version: VERSION };
        let export = config.telemetry.export.as_ref().map(|export| Export::start(export, identity)).transpose()?;
        let tracer = export.as_ref().map(Export::tracer).unwrap_or_default();
        let telemetry = Arc::new(measuring::telemetry(export.as_ref())?);
        let standing = Arc::<Standing>::default();
        measuring::observe_process(&telemetry, &standing);
        let admin = admin.map(|listener| start_admin(listener, &config, &standing, &telemetry)).transpose()?;
        let index = Arc::new(Index::new());
        let started_at = Some(clock.now());
        let advertised = config.server.advertised_address.clone();
        let identity = Identity { version: VERSION.to_owned(), address: advertised, started_at };
        let member = Member { instance_id, identity };
        standing.await_ledger(opened_ledger::place(&config.ledger)?);
        let ledger = OpenedLedger::open(&config.ledger, member, &clock, &index).await?;
        let (background, writes) = (Tasks::new(), Tasks::new());
        let parts = Parts {
            index,
            ledger: ledger.shared(),
            clock: SharedClock::clone(&clock),
            tasks: writes.clone(),
            instance_id,
            version: VERSION,
        };
        let service = Service::new(parts);
        if let Some(admin) = &admin {
            admin.mount(console::router(service.clone(), &console_options(&config.console)), console::QUESTIONS);
        }
        // Only now: whoever is told that the ledger is open may ask for the page.
        standing.attach(service.clone());
        let (watches_max, watches_per_caller_max) = (config.limits.watches_max, config.limits.watches_per_caller_max);
        service.limit_watches(WatchLimits { watches_max, watches_per_caller_max });
        if let Some(options) = config.road_times.options.clone() {
            service.ask_roads(Roads::new(options)?);
        }
        let is_measured = admin.is_some() || export.is_some();
        let witnessed = if is_measured { measuring::of_service(&telemetry, &service) } else { Witnessed::default() };
        let forgetting = Forgetting::new(service.clone(), clock);
        let options = Options { witnessed, ..options(&config, tracer) };
        let server = Arc::new(Server::start(service.clone(), listener, options, &background).await?);
        measuring::observe_load(&telemetry, &server, watches_max);
        let shutdown = CancellationToken::new();
        background.spawn(upkeep::forget(forgetting, config.purge.interval, shutdown.clone()));
        background.spawn(upkeep::report_losses(service.clone(), shutdown.clone()));
        background.spawn(upkeep::watch_conditions(service, Arc::clone(&server), shutdown.clone()));
        tracing::info!(%address, version = VERSION, "serving");
        let (drain_delay, drain_timeout) = (config.server.drain_delay, config.server.drain_timeout);
        Ok(Self {
            address,
            standing,
            admin,
            telemetry,
            server,
            ledger,
            export,
            background,
            writes,
            shutdown,
            drain_delay,
            drain_timeout,
        })
    }

    /// Where the admin port is, when there is one.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// What is measured of it.
    #[must_use]
    pub fn telemetry(&self) -> Arc<Telemetry> {
        Arc::clone(&self.telemetry)
    }

    /// A handle that ends the service.
    #[must_use]
    pub fn shutdown_handle(&self) -> ShutdownHandle {
        ShutdownHandle(self.shutdown.clone())
    }

    /// Serves until the future ends or a handle asks for it, then drains.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) -> Drained {
        tokio::select! {
            () = shutdown => {}
            () = self.shutdown.cancelled() => {}
        }
        self.drain().await
    }

    async fn drain(self) -> Drained {
        let stopwatch = Stopwatch::start();
        tracing::info!(calls = self.server.calls_under_way(), "draining");
        // Upkeep ends first, so that it cannot say that the service serves after it was said that it does not.
        self.shutdown.cancel();
        self.standing.begin_drain();
        self.server.announce_drain().await;
        tokio::time::sleep(self.drain_delay).await;
        self.server.begin_drain().await;
        let in_time = tokio::time::timeout(self.drain_timeout, self.server.idle()).await.is_ok();
        let cut_calls = if in_time { 0 } else { self.server.calls_under_way() };
        self.server.cut();
        self.background.drain().await;
        // A write outlives the call that asked for it; the ledger bounds how long it can take.
        self.writes.drain().await;
        self.ledger.close().await;
        // Only now, for they may wait for a collector, and whoever waits for the data folder must not.
        self.telemetry.end().await;
        if let Some(export) = self.export {
            export.shutdown().await;
        }
        let drained = Drained { cut_calls, duration: stopwatch.elapsed() };
        let duration_ms = u64::try_from(drained.duration.as_millis()).unwrap_or(u64::MAX);
        if let Some(admin) = self.admin {
            admin.close().await;
        }
        tracing::info!(cut_calls, duration_ms, "stopped");
        drained
    }
}

fn start_admin(
    listener: TcpListener,
    config: &Config,
    standing: &Arc<Standing>,
    telemetry: &Arc<Telemetry>,
) -> Result<Admin, StartError> {
    let standing = Arc::clone(standing);
    let telemetry = Arc::clone(telemetry);
    let address = config.admin.listen.unwrap_or(config.server.listen);
    let hosts = config.admin.hosts.iter().cloned().collect();
    let scrape: Scrape = Arc::new(move || telemetry.scrape());
    let admin = Admin::start(listener, standing, Limits::default(), hosts, Some(scrape));
    let admin = admin.map_err(|source| StartError::Address { port: Port::Admin, address, source })?;
    tracing::info!(address = %admin.address, "the admin port answers");
    Ok(admin)
}

fn options(config: &Config, tracer: Tracer) -> Options {
    Options {
        calls_max: config.limits.calls_max,
        call_timeout: config.limits.call_timeout,
        connections_max: config.limits.connections_max,
        streams_per_connection_max: config.limits.streams_per_connection_max,
        preface_deadline: config.server.preface_deadline,
        keepalive_interval: config.server.keepalive_interval,
        keepalive_timeout: config.server.keepalive_timeout,
        tracer,
        witnessed: Witnessed::default(),
    }
}

fn console_options(config: &ConsoleConfig) -> console::Options {
    let tiles = config.tiles.clone();
    console::Options { tiles: tiles.map(|TilesConfig { url, origin }| console::Tiles { url, origin }) }
}
