//! Scenario files: `_common.toml` beside them, the defaults of a file, and one scenario after the other.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::expectation::Expectation;
use super::fields::Fields;
use super::given::{Context, Given};
use super::problem::{Log, Problem, Problems};
use super::question;
use super::shipped::{COMMON as SHIPPED_COMMON, FILES as SHIPPED};
use super::step::Step;
use super::town::Towns;
use crate::domain::query::CareQuery;

/// What all scenarios of a folder share.
const COMMON: &str = "_common.toml";
/// Longest file that is read, in bytes.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The scenarios of some files.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    /// How many files were read, without what they share.
    pub files: usize,
    /// In order of file and line.
    pub scenarios: Vec<Scenario>,
}

/// One scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file as it was named.
    pub file: String,
    /// Where it begins in the file.
    pub line: usize,
    /// The family that the file is about.
    pub family: String,
    /// A short fact, unlike that of every other scenario.
    pub name: String,
    /// What a physician needs to know of it.
    pub story: String,
    pub(super) given: Given,
    pub(super) query: CareQuery,
    pub(super) then: Option<Expectation>,
    pub(super) steps: Vec<Step>,
}

/// Reads files, and the `.toml` files of folders.
///
/// # Errors
/// With everything that is wrong in any of them, by file, line and scenario.
pub fn load(paths: &[PathBuf]) -> Result<Corpus, Problems> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        match files_of(path) {
            Ok(found) => files.extend(found),
            Err(message) => problems.push(of_whole(path, message)),
        }
    }
    files.sort();
    files.dedup();
    let mut corpus = Corpus { files: files.len(), scenarios: Vec::new() };
    let mut towns: HashMap<PathBuf, Towns> = HashMap::new();
    for path in &files {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let known = towns.entry(folder).or_insert_with_key(|folder| read_common(&folder.join(COMMON), &mut problems));
        match read_text(path) {
            Ok(text) => corpus.scenarios.extend(read_file(&path.to_string_lossy(), &text, known, &mut problems)),
            Err(message) => problems.push(of_whole(path, message)),
        }
    }
    if problems.is_empty() && corpus.scenarios.is_empty() {
        problems.extend(paths.iter().map(|path| of_whole(path, "no scenario in it: write [[scenario]]".to_owned())));
    }
    sound(corpus, problems)
}

/// The corpus that ships with the program.
///
/// # Errors
/// Never, unless a compiled-in file was spoilt; a test reads them.
pub fn shipped() -> Result<Corpus, Problems> {
    let mut problems = Vec::new();
    let towns = common_of(COMMON, SHIPPED_COMMON, &mut problems);
    let mut corpus = Corpus { files: SHIPPED.len(), scenarios: Vec::new() };
    for (file, text) in SHIPPED {
        corpus.scenarios.extend(read_file(file, text, &towns, &mut problems));
    }
    sound(corpus, problems)
}

/// A corpus in which nothing is wrong.
fn sound(corpus: Corpus, mut problems: Vec<Problem>) -> Result<Corpus, Problems> {
    refuse_duplicates(&corpus, &mut problems);
    problems.sort();
    if problems.is_empty() { Ok(corpus) } else { Err(Problems(problems)) }
}

fn of_whole(path: &Path, message: String) -> Problem {
    Problem { file: path.to_string_lossy().into_owned(), line: 0, scenario: None, message }
}

/// A file itself, or the scenario files of a folder and of those in it.
fn files_of(path: &Path) -> Result<Vec<PathBuf>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let entries = std::fs::read_dir(path).map_err(|error| format!("cannot be read: {error}"))?;
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot be read: {error}"))?.path();
        let is_toml = entry.extension().is_some_and(|extension| extension == "toml");
        if entry.is_dir() {
            files.extend(files_of(&entry)?);
        } else if is_toml && !entry.ends_with(COMMON) {
            files.push(entry);
        }
    }
    Ok(files)
}

fn read_text(path: &Path) -> Result<String, String> {
    let length = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > FILE_MAX_BYTES {
        return Err(format!("{length} bytes are too many: at most {FILE_MAX_BYTES}"));
    }
    std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))
}

/// The towns beside a scenario; none when there is no such file.
fn read_common(path: &Path, problems: &mut Vec<Problem>) -> Towns {
    if !path.exists() {
        return Towns::default();
    }
    let text = match read_text(path) {
        Ok(text) => text,
        Err(message) => {
            problems.push(of_whole(path, message));
            return Towns::default();
        }
    };
    common_of(&path.to_string_lossy(), &text, problems)
}

