//! How soon 2,000 open calls see a change, and what the changes cost.
//!
//! Method: one process, server and clients on all cores; a region of 10⁵ slots (or the size given) in the index; 2,000
//! watches (`WatchCare`) over gRPC on 16 connections, each of another question of the mix of `matching`, all with the
//! national default of five options. Then changes, open loop: every 20 ms a hold is put on a slot or taken from it, in turn,
//! as the ledger would hand it to the index; every other one on an option of some watch, the rest anywhere. The time
//! runs from before the change is applied until a client has decoded the message that names its slot. At the end it is
//! counted how many watches show a slot that is held: none may. A second round asks one question 2,000 times, the
//! worst case, with a change every two seconds that all of them must see. Updates take no write's time: that of applying
//! is shown with and without watches. Run: `cargo bench --bench watch`, or with `-- 1000000` for a size.
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

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sas_router::clock::ManualClock;
use sas_router::domain::id::{CaseId, ClaimId, SlotId};
use sas_router::domain::query::CareQuery;
use sas_router::domain::record::{Body, Change, Key, Position};
use sas_router::domain::slot::{NewHold, Slot};
use sas_router::domain::time::UtcInstant;
use sas_router::grpc::Server;
use sas_router::index::Index;
use sas_router::ledger::memory::MemoryLedger;
use sas_router::proto::routing as pb;
use sas_router::service::{Applier, Service};
use sas_router::tasks::Tasks;
use tonic::transport::{Channel, Endpoint};

use support::questions::questions;
use support::random::Random;
use support::region::{Region, at_minute, region};
use support::served::{index_of, serve as serve_on_port};
use support::server::{options, service_of};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WATCHES: usize = 2_000;
const CONNECTIONS: usize = 16;
const CHANGES: usize = 1_500;
const CHANGE_EVERY: Duration = Duration::from_millis(20);
const CROWD_CHANGES: usize = 10;
const CROWD_CHANGE_EVERY: Duration = Duration::from_secs(2);
/// How long messages may be on their way after the last change.
const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// First position of what is changed, after all that was loaded.
const LOADED: u64 = 100_000_000;

/// What clients saw.
#[derive(Default)]
struct Seen {
    /// When the last change of a slot was applied.
    changed_at: Mutex<HashMap<String, Instant>>,
    delays: Mutex<Vec<Duration>>,
    /// The slots that each watch shows.
    shown: Mutex<Vec<Vec<String>>>,
    messages: AtomicUsize,
}

fn main() {
    let size = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(size));
}

async fn run(size: usize) {
    let region = region(size, 42);
    let now = at_minute(10 * 60);
    let tasks = Tasks::new();
    let (service, index, address, _server) = serve(&region, now, &tasks).await;
    let mut world = World { index, now, next: LOADED, held: HashMap::new() };
    world.time_applying(&region, "without watches");
    let queries: Vec<_> = questions(&region, WATCHES, 7).into_iter().map(|(_, query, _)| wire(&query)).collect();

    let (seen, watches) = watch(address, &queries).await;
    println!("{size} slots, {} watches open over {CONNECTIONS} connections", service.open_watches());
    world.time_applying(&region, "with watches");
    tokio::time::sleep(SETTLED_AFTER).await;
    world.change(&seen, &region, CHANGES, CHANGE_EVERY).await;
    report("spread over the country", &seen, &world);
    let full = seen.shown.lock().unwrap().iter().position(|slots| slots.len() == 5).unwrap();
    drop(watches);
    while service.open_watches() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let crowd = vec![queries[full].clone(); WATCHES];
    let (seen, _watches) = watch(address, &crowd).await;
    world.change(&seen, &region, CROWD_CHANGES, CROWD_CHANGE_EVERY).await;
    report("all of one question", &seen, &world);
}

async fn serve(region: &Region, now: UtcInstant, tasks: &Tasks) -> (Service, Arc<Index>, SocketAddr, Server) {
    let index = Arc::new(index_of(region));
    let clock = Arc::new(ManualClock::new(now));
    let sink = Arc::new(Applier(Arc::clone(&index)));
    let service = service_of(&index, Arc::new(MemoryLedger::new(clock.clone(), sink)), clock);
    let (server, address) = serve_on_port(service.clone(), options(), tasks).await;
    (service, index, address, server)
}

/// Opens the watches, each of which has told its first answer then; they close when the set is dropped.
async fn watch(address: SocketAddr, queries: &[pb::CareQuery]) -> (Arc<Seen>, tokio::task::JoinSet<()>) {
    let seen = Arc::new(Seen { shown: Mutex::new(vec![Vec::new(); queries.len()]), ..Seen::default() });
    let mut channels: Vec<Channel> = Vec::new();
    for _ in 0..CONNECTIONS {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        channels.push(endpoint.tcp_nodelay(true).connect().await.unwrap());
    }
    let mut watches = tokio::task::JoinSet::new();
    let begun = Instant::now();
    for (number, query) in queries.iter().enumerate() {
        let mut client = pb::routing_service_client::RoutingServiceClient::new(channels[number % CONNECTIONS].clone());
        let request = pb::WatchCareRequest { query: Some(query.clone()), ..pb::WatchCareRequest::default() };
        let seen = Arc::clone(&seen);
        watches.spawn(async move {
            let mut messages = client.watch_care(request).await.unwrap().into_inner();
            while let Ok(Some(message)) = messages.message().await {
                seen.take(number, &message);
            }
        });
    }
    while seen.messages.load(Ordering::Relaxed) < queries.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("opened       {} watches in {:.2?}", queries.len(), begun.elapsed());
    (seen, watches)
}

