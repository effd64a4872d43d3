//! Follows the log: everything that any instance appends reaches the sink this way, this instance's own appends too.
//!
//! Invariant: a change is handed over only when it is the next one of the history that was followed so far, by its number
//! and by its digest, and together with all others of its append.

pub(super) mod incoming;

use std::sync::Arc;

use redis::{Value, cmd};

use super::answers::Answers;
use super::history::{History, Logged, Mark, Outcome};
use super::keys::{LOG, META};
use super::link::reply::Fields;
use super::link::{Link, LinkError};
use super::shared::Shared;
use super::{Ended, Trouble};
use crate::domain::record::{Change, Key, Position};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::{APPEND_ENTRIES_MAX, ChangeSink, Counters};
use crate::seeded::{Fault, is_awake};
use incoming::Incoming;

/// How long the server holds a question that has no answer yet, in milliseconds.
pub(super) const BLOCK_MS: u32 = 1_000;
/// Most entries of one answer.
const ENTRIES_MAX: usize = 1_024;

/// An entry of the log.
enum LogEntry {
    /// A change.
    Change { epoch: u64, logged: Logged },
    /// A new epoch, which continues the history of this one up to this number.
    Epoch { epoch: u64, sequence: u64, base: (u64, u64), digest: String },
}

/// Follows the log of one session.
pub(super) struct Tail<'a> {
    /// Its connection; nothing else may use it.
    pub(super) link: Link,
    /// What was followed so far.
    pub(super) history: &'a mut History,
    /// What came of an append that has not ended.
    pub(super) incoming: Incoming,
    /// Who is told.
    pub(super) sink: &'a dyn ChangeSink,
    /// What the callers see.
    pub(super) shared: &'a Shared,
    /// Outcomes that wait for the sink.
    pub(super) answers: &'a Answers,
    /// What records share.
    pub(super) interner: &'a mut Interner,
    /// The history of this very server, as the meta names it.
    pub(super) run: &'a str,
}

impl Tail<'_> {
    /// Follows until the link fails or the history breaks.
    pub(super) async fn run(&mut self) -> Ended {
        loop {
            match self.step(Some(BLOCK_MS)).await {
                Ok(true) => {}
                // Nothing came: an emptied server says nothing either.
                Ok(false) => match self.is_same_run().await {
                    Ok(true) => {}
                    Ok(false) => return Ended::Fenced,
                    Err(error) => return Ended::Lost(error),
                },
                Err(ended) => return ended,
            }
        }
    }

    /// Follows up to what the log holds now.
    pub(super) async fn catch_up(&mut self) -> Result<(), Ended> {
        while self.step(None).await? {}
        Ok(())
    }

    /// Takes what follows, waiting for it so long; whether anything came.
    async fn step(&mut self, block_ms: Option<u32>) -> Result<bool, Ended> {
        let Some(mark) = self.history.mark() else { return Err(Ended::Diverged("nothing was read".to_owned())) };
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(ENTRIES_MAX);
        if let Some(block_ms) = block_ms {
            read.arg("BLOCK").arg(block_ms);
        }
        let reached = self.incoming.reached(mark.epoch);
        read.arg("STREAMS").arg(LOG).arg(reached.as_ref().unwrap_or(mark).id());
        let reply = self.link.ask(&read).await.map_err(Ended::Lost)?;
        let entries = entries_of_read(reply).map_err(Ended::Lost)?;
        if entries.is_empty() {
            // The server writes an append at once: what does not follow never will.
            return match self.incoming.is_open() {
                true => Err(Ended::Diverged(format!("it ends within an append, after {}", self.shown()))),
                false => Ok(false),
            };
        }
        let epoch = mark.epoch;
        let mut changes = Vec::with_capacity(entries.len());
        let taken = entries.into_iter().try_for_each(|entry| self.take(entry, &mut changes));
        if !changes.is_empty() {
            let skipped = usize::from(changes.len() > 1 && is_awake(Fault::ChangeDropped));
            self.sink.apply(changes.get(skipped..).unwrap_or_default());
        }
        if let Some(mark) = self.history.mark() {
            if mark.epoch != epoch {
                self.sink.advance(mark.position());
            }
            self.shared.advance(mark.position());
            self.answers.told(mark.sequence);
        }
        taken.map(|()| true)
    }

    fn take(&mut self, entry: Value, changes: &mut Vec<Change>) -> Result<(), Ended> {
        match read_entry(entry).map_err(Ended::Lost)? {
            LogEntry::Change { epoch, logged } => {
                let is_next = self.history.mark().is_some_and(|mark| self.incoming.precedes(mark, epoch, &logged));
                if !is_next {
                    let (here, there) = (self.shown(), format!("{epoch}-{}", logged.sequence));
                    return Err(Ended::Diverged(format!("{there} in the log does not follow {here}")));
                }
                let position = Position { partition: 0, epoch, sequence: logged.sequence };
                let change = change(position, &logged, self.interner).map_err(Ended::Unusable)?;
                let written_at = logged.written_at;
                self.shared.show_clock(written_at);
                if let Some(append) = self.incoming.push(logged, change) {
                    for (logged, change) in append {
                        self.history.push(logged);
                        changes.push(change);
                    }
                    self.note(Some(written_at));
                }
            }
            LogEntry::Epoch { epoch, sequence, base, digest } => {
                let continues = !self.incoming.is_open()
                    && self.history.mark().is_some_and(|mark| {
                        (mark.epoch, mark.sequence) == base && mark.sequence == sequence && mark.digest == digest
                    });
                if !continues {
                    let here = self.shown();
                    return Err(Ended::Diverged(format!("epoch {epoch} continues {}-{}, not {here}", base.0, base.1)));
                }
                self.history.enter(epoch);
                self.note(None);
                self.shared.trail.note_ends([base]);
                Counters::count(&self.shared.counters.epochs);
            }
        }
        Ok(())
    }

    /// Notes where the history stands.
    fn note(&self, written_at: Option<UtcInstant>) {
        if let Some(mark) = self.history.mark() {
            self.shared.trail.push(mark.clone(), written_at);
        }
    }

    fn shown(&self) -> String {
        self.history.mark().map_or_else(String::new, Mark::id)
    }

    async fn is_same_run(&mut self) -> Result<bool, LinkError> {
        let mut read = cmd("HGET");
        read.arg(META).arg("run");
        let run = self.link.ask(&read).await?;
        Ok(run == Value::BulkString(self.run.as_bytes().to_vec()))
    }
}

