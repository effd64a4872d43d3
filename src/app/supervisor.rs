//! What is told to the service manager that started this process, by systemd's notification protocol.
//!
//! Invariant: telling never blocks and never fails the service: a manager that is not there, or does not read, misses a word.
//! Deliberately absent: the decision when the service is ready, which is its caller's.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The service manager, when there is one that wants to be told.
#[derive(Debug, Default)]
pub struct Supervisor(Option<(UnixDatagram, SocketAddr)>);

impl Supervisor {
    /// The one that listens at this socket: a path, or with a leading `@` a name of the abstract namespace. Without a socket
    /// nobody is told anything; a socket that cannot be used is named in the log.
    #[must_use]
    pub fn at(socket: Option<OsString>) -> Self {
        let Some(name) = socket else { return Self::default() };
        match open(&name) {
            Ok(opened) => Self(Some(opened)),
            Err(error) => {
                let socket = name.to_string_lossy();
                tracing::warn!(%error, %socket, "the service manager cannot be told how the service stands");
                Self::default()
            }
        }
    }

    /// The service listens; the manager may start what waits for it.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The service was asked to end and finishes what is under way.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=draining");
    }

    fn tell(&self, state: &str) {
        let Some((from, to)) = &self.0 else { return };
        if let Err(error) = from.send_to_addr(state.as_bytes(), to) {
            tracing::warn!(%error, "the service manager was not told how the service stands");
        }
    }
}

fn open(name: &OsStr) -> io::Result<(UnixDatagram, SocketAddr)> {
    let to = match name.as_bytes().split_first() {
        Some((b'@', abstract_name)) => SocketAddr::from_abstract_name(abstract_name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let from = UnixDatagram::unbound()?;
    from.set_nonblocking(true)?;
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_in_the_abstract_namespace_is_told() {
        let name = format!("sas-router-{}", std::process::id());
        let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Supervisor::at(Some(format!("@{name}").into())).ready("serving");
        let mut read = [0; 64];
        let length = manager.recv(&mut read).unwrap();
        assert_eq!(&read[..length], b"READY=1\nSTATUS=serving");
    }

    #[test]
    fn a_manager_that_is_gone_or_does_not_read_holds_nothing_up() {
        Supervisor::at(None).ready("nobody asks");
        Supervisor::at(Some("".into())).ready("no name");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        Supervisor::at(Some(path.clone().into())).ready("nobody listens");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let supervisor = Supervisor::at(Some(path.into()));
        for _ in 0..10_000 {
            supervisor.stopping();
        }
    }
}
