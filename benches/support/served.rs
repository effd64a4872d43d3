//! The whole server under a region, a server that only returns one prepared answer, and clients of both.
#![allow(clippy::disallowed_methods, reason = "a bench starts tasks")]

use std::net::SocketAddr;
use std::sync::Arc;

use prost::Message as _;
use sas_router::clock::ManualClock;
use sas_router::domain::record::Body;
use sas_router::grpc::{Options, Server};
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::proto::routing as pb;
use sas_router::service::{Applier, Service};
use sas_router::tasks::Tasks;
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use super::region::{Region, at_minute, changes};
use super::server::service_of;

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
pub fn service(index: &Arc<Index>) -> Service {
    let clock = Arc::new(ManualClock::new(at_minute(ASKED_MINUTE)));
    let sink = Arc::new(Applier(Arc::clone(index)));
    service_of(index, Arc::new(MemoryLedger::new(clock.clone(), sink)), clock)
}

/// Serves it on a free port.
pub async fn serve(service: Service, options: Options, tasks: &Tasks) -> (Server, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (Server::start(service, listener, options, tasks).await.unwrap(), address)
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
