//! The thread that talks to Redis: session after session, each from the first check to the first failure.
//!
//! Invariant: appends are accepted only while a session stands; between sessions they are refused at once.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use redis::cmd;
use tokio::sync::mpsc::Receiver;

use super::address::Host;
use super::answers::Answers;
use super::bootstrap::{self, Standing};
use super::heart::Heart;
use super::heart::beat::Identity;
use super::history::{History, Mark};
use super::keys::META;
use super::link::Link;
use super::recover::Recovery;
use super::replicas::{Probe, Replicas};
use super::script::Scripts;
use super::shared::{Job, Opened, Shared};
use super::tail::incoming::Incoming;
use super::tail::{self, BLOCK_MS, Tail};
use super::topology::Topology;
use super::writer::Writer;
use super::{Ended, LEDGER_FORMAT, OpenError, RedisOptions, Trouble, preflight};
use crate::clock::{SharedClock, Stopwatch};
use crate::ledger::codec::Interner;
use crate::ledger::{ChangeSink, Counters, Unavailable};
use crate::seeded::{Fault, is_awake};

/// Longest wait for a reply to what is not held by the server.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// First pause before a server is tried again.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// Longest pause before a server is tried again.
const PAUSE_MAX: Duration = Duration::from_millis(1_000);
/// Longest wait, at start, for what passes in a moment.
const MOMENT: Duration = Duration::from_secs(10);

/// Everything of the thread but the queue.
pub(super) struct Engine {
    /// Where the server is.
    pub(super) topology: Topology,
    /// How this instance works.
    pub(super) options: RedisOptions,
    /// The clock that the server is told, in tests only.
    pub(super) clock: Option<SharedClock>,
    /// Who is told of changes.
    pub(super) sink: Arc<dyn ChangeSink>,
    /// What the callers see.
    pub(super) shared: Arc<Shared>,
    /// Identifies this instance.
    pub(super) instance: String,
    /// What the others are told of it.
    pub(super) identity: Identity,
    /// The deployment whose records the sink has; empty before it has any.
    pub(super) deployment: String,
    /// Who confirms what is written.
    pub(super) replicas: Replicas,
    /// What was followed so far.
    pub(super) history: History,
    /// What records share.
    pub(super) interner: Interner,
    /// The scripts.
    pub(super) scripts: Scripts,
}

/// A session that stands.
struct Session {
    /// The server.
    primary: Host,
    writer: Link,
    tail: Link,
    probe: Link,
    /// The history of this very server, as the meta names it.
    run: String,
}

