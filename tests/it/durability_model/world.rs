//! A primary, two replicas, the sentinels that name the primary, and two instances whose callers want the same slot.
//!
//! A server keeps what it wrote over a crash (AOF, fsync always) and is another incarnation after it, as after a promotion.
//! Replicas follow their primary entry by entry, or copy it whole when their histories differ. A cut separates some servers
//! and instance 0 from the others, the sentinels and instance 1; each side goes on with what it knows. A recovery is that of
//! decision 27, and any instance may be too late for its window.

mod sameness;

use super::action::Action;
use super::history::{Entry, Head, History, NOBODY};

/// Servers.
pub(super) const SERVERS: u8 = 3;

/// Settings and faults.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// On how many replicas a write must be to be acknowledged.
    pub(super) ack_replicas: u8,
    /// How many servers crash at most.
    pub(super) crashes: u8,
    /// How often the network is cut at most.
    pub(super) cuts: u8,
    /// Whether a recovery prepares an epoch, on as many replicas, before it activates it.
    pub(super) two_phases: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Server {
    is_up: bool,
    /// Whom it follows; nobody when it takes itself for the primary.
    follows: u8,
    history: History,
}

/// How far a caller has come. One that is refused asks again, as one does that heard nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    Wishes,
    /// Its instance wrote to its server, which had so many entries then, and waits.
    Waits(u32),
    Acknowledged,
}

/// An instance of the service with a caller.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Instance {
    /// The server that it takes for the primary.
    server: u8,
    step: Step,
    /// The epoch that it followed last.
    epoch: u8,
    /// Whose the slot was then.
    booked: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct World {
    servers: [Server; 3],
    instances: [Instance; 2],
    /// Whom the sentinels name.
    primary: u8,
    /// Servers beyond the cut; 0 when there is none.
    cut: u8,
    crashes: u8,
    cuts: u8,
}

impl World {
    pub(super) fn new(rules: &Rules) -> Self {
        let server = |follows| Server { is_up: true, follows, history: History::new() };
        let instance = Instance { server: 0, step: Step::Wishes, epoch: 1, booked: NOBODY };
        Self {
            servers: [server(NOBODY), server(0), server(0)],
            instances: [instance; 2],
            primary: 0,
            cut: 0,
            crashes: rules.crashes,
            cuts: rules.cuts,
        }
    }

    /// Whether somebody was told that the slot is theirs, in a later epoch than the first.
    pub(super) fn is_acknowledged_after_recovery(&self) -> bool {
        self.instances.iter().any(|instance| instance.step == Step::Acknowledged && instance.epoch > 1)
    }

    pub(super) fn is_booked_twice(&self) -> bool {
        self.instances.iter().all(|instance| instance.step == Step::Acknowledged)
    }

    /// Whether the primary that the sentinels name may be written to, and lacks what somebody was told.
    pub(super) fn has_lost_what_was_acknowledged(&self) -> bool {
        let is_told = |number: usize| self.instances[number].step == Step::Acknowledged;
        if !(is_told(0) || is_told(1)) || !self.is_in_charge(self.primary) {
            return false;
        }
        let kept = self.server(self.primary).history.head().booked;
        (is_told(0) && kept != 0) || (is_told(1) && kept != 1)
    }

    /// Carries an action out; false when it cannot happen now or changes nothing.
    pub(super) fn take(&mut self, rules: &Rules, action: Action) -> bool {
        let happens = match action {
            Action::Write(instance) => self.write(instance),
            Action::Acknowledge(instance) => self.acknowledge(rules, instance),
            Action::Follow(instance) => self.follow(instance),
            Action::Ask(instance) => self.ask(instance),
            Action::Replicate(server) => self.replicate(server),
            Action::Crash(server) => self.crash(server),
            Action::Restart(server) => self.restart(server),
            Action::Cut(beyond) => self.begin_cut(beyond),
            Action::Heal => std::mem::take(&mut self.cut) != 0,
            Action::Promote(server) => self.promote(server),
            Action::Demote(server) => self.demote(server),
            Action::Prepare(instance) => self.prepare(rules, instance),
            Action::Activate { instance, reporters } => self.activate(rules, instance, reporters),
        };
        if happens {
            self.forget_what_all_have();
            self.name_servers();
        }
        happens
    }

    fn server(&self, number: u8) -> &Server {
        &self.servers[usize::from(number)]
    }

