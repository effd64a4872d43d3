//! The ports, taken before anything else starts, so that a wrong or used one ends the start with nothing opened.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::StartError;
use crate::config::Config;

/// What listens on a port; shown as the setting and the flag that choose it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    /// The gRPC server.
    Grpc,
    /// The admin port.
    Admin,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => "server.listen, --listen",
            Self::Admin => "admin.listen, --admin-listen",
        })
    }
}

/// Listeners of a service.
#[derive(Debug)]
pub struct Listeners {
    pub(super) grpc: TcpListener,
    pub(super) admin: Option<TcpListener>,
}

impl Listeners {
    /// Takes the configured ports.
    ///
    /// # Errors
    /// When one cannot be had; the error names the setting.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let grpc = listen(Port::Grpc, config.server.listen).await?;
        let admin = match config.admin.listen {
            Some(address) => Some(listen(Port::Admin, address).await?),
            None => None,
        };
        Ok(Self { grpc, admin })
    }

    /// The same with an admin port.
    #[must_use]
    pub fn with_admin(self, admin: TcpListener) -> Self {
        Self { admin: Some(admin), ..self }
    }

    /// Where the admin port listens, if it does.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }
}

impl From<TcpListener> for Listeners {
    /// A gRPC server without an admin port.
    fn from(grpc: TcpListener) -> Self {
        Self { grpc, admin: None }
    }
}

async fn listen(port: Port, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            return StartError::AddressInUse { port, address };
        }
        StartError::Address { port, address, source }
    })
}
