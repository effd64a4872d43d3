//! Reads the keys of a TOML table: each is asked for by name, and those that nobody asked for are refused.
//!
//! A table may lie over others that say what it leaves out. What is wrong is noted with its line, and reading goes on.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problem::Log;

/// A table, with those that it lies over.
#[derive(Debug)]
pub(super) struct Fields<'t> {
    layers: Vec<&'t DeTable<'t>>,
    /// Where the table begins, for what lacks.
    at: usize,
    asked: Vec<&'static str>,
    log: &'t Log<'t>,
}

/// An element of a list: a short form or a table.
pub(super) enum Item<'t> {
    /// The short form, with its byte in the file.
    Text(&'t str, usize),
    /// The long form.
    Table(Fields<'t>),
}

type Value<'t> = &'t Spanned<DeValue<'t>>;
type Key<'t> = &'t Spanned<DeString<'t>>;

impl<'t> Fields<'t> {
    pub(super) const fn new(layers: Vec<&'t DeTable<'t>>, at: usize, log: &'t Log<'t>) -> Self {
        Self { layers, at, asked: Vec::new(), log }
    }

    pub(super) const fn log(&self) -> &'t Log<'t> {
        self.log
    }

    /// The tables, the uppermost first.
    pub(super) fn layers(&self) -> &[&'t DeTable<'t>] {
        &self.layers
    }

    /// Where the table begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn entry(&mut self, name: &'static str) -> Option<(Key<'t>, Value<'t>)> {
        self.asked.push(name);
        self.layers.iter().find_map(|table| table.get_key_value(name))
    }

    /// Whether the key is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.layers.iter().any(|table| table.contains_key(name))
    }

    /// Where a key stands, or the table.
    pub(super) fn place_of(&self, name: &str) -> usize {
        let key = self.layers.iter().find_map(|table| table.get_key_value(name));
        key.map_or(self.at, |(key, _)| key.span().start)
    }

    /// Notes that what a key says is wrong.
    pub(super) fn refuse(&self, name: &str, message: impl Display) {
        self.log.refuse(self.place_of(name), format!("`{name}`: {message}"));
    }

    fn wrong_type(&self, name: &str, expected: &str, value: Value<'t>) {
        let found = value.get_ref().type_str();
        self.log.refuse(value.span().start, format!("`{name}` is {found}: give {expected}"));
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<&'t str> {
        let (_, value) = self.entry(name)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(name, "a text between quotes", value);
        }
        text
    }

    /// A text that must be there and say something.
    pub(super) fn required(&mut self, name: &'static str) -> &'t str {
        let text = self.text(name);
        if !self.has(name) || text.is_some_and(|text| text.trim().is_empty()) {
            self.log.refuse(self.place_of(name), format!("`{name}` is missing"));
        }
        text.unwrap_or_default()
    }

    /// A text with a meaning.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(text).map_err(|error| self.refuse(name, error)).ok()
    }

    /// A list of texts with a meaning, or one alone; `None` when the key is not there.
    pub(super) fn all<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let items = self.items(name)?;
        let mut all = Vec::new();
        for item in items {
            match item {
                Item::Text(text, at) => match parse(text) {
                    Ok(parsed) => all.push(parsed),
                    Err(error) => self.log.refuse(at, format!("`{name}`: {error}")),
                },
                Item::Table(table) => self.log.refuse(table.at, format!("`{name}` holds a table: give texts")),
            }
        }
        Some(all)
    }

    /// The elements of a list, or one alone; `None` when the key is not there.
    pub(super) fn items(&mut self, name: &'static str) -> Option<Vec<Item<'t>>> {
        let (_, value) = self.entry(name)?;
        let list = match value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => vec![value],
        };
        let mut items = Vec::with_capacity(list.len());
        for element in list {
            let at = element.span().start;
            match (element.get_ref().as_str(), element.get_ref().as_table()) {
                (Some(text), _) => items.push(Item::Text(text, at)),
                (None, Some(table)) => items.push(Item::Table(Self::new(vec![table], at, self.log))),
                (None, None) => self.wrong_type(name, "texts or tables", element),
            }
        }
        Some(items)
    }

    /// A whole number within a range.
    pub(super) fn whole(&mut self, name: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let (_, value) = self.entry(name)?;
        let number = whole_of(value).filter(|number| range.contains(number));
        if number.is_none() {
            self.refuse(name, format!("give a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A number.
    pub(super) fn decimal(&mut self, name: &'static str) -> Option<f64> {
        let (_, value) = self.entry(name)?;
        let number = decimal_of(value);
        if number.is_none() {
            self.wrong_type(name, "a number", value);
        }
        number
    }

    /// Two numbers.
    pub(super) fn pair(&mut self, name: &'static str) -> Option<(f64, f64)> {
        let (_, value) = self.entry(name)?;
        let list = value.get_ref().as_array();
        let numbers: Option<Vec<f64>> = list.and_then(|list| list.iter().map(decimal_of).collect());
        let pair = match numbers.as_deref() {
            Some([first, second]) => Some((*first, *second)),
            Some(_) | None => None,
        };
        if pair.is_none() {
            self.refuse(name, "give two numbers: [45.70, 4.89]");
        }
        pair
    }

    /// A whole number, or the least and the most that it may be.
    pub(super) fn range(&mut self, name: &'static str) -> Option<RangeInclusive<u32>> {
        let (_, value) = self.entry(name)?;
        let range = match value.get_ref().as_array() {
            None => whole_of(value).map(|number| number..=number),
            Some(list) => match list.iter().map(whole_of).collect::<Option<Vec<_>>>().as_deref() {
                Some([least, most]) if least <= most => Some(*least..=*most),
                Some(_) | None => None,
            },
        };
        if range.is_none() {
            self.refuse(name, "give a whole number, or the least and the most: [5, 20]");
        }
        range
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let (_, value) = self.entry(name)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(name, "true or false", value);
        }
        flag
    }

    /// A table, over those of the same name below.
    pub(super) fn table(&mut self, name: &'static str) -> Option<Self> {
        self.entry(name)?;
        let at = self.place_of(name);
        let mut layers = Vec::new();
        for value in self.layers.iter().filter_map(|table| table.get(name)) {
            match value.get_ref().as_table() {
                Some(table) => layers.push(table),
                None => self.wrong_type(name, "a table", value),
            }
        }
        (!layers.is_empty()).then(|| Self::new(layers, at, self.log))
    }

    /// A list of tables.
    pub(super) fn tables(&mut self, name: &'static str) -> Vec<Self> {
        let mut tables = Vec::new();
        for item in self.items(name).unwrap_or_default() {
            match item {
                Item::Table(table) => tables.push(table),
                Item::Text(_, at) => self.log.refuse(at, format!("`{name}` holds a text: give tables")),
            }
        }
        tables
    }

    /// The tables under short names in a table, in order of name; an upper one replaces those below.
    pub(super) fn named(&mut self, name: &'static str) -> Vec<(&'t str, Self)> {
        let Some(group) = self.table(name) else { return Vec::new() };
        let mut named: Vec<(&'t str, Self)> = Vec::new();
        for (key, value) in group.layers.iter().flat_map(|table| table.iter()) {
            let (short, at): (&'t str, usize) = (key.get_ref(), key.span().start);
            if named.iter().any(|(known, _)| *known == short) {
                continue;
            }
            match value.get_ref().as_table() {
                Some(table) => named.push((short, Self::new(vec![table], at, self.log))),
                None => self.wrong_type(short, "a table", value),
            }
        }
        named.sort_by_key(|(short, _)| *short);
        named
    }

    /// The keys of a table with whole numbers.
    pub(super) fn numbers(&mut self, name: &'static str) -> Vec<(&'t str, u32, usize)> {
        let Some(group) = self.table(name) else { return Vec::new() };
        let mut numbers = Vec::new();
        for (key, value) in group.layers.iter().flat_map(|table| table.iter()) {
            match whole_of(value) {
                Some(number) => numbers.push((key.get_ref().as_ref(), number, key.span().start)),
                None => self.wrong_type(key.get_ref(), "a whole number", value),
            }
        }
        numbers
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.layers.iter().flat_map(|table| table.iter()) {
            let given: &str = key.get_ref();
            if !self.asked.contains(&given) {
                let nearest = self.asked.iter().min_by_key(|known| strsim::osa_distance(given, known));
                let nearest = nearest.copied().unwrap_or_default();
                self.log.refuse(key.span().start, format!("unknown key `{given}`; nearest known: `{nearest}`"));
            }
        }
    }
}

fn whole_of(value: &Spanned<DeValue<'_>>) -> Option<u32> {
    value.get_ref().as_integer().and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
}

fn decimal_of(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    let value = value.get_ref();
    let text = value.as_float().map(toml::de::DeFloat::as_str);
    let text = text.or_else(|| value.as_integer().map(toml::de::DeInteger::as_str))?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