    fn server_mut(&mut self, number: u8) -> &mut Server {
        &mut self.servers[usize::from(number)]
    }

    fn instance(&mut self, number: u8) -> &mut Instance {
        &mut self.instances[usize::from(number)]
    }

    fn is_beyond(&self, server: u8) -> bool {
        self.cut & (1 << server) != 0
    }

    /// Whether the fence lets this server be written to.
    fn is_in_charge(&self, number: u8) -> bool {
        let server = self.server(number);
        server.is_up && server.follows == NOBODY && server.history.head().owner == number
    }

    /// The server of an instance, when it answers and takes itself for the primary.
    fn server_of(&self, instance: u8) -> Option<u8> {
        let number = self.instances[usize::from(instance)].server;
        let reaches = self.cut == 0 || self.is_beyond(number) == (instance == 0);
        let server = self.server(number);
        (reaches && server.is_up && server.follows == NOBODY).then_some(number)
    }

    fn writable_server_of(&self, instance: u8) -> Option<u8> {
        self.server_of(instance).filter(|number| self.is_in_charge(*number))
    }

    fn fenced_server_of(&self, instance: u8) -> Option<u8> {
        self.server_of(instance).filter(|number| !self.is_in_charge(*number))
    }

    /// On how many replicas the first entries of a server's history are.
    fn copies(&self, number: u8, length: u32) -> u8 {
        let prefix = self.server(number).history.first(length);
        let mut count = 0;
        for other in 0..SERVERS {
            let replica = self.server(other);
            let follows = other != number && replica.is_up && replica.follows == number;
            let is_linked = self.is_beyond(other) == self.is_beyond(number);
            count += u8::from(follows && is_linked && replica.history.starts_with(prefix));
        }
        count
    }

    fn write(&mut self, instance: u8) -> bool {
        let Some(number) = self.writable_server_of(instance) else { return false };
        if self.instance(instance).step != Step::Wishes {
            return false;
        }
        let history = &mut self.server_mut(number).history;
        let booked = history.head().booked;
        if booked == NOBODY {
            history.push(Entry::Booked { caller: instance });
        } else if booked != instance {
            return false;
        }
        let length = history.len();
        self.instance(instance).step = Step::Waits(length);
        true
    }

    fn acknowledge(&mut self, rules: &Rules, instance: u8) -> bool {
        let Some(number) = self.writable_server_of(instance) else { return false };
        let Step::Waits(length) = self.instance(instance).step else { return false };
        if self.copies(number, length) < rules.ack_replicas {
            return false;
        }
        self.follow(instance);
        self.instance(instance).step = Step::Acknowledged;
        true
    }

    fn follow(&mut self, instance: u8) -> bool {
        let Some(number) = self.writable_server_of(instance) else { return false };
        let Head { epoch, booked, .. } = self.server(number).history.head();
        let known = self.instance(instance);
        let happens = (known.epoch, known.booked) != (epoch, booked);
        (known.epoch, known.booked) = (epoch, booked);
        happens
    }

    fn ask(&mut self, instance: u8) -> bool {
        let hears = self.cut == 0 || instance == 1;
        let primary = self.primary;
        let happens = hears && self.instance(instance).server != primary;
        if happens {
            self.end_sessions(self.instances[usize::from(instance)].server, 1 << instance);
            self.instance(instance).server = primary;
        }
        happens
    }

    /// Whoever of these (bits) waits for a server hears nothing any more, and asks again.
    fn end_sessions(&mut self, server: u8, whose: u8) {
        for (number, instance) in self.instances.iter_mut().enumerate() {
            let is_concerned = whose & (1 << number) != 0 && instance.server == server;
            if is_concerned && matches!(instance.step, Step::Waits(_)) {
                instance.step = Step::Wishes;
            }
        }
    }

    fn replicate(&mut self, number: u8) -> bool {
        let Server { is_up, follows: primary, history: own } = *self.server(number);
        if primary == NOBODY || !is_up || self.is_beyond(number) != self.is_beyond(primary) {
            return false;
        }
        let Server { is_up, follows: _, history: theirs } = *self.server(primary);
        if !is_up || own == theirs {
            return false;
        }
        let next = if theirs.starts_with(own) { theirs.first(own.len() + 1) } else { theirs };
        self.server_mut(number).history = next;
        true
    }

