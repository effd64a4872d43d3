//! Where Redis is and who asks: the parsed URL of a server, of sentinels or of a cluster, whose passwords are never shown.
//!
//! Deliberately absent: connecting, and reading the files that are named for TLS; both are done anew at every session.

use std::fmt;
use std::path::PathBuf;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

/// Forms of the URL that are understood.
const FORMS: &str = "redis://[user[:password]@]host[:port][/db], redis+sentinel://[user[:password]@]host[:port][,…]/service or \
                     redis+cluster://[user[:password]@]host[:port][,…], with rediss for TLS";
/// Port of a server when none is given.
const SERVER_PORT: u16 = 6_379;
/// Port of a sentinel when none is given.
const SENTINEL_PORT: u16 = 26_379;
/// Most hosts that a URL may name.
const HOSTS_MAX: usize = 32;

/// A host with its port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Host {
    /// Name or address, an IPv6 address without brackets.
    pub(super) name: String,
    /// Port.
    pub(super) port: u16,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, port } = self;
        if name.contains(':') { write!(f, "[{name}]:{port}") } else { write!(f, "{name}:{port}") }
    }
}

/// How the server that holds the ledger is found.
#[derive(Clone)]
pub(super) enum Way {
    /// It is the one that is named.
    Standalone,
    /// The sentinels that are named know it.
    Sentinel {
        /// The name of the service that they watch.
        service: String,
        /// The credentials to present to them.
        credentials: RedisConnectionInfo,
    },
    /// Any server of the cluster knows it.
    Cluster,
}

/// Files for encrypted links.
#[derive(Clone, Default)]
pub(super) struct TlsFiles {
    /// Certificates of the authorities that are trusted; without, the system's are.
    pub(super) ca: Option<PathBuf>,
    /// The certificate to present and its key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
}

/// Where Redis is, with the credentials to present there.
#[derive(Clone)]
pub struct RedisAddress {
    way: Way,
    hosts: Vec<Host>,
    credentials: RedisConnectionInfo,
    tls: Option<TlsFiles>,
    shown: String,
}

/// What is connected to: one server with what it is told first.
pub(super) struct Target {
    /// What the client library connects to.
    pub(super) info: ConnectionInfo,
    /// Files for an encrypted link; `None` for one that is not.
    pub(super) tls: Option<TlsFiles>,
}

/// Why a URL names no Redis; it never repeats the URL, which may hold a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    /// The scheme is another.
    #[error("the scheme `{0}` is no Redis this version knows: give {FORMS}")]
    Scheme(String),
    /// The rest is wrong.
    #[error("the address of Redis is wrong ({0}): give {FORMS}, with %XX for special characters of a password")]
    Form(String),
    /// An option behind the `?` is not known there.
    #[error("the address of Redis has an option that is not known there: give {0}")]
    Option(&'static str),
}

