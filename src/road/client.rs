//! One exchange over HTTP/1.1: on a connection that was kept, else on a new one, plain or over TLS.
//!
//! Invariant: a connection is driven by the exchange that uses it, so none outlives its use but those that are kept, of which
//! there are few; a dropped exchange closes its own. Redirections are not followed. No error of the libraries below leaves
//! this file, since their texts may hold the address that was asked.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::base::BaseAddress;
use super::engine::Question;
use crate::domain::road::RoadDoubt;
use crate::trace;

/// Most bytes of an answer; a row of some thirty places has a few thousand.
const ANSWER_BYTES_MAX: usize = 256 * 1_024;
/// Most connections that are kept.
const KEPT_MAX: usize = 8;
/// How long a connection is kept unused; servers close theirs after some seconds, and firewalls without a word.
const KEPT_FOR: Duration = Duration::from_secs(4);

/// Why certificates are not to be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "this machine has no certificates of authorities, which https:// needs: install them (ca-certificates), or name their \
     file in SSL_CERT_FILE"
)]
pub struct CertificatesError;

/// Asks one server.
pub(super) struct Client {
    base: BaseAddress,
    authority: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    kept: Mutex<Vec<Connection>>,
}

/// What came back, with the connection when it may be used again.
type Exchanged = (StatusCode, Bytes, Option<Connection>);

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Moves bytes while it is polled; ends with the connection.
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
    used_at: Instant,
}

impl Client {
    pub(super) fn new(base: BaseAddress) -> Result<Self, CertificatesError> {
        let name = ServerName::try_from(base.bare_host().to_owned()).map_err(|_| CertificatesError);
        let tls = if base.is_tls { Some((TlsConnector::from(Arc::new(tls_config()?)), name?)) } else { None };
        let authority =
            HeaderValue::from_str(&format!("{}:{}", base.host, base.port)).map_err(|_| CertificatesError)?;
        Ok(Self { base, authority, tls, kept: Mutex::default() })
    }

    /// Asks a question; the answer's status and body, whatever they say.
    pub(super) async fn send(&self, question: Question) -> Result<(StatusCode, Bytes), RoadDoubt> {
        let request = self.request(question)?;
        let kept = self.take_kept();
        let answered = match kept {
            // The server may have closed it meanwhile, which shows only when it is used.
            Some(connection) => match connection.exchange(request.clone()).await {
                Err(RoadDoubt::Unreachable) => self.connect().await?.exchange(request).await,
                answered => answered,
            },
            None => self.connect().await?.exchange(request).await,
        };
        let (status, body, connection) = answered?;
        if let Some(connection) = connection {
            let mut kept = self.kept.lock();
            if kept.len() < KEPT_MAX {
                kept.push(connection);
            }
        }
        Ok((status, body))
    }

    fn request(&self, question: Question) -> Result<Request<Full<Bytes>>, RoadDoubt> {
        let Question { method, path, body } = question;
        let uri = format!("{}{path}", self.base.path);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(HOST, self.authority.clone())
            .header(USER_AGENT, concat!("sas-router/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        let mut request = request.body(Full::new(body)).map_err(|_| RoadDoubt::Refused)?;
        trace::parent().inject(request.headers_mut());
        Ok(request)
    }

    fn take_kept(&self) -> Option<Connection> {
        let mut kept = self.kept.lock();
        kept.retain(|connection| connection.used_at.elapsed() < KEPT_FOR);
        kept.pop()
    }

    async fn connect(&self) -> Result<Connection, RoadDoubt> {
        let stream = TcpStream::connect((self.base.bare_host(), self.base.port)).await;
        let stream = stream.map_err(|_| RoadDoubt::Unreachable)?;
        // A question is one small packet, which is not to wait for another.
        stream.set_nodelay(true).map_err(|_| RoadDoubt::Unreachable)?;
        match &self.tls {
            None => Connection::over(stream).await,
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await;
                Connection::over(stream.map_err(|_| RoadDoubt::Unreachable)?).await
            }
        }
    }
}

impl Connection {
    async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Self, RoadDoubt> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|_| RoadDoubt::Unreachable)?;
        // How a connection ends shows in the exchange on it.
        let driver = Box::pin(async move { drop(connection.await) });
        Ok(Self { sender, driver, used_at: Instant::now() })
    }

    async fn exchange(self, request: Request<Full<Bytes>>) -> Result<Exchanged, RoadDoubt> {
        let Self { mut sender, mut driver, used_at: _ } = self;
        let mut is_open = true;
        let answered = {
            let mut asking = pin!(ask(&mut sender, request));
            loop {
                tokio::select! {
                    answered = &mut asking => break answered,
                    () = &mut driver, if is_open => is_open = false,
                }
            }
        };
        let (status, body) = answered?;
        let connection = is_open.then(|| Self { sender, driver, used_at: Instant::now() });
        Ok((status, body, connection))
    }
}

async fn ask(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), RoadDoubt> {
    sender.ready().await.map_err(|_| RoadDoubt::Unreachable)?;
    let answer = sender.send_request(request).await.map_err(|error| {
        // What is no HTTP is no absence.
        if error.is_parse() { RoadDoubt::Wrong } else { RoadDoubt::Unreachable }
    })?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body =
        body.map_err(|error| if error.is::<LengthLimitError>() { RoadDoubt::Wrong } else { RoadDoubt::Unreachable })?;
    Ok((status, body.to_bytes()))
}

/// TLS as this machine trusts it, authorities of its own included.
fn tls_config() -> Result<ClientConfig, CertificatesError> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(CertificatesError);
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|_| CertificatesError)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
