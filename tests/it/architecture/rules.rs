//! The rules: who may name whom, and how a file looks.
//!
//! Invariant: a rule judges one file by its text alone, so its verdict needs no build and no other file.
//! Deliberately absent: what lints judge already (the clock, tasks, unwraps, missing documentation).

use std::fmt;

use super::lexer::{Token, tokens};

/// Most lines of a file.
const LINES_MAX: usize = 400;

/// Which modules each module may name besides itself, as `src/ARCHITECTURE.md` has it; a new arrow is a decision record.
/// `clock`, `tasks` and `trace` stand in for the runtime: only what computes does without them.
const ARROWS: &[(&str, &[&str])] = &[
    ("lib", &[]),
    ("domain", &[]),
    ("routing", &["domain"]),
    ("index", &["domain"]),
    ("ledger", &["domain", "proto::ledger", "clock", "seeded", "trace"]),
    ("road", &["domain", "trace"]),
    ("clock", &["domain"]),
    ("tasks", &[]),
    ("trace", &[]),
    ("seeded", &[]),
    ("proto", &[]),
    ("service", &["domain", "routing", "index", "ledger", "proto::ledger", "road", "clock", "tasks", "trace"]),
    ("scenario", &["domain", "index", "ledger", "service", "clock", "tasks"]),
    ("grpc", &["domain", "service", "proto", "clock", "tasks", "trace"]),
    ("config", &["domain", "road"]),
    ("telemetry", &["config", "domain", "service", "clock", "tasks", "trace"]),
    ("console", &["domain", "service", "clock", "tasks"]),
    ("admin", &["domain", "service", "telemetry", "console", "clock", "tasks"]),
    (
        "app",
        &[
            "domain",
            "routing",
            "index",
            "ledger",
            "road",
            "service",
            "grpc",
            "config",
            "telemetry",
            "console",
            "admin",
            "proto",
            "clock",
            "tasks",
            "trace",
        ],
    ),
    ("cli", &["domain", "routing", "ledger", "scenario", "proto", "config", "telemetry", "app", "clock", "tasks"]),
    ("main", &["cli", "app"]),
];
/// Modules with rooms of their own, which are told apart.
const DIVIDED: [&str; 1] = ["proto"];
/// Modules that think: no `async`, no runtime, no wire types.
const PURE: [&str; 3] = ["domain", "routing", "index"];
/// Crates that a pure module does not name.
const RUNTIME_CRATES: [&str; 9] =
    ["tokio", "tonic", "prost", "prost_types", "redb", "redis", "tower", "tracing", "opentelemetry"];
/// Crates that only their modules name, since those are the boundary to them.
const BOUNDARY_CRATES: [(&str, &[&str]); 8] = [
    ("opentelemetry_otlp", &["telemetry"]),
    ("redb", &["ledger"]),
    ("redis", &["ledger"]),
    ("axum", &["admin", "console"]),
    ("hyper", &["road", "admin"]),
    ("hyper_util", &["road", "admin"]),
    ("tokio_rustls", &["road"]),
    ("rustls_native_certs", &["road"]),
];
/// Marks of unfinished work; cut in two so that this file does not trip over itself.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
/// The only test file that lets time pass: how long a fault lasts is what it is, not something to wait for.
const PAUSE: &str = "tests/it/chaos/pause.rs";
/// Macros that leave a hole.
const HOLES: [&str; 3] = ["dbg", "todo", "unimplemented"];
/// Folders of one machine; cut in two for the same reason.
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];

/// A broken rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Violation {
    /// Path from the crate's folder, with `/`.
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    /// What is wrong, and what to do.
    pub(crate) rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// What breaks a rule in a file; the path is from the crate's folder, with `/`.
pub(crate) fn violations(path: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut report = |line: usize, rule: String| found.push(Violation { path: path.to_owned(), line, rule });
    check_text(text, &mut report);
    if path.ends_with(".py") {
        check_python(text, &mut report);
    }
    if path.ends_with(".rs") {
        let tokens = tokens(text);
        check_shape(path, text, &mut report);
        check_words(path, &tokens, &mut report);
        if let Some(inner) = path.strip_prefix("src/") {
            check_module(inner, &tokens, &mut report);
        }
    }
    found.sort();
    found
}

fn check_text(text: &str, report: &mut impl FnMut(usize, String)) {
    for (number, line) in (1..).zip(text.lines()) {
        for mark in UNFINISHED {
            if words(line).any(|word| word == mark) {
                report(number, format!("`{mark}`: finish it, or file an issue"));
            }
        }
        for folder in MACHINE_PATHS {
            if line.match_indices(folder).any(|(at, _)| stands_alone(line, at)) {
                report(
                    number,
                    format!("`{folder}` is a folder of one machine: take it from the environment or from cargo"),
                );
            }
        }
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| c != '_' && !c.is_alphanumeric())
}

/// Whether a path starts here, and is not the tail of a longer one such as `../shared/…`.
fn stands_alone(line: &str, at: usize) -> bool {
    line[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric() && !"_.-~}".contains(before))
}

fn check_python(text: &str, report: &mut impl FnMut(usize, String)) {
    for (number, line) in (1..).zip(text.lines()) {
        if line.contains("sleep(") {
            report(number, "a test waits for a condition, not for time".to_owned());
        }
    }
}

