//! The yardstick of holds: the append script alone, in batches of 16 with one `WAIT` each, on one connection.
//!
//! Its calls are those that a service has just made, read back from the log: the same keys, images, request names and
//! outcomes, so that sizes are equal. They run in keys of their own on the same servers. What an append only checks does not
//! stand in the log, so that the bare calls have rather less to do. Commands are put together before the clock starts.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use redis::{Cmd, Connection, Pipeline, Value, cmd};

/// Calls of one batch.
const BATCH: usize = 16;
/// The script as the ledger gives it to a server.
const SCRIPT: &str = concat!(
    include_str!("../../src/ledger/redis/script/common.lua"),
    include_str!("../../src/ledger/redis/script/append.lua")
);
/// How long outcomes are kept, in milliseconds, and how many changes the log keeps: as the ledger says it.
const KEPT: [u64; 2] = [48 * 3_600 * 1_000, 65_536];

/// A change of the log.
struct Logged {
    key: String,
    version: u64,
    image: Vec<u8>,
}

/// An append of the log.
struct Append {
    changes: Vec<Logged>,
    name: Vec<u8>,
    /// Fingerprint and what a retry is told.
    outcome: Vec<u8>,
}

/// Who runs the script.
pub(crate) struct Bare {
    connection: Connection,
    sha: String,
}

impl Bare {
    /// Connects, and gives the script.
    pub(crate) fn connect(url: &str) -> Self {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        let sha = cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query(&mut connection).unwrap();
        Self { connection, sha }
    }

    /// Runs again what the ledger appended with a request after this change, and says how many appends and how long.
    pub(crate) fn repeat(&mut self, epoch: u64, after: u64) -> (usize, Duration) {
        let appends = self.read(epoch, after);
        self.prepare(&appends);
        let batches: Vec<Pipeline> = appends.chunks(BATCH).map(|batch| self.batch(batch)).collect();
        let started = Instant::now();
        for batch in &batches {
            let mut replies: Vec<Value> = batch.query(&mut self.connection).unwrap();
            assert_eq!(replies.pop(), Some(Value::Int(1)), "the replica must confirm");
            assert!(replies.iter().all(is_appended), "{replies:?}");
        }
        let took = started.elapsed();
        self.forget();
        (appends.len(), took)
    }

    fn read(&mut self, epoch: u64, after: u64) -> Vec<Append> {
        let mut range = cmd("XRANGE");
        range.arg("sas:{0}:log").arg(format!("({epoch}-{after}")).arg("+");
        let entries: Vec<(String, HashMap<String, Vec<u8>>)> = range.query(&mut self.connection).unwrap();
        let (mut appends, mut changes) = (Vec::new(), Vec::new());
        for (_, mut fields) in entries {
            let mut field = |name: &str| fields.remove(name).unwrap_or_default();
            let (key, version) = (text(field("k")), text(field("v")).parse().unwrap());
            changes.push(Logged { key, version, image: field("b") });
            let (name, outcome) = (field("q"), field("o"));
            if !name.is_empty() {
                appends.push(Append { changes: std::mem::take(&mut changes), name, outcome });
            }
        }
        appends
    }

    /// Makes the records what the appends expect, and begins a log.
    fn prepare(&mut self, appends: &[Append]) {
        let run: Vec<u8> = cmd("HGET").arg("sas:{0}:m").arg("run").query(&mut self.connection).unwrap();
        let mut begin = cmd("HSET");
        begin.arg("bare:{0}:m").arg("run").arg(run);
        for (field, value) in [("epoch", "1"), ("seq", "0"), ("clock", "0"), ("digest", "")] {
            begin.arg(field).arg(value);
        }
        let mut all = Pipeline::new();
        all.add_command(begin);
        let mut known = BTreeSet::new();
        for change in appends.iter().flat_map(|append| &append.changes) {
            if known.insert(&change.key) && change.version > 1 {
                let record = [format!("{} ", change.version - 1).into_bytes(), change.image.clone()].concat();
                let mut put = cmd("HSET");
                put.arg(records(&change.key)).arg(&change.key).arg(record);
                all.add_command(put);
            }
        }
        all.cmd("WAIT").arg(1).arg(10_000);
        let replies: Vec<Value> = all.query(&mut self.connection).unwrap();
        assert_eq!(replies.last(), Some(&Value::Int(1)));
    }

    fn batch(&self, appends: &[Append]) -> Pipeline {
        let mut batch = Pipeline::with_capacity(appends.len() + 1);
        appends.iter().for_each(|append| {
            batch.add_command(self.call(append));
        });
        batch.cmd("WAIT").arg(1).arg(1_000);
        batch
    }

    fn call(&self, append: &Append) -> Cmd {
        let kinds: Vec<String> =
            append.changes.iter().map(|change| records(&change.key)).collect::<BTreeSet<_>>().into_iter().collect();
        let mut call = cmd("EVALSHA");
        call.arg(&self.sha).arg(4 + kinds.len());
        call.arg("bare:{0}:m").arg("bare:{0}:log").arg("bare:{0}:q").arg("bare:{0}:qt").arg(&kinds);
        let (fingerprint, told) = append.outcome.split_at(16);
        call.arg("").arg("").arg("").arg(&append.name).arg(fingerprint).arg(told).arg(&KEPT);
        for Logged { key, version, image } in &append.changes {
            let place = 5 + kinds.iter().position(|kind| *kind == records(key)).unwrap();
            call.arg(place).arg(key).arg(version - 1).arg(*version).arg(image);
        }
        call
    }

    /// Takes away what was written.
    fn forget(&mut self) {
        let keys: Vec<String> = cmd("KEYS").arg("bare:*").query(&mut self.connection).unwrap();
        let mut all = Pipeline::new();
        all.cmd("UNLINK").arg(keys);
        all.cmd("WAIT").arg(1).arg(10_000);
        let _: Vec<Value> = all.query(&mut self.connection).unwrap();
    }
}

fn records(key: &str) -> String {
    format!("bare:{{0}}:r:{}", key.split(':').next().unwrap_or_default())
}

fn is_appended(reply: &Value) -> bool {
    matches!(reply, Value::Array(fields) if fields.first() == Some(&Value::BulkString(b"A".to_vec())))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
