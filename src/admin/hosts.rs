//! Under which names of this port pages are shown.
//!
//! Invariant: a name that somebody else can have resolved to this port opens nothing that a page can read; addresses and `localhost`
//! are no such names. Deliberately absent: probes and scrapes, which no browser asks and which are asked by any name.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::http::header::{HOST, HeaderMap};
use axum::http::uri::Uri;

/// Names beside addresses and `localhost`.
#[derive(Clone, Default, Debug)]
pub struct Hosts(Arc<[String]>);

impl FromIterator<String> for Hosts {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl Hosts {
    /// Whether a request was sent to a name that is known, by each way in which it says so; one that does not say is not.
    pub(super) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut stated = headers.get_all(HOST).iter().map(|value| value.to_str().unwrap_or_default()).peekable();
        let of_address = uri.authority().map(|authority| authority.as_str());
        stated.peek().is_some() && stated.chain(of_address).all(|authority| self.knows(authority))
    }

    fn knows(&self, authority: &str) -> bool {
        let is_port = |rest: &str| {
            rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if let Some((address, rest)) = authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            return address.parse::<Ipv6Addr>().is_ok() && is_port(rest);
        }
        let (name, rest) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let is_same = |known: &str| name.eq_ignore_ascii_case(known);
        is_port(rest)
            && (name.parse::<Ipv4Addr>().is_ok() || is_same("localhost") || self.0.iter().any(|known| is_same(known)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(uri: &str, hosts: &[&str]) -> bool {
        let known: Hosts = ["console.sas.example".to_owned()].into_iter().collect();
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        known.admit(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn addresses_localhost_and_listed_names_are_known_with_any_port() {
        for host in [
            "127.0.0.1",
            "10.1.2.3:7411",
            "[::1]",
            "[2001:db8::7]:7411",
            "localhost",
            "LocalHost:7421",
            "console.sas.example",
            "Console.SAS.example:443",
        ] {
            assert!(admits("/", &[host]), "{host}");
        }
    }

    #[test]
    fn what_somebody_else_could_resolve_here_is_not() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "console.sas.example.evil.example",
            "evil.example:7411",
            "",
            ":7411",
            "127.1",
            "2130706433",
            "[::1].evil.example",
            "[evil.example]",
            "localhost:7411@evil.example",
            "127.0.0.1, evil.example",
        ] {
            assert!(!admits("/", &[host]), "{host}");
        }
        assert!(!admits("/", &[]), "who does not say");
        assert!(!admits("/", &["localhost", "evil.example"]), "who says two things");
        assert!(!admits("http://evil.example/", &["localhost"]), "whose address says another");
    }
}
