//! Which policies are in force.

use std::path::PathBuf;

use super::reader::Reader;

/// Which policies are in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyConfig {
    /// Files over the national policy that ships; read when the service starts.
    pub files: Vec<PathBuf>,
}

impl PolicyConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let files = reader.paths(
            "policy.files",
            "Policy files in force: of territories, of departments, at most one national; a list, or texts between commas.",
        );
        Self { files }
    }
}
