//! Reads settings out of the layers: the last layer that sets one wins; what is wrong is noted and reading goes on.

use std::ops::RangeInclusive;

use toml::Value;

use super::layer::{Layer, Origin};
use super::ledger::without_credentials;
use super::problem::{Problem, Problems};

/// What a problem says in the place of a value that may hold a secret.
const HIDDEN: &str = "(not shown)";
/// What the settings in force say in the place of a secret.
const HIDDEN_VALUE: &str = "***";

/// One setting in force.
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// Section and key, for instance `server.listen`.
    pub path: &'static str,
    /// What it is for, with its unit.
    pub meaning: &'static str,
    /// Its value as TOML writes it; `None` when it is not set.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// Reads settings, and keeps what was read and what was wrong.
#[derive(Debug)]
pub(super) struct Reader {
    layers: Vec<Layer>,
    problems: Vec<Problem>,
    settings: Vec<Setting>,
}

impl Reader {
    /// A reader of these layers, the last of which has the last word.
    pub(super) const fn new(layers: Vec<Layer>, problems: Vec<Problem>) -> Self {
        Self { layers, problems, settings: Vec::new() }
    }

    /// A whole number with a default.
    pub(super) fn number(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let expected = format!("give a whole number from {} to {}", range.start(), range.end());
        let parse =
            |value: &Value| number_of(value).filter(|number| range.contains(number)).ok_or_else(|| expected.clone());
        self.value(path, meaning, parse, |number| number.to_string()).unwrap_or_else(|| {
            self.default(path, meaning, default.to_string());
            default
        })
    }

    /// A whole number, or the word that stands for none, which is the default.
    pub(super) fn number_or(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        word: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let expected = format!("give \"{word}\", or a whole number from {} to {}", range.start(), range.end());
        let parse = |value: &Value| match value.as_str().map(str::trim) {
            Some(text) if text == word => Ok(None),
            Some(_) | None => {
                let number = number_of(value).filter(|number| range.contains(number));
                number.map(Some).ok_or_else(|| expected.clone())
            }
        };
        let write = |number: &Option<u64>| number.map_or_else(|| quoted(word), |number| number.to_string());
        self.value(path, meaning, parse, write).unwrap_or_else(|| {
            self.default(path, meaning, quoted(word));
            None
        })
    }

    /// A text with a meaning of its own and a default.
    pub(super) fn text<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        default: (&'static str, T),
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> T {
        let (default_text, default) = default;
        self.optional_text(path, meaning, parse).unwrap_or_else(|| {
            self.default(path, meaning, quoted(default_text));
            default
        })
    }

    /// A text that may be absent.
    pub(super) fn optional_text<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parse = |value: &Value| {
            let text = value.as_str().ok_or_else(|| "give a text between quotes".to_owned())?;
            parse(text).map(|parsed| (parsed, quoted(text)))
        };
        self.value(path, meaning, parse, |(_, text)| without_credentials(text)).map(|(parsed, _)| parsed)
    }

