//! A policy file as a tree in which every value knows its line, and one tree laid over another.
//!
//! Deliberately absent: what the keys mean; and parsing, which is the `toml` crate's.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::problem::{Place, PolicyProblem};

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) tree: Tree,
}

/// A value.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Tree {
    Text(String),
    Integer(i64),
    Float(f64),
    Flag(bool),
    /// What no setting takes: a date, a number out of range.
    Other(&'static str),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) node: Node,
}

/// Reads a file; whatever is no TOML is told at once, and the rest is read all the same.
pub(super) fn parse(file: &str, text: &str) -> (Node, Vec<PolicyProblem>) {
    let source = Source::new(file, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let problems = errors.iter().map(|error| PolicyProblem {
        place: source.place(error.span().map_or(0, |span| span.start)),
        path: String::new(),
        message: format!("is no TOML: {}", error.message()),
    });
    let root = Node { place: source.place(0), tree: source.table(table.get_ref()) };
    (root, problems.collect())
}

/// Finds lines in a text.
struct Source {
    file: Arc<str>,
    /// First byte of each line.
    lines: Vec<usize>,
}

impl Source {
    fn new(file: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { file: Arc::from(file), lines: std::iter::once(0).chain(ends).collect() }
    }

    fn place(&self, byte: usize) -> Place {
        Place { file: Arc::clone(&self.file), line: self.lines.partition_point(|start| *start <= byte).max(1) }
    }

    fn table(&self, table: &DeTable<'_>) -> Tree {
        let entries = table.iter().map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            place: self.place(key.span().start),
            node: self.node(value),
        });
        Tree::Table(entries.collect())
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let tree = match value.get_ref() {
            DeValue::String(text) => Tree::Text(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Tree::Other("a number out of range"), Tree::Integer),
            DeValue::Float(number) => number.as_str().parse().map_or(Tree::Other("no number"), Tree::Float),
            DeValue::Boolean(flag) => Tree::Flag(*flag),
            DeValue::Datetime(_) => Tree::Other("a date"),
            DeValue::Array(list) => Tree::List(list.iter().map(|item| self.node(item)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { place: self.place(value.span().start), tree }
    }
}

impl Node {
    /// The value of a key, when this is a table that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        match &self.tree {
            Tree::Table(entries) => entries.iter().find(|entry| entry.key == key),
            Tree::Text(_) | Tree::Integer(_) | Tree::Float(_) | Tree::Flag(_) | Tree::Other(_) | Tree::List(_) => None,
        }
    }

    /// The text at a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let Tree::Text(text) = &self.get(key)?.node.tree else { return None };
        Some(text)
    }

    /// The list at a key; empty when there is none.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        match self.get(key).map(|entry| &entry.node.tree) {
            Some(Tree::List(list)) => list,
            _ => &[],
        }
    }

    /// Takes a key out of a table.
    pub(super) fn remove(&mut self, key: &str) {
        if let Tree::Table(entries) = &mut self.tree {
            entries.retain(|entry| entry.key != key);
        }
    }

    /// This tree with another laid over it: tables key by key; lists of rules by `id`, new rules first because the first
    /// that holds decides; anything else is replaced.
    pub(super) fn under(self, over: Self) -> Self {
        let tree = match (self.tree, over.tree) {
            (Tree::Table(base), Tree::Table(over)) => Tree::Table(tables(base, over)),
            (Tree::List(base), Tree::List(over)) if are_rules(&base) && are_rules(&over) => {
                Tree::List(rules(base, over))
            }
            (_, over) => over,
        };
        Self { place: over.place, tree }
    }

    /// The same without the rules of these ids, in whichever list they stand.
    pub(super) fn without_rules(&mut self, ids: &[&str]) {
        match &mut self.tree {
            Tree::Table(entries) => entries.iter_mut().for_each(|entry| entry.node.without_rules(ids)),
            Tree::List(list) => list.retain(|item| item.text("id").is_none_or(|id| !ids.contains(&id))),
            Tree::Text(_) | Tree::Integer(_) | Tree::Float(_) | Tree::Flag(_) | Tree::Other(_) => {}
        }
    }

    /// The tree as TOML, without its places.
    pub(super) fn to_value(&self) -> Value {
        match &self.tree {
            Tree::Text(text) => Value::String(text.clone()),
            Tree::Integer(number) => Value::Integer(*number),
            Tree::Float(number) => Value::Float(*number),
            Tree::Flag(flag) => Value::Boolean(*flag),
            Tree::Other(what) => Value::String((*what).to_owned()),
            Tree::List(list) => Value::Array(list.iter().map(Self::to_value).collect()),
            Tree::Table(entries) => {
                Value::Table(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_value())).collect::<Table>())
            }
        }
    }
}

fn are_rules(list: &[Node]) -> bool {
    list.iter().all(|item| item.text("id").is_some())
}

fn tables(mut base: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
    for entry in over {
        match base.iter().position(|known| known.key == entry.key) {
            Some(at) => {
                let known = base.remove(at);
                let Entry { key, place, node } = entry;
                base.insert(at, Entry { key, place, node: known.node.under(node) });
            }
            None => base.push(entry),
        }
    }
    base
}

fn rules(base: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    let is_known = |item: &Node| base.iter().any(|known| known.text("id") == item.text("id"));
    let (changed, mut all): (Vec<_>, Vec<_>) = over.into_iter().partition(is_known);
    all.extend(base.into_iter().map(|known| {
        let change = changed.iter().find(|item| item.text("id") == known.text("id"));
        change.cloned().unwrap_or(known)
    }));
    all
}
