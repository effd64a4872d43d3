//! What can happen in a world: steps of callers, instances, servers and sentinels, and faults.

use super::world::{Rules, SERVERS};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    /// A caller books, and waits for its acknowledgement.
    Write(u8),
    /// The replicas that are asked for have it, and the instance shows it: the caller is told.
    Acknowledge(u8),
    /// An instance applies what its server holds.
    Follow(u8),
    /// An instance asks the sentinels who the primary is.
    Ask(u8),
    /// A replica takes the next entry, or everything.
    Replicate(u8),
    Crash(u8),
    Restart(u8),
    /// These servers (bits) and instance 0 are cut off from the rest.
    Cut(u8),
    Heal,
    /// The sentinels make a replica the primary.
    Promote(u8),
    /// The sentinels tell a server whom to follow.
    Demote(u8),
    /// An instance begins a recovery on its server, or reports to it.
    Prepare(u8),
    /// An instance puts the epoch in force, with what these instances (bits) remember.
    Activate {
        instance: u8,
        reporters: u8,
    },
}

impl Action {
    /// All that might happen, whether or not it can.
    pub(super) fn all(rules: &Rules, actions: &mut Vec<Self>) {
        for instance in 0..2 {
            actions.extend([Self::Write(instance), Self::Acknowledge(instance), Self::Follow(instance)]);
            actions.extend([Self::Ask(instance), Self::Prepare(instance)]);
            let own = 1 << instance;
            actions.extend([own, 3].map(|reporters| Self::Activate { instance, reporters }));
        }
        for server in 0..SERVERS {
            actions.extend([Self::Replicate(server), Self::Crash(server), Self::Restart(server)]);
            actions.extend([Self::Promote(server), Self::Demote(server)]);
        }
        if rules.cuts > 0 {
            actions.extend((1..7).map(Self::Cut));
            actions.push(Self::Heal);
        }
    }
}
