//! A wire that can be cut: a TCP proxy on loopback between two processes, which forwards, delays, swallows or refuses.
//!
//! Invariant: bytes are forwarded in order or not at all; a connection that lost any is closed when the wire is mended.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sas_router::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::pause::pause;
use crate::harness::redis_topology::SERVERS_COME_FROM;
use crate::support::random::Random;

/// What the wire does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wire {
    /// Forwards.
    Whole,
    /// Forwards each piece up to so much later.
    Slow(Duration),
    /// Swallows what the client says.
    Mute,
    /// Swallows what the client should hear.
    Deaf,
    /// Closes every connection and takes none.
    Cut,
    /// The same for connections of servers; clients go on.
    Apart,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Setting {
    wire: Wire,
    target: u16,
    /// How often connections had to end.
    generation: u64,
}

/// The proxy.
pub(super) struct Proxy {
    pub(super) port: u16,
    setting: watch::Sender<Setting>,
    /// Handed to every connection that is forwarded: first of servers, then of clients.
    open: [Arc<()>; 2],
}

impl Proxy {
    /// Forwards to a port of loopback.
    pub(super) async fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (setting, seen) = watch::channel(Setting { wire: Wire::Whole, target, generation: 0 });
        let open = [Arc::new(()), Arc::new(())];
        drop(Tasks::new().spawn(accept(listener, seen, open.clone())));
        Self { port, setting, open }
    }

    /// Closes every connection, or those of servers, and comes back when none is left, so that nothing passes from then on.
    pub(super) async fn cut(&self, wire: Wire) {
        self.set(wire);
        let [servers, clients] = &self.open;
        // One is kept here, one by who accepts.
        while Arc::strong_count(servers) > 2 || (wire == Wire::Cut && Arc::strong_count(clients) > 2) {
            pause(Duration::from_millis(1)).await;
        }
    }

    /// Behaves so from now on.
    pub(super) fn set(&self, wire: Wire) {
        self.setting.send_modify(|setting| {
            // What was swallowed is missing for ever.
            let loses = |wire| matches!(wire, Wire::Mute | Wire::Deaf | Wire::Cut);
            if loses(setting.wire) || wire == Wire::Cut {
                setting.generation += 1;
            }
            setting.wire = wire;
        });
    }

    /// Forwards elsewhere from now on; connections end.
    pub(super) fn turn_to(&self, target: u16) {
        self.setting.send_modify(|setting| {
            setting.target = target;
            setting.generation += 1;
        });
    }
}

async fn accept(listener: TcpListener, seen: watch::Receiver<Setting>, open: [Arc<()>; 2]) {
    let servers: IpAddr = SERVERS_COME_FROM.parse().unwrap();
    let mut closed = seen.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            gone = async { while closed.changed().await.is_ok() {} } => return gone,
        };
        let Ok((client, from)) = accepted else { continue };
        let is_server = from.ip() == servers;
        let open = Arc::clone(&open[usize::from(!is_server)]);
        drop(Tasks::new().spawn(forward(client, seen.clone(), is_server, open)));
    }
}

async fn forward(client: TcpStream, mut seen: watch::Receiver<Setting>, is_server: bool, _open: Arc<()>) {
    let begun = *seen.borrow_and_update();
    let is_refused = move |wire| wire == Wire::Cut || (is_server && wire == Wire::Apart);
    if is_refused(begun.wire) {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", begun.target)).await else { return };
    // A delay of the kernel's would be no fault of the wire's.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let random = Arc::new(Mutex::new(Random::new(begun.generation)));
    tokio::select! {
        () = pump(from_client, to_server, seen.clone(), Wire::Mute, Arc::clone(&random)) => {}
        () = pump(from_server, to_client, seen.clone(), Wire::Deaf, random) => {}
        _ = seen.wait_for(|setting| setting.generation != begun.generation || is_refused(setting.wire)) => {}
    }
}

/// Forwards one direction, which this setting of the wire swallows.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    seen: watch::Receiver<Setting>,
    swallows: Wire,
    random: Arc<Mutex<Random>>,
) {
    let mut piece = vec![0; 64 * 1_024];
    loop {
        let Ok(count @ 1..) = from.read(&mut piece).await else { return };
        let wire = seen.borrow().wire;
        if wire == swallows {
            continue;
        }
        if let Wire::Slow(most) = wire {
            let delay = most.mul_f64(random.lock().unit());
            pause(delay).await;
        }
        if to.write_all(&piece[..count]).await.is_err() {
            return;
        }
    }
}