/// The towns of a text.
fn common_of(file: &str, text: &str, problems: &mut Vec<Problem>) -> Towns {
    let log = Log::new(file, text);
    let towns = parse(&log, text).map(|table| {
        let mut fields = Fields::new(vec![table.get_ref()], 0, &log);
        let towns = Towns::read(&mut fields);
        fields.finish();
        towns
    });
    problems.extend(log.into_problems());
    towns.unwrap_or_default()
}

fn parse<'t>(log: &Log<'_>, text: &'t str) -> Option<toml::Spanned<DeTable<'t>>> {
    let refuse = |error: &toml::de::Error| log.refuse(error.span().map_or(0, |span| span.start), error.message());
    DeTable::parse(text).inspect_err(refuse).ok()
}

/// The scenarios of a file that are sound; what is wrong is added to the problems.
pub(super) fn read_file(file: &str, text: &str, towns: &Towns, problems: &mut Vec<Problem>) -> Vec<Scenario> {
    let log = Log::new(file, text);
    let mut scenarios = Vec::new();
    if let Some(table) = parse(&log, text) {
        let mut fields = Fields::new(vec![table.get_ref()], 0, &log);
        let family = fields.required("family").to_owned();
        let (given, when) = (fields.table("given"), fields.table("when"));
        let below = Below { family, given, when, towns };
        for mut table in fields.tables("scenario") {
            log.enter(Some(table.required("name").to_owned()));
            scenarios.extend(read_scenario(table, &below));
        }
        log.enter(None);
        fields.finish();
    }
    problems.extend(log.into_problems());
    scenarios
}

/// What a file says for all its scenarios.
struct Below<'t, 'a> {
    family: String,
    given: Option<Fields<'t>>,
    when: Option<Fields<'t>>,
    towns: &'a Towns,
}

/// A table of the scenario over that of the file.
fn over<'t>(fields: &mut Fields<'t>, name: &'static str, below: Option<&Fields<'t>>) -> Fields<'t> {
    let own = fields.table(name);
    let at = own.as_ref().map_or(fields.at(), Fields::at);
    let layers = own.iter().chain(below).flat_map(|table| table.layers().iter().copied()).collect();
    Fields::new(layers, at, fields.log())
}

fn read_scenario<'t>(mut fields: Fields<'t>, below: &Below<'t, '_>) -> Option<Scenario> {
    let log = fields.log();
    let (before, place) = (log.count(), fields.at());
    let line = log.line(place);
    let (name, story) = (fields.required("name").to_owned(), fields.required("story").to_owned());
    let mut when = over(&mut fields, "when", below.when.as_ref());
    let when_layers = when.layers().to_vec();
    let given = over(&mut fields, "given", below.given.as_ref());
    let home = when.text("patient").and_then(|town| below.towns.get(town).ok());
    let context = Context { towns: below.towns, department: home.map(|town| town.commune.department()) };
    let given = Given::read(given, &context);
    let given_is_sound = log.count() == before;
    let given = given?;
    let query = question::read(&mut when, &given, below.towns);
    when.finish();
    if !given_is_sound {
        // What follows names what is given; of a world that is wrong it would be refused for no fault of its own.
        return None;
    }
    let then = fields.table("then").map(|then| Expectation::read(then, &given));
    let steps = fields.tables("then_when");
    let steps: Vec<_> = steps.into_iter().map(|step| Step::read(step, &when_layers, &given, below.towns)).collect();
    fields.finish();
    if log.count() == before && then.is_none() && !steps.iter().any(Step::states) {
        log.refuse(place, "states nothing: add `then`");
    }
    let sound = log.count() == before;
    let (file, family) = (log.file().to_owned(), below.family.clone());
    query.filter(|_| sound).map(|query| Scenario { file, line, family, name, story, given, query, then, steps })
}

fn refuse_duplicates(corpus: &Corpus, problems: &mut Vec<Problem>) {
    let mut first: BTreeMap<&str, &Scenario> = BTreeMap::new();
    for scenario in &corpus.scenarios {
        if let Some(known) = first.get(scenario.name.as_str()) {
            problems.push(Problem {
                file: scenario.file.clone(),
                line: scenario.line,
                scenario: Some(scenario.name.clone()),
                message: format!("the name is in use at {}:{}: give another one", known.file, known.line),
            });
        } else {
            first.insert(&scenario.name, scenario);
        }
    }
}
