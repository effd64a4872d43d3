//! Where the admin port listens, if it does, and under which names its pages are shown: the port for probes, scrapes and the console.
//!
//! Invariant: it never has the port of the gRPC server. Deliberately absent: limits, which nobody needs to alter.

use std::net::SocketAddr;

use super::reader::Reader;
use super::server::ServerConfig;

/// Longest name of a host.
const NAME_MAX_BYTES: usize = 253;

/// Where the admin port listens, and under which names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdminConfig {
    /// Address and port; `None` for no admin port.
    pub listen: Option<SocketAddr>,
    /// Names under which its pages are shown beside addresses and `localhost`.
    pub hosts: Vec<String>,
}

impl AdminConfig {
    pub(super) fn read(reader: &mut Reader, server: &ServerConfig) -> Self {
        const LISTEN: (&str, &str) = (
            "admin.listen",
            "IP address and port for operations over HTTP (/livez, /readyz, /startupz); port 0 takes any free one; no such \
             port when it is not set.",
        );
        let listen = reader.optional_text(LISTEN.0, LISTEN.1, |text| {
            let parsed = text.trim().parse::<SocketAddr>();
            parsed.map_err(|_| "give an IP address and a port, for instance 127.0.0.1:7411 or [::]:7411".to_owned())
        });
        reader.unset(LISTEN.0, LISTEN.1);
        if listen.is_some_and(|listen| meet(listen, server.listen)) {
            let expected = format!("{} is the gRPC server's (server.listen): give another port", server.listen);
            reader.require(LISTEN.0, expected);
        }
        let hosts = reader.texts(
            "admin.hosts",
            "Names, without scheme and port, by which browsers reach the pages of the admin port beside an IP address and localhost; \
             any other name is refused, since a foreign one could be made to lead here. Probes and /metrics are asked by any name.",
            |text| is_name(text).then(|| text.to_owned()).ok_or_else(|| EXPECTED.to_owned()),
        );
        Self { listen, hosts }
    }
}

/// What to give for a name of a host.
const EXPECTED: &str = "give names of hosts without scheme and port, for instance [\"console.sas.example\"]";

fn is_name(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    text.len() <= NAME_MAX_BYTES && text.split('.').all(is_part)
}

/// Whether two listeners would want the same port of the same interface.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let is_everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (is_everywhere || one.ip() == other.ip())
}
