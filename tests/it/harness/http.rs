//! A client that speaks HTTP/1 as badly as a test wants.
//!
//! Deliberately absent: any kindness of a real client, such as asking again or following.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Within which time an answer has come; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    /// 0 when the connection was closed without an answer.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status: status.unwrap_or(0), headers, body: body.to_owned() }
    }

    /// The value of a header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// Asks once, with further lines of the head, and reads to the end of the connection.
pub(crate) async fn ask(address: &str, method: &str, path: &str, lines: &[&str]) -> Answer {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    send(address, &format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n")).await
}

/// The same with GET and no more than that.
pub(crate) async fn get(address: &str, path: &str) -> Answer {
    ask(address, "GET", path, &[]).await
}

/// Sends this, and reads to the end of the connection.
pub(crate) async fn send(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has heard enough closes before all was sent: what it said counts.
    let _ = stream.write_all(request.as_bytes()).await;
    Answer::parse(&rest(stream).await)
}

/// All that still comes.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    assert!(tokio::time::timeout(DEADLINE, reading).await.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Asks again until the answer is as wanted.
pub(crate) async fn until(address: &str, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let waiting = async {
        loop {
            let answer = get(address, path).await;
            if is_so(&answer) {
                return answer;
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("in vain: {path}"))
}
