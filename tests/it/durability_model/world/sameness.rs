//! When two worlds are one: they differ by the numbers of servers, or by a past that all servers share, and by nothing that
//! can happen next.

use super::{History, NOBODY, Step, World};

impl World {
    /// What every server has is told as shortly as it can be, so that worlds that differ by their past alone are one.
    pub(super) fn forget_what_all_have(&mut self) {
        let [first, second, third] = self.servers.map(|server| server.history);
        let length = first.common(second).min(first.common(third));
        let short = first.first(length).shortened();
        if short.len() >= length {
            return;
        }
        for server in &mut self.servers {
            server.history = server.history.after(length, short);
        }
        for instance in &mut self.instances {
            if let Step::Waits(at) = &mut instance.step {
                *at = at.saturating_sub(length) + short.len();
            }
        }
    }

    /// Puts servers in an order of their own, so that worlds that differ by their numbers alone are mostly one.
    pub(super) fn name_servers(&mut self) {
        for (one, other) in [(0, 1), (1, 2), (0, 1)] {
            let (first, second) = (self.rank(one), self.rank(other));
            if first > second || (first == second && self.own(one) > self.own(other)) {
                self.swap(one, other);
            }
        }
    }

    /// What a server is without its history.
    fn rank(&self, number: u8) -> u8 {
        let server = self.server(number);
        let bits = [number != self.primary, !server.is_up, self.is_beyond(number), server.follows != NOBODY];
        bits.into_iter().fold(0, |rank, bit| rank << 1 | u8::from(bit))
    }

    /// A server's history without the numbers of others.
    fn own(&self, number: u8) -> History {
        let mut history = self.server(number).history;
        history.rename(|owner| if owner == number { 0 } else { NOBODY });
        history
    }

    fn swap(&mut self, one: u8, other: u8) {
        let name = |number: u8| match number {
            number if number == one => other,
            number if number == other => one,
            number => number,
        };
        self.servers.swap(usize::from(one), usize::from(other));
        for server in &mut self.servers {
            server.follows = name(server.follows);
            server.history.rename(name);
        }
        for instance in &mut self.instances {
            instance.server = name(instance.server);
        }
        self.primary = name(self.primary);
        let bit = |number: u8| self.cut >> number & 1;
        self.cut = self.cut & !(1 << one | 1 << other) | bit(one) << other | bit(other) << one;
    }
}
