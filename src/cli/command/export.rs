//! `export`: writes the whole state of a data folder as JSON lines, without a service.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::ledger::transfer;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Folder in which a service keeps its state; the service must not run
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// File to write, which must not be there yet; the standard output unless given
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Writes every record, one a line.
///
/// # Errors
/// When the folder is in use or cannot be read, or the export cannot be written.
pub fn run(arguments: &ExportArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let data_dir = &arguments.data_dir;
    std::fs::read_dir(data_dir)
        .map_err(|source| Failure::File { what: format!("reading the folder {}", data_dir.display()), source })?;
    let failed = |error: transfer::TransferError| Failure::of_transfer(&error, &error);
    let count = match &arguments.to {
        Some(path) => to_file(path, |file| transfer::export(data_dir, file).map_err(failed))?,
        None => transfer::export(data_dir, terminal.output()).map_err(failed)?,
    };
    terminal.note(&format!("{count} records exported"));
    Ok(Exit::Success)
}

/// Writes a file that is there in whole or not at all, and only for whoever writes it.
fn to_file<T>(path: &Path, write: impl FnOnce(&File) -> Result<T, Failure>) -> Result<T, Failure> {
    let making = |source: io::Error| Failure::File { what: format!("making {}", path.display()), source };
    if path.exists() {
        return Err(making(io::ErrorKind::AlreadyExists.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(making)?;
    let written = write(file.as_file())?;
    let synced = file.as_file().sync_all();
    synced.map_err(|error| Failure::Local(format!("writing {}: {error}", path.display())))?;
    file.persist_noclobber(path).map_err(|error| making(error.error))?;
    Ok(written)
}
