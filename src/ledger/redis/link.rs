//! A connection to the server: commands go out in one piece, every reply comes back by itself.
//!
//! Invariant: a link that failed once is given up, never repaired: what was under way on it has an unknown outcome.

pub(super) mod tls;
pub(super) mod reply;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, Pipeline, RedisError, Value};

use super::address::Target;

use super::script::Scripts;

/// First words of refusals of a server that is full, or lacks replicas, and goes on when that has passed.
const PASSING: [&str; 3] = ["OOM", "MISCONF", "NOREPLICAS"];

/// Why a command has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum LinkError {
    /// The connection could not be had, ended, or was silent too long; what was sent may have been carried out.
    #[error("{0}")]
    Lost(String),
    /// The server says no.
    #[error("{code}: {text}")]
    Said {
        /// First word of what it says.
        code: String,
        /// The rest.
        text: String,
    },
    /// An encrypted link cannot be had.
    #[error("{0}")]
    Untrusted(String),
    /// What it says cannot be understood.
    #[error("the server answers what cannot be understood: {0}")]
    Odd(&'static str),
}

impl LinkError {
    /// What a reply says when it is a refusal.
    fn of_reply(value: Value) -> Result<Value, Self> {
        let Value::ServerError(error) = value else { return Ok(value) };
        Err(Self::Said { code: error.code().to_owned(), text: error.details().unwrap_or_default().to_owned() })
    }

    fn of_error(error: &RedisError) -> Self {
        let said =
            |code: &str| Self::Said { code: code.to_owned(), text: error.detail().unwrap_or_default().to_owned() };
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            return said(error.code().unwrap_or("ERR"));
        }
        if error.kind() == ErrorKind::AuthenticationFailed {
            return said("WRONGPASS");
        }
        if let Some(why) = tls::refusal(error) {
            return Self::Untrusted(why);
        }
        Self::Lost(if error.is_timeout() { "the server is silent".to_owned() } else { error.to_string() })
    }

    /// What a link that could not be had means; a port of the other kind is silent, or hangs up.
    fn of_opening(error: &RedisError, is_encrypted: bool) -> Self {
        let found = Self::of_error(error);
        let Self::Lost(why) = found else { return found };
        let hint = match is_encrypted {
            true if error.is_timeout() => ", or it may not speak TLS at this port",
            false if error.is_connection_dropped() && !error.is_connection_refusal() => {
                "; a port for TLS wants rediss://"
            }
            true | false => "",
        };
        Self::Lost(format!("{why}{hint}"))
    }

    /// Whether the server takes no write now, and has not written: it may by and by, on this very link.
    pub(super) fn passes(&self) -> bool {
        PASSING.contains(&self.code())
    }

    /// First word of what the server says; empty when it says nothing.
    pub(super) fn code(&self) -> &str {
        match self {
            Self::Said { code, .. } => code,
            Self::Lost(_) | Self::Untrusted(_) | Self::Odd(_) => "",
        }
    }
}

/// A connection.
#[derive(Clone)]
pub(super) struct Link {
    connection: MultiplexedConnection,
}

impl Link {
    /// Connects within the first of these times; replies are waited for as long as the second.
    pub(super) async fn open(
        target: Target,
        connect_timeout: Duration,
        response_timeout: Duration,
    ) -> Result<Self, LinkError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(response_timeout));
        let Target { info, tls } = target;
        let is_encrypted = tls.is_some();
        let client = match tls {
            Some(files) => Client::build_with_tls(info, tls::certificates(&files).map_err(LinkError::Untrusted)?),
            None => Client::open(info),
        };
        let client = client.map_err(|error| LinkError::of_error(&error))?;
        let connected = client.get_multiplexed_async_connection_with_config(&config).await;
        let connection = connected.map_err(|error| LinkError::of_opening(&error, is_encrypted))?;
        Ok(Self { connection })
    }

    /// Sends commands in one piece; one reply each, refusals among them.
    pub(super) async fn send(&mut self, commands: &Pipeline) -> Result<Vec<Result<Value, LinkError>>, LinkError> {
        let count = commands.len();
        let sent = self.connection.send_packed_commands(commands, 0, count).await;
        let replies = sent.map_err(|error| LinkError::of_error(&error))?;
        if replies.len() != count {
            return Err(LinkError::Odd("too few replies"));
        }
        Ok(replies.into_iter().map(LinkError::of_reply).collect())
    }

    /// Sends one command.
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Value, LinkError> {
        let reply = self.connection.send_packed_command(command).await;
        LinkError::of_reply(reply.map_err(|error| LinkError::of_error(&error))?)
    }

    /// Gives the server the scripts.
    pub(super) async fn load(&mut self, scripts: &Scripts) -> Result<(), LinkError> {
        for script in scripts.all() {
            self.ask(&script.load()).await?;
        }
        Ok(())
    }
}
