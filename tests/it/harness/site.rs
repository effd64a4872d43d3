//! A site: several real processes that share one real Redis, be it one server, several under sentinels or a cluster, and
//! a practice that publishes slots of the next hours.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use sas_router::clock::{Clock as _, SystemClock};
use sas_router::proto::routing as pb;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::in_process::{Bookings, Directory, Operations, Publishing, Quarantines, Routing};
use super::redis_server::Server;
use super::redis_topology::{Cluster, Sentinels};
use super::server_process::ServerProcess;
use super::world;

/// Within which time anything that must come has come; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// The processes and their Redis, which ends last.
pub(crate) struct Site<R = Server> {
    pub(crate) instances: Vec<Instance>,
    pub(crate) redis: R,
    /// Further flags of every instance.
    pub(crate) flags: Vec<OsString>,
}

/// Servers that keep one ledger.
pub(crate) trait Redis {
    /// Their address.
    fn url(&self) -> String;
}

impl Redis for Server {
    fn url(&self) -> String {
        self.url()
    }
}

impl Redis for Sentinels {
    fn url(&self) -> String {
        self.url()
    }
}

impl Redis for Cluster {
    fn url(&self) -> String {
        self.url()
    }
}

/// One process with a connection to it.
pub(crate) struct Instance {
    pub(crate) process: ServerProcess,
    channel: Channel,
}

impl Site {
    /// So many instances on a Redis that syncs every write, and a practice with two schedules.
    pub(crate) async fn start(count: usize) -> Self {
        Self::start_on(Server::start(), count, &[]).await
    }
}

impl<R: Redis> Site<R> {
    /// So many instances on these servers, each with these flags, and a practice with two schedules.
    pub(crate) async fn start_on(redis: R, count: usize, flags: &[&str]) -> Self {
        let mut site = Self { instances: Vec::new(), redis, flags: flags.iter().map(Into::into).collect() };
        for _ in 0..count {
            site.instances.push(site.instance().await);
        }
        settle(site.instances[0].directory()).await;
        site
    }

    /// One more instance.
    pub(crate) async fn instance(&self) -> Instance {
        Instance::start_with(&self.redis.url(), &self.flags).await
    }

    /// Publishes slots through one of the instances, and waits until all show them.
    pub(crate) async fn publish(&self, revision: u64, rows: Vec<pb::SlotInput>) {
        let batch = world::batch(&format!("publish {revision}"), revision, rows);
        let response = self.instances[0].publish(batch).await;
        for result in &response.results {
            assert_eq!(result.status(), pb::RowStatus::Created, "{result:?}");
        }
        let position = response.stamp.unwrap().position;
        for instance in &self.instances {
            instance.wait_until("what was published", async |status| status.stamp.unwrap().position >= position).await;
        }
    }
}

impl Instance {
    /// One on a Redis.
    pub(crate) async fn start(url: &str) -> Self {
        Self::start_with(url, &[]).await
    }

    /// The same with further flags.
    async fn start_with(url: &str, flags: &[OsString]) -> Self {
        Self::of(ServerProcess::start_on_redis(url, flags)).await
    }

    /// One with these settings.
    pub(crate) async fn configured(settings: &Path) -> Self {
        let process = ServerProcess::try_start_on(&["--config".into(), settings.into()], "127.0.0.1:0");
        Self::of(process.unwrap_or_else(|ended| panic!("{ended:?}"))).await
    }

    async fn of(process: ServerProcess) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{}", process.address())).unwrap();
        Self { channel: endpoint.tcp_nodelay(true).connect().await.unwrap(), process }
    }

    /// Publishes a batch, and gives its results.
    pub(crate) async fn publish(&self, batch: pb::PublishSlotsRequest) -> pb::PublishSlotsResponse {
        let mut publishing = Publishing::new(self.channel.clone());
        let answers = publishing.publish_slots(tokio_stream::once(batch)).await.unwrap();
        answers.into_inner().message().await.unwrap().unwrap()
    }

    pub(crate) fn quarantines(&self) -> Quarantines {
        Quarantines::new(self.channel.clone())
    }

    pub(crate) fn bookings(&self) -> Bookings {
        Bookings::new(self.channel.clone())
    }

    pub(crate) fn directory(&self) -> Directory {
        Directory::new(self.channel.clone())
    }

    pub(crate) fn routing(&self) -> Routing {
        Routing::new(self.channel.clone())
    }

    /// What health says of a service: 1 that it serves, 2 that it does not.
    pub(crate) async fn health(&self, service: &str) -> i32 {
        let request = HealthCheckRequest { service: service.to_owned() };
        HealthClient::new(self.channel.clone()).check(request).await.unwrap().into_inner().status
    }

    /// Waits until health says that a service serves.
    pub(crate) async fn wait_until_serving(&self, service: &str) {
        let waiting = async { while self.health(service).await != 1 {} };
        assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "in vain: {service}");
    }

    /// How it stands.
    pub(crate) async fn status(&self) -> pb::GetStatusResponse {
        let mut operations = Operations::new(self.channel.clone());
        operations.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner()
    }

    /// Waits until it stands so.
    pub(crate) async fn wait_until(&self, what: &str, is_so: impl AsyncFn(pb::GetStatusResponse) -> bool) {
        let waiting = async { while !is_so(self.status().await).await {} };
        assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "in vain: {what}; {:?}", self.status().await);
    }
}

/// Makes a practice with two schedules.
pub(crate) async fn settle(mut directory: Directory) {
    let request = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(world::territory()) };
    directory.upsert_territory(request).await.unwrap();
    let practitioner = Some(world::practitioner());
    let request = pb::UpsertPractitionerRequest { request_id: "p".into(), practitioner };
    directory.upsert_practitioner(request).await.unwrap();
    for number in [1, 2] {
        let request = pb::UpsertPlaceRequest { request_id: format!("pl{number}"), place: Some(world::place(number)) };
        directory.upsert_place(request).await.unwrap();
        let schedule = Some(world::schedule(number));
        let request = pb::UpsertScheduleRequest { request_id: format!("s{number}"), schedule };
        directory.upsert_schedule(request).await.unwrap();
    }
}

/// A slot of a quarter of an hour that starts some minutes from now, with room for so many.
pub(crate) fn slot(id: &str, schedule: u32, start_minutes: i64, capacity: u32) -> pb::SlotInput {
    let start_s = SystemClock.now().ms() / 1_000 + start_minutes * 60;
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let window = Some(pb::Window { start_at: at(start_s), end_at: at(start_s + 900) });
    pb::SlotInput { window, capacity: Some(capacity), ..world::slot(id, schedule, 0) }
}