fn check_shape(path: &str, text: &str, report: &mut impl FnMut(usize, String)) {
    let opens_well = text.starts_with("//! ") || (path == "src/lib.rs" && text.starts_with("#![doc = include_str!("));
    if !opens_well {
        report(1, "a file opens with `//!`: what it is for, its invariant, what it does not do".to_owned());
    }
    let count = text.lines().count();
    if count > LINES_MAX {
        report(LINES_MAX + 1, format!("{count} lines, at most {LINES_MAX}: split the file by idea"));
    }
    // What benches and tests share is reached by its path, which only `mod.rs` bears.
    if path.ends_with("/mod.rs") && !path.starts_with("benches/") {
        report(1, "a module is `foo.rs` and `foo/`, not `foo/mod.rs`".to_owned());
    }
}

fn check_words(path: &str, tokens: &[Token<'_>], report: &mut impl FnMut(usize, String)) {
    let is_test = path.starts_with("tests/") || path.ends_with("tests.rs") || path.contains("/tests/");
    for (at, token) in tokens.iter().enumerate() {
        let next = text_at(tokens, at + 1);
        if HOLES.contains(&token.text) && next == "!" {
            report(token.line, format!("`{}!` leaves a hole: finish it", token.text));
        }
        if token.text == "ignore" && text_at(tokens, at.wrapping_sub(1)) == "[" {
            report(token.line, "a test that is ignored proves nothing: run it or remove it".to_owned());
        }
        if is_test && path != PAUSE && token.text == "sleep" && next == "(" {
            report(token.line, "a test waits for a condition, not for time".to_owned());
        }
    }
}

/// The rules on a module; the path is from `src/`.
fn check_module(inner: &str, tokens: &[Token<'_>], report: &mut impl FnMut(usize, String)) {
    let (module, depth) = module_and_depth(inner);
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        return report(1, format!("module `{module}` is not in the table of who may name whom"));
    };
    for (line, named) in names_from_root(tokens, depth) {
        let room = named.split("::").next().unwrap_or_default();
        if room != module && !allowed.contains(&named.as_str()) && !allowed.contains(&room) {
            let may = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
            report(line, format!("`{module}` names `{named}`; it may name {may}"));
        }
    }
    let is_pure = PURE.contains(&module);
    for (at, token) in tokens.iter().enumerate() {
        let is_crate = text_at(tokens, at + 1) == "::" && text_at(tokens, at.wrapping_sub(1)) != "::";
        if is_pure && ["async", "await"].contains(&token.text) {
            report(token.line, format!("`{}` in `{module}`, which only computes", token.text));
        }
        if is_pure && is_crate && RUNTIME_CRATES.contains(&token.text) {
            report(token.line, format!("`{module}` names the crate `{}`, and only computes", token.text));
        }
        if module == "domain" && token.text.starts_with("serde") {
            report(token.line, "`domain` has no wire or file format: convert at the boundary".to_owned());
        }
        if let Some((name, owners)) = BOUNDARY_CRATES.iter().find(|(name, _)| is_crate && *name == token.text)
            && !owners.contains(&module)
        {
            report(token.line, format!("only `{}` names the crate `{name}`", owners.join("`, `")));
        }
    }
}

/// The top-level module of a file and how deep below the crate's root the file is.
fn module_and_depth(inner: &str) -> (&str, usize) {
    let stem = inner.strip_suffix(".rs").unwrap_or(inner);
    let module = stem.split('/').next().unwrap_or(stem);
    let depth = if ["lib", "main"].contains(&stem) { 0 } else { stem.split('/').count() };
    (module, depth)
}

/// What is named from the crate's root, with its line: by `crate::`, by the crate's name, or by climbing with `super::`.
fn names_from_root(tokens: &[Token<'_>], file_depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut inline_modules: Vec<usize> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => {
                braces += 1;
                if text_at(tokens, at.wrapping_sub(2)) == "mod" {
                    inline_modules.push(braces);
                }
            }
            "}" => {
                inline_modules.pop_if(|opened| *opened == braces);
                braces = braces.saturating_sub(1);
            }
            "crate" | "sas_router" if text_at(tokens, at + 1) == "::" => found.extend(heads(tokens, at + 2)),
            "super" if text_at(tokens, at.wrapping_sub(1)) != "::" => {
                let climbed = climbed(tokens, at);
                if climbed == file_depth + inline_modules.len() {
                    found.extend(heads(tokens, at + 2 * climbed));
                }
            }
            _ => {}
        }
    }
    found
}

fn climbed(tokens: &[Token<'_>], at: usize) -> usize {
    (0..).take_while(|k| text_at(tokens, at + 2 * k) == "super" && text_at(tokens, at + 2 * k + 1) == "::").count()
}

/// The first names of a path, or of each path of a `{…}` group.
fn heads(tokens: &[Token<'_>], at: usize) -> Vec<(usize, String)> {
    let Some(first) = tokens.get(at) else { return Vec::new() };
    if first.text != "{" {
        return vec![(first.line, head(tokens, at))];
    }
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut is_head = false;
    for (at, token) in tokens.iter().enumerate().skip(at) {
        match token.text {
            "{" => {
                depth += 1;
                is_head = depth == 1;
            }
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            "," => is_head = depth == 1,
            name => {
                if is_head && name != "self" {
                    found.push((token.line, head(tokens, at)));
                }
                is_head = false;
            }
        }
    }
    found
}

/// The module that a path starts with, and its room when it has rooms.
fn head(tokens: &[Token<'_>], at: usize) -> String {
    let (module, room) = (text_at(tokens, at), text_at(tokens, at + 2));
    let is_divided = DIVIDED.contains(&module) && text_at(tokens, at + 1) == "::" && room != "{";
    if is_divided { format!("{module}::{room}") } else { module.to_owned() }
}

fn text_at<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.text)
}
