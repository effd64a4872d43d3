//! What the long lists share: a code is a place in a compiled-in table.
//!
//! Invariant: a value is only made from a place inside its table.
//! Deliberately absent: the tables, which are in the files of their lists.

/// Defines a code of a long list over its table of `(code, French label)`.
macro_rules! table_code {
    ($(#[$doc:meta])+ $name:ident, $list:literal, $table:ident) => {
        $(#[$doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u8);

        impl $name {
            /// Number of codes in the list.
            pub const COUNT: usize = $table.len();

            /// Every code, in the order of the published list.
            pub const ALL: &'static [Self] = &{
                let mut all = [Self(0); Self::COUNT];
                let mut rest: &mut [Self] = &mut all;
                let mut place = 0;
                while let [first, others @ ..] = rest {
                    *first = Self(place);
                    place += 1;
                    rest = others;
                }
                all
            };

            /// Reads a code in its exact spelling; whitespace at the ends is dropped.
            ///
            /// # Errors
            /// [`UnknownCode`](super::UnknownCode), naming the nearest codes.
            pub fn parse(given: &str) -> Result<Self, super::UnknownCode> {
                let wanted = given.trim();
                let place = $table.iter().position(|(code, _)| *code == wanted);
                place
                    .and_then(|place| u8::try_from(place).ok())
                    .map(Self)
                    .ok_or_else(|| super::UnknownCode::new($list, wanted, $table.iter().map(|(code, _)| *code)))
            }

            /// The code as published.
            #[must_use]
            pub fn code(self) -> &'static str {
                $table.get(usize::from(self.0)).map_or("", |(code, _)| code)
            }

            /// The French label.
            #[must_use]
            pub fn label(self) -> &'static str {
                $table.get(usize::from(self.0)).map_or("", |(_, label)| label)
            }

            /// Place in the list; for use in memory only, records keep the code.
            #[must_use]
            pub const fn index(self) -> u8 {
                self.0
            }

            /// The code at a place of the list.
            #[must_use]
            pub fn from_index(index: u8) -> Option<Self> {
                Self::ALL.get(usize::from(index)).copied()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.code())
            }
        }
    };
}

pub(super) use table_code;
