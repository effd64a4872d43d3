//! How commands end that are given a file or a folder that is not what it should be: 2, as the README has it.
//!
//! Deliberately absent: files that are read and hold bad rows, whose ending the story of an import tells.

use std::fs;
use std::path::Path;

use crate::harness::server_process::{ServerProcess, program_command};

/// A file that opens and cannot be read, whoever asks.
const UNREADABLE: &str = "/proc/self/mem";
const ROSTER_HEADER: &str = "place_id;date;start;end;modalities;visibilities;practitioner_id;city\n";

/// Lays out what the commands are given, by names that the tables use.
fn lay_out(folder: &Path) {
    fs::create_dir(folder.join("folder")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write("empty", b"");
    write("text", b"an ordinary file\n");
    write("latin1.csv", b"place_id;caf\xe9\n");
    let utf16 = ROSTER_HEADER.encode_utf16().flat_map(u16::to_le_bytes);
    write("utf16.csv", &[0xff, 0xfe].into_iter().chain(utf16).collect::<Vec<_>>());
    write("latin1.json", b"{\"resourceType\": \"Bundle\", \"id\": \"caf\xe9\"}");
    write("cut.json", b"{\"resourceType\": \"Bundle\", \"entry\": [");
    write("patient.json", b"{\"resourceType\": \"Patient\"}");
    write("latin1.jsonl", b"{\"format\":1,\"epoch\":\"1\"}\ncaf\xe9\n");
    write("garbage.jsonl", b"{\"format\":1,\"epoch\":\"1\",\"records\":\"1\"}\nrecord\n");
    write("newer.jsonl", b"{\"format\":99,\"epoch\":\"1\"}\n");
    write("latin1.toml", b"# caf\xe9\n");
    fs::File::create(folder.join("huge.csv")).unwrap().set_len(65 * 1024 * 1024).unwrap();
}

/// Runs each command line in the folder and tells which do not end as expected.
fn judge(folder: &Path, lines: &[&str], exit: i32) {
    let mut wrong = Vec::new();
    for line in lines {
        let output = program_command().args(line.split(' ')).current_dir(folder).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.code() != Some(exit) || stderr.trim().is_empty() || !output.stdout.is_empty() {
            wrong.push(format!("{line}: {:?}: {stderr}", output.status.code()));
        }
    }
    assert!(wrong.is_empty(), "not {exit}:\n{}", wrong.join("\n"));
}

#[test]
fn a_file_or_folder_that_is_not_valid_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path());
    let unreadable = format!("import {UNREADABLE} --source-id s");
    let unreadable_state = format!("import {UNREADABLE} --data-dir new");
    let lines = [
        "import absent.csv --source-id s",
        "import folder --source-id s",
        unreadable.as_str(),
        "import text/inside.csv --source-id s",
        "import empty --source-id s",
        "import huge.csv --source-id s",
        "import latin1.csv --source-id s",
        "import utf16.csv --source-id s",
        "import latin1.json --source-id s",
        "import cut.json --source-id s",
        "import patient.json --source-id s",
        "import garbage.jsonl --source-id s",
        "import absent.jsonl --data-dir new",
        "import folder --data-dir new",
        unreadable_state.as_str(),
        "import empty --data-dir new",
        "import text --data-dir new",
        "import latin1.jsonl --data-dir new",
        "import garbage.jsonl --data-dir new",
        "import newer.jsonl --data-dir new",
        "import garbage.jsonl --data-dir text",
        "export --data-dir absent",
        "export --data-dir text",
        "export --data-dir folder",
        "export --data-dir folder --to text",
        "export --data-dir folder --to absent/export.jsonl",
        "serve --config absent.toml",
        "serve --config folder",
        "serve --config latin1.toml",
        "serve --listen 127.0.0.1:0 --data-dir text",
        "serve --listen 127.0.0.1:0 --data-dir text/inside",
        "serve --listen 192.0.2.1:7410 --data-dir new-state",
    ];
    judge(folder.path(), &lines, 2);
}

#[test]
fn what_this_machine_withholds_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let address = server.address().trim_start_matches("http://").to_owned();
    let taken = format!("serve --listen {address} --data-dir other");
    judge(folder.path(), &["export --data-dir state", "serve --listen 127.0.0.1:0 --data-dir state", &taken], 1);
}
