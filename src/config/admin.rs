//! Where the admin port listens, if it does: the port for probes, scrapes and the console.
//!
//! Invariant: it never has the port of the gRPC server. Deliberately absent: limits, which nobody needs to alter.

use std::net::SocketAddr;

use super::reader::Reader;
use super::server::ServerConfig;

/// Where the admin port listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdminConfig {
    /// Address and port; `None` for no admin port.
    pub listen: Option<SocketAddr>,
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
        Self { listen }
    }
}

/// Whether two listeners would want the same port of the same interface.
fn meet(one: SocketAddr, other: SocketAddr) -> bool {
    let is_everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (is_everywhere || one.ip() == other.ip())
}
