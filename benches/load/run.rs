//! An open loop over connections: every call is sent when it is due, however the ones before it fare.
//!
//! Invariant: what is under way is bounded, on each connection and in all; a call that finds no room there waits, and its wait
//! counts; one that was due longer ago than a caller waits is not sent and is told as `NOT_SENT`. One thread keeps the time by
//! sleeping, since the timers of the runtime are right to a millisecond only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tonic::transport::{Channel, Endpoint};

use super::mix::{Callers, Mix};
use super::plan;
use super::tally::{Outcome, Tally};

/// Calls under way on one connection; below what the server takes, so that none waits in the transport unseen.
const IN_FLIGHT: u32 = 250;
/// Calls that are due and wait for the connection.
const WAITING: usize = 1_024;
/// How long after a phase its last answers may come, beyond a caller's patience.
const GRACE: Duration = Duration::from_secs(2);

/// The callers and their connections.
pub struct Load {
    channels: Vec<Channel>,
    callers: Arc<Callers>,
    mix: Mix,
    patience: Duration,
    next: AtomicU64,
}

/// A call that is due.
#[derive(Clone, Copy)]
struct Due {
    number: u64,
    at: Duration,
}

impl Load {
    pub async fn over(url: &str, connections: usize, callers: Callers, mix: Mix, patience: Duration) -> Self {
        let mut channels = Vec::new();
        for _ in 0..connections {
            let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().tcp_nodelay(true);
            channels.push(endpoint.connect().await.unwrap());
        }
        Self { channels, callers: Arc::new(callers), mix, patience, next: AtomicU64::new(0) }
    }

    /// Offers so many calls a second for so long.
    pub async fn phase(&self, rate: f64, time: Duration, slow: Duration) -> Tally {
        let count = plan::count(rate, time);
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let started = Instant::now();
        let (mut senders, mut lines) = (Vec::new(), tokio::task::JoinSet::new());
        for channel in &self.channels {
            let (sender, due) = mpsc::channel(WAITING);
            senders.push(sender);
            let line = Line {
                channel: channel.clone(),
                callers: Arc::clone(&self.callers),
                mix: self.mix,
                patience: self.patience,
                started,
                tally: Arc::new(Mutex::new(Tally::new(slow))),
            };
            lines.spawn(line.serve(due));
        }
        let patience = self.patience;
        let keep = move || keep_time(started, (first, count, rate), patience, &senders, Tally::new(slow));
        let mut tally = tokio::task::spawn_blocking(keep).await.unwrap();
        while let Some(line) = lines.join_next().await {
            tally.add(&line.unwrap().lock());
        }
        tally
    }
}

/// Hands each call to a connection when it is due.
fn keep_time(
    started: Instant,
    (first, count, rate): (u64, u64, f64),
    patience: Duration,
    senders: &[mpsc::Sender<Due>],
    mut tally: Tally,
) -> Tally {
    for offset in 0..count {
        let at = plan::due(offset, rate);
        let now = started.elapsed();
        if at > now {
            std::thread::sleep(at - now);
        } else if now - at > patience {
            tally.tell("", at, now - at, Duration::ZERO, not_sent());
            continue;
        }
        let line = usize::try_from(offset).unwrap_or(0) % senders.len();
        senders[line].blocking_send(Due { number: first + offset, at }).unwrap();
    }
    tally
}

fn not_sent() -> Outcome {
    Outcome::Failed("NOT_SENT".to_owned())
}

/// One connection in one phase.
#[derive(Clone)]
struct Line {
    channel: Channel,
    callers: Arc<Callers>,
    mix: Mix,
    patience: Duration,
    started: Instant,
    tally: Arc<Mutex<Tally>>,
}

impl Line {
    async fn serve(self, mut due: mpsc::Receiver<Due>) -> Arc<Mutex<Tally>> {
        let free = Arc::new(Semaphore::new(IN_FLIGHT as usize));
        while let Some(Due { number, at }) = due.recv().await {
            let place = Arc::clone(&free).acquire_owned().await.unwrap();
            let waited = self.started.elapsed().saturating_sub(at);
            if waited > self.patience {
                self.tally.lock().tell("", at, waited, Duration::ZERO, not_sent());
                continue;
            }
            let line = self.clone();
            tokio::spawn(async move {
                line.call(number, at).await;
                drop(place);
            });
        }
        let last = free.acquire_many(IN_FLIGHT);
        tokio::time::timeout(self.patience + GRACE, last)
            .await
            .expect("a call outlived its deadline")
            .unwrap()
            .forget();
        self.tally
    }

    async fn call(&self, number: u64, at: Duration) {
        let sent = self.started.elapsed();
        let (operation, outcome) = self.callers.call(self.channel.clone(), self.mix.operation(number), number).await;
        let ended = self.started.elapsed();
        self.tally.lock().tell(operation, at, plan::latency(at, ended), ended.saturating_sub(sent), outcome);
    }
}
