//! The admin port: what supervisors, scrapers and the people of operations ask over HTTP/1, without certificates of callers.
//!
//! It listens before the ledger is opened and closes after it, so that a long start and a long end can be told from a dead
//! process. Invariant: nothing that is asked here alters anything, the number of connections is bounded, and whoever is slow is
//! cut: to send a request, to be answered, to take the answer. Deliberately absent: TLS and credentials (the port belongs on
//! loopback or on a network of operations), and anything of a patient.

mod standing;
mod hosts;
mod probes;
mod metrics;
mod desk;
mod connections;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::tasks::Tasks;

use desk::Desk;

pub use hosts::Hosts;
pub use standing::Standing;

/// Gives every metric in Prometheus' text format; it may take its time, and is never called twice at once.
pub type Scrape = Arc<dyn Fn() -> String + Send + Sync>;

/// How much is served, and how long is waited for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most connections at once; more wait until one ends.
    pub connections_max: usize,
    /// Within which time the head of a request must have come, from the end of the answer before.
    pub head_deadline: Duration,
    /// Within which time an answer must begin, the body of a posted question included.
    pub answer_deadline: Duration,
    /// For how long a client may take nothing of an answer that waits for it.
    pub write_deadline: Duration,
    /// For how long answers under way are waited for when the port closes.
    pub close_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 128,
            head_deadline: Duration::from_secs(5),
            answer_deadline: Duration::from_secs(10),
            write_deadline: Duration::from_secs(10),
            close_deadline: Duration::from_secs(1),
        }
    }
}

/// The running admin port; it closes when it is told to, or with this value.
pub struct Admin {
    /// Where it listens.
    pub address: SocketAddr,
    desk: Arc<Desk>,
    closing: CancellationToken,
    tasks: Tasks,
}

impl Admin {
    /// Answers on a listener how the process stands; pages under these names only. `/metrics` is there when a scrape is given.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start(
        listener: TcpListener,
        standing: Arc<Standing>,
        limits: Limits,
        hosts: Hosts,
        scrape: Option<Scrape>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk::new(standing, limits.answer_deadline, hosts, scrape));
        let (closing, tasks) = (CancellationToken::new(), Tasks::new());
        let accepting = connections::accept(listener, Arc::clone(&desk), limits, closing.clone(), tasks.clone());
        tasks.spawn(accepting);
        Ok(Self { address, desk, closing, tasks })
    }

    /// Serves these routes too; the first ones stay. They have no fallback and none of the port's own paths. What they let
    /// be posted, which they say here, are questions: bodies are short, and nothing is altered by them.
    pub fn mount(&self, routes: Router, questions: &'static [&'static str]) {
        self.desk.mount(routes, questions);
    }

    /// Closes the port: answers under way have a moment to end.
    pub async fn close(self) {
        self.closing.cancel();
        self.tasks.drain().await;
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}
