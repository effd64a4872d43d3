//! `export`: writes the whole state of a data folder or a Redis as JSON lines, without a service.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ledger::redis_address;
use crate::cli::terminal::Terminal;
use crate::ledger::redis::whole::Whole;
use crate::ledger::transfer;

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Folder in which a service keeps its state; the service must not run
    #[arg(long, value_name = "FOLDER", required_unless_present = "ledger", conflicts_with = "ledger")]
    pub data_dir: Option<PathBuf>,
    /// Redis in which services keep their state, as for `serve`; they may go on meanwhile
    #[arg(long, value_name = "URL")]
    pub ledger: Option<String>,
    /// File to write, which must not be there yet; the standard output unless given
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Writes every record, one a line.
///
/// # Errors
/// When the folder is in use or cannot be read, the Redis cannot be read, or the export cannot be written.
pub async fn run(arguments: &ExportArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let failed = |error: transfer::TransferError| Failure::of_transfer(&error, &error);
    let state = match (&arguments.ledger, &arguments.data_dir) {
        (Some(url), _) => State::Whole(transfer::redis::read(&redis_address(url)?).await.map_err(failed)?),
        (None, Some(data_dir)) => State::Folder(data_dir),
        (None, None) => return Err(Failure::Usage("give --data-dir or --ledger".to_owned())),
    };
    if let State::Folder(data_dir) = &state {
        let reading = |source| Failure::File { what: format!("reading the folder {}", data_dir.display()), source };
        std::fs::read_dir(data_dir).map_err(reading)?;
    }
    let write = |out: &mut dyn Write| match state {
        State::Whole(whole) => transfer::redis::export(whole, out).map_err(failed),
        State::Folder(data_dir) => transfer::export(data_dir, out).map_err(failed),
    };
    let count = match &arguments.to {
        Some(path) => to_file(path, |mut file| write(&mut file))?,
        None => write(&mut terminal.output())?,
    };
    terminal.note(&format!("{count} records exported"));
    Ok(Exit::Success)
}

/// What is exported.
enum State<'a> {
    /// What was read of a Redis.
    Whole(Whole),
    /// A data folder.
    Folder(&'a Path),
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
