//! `import`: reads a CSV roster, a FHIR Bundle or an exported state, and feeds it to a running service.

use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::cli::connection::{Output, ServerArguments};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::import::{
    FILE_MAX_BYTES, ImportOptions, ImportPlan, ImportReport, SendOptions, parse_bundle, parse_roster, position_doubt,
    send,
};
use crate::cli::ledger::redis_address;
use crate::cli::render::{Layout, import as render};
use crate::cli::terminal::Terminal;
use crate::clock::{Clock as _, SystemClock};
use crate::ledger::transfer;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// A roster: one line per opening.
    Csv,
    /// A FHIR R4 Bundle in JSON.
    Fhir,
    /// The whole state of a service, as `export` writes it.
    State,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The file; `-` for the standard input
    pub file: PathBuf,
    /// What the file is; judged by its first character unless given
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Publishing system that owns what the file says
    #[arg(long, value_name = "ID", required_unless_present_any = ["data_dir", "ledger"])]
    pub source_id: Option<String>,
    /// For an exported state: the folder to fill, empty or absent; no service may run on it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["source_id", "dry_run", "shift_to_today", "revision"])]
    pub data_dir: Option<PathBuf>,
    /// For an exported state: the Redis to fill, which must have no ledger; no service may run on it
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["data_dir", "source_id", "dry_run", "shift_to_today", "revision"]
    )]
    pub ledger: Option<String>,
    /// Say what would be sent, and send nothing; needs no service
    #[arg(long)]
    pub dry_run: bool,
    /// Move the file's first day to today, local times kept
    #[arg(long)]
    pub shift_to_today: bool,
    /// Send nothing when a row of the file is refused
    #[arg(long)]
    pub all_or_nothing: bool,
    /// Position of a place for which the file gives none; repeatable
    #[arg(long, value_name = "PLACE=LAT,LON", allow_hyphen_values = true)]
    pub position_of_place: Vec<String>,
    /// The source's revision: older than the newest one seen is refused; the time in milliseconds unless given
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub revision: Option<u64>,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Reads the file, sends it, and shows what became of every row.
///
/// # Errors
/// When the file cannot be read at all, or the service cannot be reached.
pub async fn run(arguments: &ImportArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.data_dir.is_some() || arguments.ledger.is_some() {
        return restore(arguments, terminal).await;
    }
    let source_id = arguments.source_id.as_deref().unwrap_or_default();
    let plan = read_plan(source_id, arguments, terminal)?;
    let mut options = SendOptions::at(source_id, SystemClock.now());
    options.file = shown_name(&arguments.file);
    options.source_revision = arguments.revision.unwrap_or(options.source_revision);
    options.all_or_nothing = arguments.all_or_nothing;
    options.dry_run = arguments.dry_run;
    options.progress = arguments.server.output == Output::Table;
    let report = if options.dry_run {
        // Without anything to send, no service is needed.
        ImportReport::planned(&if options.all_or_nothing { plan.all_or_nothing() } else { plan }, &options)
    } else {
        send(arguments.server.connect().await?, plan, &options).await
    };
    let text = match arguments.server.output {
        Output::Json => serde_json::to_string_pretty(&report).map_err(|error| Failure::Local(error.to_string()))?,
        Output::Table => render::report(&report, &Layout::new(terminal.width())),
    };
    terminal.answer(&text);
    Ok(exit_of(&report))
}

/// The file's name in the report: what was typed, unless it came by the standard input.
fn shown_name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// How an import ends.
fn exit_of(report: &ImportReport) -> Exit {
    let taken = report.directory.accepted + report.slots.created + report.slots.updated + report.slots.unchanged;
    let planned_any = report.dry_run && report.slots.planned > 0;
    if report.is_complete() {
        Exit::Success
    } else if taken > 0 || planned_any {
        Exit::PartlyRefused
    } else if report.slots.unanswered > 0 {
        Exit::Unreachable
    } else {
        Exit::Refused
    }
}

