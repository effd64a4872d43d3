//! Connections of the admin port: not more than a number at once, and none that keeps its place by being slow.
//!
//! Invariant: a connection has sent the head of a request within one deadline, and takes something of its answer within another, or
//! it is closed; a stream of events that is read as it comes lasts until the port closes, and then ends as if it had said
//! everything. A failed accept never ends the port.
//! Deliberately absent: what is answered.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Limits;
use super::desk::Desk;
use crate::tasks::Tasks;

/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Longest head of a request, in bytes.
const HEAD_MAX_BYTES: usize = 16 * 1_024;
/// Most header fields of a request.
const HEADERS_MAX: usize = 64;

/// Accepts connections until the port closes, each in a task of its own.
pub(super) async fn accept(
    listener: TcpListener,
    desk: Arc<Desk>,
    limits: Limits,
    closing: CancellationToken,
    tasks: Tasks,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = accept_one(&listener, &places) => accepted,
        };
        match accepted {
            Ok((place, stream)) => {
                let (desk, closing) = (Arc::clone(&desk), closing.clone());
                tasks.spawn(async move {
                    serve(stream, desk, limits, closing).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the admin port could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept_one(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(tokio::sync::OwnedSemaphorePermit, TcpStream)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((place, stream))
}

async fn serve(stream: TcpStream, desk: Arc<Desk>, limits: Limits, closing: CancellationToken) {
    let connection = Connection { stream, write_deadline: limits.write_deadline, stalled: None };
    let until = closing.clone();
    let answering = service_fn(move |request| {
        let (desk, closing) = (Arc::clone(&desk), until.clone());
        async move { Ok::<_, Infallible>(ending_with_port(desk.answer(request).await, closing)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_deadline)
        .max_header_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(connection), answering);
    let mut served = pin!(served);
    // How a client leaves is its own business: nothing is lost by it.
    tokio::select! {
        _ = served.as_mut() => return,
        () = closing.cancelled() => served.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(limits.close_deadline, served).await;
}

/// The same answer, whose body ends with the port when nobody knows how long it is otherwise.
fn ending_with_port(answer: Response, closing: CancellationToken) -> Response {
    answer.map(|body| match body.size_hint().exact() {
        Some(_) => body,
        None => Body::new(Stream { body, closing: Box::pin(closing.cancelled_owned()) }),
    })
}

/// A body that says no more once the port closes.
struct Stream {
    body: Body,
    closing: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.closing.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => Pin::new(&mut self.body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose client must go on taking what is written.
struct Connection {
    stream: TcpStream,
    write_deadline: Duration,
    /// Runs while a write waits for the client.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Passes on what a write came to, or fails it when the client has taken nothing for too long.
    fn judged<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let deadline = self.write_deadline;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(deadline)));
        match stalled.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judged(written, context)
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judged(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
