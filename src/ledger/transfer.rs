//! The whole state of a ledger as lines of JSON, out of a data folder or a Redis and into one.
//!
//! The first line is an `ExportHeader`, every other an `ExportLine`, in canonical protobuf JSON and in the order of
//! their keys. Importing an export and exporting it again gives the same bytes: versions, position and clock come along.
//!
//! Invariant: an import is written whole or not at all. Deliberately absent: the outcomes of requests, so that a retry
//! across a move is judged anew, by the versions of the records; and the log.

mod json;
pub mod redis;

use std::io::{BufRead, Read as _, Write};
use std::path::Path;

use redb::ReadableTableMetadata as _;

use super::codec::{self, Interner};
use super::embedded::store::{Fault, LedgerFile, RECORDS, State, Store, make_folder};
use super::embedded::{FILE_NAME, OpenError};
use super::redis::OpenError as RedisOpenError;
use crate::domain::record::Key;
use crate::domain::time::UtcInstant;
use crate::proto::ledger as pb;
use json::Json;

/// Format of the export that is written.
pub const EXPORT_FORMAT: u32 = 1;
/// Longest line of an import, in bytes: 4 MiB.
pub const LINE_MAX_BYTES: u64 = 4 * 1_024 * 1_024;
/// Memory for pages of the file, in bytes.
const CACHE_BYTES: usize = 64 * 1_024 * 1_024;

/// Why state was not moved; an import that fails has written nothing.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The ledger cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The Redis cannot be used.
    #[error(transparent)]
    Redis(#[from] RedisOpenError),
    /// The export cannot be written.
    #[error("the export cannot be written: {0}")]
    Write(std::io::Error),
    /// The import cannot be read.
    #[error("line {line} cannot be read: {source}")]
    Read {
        /// The line, from 1.
        line: u64,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer version of the program wrote the export.
    #[error(
        "the export has format {found}, this version reads up to {known}: import it with the version that wrote it"
    )]
    NewerFormat {
        /// Format of the export.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// Lines are missing, or too many.
    #[error("the export announces {announced} records and holds {found}: it is cut off or mixed up, export again")]
    Incomplete {
        /// What the header says.
        announced: u64,
        /// What followed.
        found: u64,
    },
    /// The ledger holds other state.
    #[error(
        "the ledger already holds other records (line {line}, `{key}`): import into an empty data folder or database"
    )]
    NotEmpty {
        /// The first line that differs, from 1.
        line: u64,
        /// Its record.
        key: Key,
    },
    /// The definitions that are compiled in cannot be read; a defect of the program.
    #[error("the protocol definitions are damaged: {0}")]
    Definitions(String),
}

/// What an import did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ImportReport {
    /// Records written.
    pub imported: u64,
    /// Records that were there already, the same.
    pub unchanged: u64,
}

/// Writes the state of the ledger of a data folder; how many records there were.
///
/// # Errors
/// When the ledger is in use or cannot be read, or the export cannot be written.
pub fn export(data_dir: &Path, out: impl Write) -> Result<u64, TransferError> {
    let mut out = std::io::BufWriter::new(out);
    let json = Json::new()?;
    let file = LedgerFile { path: data_dir.join(FILE_NAME), cache_bytes: CACHE_BYTES, may_create: false };
    let (store, State { epoch, sequence, shown_at, steady_at: _, deployment_id: _ }) = Store::open(&file, None)?;
    let refused = |fault: Fault| store.refused(fault);
    let transaction = store.read().map_err(refused)?;
    let records = transaction.open_table(RECORDS).map_err(|error| refused(error.into()))?;
    let count = records.len().map_err(|error| refused(error.into()))?;

    let header =
        pb::ExportHeader { format: EXPORT_FORMAT, epoch, sequence, clock_at_ms: shown_at.ms(), records: count };
    json.write_header(&header, &mut out)?;
    for record in records.range::<&str>(..).map_err(|error| refused(error.into()))? {
        let (key, record) = record.map_err(|error| refused(error.into()))?;
        let (version, image) = record.value();
        let record = codec::decode_record(image);
        let record = record.map_err(|error| store.damaged(format!("record `{}`: {error}", key.value())))?;
        json.write_line(&pb::ExportLine { key: key.value().to_owned(), version, record: Some(record) }, &mut out)?;
    }
    out.flush().map_err(TransferError::Write)?;
    Ok(count)
}

/// Writes an export into the ledger of a data folder, which must be empty or hold the same records.
///
/// # Errors
/// When a line is wrong or missing, the ledger holds other records, is in use or cannot be written.
pub fn import(data_dir: &Path, lines: impl BufRead, now: UtcInstant) -> Result<ImportReport, TransferError> {
    let mut lines = Lines { json: Json::new()?, lines, number: 0, interner: Interner::new() };
    let header = lines.header()?;
    make_folder(data_dir)?;
    let file = LedgerFile { path: data_dir.join(FILE_NAME), cache_bytes: CACHE_BYTES, may_create: true };
    let (store, state) = Store::open(&file, Some(now))?;
    if state.sequence == 0 { fill(&store, state, &header, lines) } else { compare(&store, &header, lines) }
}

