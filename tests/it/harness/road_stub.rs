//! A server of road tables on loopback that answers as it is told to: rightly, wrongly, or never.
//!
//! Deliberately absent: roads; a test says how long the way to each place is.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use sas_router::road::{BaseAddress, EngineKind, RoadOptions};
use sas_router::tasks::Tasks;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A question as the stub read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    /// Everything before the body.
    pub(crate) head: String,
    /// What came after the head.
    pub(crate) body: String,
}

/// What it does about it.
pub(crate) enum Reply {
    /// Status and body.
    Http(u16, String),
    /// These bytes, and closes.
    Raw(Vec<u8>),
    /// Nothing, for as long as the client waits.
    Silence,
    /// Closes.
    HangUp,
}

type Answering = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// The server.
pub(crate) struct RoadStub {
    pub(crate) port: u16,
    state: Arc<State>,
}

struct State {
    answering: Mutex<Answering>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
}

impl RoadStub {
    pub(crate) async fn start(answering: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answering: Mutex<Answering> = Mutex::new(Box::new(answering));
        let state = Arc::new(State { answering, asked: Mutex::default(), connections: AtomicUsize::new(0) });
        drop(Tasks::new().spawn(accept(listener, Arc::clone(&state))));
        Self { port, state }
    }

    /// Answers otherwise from now on.
    pub(crate) fn answers(&self, answering: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        *self.state.answering.lock() = Box::new(answering);
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().clone()
    }

    /// How many connections it had.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn base(&self) -> BaseAddress {
        base(self.port)
    }
}

/// The address of a port of loopback.
pub(crate) fn base(port: u16) -> BaseAddress {
    BaseAddress::parse(&format!("http://127.0.0.1:{port}")).unwrap()
}

/// Options with a deadline that only a hang reaches.
pub(crate) fn options(engine: EngineKind, port: u16) -> RoadOptions {
    let walking = (engine == EngineKind::Valhalla).then(|| base(port));
    RoadOptions { engine, car: base(port), walking, deadline: std::time::Duration::from_secs(30) }
}

/// A port on which nobody listens.
pub(crate) async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        drop(Tasks::new().spawn(serve(BufReader::new(stream), Arc::clone(&state))));
    }
}

async fn serve(mut stream: BufReader<TcpStream>, state: Arc<State>) {
    while let Some(asked) = read(&mut stream).await {
        let reply = (state.answering.lock())(&asked);
        state.asked.lock().push(asked);
        let bytes = match reply {
            Reply::Http(status, body) => {
                let head = format!("HTTP/1.1 {status} Stub\r\nlocation: http://127.0.0.1:1/elsewhere\r\n");
                format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
            }
            Reply::Raw(bytes) => {
                let _ = stream.get_mut().write_all(&bytes).await;
                return;
            }
            // The client ends it.
            Reply::Silence => return drop(stream.read_u8().await),
            Reply::HangUp => return,
        };
        if stream.get_mut().write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// The next question; `None` when the client is gone.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { line, head, body: String::from_utf8(body).unwrap() })
}

/// Latitudes of the places of an OSRM question, the patient aside.
pub(crate) fn osrm_latitudes(asked: &Asked) -> Vec<f64> {
    let path = asked.line.split('/').nth(4).unwrap();
    let positions = path.split('?').next().unwrap().split(';').skip(1);
    positions.map(|position| position.split(',').nth(1).unwrap().parse().unwrap()).collect()
}

/// An OSRM server to which the way to a place depends on its latitude; `None` where no road is known.
pub(crate) fn osrm(seconds: impl Fn(f64) -> Option<f64> + Send + Sync + 'static) -> impl Fn(&Asked) -> Reply {
    move |asked| {
        let times: Vec<Value> = osrm_latitudes(asked).into_iter().map(|latitude| json!(seconds(latitude))).collect();
        let is_row = asked.line.contains("?sources=0&");
        let durations = if is_row { json!([times]) } else { times.into_iter().map(|time| json!([time])).collect() };
        Reply::Http(200, json!({ "code": "Ok", "durations": durations }).to_string())
    }
}
