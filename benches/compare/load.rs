//! So many questions at once, for so long: what each engine is put through.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::support::load::quantile;

/// Questions under way at the same time.
pub const IN_FLIGHT: usize = 64;
/// No round takes more calls than this, however fast the engine is.
const CALLS_MAX: usize = 400_000;

/// One round.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub calls: usize,
}

/// Closed loop: every worker asks the next question when it has its answer, until the time is over.
pub async fn round<E, F>(
    engine: &Arc<E>,
    questions: usize,
    lasts: Duration,
    ask: fn(Arc<E>, usize, usize) -> F,
) -> Round
where
    E: Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let started = Instant::now();
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..IN_FLIGHT {
        let engine = Arc::clone(engine);
        workers.spawn(async move {
            let mut times = Vec::new();
            for call in 0..CALLS_MAX / IN_FLIGHT {
                let asked = Instant::now();
                if asked - started >= lasts {
                    break;
                }
                ask(Arc::clone(&engine), worker, (call * IN_FLIGHT + worker) % questions).await;
                times.push(asked.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Round { per_second, p50, p99, calls: times.len() }
}

/// The round in the middle by its rate.
pub fn middle(mut rounds: Vec<Round>) -> Round {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds[rounds.len() / 2]
}
