//! Reads settings out of a tree: whatever is wrong or unknown is noted with its place, and reading goes on.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::problem::{Place, PolicyProblem};
use super::tree::{Node, Tree};

/// Notes problems.
#[derive(Debug, Default)]
pub(super) struct Reader {
    problems: RefCell<Vec<PolicyProblem>>,
}

/// A value with where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) place: Place,
    pub(super) path: String,
}

impl Reader {
    /// Notes a problem.
    pub(super) fn refuse(&self, place: &Place, path: &str, message: impl Into<String>) {
        let problem = PolicyProblem { place: place.clone(), path: path.to_owned(), message: message.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// Everything that was wrong.
    pub(super) fn into_problems(self) -> Vec<PolicyProblem> {
        self.problems.into_inner()
    }
}

impl<T> At<T> {
    /// Notes a problem of this value.
    pub(super) fn refuse(&self, reader: &Reader, message: impl Into<String>) {
        reader.refuse(&self.place, &self.path, message);
    }
}

/// A table that is being read: remembers which keys were asked for, so that others can be refused.
#[derive(Debug)]
pub(super) struct Section<'r, 't> {
    reader: &'r Reader,
    node: &'t Node,
    pub(super) path: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 't> Section<'r, 't> {
    /// Reads a table.
    pub(super) fn new(reader: &'r Reader, node: &'t Node, path: String) -> Self {
        if !matches!(node.tree, Tree::Table(_)) {
            reader.refuse(&node.place, &path, "give a table");
        }
        Self { reader, node, path, asked: RefCell::default() }
    }

    /// Where the table stands.
    pub(super) fn place(&self) -> &'t Place {
        &self.node.place
    }

    /// A value with the table's place.
    pub(super) fn at<T>(&self, value: T) -> At<T> {
        At { value, place: self.node.place.clone(), path: self.path.clone() }
    }

    /// Notes a problem of the table.
    pub(super) fn refuse(&self, message: impl Into<String>) {
        self.reader.refuse(self.place(), &self.path, message);
    }

    /// The table at a key; absent is a problem.
    pub(super) fn section(&self, key: &'static str) -> Option<Section<'r, 't>> {
        let node = self.needed(key, "give a table")?;
        Some(Section::new(self.reader, node, self.path_of(key)))
    }

    /// The tables at a key, in order; none when it is absent.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Section<'r, 't>> {
        let items = self.items(key).into_iter().flatten();
        items.map(|(node, path)| Section::new(self.reader, node, path)).collect()
    }

    /// A whole number that must be there.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        self.needed(key, &expected(&range))?;
        self.optional_number(key, range)
    }

    /// A whole number that may be absent.
    pub(super) fn optional_number(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let read = |node: &Node| {
            let Tree::Integer(number) = node.tree else { return None };
            u32::try_from(number).ok().filter(|number| range.contains(number))
        };
        self.read(key, |node| read(node).ok_or_else(|| expected(&range)))
    }

    /// A speed in km/h, as metres per hour.
    pub(super) fn speed(&self, key: &'static str) -> Option<At<u32>> {
        const EXPECTED: &str = "give a speed from 1 to 200 km/h";
        self.needed(key, EXPECTED)?;
        self.read(key, |node| {
            let whole = if let Tree::Integer(number) = node.tree { i32::try_from(number).unwrap_or(0) } else { 0 };
            let kmh = if let Tree::Float(number) = node.tree { number } else { f64::from(whole) };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 200,000")]
            let metres = (kmh * 1_000.0).round() as u32;
            (1.0..=200.0).contains(&kmh).then_some(metres).ok_or_else(|| EXPECTED.to_owned())
        })
    }

    /// A flag with a default.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        let read = |node: &Node| {
            let Tree::Flag(flag) = node.tree else { return Err("give true or false".to_owned()) };
            Ok(flag)
        };
        self.read(key, read).map_or(default, |flag| flag.value)
    }

    /// A text with a meaning that must be there.
    pub(super) fn text<T>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        self.needed(key, expected)?;
        self.optional_text(key, parse)
    }

    /// A text with a meaning that may be absent.
    pub(super) fn optional_text<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<At<T>> {
        self.read(key, |node| text_of(node).and_then(&parse))
    }

    /// Texts with a meaning; every wrong one is noted.
    pub(super) fn texts<T, E: Display>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, E>) -> Vec<At<T>> {
        let mut read = Vec::new();
        for (node, path) in self.items(key).into_iter().flatten() {
            match text_of(node).and_then(|text| parse(text).map_err(|error| error.to_string())) {
                Ok(value) => read.push(At { value, place: node.place.clone(), path }),
                Err(message) => self.reader.refuse(&node.place, &path, message),
            }
        }
        read
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(self) {
        let Tree::Table(entries) = &self.node.tree else { return };
        let asked = self.asked.borrow();
        for entry in entries.iter().filter(|entry| !asked.contains(&entry.key.as_str())) {
            let nearest = asked.iter().min_by_key(|known| strsim::osa_distance(&entry.key, known));
            let message = match nearest {
                Some(nearest) => format!("unknown key; nearest known: {nearest}"),
                None => "unknown key: remove it".to_owned(),
            };
            self.reader.refuse(&entry.place, &join(&self.path, &shown(&entry.key)), message);
        }
    }

    /// Path of a key.
    pub(super) fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    fn needed(&self, key: &'static str, expected: &str) -> Option<&'t Node> {
        self.asked.borrow_mut().push(key);
        let entry = self.node.get(key);
        if entry.is_none() && matches!(self.node.tree, Tree::Table(_)) {
            self.reader.refuse(self.place(), &self.path_of(key), format!("missing: {expected}"));
        }
        entry.map(|entry| &entry.node)
    }

    fn read<T>(&self, key: &'static str, parse: impl Fn(&'t Node) -> Result<T, String>) -> Option<At<T>> {
        self.asked.borrow_mut().push(key);
        let entry = self.node.get(key)?;
        let path = self.path_of(key);
        match parse(&entry.node) {
            Ok(value) => Some(At { value, place: entry.place.clone(), path }),
            Err(message) => {
                self.reader.refuse(&entry.place, &path, message);
                None
            }
        }
    }

    fn items(&self, key: &'static str) -> Option<Vec<(&'t Node, String)>> {
        self.asked.borrow_mut().push(key);
        let entry = self.node.get(key)?;
        let Tree::List(list) = &entry.node.tree else {
            self.reader.refuse(&entry.place, &self.path_of(key), "give a list");
            return None;
        };
        Some(list.iter().enumerate().map(|(at, node)| (node, format!("{}[{at}]", self.path_of(key)))).collect())
    }
}

fn text_of(node: &Node) -> Result<&str, String> {
    let Tree::Text(text) = &node.tree else { return Err("give a text between quotes".to_owned()) };
    Ok(text)
}

fn expected(range: &RangeInclusive<u32>) -> String {
    format!("give a whole number from {} to {}", range.start(), range.end())
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// An unknown key as a message repeats it.
fn shown(key: &str) -> String {
    key.chars().filter(|character| !character.is_control()).take(64).collect()
}
