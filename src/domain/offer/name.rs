//! The identifier of a slot where it stands in its row: what the row's identifiers begin with, and the rest of this one.
//!
//! Invariant: order and equality are those of the whole text, however it is cut. Nothing is copied but into an identifier.

use std::cmp::Ordering;
use std::fmt;

use crate::domain::id::SlotId;

/// A slot's identifier in two parts.
#[derive(Clone, Copy, Debug)]
pub struct SlotName<'a> {
    common: &'a str,
    rest: &'a str,
}

impl<'a> SlotName<'a> {
    /// That of an identifier by itself.
    #[must_use]
    pub fn of(id: &'a SlotId) -> Self {
        Self::new("", id.as_str())
    }

    pub(super) const fn new(common: &'a str, rest: &'a str) -> Self {
        Self { common, rest }
    }

    /// The identifier.
    #[must_use]
    pub fn to_slot_id(self) -> SlotId {
        SlotId::kept(self.common, self.rest)
    }

    /// Whether it is this text.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        text.strip_prefix(self.common) == Some(self.rest)
    }

    pub(super) const fn len(self) -> usize {
        self.common.len() + self.rest.len()
    }

    /// With how many bytes all of these begin, in whole characters.
    pub(super) fn common_length(mut names: impl Iterator<Item = Self>) -> usize {
        let Some(first) = names.next() else { return 0 };
        let shared = |length: usize, name: Self| {
            // Names of one row mostly share what they begin with as a whole.
            let known = if std::ptr::eq(first.common, name.common) { first.common.len() } else { 0 };
            let both = first.bytes().zip(name.bytes()).take(length).skip(known);
            length.min(known + both.take_while(|(a, b)| a == b).count())
        };
        let length = names.fold(first.len(), shared);
        (0..=length).rev().find(|length| first.is_boundary(*length)).unwrap_or(0)
    }

    /// Its first bytes, a whole number of characters.
    pub(super) fn first(self, bytes: usize) -> [&'a str; 2] {
        let of_rest = bytes.saturating_sub(self.common.len());
        let common = self.common.get(..bytes).unwrap_or(self.common);
        [common, self.rest.get(..of_rest).unwrap_or_default()]
    }

    /// What comes after those.
    pub(super) fn after(self, bytes: usize) -> [&'a str; 2] {
        let of_rest = bytes.saturating_sub(self.common.len());
        [self.common.get(bytes..).unwrap_or_default(), self.rest.get(of_rest..).unwrap_or_default()]
    }

    fn is_boundary(self, at: usize) -> bool {
        match at.checked_sub(self.common.len()) {
            Some(at) => self.rest.is_char_boundary(at),
            None => self.common.is_char_boundary(at),
        }
    }

    fn bytes(self) -> impl Iterator<Item = u8> + 'a {
        self.common.bytes().chain(self.rest.bytes())
    }
}

impl Ord for SlotName<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.common == other.common {
            return self.rest.cmp(other.rest);
        }
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for SlotName<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for SlotName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SlotName<'_> {}

impl fmt::Display for SlotName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.common)?;
        f.write_str(self.rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cut_identifier_is_the_whole_one(
            texts in prop::collection::vec("[aé/]{1,6}", 1..6), cuts in prop::collection::vec(0usize..4, 6),
        ) {
            let names: Vec<_> = texts.iter().zip(cuts).map(|(text, cut)| {
                let at = text.char_indices().nth(cut).map_or(text.len(), |(at, _)| at);
                SlotName::new(&text[..at], &text[at..])
            }).collect();
            let common = SlotName::common_length(names.iter().copied());
            for (name, text) in names.iter().zip(&texts) {
                prop_assert!(name.is(text));
                prop_assert_eq!(&name.to_string(), text);
                prop_assert_eq!(name.first(common).concat(), &texts[0][..common]);
                prop_assert_eq!(name.first(common).concat() + &name.after(common).concat(), text.clone());
                for (other, other_text) in names.iter().zip(&texts) {
                    prop_assert_eq!(name.cmp(other), text.cmp(other_text));
                    prop_assert_eq!(name.is(other_text), text == other_text);
                }
            }
            let longer = texts[0].chars().count() > texts[0][..common].chars().count();
            let next = texts[0][common..].chars().next();
            prop_assert!(!longer || texts.iter().any(|text| text[common..].chars().next() != next));
        }
    }
}
