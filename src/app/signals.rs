//! The operator's word to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Waits until the process is asked to end: SIGTERM of a supervisor, or Ctrl-C.
///
/// # Errors
/// When the system does not let the process listen for signals; ask before serving.
pub fn termination() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
