//! Hands every record of a file to the sink: one thread reads and decodes while the caller's feeds the sink.
//!
//! Invariant: a record is handed over after all records that it may name, the directory before the slots, the cases last.

use std::sync::mpsc::{SyncSender, sync_channel};

use super::OpenError;
use super::store::{Fault, RECORDS, State, Store};
use crate::domain::record::Change;
use crate::ledger::ChangeSink;
use crate::ledger::codec::{self, Interner};
use crate::ledger::kind::{KINDS, key_of};

/// Records of one call of the sink.
const CHUNK_RECORDS: usize = 4_096;
/// Chunks that wait for the sink.
const CHUNKS_WAITING_MAX: usize = 4;

/// Hands every record to the sink; how many there were.
pub(super) fn restore(store: &Store, state: State, sink: &dyn ChangeSink) -> Result<u64, OpenError> {
    std::thread::scope(|scope| {
        let (chunks, decoded) = sync_channel(CHUNKS_WAITING_MAX);
        let reader = std::thread::Builder::new()
            .name("ledger-restore".to_owned())
            .spawn_scoped(scope, move || read_all(store, state, &chunks))
            .map_err(OpenError::Thread)?;
        sink.begin_reload(state.head());
        for chunk in decoded {
            sink.reload(&chunk);
        }
        sink.finish_reload();
        reader.join().unwrap_or_else(|_| Err(store.damaged("reading it ended by a panic".to_owned())))
    })
}

fn read_all(store: &Store, state: State, chunks: &SyncSender<Vec<Change>>) -> Result<u64, OpenError> {
    let refused = |fault: Fault| store.refused(fault);
    let transaction = store.read().map_err(refused)?;
    let records = transaction.open_table(RECORDS).map_err(|error| refused(error.into()))?;
    let mut interner = Interner::new();
    let mut chunk = Vec::with_capacity(CHUNK_RECORDS);
    let mut count = 0;
    for kind in KINDS {
        // `;` follows `:`, so this is every key of the kind and no other.
        let (first, after) = (format!("{kind}:"), format!("{kind};"));
        let range = records.range(first.as_str()..after.as_str()).map_err(|error| refused(error.into()))?;
        for record in range {
            let (key, record) = record.map_err(|error| refused(error.into()))?;
            let (version, image) = record.value();
            let body = codec::decode(image, &mut interner);
            let body = body.map_err(|error| OpenError::of_record(store.path(), &error))?;
            let key = key_of(&body, key.value()).map_err(|problem| store.damaged(problem))?;
            chunk.push(Change { position: state.head(), key, version, body: Some(body) });
            count += 1;
            if chunk.len() == CHUNK_RECORDS {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_RECORDS));
                // The sink is gone only when it panicked, which the caller sees.
                let _ = chunks.send(full);
            }
        }
    }
    let _ = chunks.send(chunk);
    let kept = redb::ReadableTableMetadata::len(&records).map_err(|error| refused(error.into()))?;
    if count != kept {
        return Err(store.damaged(format!("{} records are of a kind that this version does not know", kept - count)));
    }
    Ok(count)
}
