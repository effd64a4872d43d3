//! Makes a server that has begun anew the ledger's again: prepare, give back what it lost, activate a new epoch.
//!
//! Invariant: an epoch begins only after as many replicas as configured know its number, so that no two histories share
//! one; and what is given back is the history of one instance, which saw most of it, never a mixture.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Value, cmd};
use tokio::sync::mpsc;

use super::history::{History, Logged, Mark, Outcome, Remembered};
use super::keys::{
    INSTANCES, LOG, META, NEW_OUTCOMES, NEW_OUTCOMES_BY_TIME, OUTCOMES, OUTCOMES_BY_TIME, RECOVERY, kind_number,
    new_records, records,
};
use super::link::reply::Fields;
use super::link::{Link, LinkError};
use super::replicas::Replicas;
use super::script::Scripts;
use super::shared::Shared;
use super::{LEDGER_FORMAT, RedisOptions, Trouble};
use crate::clock::SharedClock;
use crate::domain::record::{Body, Key, Versioned};
use crate::ledger::ChangeSink;
use crate::ledger::codec;
use crate::ledger::kind::KINDS;

/// How fresh a heartbeat must be for its instance to be waited for, in milliseconds.
const HEARTBEAT_FRESH_MS: u32 = 15_000;
/// How fresh a report must be to count, in milliseconds.
const REPORT_FRESH_MS: u32 = 2_000;
/// Longest pause between two reports.
const REPORT_PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for replicas, in milliseconds.
const REPLICAS_WAITED_MS: u32 = 1_000;
/// Records of one piece that is given back, and changes beyond which no further append is put into it.
const PIECE_MAX: usize = 512;
/// Place of the first kind's records among the keys of the script.
const RECORDS_PLACE: usize = 7;
/// Pieces that wait for the server.
const PIECES_WAITING_MAX: usize = 4;

/// One instance's part in a recovery.
pub(super) struct Recovery<'a> {
    /// The connection.
    pub(super) link: &'a mut Link,
    /// The scripts that the server has.
    pub(super) scripts: &'a Scripts,
    /// How this instance works.
    pub(super) options: &'a RedisOptions,
    /// Who confirms what is written.
    pub(super) replicas: &'a Replicas,
    /// What the callers see.
    pub(super) shared: &'a Shared,
    /// What this instance followed.
    pub(super) history: &'a mut History,
    /// The records that this instance has.
    pub(super) sink: &'a Arc<dyn ChangeSink>,
    /// Identifies this instance.
    pub(super) instance: &'a str,
    /// The deployment whose records this instance has; empty when it has none.
    pub(super) deployment: &'a str,
    /// The clock that the server is told, in tests only.
    pub(super) clock: Option<&'a SharedClock>,
}

/// What the server says.
enum Said {
    Owned,
    Wait { ms: u64 },
    Give { epoch: u64, sequence: u64 },
    Ready { epoch: String },
    Done,
    Stale,
    Broken,
}

