//! Where state is kept.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;

/// Forms of the address of Redis.
const REDIS_FORMS: &str = "redis://[user[:password]@]host[:port][/db], redis+sentinel://…host[:port],…/service or \
                           redis+cluster://…host[:port],…, rediss for TLS";
/// Most replicas that can be waited for.
const ACK_REPLICAS_MAX: u64 = 16;

/// Where state is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerConfig {
    /// Which ledger keeps it.
    pub kind: LedgerKind,
    /// Memory for pages of the embedded ledger's file, in bytes.
    pub cache_bytes: usize,
}

/// Which ledger keeps state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LedgerKind {
    /// In memory: a restart forgets everything. For trials and tests.
    Memory,
    /// In a file of this folder.
    Embedded {
        /// The folder; made when it is not there.
        data_dir: PathBuf,
    },
    /// In Redis, which many instances share.
    Redis {
        /// Where Redis is, and the credentials to present there.
        url: SecretUrl,
        /// Who else must have a write before it is acknowledged.
        replicas: ReplicasConfig,
    },
}

/// How replicas of Redis count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicasConfig {
    /// How many must have a write before it is acknowledged; `None` for every one that is known.
    pub ack_replicas: Option<u16>,
    /// Whether writes are refused while one is away, instead of asking for one fewer after a while.
    pub refuse_when_away: bool,
    /// How long that while is.
    pub away_after: Duration,
}

/// A URL that may hold a password, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(pub String);

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_credentials(&self.0))
    }
}

/// A text with `***` for the credentials of a URL in it; options of a URL may hold some too, and characters in them that
/// end a host elsewhere. A URL without its scheme, or with a misspelt one, has credentials all the same.
pub(super) fn without_credentials(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None if text.contains('@') => (String::new(), text),
        None => return text.to_owned(),
    };
    if rest.contains('?') {
        return format!("{scheme}***");
    }
    match rest.rsplit_once('@') {
        Some((_, after)) => format!("{scheme}***@{after}"),
        None => text.to_owned(),
    }
}

/// What was asked for, before it is known whether all that it needs was given.
#[derive(Clone, Copy)]
enum Wanted {
    Memory,
    Embedded,
    Redis,
}

impl LedgerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const URL: (&str, &str) = (
            "ledger.url",
            "Address of the Redis that instances share: redis://[user[:password]@]host[:port][/db], rediss:// with TLS, \
             redis+sentinel://…/service or redis+cluster://….",
        );
        const DATA_DIR: (&str, &str) = ("ledger.data_dir", "Folder of the embedded ledger; made when it is not there.");
        let url = reader.optional_secret_text(URL.0, URL.1, |text| {
            let (scheme, _) = text.trim().split_once("://").unwrap_or_default();
            match scheme.split_once('+').unwrap_or((scheme, "cluster")) {
                ("redis" | "rediss", "sentinel" | "cluster") => Ok(SecretUrl(text.trim().to_owned())),
                _ => Err(format!("give {REDIS_FORMS}")),
            }
        });
        reader.unset(URL.0, URL.1);
        // One that is wrong was meant all the same: nothing is missing in its place.
        let is_url_given = url.is_some() || reader.is_wrong(URL.0);
        let default = if is_url_given { ("redis", Wanted::Redis) } else { ("embedded", Wanted::Embedded) };
        let wanted = reader.text(
            "ledger.kind",
            "Where state is kept: embedded (a file of ledger.data_dir), redis (at ledger.url) or memory (lost at every restart).",
            default,
            |text| match text.trim() {
                "embedded" => Ok(Wanted::Embedded),
                "redis" => Ok(Wanted::Redis),
                "memory" => Ok(Wanted::Memory),
                _ => Err("give embedded, redis or memory".to_owned()),
            },
        );
        let data_dir = reader.optional_text(DATA_DIR.0, DATA_DIR.1, |text| match text.trim() {
            "" => Err("give a folder".to_owned()),
            text => Ok(PathBuf::from(text)),
        });
        reader.unset(DATA_DIR.0, DATA_DIR.1);
        let replicas = ReplicasConfig::read(reader);
        let cache_megabytes = reader.number(
            "ledger.cache_megabytes",
            "Memory for pages of the embedded ledger's file, in megabytes.",
            16,
            1..=65_536,
        );
        let kind = match (wanted, data_dir, url) {
            (Wanted::Memory, _, _) => LedgerKind::Memory,
            (Wanted::Redis, _, Some(url)) => LedgerKind::Redis { url, replicas },
            (Wanted::Redis, _, None) => {
                reader.require(URL.0, "missing: give the address of Redis (--ledger), or another ledger.kind");
                LedgerKind::Memory
            }
            (Wanted::Embedded, Some(data_dir), _) => LedgerKind::Embedded { data_dir },
            (Wanted::Embedded, None, _) => {
                let expected = "missing: give the folder of the embedded ledger (--data-dir), the address of Redis \
                                (--ledger), or set ledger.kind to memory";
                reader.require(DATA_DIR.0, expected);
                LedgerKind::Memory
            }
        };
        Self { kind, cache_bytes: usize::try_from(cache_megabytes * 1_024 * 1_024).unwrap_or(usize::MAX) }
    }
}

impl ReplicasConfig {
    fn read(reader: &mut Reader) -> Self {
        let ack_replicas = reader.number_or(
            "ledger.ack_replicas",
            "How many replicas of Redis must have a write before it is acknowledged: all that are known, or a number.",
            "all",
            0..=ACK_REPLICAS_MAX,
        );
        let refuse_when_away = reader.text(
            "ledger.when_replica_away",
            "While a replica is away: reduce (ask for one fewer after a while, and say so in every answer) or refuse writes.",
            ("reduce", false),
            |text| match text.trim() {
                "reduce" => Ok(false),
                "refuse" => Ok(true),
                _ => Err("give reduce or refuse".to_owned()),
            },
        );
        let away_after = reader.number(
            "ledger.replica_away_seconds",
            "For how long a replica must have confirmed nothing before one fewer is asked for.",
            10,
            1..=3_600,
        );
        Self {
            ack_replicas: ack_replicas.map(|count| u16::try_from(count).unwrap_or(u16::MAX)),
            refuse_when_away,
            away_after: Duration::from_secs(away_after),
        }
    }
}
