//! What sentinels say: which server is the primary of a service, and how many replicas it has.
//!
//! Invariant: what more than half of the sentinels of the address say goes before what any of them says first.

use std::collections::BTreeMap;

use redis::{Value, cmd};

use super::super::Trouble;
use super::super::address::{Host, RedisAddress};
use super::super::link::reply::Fields;
use super::super::link::{Link, LinkError};
use super::{Doubts, Replicas, ask_all, is_majority, open_to_ask};

/// A replica that a sentinel knows, and whether it holds it for reachable.
type Replica = (Host, bool);

/// The primary of a service.
pub(super) async fn primary(address: &RedisAddress, service: &str, doubts: &Doubts) -> Result<Host, Trouble> {
    let sentinels = address.hosts();
    let ask = |sentinel| ask_primary(address.clone(), service.to_owned(), sentinel);
    let is_enough = |named: &[Host]| most(named).is_some_and(|(_, count)| is_majority(count, sentinels.len()));
    let named = ask_all(sentinels, ask, is_enough, doubts).await?;
    let (primary, count) = most(&named).ok_or_else(|| Trouble::NobodyKnows("no sentinel answers".to_owned()))?;
    if !is_majority(count, sentinels.len()) {
        tracing::debug!(redis = %address, primary = %primary, sentinels = count, "the sentinels are not at one");
    }
    Ok(primary)
}

/// The replicas of the service's primary: one is reachable unless more than half of the sentinels of the address hold it for
/// away. What fewer than that say may be one side of a partition, and is not taken for an answer.
pub(super) async fn replicas(
    address: &RedisAddress,
    service: &str,
    primary: Option<&Host>,
    doubts: &Doubts,
) -> Result<Replicas, Trouble> {
    let ask = |sentinel| ask_replicas(address.clone(), service.to_owned(), sentinel);
    let said = ask_all(address.hosts(), ask, |_: &[Vec<Replica>]| false, doubts).await?;
    counted(said, primary, address.hosts().len())
}

/// The primary is no replica, though a sentinel that has not heard of its promotion still names it.
fn counted(said: Vec<Vec<Replica>>, primary: Option<&Host>, sentinels: usize) -> Result<Replicas, Trouble> {
    if !is_majority(said.len(), sentinels) {
        return Err(Trouble::NobodyKnows(format!("{} of {sentinels} sentinels answer", said.len())));
    }
    let mut away: BTreeMap<Host, usize> = BTreeMap::new();
    for (replica, is_reachable) in said.into_iter().flatten().filter(|(replica, _)| Some(replica) != primary) {
        *away.entry(replica).or_default() += usize::from(!is_reachable);
    }
    let reachable = away.values().filter(|away| !is_majority(**away, sentinels)).count();
    let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    Ok(Replicas { known: count(away.len()), reachable: count(reachable) })
}

/// The host that is named most often, and how often; of equals the first in order.
fn most(named: &[Host]) -> Option<(Host, usize)> {
    let mut counts: BTreeMap<&Host, usize> = BTreeMap::new();
    for host in named {
        *counts.entry(host).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(host, count)| (host.clone(), count))
}

async fn ask_primary(address: RedisAddress, service: String, sentinel: Host) -> Result<Host, Trouble> {
    let trouble = |error: LinkError| trouble_of(&sentinel, error);
    let mut link = open_to_ask(address.sentinel(&sentinel)).await.map_err(trouble)?;
    let mut ask = cmd("SENTINEL");
    ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&service);
    let reply = link.ask(&ask).await.map_err(trouble)?;
    if reply == Value::Nil {
        return Err(unknown_service(&mut link, service).await);
    }
    let mut fields = Fields::of(reply)?;
    let name = fields.text()?;
    let port = fields.number()?;
    let port = u16::try_from(port).map_err(|_| LinkError::Odd("a port"))?;
    Ok(Host { name, port })
}

async fn unknown_service(link: &mut Link, service: String) -> Trouble {
    let mut ask = cmd("SENTINEL");
    ask.arg("MASTERS");
    let watched = link.ask(&ask).await.and_then(maps_of);
    let names: Vec<String> = watched.unwrap_or_default().iter().filter_map(|map| map.get("name").cloned()).collect();
    let known = if names.is_empty() { "none at all".to_owned() } else { format!("`{}`", names.join("`, `")) };
    Trouble::UnknownService { service, known }
}

