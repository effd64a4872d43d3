//! Names of the keys: all with one hash tag, so that a cluster keeps them on one shard and one script may touch them all.

use crate::domain::record::Key;
use crate::ledger::Request;
use crate::ledger::kind::KINDS;

/// Pattern of all keys, as an access list names it.
pub(super) const PATTERN: &str = "sas:{0}:*";
/// The slot of a cluster in which all keys are, which the tag `{0}` decides (`CLUSTER KEYSLOT`).
pub(super) const SLOT: u16 = 13_907;
/// How the ledger stands: a hash.
pub(super) const META: &str = "sas:{0}:m";
/// The changes in order: a stream with ids `<epoch>-<sequence>`.
pub(super) const LOG: &str = "sas:{0}:log";
/// Outcomes of requests: a hash by the name of the request.
pub(super) const OUTCOMES: &str = "sas:{0}:q";
/// Names of requests by the instant since which their outcome is kept: a sorted set.
pub(super) const OUTCOMES_BY_TIME: &str = "sas:{0}:qt";
/// A recovery under way: a hash.
pub(super) const RECOVERY: &str = "sas:{0}:rec";
/// Heartbeats of instances: a hash by instance.
pub(super) const INSTANCES: &str = "sas:{0}:i";

/// The hash that keeps the records of a kind.
pub(super) fn records(kind: &str) -> String {
    format!("sas:{{0}}:r:{kind}")
}

/// The hash in which a whole state of a kind is put together before it takes its place.
pub(super) fn new_records(kind: &str) -> String {
    format!("sas:{{0}}:new:{kind}")
}

/// The place of a record's kind among all kinds.
pub(super) fn kind_number(key: &Key) -> usize {
    let kind = match key {
        Key::Territory(_) => "territory",
        Key::Place(_) => "place",
        Key::Practitioner(_) => "practitioner",
        Key::Source(_) => "source",
        Key::Schedule(_) => "schedule",
        Key::EmergencySite(_) => "emergency",
        Key::Slot(_) => "slot",
        Key::Case(_) => "case",
        Key::Orientation(_) => "orientation",
        Key::Tally(_) => "tally",
        Key::Policy => "policy",
    };
    KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len())
}

/// The name under which a request's outcome is kept; no two principals, ids and parts share one, since lengths stand first.
pub(super) fn request_name(request: &Request) -> String {
    let Request { principal, request_id, part, fingerprint: _, result: _ } = request;
    let principal = principal.as_str();
    format!("{part}:{}:{principal}:{}", principal.len(), request_id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::codec::samples;

    #[test]
    fn every_kind_has_a_place_where_its_keys_say() {
        for (_, body) in samples::all() {
            let key = body.key();
            let kind = KINDS[kind_number(&key)];
            assert!(key.to_string().starts_with(&format!("{kind}:")), "{key}");
        }
    }
}
