//! What is not as it should be while the service serves: named, with what to do about it.
//!
//! Invariant: codes are stable. Deliberately absent: what a single call is told, which is an error.

use crate::domain::time::UtcInstant;
use crate::ledger::{Ledger, LedgerHealth, Overview};
use crate::road::RoadHealth;

use super::Service;
use super::limits::LEDGER_CLOCK_AHEAD_MAX_MS;

/// Most instances that a message names.
const INSTANCES_NAMED_MAX: usize = 8;

/// What kind of trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ConditionKind {
    /// Nothing was read from the ledger yet, so nothing but escalations is answered.
    Starting,
    /// The ledger refuses writes; reads go on.
    WritesRefused,
    /// Fewer replicas than configured confirm writes: an acknowledged one survives less.
    DurabilityReduced,
    /// The ledger's clock, by which holds are judged, is ahead of this machine's: holds may be refused.
    LedgerClockAhead,
    /// Nothing is forgotten because the machine's clock may be wrong.
    ClockNotTrusted,
    /// A source that has a lease does not keep it.
    SourceSilent,
    /// Road times are not asked for, because the last tables failed.
    RoadTimesPaused,
    /// Another instance has followed another history to the same position.
    DigestMismatch,
    /// The policies that were put in force cannot be read by this version of the program.
    PolicyUnreadable,
    /// The ledger lost acknowledged claims, of which nobody said yet what became of them.
    ClaimsQuarantined,
}

impl ConditionKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Starting,
        Self::WritesRefused,
        Self::DurabilityReduced,
        Self::LedgerClockAhead,
        Self::ClockNotTrusted,
        Self::SourceSilent,
        Self::RoadTimesPaused,
        Self::DigestMismatch,
        Self::PolicyUnreadable,
        Self::ClaimsQuarantined,
    ];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::WritesRefused => "WRITES_REFUSED",
            Self::DurabilityReduced => "DURABILITY_REDUCED",
            Self::LedgerClockAhead => "LEDGER_CLOCK_AHEAD",
            Self::ClockNotTrusted => "CLOCK_NOT_TRUSTED",
            Self::SourceSilent => "SOURCE_SILENT",
            Self::RoadTimesPaused => "ROAD_TIMES_PAUSED",
            Self::DigestMismatch => "DIGEST_MISMATCH",
            Self::PolicyUnreadable => "POLICY_UNREADABLE",
            Self::ClaimsQuarantined => "CLAIMS_QUARANTINED",
        }
    }

    /// Whether callers are served less than they should be.
    #[must_use]
    pub const fn degrades(self) -> bool {
        match self {
            Self::Starting
            | Self::WritesRefused
            | Self::DurabilityReduced
            | Self::LedgerClockAhead
            | Self::PolicyUnreadable => true,
            Self::ClockNotTrusted
            | Self::SourceSilent
            | Self::RoadTimesPaused
            | Self::DigestMismatch
            | Self::ClaimsQuarantined => false,
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// What kind of trouble it is.
    pub kind: ConditionKind,
    /// What was seen, what follows from it, and what to do.
    pub message: String,
}

impl Service {
    /// Everything that is not as it should be now; nothing when all is well.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let health = self.parts().ledger.health();
        let now = self.parts().clock.now();
        let ahead = ledger_clock_ahead(self.parts().ledger.as_ref(), now);
        let (is_open, refusal, reduction) = (health.is_open, health.refusal.unwrap_or_default(), health.reduction);
        let starting = (!is_open).then(|| {
            format!(
                "the ledger is not read yet, only escalations are answered: {refusal}; it is tried again until it is"
            )
        });
        let refused = (is_open && !refusal.is_empty()).then(|| {
            format!("writes are refused, reads go on: {refusal}; they are accepted again once the cause is gone")
        });
        let doubt = self.shared.clock_doubt.load();
        let doubt = doubt.as_ref().map(|doubt| doubt.as_ref().clone());
        let told = [
            (ConditionKind::Starting, starting),
            (ConditionKind::WritesRefused, refused),
            (ConditionKind::DurabilityReduced, reduction),
            (ConditionKind::LedgerClockAhead, ahead),
            (ConditionKind::ClockNotTrusted, doubt),
            (ConditionKind::SourceSilent, self.silent_sources(now)),
            (ConditionKind::RoadTimesPaused, self.roads().and_then(|roads| roads_paused(&roads.health(now)))),
            (ConditionKind::DigestMismatch, digest_mismatch(&self.parts().ledger.overview())),
            (ConditionKind::PolicyUnreadable, self.policies().load().problem.clone()),
            (ConditionKind::ClaimsQuarantined, self.quarantine_told(now)),
        ];
        told.into_iter().filter_map(|(kind, message)| Some(Condition { kind, message: message? })).collect()
    }

    /// The last instant that the ledger recorded as shown by a steady clock; `None` when it recorded none.
    #[must_use]
    pub fn steady_at(&self) -> Option<UtcInstant> {
        self.parts().ledger.health().steady_at
    }

    /// Notes why the machine's clock is not trusted with forgetting; `None` when it is.
    pub fn doubt_clock(&self, doubt: Option<String>) {
        self.shared.clock_doubt.store(doubt.map(std::sync::Arc::new));
    }
}