impl Recovery<'_> {
    /// Takes part until the ledger is the server's again; whether this instance made it so.
    pub(super) async fn run(&mut self) -> Result<bool, Trouble> {
        let mut has_activated = false;
        loop {
            match self.prepare().await? {
                Said::Owned => return Ok(has_activated),
                Said::Wait { ms } => {
                    tokio::time::sleep(REPORT_PAUSE.min(Duration::from_millis(ms.max(1)))).await;
                }
                Said::Give { epoch, sequence } => self.give(epoch, sequence).await?,
                Said::Ready { epoch } => has_activated = self.activate(&epoch).await?,
                Said::Done | Said::Stale | Said::Broken => {}
            }
        }
    }

    async fn prepare(&mut self) -> Result<Said, Trouble> {
        let mut call = self.call("PREPARE", self.history.settled());
        let window_ms = u64::try_from(self.options.recovery_window.as_millis()).unwrap_or(u64::MAX);
        call.arg(window_ms).arg(HEARTBEAT_FRESH_MS).arg(REPORT_FRESH_MS);
        call.arg(self.history.greatest_epoch());
        let said = read(self.ask_replicated(call).await?)?;
        Ok(said)
    }

    /// Gives back what the server lost: the last changes when they are remembered, otherwise every record.
    async fn give(&mut self, epoch: u64, sequence: u64) -> Result<(), Trouble> {
        if let Some(changes) = self.history.after(epoch, sequence) {
            let count = changes.len();
            let changes: Vec<Logged> = changes.into_iter().cloned().collect();
            if self.give_changes(&changes).await? {
                tracing::warn!(changes = count, "the ledger's server got back what it had lost");
                return Ok(());
            }
            // An epoch whose beginning was lost may have begun again. The server's is gone on with, and what was promised
            // in this one is found missing when all is read anew.
            tracing::warn!(
                epoch,
                "the ledger's server has another history of this epoch, which goes before what was followed here"
            );
            self.history.unsettle();
            return Ok(());
        }
        self.give_all().await
    }

    /// Whether the changes follow what the server has.
    async fn give_changes(&mut self, changes: &[Logged]) -> Result<bool, Trouble> {
        for piece in pieces(changes) {
            let mut call = self.call("CONTINUE", self.history.settled());
            for Logged { sequence, key, version, image, digest, written_at, more, outcome } in piece {
                let place = Key::parse(key).map_or(0, |key| kind_number(&key)) + RECORDS_PLACE;
                call.arg(*sequence).arg(key).arg(version).arg(image.as_slice()).arg(digest).arg(place);
                call.arg(written_at.ms()).arg(*more);
                match outcome.as_deref() {
                    Some(Outcome { name, told }) => call.arg(name).arg(told.as_slice()),
                    None => call.arg("").arg(""),
                };
            }
            match read(self.link.ask(&call).await?)? {
                Said::Broken => return Ok(false),
                Said::Owned | Said::Wait { .. } | Said::Give { .. } | Said::Ready { .. } | Said::Done | Said::Stale => {
                }
            }
        }
        Ok(true)
    }

    /// Gives every record of this instance, as the state at its mark.
    async fn give_all(&mut self) -> Result<(), Trouble> {
        let Some(mark) = self.history.settled().cloned() else { return Ok(()) };
        let begin = self.call("BEGIN", Some(&mark));
        if !self.is_done(&begin).await? {
            return Ok(());
        }
        let (pieces, mut read_out) = mpsc::channel(PIECES_WAITING_MAX);
        let sink = Arc::clone(self.sink);
        let reader = std::thread::Builder::new().name("ledger-salvage".to_owned());
        let reader = reader.spawn(move || {
            let mut piece = Vec::with_capacity(PIECE_MAX);
            sink.records(&mut |record| {
                piece.push(record);
                if piece.len() == PIECE_MAX {
                    // Nobody listens any more when the server is gone; the rest is read for nothing.
                    let _ = pieces.blocking_send(std::mem::take(&mut piece));
                }
            });
            let _ = pieces.blocking_send(piece);
        });
        let reader = reader.map_err(|error| Trouble::Thread(error.to_string()))?;
        let mut count = 0;
        while let Some(piece) = read_out.recv().await {
            count += piece.len();
            let page = self.page(&piece);
            if !self.is_done(&page).await? {
                return Ok(());
            }
        }
        if reader.join().is_err() {
            return Err(Trouble::Damaged("reading the records of memory ended by a panic".to_owned()));
        }
        let outcomes: Vec<_> = self.history.outcomes().cloned().collect();
        for piece in outcomes.chunks(PIECE_MAX) {
            let mut page = self.call("OUTCOMES", Some(&mark));
            for Remembered { epoch, sequence, written_at, outcome } in piece {
                let Outcome { name, told } = outcome.as_ref();
                page.arg(name).arg(written_at.ms()).arg(*epoch).arg(*sequence).arg(told.as_slice());
            }
            if !self.is_done(&page).await? {
                return Ok(());
            }
        }
        let finish = self.call("FINISH", Some(&mark));
        if self.is_done(&finish).await? {
            let outcomes = outcomes.len();
            tracing::warn!(records = count, outcomes, "the ledger's server was given every record anew");
        }
        Ok(())
    }

    fn page(&self, piece: &[Versioned<Body>]) -> Cmd {
        let mut page = self.call("PAGE", self.history.settled());
        for Versioned { version, value } in piece {
            let key = value.key();
            let mut record = format!("{version} ").into_bytes();
            record.extend_from_slice(&codec::encode(value));
            page.arg(kind_number(&key) + RECORDS_PLACE).arg(key.to_string()).arg(record);
        }
        page
    }

    async fn is_done(&mut self, call: &Cmd) -> Result<bool, Trouble> {
        Ok(matches!(read(self.link.ask(call).await?)?, Said::Done))
    }

    async fn activate(&mut self, epoch: &str) -> Result<bool, Trouble> {
        let mut call = self.call("ACTIVATE", self.history.settled());
        let deployment = match self.deployment {
            "" => uuid::Uuid::now_v7().to_string(),
            known => known.to_owned(),
        };
        let now = self.clock.map_or(String::new(), |clock| clock.now().ms().to_string());
        call.arg(epoch).arg(LEDGER_FORMAT).arg(deployment).arg(now);
        let is_done = matches!(read(self.ask_replicated(call).await?)?, Said::Done);
        if is_done {
            tracing::info!(epoch, "a new epoch of the ledger has begun");
        }
        Ok(is_done)
    }

    fn call(&self, what: &str, mark: Option<&Mark>) -> Cmd {
        let mut call = self.scripts.recover.call(2 * (RECORDS_PLACE + KINDS.len()) - 6);
        call.arg(META).arg(LOG).arg(RECOVERY).arg(INSTANCES).arg(OUTCOMES).arg(OUTCOMES_BY_TIME);
        KINDS.iter().for_each(|kind| {
            call.arg(records(kind));
        });
        call.arg(NEW_OUTCOMES).arg(NEW_OUTCOMES_BY_TIME);
        KINDS.iter().for_each(|kind| {
            call.arg(new_records(kind));
        });
        let (epoch, sequence) = mark.map_or((0, 0), |mark| (mark.epoch, mark.sequence));
        let digest = mark.map_or("", |mark| mark.digest.as_str());
        call.arg(what).arg(self.instance).arg(epoch).arg(sequence).arg(digest).arg(self.deployment);
        call
    }

    /// Asks, and makes sure that as many replicas as configured have what was written.
    async fn ask_replicated(&mut self, call: Cmd) -> Result<Value, Trouble> {
        let wanted = self.replicas.asked();
        if wanted == 0 {
            return Ok(self.link.ask(&call).await?);
        }
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(call);
        let mut wait = cmd("WAIT");
        wait.arg(wanted).arg(REPLICAS_WAITED_MS);
        commands.add_command(wait);
        let mut replies = self.link.send(&commands).await?.into_iter();
        let missing = || Trouble::from(LinkError::Odd("too few replies"));
        let reply = replies.next().ok_or_else(missing)??;
        let Value::Int(reached) = replies.next().ok_or_else(missing)?? else {
            return Err(LinkError::Odd("WAIT").into());
        };
        let reached = u64::try_from(reached).unwrap_or_default();
        self.replicas.observe(reached, self.shared);
        if reached >= u64::from(wanted) {
            return Ok(reply);
        }
        Err(Trouble::FewReplicas { reached, wanted })
    }
}

