//! The whole server under a region, a server that only returns one prepared answer, and clients of both.
#![allow(clippy::disallowed_methods, reason = "a bench starts tasks")]

use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message as _;
use sas_router::clock::ManualClock;
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::Body;
use sas_router::grpc::Server;
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::proto::routing as pb;
use sas_router::service::{Applier, Parts, Service};
use sas_router::tasks::Tasks;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::region::{Region, at_minute, changes};
use super::server::options;

/// The hour at which the server answers.
pub const ASKED_MINUTE: i64 = 10 * 60;
/// As many as a centre's software keeps open.
pub const CONNECTIONS: usize = 4;

pub type Client = pb::routing_service_client::RoutingServiceClient<Channel>;

/// Returns one prepared answer.
struct NoOp(pb::FindCareResponse);

#[tonic::async_trait]
impl pb::routing_service_server::RoutingService for NoOp {
    type WatchCareStream = tokio_stream::Empty<Result<pb::WatchCareResponse, Status>>;

    async fn watch_care(&self, _: Request<pb::WatchCareRequest>) -> Result<Response<Self::WatchCareStream>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn find_care(&self, _: Request<pb::FindCareRequest>) -> Result<Response<pb::FindCareResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }
}

/// The service over a ledger in memory, at [`ASKED_MINUTE`].
pub async fn serve(region: &Region, tasks: &Tasks) -> (Server, SocketAddr) {
    let index = Arc::new(index_of(region));
    let clock = Arc::new(ManualClock::new(at_minute(ASKED_MINUTE)));
    let sink = Arc::new(Applier(Arc::clone(&index)));
    let parts = Parts {
        index,
        ledger: Arc::new(MemoryLedger::new(clock.clone(), sink)),
        clock,
        tasks: Tasks::new(),
        instance_id: uuid::Uuid::nil(),
        version: "bench",
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (Server::start(Service::new(parts), listener, options(), tasks).await.unwrap(), address)
}

/// Plain, with one prepared answer.
pub async fn no_op(answer: pb::FindCareResponse) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = pb::routing_service_server::RoutingServiceServer::new(NoOp(answer));
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    address
}

/// Clients with a connection each.
pub async fn connect(address: SocketAddr) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel =
            Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true).connect().await.unwrap();
        clients.push(Client::new(channel));
    }
    clients
}

/// Mean size of the answers, and the answer whose size is nearest to it.
pub async fn sample(client: &Client, asked: &[pb::FindCareRequest]) -> (usize, pb::FindCareResponse) {
    let mut answers = Vec::new();
    for request in asked {
        answers.push(client.clone().find_care(request.clone()).await.unwrap().into_inner());
    }
    let mean = answers.iter().map(pb::FindCareResponse::encoded_len).sum::<usize>() / answers.len();
    let typical = answers.into_iter().min_by_key(|answer| answer.encoded_len().abs_diff(mean)).unwrap();
    (mean, typical)
}

/// A question as it travels, for five options.
pub fn wire(query: &CareQuery) -> pb::FindCareRequest {
    let parts = query.parts();
    let position = parts.position.map(|at| pb::GeoPoint { latitude: at.latitude(), longitude: at.longitude() });
    let needs = parts.needs.iter().map(|need| match need.code() {
        "WHEELCHAIR" => pb::Need::Wheelchair.into(),
        _ => pb::Need::Parking.into(),
    });
    let age = parts.age.map_or(String::new(), |age| format!("P{}Y", age.days() / 365));
    pb::FindCareRequest {
        query: Some(pb::CareQuery {
            position,
            age,
            needed_within_minutes: parts.needed_within_minutes,
            specialties: parts.specialties.iter().map(|code| code.code().to_owned()).collect(),
            professions: parts.professions.iter().map(|code| code.code().to_owned()).collect(),
            modalities: parts.modalities.iter().map(|code| code.code().to_owned()).collect(),
            territory_ids: parts.territories.iter().map(|id| id.wire()).collect(),
            needs: needs.collect(),
            languages: parts.languages.iter().map(ToString::to_string).collect(),
            radius_m: parts.radius_m,
            limit: Some(5),
            ..pb::CareQuery::default()
        }),
    }
}

/// The index that heard of all of a region.
pub fn index_of(region: &Region) -> Index {
    let index = Index::new();
    index.apply(&changes(region.directory.iter().cloned(), 1));
    let slots = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
    for batch in changes(slots, 10_000_000).chunks(64) {
        index.apply(batch);
    }
    index
}