/// What to say of instances whose history differs; `None` while none does. One that is silent shows nothing to anybody.
fn digest_mismatch(ledger: &Overview) -> Option<String> {
    let differing = ledger.instances.iter().filter(|instance| instance.differs && !instance.is_silent);
    let differing = differing.map(|instance| instance.instance_id.as_str());
    let differing: Vec<_> = differing.take(INSTANCES_NAMED_MAX).collect();
    (!differing.is_empty()).then(|| {
        format!(
            "another digest than here at the same position: {}; compare with `verify`, and restart the instance that differs \
             from the ledger",
            differing.join(", ")
        )
    })
}

/// What to say of road times that fail; `None` while they are asked for.
fn roads_paused(health: &RoadHealth) -> Option<String> {
    let failure = health.last_failure?;
    health.is_failing.then(|| {
        format!(
            "the last road tables failed ({}): travel is estimated, and the server is asked again now and then; check that it \
             runs, and road_times.url, road_times.engine and road_times.deadline_ms",
            failure.code()
        )
    })
}

/// Whether callers are served less than they should be.
pub(super) fn is_degraded(health: &LedgerHealth, now: UtcInstant) -> bool {
    health.refusal.is_some() || health.reduction.is_some() || !health.is_open || instant_ahead(health, now).is_some()
}

/// What to say of a ledger's clock that is ahead of this machine's; `None` when it is not.
pub(super) fn ledger_clock_ahead(ledger: &dyn Ledger, now: UtcInstant) -> Option<String> {
    let clock_at = instant_ahead(&ledger.health(), now)?;
    let shown = format!("the ledger's clock shows {clock_at} and this machine's {now}");
    let follows = format!("until {clock_at} no slot that ends before can be held, and holds end late");
    Some(match ledger.kind() {
        "redis" => format!(
            "{shown}: mostly this machine's clock is behind; if it is not, the clock of Redis is or was ahead, and the ledger's \
             never goes back: {follows}. Compare with `redis-cli TIME` and set the clock that is wrong; if that of Redis was, \
             wait, or move the state: stop every instance, export, set clockAtMs in the first line to now, import into an empty \
             Redis"
        ),
        _ => format!(
            "{shown}: something was written while a clock was ahead, and the ledger's never goes back; {follows}. Check \
             this machine's clock; if it is right, wait, or move the state: stop, export, set clockAtMs in the first line to \
             now, import into an empty folder"
        ),
    })
}

/// What the ledger's clock shows when it is ahead.
fn instant_ahead(health: &LedgerHealth, now: UtcInstant) -> Option<UtcInstant> {
    health.clock_at.filter(|clock_at| clock_at.ms_since(now) > LEDGER_CLOCK_AHEAD_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Position;
    use crate::ledger::{InstanceView, Standpoint};

    #[test]
    fn an_instance_that_is_silent_is_no_mismatch() {
        let instance = |instance_id: &str, is_silent, differs| InstanceView {
            instance_id: instance_id.to_owned(),
            is_self: false,
            version: String::new(),
            address: String::new(),
            started_at: None,
            durability_class: String::new(),
            standpoint: Standpoint { position: Position::default(), digest: String::new() },
            lag_changes: 0,
            lag_ms: 0,
            heard_at: UtcInstant::from_ms(0),
            is_silent,
            differs,
        };
        let told = |instances| digest_mismatch(&Overview { instances, ..Overview::default() });
        assert_eq!(told(vec![instance("dead", true, true), instance("well", false, false)]), None);
        let told = told(vec![instance("dead", true, true), instance("astray", false, true)]).unwrap();
        assert!(told.contains("astray") && !told.contains("dead"), "{told}");
    }

    #[test]
    fn every_kind_has_a_code_of_its_own() {
        let codes: std::collections::HashSet<_> = ConditionKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ConditionKind::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')));
    }
}