    /// The same for a text that may hold a secret when it is wrong: a problem does not repeat it.
    pub(super) fn optional_secret_text<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let known = self.problems.len();
        let read = self.optional_text(path, meaning, parse);
        for problem in self.problems.iter_mut().skip(known) {
            problem.given = HIDDEN.to_owned();
        }
        read
    }

    /// A text that is a secret: neither a problem nor the settings in force repeat it.
    pub(super) fn optional_hidden_text<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let read = self.optional_secret_text(path, meaning, parse);
        for setting in self.settings.iter_mut().filter(|setting| setting.path == path) {
            setting.value = Some(quoted(HIDDEN_VALUE));
        }
        read
    }

    /// A list of texts, none by default; in a variable they stand in one text, with commas between.
    pub(super) fn texts<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let of_text = |text: &str| parse(text.trim()).map(|parsed| (parsed, quoted(text.trim())));
        let of_value = |value: &Value| match (value.as_array(), value.as_str()) {
            (Some(list), _) => {
                list.iter().map(|one| of_text(one.as_str().ok_or("give texts between quotes")?)).collect()
            }
            (None, Some(text)) => text.split(',').filter(|part| !part.trim().is_empty()).map(of_text).collect(),
            (None, None) => Err("give a list of texts".to_owned()),
        };
        let write = |read: &Vec<(T, String)>| {
            let texts: Vec<_> = read.iter().map(|(_, text)| text.as_str()).collect();
            format!("[{}]", texts.join(", "))
        };
        let read = self.value(path, meaning, of_value, write).unwrap_or_else(|| {
            self.default(path, meaning, "[]".to_owned());
            Vec::new()
        });
        read.into_iter().map(|(parsed, _)| parsed).collect()
    }

    /// A part of a whole, from 0 to 1, with a default.
    pub(super) fn ratio(&mut self, path: &'static str, meaning: &'static str, default: f64) -> f64 {
        let parse = |value: &Value| {
            let number = match value.as_str() {
                Some(text) => text.trim().parse().ok(),
                None => value
                    .as_float()
                    .or_else(|| number_of(value).and_then(|whole| u32::try_from(whole).ok()).map(f64::from)),
            };
            number.filter(|number| (0.0..=1.0).contains(number)).ok_or_else(|| "give a number from 0 to 1".to_owned())
        };
        let write = |number: &f64| Value::Float(*number).to_string();
        self.value(path, meaning, parse, write).unwrap_or_else(|| {
            self.default(path, meaning, write(&default));
            default
        })
    }

    /// Notes a setting that nobody set.
    pub(super) fn unset(&mut self, path: &'static str, meaning: &'static str) {
        if !self.is_known(path) {
            self.settings.push(Setting { path, meaning, value: None, origin: Origin::Default });
        }
    }

    /// Notes that a setting is needed, or will not do beside another; said once, and not of one that is wrong anyhow.
    pub(super) fn require(&mut self, path: &str, expected: impl Into<String>) {
        if !self.is_wrong(path) {
            self.problems.push(Problem {
                path: path.to_owned(),
                origin: Origin::Default.to_string(),
                given: String::new(),
                expected: expected.into(),
            });
        }
    }

    /// The settings that were read.
    ///
    /// # Errors
    /// With everything that was wrong, unknown settings included.
    pub(super) fn finish(mut self) -> Result<Vec<Setting>, Problems> {
        let mut unknown = Vec::new();
        for layer in &self.layers {
            for (path, value) in layer.paths().into_iter().filter(|(path, _)| !self.is_known(path)) {
                let nearest = self.settings.iter().map(|setting| setting.path);
                let nearest = nearest.min_by_key(|known| strsim::osa_distance(&path, known)).unwrap_or_default();
                let expected = format!("unknown setting; nearest known: {nearest}");
                unknown.push(Problem { path, origin: layer.origin.to_string(), given: shown(value), expected });
            }
        }
        self.problems.extend(unknown);
        if self.problems.is_empty() { Ok(self.settings) } else { Err(Problems(self.problems)) }
    }

    /// Whether a setting was given and will not do.
    pub(super) fn is_wrong(&self, path: &str) -> bool {
        self.problems.iter().any(|problem| problem.path == path)
    }

    fn is_known(&self, path: &str) -> bool {
        self.settings.iter().any(|setting| setting.path == path)
    }

    fn default(&mut self, path: &'static str, meaning: &'static str, value: String) {
        if !self.is_known(path) {
            self.settings.push(Setting { path, meaning, value: Some(value), origin: Origin::Default });
        }
    }

    /// The value of the last layer that sets it; wrong values of any layer are noted.
    fn value<T>(
        &mut self,
        path: &'static str,
        meaning: &'static str,
        parse: impl Fn(&Value) -> Result<T, String>,
        write: impl Fn(&T) -> String,
    ) -> Option<T> {
        let mut read = None;
        for layer in &self.layers {
            let Some(value) = layer.value(path) else { continue };
            match parse(value) {
                Ok(parsed) => read = Some((parsed, layer.origin.clone())),
                Err(expected) => {
                    let (path, origin) = (path.to_owned(), layer.origin.to_string());
                    self.problems.push(Problem { path, origin, given: shown(value), expected });
                }
            }
        }
        let (parsed, origin) = read?;
        self.settings.push(Setting { path, meaning, value: Some(write(&parsed)), origin });
        Some(parsed)
    }
}

/// A number of the file, or its digits in a variable.
fn number_of(value: &Value) -> Option<u64> {
    match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => value.as_integer().and_then(|number| u64::try_from(number).ok()),
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// A value as a message repeats it: without credentials, cut to 64 characters.
fn shown(value: &Value) -> String {
    without_credentials(&value.to_string()).chars().filter(|character| !character.is_control()).take(64).collect()
}
