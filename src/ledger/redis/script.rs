//! The scripts: their texts and the digests under which a server keeps them.

use redis::{Cmd, cmd};

use crate::seeded;

/// What stands before each of them.
const COMMON: &str = include_str!("script/common.lua");

/// A script.
pub(super) struct Script {
    source: String,
    sha: String,
}

impl Script {
    fn new(body: &str) -> Self {
        let source = seeded::script(format!("{COMMON}{body}"));
        let sha = sha1_smol::Sha1::from(&source).digest().to_string();
        Self { source, sha }
    }

    /// The command that gives it to a server.
    pub(super) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(&self.source);
        load
    }

    /// The command that runs it, up to the number of keys.
    pub(super) fn call(&self, keys: usize) -> Cmd {
        let mut call = cmd("EVALSHA");
        call.arg(&self.sha).arg(keys);
        call
    }
}

/// All scripts.
pub(super) struct Scripts {
    /// Conditional append.
    pub(super) append: Script,
    /// Forgetting.
    pub(super) trim: Script,
    /// Recovery.
    pub(super) recover: Script,
}

impl Scripts {
    /// The scripts of this version.
    pub(super) fn new() -> Self {
        Self {
            append: Script::new(include_str!("script/append.lua")),
            trim: Script::new(include_str!("script/trim.lua")),
            recover: Script::new(include_str!("script/recover.lua")),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> [&Script; 3] {
        [&self.append, &self.trim, &self.recover]
    }
}
