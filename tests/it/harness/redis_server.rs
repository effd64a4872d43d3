//! A real Redis server on a free port of the loopback, with a folder of its own; it ends with its handle.
//!
//! Deliberately absent: a client; what is said to it is said as a line of text.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Folder of its files within its folder.
const FILES: &str = "appendonlydir";
/// File with what it was told to remember of its settings.
const SETTINGS: &str = "server.conf";
/// Ports that the system gives to no outgoing connection, so that a server that comes back finds its own free.
const PORTS: Range<u32> = 12_000..32_000;
/// What a server says when it serves.
const SERVES: &str = "Ready to accept connections";
/// What a sentinel says when it watches.
const WATCHES: &str = "+monitor master";

/// A running server.
pub(crate) struct Server {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    arguments: Vec<String>,
    /// Its password, which a setting gave it.
    password: Option<String>,
    /// What it says when it is ready.
    ready: &'static str,
}

/// A free port.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at the same time begin at different places.
    let first = std::process::id().wrapping_mul(97);
    for _ in PORTS {
        let number = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(PORTS.start + number % (PORTS.end - PORTS.start)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
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
        let mut arguments = vec!["--save".to_owned(), String::new()];
        let always = "--appendonly yes --appendfsync always --aof-load-truncated no --repl-diskless-sync-delay 0";
        arguments.extend(always.split(' ').map(str::to_owned));
        arguments.extend(settings.iter().map(|setting| (*setting).to_owned()));
        Self::absent_as("", arguments, SERVES)
    }

    /// Starts a sentinel with this configuration.
    pub(crate) fn start_sentinel(configuration: &str) -> Self {
        let mut server = Self::absent_as(configuration, vec!["--sentinel".to_owned()], WATCHES);
        server.run();
        server
    }

    fn absent_as(configuration: &str, arguments: Vec<String>, ready: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SETTINGS), configuration).unwrap();
        let given = arguments.iter().position(|argument| argument == "--requirepass").map(|place| place + 1);
        let configured = configuration.lines().find_map(|line| line.strip_prefix("requirepass "));
        let password = given.map(|place| arguments[place].clone()).or(configured.map(str::to_owned));
        Self { child: None, folder, port: free_port(), arguments, password, ready }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it, the first time or again.
    pub(crate) fn run(&mut self) {
        self.run_in(&[]);
    }

    /// The same with further variables of its environment.
    pub(crate) fn run_in(&mut self, environment: &[(&str, String)]) {
        let mut command = Command::new("redis-server");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.arg(self.folder.path().join(SETTINGS)).args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.arg("--dir").arg(self.folder.path()).args(&self.arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("redis-server must be installed (apt-get install redis-server)");
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        self.child = Some(child);
        let mut said = Vec::new();
        while !said.last().is_some_and(|line: &String| line.contains(self.ready)) {
            said.push(log.next().unwrap_or_else(|| panic!("the server ended: {said:#?}")));
        }
        // A full pipe would stop the server.
        std::thread::spawn(move || log.for_each(drop));
    }

    /// Says a command, and gives the first line that it answers.
    pub(crate) fn say(&self, command: &str) -> String {
        let mut line = String::new();
        self.told(command).unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Asks a question, and gives the texts and numbers of the whole answer one after the other.
    pub(crate) fn ask(&self, question: &str) -> Vec<String> {
        let asked = || {
            let mut answer = Vec::new();
            read_answer(&mut self.told(question)?, &mut answer)?;
            io::Result::Ok(answer)
        };
        // A server whose role changes closes the connections of all clients.
        asked().or_else(|_| asked()).or_else(|_| asked()).unwrap()
    }

    /// A connection on which a command was said.
    fn told(&self, command: &str) -> io::Result<BufReader<TcpStream>> {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.port))?);
        if let Some(password) = &self.password {
            stream.get_mut().write_all(format!("AUTH {password}\r\n").as_bytes())?;
            stream.read_line(&mut String::new())?;
        }
        stream.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        Ok(stream)
    }

    /// Whether it runs.
    pub(crate) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Its number among the processes.
    pub(crate) fn pid(&self) -> String {
        self.child.as_ref().unwrap().id().to_string()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid();
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

fn read_answer(stream: &mut impl BufRead, answer: &mut Vec<String>) -> io::Result<()> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (kind, rest) = line.trim_end().split_at(1);
    match kind {
        "*" => return (0..rest.parse().unwrap_or(0)).try_for_each(|_| read_answer(stream, answer)),
        "$" => match rest.parse() {
            Ok(length) => {
                let mut text = vec![0; length];
                stream.read_exact(&mut text)?;
                stream.read_line(&mut line)?;
                answer.push(String::from_utf8_lossy(&text).into_owned());
            }
            Err(_) => answer.push(String::new()),
        },
        _ => answer.push(rest.to_owned()),
    }
    Ok(())
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
