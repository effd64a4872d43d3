//! This service and a call that does nothing, over gRPC: the question whole, with everything that an answer holds.

use std::sync::Arc;

use sas_router::domain::query::CareQuery;
use sas_router::grpc::Server;
use sas_router::proto::routing as pb;
use sas_router::tasks::Tasks;

use super::support::region::Region;
use super::support::served::{Client, connect, index_of, no_op, sample, serve, service};
use super::support::server::options;
use super::support::wire::wire;

/// Clients of one server, and what they ask.
pub struct Grpc {
    clients: Vec<Client>,
    asked: Arc<Vec<pb::FindCareRequest>>,
}

/// Both servers.
pub struct Ours {
    pub full: Grpc,
    pub no_op: Grpc,
    pub answer_bytes: usize,
    _server: Server,
}

impl Ours {
    /// Starts both; the one that does nothing returns an answer of the mean size.
    pub async fn start(region: &Region, queries: &[CareQuery], tasks: &Tasks) -> Self {
        let service = service(&Arc::new(index_of(region)));
        let (server, address) = serve(service, options(), tasks).await;
        let asked: Arc<Vec<_>> = Arc::new(queries.iter().map(wire).collect());
        let full = Grpc { clients: connect(address).await, asked: Arc::clone(&asked) };
        let some = &asked[..asked.len().min(2_000)];
        let (answer_bytes, typical) = sample(&full.clients[0], some).await;
        let no_op = Grpc { clients: connect(no_op(typical).await).await, asked };
        Self { full, no_op, answer_bytes, _server: server }
    }
}

impl Grpc {
    /// One call, over the connection of this worker.
    pub async fn ask(&self, worker: usize, question: usize) {
        let mut client = self.clients[worker % self.clients.len()].clone();
        client.find_care(self.asked[question].clone()).await.unwrap();
    }
}
