//! Group commit: what waits goes out as one pipeline, one script call for each append and one `WAIT` behind them.
//!
//! Invariant: an append is told as written only after its reply, after as many replicas as configured have it, and after
//! the sink was told; what was sent and not answered has an unknown outcome.

use redis::{Cmd, Pipeline, Value, cmd};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;

use super::answers::Answers;
use super::keys::{LOG, META, OUTCOMES, OUTCOMES_BY_TIME, kind_number, records, request_name};
use super::link::{Link, LinkError};
use super::replicas::Replicas;
use super::reply::{Fields, Said, Verdict};
use super::script::Scripts;
use super::shared::{Job, Shared};
use super::{Ended, LOG_CHANGES_KEPT, LOG_KEPT_MS};
use crate::clock::{SharedClock, Stopwatch};
use crate::domain::record::{Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::kind::KINDS;
use crate::ledger::queue::Prepared;
use crate::ledger::{
    AppendOutcome, Entry, REQUEST_KEPT_MS, STEADY_RECORDED_AFTER_MS, TRIM_STEP_MAX, Unavailable, Write,
};
use crate::seeded::{Fault, is_awake};
use crate::trace::Attribute;

/// Most appends of a batch.
const BATCH_APPENDS_MAX: usize = 64;
/// Most bytes of a batch before its last append: 1 MiB.
const BATCH_BYTES_MAX: usize = 1_024 * 1_024;
/// Longest pause in which the next append of a batch is waited for.
const GATHER: std::time::Duration = std::time::Duration::from_micros(100);
/// Longest wait for replicas, in milliseconds.
const REPLICAS_WAITED_MS: u32 = 1_000;
/// First words of refusals of a server that has written nothing and must be looked at anew.
const LASTING: [&str; 10] =
    ["NOSCRIPT", "READONLY", "LOADING", "BUSY", "MASTERDOWN", "NOPERM", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN"];

type Waiting = (Prepared, oneshot::Sender<AppendOutcome>);

/// One reply to each call, and how many replicas have what was written, when any is waited for.
type Exchanged = (Vec<Result<Value, LinkError>>, Option<u64>);

/// The writer of one session.
pub(super) struct Writer<'a> {
    /// Its connection.
    pub(super) link: Link,
    /// The scripts that the server has.
    pub(super) scripts: &'a Scripts,
    /// Who confirms what is written.
    pub(super) replicas: &'a Replicas,
    /// The clock that the server is told, in tests only.
    pub(super) clock: Option<&'a SharedClock>,
    /// What the callers see.
    pub(super) shared: &'a Shared,
    /// Outcomes that wait for the sink.
    pub(super) answers: &'a Answers,
    /// How many appends the batch before had.
    pub(super) last_batch: usize,
}

impl Writer<'_> {
    /// Writes what comes, until the link fails, the server has begun anew, or the ledger closes.
    pub(super) async fn run(&mut self, jobs: &mut Receiver<Job>) -> Ended {
        loop {
            self.answers.have_room().await;
            let Some(job) = jobs.recv().await else { return self.close().await };
            let mut batch = Vec::new();
            let next = self.collect(job, jobs, &mut batch).await;
            if !batch.is_empty()
                && let Err(ended) = self.write(batch).await
            {
                // What was taken out of the queue behind the batch is not lost without a word.
                if let Some(job) = next {
                    job.refuse(&self.shared.room, Unavailable::Refused(ended.to_string()));
                }
                return ended;
            }
            match next {
                Some(Job::Trim { steady_at, answer }) => {
                    if let Err(ended) = self.trim(steady_at, answer).await {
                        return ended;
                    }
                }
                Some(Job::Close) => return self.close().await,
                Some(Job::Append { .. }) | None => {}
            }
        }
    }

    /// Takes what waits, up to a full batch or a job that is no append; that job is returned.
    ///
    /// Callers that were answered together ask again together, a moment later: a batch that is smaller than the one
    /// before waits that moment; a lone caller never does.
    async fn collect(&mut self, first: Job, jobs: &mut Receiver<Job>, batch: &mut Vec<Waiting>) -> Option<Job> {
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(Job::Append { mut prepared, answer }) = next {
            prepared.trail.taken();
            self.shared.room.release(prepared.bytes);
            bytes += prepared.bytes;
            batch.push((prepared, answer));
            if batch.len() >= BATCH_APPENDS_MAX || bytes >= BATCH_BYTES_MAX {
                next = None;
                break;
            }
            next = jobs.try_recv().ok();
            let paused = Stopwatch::start();
            while next.is_none() && batch.len() < self.last_batch && paused.elapsed() < GATHER {
                tokio::task::yield_now().await;
                next = jobs.try_recv().ok();
            }
        }
        self.last_batch = batch.len();
        next
    }

    async fn write(&mut self, batch: Vec<Waiting>) -> Result<(), Ended> {
        let clock = self.clock.map(|clock| clock.now());
        let asked = self.replicas.asked();
        let calls = batch.iter().map(|(prepared, _)| self.call(prepared, clock)).collect();
        let (replies, reached) = match self.exchange(calls, asked).await {
            Ok(exchanged) => exchanged,
            Err(lost) => {
                self.shared.refuse(&lost.to_string());
                for (_, answer) in batch {
                    // Whoever no longer waits needs no answer.
                    let _ = answer.send(lost_outcome(&lost));
                }
                return Err(Ended::Lost(lost));
            }
        };
        if let Some(reached) = reached {
            self.replicas.observe_in_session(reached, self.shared);
        }
        let missed = reached.filter(|reached| *reached < u64::from(asked) && !is_awake(Fault::AckWithoutWait));
        let missed = missed.map(|reached| (reached, asked));
        let mut result = Ok(());
        let figures = [(Attribute::BATCH, replies.len().into()), (Attribute::REPLICAS, usize::from(asked).into())];
        for ((mut prepared, answer), reply) in batch.into_iter().zip(replies) {
            prepared.trail.stored(&figures);
            if let Err(ended) = self.judge(&prepared, answer, reply, missed) {
                result = Err(ended);
            }
        }
        result
    }

    /// The replies to calls, and how many replicas have what was written; `None` when none is waited for.
    async fn exchange(&mut self, calls: Vec<Cmd>, asked: u16) -> Result<Exchanged, LinkError> {
        let (mut replies, mut count) = self.send(&calls, asked).await?;
        let is_forgotten =
            |reply: &Result<Value, LinkError>| reply.as_ref().is_err_and(|error| error.code() == "NOSCRIPT");
        // A server that was told to forget its scripts has not run these calls.
        let forgotten: Vec<bool> = replies.iter().map(is_forgotten).collect();
        if forgotten.contains(&true) {
            self.link.load(self.scripts).await?;
            let again: Vec<Cmd> =
                calls.into_iter().zip(&forgotten).filter(|(_, forgotten)| **forgotten).map(|(call, _)| call).collect();
            let (again, reached) = self.send(&again, asked).await?;
            let places = replies.iter_mut().zip(forgotten).filter(|(_, forgotten)| *forgotten);
            places.zip(again).for_each(|((place, _), reply)| *place = reply);
            count = count.zip(reached).map(|(first, second)| first.min(second));
        }
        Ok((replies, count))
    }

    async fn send(&mut self, calls: &[Cmd], asked: u16) -> Result<Exchanged, LinkError> {
        let mut commands = Pipeline::with_capacity(calls.len() + 1);
        calls.iter().for_each(|call| {
            commands.add_command(call.clone());
        });
        if asked == 0 {
            return Ok((self.link.send(&commands).await?, None));
        }
        let mut wait = cmd("WAIT");
        wait.arg(asked).arg(REPLICAS_WAITED_MS);
        commands.add_command(wait);
        let mut replies = self.link.send(&commands).await?;
        let Some(Ok(Value::Int(count))) = replies.pop() else { return Err(LinkError::Odd("WAIT")) };
        Ok((replies, Some(u64::try_from(count).unwrap_or_default())))
    }

    /// Tells the outcome of one append, once the sink has been told as much as it was judged by.
    fn judge(
        &self,
        prepared: &Prepared,
        answer: oneshot::Sender<AppendOutcome>,
        reply: Result<Value, LinkError>,
        missed: Option<(u64, u16)>,
    ) -> Result<(), Ended> {
        let said = match reply.and_then(Said::read) {
            Ok(said) => said,
            Err(error) => {
                let passes = error.passes();
                let outcome = match passes || LASTING.contains(&error.code()) {
                    true => AppendOutcome::Unavailable(Unavailable::Refused(format!("Redis says {error}"))),
                    false => unknown(format!("Redis says {error}")),
                };
                // Whoever no longer waits needs no answer.
                let _ = answer.send(outcome);
                return if passes { Ok(()) } else { Err(Ended::Lost(error)) };
            }
        };
        self.shared.show_clock(said.now);
        if said.verdict == Verdict::Fenced {
            // Said before it is answered, so that whoever asks again is refused at once.
            self.shared.refuse(&Ended::Fenced.to_string());
            // Whoever no longer waits needs no answer.
            let _ = answer.send(outcome_of(said, prepared));
            return Err(Ended::Fenced);
        }
        let is_positive = matches!(said.verdict, Verdict::Appended | Verdict::Replayed { .. });
        let head = said.head.sequence;
        let outcome = match missed.filter(|_| is_positive) {
            Some((reached, asked)) => {
                unknown(format!("written, but only {reached} of {asked} replicas confirmed it in time"))
            }
            None => outcome_of(said, prepared),
        };
        self.answers.tell(head, outcome, answer);
        Ok(())
    }

    /// The script call of an append.
    fn call(&self, prepared: &Prepared, clock: Option<UtcInstant>) -> Cmd {
        let Prepared { append, images, bytes: _, trail: _ } = prepared;
        let mut kinds: Vec<usize> = append.entries.iter().map(|entry| kind_number(&entry.key)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let mut call = self.scripts.append.call(4 + kinds.len());
        call.arg(META).arg(LOG).arg(OUTCOMES).arg(OUTCOMES_BY_TIME);
        for kind in &kinds {
            call.arg(records(KINDS.get(*kind).copied().unwrap_or_default()));
        }
        let guarded = |_: &UtcInstant| !is_awake(Fault::LocalClockOnly);
        let not_before = append.entries.iter().filter_map(|entry| entry.not_before).max().filter(guarded);
        let not_after = append.entries.iter().filter_map(|entry| entry.not_after).min().filter(guarded);
        call.arg(instant(clock)).arg(instant(not_before)).arg(instant(not_after));
        match append.request.as_ref().filter(|_| !is_awake(Fault::RequestIdIgnored)) {
            Some(request) => {
                call.arg(request_name(request)).arg(&request.fingerprint.0[..]).arg(&request.result[..]);
            }
            None => {
                call.arg("").arg("").arg("");
            }
        }
        call.arg(REQUEST_KEPT_MS).arg(LOG_CHANGES_KEPT);
        for (entry, image) in append.entries.iter().zip(images) {
            let Entry { key, expected_version, not_before: _, not_after: _, write } = entry;
            let kind = kind_number(key);
            let place = 5 + kinds.iter().position(|known| *known == kind).unwrap_or_default();
            let version = match write {
                Write::Put(_) => (expected_version + 1).to_string(),
                Write::Remove if *expected_version > 0 => (expected_version + 1).to_string(),
                Write::Remove | Write::Check => String::new(),
            };
            call.arg(place).arg(key.to_string()).arg(*expected_version).arg(version).arg(image.as_slice());
        }
        call
    }

    async fn trim(
        &mut self,
        steady_at: UtcInstant,
        answer: oneshot::Sender<Result<usize, Unavailable>>,
    ) -> Result<(), Ended> {
        let mut call = self.scripts.trim.call(4);
        call.arg(META).arg(LOG).arg(OUTCOMES).arg(OUTCOMES_BY_TIME);
        call.arg(instant(self.clock.map(|clock| clock.now()))).arg(steady_at.ms()).arg(STEADY_RECORDED_AFTER_MS);
        call.arg(TRIM_STEP_MAX).arg(REQUEST_KEPT_MS).arg(LOG_KEPT_MS);
        match self.link.ask(&call).await.and_then(Trimmed::read) {
            Ok(Some(Trimmed { count, steady_at })) => {
                self.shared.note_steady(Some(steady_at));
                // Whoever no longer waits needs no answer.
                let _ = answer.send(Ok(count));
                Ok(())
            }
            Ok(None) => {
                let _ = answer.send(Err(Unavailable::Refused(Ended::Fenced.to_string())));
                Err(Ended::Fenced)
            }
            Err(error) if error.passes() => {
                let _ = answer.send(Err(Unavailable::Refused(format!("Redis says {error}"))));
                Ok(())
            }
            Err(error) => {
                let _ = answer.send(Err(Unavailable::OutcomeUnknown(error.to_string())));
                Err(Ended::Lost(error))
            }
        }
    }

    /// Everything before is answered once the sink has been told.
    async fn close(&self) -> Ended {
        // Whoever is not told by then hears that the outcome is unknown.
        let _ = tokio::time::timeout(super::CLOSE_TIMEOUT, self.answers.are_told()).await;
        Ended::Closing
    }
}

/// What the script says of a trim; nothing when the server has begun anew.
struct Trimmed {
    count: usize,
    steady_at: UtcInstant,
}

impl Trimmed {
    fn read(value: Value) -> Result<Option<Self>, LinkError> {
        let mut fields = Fields::of(value)?;
        if fields.text()? == "F" {
            return Ok(None);
        }
        let (_, _, _) = (fields.number()?, fields.number()?, fields.instant_ms()?);
        let count = usize::try_from(fields.number()?).map_err(|_| LinkError::Odd("a count"))?;
        Ok(Some(Self { count, steady_at: UtcInstant::from_ms(fields.instant_ms()?) }))
    }
}

fn outcome_of(said: Said, prepared: &Prepared) -> AppendOutcome {
    let Said { head, now, verdict } = said;
    match verdict {
        Verdict::Appended => AppendOutcome::Appended { position: head },
        Verdict::Conflict { entry, record } => {
            let Some(entry) = prepared.append.entries.get(entry) else {
                return unknown("Redis names an entry that is not there".to_owned());
            };
            let decoded = record.map(|(version, image)| {
                let value = codec::decode(&image, &mut Interner::new())?;
                Ok::<_, codec::DecodeError>(Versioned { version, value })
            });
            match decoded.transpose() {
                Ok(current) => AppendOutcome::Conflict { key: entry.key.clone(), current },
                Err(error) => AppendOutcome::Unavailable(Unavailable::Refused(error.to_string())),
            }
        }
        Verdict::OutOfTime => AppendOutcome::OutOfTime { now },
        Verdict::Replayed { position, result } => AppendOutcome::Replayed { result: result.into(), position },
        Verdict::RequestIdReused => AppendOutcome::RequestIdReused,
        Verdict::Fenced => AppendOutcome::Unavailable(Unavailable::Refused(Ended::Fenced.to_string())),
    }
}

/// What is told of an append that was sent and not answered.
fn lost_outcome(lost: &LinkError) -> AppendOutcome {
    if is_awake(Fault::LostToldAsWritten) {
        return AppendOutcome::Appended { position: Position::default() };
    }
    if is_awake(Fault::LostToldAsRefused) {
        return AppendOutcome::Unavailable(Unavailable::Refused(lost.to_string()));
    }
    unknown(format!("Redis did not answer: {lost}"))
}

fn unknown(why: String) -> AppendOutcome {
    AppendOutcome::Unavailable(Unavailable::OutcomeUnknown(why))
}

fn instant(at: Option<UtcInstant>) -> String {
    at.map_or(String::new(), |at| at.ms().to_string())
}