impl RedisAddress {
    /// Parses a URL.
    ///
    /// # Errors
    /// When the scheme is unknown or the rest is wrong; the error does not repeat the URL.
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = url.trim().split_once("://").ok_or_else(|| form("it has no scheme"))?;
        let (is_sentinel, is_cluster) = match scheme {
            "redis" | "rediss" => (false, false),
            "redis+sentinel" | "rediss+sentinel" => (true, false),
            "redis+cluster" | "rediss+cluster" => (false, true),
            // What is no scheme may be the beginning of a password.
            other if other.contains([':', '@', '/']) => return Err(form("it has no scheme")),
            other => return Err(AddressError::Scheme(other.chars().take(32).collect())),
        };
        // `#insecure` would make the client library accept any certificate.
        if rest.contains('#') {
            return Err(form("it has a fragment"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let hosts = hosts_of(hosts, if is_sentinel { SENTINEL_PORT } else { SERVER_PORT })?;
        let is_encrypted = scheme.starts_with("rediss");
        let mut options = Options::read(query, is_sentinel, is_encrypted)?;
        let database = match (is_sentinel, is_cluster) {
            (false, false) if hosts.len() > 1 => {
                return Err(form("it names several servers; give redis+sentinel:// or redis+cluster://"));
            }
            (false, true) if !matches!(path, "" | "0") => return Err(form("a cluster has database 0 only")),
            (true, _) => options.database.take().unwrap_or_default(),
            (false, _) => path.to_owned(),
        };
        let credentials = credentials_of(user, &database)?;
        let way = match (is_sentinel, is_cluster) {
            (true, _) if path.is_empty() || path.contains(['/', ':', '@']) => {
                return Err(form("it names no service of the sentinels: …/service"));
            }
            (true, _) => Way::Sentinel { service: decoded(path)?, credentials: options.sentinel_credentials()? },
            (_, true) => Way::Cluster,
            (false, false) => Way::Standalone,
        };
        let named: Vec<String> = hosts.iter().map(Host::to_string).collect();
        let mut shown = format!("{scheme}://{}", named.join(","));
        match (&way, credentials.db()) {
            (Way::Sentinel { service, .. }, 0) => shown.push_str(&format!("/{service}")),
            (Way::Sentinel { service, .. }, database) => shown.push_str(&format!("/{service}?db={database}")),
            (Way::Standalone | Way::Cluster, 0) => {}
            (Way::Standalone | Way::Cluster, database) => shown.push_str(&format!("/{database}")),
        }
        Ok(Self { way, hosts, credentials, tls: options.tls_files(is_encrypted)?, shown })
    }

    /// How the server is found.
    pub(super) const fn way(&self) -> &Way {
        &self.way
    }

    /// The servers or sentinels that are named.
    pub(super) fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The user that servers are told.
    pub(super) fn user(&self) -> &str {
        self.credentials.username().unwrap_or("default")
    }

    /// What is connected to at a server.
    pub(super) fn server(&self, host: &Host) -> Option<Target> {
        self.target(host, &self.credentials)
    }

    /// What is connected to at a sentinel.
    pub(super) fn sentinel(&self, host: &Host) -> Option<Target> {
        match &self.way {
            Way::Sentinel { credentials, .. } => self.target(host, credentials),
            Way::Standalone | Way::Cluster => None,
        }
    }

    fn target(&self, host: &Host, credentials: &RedisConnectionInfo) -> Option<Target> {
        let Host { name, port } = host.clone();
        let address = match self.tls {
            Some(_) => ConnectionAddr::TcpTls { host: name, port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(name, port),
        };
        let info = address.into_connection_info().ok()?;
        let info = info.set_redis_settings(credentials.clone());
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        Some(Target { info, tls: self.tls.clone() })
    }
}

fn form(what: &str) -> AddressError {
    AddressError::Form(what.to_owned())
}

/// The URL of one server, as the client library takes it apart.
fn one(rest: &str) -> Result<(redis::ConnectionInfo, Option<u16>), AddressError> {
    let parsed = redis::parse_redis_url(&format!("redis://{rest}")).ok_or_else(|| form("it names no host"))?;
    let port = parsed.port();
    let info = parsed.into_connection_info().map_err(|error| AddressError::Form(error.category().to_owned()))?;
    Ok((info, port))
}

fn hosts_of(names: &str, port_by_default: u16) -> Result<Vec<Host>, AddressError> {
    let mut hosts = Vec::new();
    for name in names.split(',') {
        let nameless = || form("it names no host where one is expected, or a port that is none");
        let (info, port) = one(name).map_err(|_| nameless())?;
        let ConnectionAddr::Tcp(name, _) = info.addr().clone() else { return Err(nameless()) };
        if name.is_empty() {
            return Err(nameless());
        }
        let host = Host { name, port: port.unwrap_or(port_by_default) };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    if hosts.len() > HOSTS_MAX {
        return Err(form("it names too many hosts"));
    }
    Ok(hosts)
}

/// User, password and database, decoded.
fn credentials_of(user: &str, database: &str) -> Result<RedisConnectionInfo, AddressError> {
    let (info, _) = one(&format!("{user}@host/{database}"))?;
    let credentials = info.redis_settings().clone();
    if credentials.db() < 0 {
        return Err(form("a database is a number from 0"));
    }
    Ok(credentials)
}

/// A name with its `%XX` decoded.
fn decoded(name: &str) -> Result<String, AddressError> {
    let credentials = credentials_of(name, "")?;
    credentials.username().map(str::to_owned).ok_or_else(|| form("it names no service of the sentinels"))
}

/// What stands behind the `?`.
#[derive(Default)]
struct Options {
    database: Option<String>,
    sentinel_user: Option<String>,
    sentinel_password: Option<String>,
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl Options {
    fn read(query: &str, is_sentinel: bool, is_encrypted: bool) -> Result<Self, AddressError> {
        let mut options = Self::default();
        // A `+` is a `+` here, not a space as in forms, since passwords have it.
        let url = redis::parse_redis_url(&format!("redis://host?{}", query.replace('+', "%2B")));
        let url = url.ok_or_else(|| form("what stands behind the `?`"))?;
        for (name, value) in url.query_pairs().filter(|(name, _)| !name.is_empty()) {
            let value = value.into_owned();
            match &*name {
                "db" if is_sentinel => options.database = Some(value),
                "sentinel_user" if is_sentinel => options.sentinel_user = Some(value),
                "sentinel_password" if is_sentinel => options.sentinel_password = Some(value),
                "ca" if is_encrypted => options.ca = Some(PathBuf::from(value)),
                "cert" if is_encrypted => options.certificate = Some(PathBuf::from(value)),
                "key" if is_encrypted => options.key = Some(PathBuf::from(value)),
                _ => {
                    return Err(AddressError::Option(match (is_sentinel, is_encrypted) {
                        (true, true) => "db, sentinel_user, sentinel_password, ca, cert or key",
                        (true, false) => "db, sentinel_user or sentinel_password (ca, cert and key with rediss)",
                        (false, true) => "ca, cert or key",
                        (false, false) => "none (ca, cert and key with rediss)",
                    }));
                }
            }
        }
        Ok(options)
    }

    fn sentinel_credentials(&self) -> Result<RedisConnectionInfo, AddressError> {
        match (&self.sentinel_user, &self.sentinel_password) {
            (Some(user), Some(password)) => {
                Ok(RedisConnectionInfo::default().set_username(user).set_password(password))
            }
            (None, Some(password)) => Ok(RedisConnectionInfo::default().set_password(password)),
            (Some(_), None) => Err(form("sentinel_user needs sentinel_password")),
            (None, None) => Ok(RedisConnectionInfo::default()),
        }
    }

    fn tls_files(self, is_encrypted: bool) -> Result<Option<TlsFiles>, AddressError> {
        let client = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => return Err(form("cert and key need each other")),
        };
        Ok(is_encrypted.then_some(TlsFiles { ca: self.ca, client }))
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
mod tests;
