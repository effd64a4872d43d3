//! What the program logs on the thread of a test.
//!
//! Invariant: lines have no time in them, whose digits could look like anything. Deliberately absent: other threads.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::Level;
use tracing::subscriber::DefaultGuard;

/// What is logged on this thread.
#[derive(Clone, Default)]
pub(crate) struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// Takes lines of this level and graver ones until both values are dropped.
    pub(crate) fn begin(&self, level: Level) -> (DefaultGuard, tracing::Dispatch) {
        let sink = self.clone();
        let subscriber = tracing_subscriber::fmt().without_time().with_ansi(false).with_max_level(level);
        let subscriber = subscriber.with_writer(move || sink.clone()).finish();
        // While there is one subscriber only, a log line that another thread reaches first is switched off for all.
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        (tracing::subscriber::set_default(subscriber), second)
    }

    /// All lines.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().clone()).unwrap()
    }
}