impl Engine {
    /// Works until the ledger closes; says first whether its server can be used, or waited for.
    pub(super) async fn run(mut self, mut jobs: Receiver<Job>, usable: SyncSender<Result<(), OpenError>>) {
        let started = Stopwatch::start();
        let mut usable = Some(usable);
        let mut pause = PAUSE_MIN;
        let shared = Arc::clone(&self.shared);
        loop {
            let begun = tokio::select! {
                begun = self.begin() => begun,
                () = refuse_all(&mut jobs, &shared) => break,
            };
            match begun {
                Ok(session) => {
                    pause = PAUSE_MIN;
                    // Who opened the ledger may have given up.
                    usable.take().map(|usable| usable.send(Ok(())));
                    let ended = self.serve(session, &mut jobs).await;
                    if matches!(ended, Ended::Closing) || shared.is_closing() {
                        break;
                    }
                    if matches!(ended, Ended::Diverged(_)) {
                        Counters::count(&shared.counters.divergences);
                    }
                    Counters::count(&shared.counters.reconnections);
                    self.refuse(&ended.to_string());
                }
                Err(trouble) => {
                    let is_momentary = trouble == Trouble::BegunAnew && started.elapsed() < MOMENT;
                    let usable = usable.take_if(|_| !is_momentary);
                    if let Some(usable) = usable.as_ref().filter(|_| !trouble.may_pass()) {
                        let error = OpenError { address: self.topology.to_string(), trouble: Box::new(trouble) };
                        // Who opened the ledger may have given up.
                        let _ = usable.send(Err(error));
                        return;
                    }
                    self.refuse(&trouble.to_string());
                    usable.map(|usable| usable.send(Ok(())));
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = refuse_all(&mut jobs, &shared) => break,
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
        close(jobs, &shared);
    }

    fn refuse(&self, reason: &str) {
        let reason = format!("Redis at {}: {reason}", self.topology);
        if self.shared.refusal().as_ref() != Some(&reason) {
            tracing::error!(error = %reason, "the ledger cannot write and refuses appends until it can");
        }
        self.shared.refuse(&reason);
    }

    /// Connects, checks, recovers what must be, and brings the sink up to the log's end.
    async fn begin(&mut self) -> Result<Session, Trouble> {
        let primary = self.topology.primary().await?;
        let mut writer = self.topology.open(&primary, RESPONSE_TIMEOUT).await?;
        let deployment = Some(self.deployment.as_str()).filter(|known| !known.is_empty());
        let found = preflight::check(&mut writer, &self.replicas, deployment).await?;
        if self.history.mark().is_none() {
            found.warnings.iter().for_each(|warning| tracing::warn!(redis = %self.topology, "{warning}"));
        }
        self.replicas.see_watched(&self.topology.known_replicas().await, &self.shared);
        self.shared.note_durability(found.durability);
        writer.load(&self.scripts).await?;
        let mut recovery = Recovery {
            link: &mut writer,
            scripts: &self.scripts,
            options: &self.options,
            replicas: &self.replicas,
            shared: &self.shared,
            history: &mut self.history,
            sink: &self.sink,
            instance: &self.instance,
            deployment: &self.deployment,
            clock: self.clock.as_ref(),
        };
        recovery.run().await?;
        if found.format.is_some_and(|format| format < LEDGER_FORMAT) {
            raise_format(&mut writer).await?;
        }
        let standing = bootstrap::standing(&mut writer).await?;
        self.deployment.clone_from(&standing.deployment);
        let records = self.catch_up(&mut writer, &standing).await?;
        let block = Duration::from_millis(BLOCK_MS.into());
        let tail = self.topology.open(&primary, RESPONSE_TIMEOUT + block).await?;
        let probe = self.topology.open(&primary, RESPONSE_TIMEOUT).await?;
        let beat = Heart::new(&mut writer, &self.instance, &self.identity, &self.shared).beat().await;
        // A server that takes no write now can still be read and followed.
        beat.map_or_else(|error| if error.passes() { Ok(true) } else { Err(error) }, Ok)?;
        self.shared.open(Opened { deployment: self.deployment.clone(), records });
        self.replicas.begin();
        self.shared.accept();
        tracing::info!(redis = %self.topology, records, sequence = standing.mark.sequence, "the ledger writes");
        Ok(Session { primary, writer, tail, probe, run: standing.run })
    }

    /// Makes the sink what the server has: by what it missed, or by everything; how many records were read.
    async fn catch_up(&mut self, link: &mut Link, standing: &Standing) -> Result<u64, Trouble> {
        let mut records = 0;
        if is_awake(Fault::GapIgnored) && self.history.mark().is_some() {
            self.history.begin(standing.mark.clone());
        }
        if !tail::holds(link, &self.history).await? {
            let is_first = self.history.mark().is_none();
            self.history.begin_reading(standing.mark.clone());
            // The sink shows the new epoch before this history begins: positions of the old one are judged by where it ended.
            self.shared.trail.note_ends(standing.ends.iter().copied());
            records = self.read_all(link, &standing.mark, is_first).await?;
            self.shared.trail.begin(standing.mark.clone(), standing.clock_at);
        }
        self.shared.trail.note_ends(standing.ends.iter().copied());
        self.shared.show_clock(standing.clock_at);
        self.shared.note_steady(standing.steady_at);
        let answers = Answers::default();
        let caught_up = self.tail(link.clone(), &answers, "").catch_up().await;
        if matches!(caught_up, Err(Ended::Diverged(_))) {
            self.history.unsettle();
        }
        caught_up.map_err(|ended| match ended {
            Ended::Lost(error) => error.into(),
            Ended::Unusable(trouble) => trouble,
            Ended::Fenced | Ended::Diverged(_) | Ended::Closing => Trouble::BegunAnew,
        })?;
        if self.history.settled().is_none() {
            if !bootstrap::is_unbroken_since(link, standing).await? {
                return Err(Trouble::BegunAnew);
            }
            self.history.settle();
        }
        if let Some(mark) = self.history.mark() {
            self.sink.advance(mark.position());
            self.shared.advance(mark.position());
        }
        Ok(records)
    }

    /// Hands every record to the sink; one that has others already takes these instead.
    async fn read_all(&mut self, link: &mut Link, mark: &Mark, is_first: bool) -> Result<u64, Trouble> {
        let (sink, interner) = (&self.sink, &mut self.interner);
        if is_first {
            return bootstrap::read_all(link, mark, interner, |changes| sink.apply(changes)).await;
        }
        tracing::warn!(
            sequence = mark.sequence,
            "the ledger went another way than was followed here: every record is read anew"
        );
        Counters::count(&self.shared.counters.reloads);
        sink.begin_reload(mark.position());
        let count = bootstrap::read_all(link, mark, interner, |changes| sink.reload(changes)).await?;
        sink.finish_reload();
        Ok(count)
    }

    fn tail<'a>(&'a mut self, link: Link, answers: &'a Answers, run: &'a str) -> Tail<'a> {
        let Self { history, sink, shared, interner, .. } = self;
        Tail { link, history, incoming: Incoming::default(), sink: &**sink, shared, answers, interner, run }
    }

    /// Writes and follows until either fails.
    async fn serve(&mut self, session: Session, jobs: &mut Receiver<Job>) -> Ended {
        let Session { primary, writer, tail, probe, run } = session;
        let told = self.history.mark().map_or(0, |mark| mark.sequence);
        let answers = Answers::new(told);
        let (shared, mut beats) = (Arc::clone(&self.shared), writer.clone());
        let (instance, identity, clock) = (self.instance.clone(), self.identity.clone(), self.clock.clone());
        let Self { topology, history, sink, interner, scripts, replicas, .. } = self;
        let mut writer = Writer {
            link: writer,
            scripts,
            replicas,
            clock: clock.as_ref(),
            shared: &shared,
            answers: &answers,
            last_batch: 0,
        };
        let mut tail = Tail {
            link: tail,
            history,
            incoming: Incoming::default(),
            sink: sink.as_ref(),
            shared: &shared,
            answers: &answers,
            interner,
            run: &run,
        };
        let mut probe = Probe { link: probe, topology, replicas, shared: &shared };
        let mut heart = Heart::new(&mut beats, &instance, &identity, &shared);
        let ended = tokio::select! {
            ended = writer.run(jobs) => ended,
            ended = tail.run() => ended,
            ended = heart.beat_always() => ended,
            ended = probe.run() => ended,
            trouble = topology.is_replaced(&primary) => Ended::Unusable(trouble),
        };
        if matches!(ended, Ended::Closing) {
            heart.stop().await;
        }
        ended
    }
}

/// Says that the log now holds what older versions do not know, before it does: they stop instead of stumbling.
async fn raise_format(link: &mut Link) -> Result<(), Trouble> {
    let mut set = cmd("HSET");
    set.arg(META).arg("format").arg(LEDGER_FORMAT);
    link.ask(&set).await?;
    tracing::info!(
        format = LEDGER_FORMAT,
        "the ledger has the format of this version now; older ones no longer read it"
    );
    Ok(())
}

/// Refuses what comes until the ledger closes.
async fn refuse_all(jobs: &mut Receiver<Job>, shared: &Shared) {
    while let Some(job) = jobs.recv().await {
        if matches!(job, Job::Close) {
            return;
        }
        let reason = shared.refusal().unwrap_or_else(|| "Redis is away".to_owned());
        job.refuse(&shared.room, Unavailable::Refused(reason));
    }
}

/// Answers those who came too late.
fn close(mut jobs: Receiver<Job>, shared: &Shared) {
    while let Ok(job) = jobs.try_recv() {
        job.refuse(&shared.room, Unavailable::Closing);
    }
    tracing::info!(sequence = shared.health().head.sequence, "ledger closed");
}
