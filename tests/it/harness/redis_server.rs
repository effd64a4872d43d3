//! A real Redis server on a free port of the loopback, with a folder of its own; it ends with its handle.
//!
//! Deliberately absent: a client; what is said to it is said as a line of text.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Folder of its files within its folder.
const FILES: &str = "appendonlydir";

/// A running server.
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
}

impl Server {
    /// Starts one that syncs every write.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with further settings.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let mut server = Self::absent_with(settings);
        server.run();
        server
    }

    /// One that does not run yet, and has its port.
    pub(crate) fn absent_with(settings: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let arguments = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self { child: None, folder: tempfile::tempdir().unwrap(), port, arguments }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, the first time or again.
    pub(crate) fn run(&mut self) {
        let program = "redis-server";
        let mut command = Command::new(program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--aof-load-truncated", "no"]);
        command.arg("--dir").arg(self.folder.path()).args(["--repl-diskless-sync-delay", "0"]).args(&self.arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("redis-server must be installed (apt-get install redis-server)");
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        self.child = Some(child);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains("Ready to accept connections")) {
            said.push(log.next().unwrap_or_else(|| panic!("the server ended: {said:#?}")));
        }
        // A full pipe would stop the server.
        std::thread::spawn(move || log.for_each(drop));
    }

    /// Says a command, and gives the first line that it answers.
    pub(crate) fn say(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts one on a copy of these files.
    pub(crate) fn start_on(files: &Path) -> Self {
        let mut server = Self::start();
        server.kill();
        server.restore(files);
        server.run();
        server
    }

    /// Deletes its files while it does not run.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join(FILES)).unwrap();
    }

    /// A copy of its files as they are.
    pub(crate) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.folder.path().join(FILES), &copy.path().join(FILES));
        copy
    }

    /// The same while it does not write, so that no entry is cut.
    pub(crate) fn frozen_copy(&self) -> TempDir {
        self.signal("-STOP");
        let copy = self.copy();
        self.signal("-CONT");
        copy
    }

    /// Gives it other files while it does not run.
    pub(crate) fn restore(&self, files: impl AsRef<Path>) {
        self.forget();
        copy_folder(&files.as_ref().join(FILES), &self.folder.path().join(FILES));
    }

    /// Where its files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