/// Writes every line into an empty ledger, in one transaction.
fn fill(
    store: &Store,
    state: State,
    header: &pb::ExportHeader,
    mut lines: Lines<impl BufRead>,
) -> Result<ImportReport, TransferError> {
    let refused = |fault: Fault| store.refused(fault);
    let transaction = store.write().map_err(refused)?;
    let mut records = transaction.open_table(RECORDS).map_err(|error| refused(error.into()))?;
    let mut imported = 0;
    while let Some(Record { key, version, image }) = lines.next_record()? {
        let before = records.insert(key.to_string().as_str(), (version, image.as_slice()));
        if before.map_err(|error| refused(error.into()))?.is_some() {
            return Err(lines.wrong(format!("`{key}` stands on an earlier line too")));
        }
        imported += 1;
    }
    drop(records);
    check_count(header, imported)?;
    let shown_at = UtcInstant::from_ms(header.clock_at_ms);
    let state = State { epoch: header.epoch, sequence: header.sequence, shown_at, ..state };
    store.commit_state(transaction, state).map_err(refused)?;
    Ok(ImportReport { imported, unchanged: 0 })
}

/// Compares every line with a ledger that is not empty.
fn compare(
    store: &Store,
    header: &pb::ExportHeader,
    mut lines: Lines<impl BufRead>,
) -> Result<ImportReport, TransferError> {
    let refused = |fault: Fault| store.refused(fault);
    let transaction = store.read().map_err(refused)?;
    let records = transaction.open_table(RECORDS).map_err(|error| refused(error.into()))?;
    let mut unchanged = 0;
    while let Some(Record { key, version, image }) = lines.next_record()? {
        let kept = records.get(key.to_string().as_str()).map_err(|error| refused(error.into()))?;
        if kept.is_none_or(|kept| kept.value() != (version, image.as_slice())) {
            return Err(TransferError::NotEmpty { line: lines.number, key });
        }
        unchanged += 1;
    }
    check_count(header, unchanged)?;
    check_count(header, records.len().map_err(|error| refused(error.into()))?)?;
    Ok(ImportReport { imported: 0, unchanged })
}

fn check_count(header: &pb::ExportHeader, found: u64) -> Result<(), TransferError> {
    let announced = header.records;
    if announced == found { Ok(()) } else { Err(TransferError::Incomplete { announced, found }) }
}

/// A record as the store keeps it.
struct Record {
    key: Key,
    version: u64,
    image: Vec<u8>,
}

/// The lines of an import, counted.
struct Lines<R> {
    json: Json,
    lines: R,
    number: u64,
    interner: Interner,
}

impl<R: BufRead> Lines<R> {
    fn wrong(&self, problem: impl Into<String>) -> TransferError {
        TransferError::Line { line: self.number, problem: problem.into() }
    }

    /// The next line that is not blank.
    fn next_line(&mut self) -> Result<Option<Vec<u8>>, TransferError> {
        loop {
            self.number += 1;
            let mut line = Vec::new();
            let mut bounded = (&mut self.lines).take(LINE_MAX_BYTES + 1);
            let read = bounded.read_until(b'\n', &mut line);
            read.map_err(|source| TransferError::Read { line: self.number, source })?;
            if line.is_empty() {
                return Ok(None);
            }
            if line.len() as u64 > LINE_MAX_BYTES {
                return Err(self.wrong(format!("is longer than {LINE_MAX_BYTES} bytes")));
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn header(&mut self) -> Result<pb::ExportHeader, TransferError> {
        let line = self.next_line()?.ok_or_else(|| self.wrong("the export is empty"))?;
        let header = self.json.read_header(&line).map_err(|problem| self.wrong(problem))?;
        if header.format > EXPORT_FORMAT {
            return Err(TransferError::NewerFormat { found: header.format, known: EXPORT_FORMAT });
        }
        if header.format == 0 {
            return Err(self.wrong("is no header of an export: `format` is missing"));
        }
        if UtcInstant::parse_ms(header.clock_at_ms).is_none() {
            return Err(
                self.wrong(format!("`clockAtMs` {} is no instant of the years 2000 to 2199", header.clock_at_ms))
            );
        }
        Ok(header)
    }

    fn next_record(&mut self) -> Result<Option<Record>, TransferError> {
        let Some(line) = self.next_line()? else {
            return Ok(None);
        };
        let line = self.json.read_line(&line).map_err(|problem| self.wrong(problem))?;
        let pb::ExportLine { key, version, record } = line;
        let key = Key::parse(&key).map_err(|error| self.wrong(format!("`key`: {error}")))?;
        if version == 0 {
            return Err(self.wrong("`version` is missing: versions start at 1"));
        }
        let record = record.ok_or_else(|| self.wrong("`record` is missing"))?;
        let body = codec::from_record(record, &mut self.interner).map_err(|error| self.wrong(error.to_string()))?;
        if body.key() != key {
            return Err(self.wrong(format!("`key` is `{key}` but the record is `{}`", body.key())));
        }
        Ok(Some(Record { key, version, image: codec::encode(&body) }))
    }
}

#[cfg(test)]
mod tests;
