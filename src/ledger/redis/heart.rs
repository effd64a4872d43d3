//! Says that this instance lives and how far it has followed, and hears the same of the others: so a recovery knows for whom
//! to wait, and two instances that show different records under one position are found out.
//!
//! Deliberately absent: anything that depends on it for safety of a write; a heartbeat that is missing costs waiting, no more.

pub(super) mod beat;
pub(super) mod trail;

use std::time::Duration;

use redis::{Pipeline, cmd};

use super::Ended;
use super::history::Mark;
use super::keys::{INSTANCES, LOG, META};
use super::link::reply::Fields;
use super::link::{Link, LinkError};
use super::shared::Shared;
use crate::domain::time::UtcInstant;
use crate::ledger::{Counters, InstanceView, Overview, Standpoint};
use beat::{Beat, Identity};

/// How often it says so.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long an instance that no longer does is remembered, in milliseconds: 1 hour.
const REMEMBERED_MS: u64 = 3_600 * 1_000;
/// Most instances that are told of; beyond it the first by name are.
const INSTANCES_MAX: usize = 1_024;

/// The heartbeat of an instance.
pub(super) struct Heart<'a> {
    /// The connection.
    pub(super) link: &'a mut Link,
    /// Identifies the instance.
    pub(super) instance: &'a str,
    /// Who it is.
    pub(super) identity: &'a Identity,
    /// How far it has followed.
    pub(super) shared: &'a Shared,
    /// When it was last seen to have followed everything, by the server.
    caught_up_ms: u64,
}

/// What the server says in the course of a heartbeat.
struct Heard {
    now_ms: u64,
    head: Mark,
}

impl<'a> Heart<'a> {
    /// A heart that has not beaten.
    pub(super) fn new(link: &'a mut Link, instance: &'a str, identity: &'a Identity, shared: &'a Shared) -> Self {
        Self { link, instance, identity, shared, caught_up_ms: 0 }
    }

    /// Beats until the link fails, or until it is found that this instance followed another history than the ledger's.
    pub(super) async fn beat_always(&mut self) -> Ended {
        loop {
            tokio::time::sleep(INTERVAL).await;
            match self.beat().await {
                Ok(true) => {}
                // The others hear nothing of this instance meanwhile.
                Err(error) if error.passes() => {}
                Ok(false) => return Ended::Diverged("other instances have another digest".to_owned()),
                Err(error) => return Ended::Lost(error),
            }
        }
    }

    /// Beats once, and hears the others; whether the ledger's history is still this instance's.
    pub(super) async fn beat(&mut self) -> Result<bool, LinkError> {
        let heard = self.ask().await?;
        let mut instances = self.say_and_hear(&heard).await?;
        let mut is_ours = true;
        for other in instances.iter_mut().filter(|instance| !instance.is_self) {
            let Standpoint { position, digest } = &other.standpoint;
            let own = self.shared.trail.digest_at(*position);
            other.differs = own.is_some_and(|own| !digest.is_empty() && own != *digest);
            let place = (other.instance_id.clone(), position.epoch, position.sequence);
            if other.differs && self.shared.alarmed.lock().insert(place) {
                is_ours &= self.alarm(other, &heard.head).await?;
            }
        }
        // What is no longer said needs not be remembered.
        self.shared.alarmed.lock().retain(|(instance_id, epoch, sequence)| {
            let same = |view: &InstanceView| {
                let position = view.standpoint.position;
                view.differs
                    && view.instance_id == *instance_id
                    && (position.epoch, position.sequence) == (*epoch, *sequence)
            };
            instances.iter().any(same)
        });
        let head = Standpoint { position: heard.head.position(), digest: heard.head.digest };
        let seen_at = UtcInstant::from_ms(i64::try_from(heard.now_ms).unwrap_or_default());
        self.shared.note_overview(Overview {
            head: Some(head),
            seen_at: Some(seen_at),
            instances,
            ..Overview::default()
        });
        Ok(is_ours)
    }

    /// Where the ledger stands, and what time it is there.
    async fn ask(&mut self) -> Result<Heard, LinkError> {
        let mut asked = Pipeline::with_capacity(2);
        asked.add_command(cmd("TIME"));
        let mut head = cmd("HMGET");
        head.arg(META).arg("epoch").arg("seq").arg("digest");
        asked.add_command(head);
        let mut replies = self.link.send(&asked).await?.into_iter();
        let mut reply = || replies.next().unwrap_or(Err(LinkError::Odd("too few replies")));
        let mut time = Fields::of(reply()?)?;
        let now_ms = time.number()? * 1_000 + time.number()? / 1_000;
        let mut head = Fields::of(reply()?)?;
        // A server that was emptied has none; whoever follows it finds that out.
        let epoch = head.text_or_nothing()?.and_then(|epoch| epoch.parse().ok()).unwrap_or_default();
        let sequence = head.text_or_nothing()?.and_then(|sequence| sequence.parse().ok()).unwrap_or_default();
        let digest = head.text_or_nothing()?.unwrap_or_default();
        Ok(Heard { now_ms, head: Mark { epoch, sequence, digest } })
    }

