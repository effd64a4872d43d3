//! Where a Redis server is and who asks: the parsed URL, whose password is never shown.

use std::fmt;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo as _};

/// Forms of the URL that are understood.
const FORMS: &str = "redis://[user[:password]@]host[:port][/db], or rediss:// for TLS";

/// A server's address with the credentials to present there.
#[derive(Clone)]
pub struct RedisAddress {
    info: ConnectionInfo,
    shown: String,
}

/// Why a URL names no server; it never repeats the URL, which may hold a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// The scheme is another.
    #[error("the scheme `{0}` is no Redis this version knows: give {FORMS}")]
    Scheme(String),
    /// The rest is wrong.
    #[error("the address of Redis is wrong ({0}): give {FORMS}, with %XX for special characters of a password")]
    Form(String),
}

impl RedisAddress {
    /// Parses a URL.
    ///
    /// # Errors
    /// When the scheme is unknown or the rest is wrong; the error does not repeat the URL.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let url = url.trim();
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some("redis" | "rediss") => {}
            Some(other) => return Err(AddressError::Scheme(other.chars().take(32).collect())),
            None => return Err(AddressError::Form("it has no scheme".to_owned())),
        }
        // `#insecure` would accept any certificate.
        if url.contains('#') {
            return Err(AddressError::Form("it has a fragment".to_owned()));
        }
        let info = url.into_connection_info().map_err(|error| AddressError::Form(error.category().to_owned()))?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let database = match info.redis_settings().db() {
            0 => String::new(),
            database => format!("/{database}"),
        };
        let shown = format!("{}://{}{database}", scheme.unwrap_or("redis"), info.addr());
        Ok(Self { info, shown })
    }

    /// What the client library connects to.
    pub(super) fn info(&self) -> ConnectionInfo {
        self.info.clone()
    }

    /// Whether the link is encrypted.
    pub(super) fn is_encrypted(&self) -> bool {
        self.shown.starts_with("rediss:")
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let address = RedisAddress::parse("rediss://sas:s3cr%C3%A9t@redis.example:6380/2").unwrap();
        assert_eq!(address.to_string(), "rediss://redis.example:6380/2");
        assert!(!format!("{address:?}").contains("s3cr"));
        for wrong in [
            "redis://sas:s3cret@:x/0",
            "redis://sas:s3cret@host/db",
            "rediss://sas:s3cret@host#insecure",
            "s3cret@host",
            "http://sas:s3cret@host",
            "redis+cluster://sas:s3cret@host",
        ] {
            let error = RedisAddress::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("s3cret") && error.contains("redis://"), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_port_and_the_database_have_defaults() {
        assert_eq!(RedisAddress::parse("redis://localhost").unwrap().to_string(), "redis://localhost:6379");
        assert_eq!(RedisAddress::parse(" redis://[::1]:7000/0 ").unwrap().to_string(), "redis://::1:7000");
    }
}
