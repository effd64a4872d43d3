//! The whole state of a ledger in Redis as lines, out of a server that may be in use and into one that has no ledger.
//!
//! Numbers of changes, versions and the clock come along; the epoch is the next one, since a history in Redis begins with one.

use std::io::{BufRead, Write};

use super::{EXPORT_FORMAT, ImportReport, Json, Lines, Record, TransferError, check_count};
use crate::domain::record::{Position, Versioned};
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::redis::RedisAddress;
use crate::ledger::redis::whole::{self, Records, Whole};
use crate::proto::ledger as pb;

/// Reads the state of the ledger of a server as it is after one change.
///
/// # Errors
/// When the server cannot be read or has no ledger.
pub async fn read(address: &RedisAddress) -> Result<Whole, TransferError> {
    Ok(whole::read(address).await?)
}

/// Writes such a state; how many records there were.
///
/// # Errors
/// When the export cannot be written.
pub fn export(whole: Whole, out: impl Write) -> Result<u64, TransferError> {
    let json = Json::new()?;
    let Whole { position, clock_at, records } = whole;
    let mut out = std::io::BufWriter::new(out);
    let count = records.len() as u64;
    let Position { partition: _, epoch, sequence } = position;
    let header =
        pb::ExportHeader { format: EXPORT_FORMAT, epoch, sequence, clock_at_ms: clock_at.ms(), records: count };
    json.write_header(&header, &mut out)?;
    for (key, Versioned { version, value }) in records {
        json.write_line(&pb::ExportLine { key, version, record: Some(codec::to_record(&value)) }, &mut out)?;
    }
    out.flush().map_err(TransferError::Write)?;
    Ok(count)
}

/// Writes an export to a server, which must have no ledger or hold the same records.
///
/// # Errors
/// When a line is wrong or missing, the server holds other records, or cannot be used.
pub async fn import(address: &RedisAddress, lines: impl BufRead) -> Result<ImportReport, TransferError> {
    let mut lines = Lines { json: Json::new()?, lines, number: 0, interner: Interner::new() };
    let header = lines.header()?;
    let position = Position { partition: 0, epoch: header.epoch, sequence: header.sequence };
    let clock_at = UtcInstant::from_ms(header.clock_at_ms);
    let mut given = Whole { position, clock_at, records: Records::new() };
    let mut numbers = Vec::new();
    while let Some(Record { key, version, image }) = lines.next_record()? {
        let value = codec::decode(&image, &mut lines.interner).map_err(|error| lines.wrong(error.to_string()))?;
        if given.records.insert(key.to_string(), Versioned { version, value }).is_some() {
            return Err(lines.wrong(format!("`{key}` stands on an earlier line too")));
        }
        numbers.push((lines.number, key));
    }
    let count = given.records.len() as u64;
    check_count(&header, count)?;
    if whole::write(address, given.clone()).await? {
        return Ok(ImportReport { imported: count, unchanged: 0 });
    }
    let held = whole::read(address).await?.records;
    let differing = numbers.into_iter().find(|(_, key)| {
        let key = key.to_string();
        held.get(&key) != given.records.get(&key)
    });
    if let Some((line, key)) = differing {
        return Err(TransferError::NotEmpty { line, key });
    }
    check_count(&header, held.len() as u64)?;
    Ok(ImportReport { imported: 0, unchanged: count })
}
