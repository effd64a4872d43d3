//! The files of `deploy/`: real servers are started from these very files, and keep the promises that the files make.
//!
//! Only ports, folders and the name of the first primary differ from what a site has. What cannot be run here, images and a
//! cluster, is held to what the program and the files beside it say.

mod compose;
mod kubernetes;
mod replacing;
mod systemd;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sas_router::clock::Stopwatch;
use sas_router::proto::routing as pb;
use tempfile::TempDir;

use crate::harness::in_process::{Bookings, Directory, Operations, Publishing, connect};
use crate::harness::server_process::ServerProcess;
use crate::harness::site::slot;
use crate::harness::world;

/// Within which time anything that must come has come; far above what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn deployed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = Stopwatch::start();
    while !is_so() {
        assert!(waited.elapsed() < DEADLINE, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// The folder of a site: its secrets, its configuration, and the data of its servers.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(deployed("redis/make-secrets")).arg(folder.path().join("secrets")).status();
        assert!(made.unwrap().success());
        fs::create_dir(folder.path().join("config")).unwrap();
        for file in ["redis.conf", "sentinel.conf"] {
            fs::copy(deployed("redis").join(file), folder.path().join("config").join(file)).unwrap();
        }
        Self(folder)
    }

    /// The password of the ledger's user, from the service's settings.
    fn password(&self) -> String {
        let settings = fs::read_to_string(self.0.path().join("secrets/sas-router.toml")).unwrap();
        settings.split("://sas:").nth(1).unwrap().split('@').next().unwrap().to_owned()
    }

    /// Says where the first primary is, as its name does on a site.
    fn name_primary(&self, port: u16) {
        let file = self.0.path().join("config/sentinel.conf");
        let text = fs::read_to_string(&file).unwrap();
        let named = text.replace("monitor sas redis-1 6379", &format!("monitor sas 127.0.0.1 {port}"));
        assert_ne!(text, named);
        fs::write(file, named).unwrap();
    }
}

/// A server or a sentinel that `start` started.
struct Process {
    child: Child,
    port: u16,
    command: Command,
}

