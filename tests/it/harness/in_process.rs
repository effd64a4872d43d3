//! A whole service in this process, on a port of its own, with a clock that stands still.

use std::net::SocketAddr;
use std::sync::Arc;

use sas_router::app::{App, Drained, Listeners, ShutdownHandle};
use sas_router::clock::ManualClock;
use sas_router::config::{self, Config, LedgerKind, LedgerOverrides, Overrides, ReplicasConfig, SecretUrl, Sources};
use sas_router::domain::time::UtcInstant;
use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;
use sas_router::telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

pub(crate) type Bookings = pb::booking_service_client::BookingServiceClient<Channel>;
pub(crate) type Directory = pb::directory_service_client::DirectoryServiceClient<Channel>;
pub(crate) type Operations = pb::operations_service_client::OperationsServiceClient<Channel>;
pub(crate) type Publishing = pb::publishing_service_client::PublishingServiceClient<Channel>;
pub(crate) type Quarantines = pb::quarantine_service_client::QuarantineServiceClient<Channel>;
pub(crate) type Routing = pb::routing_service_client::RoutingServiceClient<Channel>;

/// When the clock starts: a Monday morning in Paris.
pub(crate) const NOW: &str = "2026-11-23T08:00:00Z";

/// The instant [`NOW`].
pub(crate) fn now() -> UtcInstant {
    UtcInstant::parse_rfc3339(NOW).unwrap()
}

/// A running service; stops when it is told to, or with the test.
pub(crate) struct InProcess {
    pub(crate) address: SocketAddr,
    /// Where its admin port is, when the settings ask for one.
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) channel: Channel,
    pub(crate) telemetry: Arc<Telemetry>,
    shutdown: ShutdownHandle,
    running: JoinHandle<Drained>,
}

/// A configuration for tests: state in memory.
pub(crate) fn config() -> Config {
    let ledger = LedgerOverrides { kind: Some("memory".to_owned()), ..LedgerOverrides::default() };
    config::load(Sources { file: None, overrides: Overrides { ledger, ..Overrides::default() } }).unwrap()
}

/// The same on a ledger that takes connections and says nothing, so that opening it waits.
pub(crate) fn waiting_for(mute: &std::net::TcpListener) -> Config {
    let mut config = config();
    let url = SecretUrl(format!("redis://{}", mute.local_addr().unwrap()));
    let away_after = std::time::Duration::from_secs(10);
    let replicas = ReplicasConfig { ack_replicas: None, refuse_when_away: false, away_after };
    config.ledger.kind = LedgerKind::Redis { url, replicas };
    config
}

/// A listener on a free port.
pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A connection to an address.
pub(crate) async fn connect(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

impl InProcess {
    /// A service with the defaults.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A service with some settings altered.
    pub(crate) async fn start_with(alter: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(now(), alter).await
    }

    /// The same, with a clock that starts elsewhere.
    pub(crate) async fn start_at(now: UtcInstant, alter: impl FnOnce(&mut Config)) -> Self {
        let mut config = config();
        alter(&mut config);
        let clock = Arc::new(ManualClock::new(now));
        let mut listeners = Listeners::from(listener().await);
        if let Some(address) = config.admin.listen {
            listeners = listeners.with_admin(TcpListener::bind(address).await.unwrap());
        }
        let admin = listeners.admin_address();
        let app = App::start_with(config, Arc::<ManualClock>::clone(&clock), listeners).await.unwrap();
        let (address, shutdown, telemetry) = (app.address, app.shutdown_handle(), app.telemetry());
        let running = Tasks::new().spawn(app.run_until(std::future::pending()));
        Self { address, admin, clock, channel: connect(address).await, telemetry, shutdown, running }
    }

    /// Asks the service to end.
    pub(crate) fn shut_down(&self) {
        self.shutdown.shutdown();
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) -> Drained {
        self.running.await.unwrap()
    }

    pub(crate) fn bookings(&self) -> Bookings {
        Bookings::new(self.channel.clone())
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.channel.clone())
    }

    pub(crate) fn operations(&self) -> Operations {
        Operations::new(self.channel.clone())
    }

    pub(crate) fn publishing(&self) -> Publishing {
        Publishing::new(self.channel.clone())
    }

    pub(crate) fn routing(&self) -> Routing {
        Routing::new(self.channel.clone())
    }
}
