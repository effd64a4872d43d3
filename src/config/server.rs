//! Where and how the server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::reader::Reader;

/// Port that is listened on when nobody says, and that clients of the command line ask.
const DEFAULT_PORT: u16 = 7_410;
/// Longest address that is told to others.
const ADVERTISED_MAX_BYTES: usize = 200;

/// Where and how the server listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Where clients reach this instance, as the others are told; empty when that is not configured.
    pub advertised_address: String,
    /// For how long calls are still taken at shutdown after it was said that the instance is not ready.
    pub drain_delay: Duration,
    /// Longest wait for calls under way at shutdown.
    pub drain_timeout: Duration,
    /// Within which time a connection must begin to speak.
    pub preface_deadline: Duration,
    /// After how long a silent connection is asked whether it lives.
    pub keepalive_interval: Duration,
    /// Within which time it must answer that.
    pub keepalive_timeout: Duration,
}

impl ServerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT);
        let listen = |text: &str| {
            let parsed = text.trim().parse::<SocketAddr>();
            parsed.map_err(|_| "give an IP address and a port, for instance 127.0.0.1:7410 or [::]:7410".to_owned())
        };
        Self {
            listen: reader.text(
                "server.listen",
                "IP address and port of the gRPC server; port 0 takes any free one.",
                ("127.0.0.1:7410", default),
                listen,
            ),
            advertised_address: advertised_address(reader),
            drain_delay: Duration::from_secs(reader.number(
                "server.drain_delay_seconds",
                "For how long calls are still taken at shutdown after health and /readyz said NOT_SERVING, so that callers and \
                 load balancers hear of it first, in seconds.",
                0,
                0..=600,
            )),
            drain_timeout: Duration::from_secs(reader.number(
                "server.drain_timeout_seconds",
                "Longest wait for calls under way at shutdown, in seconds.",
                20,
                0..=600,
            )),
            preface_deadline: Duration::from_millis(reader.number(
                "server.preface_deadline_ms",
                "Within which time a connection must begin to speak, in milliseconds.",
                5_000,
                100..=60_000,
            )),
            keepalive_interval: Duration::from_secs(reader.number(
                "server.keepalive_interval_seconds",
                "After how long a silent connection is asked whether it lives, in seconds.",
                20,
                1..=3_600,
            )),
            keepalive_timeout: Duration::from_secs(reader.number(
                "server.keepalive_timeout_seconds",
                "Within which time it must answer that, in seconds.",
                10,
                1..=600,
            )),
        }
    }
}

fn advertised_address(reader: &mut Reader) -> String {
    const ADDRESS: (&str, &str) = (
        "server.advertised_address",
        "Where clients reach this instance, for instance http://sas-1.example:7410; shown by the status of every instance.",
    );
    let address = reader.optional_text(ADDRESS.0, ADDRESS.1, |text| {
        let is_word = !text.is_empty() && text.chars().all(|character| character.is_ascii_graphic());
        let is_shown = is_word && text.len() <= ADVERTISED_MAX_BYTES && !text.contains('@');
        is_shown.then(|| text.to_owned()).ok_or_else(|| {
            format!("give an address of at most {ADVERTISED_MAX_BYTES} characters without blanks or credentials")
        })
    });
    reader.unset(ADDRESS.0, ADDRESS.1);
    address.unwrap_or_default()
}