/// Changes in pieces of whole appends: an instance may end between two pieces, and others go on from there.
pub(super) fn pieces(changes: &[Logged]) -> Vec<&[Logged]> {
    let mut pieces = Vec::new();
    let (mut rest, mut length) = (changes, 0);
    for logged in changes {
        length += 1;
        if logged.more == 0 && length >= PIECE_MAX {
            let (piece, others) = rest.split_at(length);
            pieces.push(piece);
            (rest, length) = (others, 0);
        }
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

fn read(value: Value) -> Result<Said, Trouble> {
    let mut fields = Fields::of(value)?;
    Ok(match fields.text()?.as_str() {
        "OWNED" => Said::Owned,
        "OTHER" => {
            let (found, ours) = (fields.text()?, "this service".to_owned());
            return Err(Trouble::OtherDeployment { found, ours });
        }
        "WAIT" => {
            fields.next();
            Said::Wait { ms: fields.number()? }
        }
        "GIVE" => {
            fields.next();
            Said::Give { epoch: fields.number()?, sequence: fields.number()? }
        }
        "READY" => Said::Ready { epoch: fields.text()? },
        "DONE" => Said::Done,
        "STALE" => Said::Stale,
        "BROKEN" => Said::Broken,
        _ => return Err(LinkError::Odd("an unknown word").into()),
    })
}
