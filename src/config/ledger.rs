//! Where state is kept.

use std::fmt;
use std::path::PathBuf;

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
        /// How many replicas must have a write before it is acknowledged.
        ack_replicas: u16,
    },
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
/// end a host elsewhere.
pub(super) fn without_credentials(text: &str) -> String {
    let Some((before, rest)) = text.split_once("://") else { return text.to_owned() };
    if rest.contains('?') {
        return format!("{before}://***");
    }
    match rest.rsplit_once('@') {
        Some((_, after)) => format!("{before}://***@{after}"),
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
        let url = reader.optional_text(URL.0, URL.1, |text| {
            let (scheme, _) = text.trim().split_once("://").unwrap_or_default();
            match scheme.split_once('+').unwrap_or((scheme, "cluster")) {
                ("redis" | "rediss", "sentinel" | "cluster") => Ok(SecretUrl(text.trim().to_owned())),
                _ => Err(format!("give {REDIS_FORMS}")),
            }
        });
        reader.unset(URL.0, URL.1);
        let default = if url.is_some() { ("redis", Wanted::Redis) } else { ("embedded", Wanted::Embedded) };
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
        let ack_replicas = reader.number(
            "ledger.ack_replicas",
            "How many replicas of Redis must have a write before it is acknowledged.",
            0,
            0..=ACK_REPLICAS_MAX,
        );
        let cache_megabytes = reader.number(
            "ledger.cache_megabytes",
            "Memory for pages of the embedded ledger's file, in megabytes.",
            16,
            1..=65_536,
        );
        let kind = match (wanted, data_dir, url) {
            (Wanted::Memory, _, _) => LedgerKind::Memory,
            (Wanted::Redis, _, Some(url)) => {
                LedgerKind::Redis { url, ack_replicas: u16::try_from(ack_replicas).unwrap_or_default() }
            }
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