/// Whether the log, or the server's head, still has the history at the mark, so that it can be followed on from there.
pub(super) async fn holds(link: &mut Link, history: &History) -> Result<bool, Trouble> {
    let Some(mark) = history.settled() else { return Ok(false) };
    let mut head = cmd("HMGET");
    head.arg(META).arg("epoch").arg("seq").arg("digest");
    let mut fields = Fields::of(link.ask(&head).await?)?;
    let (epoch, sequence, digest) = (fields.number()?, fields.number()?, fields.text()?);
    if (epoch, sequence) == (mark.epoch, mark.sequence) {
        return Ok(digest == mark.digest);
    }
    let mut range = cmd("XRANGE");
    range.arg(LOG).arg(mark.id()).arg("+").arg("COUNT").arg(1);
    let Some(entry) = Fields::of(link.ask(&range).await?)?.next() else { return Ok(false) };
    Ok(match read_entry(entry)? {
        LogEntry::Change { epoch, logged } => {
            let is_it = (epoch, logged.sequence) == (mark.epoch, mark.sequence) && logged.digest == mark.digest;
            is_it || history.precedes(epoch, &logged)
        }
        LogEntry::Epoch { epoch, sequence, base, digest } => {
            let is_it = (epoch, sequence) == (mark.epoch, mark.sequence);
            (is_it || base == (mark.epoch, mark.sequence)) && digest == mark.digest
        }
    })
}

/// A change of the log as the sink takes it.
fn change(position: Position, logged: &Logged, interner: &mut Interner) -> Result<Change, Trouble> {
    let damaged = |problem: String| Trouble::Damaged(problem);
    let key = Key::parse(&logged.key).map_err(|error| damaged(error.to_string()))?;
    let version = logged.version.parse().map_err(|_| damaged(format!("version `{}`", logged.version)))?;
    let body = if logged.image.is_empty() { None } else { Some(codec::decode(&logged.image, interner)) };
    let body = body.transpose().map_err(|error| Trouble::of_record(&error))?;
    Ok(Change { position, key, version, body })
}

/// The entries of an answer to `XREAD`.
fn entries_of_read(reply: Value) -> Result<Vec<Value>, LinkError> {
    let Some(stream) = Fields::of(reply)?.next() else { return Ok(Vec::new()) };
    let mut stream = Fields::of(stream)?;
    stream.next();
    match stream.next() {
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) | None => Err(LinkError::Odd("XREAD")),
    }
}

fn read_entry(entry: Value) -> Result<LogEntry, LinkError> {
    const ODD: LinkError = LinkError::Odd("an entry of the log");
    let mut entry = Fields::of(entry)?;
    let (epoch, sequence) = pair(&entry.text()?, '-').ok_or(ODD)?;
    let mut fields = Fields::of(entry.next().ok_or(ODD)?)?;
    let mut logged = Logged::numbered(sequence);
    let (mut base, mut name, mut told) = (None, None, None);
    while let Some(field) = fields.text_or_nothing()? {
        match field.as_str() {
            "k" => logged.key = fields.text()?,
            "v" => logged.version = fields.text()?,
            "b" => logged.image = fields.bytes()?,
            "d" => logged.digest = fields.text()?,
            "t" => logged.written_at = UtcInstant::from_ms(fields.instant_ms()?),
            "m" => {
                let more = fields.number()?;
                logged.more = usize::try_from(more).ok().filter(|more| *more < APPEND_ENTRIES_MAX).ok_or(ODD)?;
            }
            "q" => name = Some(fields.text()?),
            "o" => told = Some(fields.bytes()?),
            "e" => base = Some(pair(&fields.text()?, ' ').ok_or(ODD)?),
            _ => return Err(ODD),
        }
    }
    logged.outcome = name.zip(told).map(|(name, told)| Arc::new(Outcome { name, told }));
    Ok(match base {
        Some(base) => LogEntry::Epoch { epoch, sequence, base, digest: logged.digest },
        None => LogEntry::Change { epoch, logged },
    })
}

fn pair(text: &str, between: char) -> Option<(u64, u64)> {
    let (first, second) = text.split_once(between)?;
    Some((first.parse().ok()?, second.parse().ok()?))
}