async fn ask_replicas(address: RedisAddress, service: String, sentinel: Host) -> Result<Vec<Replica>, Trouble> {
    let trouble = |error: LinkError| trouble_of(&sentinel, error);
    let mut link = open_to_ask(address.sentinel(&sentinel)).await.map_err(trouble)?;
    let mut ask = cmd("SENTINEL");
    ask.arg("REPLICAS").arg(&service);
    let replicas = maps_of(link.ask(&ask).await.map_err(trouble)?)?;
    Ok(replicas.iter().filter_map(replica_of).collect())
}

/// A replica as a sentinel describes it.
fn replica_of(described: &BTreeMap<String, String>) -> Option<Replica> {
    let host = Host { name: described.get("ip")?.clone(), port: described.get("port")?.parse().ok()? };
    let is_down = described.get("flags")?.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"));
    let follows = described.get("master-link-status").is_some_and(|status| status == "ok");
    Some((host, !is_down && follows))
}

/// Arrays of names and values.
fn maps_of(reply: Value) -> Result<Vec<BTreeMap<String, String>>, LinkError> {
    let mut each = Fields::of(reply)?;
    let mut maps = Vec::new();
    while let Some(described) = each.next() {
        let mut fields = Fields::of(described)?;
        let mut map = BTreeMap::new();
        while let Some(name) = fields.text_or_nothing()? {
            map.insert(name, fields.text()?);
        }
        maps.push(map);
    }
    Ok(maps)
}

/// What a failed question means.
fn trouble_of(sentinel: &Host, error: LinkError) -> Trouble {
    let sentinel = sentinel.to_string();
    match &error {
        LinkError::Said { code, text } => match code.as_str() {
            "WRONGPASS" | "NOAUTH" | "NOPERM" => Trouble::SentinelCredentials { sentinel, why: text.clone() },
            "ERR" if text.starts_with("unknown command") => Trouble::NoSentinel { server: sentinel },
            _ => error.into(),
        },
        LinkError::Lost(_) | LinkError::Untrusted(_) | LinkError::Odd(_) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_is_the_one_that_most_name() {
        let host = |port| Host { name: "h".to_owned(), port };
        assert_eq!(most(&[host(2), host(1), host(2)]), Some((host(2), 2)));
        assert_eq!(most(&[host(2), host(1)]), Some((host(1), 1)), "the same on every instance");
        assert_eq!(most(&[]), None);
    }

    #[test]
    fn a_replica_is_away_when_most_sentinels_say_so_and_one_side_of_a_partition_is_not_asked() {
        let replica = |port, is_reachable| (Host { name: "h".to_owned(), port }, is_reachable);
        let says = |second| vec![replica(1, true), replica(2, second)];
        let counted = |said| counted(said, None, 3).map(|Replicas { known, reachable }| (known, reachable));
        assert_eq!(counted(vec![says(false), says(true), says(true)]), Ok((2, 2)));
        assert_eq!(counted(vec![says(false), says(false)]), Ok((2, 1)));
        assert_eq!(counted(vec![says(false), says(true)]), Ok((2, 2)));
        assert!(matches!(counted(vec![says(false)]), Err(Trouble::NobodyKnows(_))));
    }

    #[test]
    fn a_replica_that_does_not_follow_is_not_reachable() {
        let described = |flags: &str, link: &str| {
            let pairs = [("ip", "::1"), ("port", "7"), ("flags", flags), ("master-link-status", link)];
            replica_of(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()).map(|(_, is)| is)
        };
        assert_eq!(described("slave", "ok"), Some(true));
        assert_eq!(described("slave", "err"), Some(false));
        assert_eq!(described("s_down,slave,disconnected", "ok"), Some(false));
    }

    #[test]
    fn a_promoted_server_that_a_sentinel_still_names_is_no_replica() {
        let host = |port| Host { name: "127.0.0.1".to_owned(), port };
        let (old, new, other) = (host(1), host(2), host(3));
        let late = vec![(new.clone(), true), (other.clone(), true)];
        let switched = || vec![(old.clone(), false), (other.clone(), true)];
        let found = counted(vec![late, switched(), switched()], Some(&new), 3).unwrap();
        assert_eq!(found, Replicas { known: 2, reachable: 1 });
    }
}
