//! Reads policy files: everything that is wrong in any of them is told at once, unreadable ones included.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::policy::PolicyDocument;
use crate::routing::policy::{Place, PolicyProblem, PolicyProblems, PolicySet};

/// Largest policy file in bytes.
const FILE_MAX_BYTES: u64 = 1_048_576;

/// The texts of these files.
///
/// # Errors
/// With a problem for each that cannot be read.
pub fn read_all(paths: &[PathBuf]) -> Result<Vec<PolicyDocument>, PolicyProblems> {
    let (documents, problems) = read_each(paths);
    if problems.is_empty() { Ok(documents) } else { Err(PolicyProblems(problems)) }
}

/// The policies of these files, over the national one that ships.
///
/// # Errors
/// With every problem, in order of file and line.
pub fn load(paths: &[PathBuf]) -> Result<PolicySet, PolicyProblems> {
    let (documents, mut problems) = read_each(paths);
    match PolicySet::load(&documents) {
        Ok(set) if problems.is_empty() => Ok(set),
        Ok(_) => Err(PolicyProblems(problems)),
        Err(PolicyProblems(found)) => {
            problems.extend(found);
            problems.sort();
            Err(PolicyProblems(problems))
        }
    }
}

fn read_each(paths: &[PathBuf]) -> (Vec<PolicyDocument>, Vec<PolicyProblem>) {
    let (mut documents, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let name: Arc<str> = Arc::from(path.display().to_string());
        match read(path) {
            Ok(text) => documents.push(PolicyDocument { name, text: text.into() }),
            Err(message) => {
                problems.push(PolicyProblem { place: Place { file: name, line: 1 }, path: String::new(), message });
            }
        }
    }
    (documents, problems)
}

fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read ({error}): name a readable file");
    let mut text = String::new();
    File::open(path).map_err(unreadable)?.take(FILE_MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    let fits = text.len() as u64 <= FILE_MAX_BYTES;
    fits.then_some(text).ok_or_else(|| format!("is larger than {FILE_MAX_BYTES} bytes: a policy is shorter"))
}
