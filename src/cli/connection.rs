//! How client commands reach a running service, and the options that they share.
//!
//! Invariant: every call has a deadline; every write has a request id that the user has seen before the call leaves.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tonic::transport::{Channel, Endpoint};
use uuid::{NoContext, Timestamp, Uuid};

use super::failure::Failure;
use super::terminal::Terminal;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::time::MS_PER_SECOND;

/// Port on which a service listens unless told otherwise.
pub const PORT_DEFAULT: u16 = 7410;
/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest answer that is read, in bytes: a page of a thousand records stays far below.
const ANSWER_MAX_BYTES: usize = 64 * 1024 * 1024;

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Output {
    /// French tables for people.
    Table,
    /// The canonical JSON of the protocol's message, for programs.
    Json,
}

/// Options of every command that asks a running service.
#[derive(Clone, Debug, Args)]
pub struct ServerArguments {
    /// Address of the service
    #[arg(long, value_name = "URL", env = "SAS_ROUTER_SERVER", default_value = "http://127.0.0.1:7410")]
    pub server: String,
    /// How the answer is written
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Give up a call after this many seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        allow_negative_numbers = true
    )]
    pub timeout: u64,
}

impl ServerArguments {
    /// Opens a connection.
    ///
    /// # Errors
    /// When the address is no address, or nothing answers there.
    pub async fn connect(&self) -> Result<Channel, Failure> {
        connect(&self.server, Duration::from_secs(self.timeout)).await
    }
}

/// Opens a connection whose calls end after a time; an address without scheme is taken as `http://`.
///
/// # Errors
/// When the address is no address, or nothing answers there.
pub async fn connect(server: &str, timeout: Duration) -> Result<Channel, Failure> {
    let url = if server.contains("://") { server.to_owned() } else { format!("http://{server}") };
    if !url.starts_with("http://") {
        return Err(Failure::Usage(format!(
            "`{server}`: write http://HOST:PORT; this version speaks gRPC without TLS"
        )));
    }
    let endpoint = Endpoint::from_shared(url)
        .map_err(|error| Failure::Usage(format!("`{server}` is no address, write http://HOST:PORT: {error}")))?;
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .connect()
        .await
        .map_err(|error| Failure::Unreachable { server: server.to_owned(), message: innermost(&error) })
}

/// What lies at the bottom of an error, where the operating system speaks.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Makes the client of a service, with the limit on answers.
macro_rules! client {
    ($module:ident :: $client:ident, $channel:expr) => {
        $crate::proto::routing::$module::$client::new($channel)
            .max_decoding_message_size($crate::cli::connection::answer_max_bytes())
    };
}
pub(super) use client;

/// Largest answer that a client reads, in bytes.
#[must_use]
pub const fn answer_max_bytes() -> usize {
    ANSWER_MAX_BYTES
}

/// The option of every command that writes.
#[derive(Clone, Debug, Args)]
pub struct WriteArguments {
    /// Identifies this write: repeat a command with the same id and it is done once (a new UUID unless given)
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

impl WriteArguments {
    /// The request id, given or new; a new one is shown, so that the command can be repeated.
    #[must_use]
    pub fn announced(&self, terminal: &Terminal) -> String {
        if let Some(given) = &self.request_id {
            return given.clone();
        }
        let request_id = new_request_id();
        terminal.note(&format!("request id: {request_id} (to retry: the same command with --request-id {request_id})"));
        request_id
    }
}

/// A new UUID of version 7.
#[must_use]
pub fn new_request_id() -> String {
    let now_ms = SystemClock.now().ms();
    let seconds = u64::try_from(now_ms / MS_PER_SECOND).unwrap_or_default();
    let nanos = u32::try_from(now_ms % MS_PER_SECOND * 1_000_000).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanos)).to_string()
}
