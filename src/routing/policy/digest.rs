//! What tells two policies of one name apart: a short digest of all that they say.
//!
//! Invariant: equal content, comments aside, gives the same digest on every machine and in every release.
//! Deliberately absent: resistance to forgery; whoever may put a policy in force needs none.

use std::sync::Arc;

use toml::Value;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A name with the digest of a content, for instance `national-2026-3+1a2b3c4d`.
pub(super) fn stamped(name: &str, content: &str) -> Arc<str> {
    // FNV-1a with 64 bits, folded to 32: short enough to be read out on the telephone.
    let digest = content.bytes().fold(OFFSET, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(PRIME));
    Arc::from(format!("{name}+{:08x}", (digest >> 32) ^ (digest & 0xffff_ffff)))
}

/// A form of a value that is the same whenever the value is.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let mut entries: Vec<_> = table.iter().map(|(key, value)| (key, canonical(value))).collect();
            entries.sort();
            let entries: Vec<_> = entries.into_iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
            format!("{{{}}}", entries.join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::String(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(flag) => flag.to_string(),
        Value::Datetime(at) => at.to_string(),
    }
}
