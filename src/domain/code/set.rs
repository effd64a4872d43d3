//! Sets of codes as bit masks, so that the hot path compares them in one instruction.
//!
//! Invariant: no bit is set beyond the list's codes; bit `n` is the code at place `n`.
//! Deliberately absent: storing the bits in records, because places may shift when a list grows; records keep the codes.

use std::fmt;

use super::{AppointmentType, Modality, Profession, Specialty, Visibility};

/// Defines a set over codes that have `index` and `from_index`.
macro_rules! code_sets {
    ($($(#[$doc:meta])+ $name:ident($bits:ty) of $code:ty, $count:expr;)+) => {$(
        const _: () = assert!($count <= <$bits>::BITS as usize, "every code of the list has its bit");

        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($bits);

        impl $name {
            /// No code.
            pub const EMPTY: Self = Self(0);

            /// Every code of the list.
            pub const ALL: Self = Self(<$bits>::MAX >> (<$bits>::BITS as usize - $count));

            /// The set of these codes.
            #[must_use]
            pub const fn of(codes: &[$code]) -> Self {
                let mut set = Self::EMPTY;
                let mut rest = codes;
                while let [first, others @ ..] = rest {
                    set.insert(*first);
                    rest = others;
                }
                set
            }

            /// The set with these bits; bits beyond the list are dropped.
            #[must_use]
            pub const fn from_bits(bits: $bits) -> Self {
                Self(bits & Self::ALL.0)
            }

            /// The mask: bit `n` is the code at place `n`.
            #[must_use]
            pub const fn bits(self) -> $bits {
                self.0
            }

            /// Adds a code.
            pub const fn insert(&mut self, code: $code) {
                self.0 |= 1 << code.index();
            }

            /// Whether the code is in the set.
            #[must_use]
            pub const fn contains(self, code: $code) -> bool {
                self.0 & (1 << code.index()) != 0
            }

            /// Whether the sets have a code in common.
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The codes of either set.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether there is no code.
            #[must_use]
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The codes, in the order of the list.
            pub fn iter(self) -> impl Iterator<Item = $code> {
                let mut rest = self.0;
                std::iter::from_fn(move || {
                    let place = u8::try_from(rest.trailing_zeros()).ok()?;
                    // Clears the lowest set bit; an empty mask stays empty and its place is beyond the list.
                    rest &= rest.saturating_sub(1);
                    <$code>::from_index(place)
                })
            }
        }

        impl FromIterator<$code> for $name {
            fn from_iter<I: IntoIterator<Item = $code>>(codes: I) -> Self {
                let mut set = Self::EMPTY;
                codes.into_iter().for_each(|code| set.insert(code));
                set
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.iter().map(|code| code.code())).finish()
            }
        }
    )+};
}

code_sets! {
    /// Ways of giving care.
    ModalitySet(u8) of Modality, Modality::ALL.len();
    /// Who may see a slot.
    VisibilitySet(u8) of Visibility, Visibility::ALL.len();
    /// With, without appointment, or both.
    AppointmentTypeSet(u8) of AppointmentType, AppointmentType::ALL.len();
    /// Specialties.
    SpecialtySet(u128) of Specialty, Specialty::COUNT;
    /// Professions.
    ProfessionSet(u64) of Profession, Profession::COUNT;
}
