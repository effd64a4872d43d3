//! The messages of a watch, each worked out when the transport asks for it.
//!
//! Invariant: between the watch and the transport nothing is kept, so a client that reads slowly gets the newest state next.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::convert::watch::write_update;
use super::min_position::Expected;
use super::status;
use super::wire::Written;
use crate::service::Watch;

/// After how long a client may come back to another instance, in milliseconds.
const RETRY_AFTER_MS: u32 = 1_000;

type Message = Result<Written, Status>;
type Step = Pin<Box<dyn Future<Output = Option<(Message, Watching)>> + Send>>;

/// A watch and what ends it besides its time and its client.
struct Watching {
    watch: Watch,
    draining: CancellationToken,
    expected: Expected,
}

impl Watching {
    async fn step(mut self) -> Option<(Message, Self)> {
        let message = tokio::select! {
            biased;
            () = self.draining.cancelled() => Err(status::shutting_down(RETRY_AFTER_MS)),
            update = self.watch.next() => {
                let update = update?;
                let is_behind = self.expected.is_missed_by(&update.answer);
                Ok(Written::of(|to| write_update(to, &update, is_behind)))
            }
        };
        Some((message, self))
    }
}

/// The messages of a watch.
pub(super) struct Updates {
    /// What the next message comes of; `None` after the last one.
    step: Option<Step>,
}

impl Updates {
    /// The messages of a watch, until it ends or the service drains.
    pub(super) fn of(watch: Watch, draining: CancellationToken, expected: Expected) -> Self {
        Self { step: Some(Box::pin(Watching { watch, draining, expected }.step())) }
    }
}

impl Stream for Updates {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        let Some(step) = self.step.as_mut() else { return Poll::Ready(None) };
        let made = ready!(step.as_mut().poll(context));
        let (message, watching) = made.unzip();
        let goes_on = watching.filter(|_| message.as_ref().is_some_and(Result::is_ok));
        self.step = goes_on.map(|watching| -> Step { Box::pin(watching.step()) });
        Poll::Ready(message)
    }
}
