//! What a server of the model holds: the entries that came to it, in their order, packed so that worlds are cheap to
//! copy, compare and hash.

/// Stands for no server and no caller.
pub(super) const NOBODY: u8 = 3;
/// Bits of an entry.
const BITS: u32 = 8;

/// One entry of a history. Owners are servers as they run now; what was of an incarnation that ended is nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// An epoch that a recovery is about to begin on a server.
    Prepared { epoch: u8, owner: u8 },
    /// From here on this server may be written to.
    Active { epoch: u8, owner: u8 },
    /// The slot is a caller's.
    Booked { caller: u8 },
    /// The whole state as an instance remembers it from a later epoch; the slot is a caller's or nobody's.
    Given { epoch: u8, caller: u8 },
}

impl Entry {
    fn pack(self) -> u128 {
        let (kind, epoch, who) = match self {
            Self::Given { epoch, caller } => (0, epoch, caller),
            Self::Prepared { epoch, owner } => (1, epoch, owner),
            Self::Active { epoch, owner } => (2, epoch, owner),
            Self::Booked { caller } => (3, 0, caller),
        };
        assert!(epoch < 16, "more epochs than an entry has room for");
        u128::from(kind << 6 | epoch << 2 | who)
    }

    fn unpack(packed: u128) -> Self {
        let bits = |from: u32, mask: u128| u8::try_from(packed >> from & mask).unwrap();
        let (epoch, who) = (bits(2, 15), bits(0, 3));
        match bits(6, 3) {
            0 => Self::Given { epoch, caller: who },
            1 => Self::Prepared { epoch, owner: who },
            2 => Self::Active { epoch, owner: who },
            _ => Self::Booked { caller: who },
        }
    }
}

/// Entries, the first in the lowest bits; no entry is all zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct History(u128);

/// What a history says at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// The epoch in force.
    pub(super) epoch: u8,
    /// The server that may be written to.
    pub(super) owner: u8,
    /// Whose the slot is.
    pub(super) booked: u8,
    /// Greatest epoch that it names.
    pub(super) greatest: u8,
    /// The epoch that was prepared last, on whom, and how long the history is with it.
    pub(super) prepared: Option<(u8, u8, u32)>,
}

impl History {
    /// Server 0 is in charge of an empty ledger.
    pub(super) fn new() -> Self {
        let mut history = Self(0);
        history.push(Entry::Active { epoch: 1, owner: 0 });
        history
    }

    pub(super) fn len(self) -> u32 {
        (u128::BITS - self.0.leading_zeros()).div_ceil(BITS)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let at = self.len() * BITS;
        assert!(at < u128::BITS, "more entries than a history has room for");
        self.0 |= entry.pack() << at;
    }

    /// The first entries.
    pub(super) fn first(self, length: u32) -> Self {
        match 1_u128.checked_shl(length * BITS) {
            Some(end) => Self(self.0 & (end - 1)),
            None => self,
        }
    }

    pub(super) fn starts_with(self, other: Self) -> bool {
        self.first(other.len()) == other
    }

    /// How many first entries two histories share.
    pub(super) fn common(self, other: Self) -> u32 {
        ((self.0 ^ other.0).trailing_zeros() / BITS).min(self.len())
    }

    /// The least entries that say the same at their end.
    pub(super) fn shortened(self) -> Self {
        let Head { epoch, owner, booked, greatest: _, prepared } = self.head();
        let mut short = Self(0);
        if booked != NOBODY {
            short.push(Entry::Booked { caller: booked });
        }
        short.push(Entry::Active { epoch, owner });
        if let Some((prepared, owner, _)) = prepared.filter(|(prepared, _, _)| *prepared > epoch) {
            short.push(Entry::Prepared { epoch: prepared, owner });
        }
        short
    }

    /// The same with other entries in place of so many first ones.
    pub(super) fn after(self, length: u32, entries: Self) -> Self {
        let rest = self.0.checked_shr(length * BITS).unwrap_or(0);
        Self(entries.0 | rest.checked_shl(entries.len() * BITS).unwrap_or(0))
    }

    pub(super) fn head(self) -> Head {
        let mut head = Head { epoch: 0, owner: NOBODY, booked: NOBODY, greatest: 0, prepared: None };
        let (mut rest, mut length) = (self.0, 0);
        while rest != 0 {
            length += 1;
            match Entry::unpack(rest & 255) {
                Entry::Prepared { epoch, owner } => {
                    head.prepared = Some((epoch, owner, length));
                    head.greatest = head.greatest.max(epoch);
                }
                Entry::Active { epoch, owner } => {
                    (head.epoch, head.owner, head.greatest) = (epoch, owner, head.greatest.max(epoch));
                }
                Entry::Booked { caller } => head.booked = caller,
                Entry::Given { epoch, caller } => {
                    (head.epoch, head.owner, head.booked) = (epoch, NOBODY, caller);
                    head.greatest = head.greatest.max(epoch);
                }
            }
            rest >>= BITS;
        }
        head
    }

    /// Gives owners other names.
    pub(super) fn rename(&mut self, name: impl Fn(u8) -> u8) {
        let (mut rest, mut at) = (self.0, 0);
        while rest != 0 {
            let kind = rest >> 6 & 3;
            if kind == 1 || kind == 2 {
                let owner = u8::try_from(rest & 3).unwrap();
                let next = u128::from(name(owner));
                self.0 = self.0 & !(3 << at) | next << at;
            }
            rest >>= BITS;
            at += BITS;
        }
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = (0..self.len()).map(|at| Entry::unpack(self.0 >> (at * BITS) & 255));
        f.debug_list().entries(entries).finish()
    }
}
