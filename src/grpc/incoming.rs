//! Accepts connections: not more than a number at once, and none that stays silent.
//!
//! The transport never closes a socket that sends nothing, so each connection must send the 24 bytes with which HTTP/2
//! begins before a deadline; later silence is found by the transport's own keepalive. At the cap nothing more is accepted:
//! the kernel's queue holds newcomers until a place is free. A failed accept (too many open files) never ends the server.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::tasks::Tasks;

/// Length of the client's connection preface, in bytes (RFC 9113, 3.4).
const PREFACE_BYTES: usize = 24;
/// Connections accepted ahead of the server.
const ACCEPTED_AHEAD: usize = 16;
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How connections are taken.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// Most connections at once.
    pub(super) connections_max: usize,
    /// Within which time a connection must begin to speak.
    pub(super) preface_deadline: Duration,
    /// Cuts every connection.
    pub(super) cut: CancellationToken,
    /// How many connections are open.
    pub(super) open: Arc<AtomicUsize>,
}

/// Accepts connections until the stream that is returned is dropped.
pub(super) fn accept(listener: TcpListener, guard: Guard, tasks: &Tasks) -> ReceiverStream<io::Result<Connection>> {
    let (sender, receiver) = mpsc::channel(ACCEPTED_AHEAD);
    let places = Arc::new(Semaphore::new(guard.connections_max.min(Semaphore::MAX_PERMITS)));
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = sender.closed() => return,
                accepted = accept_one(&listener, &places, &guard) => accepted,
            };
            match accepted {
                Ok(connection) => {
                    if sender.send(Ok(connection)).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
    ReceiverStream::new(receiver)
}

async fn accept_one(listener: &TcpListener, places: &Arc<Semaphore>, guard: &Guard) -> io::Result<Connection> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(Connection {
        stream,
        missing_bytes: PREFACE_BYTES,
        deadline: Box::pin(tokio::time::sleep(guard.preface_deadline)),
        // A child, since every read of every connection would otherwise meet at one lock.
        cut: Box::pin(guard.cut.child_token().cancelled_owned()),
        _place: place,
        _open: Open::new(&guard.open),
    })
}

/// A connection that must begin to speak in time, and can be cut.
pub(super) struct Connection {
    stream: TcpStream,
    missing_bytes: usize,
    deadline: Pin<Box<Sleep>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: OwnedSemaphorePermit,
    _open: Open,
}

/// Counts a connection as long as it is kept.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.missing_bytes > 0 {
            self.missing_bytes = self.missing_bytes.saturating_sub(buffer.filled().len() - before);
            if read.is_pending() && self.deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Connected for Connection {
    type ConnectInfo = <TcpStream as Connected>::ConnectInfo;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.stream.connect_info()
    }
}