    fn crash(&mut self, number: u8) -> bool {
        let happens = self.crashes > 0 && self.server(number).is_up;
        if happens {
            self.crashes -= 1;
            self.server_mut(number).is_up = false;
            self.begin_incarnation(number);
            self.end_sessions(number, 3);
        }
        happens
    }

    fn restart(&mut self, number: u8) -> bool {
        !std::mem::replace(&mut self.server_mut(number).is_up, true)
    }

    /// What was put in force or prepared on a server was so on another one than it is now.
    fn begin_incarnation(&mut self, number: u8) {
        for server in &mut self.servers {
            server.history.rename(|owner| if owner == number { NOBODY } else { owner });
        }
    }

    fn begin_cut(&mut self, beyond: u8) -> bool {
        let happens = self.cuts > 0 && self.cut == 0;
        if happens {
            self.cuts -= 1;
            self.cut = beyond;
        }
        happens
    }

    /// The sentinels see the primary down; they promote the replica that they see farthest.
    fn promote(&mut self, chosen: u8) -> bool {
        let is_seen = |world: &Self, number: u8| {
            number != world.primary && world.server(number).is_up && !world.is_beyond(number)
        };
        let is_gone = !self.server(self.primary).is_up || self.is_beyond(self.primary);
        let length = |number: u8| self.server(number).history.len();
        let is_passed = (0..SERVERS).any(|other| is_seen(self, other) && length(other) > length(chosen));
        if !is_gone || !is_seen(self, chosen) || is_passed {
            return false;
        }
        for other in (0..SERVERS).filter(|other| *other != chosen) {
            if is_seen(self, other) {
                self.server_mut(other).follows = chosen;
                self.end_sessions(other, 3);
            }
        }
        self.primary = chosen;
        self.server_mut(chosen).follows = NOBODY;
        self.begin_incarnation(chosen);
        true
    }

    fn demote(&mut self, number: u8) -> bool {
        let is_seen = self.server(number).is_up && !self.is_beyond(number);
        let happens = is_seen && number != self.primary && self.server(number).follows != self.primary;
        if happens {
            let primary = self.primary;
            self.server_mut(number).follows = primary;
            self.end_sessions(number, 3);
        }
        happens
    }

    fn prepare(&mut self, rules: &Rules, instance: u8) -> bool {
        let Some(number) = self.fenced_server_of(instance).filter(|_| rules.two_phases) else { return false };
        let known = self.instance(instance).epoch;
        let history = &mut self.server_mut(number).history;
        let head = history.head();
        let is_enough = head.prepared.is_some_and(|(epoch, owner, _)| owner == number && epoch > known);
        if !is_enough {
            history.push(Entry::Prepared { epoch: 1 + head.greatest.max(known), owner: number });
        }
        !is_enough
    }

    fn activate(&mut self, rules: &Rules, instance: u8, reporters: u8) -> bool {
        let Some(number) = self.fenced_server_of(instance) else { return false };
        let reports = |who: u8| reporters & (1 << who) != 0;
        if !(0..2).all(|who| !reports(who) || self.server_of(who) == Some(number)) {
            return false;
        }
        let head = self.server(number).history.head();
        let marks = [0, 1].map(|who| {
            let Instance { epoch, booked, .. } = self.instances[usize::from(who)];
            if reports(who) { (epoch, u8::from(booked != NOBODY), booked) } else { (0, 0, NOBODY) }
        });
        let known = marks[0].0.max(marks[1].0);
        let epoch = match head.prepared {
            _ if !rules.two_phases => 1 + head.greatest.max(known),
            Some((epoch, owner, length)) if owner == number && epoch > known => {
                if self.copies(number, length) < rules.ack_replicas {
                    return false;
                }
                epoch
            }
            Some(_) | None => return false,
        };
        // The farthest of one history; one that is of an epoch that the server has left behind gives nothing.
        let best = marks[0].max(marks[1]);
        let history = &mut self.server_mut(number).history;
        if best.0 > head.epoch {
            history.push(Entry::Given { epoch: best.0, caller: best.2 });
        } else if best.0 == head.epoch && best.2 != NOBODY && head.booked == NOBODY {
            history.push(Entry::Booked { caller: best.2 });
        }
        history.push(Entry::Active { epoch, owner: number });
        self.follow(instance);
        true
    }
}
