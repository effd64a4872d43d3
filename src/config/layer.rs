//! One source of settings: a table of sections, and where it came from.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::problem::Problem;

/// Prefix of the environment's variables. Those without `__` are not settings: the command line has its own.
const PREFIX: &str = "SAS_ROUTER_";
/// Parts a section from its key in a variable's name.
const SEPARATOR: &str = "__";

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
    /// The command line.
    Flags,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment => f.write_str("environment"),
            Self::Flags => f.write_str("flag"),
        }
    }
}

/// One source of settings.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Layer {
    pub(super) origin: Origin,
    sections: Table,
}

impl Layer {
    pub(super) const fn new(origin: Origin, sections: Table) -> Self {
        Self { origin, sections }
    }

    /// Reads a TOML file.
    pub(super) fn of_file(path: &Path) -> Result<Self, Problem> {
        let origin = Origin::File(path.to_owned());
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::whole(origin.to_string(), format!("cannot be read ({error}): name a readable file"))
        })?;
        let sections = text.parse::<Table>().map_err(|error| {
            let place = error.span().map_or(String::new(), |span| place_of(&text, span.start));
            Problem::whole(origin.to_string(), format!("is no TOML{place}: {}", error.message()))
        })?;
        Ok(Self { origin, sections })
    }

    /// Takes the variables that name settings: `SAS_ROUTER_SERVER__LISTEN` is `server.listen`.
    pub(super) fn of_environment(
        variables: impl Iterator<Item = (String, String)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut sections = Table::new();
        for (name, value) in variables {
            let Some(path) = name.strip_prefix(PREFIX).filter(|path| path.contains(SEPARATOR)) else { continue };
            let path = path.to_ascii_lowercase();
            let Some((section, key)) = path.split_once(SEPARATOR) else { continue };
            let entry = sections.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
            match entry {
                Value::Table(keys) => drop(keys.insert(key.to_owned(), Value::String(value))),
                Value::String(_)
                | Value::Integer(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Array(_) => problems.push(Problem::whole(name, "names a key of what is no section")),
            }
        }
        Self { origin: Origin::Environment, sections }
    }

    /// The value at a path of a section and a key.
    pub(super) fn value(&self, path: &str) -> Option<&Value> {
        let (section, key) = path.split_once('.')?;
        self.sections.get(section)?.as_table()?.get(key)
    }

    /// Every path that it sets, with its value.
    pub(super) fn paths(&self) -> Vec<(String, &Value)> {
        let mut paths = Vec::new();
        for (section, value) in &self.sections {
            match value.as_table() {
                Some(keys) => paths.extend(keys.iter().map(|(key, value)| (format!("{section}.{key}"), value))),
                None => paths.push((section.clone(), value)),
            }
        }
        paths
    }
}

/// Line and column of a byte, from 1.
fn place_of(text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or(text);
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    format!(" at line {}, column {column}", before.matches('\n').count() + 1)
}
