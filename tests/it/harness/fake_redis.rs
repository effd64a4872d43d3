//! What speaks like a Redis and says what a test wants: for versions and moods that a real one here does not have.
//!
//! Deliberately absent: any behaviour; whoever needs a server that keeps something takes a real one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What it answers to the words of a command, as it goes over the wire.
type Answer = dyn Fn(&[String]) -> String + Send + Sync;

/// A running one; its thread ends with the test process.
pub(crate) struct FakeRedis {
    port: u16,
}

impl FakeRedis {
    /// Answers every command so.
    pub(crate) fn start(answer: impl Fn(&[String]) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let answer = Arc::clone(&answer);
                thread::spawn(move || talk(stream, &*answer));
            }
        });
        Self { port }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

/// A text as a server sends it.
pub(crate) fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn talk(stream: TcpStream, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(words) = command(&mut reader) {
        if writer.write_all(answer(&words).as_bytes()).is_err() {
            return;
        }
    }
}

/// The words of the next command; `None` when the client is gone.
fn command(reader: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let count = number(reader, '*')?;
    (0..count)
        .map(|_| {
            let mut word = vec![0; number(reader, '$')? + 2];
            reader.read_exact(&mut word).ok()?;
            word.truncate(word.len() - 2);
            Some(String::from_utf8_lossy(&word).into_owned())
        })
        .collect()
}

fn number(reader: &mut BufReader<TcpStream>, mark: char) -> Option<usize> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    line.trim_end().strip_prefix(mark)?.parse().ok()
}
