//! The server under load: the released program, a process of its own, over a folder with the population.
//!
//! Invariant: a server that was started here ends with its value; one that was not is never touched.

use std::io::{BufRead as _, BufReader};
use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The line that the program prints when it listens, before the address.
const ANNOUNCEMENT: &str = "listening on ";

/// Where the calls go.
#[derive(Debug)]
pub struct Target {
    /// `http://HOST:PORT`.
    pub url: String,
    child: Option<Child>,
}

impl Target {
    /// A server that is there; `Err` says why it is not taken.
    pub fn there(url: &str) -> Result<Self, String> {
        let host = url.strip_prefix("http://").ok_or("give the server as http://HOST:PORT")?.trim_end_matches('/');
        let addresses = host.to_socket_addrs().map_err(|error| format!("{host}: {error}"))?;
        let is_ours = addresses.map(|address| address.ip().is_loopback()).reduce(|one, other| one && other);
        match is_ours {
            Some(true) => Ok(Self { url: url.to_owned(), child: None }),
            Some(false) | None => Err(format!("{host} is not this machine: load is for servers of one's own")),
        }
    }

    /// Starts the program on a ledger's folder, on these cores if any are named, and waits until it listens.
    pub fn start(ledger: &Path, log: &Path, cores: Option<&str>) -> Self {
        let program = env!("CARGO_BIN_EXE_sas-router");
        let mut command = match cores {
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores, program]);
                command
            }
            None => Command::new(program),
        };
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(ledger);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SAS_ROUTER_")) {
            command.env_remove(name);
        }
        let log = std::fs::File::create(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut target = Self { url: String::new(), child: Some(child) };
        let stdout = target.child.as_mut().and_then(|child| child.stdout.take()).unwrap();
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix(ANNOUNCEMENT).map(str::to_owned));
        target.url = format!("http://{}", address.expect("the server ended before it listened: see its log"));
        target
    }

    /// Bytes that are resident, when it was started here.
    pub fn resident_kb(&self) -> Option<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref()?.id())).ok()?;
        status.lines().find_map(|line| Some(line.strip_prefix("VmRSS:")?.trim().to_owned()))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Both fail only when it has ended already. Its data may be lost: they are made.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