impl Process {
    fn start(folder: &Folder, kind: &str, settings: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let data = folder.0.path().join(format!("{kind}-{port}"));
        fs::create_dir(&data).unwrap();
        let mut command = Command::new(deployed("redis/start"));
        command.args([kind, "--port", &port.to_string(), "--bind", "127.0.0.1"]).args(settings);
        command.env("REDIS_CONFIG_DIR", folder.0.path().join("config")).env("REDIS_DATA_DIR", data);
        command.env("REDIS_SECRETS_DIR", folder.0.path().join("secrets"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let process = Self { child: command.spawn().unwrap(), port, command };
        wait_until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        process
    }

    /// A primary, and replicas that follow it.
    fn start_servers(folder: &Folder) -> [Self; 3] {
        let primary = Self::start(folder, "server", &[]);
        let port = primary.port.to_string();
        let replica = || Self::start(folder, "server", &["--replicaof", "127.0.0.1", &port]);
        let servers = [primary, replica(), replica()];
        let user = ["sas", &folder.password()];
        wait_until("two replicas", || servers[0].say(user, "WAIT 2 100").starts_with(":2"));
        servers
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.kill();
        self.child = self.command.spawn().unwrap();
        wait_until("the server listens again", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// What it answers to a command of a user: the first line, or all lines of a list.
    fn say(&self, [user, password]: [&str; 2], command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        // A sentinel knows no QUIT, and the ledger's user may not PING.
        let is_sentinel = user.is_empty();
        let login = if is_sentinel { "PING".to_owned() } else { format!("AUTH {user} {password}") };
        let end = if is_sentinel { "PING the-end" } else { "QUIT" };
        let ends = ["the-end\r\n", "+OK\r\n"];
        stream.write_all(format!("{login}\r\n{command}\r\n{end}\r\n").as_bytes()).unwrap();
        let mut answers = BufReader::new(stream);
        let mut first = String::new();
        answers.read_line(&mut first).unwrap();
        assert!(["+OK", "+PONG"].contains(&first.trim_end()), "{login}: {first}");
        let mut said = String::new();
        let mut is_over = false;
        while !is_over {
            let length = answers.read_line(&mut said).unwrap();
            is_over = length == 0 || (is_sentinel && said.ends_with(ends[0]));
        }
        said.strip_suffix(ends[usize::from(!is_sentinel)]).unwrap_or(&said).to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The service on a server, with the settings that are deployed but for the address.
fn serve(folder: &Folder, server: &Process) -> ServerProcess {
    let settings = fs::read_to_string(folder.0.path().join("secrets/sas-router.toml")).unwrap();
    let deployed = settings.lines().find(|line| line.starts_with("url = ")).unwrap();
    let here = format!("url = \"redis://sas:{}@127.0.0.1:{}\"", folder.password(), server.port);
    let file = folder.0.path().join(format!("sas-router-{}.toml", server.port));
    let any_port = settings.replace("0.0.0.0:7411", "127.0.0.1:0").replace("drain_delay_seconds = 5", "");
    fs::write(&file, any_port.replace(deployed, &here)).unwrap();
    let started = ServerProcess::try_start_on(&["--config".into(), file.into()], "127.0.0.1:0");
    started.unwrap_or_else(|ended| panic!("{}", ended.stderr))
}

async fn status(process: &ServerProcess) -> pb::GetStatusResponse {
    let mut operations = Operations::new(connect(process.address().parse().unwrap()).await);
    operations.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner()
}

/// A practice with a slot that is held and booked.
async fn book(process: &ServerProcess) -> String {
    let channel = connect(process.address().parse().unwrap()).await;
    let mut directory = Directory::new(channel.clone());
    let request = pb::UpsertTerritoryRequest { request_id: "t".into(), territory: Some(world::territory()) };
    directory.upsert_territory(request).await.unwrap();
    let practitioner = Some(world::practitioner());
    let request = pb::UpsertPractitionerRequest { request_id: "p".into(), practitioner };
    directory.upsert_practitioner(request).await.unwrap();
    let request = pb::UpsertPlaceRequest { request_id: "pl".into(), place: Some(world::place(1)) };
    directory.upsert_place(request).await.unwrap();
    let request = pb::UpsertScheduleRequest { request_id: "s".into(), schedule: Some(world::schedule(1)) };
    directory.upsert_schedule(request).await.unwrap();
    let batch = world::batch("publish", 1, vec![slot("a", 1, 60, 1)]);
    let answers = Publishing::new(channel.clone()).publish_slots(tokio_stream::once(batch)).await.unwrap();
    assert_eq!(answers.into_inner().message().await.unwrap().unwrap().results[0].status(), pb::RowStatus::Created);
    let mut bookings = Bookings::new(channel);
    let held = bookings.hold_slot(world::hold("h", "a")).await.unwrap().into_inner();
    let confirm = pb::ConfirmHoldRequest { request_id: "c".into(), hold_id: held.hold.unwrap().hold_id };
    bookings.confirm_hold(confirm).await.unwrap().into_inner().booking.unwrap().booking_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_from_the_deployed_files_promises_the_most_and_needs_no_warning() {
    let folder = Folder::new();
    let mut servers = Process::start_servers(&folder);
    let process = serve(&folder, &servers[0]);
    let stands = status(&process).await;
    assert!(stands.durability.contains("with replicas, synced before it is acknowledged"), "{}", stands.durability);
    let booking_id = book(&process).await;
    servers[0].restart();
    let mut bookings = Bookings::new(connect(process.address().parse().unwrap()).await);
    assert!(bookings.get_booking(pb::GetBookingRequest { booking_id: booking_id.clone() }).await.is_ok());
    let waited = Stopwatch::start();
    let cancel =
        || pb::CancelBookingRequest { request_id: "x".into(), booking_id: booking_id.clone(), reason: "".into() };
    // A server that was not recovered takes nothing.
    while let Err(refused) = bookings.cancel_booking(cancel()).await {
        assert!(waited.elapsed() < DEADLINE, "not recovered by the deployed user: {refused:?}");
    }
    let ended = process.terminate();
    for setting in ["appendonly", "appendfsync", "aof-load-truncated", "maxmemory-policy", "min-replicas-to-write"] {
        assert!(!ended.stderr.contains(setting), "a warning of {setting}: {}", ended.stderr);
    }
}

#[test]
fn the_user_of_the_ledger_may_do_nothing_else() {
    let folder = Folder::new();
    let server = Process::start(&folder, "server", &[]);
    let password = folder.password();
    for command in [
        "FLUSHALL",
        "FLUSHDB",
        "CONFIG SET appendonly no",
        "CONFIG REWRITE",
        "SHUTDOWN NOSAVE",
        "KEYS *",
        "ACL LIST",
        "REPLICAOF NO ONE",
        "EVAL return 0",
        "SCRIPT FLUSH",
        "HGET other field",
        "UNLINK other",
        "PUBLISH __sentinel__:hello x",
    ] {
        let said = server.say(["sas", &password], command);
        assert!(said.starts_with("-NOPERM"), "{command}: {said}");
    }
    let mut stranger = BufReader::new(TcpStream::connect(("127.0.0.1", server.port)).unwrap());
    stranger.get_mut().write_all(b"HGETALL sas:{0}:m\r\n").unwrap();
    let mut said = String::new();
    stranger.read_line(&mut said).unwrap();
    assert!(said.starts_with("-NOAUTH"), "{said}");
}

#[test]
fn the_deployed_sentinels_make_a_replica_the_primary() {
    let folder = Folder::new();
    let mut servers = Process::start_servers(&folder);
    folder.name_primary(servers[0].port);
    let sentinels = [(); 3].map(|()| Process::start(&folder, "sentinel", &[]));
    let nobody = ["", ""];
    for sentinel in &sentinels {
        wait_until("a quorum", || sentinel.say(nobody, "SENTINEL CKQUORUM sas").starts_with("+OK 3"));
        wait_until("two replicas", || sentinel.say(nobody, "INFO sentinel").contains("slaves=2,sentinels=3"));
    }
    servers[0].kill();
    let named = || sentinels[0].say(nobody, "SENTINEL GET-MASTER-ADDR-BY-NAME sas");
    wait_until("another primary", || servers[1..].iter().any(|server| named().contains(&server.port.to_string())));
    let primary = servers[1..].iter().find(|server| named().contains(&server.port.to_string())).unwrap();
    let user = ["sas", &folder.password()];
    wait_until("the other one follows", || primary.say(user, "WAIT 1 100").starts_with(":1"));
    assert!(primary.say(user, "HSET sas:{0}:m a b").starts_with(':'), "one replica is enough for the server");
    let other = usize::from(primary.port == servers[1].port) + 1;
    servers[other].kill();
    let refusals = || {
        let primary = servers[1..].iter().find(|server| named().contains(&server.port.to_string())).unwrap();
        primary.say(user, "HSET sas:{0}:m a c")
    };
    wait_until("a primary without replicas refuses", || refusals().starts_with("-NOREPLICAS"));
}
