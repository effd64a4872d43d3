//! Reads the sources and holds them to the architecture: who may name whom, and how a file looks.
//!
//! Invariant: every violation is shown at once, as `file:line: rule`, and every rule is seen to catch a seeded one.
//! Deliberately absent: anything that a lint can say.

mod lexer;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use rules::violations;

/// What is read, from the crate's folder; absent ones are skipped since a packaged crate may lack them.
const ROOTS: [&str; 10] =
    ["src", "tests", "benches", "proto", "deploy", ".ci", "build.rs", "Cargo.toml", "README.md", "CHANGELOG.md"];

#[test]
fn sources_keep_to_the_architecture() {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for root in ROOTS {
        collect(&crate_dir.join(root), &mut files);
    }
    files.sort();
    assert!(files.iter().any(|file| file.ends_with("src/lib.rs")), "the sources are not where they were built");

    let mut found = Vec::new();
    for file in files {
        // What is not text (an image, say) has no lines to judge.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let path = file.strip_prefix(crate_dir).unwrap().to_str().unwrap().replace('\\', "/");
        found.extend(violations(&path, &text).iter().map(ToString::to_string));
    }
    assert!(found.is_empty(), "{} violations of the architecture:\n{}", found.len(), found.join("\n"));
}

fn collect(at: &Path, files: &mut Vec<PathBuf>) {
    if at.is_file() {
        files.push(at.to_owned());
    }
    let Ok(entries) = fs::read_dir(at) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let is_made = [".venv", "generated", "__pycache__", "target"].iter().any(|made| path.ends_with(made));
        if !is_made {
            collect(&path, files);
        }
    }
}

/// Path, source with one fault, and what is to be said of it.
const SEEDED: &[(&str, &str, &str)] = &[
    ("src/domain/slot.rs", "//! x\nuse crate::index::Index;", "2: `domain` names `index`; it may name nothing"),
    ("src/index.rs", "//! x\nuse crate::{domain::a, ledger::{b, c}};", "2: `index` names `ledger`; it may name domain"),
    ("src/routing.rs", "//! x\nuse super::index;", "2: `routing` names `index`; it may name domain"),
    (
        "src/routing/a.rs",
        "//! x\nmod b { use super::super::super::index; }",
        "2: `routing` names `index`; it may name domain",
    ),
    (
        "src/grpc/a.rs",
        "//! x\nfn f() { crate::app::run() }",
        "2: `grpc` names `app`; it may name domain, service, proto, clock, tasks, trace",
    ),
    ("src/main.rs", "//! x\nuse sas_router::domain;", "2: `main` names `domain`; it may name cli, app"),
    (
        "src/ledger.rs",
        "//! x\nuse crate::proto::{ledger, routing};",
        "2: `ledger` names `proto`; it may name domain, proto::ledger, clock, seeded, trace",
    ),
    (
        "src/ledger.rs",
        "//! x\nuse crate::proto::routing::Hold;",
        "2: `ledger` names `proto::routing`; it may name domain, proto::ledger, clock, seeded, trace",
    ),
    ("src/odd.rs", "//! x\n", "1: module `odd` is not in the table of who may name whom"),
    ("src/index.rs", "//! x\npub async fn f() {}", "2: `async` in `index`, which only computes"),
    ("src/routing.rs", "//! x\nuse tokio::time;", "2: `routing` names the crate `tokio`, and only computes"),
    (
        "src/domain.rs",
        "//! x\n#[derive(serde::Serialize)]",
        "2: `domain` has no wire or file format: convert at the boundary",
    ),
    ("src/service.rs", "//! x\nuse redb::Database;", "2: only `ledger` names the crate `redb`"),
    (
        "src/domain.rs",
        "use std::fmt;",
        "1: a file opens with `//!`: what it is for, its invariant, what it does not do",
    ),
    ("src/domain/mod.rs", "//! x\n", "1: a module is `foo.rs` and `foo/`, not `foo/mod.rs`"),
    ("src/domain.rs", concat!("//! x\n// TO", "DO later"), concat!("2: `TO", "DO`: finish it, or file an issue")),
    ("src/domain.rs", "//! x\nfn f() { todo!() }", "2: `todo!` leaves a hole: finish it"),
    ("tests/it/a.rs", "//! x\n#[ignore]", "2: a test that is ignored proves nothing: run it or remove it"),
    ("tests/it/a.rs", "//! x\ntokio::time::sleep(d).await;", "2: a test waits for a condition, not for time"),
    ("src/domain/tests.rs", "//! x\nsleep(d);", "2: a test waits for a condition, not for time"),
    ("tests/python/a.py", "time.sleep(1)", "1: a test waits for a condition, not for time"),
    (
        "README.md",
        concat!("see /wo", "rk/x"),
        concat!("1: `/wo", "rk/` is a folder of one machine: take it from the environment or from cargo"),
    ),
];

#[test]
fn seeded_violation_is_found() {
    for (path, text, expected) in SEEDED {
        let found: Vec<String> = violations(path, text).iter().map(ToString::to_string).collect();
        assert_eq!(found, [format!("{path}:{expected}")], "{text}");
    }
}

#[test]
fn file_of_too_many_lines_is_found() {
    let long = format!("//! x\n{}", "// y\n".repeat(400));
    assert_eq!(violations("src/domain.rs", &long).len(), 1);
    assert_eq!(violations("src/domain.rs", &long[..long.len() - 5]), []);
}

#[test]
fn sound_source_is_left_alone() {
    let cases = [
        (
            "src/ledger/a.rs",
            "//! x\nuse crate::{domain::a, proto::ledger::Record};\nuse super::b;\npub(crate) fn f() { crate::clock::c() }",
        ),
        (
            "src/domain/a.rs",
            "//! x\nmod tests { use super::super::b; }\n// crate::index and async\nconst A: &str = \"crate::index\";",
        ),
        ("src/index/a.rs", "//! x\nuse crate::{domain::{a, ledger_of}, index::b};"),
        ("src/lib.rs", "#![doc = include_str!(\"ARCHITECTURE.md\")]\npub mod domain;"),
        ("src/main.rs", "//! x\nfn main() { sas_router::cli::run(); }"),
        ("README.md", concat!("see ../shared and https://a.example/wo", "rk/x and target/tm", "p/x")),
    ];
    for (path, text) in cases {
        assert_eq!(violations(path, text), [], "{text}");
    }
}
