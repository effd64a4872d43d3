//! What servers of a cluster say: which of them is the primary of the ledger's slot, and how many replicas it has.
//!
//! Invariant: of two that claim the slot the one with the greater epoch is taken, which is the cluster's own rule.

use redis::{Pipeline, Value, cmd};

use super::super::Trouble;
use super::super::address::{Host, RedisAddress};
use super::super::keys::{PATTERN, SLOT};
use super::super::link::LinkError;
use super::super::link::reply::Fields;
use super::{Doubts, Replicas, ask_all, is_majority, open_to_ask};

/// Most servers of a cluster that are remembered.
const SERVERS_MAX: usize = 64;

/// The cluster as one of its servers sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// The epoch in which the primary got the slot.
    epoch: u64,
    /// The primary of the ledger's slot.
    pub(super) primary: Host,
    /// Whether the cluster holds it for failed.
    is_failed: bool,
    /// Its replicas.
    pub(super) replicas: Replicas,
    /// All servers that hold slots or follow one that does.
    pub(super) servers: Vec<Host>,
}

/// The cluster as its servers see it together.
pub(super) async fn look(address: &RedisAddress, asked: &[Host], doubts: &Doubts) -> Result<View, Trouble> {
    let ask = |server| ask_view(address.clone(), server);
    let is_enough = |views: &[View]| {
        let newest = views.iter().map(|view| (view.epoch, &view.primary)).max();
        let same = views.iter().filter(|view| Some((view.epoch, &view.primary)) == newest).count();
        is_majority(same, asked.len())
    };
    let views = ask_all(asked, ask, is_enough, doubts).await?;
    // Of equal epochs the view of one that sees more is taken.
    let newest = views.into_iter().max_by_key(|view| (view.epoch, view.replicas.reachable, view.servers.len()));
    let newest = newest.ok_or_else(|| Trouble::NobodyKnows("no server of the cluster answers".to_owned()))?;
    if newest.is_failed {
        return Err(Trouble::NoPrimary(format!("the cluster holds {} for failed", newest.primary)));
    }
    Ok(newest)
}

async fn ask_view(address: RedisAddress, server: Host) -> Result<View, Trouble> {
    let trouble = |error: LinkError| trouble_of(&address, &server, error);
    let mut link = open_to_ask(address.server(&server)).await.map_err(trouble)?;
    let mut both = Pipeline::with_capacity(2);
    let (mut slots, mut nodes) = (cmd("CLUSTER"), cmd("CLUSTER"));
    slots.arg("SLOTS");
    nodes.arg("NODES");
    both.add_command(slots).add_command(nodes);
    let mut replies = link.send(&both).await.map_err(trouble)?.into_iter();
    let mut next = || replies.next().unwrap_or(Err(LinkError::Odd("too few replies")));
    let slots = next().map_err(trouble)?;
    let Value::BulkString(nodes) = next().map_err(trouble)? else { return Err(LinkError::Odd("CLUSTER NODES").into()) };
    let shards = shards_of(slots, &server)?;
    let nodes = String::from_utf8_lossy(&nodes);
    view_of(&shards, &nodes)
}

/// A range of slots with the servers that have it, the primary first.
struct Shard {
    slots: (u64, u64),
    servers: Vec<(String, Host)>,
}

/// What `CLUSTER SLOTS` says; a server that does not know its own address is where it was asked.
fn shards_of(reply: Value, asked: &Host) -> Result<Vec<Shard>, LinkError> {
    let mut ranges = Fields::of(reply)?;
    let mut shards = Vec::new();
    while let Some(range) = ranges.next() {
        let mut range = Fields::of(range)?;
        let slots = (range.number()?, range.number()?);
        let mut servers = Vec::new();
        while let Some(server) = range.next() {
            let mut fields = Fields::of(server)?;
            let name = fields.text_or_nothing()?.filter(|name| !matches!(name.as_str(), "" | "?"));
            let port = u16::try_from(fields.number()?).map_err(|_| LinkError::Odd("a port"))?;
            servers.push((fields.text()?, Host { name: name.unwrap_or_else(|| asked.name.clone()), port }));
        }
        shards.push(Shard { slots, servers });
    }
    Ok(shards)
}

