//! `export`: writes the whole state of a data folder as JSON lines, without a service.

use std::fs::File;
use std::path::PathBuf;

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
        Some(path) => {
            let file = File::create_new(path)
                .map_err(|source| Failure::File { what: format!("making {}", path.display()), source })?;
            let count = transfer::export(data_dir, &file).map_err(failed)?;
            file.sync_all().map_err(|error| Failure::Local(format!("writing {}: {error}", path.display())))?;
            count
        }
        None => transfer::export(data_dir, terminal.output()).map_err(failed)?,
    };
    terminal.note(&format!("{count} records exported"));
    Ok(Exit::Success)
}
