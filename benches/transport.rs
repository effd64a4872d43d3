//! How much of the transport is left for the match: full answers over gRPC against a no-op call of the same size.
//!
//! Method: one process, server and client on both cores; a region of 10⁶ slots (or the size given); 64 calls in flight on
//! 4 connections, closed loop; the no-op server is plain tonic and returns one prepared `FindCareResponse` of the mean
//! size of the real ones. Both are measured in turn, five rounds of 20,000 calls each; the ratio is that of the medians.
//! Run: `cargo bench --bench transport`, or with `-- 100000` for a size.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench prints and panics"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "figures are small"
)]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments, and starts tasks")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message as _;
use sas_router::clock::ManualClock;
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

use support::questions::questions;
use support::region::{Region, at_minute, changes, region};
use support::server::options;
use support::wire::wire;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 64;
const CALLS: usize = 20_000;
const ROUNDS: usize = 5;

type Client = pb::routing_service_client::RoutingServiceClient<Channel>;

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

fn main() {
    let size = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(size));
}

async fn run(size: usize) {
    let region = region(size, 42);
    let tasks = Tasks::new();
    let (_server, address) = serve(&region, &tasks).await;
    let asked: Vec<pb::FindCareRequest> =
        questions(&region, 2_000, 7).iter().map(|(_, query, _)| wire(query)).collect();
    let asked = Arc::new(asked);
    let full = connect(address).await;
    let (sizes, typical) = sample(&full[0], &asked).await;
    let no_op = connect(no_op(typical).await).await;
    println!("{size} slots; mean answer {} bytes; {IN_FLIGHT} in flight on {CONNECTIONS} connections", sizes);
    let (mut full_rates, mut no_op_rates) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (of_no_op, of_full) = (load(&no_op, &asked).await, load(&full, &asked).await);
        // The first round warms up.
        if round > 0 {
            println!("round {round}: no-op {of_no_op}   full {of_full}");
            no_op_rates.push(of_no_op.per_second);
            full_rates.push(of_full.per_second);
        }
    }
    let (no_op, full) = (median(no_op_rates), median(full_rates));
    println!("medians: no-op {no_op:.0}/s, full match {full:.0}/s: {:.0} %", 100.0 * full / no_op);
}

async fn serve(region: &Region, tasks: &Tasks) -> (Server, SocketAddr) {
    let index = Arc::new(Index::new());
    index.apply(&changes(region.directory.iter().cloned(), 1));
    let slots = region.slots.iter().map(|slot| Body::Slot(Arc::clone(slot)));
    for batch in changes(slots, 10_000_000).chunks(500) {
        index.apply(batch);
    }
    let clock = Arc::new(ManualClock::new(at_minute(10 * 60)));
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

async fn no_op(answer: pb::FindCareResponse) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = pb::routing_service_server::RoutingServiceServer::new(NoOp(answer));
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    address
}

async fn connect(address: SocketAddr) -> Vec<Client> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let channel =
            Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true).connect().await.unwrap();
        clients.push(Client::new(channel));
    }
    clients
}

/// Mean size of the answers, and the answer whose size is nearest to it.
async fn sample(client: &Client, asked: &[pb::FindCareRequest]) -> (usize, pb::FindCareResponse) {
    let mut answers = Vec::new();
    for request in asked {
        answers.push(client.clone().find_care(request.clone()).await.unwrap().into_inner());
    }
    let mean = answers.iter().map(pb::FindCareResponse::encoded_len).sum::<usize>() / answers.len();
    let typical = answers.into_iter().min_by_key(|answer| answer.encoded_len().abs_diff(mean)).unwrap();
    (mean, typical)
}

struct Load {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl std::fmt::Display for Load {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>6.0}/s p50 {:>5.2?} p99 {:>5.2?}", self.per_second, self.p50, self.p99)
    }
}

async fn load(clients: &[Client], asked: &Arc<Vec<pb::FindCareRequest>>) -> Load {
    let started = Instant::now();
    let workers = (0..IN_FLIGHT).map(|worker| {
        let (mut client, asked) = (clients[worker % CONNECTIONS].clone(), Arc::clone(asked));
        tokio::spawn(async move {
            let mut times = Vec::with_capacity(CALLS / IN_FLIGHT);
            for call in 0..CALLS / IN_FLIGHT {
                let request = asked[(call * IN_FLIGHT + worker) % asked.len()].clone();
                let started = Instant::now();
                client.find_care(request).await.unwrap();
                times.push(started.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        times.extend(worker.await.unwrap());
    }
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort();
    Load { per_second, p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
