//! The whole ledger of a server at once: read at one position, or written to a server that has none, by somebody who is no
//! instance.
//!
//! Invariant: what is read is the state after exactly one change; what is written appears at once and in whole, or not at all.
//! Writing is the giving back of a recovery, by one who has seen everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::cmd;

use super::answers::Answers;
use super::history::{History, Mark};
use super::keys::META;
use super::link::Link;
use super::link::reply::Fields;
use super::recover::Recovery;
use super::replicas::Replicas;
use super::script::Scripts;
use super::shared::Shared;
use super::tail::Tail;
use super::tail::incoming::Incoming;
use super::topology::Topology;
use super::{Ended, OpenError, RedisAddress, RedisOptions, Trouble, bootstrap, preflight};
use crate::clock::{ManualClock, SharedClock, Stopwatch};
use crate::domain::record::{Body, Change, Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::ChangeSink;
use crate::ledger::codec::{self, Interner};

/// Longest wait for a reply.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long replicas may take to follow what is written: they must have all of it before its epoch begins.
const REPLICAS_FOLLOW_WITHIN: Duration = Duration::from_secs(60);

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
    // A replica may be behind, or follow nobody any more.
    match preflight::check_role(&mut link).await {
        // A user who may only read what is kept cannot be told.
        Ok(_) | Err(Trouble::Said(_)) => {}
        Err(trouble) => return Err(trouble),
    }
    preflight::check_contents(&mut link, None).await?;
    match held(&mut link).await? {
        Held::Nothing => return Err(Trouble::NoLedger),
        Held::Unfinished(_) => return Err(Trouble::Unfinished),
        Held::Ledger => {}
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
    let Whole { position, clock_at, records } = whole;
    // An epoch is never 0, so that a server without any is behind it.
    let epoch = position.epoch.max(1);
    let mark = Mark { epoch, sequence: position.sequence, digest: digest_of(&records) };
    match held(&mut link).await? {
        Held::Ledger => return Ok(false),
        Held::Unfinished(other) if other != mark => return Err(Trouble::Unfinished),
        // The records of this very state are there already; only its epoch is missing.
        Held::Unfinished(_) | Held::Nothing => {}
    }
    let scripts = Scripts::new();
    link.load(&scripts).await?;
    let mut history = History::default();
    history.begin(mark);
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
    let waited = Stopwatch::start();
    loop {
        // What was given stands; it is asked again, each time for a second, whether the replicas have it.
        match recovery.run().await {
            Err(Trouble::FewReplicas { .. }) if waited.elapsed() < REPLICAS_FOLLOW_WITHIN => {}
            ended => return ended,
        }
    }
}

/// A link to whichever server holds the ledger of an address now.
async fn open(address: &RedisAddress) -> Result<Link, Trouble> {
    let topology = Topology::new(address.clone());
    let primary = topology.primary().await?;
    topology.open(&primary, RESPONSE_TIMEOUT).await
}

/// What a server holds.
enum Held {
    /// Nothing of a ledger.
    Nothing,
    /// Every record of the state at a mark, of which no epoch has begun yet.
    Unfinished(Mark),
    /// A ledger.
    Ledger,
}

async fn held(link: &mut Link) -> Result<Held, Trouble> {
    let mut read = cmd("HMGET");
    read.arg(META).arg("run").arg("epoch").arg("seq").arg("digest");
    let mut fields = Fields::of(link.ask(&read).await?)?;
    let (run, epoch) = (fields.text_or_nothing()?, fields.text_or_nothing()?);
    let (sequence, digest) = (fields.text_or_nothing()?, fields.text_or_nothing()?);
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
    Ok(match (run, number(epoch), number(sequence), digest) {
        (Some(_), _, _, _) => Held::Ledger,
        (None, Some(epoch), Some(sequence), Some(digest)) => Held::Unfinished(Mark { epoch, sequence, digest }),
        (None, _, _, _) => Held::Nothing,
    })
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
