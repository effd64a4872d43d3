//! The real program as a child process: started, waited for, ended in the ways in which operations and accidents end it.
//!
//! Invariant: a process never outlives its value, and every wait has a deadline and an event to wait for.
//! Deliberately absent: knowledge of the interface; clients bring their own.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::variable;

/// How long a start or an end may take; far above what either needs, so that only a hang reaches it.
const DEADLINE: Duration = Duration::from_secs(60);
/// The line that `serve` prints on standard output when it listens, before the address.
const ANNOUNCEMENT: &str = "listening on ";
/// The line before it where there is an admin port.
const ADMIN_ANNOUNCEMENT: &str = "admin port on ";
/// Lines of standard output that may wait to be looked at.
const LINES_MAX: usize = 1_024;

/// A running server.
pub(crate) struct ServerProcess {
    child: Child,
    lines: Receiver<String>,
    log: Option<JoinHandle<String>>,
    /// Where state is kept, as flags of the command line.
    ledger: Vec<OsString>,
    address: String,
    /// Where the admin port is; empty when there is none.
    admin_address: String,
}

/// A process that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) status: ExitStatus,
    /// What it printed on standard output after its announcement.
    pub(crate) stdout: Vec<String>,
    /// What it printed on standard error.
    pub(crate) stderr: String,
}

impl ServerProcess {
    /// Starts `serve` on this data folder and a free port, and waits until it listens.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_on(&in_folder(data_dir))
    }

    /// The same on a Redis, with further flags.
    pub(crate) fn start_on_redis(url: &str, flags: &[OsString]) -> Self {
        Self::start_on(&[&["--ledger".into(), url.into()], flags].concat())
    }

    fn start_on(ledger: &[OsString]) -> Self {
        match Self::try_start_on(ledger, "127.0.0.1:0") {
            Ok(server) => server,
            Err(ended) => panic!("the server ended before it listened: {}\n{}", ended.status, ended.stderr),
        }
    }

    /// Starts `serve` on this data folder and address; `Err` when it ended without ever listening.
    pub(crate) fn try_start(data_dir: &Path, listen: &str) -> Result<Self, Ended> {
        Self::try_start_on(&in_folder(data_dir), listen)
    }

    /// The same with the flags that say where state is kept.
    pub(crate) fn try_start_on(ledger: &[OsString], listen: &str) -> Result<Self, Ended> {
        Self::try_start_by(program_command(), ledger, listen)
    }

    /// The same by a command of one's own.
    pub(crate) fn try_start_by(command: Command, ledger: &[OsString], listen: &str) -> Result<Self, Ended> {
        let mut child = serve_command(command, ledger, listen).spawn().expect("the program can be started");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut stderr = child.stderr.take().expect("standard error is piped");
        let (sender, lines) = sync_channel(LINES_MAX);
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let log = thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before a broken pipe is still worth showing.
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let (address, admin_address) = (String::new(), String::new());
        let mut server = Self { child, lines, log: Some(log), ledger: ledger.to_vec(), address, admin_address };
        while server.address.is_empty() {
            match server.lines.recv_timeout(DEADLINE) {
                Ok(line) => server.take_announcement(&line),
                Err(RecvTimeoutError::Disconnected) => return Err(server.ended()),
                Err(RecvTimeoutError::Timeout) => panic!("the server does not listen after {DEADLINE:?}"),
            }
        }
        Ok(server)
    }

    fn take_announcement(&mut self, line: &str) {
        match line.strip_prefix(ADMIN_ANNOUNCEMENT) {
            Some(address) if self.admin_address.is_empty() => address.clone_into(&mut self.admin_address),
            _ => {
                let address = line.strip_prefix(ANNOUNCEMENT);
                address.unwrap_or_else(|| panic!("`{line}` is not the announcement")).clone_into(&mut self.address);
            }
        }
    }

    /// Where its admin port is: `127.0.0.1:PORT`.
    pub(crate) fn admin_address(&self) -> &str {
        &self.admin_address
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its number among the processes.
    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Asks it to end, as a service manager does, and waits until it has.
    pub(crate) fn terminate(mut self) -> Ended {
        self.signal("-TERM");
        self.ended()
    }

    /// Sends it a signal, for instance `-STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        // A shell has `kill` built in; the standard library can only kill.
        let script = ["-c", "kill \"$1\" \"$2\"", "sh", signal];
        let sent = Command::new("sh").args(script).arg(self.child.id().to_string()).status();
        assert!(sent.expect("a shell is there").success(), "the process was gone before it was signalled");
    }

    /// Ends it at once, as a power cut does: nothing more is written.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.kill().expect("the process can be killed");
        self.ended()
    }

    /// Ends it at once and starts another where state is kept.
    pub(crate) fn kill_and_restart(self) -> Self {
        let ledger = self.ledger.clone();
        self.kill();
        Self::start_on(&ledger)
    }

    /// Waits for the end, which closes the pipes.
    fn ended(&mut self) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => stdout.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the server still runs after {DEADLINE:?}"),
            }
        }
        let status = self.child.wait().expect("the process can be waited for");
        let log = self.log.take().expect("a process ends once");
        Ended { status, stdout, stderr: log.join().expect("standard error was read") }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail only when the process has ended already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The released program where `tests/run` built it, else the one that cargo built for the tests.
pub(crate) fn program() -> PathBuf {
    variable("SAS_ROUTER_BIN").map_or_else(|| env!("CARGO_BIN_EXE_sas-router").into(), PathBuf::from)
}

/// The program without the caller's configuration, so that a test means the same everywhere.
pub(crate) fn program_command() -> Command {
    command_of(&program())
}

/// The same of a program that lies elsewhere.
pub(crate) fn command_of(program: &Path) -> Command {
    let mut command = Command::new(program);
    #[allow(clippy::disallowed_methods, reason = "the tests' own environment is kept from the program under test")]
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names {
        if name.to_string_lossy().starts_with("SAS_ROUTER_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

fn in_folder(data_dir: &Path) -> [OsString; 2] {
    ["--data-dir".into(), data_dir.into()]
}

fn serve_command(mut command: Command, ledger: &[OsString], listen: &str) -> Command {
    command.arg("serve").args(ledger).args(["--listen", listen]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