/// Fills a data folder or a Redis with an exported state.
async fn restore(arguments: &ImportArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.format.is_some_and(|format| format != Format::State) {
        return Err(Failure::Usage(
            "--data-dir and --ledger take an exported state only: leave them out, or give --format state".to_owned(),
        ));
    }
    let lines = BufReader::new(open(&arguments.file)?);
    let report = match (&arguments.ledger, &arguments.data_dir) {
        (Some(url), _) => transfer::redis::import(&redis_address(url)?, lines).await,
        (None, data_dir) => {
            let data_dir = data_dir.as_deref().unwrap_or(Path::new("."));
            transfer::import(data_dir, lines, SystemClock.now())
        }
    };
    let report =
        report.map_err(|error| Failure::of_transfer(&error, format_args!("{}: {error}", arguments.file.display())))?;
    terminal.answer(&match arguments.server.output {
        Output::Json => json!({ "imported": report.imported, "unchanged": report.unchanged }).to_string(),
        Output::Table => format!("{} enregistrements repris, {} déjà là.", report.imported, report.unchanged),
    });
    Ok(Exit::Success)
}

fn read_plan(source_id: &str, arguments: &ImportArguments, terminal: &Terminal) -> Result<ImportPlan, Failure> {
    let bytes = read_file(&arguments.file)?;
    let mut options = ImportOptions::for_source(source_id);
    for given in &arguments.position_of_place {
        let doubt = options.positions.add_place(given).map_err(|error| Failure::Usage(error.to_string()))?;
        if let Some((reason, message)) = doubt.map(position_doubt) {
            terminal.note(&format!("warning: --position-of-place {given} {message} ({})", reason.code()));
        }
    }
    let format = arguments.format.unwrap_or_else(|| sniffed(&bytes));
    let parsed = match format {
        Format::Csv => parse_roster(&bytes, &options),
        Format::Fhir => parse_bundle(&bytes, &options),
        Format::State => {
            let hint = "this is an exported state: name what to fill with --data-dir or --ledger, and no --source-id";
            return Err(Failure::Usage(format!("{}: {hint}", arguments.file.display())));
        }
    };
    let mut plan = parsed.map_err(|error| Failure::Usage(format!("{}: {error}", arguments.file.display())))?;
    if arguments.shift_to_today {
        let now = SystemClock.now();
        let days = plan.shift_to_today(now);
        plan.leave_out_past(now);
        terminal.note(&format!("every slot moved by {days} days, so that the file's first day is today"));
    }
    Ok(plan)
}

/// The bytes of a file, read no farther than the limit and one byte more, by which the reader sees that it is too large.
fn read_file(file: &Path) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(FILE_MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = open(file)?.take(limit).read_to_end(&mut bytes);
    read.map_err(|source| Failure::File { what: format!("reading {}", file.display()), source })?;
    Ok(bytes)
}

fn open(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let opened = std::fs::File::open(file);
    let opened = opened.map_err(|source| Failure::File { what: format!("opening {}", file.display()), source })?;
    Ok(Box::new(opened))
}

/// A Bundle opens with a brace, a roster never does; the first line of an exported state is an object that says its format.
fn sniffed(bytes: &[u8]) -> Format {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header: Option<serde_json::Value> = serde_json::from_slice(first_line).ok();
    if header.is_some_and(|header| header.get("format").is_some() && header.get("resourceType").is_none()) {
        return Format::State;
    }
    match text.first() {
        Some(b'{' | b'[') => Format::Fhir,
        Some(_) | None => Format::Csv,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_judged_by_its_first_character() {
        for (text, format) in [
            ("kind;date\n", Format::Csv),
            ("# note\n", Format::Csv),
            ("", Format::Csv),
            ("{\"resourceType\"", Format::Fhir),
            ("\u{feff}\r\n  {", Format::Fhir),
            ("{\"resourceType\": \"Bundle\", \"format\": 1}", Format::Fhir),
            ("{\"format\":1,\"epoch\":\"1\"}\n{}", Format::State),
        ] {
            assert_eq!(sniffed(text.as_bytes()), format, "{text:?}");
        }
    }

    #[test]
    fn an_import_ends_as_its_rows_did() {
        let mut report = ImportReport::default();
        assert_eq!(exit_of(&report), Exit::Success);
        report.refused_count = 1;
        assert_eq!(exit_of(&report), Exit::Refused);
        report.slots.created = 1;
        assert_eq!(exit_of(&report), Exit::PartlyRefused);
        let unanswered = ImportReport {
            slots: crate::cli::import::send::SlotCounts { unanswered: 2, ..Default::default() },
            ..ImportReport::default()
        };
        assert_eq!(exit_of(&unanswered), Exit::Unreachable);
    }
}
