//! What happens to a server's files: they end, are cut, and do not fit; and what an operator does about it.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::pause::pause;
use crate::harness::redis_server::Server;

/// Ends a server without a word, and starts it again.
pub(super) fn restart(server: &mut Server, meanwhile: impl FnOnce(&mut Server)) {
    tokio::task::block_in_place(|| {
        server.kill();
        meanwhile(server);
        server.run();
    });
}

/// Cuts the end of the log off, at a boundary.
pub(super) fn cut_tail(server: &Server, bytes: u64) {
    let path = log_of(server);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len().saturating_sub(bytes)).unwrap();
    repair(server);
}

fn log_of(server: &Server) -> std::path::PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(server.folder().join("appendonlydir"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

/// What an operator does about a log that ends in the middle.
fn repair(server: &Server) {
    let mut check = Command::new("redis-check-aof");
    let mut check = check.arg("--fix").arg(log_of(server)).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // A log that is whole is not asked about.
    let _ = std::io::Write::write_all(&mut check.stdin.take().unwrap(), b"y\n");
    assert!(check.wait().unwrap().success());
}

/// Lets the server write a little more, and no more; with every write synced it ends by that.
pub(super) async fn fill(server: &mut Server) {
    let size = std::fs::metadata(log_of(server)).unwrap().len() + 4_096;
    let limit = Command::new("prlimit").args(["--pid", &server.pid(), &format!("--fsize={size}")]).status();
    assert!(limit.unwrap().success());
    let is_full = || std::net::TcpStream::connect(("127.0.0.1", server.port())).is_err();
    while !is_full() {
        pause(Duration::from_millis(20)).await;
    }
    restart(server, |server| repair(server));
}
