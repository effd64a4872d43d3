//! The thread that talks to Redis: session after session, each from the first check to the first failure.
//!
//! Invariant: appends are accepted only while a session stands; between sessions they are refused at once.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use redis::{Value, cmd};
use tokio::sync::mpsc::Receiver;

use super::address::Host;
use super::answers::Answers;
use super::bootstrap::{self, Standing};
use super::heart::Heart;
use super::history::{History, Mark};
use super::keys::META;
use super::link::Link;
use super::recover::Recovery;
use super::script::Scripts;
use super::shared::{Job, Shared};
use super::tail::{self, BLOCK_MS, Tail};
use super::topology::Topology;
use super::writer::Writer;
use super::{Ended, OpenError, RedisOptions, Trouble, preflight};
use crate::clock::{SharedClock, Stopwatch};
use crate::ledger::codec::Interner;
use crate::ledger::{ChangeSink, Unavailable};
use crate::seeded::{Fault, is_awake};

/// Longest wait for a reply to what is not held by the server.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
/// First pause before a server is tried again.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// Longest pause before a server is tried again.
const PAUSE_MAX: Duration = Duration::from_millis(1_000);
/// Longest wait, at start, for a server that is about to come.
const START_TIMEOUT: Duration = Duration::from_secs(60);

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
    /// The deployment whose records the sink has; empty before it has any.
    pub(super) deployment: String,
    /// What was followed so far.
    pub(super) history: History,
    /// What records share.
    pub(super) interner: Interner,
    /// The scripts.
    pub(super) scripts: Scripts,
}

/// What an open ledger tells about itself.
pub(super) struct Opened {
    /// Identifies the ledger among all others.
    pub(super) deployment: String,
    /// How many records the sink was handed.
    pub(super) records: u64,
}

/// A session that stands.
struct Session {
    /// The server.
    primary: Host,
    writer: Link,
    tail: Link,
    /// The history of this very server, as the meta names it.
    run: String,
    records: u64,
}

impl Engine {
    /// Works until the ledger closes; says first whether it could be opened.
    pub(super) async fn run(mut self, mut jobs: Receiver<Job>, opened: SyncSender<Result<Opened, OpenError>>) {
        let started = Stopwatch::start();
        let mut opened = Some(opened);
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
                    let told = Opened { deployment: self.deployment.clone(), records: session.records };
                    // Who opened the ledger may have given up.
                    opened.take().map(|opened| opened.send(Ok(told)));
                    let ended = self.serve(session, &mut jobs).await;
                    if matches!(ended, Ended::Closing) || shared.is_closing() {
                        break;
                    }
                    self.refuse(&ended.to_string());
                }
                Err(trouble) => {
                    let may_wait = trouble.may_pass() && started.elapsed() < START_TIMEOUT;
                    if let Some(told) = opened.take_if(|_| !may_wait) {
                        let error = OpenError { address: self.topology.to_string(), trouble: Box::new(trouble) };
                        // Who opened the ledger may have given up.
                        let _ = told.send(Err(error));
                        return;
                    }
                    self.refuse(&trouble.to_string());
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
        let found = preflight::check(&mut writer, self.options.ack_replicas, deployment).await?;
        if self.history.mark().is_none() {
            found.warnings.iter().for_each(|warning| tracing::warn!(redis = %self.topology, "{warning}"));
            self.topology.warn_of_few_replicas(self.options.ack_replicas).await;
        }
        self.shared.note_durability(found.durability);
        writer.load(&self.scripts).await?;
        let mut recovery = Recovery {
            link: &mut writer,
            scripts: &self.scripts,
            options: &self.options,
            history: &self.history,
            sink: &self.sink,
            instance: &self.instance,
            deployment: &self.deployment,
            clock: self.clock.as_ref(),
        };
        recovery.run().await?;
        let run = read_run(&mut writer).await?;
        let standing = bootstrap::standing(&mut writer).await?;
        self.deployment.clone_from(&standing.deployment);
        let records = self.catch_up(&mut writer, &standing).await?;
        let block = Duration::from_millis(BLOCK_MS.into());
        let tail = self.topology.open(&primary, RESPONSE_TIMEOUT + block).await?;
        Heart { link: &mut writer, instance: &self.instance, shared: &self.shared }.beat().await?;
        self.shared.accept();
        tracing::info!(redis = %self.topology, records, sequence = standing.mark.sequence, "the ledger writes");
        Ok(Session { primary, writer, tail, run, records })
    }

    /// Makes the sink what the server has: by what it missed, or by everything; how many records were read.
    async fn catch_up(&mut self, link: &mut Link, standing: &Standing) -> Result<u64, Trouble> {
        let mut records = 0;
        if is_awake(Fault::GapIgnored) && self.history.mark().is_some() {
            self.history.begin(standing.mark.clone());
        }
        if !tail::holds(link, &self.history).await? {
            let is_first = self.history.mark().is_none();
            records = self.read_all(link, &standing.mark, is_first).await?;
            self.history.begin(standing.mark.clone());
        }
        self.shared.show_clock(standing.clock_at);
        self.shared.note_steady(standing.steady_at);
        let answers = Answers::default();
        let caught_up = self.tail(link.clone(), &answers, "").catch_up().await;
        caught_up.map_err(|ended| match ended {
            Ended::Lost(error) => error.into(),
            Ended::Unusable(trouble) => trouble,
            Ended::Fenced | Ended::Diverged(_) | Ended::Closing => Trouble::BegunAnew,
        })?;
        if let Some(mark) = self.history.mark() {
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
        sink.begin_reload(mark.position());
        let count = bootstrap::read_all(link, mark, interner, |changes| sink.reload(changes)).await?;
        sink.finish_reload();
        Ok(count)
    }

    fn tail<'a>(&'a mut self, link: Link, answers: &'a Answers, run: &'a str) -> Tail<'a> {
        let Self { history, sink, shared, interner, .. } = self;
        Tail { link, history, sink: &**sink, shared, answers, interner, run }
    }

    /// Writes and follows until either fails.
    async fn serve(&mut self, session: Session, jobs: &mut Receiver<Job>) -> Ended {
        let Session { primary, writer, tail, run, records: _ } = session;
        let told = self.history.mark().map_or(0, |mark| mark.sequence);
        let answers = Answers::new(told);
        let (shared, mut beats) = (Arc::clone(&self.shared), writer.clone());
        let (instance, clock) = (self.instance.clone(), self.clock.clone());
        let ack_replicas = self.options.ack_replicas;
        let Self { topology, history, sink, interner, scripts, .. } = self;
        let mut writer = Writer {
            link: writer,
            scripts,
            ack_replicas,
            clock: clock.as_ref(),
            shared: &shared,
            answers: &answers,
            last_batch: 0,
        };
        let mut tail =
            Tail { link: tail, history, sink: sink.as_ref(), shared: &shared, answers: &answers, interner, run: &run };
        let mut heart = Heart { link: &mut beats, instance: &instance, shared: &shared };
        let ended = tokio::select! {
            ended = writer.run(jobs) => ended,
            ended = tail.run() => ended,
            ended = heart.beat_always() => ended,
            trouble = topology.is_replaced(&primary) => Ended::Unusable(trouble),
        };
        if matches!(ended, Ended::Closing) {
            heart.stop().await;
        }
        ended
    }
}

async fn read_run(link: &mut Link) -> Result<String, Trouble> {
    let mut read = cmd("HGET");
    read.arg(META).arg("run");
    let Value::BulkString(run) = link.ask(&read).await? else { return Err(Trouble::BegunAnew) };
    Ok(String::from_utf8_lossy(&run).into_owned())
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