impl Seen {
    fn take(&self, number: usize, message: &pb::WatchCareResponse) {
        let received_at = Instant::now();
        let options = &message.answer.as_ref().unwrap().options;
        let taken = message.gone_options.iter().filter(|gone| gone.reason() == pb::GoneReason::Taken);
        let mut named: Vec<&String> = taken.map(|gone| &gone.slot_id).collect();
        // Beside one that was taken, what is new took its place.
        if named.is_empty() {
            named.extend(message.new_ranks.iter().map(|rank| &options[*rank as usize - 1].slot_id));
        }
        let changed_at = self.changed_at.lock().unwrap();
        let delays = named.into_iter().filter_map(|slot| changed_at.get(slot)).map(|at| received_at - *at);
        // What comes later has another cause than its own change.
        self.delays.lock().unwrap().extend(delays.filter(|delay| *delay < CROWD_CHANGE_EVERY));
        drop(changed_at);
        self.shown.lock().unwrap()[number] = options.iter().map(|option| option.slot_id.clone()).collect();
        self.messages.fetch_add(1, Ordering::Relaxed);
    }
}

/// Changes slots as the ledger would.
struct World {
    index: Arc<Index>,
    now: UtcInstant,
    next: u64,
    /// Slots with a hold, as they were before.
    held: HashMap<String, Arc<Slot>>,
}

impl World {
    fn apply(&mut self, slot: Slot) {
        self.next += 1;
        let position = Position { partition: 0, epoch: 1, sequence: self.next };
        let key = Key::Slot(slot.id.clone());
        self.index.apply(&[Change { position, key, version: self.next, body: Some(Body::Slot(Arc::new(slot))) }]);
    }

    fn hold(&mut self, id: &SlotId) -> bool {
        let Some(slot) = self.index.slot(id).map(|slot| slot.value) else { return false };
        let hold = NewHold {
            id: ClaimId::from_uuid(uuid::Uuid::from_u128(u128::from(self.next))),
            case_id: CaseId::parse("dossier").unwrap(),
            regulator_id: None,
            expires_at: self.now.plus_minutes(600),
        };
        let Ok(held) = slot.hold(hold, self.now) else { return false };
        let is_full = held.slot.remaining_count(self.now) == 0;
        if is_full {
            self.held.insert(id.to_string(), slot);
            self.apply(held.slot);
        }
        is_full
    }

    fn time_applying(&mut self, region: &Region, when: &str) {
        let mut times = Vec::new();
        for slot in region.slots.iter().step_by(region.slots.len() / 2_000) {
            let slot = Slot::clone(&self.index.slot(&slot.id).unwrap().value);
            let started = Instant::now();
            self.apply(slot);
            times.push(started.elapsed());
        }
        println!("one change   applied in {} {when}", percentiles(times));
    }

    async fn change(&mut self, seen: &Seen, region: &Region, count: usize, every: Duration) {
        let mut random = Random::new(11);
        let mut ticks = tokio::time::interval(every);
        for number in 0..count {
            ticks.tick().await;
            if number % 2 == 1
                && let Some(id) = self.held.keys().next().cloned()
            {
                let slot = self.held.remove(&id).unwrap();
                seen.changed_at.lock().unwrap().insert(id, Instant::now());
                self.apply(Slot::clone(&slot));
                continue;
            }
            // A walk-in window takes more than one: the first option that a hold takes away.
            let mut ids = vec![region.slots[number * 7_919 % region.slots.len()].id.to_string()];
            if number % 4 == 0 || every == CROWD_CHANGE_EVERY {
                let shown = seen.shown.lock().unwrap();
                ids = shown[random.below(shown.len())].clone();
            }
            for id in ids {
                seen.changed_at.lock().unwrap().insert(id.clone(), Instant::now());
                if self.hold(&SlotId::parse(&id).unwrap()) {
                    break;
                }
            }
        }
        tokio::time::sleep(SETTLED_AFTER).await;
    }
}

fn report(name: &str, seen: &Seen, world: &World) {
    let delays = std::mem::take(&mut *seen.delays.lock().unwrap());
    let shown = seen.shown.lock().unwrap();
    let stale = shown.iter().filter(|slots| slots.iter().any(|slot| world.held.contains_key(slot))).count();
    println!(
        "{name}: {} updates, seen after {}; {stale} watches show what is held",
        delays.len(),
        percentiles(delays.clone())
    );
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: f64| times.get(((times.len().max(1) - 1) as f64 * share) as usize).copied().unwrap_or_default();
    format!("p50 {:.2?}, p99 {:.2?}, at most {:.2?}", at(0.5), at(0.99), at(1.0))
}

fn wire(query: &CareQuery) -> pb::CareQuery {
    let parts = query.parts();
    let position = parts.position.map(|at| pb::GeoPoint { latitude: at.latitude(), longitude: at.longitude() });
    pb::CareQuery {
        position,
        needed_within_minutes: parts.needed_within_minutes,
        specialties: parts.specialties.iter().map(|code| code.code().to_owned()).collect(),
        professions: parts.professions.iter().map(|code| code.code().to_owned()).collect(),
        modalities: parts.modalities.iter().map(|code| code.code().to_owned()).collect(),
        territory_ids: parts.territories.iter().map(|id| id.wire()).collect(),
        radius_m: parts.radius_m,
        ..pb::CareQuery::default()
    }
}
