//! Where state is kept.

use std::path::PathBuf;

use super::reader::Reader;

/// Where state is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerConfig {
    /// Which ledger keeps it.
    pub kind: LedgerKind,
    /// Memory for pages of the embedded ledger's file, in bytes.
    pub cache_bytes: usize,
}

/// Which ledger keeps state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LedgerKind {
    /// In memory: a restart forgets everything. For trials and tests.
    Memory,
    /// In a file of this folder.
    Embedded {
        /// The folder; made when it is not there.
        data_dir: PathBuf,
    },
}

impl LedgerConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let is_memory = reader.text(
            "ledger.kind",
            "Where state is kept: embedded (a file of ledger.data_dir) or memory (lost at every restart).",
            ("embedded", false),
            |text| match text.trim() {
                "embedded" => Ok(false),
                "memory" => Ok(true),
                _ => Err("give embedded or memory".to_owned()),
            },
        );
        const DATA_DIR: (&str, &str) = ("ledger.data_dir", "Folder of the embedded ledger; made when it is not there.");
        let data_dir = reader.optional_text(DATA_DIR.0, DATA_DIR.1, |text| match text.trim() {
            "" => Err("give a folder".to_owned()),
            text => Ok(PathBuf::from(text)),
        });
        reader.unset(DATA_DIR.0, DATA_DIR.1);
        let cache_megabytes = reader.number(
            "ledger.cache_megabytes",
            "Memory for pages of the embedded ledger's file, in megabytes.",
            16,
            1..=65_536,
        );
        let kind = match data_dir {
            _ if is_memory => LedgerKind::Memory,
            Some(data_dir) => LedgerKind::Embedded { data_dir },
            None => {
                reader.require(
                    DATA_DIR.0,
                    "missing: give the folder of the embedded ledger (--data-dir), or set ledger.kind to memory",
                );
                LedgerKind::Memory
            }
        };
        Self { kind, cache_bytes: usize::try_from(cache_megabytes * 1_024 * 1_024).unwrap_or(usize::MAX) }
    }
}