fn view_of(shards: &[Shard], nodes: &str) -> Result<View, Trouble> {
    let unassigned = Trouble::SlotUnassigned { slot: SLOT };
    let ours = shards.iter().find(|shard| (shard.slots.0..=shard.slots.1).contains(&SLOT.into()));
    let Some((id, primary)) = ours.and_then(|shard| shard.servers.first()) else { return Err(unassigned) };
    let mut view = View {
        epoch: 0,
        primary: primary.clone(),
        is_failed: false,
        replicas: Replicas { known: 0, reachable: 0 },
        servers: Vec::new(),
    };
    for line in nodes.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [node, _, flags, follows, _, _, epoch, ..] = fields.as_slice() else { continue };
        let is_failed = flags.split(',').any(|flag| matches!(flag, "fail" | "noaddr"));
        if node == id {
            view.epoch = epoch.parse().unwrap_or_default();
            view.is_failed = is_failed;
        } else if follows == id {
            view.replicas.known = view.replicas.known.saturating_add(1);
            // Most primaries agree that it failed; a link that is down may be on our side.
            let is_reachable = !is_failed;
            view.replicas.reachable = view.replicas.reachable.saturating_add(is_reachable.into());
        }
    }
    for (_, server) in shards.iter().flat_map(|shard| &shard.servers) {
        if !view.servers.contains(server) && view.servers.len() < SERVERS_MAX {
            view.servers.push(server.clone());
        }
    }
    Ok(view)
}

/// What a failed question means.
fn trouble_of(address: &RedisAddress, server: &Host, error: LinkError) -> Trouble {
    match &error {
        LinkError::Said { code, text } => match code.as_str() {
            "NOPERM" => Trouble::Permissions {
                user: address.user().to_owned(),
                missing: "+cluster|slots +cluster|nodes".to_owned(),
                pattern: PATTERN,
            },
            "ERR" if text.contains("cluster support disabled") || text.starts_with("unknown command") => {
                Trouble::NoCluster { server: server.to_string() }
            }
            _ => error.into(),
        },
        LinkError::Lost(_) | LinkError::Untrusted(_) | LinkError::Odd(_) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "\
a1 10.0.0.1:7@17,h1 myself,master - 0 0 3 connected 10923-16383
b2 10.0.0.2:7@17 slave a1 0 1 3 connected
c3 10.0.0.3:7@17 slave,fail a1 0 1 3 disconnected
d4 10.0.0.4:7@17 master,fail - 0 0 1 disconnected
e5 10.0.0.5:7@17 slave d4 0 1 1 connected
";

    fn shard(slots: (u64, u64), id: &str) -> Shard {
        Shard { slots, servers: vec![(id.to_owned(), Host { name: id.to_owned(), port: 7 })] }
    }

    #[test]
    fn the_primary_of_the_slot_is_found_with_its_epoch_and_replicas() {
        let view = view_of(&[shard((0, 10_922), "d4"), shard((10_923, 16_383), "a1")], NODES).unwrap();
        assert_eq!((view.epoch, view.primary.name.as_str(), view.is_failed), (3, "a1", false));
        assert_eq!(view.replicas, Replicas { known: 2, reachable: 1 });
        assert_eq!(view.servers.len(), 2);
        assert!(view_of(&[shard((0, 16_383), "d4")], NODES).unwrap().is_failed);
    }

    #[test]
    fn a_slot_that_nobody_has_is_named() {
        let without = [shard((0, u64::from(SLOT) - 1), "d4"), shard((u64::from(SLOT) + 1, 16_383), "a1")];
        assert_eq!(view_of(&without, NODES), Err(Trouble::SlotUnassigned { slot: SLOT }));
    }
}
