//! The whole ledger of a server at once: read at one position, or written to a server that has none, by somebody who is no
//! instance.
//!
//! Invariant: what is read is the state after exactly one change; what is written appears at once and in whole, or not at all.
//! Writing is the giving back of a recovery, by one who has seen everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{Value, cmd};

use super::answers::Answers;
use super::history::{History, Mark};
use super::incoming::Incoming;
use super::keys::META;
use super::link::Link;
use super::recover::Recovery;
use super::replicas::Replicas;
use super::script::Scripts;
use super::shared::Shared;
use super::tail::Tail;
use super::topology::Topology;
use super::{Ended, OpenError, RedisAddress, RedisOptions, Trouble, bootstrap, preflight};
use crate::clock::{ManualClock, SharedClock};
use crate::domain::record::{Body, Change, Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::ChangeSink;
use crate::ledger::codec::{self, Interner};

/// Longest wait for a reply.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Records by key, in the order of their texts.
pub type Records = BTreeMap<String, Versioned<Body>>;

/// The state of a ledger after one change.
#[derive(Clone, PartialEq, Debug)]
pub struct Whole {
    /// That change.
    pub position: Position,
    /// What the ledger's clock shows.
    pub clock_at: UtcInstant,
    /// The records.
    pub records: Records,
}

/// Keeps what it is told.
#[derive(Default)]
struct Collected(Mutex<Records>);

impl ChangeSink for Collected {
    fn apply(&self, changes: &[Change]) {
        let mut records = self.0.lock();
        // In the log's order the last word on a record is right, also when its versions began anew.
        for Change { position: _, key, version, body } in changes {
            match body {
                Some(body) => records.insert(key.to_string(), Versioned { version: *version, value: body.clone() }),
                None => records.remove(&key.to_string()),
            };
        }
    }

    fn begin_reload(&self, _: Position) {
        self.0.lock().clear();
    }

    fn reload(&self, records: &[Change]) {
        self.apply(records);
    }

    fn finish_reload(&self) {}

    fn advance(&self, _: Position) {}

    fn records(&self, take: &mut dyn FnMut(Versioned<Body>)) {
        self.0.lock().values().cloned().for_each(take);
    }
}

/// Reads the ledger of a server, which may be in use.
///
/// # Errors
/// When the server cannot be read or has no ledger; the error says what to do.
pub async fn read(address: &RedisAddress) -> Result<Whole, OpenError> {
    read_from(address).await.map_err(|trouble| failed(address, trouble))
}

/// Writes records to a server that has no ledger, as the state after a change of another one; a new epoch begins there.
/// False when the server has a ledger already: then nothing was written.
///
/// # Errors
/// When the server cannot be used; the error says what to do. Then nothing was written, or everything.
pub async fn write(address: &RedisAddress, whole: Whole) -> Result<bool, OpenError> {
    write_to(address, whole).await.map_err(|trouble| failed(address, trouble))
}

fn failed(address: &RedisAddress, trouble: Trouble) -> OpenError {
    OpenError { address: address.to_string(), trouble: Box::new(trouble) }
}

async fn read_from(address: &RedisAddress) -> Result<Whole, Trouble> {
    let mut link = open(address).await?;
    preflight::check_contents(&mut link, None).await?;
    if !has_ledger(&mut link).await? {
        return Err(Trouble::NoLedger);
    }
    let standing = bootstrap::standing(&mut link).await?;
    let (sink, mut interner, shared) = (Collected::default(), Interner::new(), Shared::new());
    bootstrap::read_all(&mut link, &standing.mark, &mut interner, |changes| sink.apply(changes)).await?;
    // What was written while the pages were read.
    let (mut history, answers) = (History::default(), Answers::default());
    history.begin(standing.mark.clone());
    shared.show_clock(standing.clock_at);
    let mut tail = Tail {
        link: link.clone(),
        history: &mut history,
        incoming: Incoming::default(),
        sink: &sink,
        shared: &shared,
        answers: &answers,
        interner: &mut interner,
        run: "",
    };
    tail.catch_up().await.map_err(|ended| match ended {
        Ended::Lost(error) => error.into(),
        Ended::Unusable(trouble) => trouble,
        Ended::Fenced | Ended::Diverged(_) | Ended::Closing => Trouble::BegunAnew,
    })?;
    if !bootstrap::is_unbroken_since(&mut link, &standing).await? {
        return Err(Trouble::BegunAnew);
    }
    let mark = history.mark().map_or_else(|| standing.mark.position(), Mark::position);
    let clock_at = shared.health().clock_at.unwrap_or(standing.clock_at);
    Ok(Whole { position: mark, clock_at, records: sink.0.into_inner() })
}

async fn write_to(address: &RedisAddress, whole: Whole) -> Result<bool, Trouble> {
    let mut link = open(address).await?;
    let options = RedisOptions { recovery_window: Duration::ZERO, ..RedisOptions::default() };
    let replicas = Replicas::new(&options);
    preflight::check(&mut link, &replicas, None).await?;
    if has_ledger(&mut link).await? {
        return Ok(false);
    }
    let scripts = Scripts::new();
    link.load(&scripts).await?;
    let Whole { position, clock_at, records } = whole;
    let mut history = History::default();
    // An epoch is never 0, so that a server without any is behind it.
    let epoch = position.epoch.max(1);
    history.begin(Mark { epoch, sequence: position.sequence, digest: digest_of(&records) });
    let sink: Arc<dyn ChangeSink> = Arc::new(Collected(Mutex::new(records)));
    let clock: SharedClock = Arc::new(ManualClock::new(clock_at));
    let writer = uuid::Uuid::now_v7().to_string();
    let mut recovery = Recovery {
        link: &mut link,
        scripts: &scripts,
        options: &options,
        replicas: &replicas,
        shared: &Shared::new(),
        history: &mut history,
        sink: &sink,
        instance: &writer,
        deployment: "",
        clock: Some(&clock),
    };
    recovery.run().await
}

/// A link to whichever server holds the ledger of an address now.
async fn open(address: &RedisAddress) -> Result<Link, Trouble> {
    let topology = Topology::new(address.clone());
    let primary = topology.primary().await?;
    topology.open(&primary, RESPONSE_TIMEOUT).await
}

async fn has_ledger(link: &mut Link) -> Result<bool, Trouble> {
    let mut exists = cmd("EXISTS");
    exists.arg(META);
    Ok(link.ask(&exists).await? != Value::Int(0))
}

/// The digest with which a history begins that was not followed but read as a state: that of the state.
fn digest_of(records: &Records) -> String {
    let mut sha1 = sha1_smol::Sha1::new();
    for (key, Versioned { version, value }) in records {
        sha1.update(format!("{}:{key}{version}:", key.len()).as_bytes());
        sha1.update(&codec::encode(value));
    }
    sha1.digest().to_string()
}