    /// Says how this instance stands, hears how the others do, and forgets those that were not heard for long.
    async fn say_and_hear(&mut self, heard: &Heard) -> Result<Vec<InstanceView>, LinkError> {
        let nothing = (Mark { epoch: 0, sequence: 0, digest: String::new() }, UtcInstant::from_ms(0));
        let (mark, written_at) = self.shared.trail.last().unwrap_or(nothing);
        let lag_changes = heard.head.sequence.saturating_sub(mark.sequence);
        let written_ms = u64::try_from(written_at.ms()).unwrap_or_default();
        if lag_changes == 0 {
            self.caught_up_ms = heard.now_ms;
        }
        // What is missing was written after both: the last that was followed may be of an hour ago in which nothing was.
        let lag_ms = heard.now_ms.saturating_sub(written_ms.max(self.caught_up_ms));
        let durability_class = self.shared.durability().code();
        let (at_ms, identity) = (heard.now_ms, self.identity);
        let line = Beat { at_ms, mark: &mark, lag_changes, lag_ms, durability_class, identity }.line();
        let mut said = Pipeline::with_capacity(2);
        let mut set = cmd("HSET");
        set.arg(INSTANCES).arg(self.instance).arg(line);
        said.add_command(set);
        let mut read = cmd("HGETALL");
        read.arg(INSTANCES);
        said.add_command(read);
        let mut replies = self.link.send(&said).await?.into_iter();
        let mut reply = || replies.next().unwrap_or(Err(LinkError::Odd("too few replies")));
        reply()?;
        let mut lines = Fields::of(reply()?)?;
        let (mut instances, mut gone) = (Vec::new(), Vec::new());
        while let Some(instance) = lines.text_or_nothing()? {
            let line = lines.text()?;
            if heard.now_ms.saturating_sub(beat::instant_ms(&line)) > REMEMBERED_MS {
                gone.push(instance);
            } else {
                let is_self = instance == self.instance;
                instances.push(InstanceView { is_self, ..beat::read(instance, &line, heard.now_ms) });
            }
        }
        if !gone.is_empty() {
            let mut forget = cmd("HDEL");
            forget.arg(INSTANCES).arg(gone);
            self.link.ask(&forget).await?;
        }
        instances.sort_by(|one, other| (one.started_at, &one.instance_id).cmp(&(other.started_at, &other.instance_id)));
        instances.truncate(INSTANCES_MAX);
        Ok(instances)
    }

    /// Says that an instance has another digest at the same position; whether this one has the ledger's.
    async fn alarm(&mut self, other: &InstanceView, head: &Mark) -> Result<bool, LinkError> {
        Counters::count(&self.shared.counters.digest_mismatches);
        let is_ours = self.is_ledgers(head).await?;
        let position = other.standpoint.position;
        tracing::error!(
            reason = "DIGEST_MISMATCH",
            instance.id = %other.instance_id,
            epoch = position.epoch,
            sequence = position.sequence,
            is_ledgers_here = is_ours,
            "two instances have different histories under one position: the one whose history is not the ledger's reads \
             every record anew; if this is said again, restart it"
        );
        Ok(is_ours)
    }

    /// Whether the ledger has this instance's history; where it no longer tells, the follower is to look.
    async fn is_ledgers(&mut self, head: &Mark) -> Result<bool, LinkError> {
        if let Some(own) = self.shared.trail.digest_at(head.position()) {
            return Ok(own == head.digest);
        }
        let Some((mark, _)) = self.shared.trail.last() else { return Ok(true) };
        let mut range = cmd("XRANGE");
        range.arg(LOG).arg(mark.id()).arg(mark.id());
        let Some(entry) = Fields::of(self.link.ask(&range).await?)?.next() else { return Ok(false) };
        let mut entry = Fields::of(entry)?;
        entry.next();
        let Some(fields) = entry.next() else { return Ok(false) };
        let mut fields = Fields::of(fields)?;
        while let Some(name) = fields.text_or_nothing()? {
            let value = fields.bytes()?;
            if name == "d" {
                return Ok(value == mark.digest.as_bytes());
            }
        }
        Ok(false)
    }

    /// Says that this instance ends, so that no recovery waits for it.
    pub(super) async fn stop(&mut self) {
        let mut gone = cmd("HDEL");
        gone.arg(INSTANCES).arg(self.instance);
        if let Err(error) = self.link.ask(&gone).await {
            tracing::debug!(%error, "the end of this instance could not be told");
        }
    }
}
