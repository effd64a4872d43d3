//! The ledger that was configured, opened and closed.
//!
//! Invariant: what is shown of where it is holds no credentials. Deliberately absent: when it is opened and closed, which the
//! composition root decides.

use std::sync::Arc;

use super::StartError;
use crate::clock::SharedClock;
use crate::config::{LedgerConfig, LedgerKind, ReplicasConfig};
use crate::index::Index;
use crate::ledger::Ledger;
use crate::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use crate::ledger::memory::MemoryLedger;
use crate::ledger::redis::{AckReplicas, Member, RedisAddress, RedisLedger, RedisOptions, WhenReplicaAway};
use crate::service::Applier;

fn redis_options(replicas: &ReplicasConfig) -> RedisOptions {
    let ReplicasConfig { ack_replicas, refuse_when_away, away_after } = *replicas;
    RedisOptions {
        ack_replicas: ack_replicas.map_or(AckReplicas::All, AckReplicas::Count),
        when_replica_away: if refuse_when_away { WhenReplicaAway::Refuse } else { WhenReplicaAway::Reduce },
        replica_away_after: away_after,
        ..RedisOptions::default()
    }
}

/// Where the configured ledger is, for people: its folder, or its address without credentials.
///
/// # Errors
/// When the address is none.
pub(super) fn place(config: &LedgerConfig) -> Result<String, StartError> {
    Ok(match &config.kind {
        LedgerKind::Memory => "memory".to_owned(),
        LedgerKind::Embedded { data_dir } => data_dir.display().to_string(),
        LedgerKind::Redis { url, .. } => RedisAddress::parse(&url.0)?.to_string(),
    })
}

/// The ledger, with the way to close it.
pub(super) enum OpenedLedger {
    Memory(Arc<MemoryLedger>),
    Embedded(Arc<EmbeddedLedger>),
    Redis(Arc<RedisLedger>),
}

impl OpenedLedger {
    /// Opens the configured ledger, which fills the index.
    ///
    /// # Errors
    /// When it cannot be had; the error says what to do.
    pub(super) async fn open(
        config: &LedgerConfig,
        member: Member,
        clock: &SharedClock,
        index: &Arc<Index>,
    ) -> Result<Self, StartError> {
        let (clock, sink) = (Arc::clone(clock), Arc::new(Applier(Arc::clone(index))));
        match &config.kind {
            LedgerKind::Memory => Ok(Self::Memory(Arc::new(MemoryLedger::new(clock, sink)))),
            LedgerKind::Embedded { data_dir } => {
                let options = EmbeddedOptions { cache_bytes: config.cache_bytes, ..EmbeddedOptions::default() };
                let (folder, place) = (data_dir.clone(), place(config)?);
                let open = move || EmbeddedLedger::open(&folder, options, clock, sink);
                let opened = tokio::task::spawn_blocking(open).await;
                Ok(Self::Embedded(Arc::new(opened.map_err(|_| StartError::LedgerTask { place })??)))
            }
            LedgerKind::Redis { url, replicas } => {
                let address = RedisAddress::parse(&url.0)?;
                let options = redis_options(replicas);
                let place = place(config)?;
                let open = move || RedisLedger::open(&address, options, member, sink);
                let opened = tokio::task::spawn_blocking(open).await;
                Ok(Self::Redis(Arc::new(opened.map_err(|_| StartError::LedgerTask { place })??)))
            }
        }
    }

    /// The same for who reads and writes.
    pub(super) fn shared(&self) -> Arc<dyn Ledger> {
        match self {
            Self::Memory(ledger) => Arc::<MemoryLedger>::clone(ledger),
            Self::Embedded(ledger) => Arc::<EmbeddedLedger>::clone(ledger),
            Self::Redis(ledger) => Arc::<RedisLedger>::clone(ledger),
        }
    }

    /// Carries out what waits and closes the store.
    pub(super) async fn close(self) {
        let closed = match self {
            Self::Memory(_) => return,
            Self::Embedded(ledger) => tokio::task::spawn_blocking(move || ledger.close()).await,
            Self::Redis(ledger) => tokio::task::spawn_blocking(move || ledger.close()).await,
        };
        if closed.is_err() {
            tracing::error!("closing the ledger failed");
        }
    }
}
