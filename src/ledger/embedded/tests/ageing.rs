//! What leaves the file with time, although nothing is written.

use redb::{ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, TableDefinition};

use super::*;
use crate::ledger::conformance::{Bench, put, request};
use crate::ledger::embedded::store::LOG_KEPT_MS;
use crate::ledger::{Entry, REQUEST_KEPT_MS, TRIM_STEP_MAX};
use crate::proto::ledger::LogEntry;

const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");
const REQUESTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("requests");

struct Again<'a>(&'a InFolder);

impl Factory for Again<'_> {
    type Ledger = EmbeddedLedger;

    fn make(&self, clock: SharedClock, sink: Arc<dyn ChangeSink>) -> EmbeddedLedger {
        self.0.open(clock, sink).unwrap()
    }
}

fn opened(folder: &InFolder) -> Bench<EmbeddedLedger> {
    Bench::new(&Again(folder))
}

fn database(folder: &InFolder) -> redb::Database {
    redb::Database::open(folder.0.path().join(FILE_NAME)).unwrap()
}

/// How many changes and outcomes a closed ledger holds.
fn kept(folder: &InFolder) -> (u64, u64) {
    let database = database(folder);
    let transaction = database.begin_read().unwrap();
    let count = |table| transaction.open_table(table).unwrap().len().unwrap();
    (count(LOG), count(REQUESTS))
}

#[test]
fn changes_leave_the_log_after_a_day_and_outcomes_after_two() {
    let day_ms = LOG_KEPT_MS;
    assert_eq!((day_ms, REQUEST_KEPT_MS), (24 * 3_600_000, 2 * day_ms));
    let table = [(day_ms - 1, 0, (3, 1)), (day_ms, 2, (1, 1)), (day_ms + 60_000, 3, (0, 1)), (2 * day_ms, 4, (0, 0))];
    for (after_ms, forgotten, left) in table {
        let folder = InFolder::new();
        let bench = opened(&folder);
        bench.request(vec![put(1, 1, 0), put(2, 1, 0)], request("lrm", "r1", 1, "first"));
        bench.clock.advance_ms(60_000);
        bench.append(vec![Entry::remove(crate::ledger::conformance::key(2), 1)]);
        bench.clock.advance_ms(after_ms - 60_000);
        assert_eq!(bench.trim(), forgotten, "after {after_ms} ms");
        assert!(bench.has(1, 1), "the record itself stays");
        bench.ledger.close();
        assert_eq!(kept(&folder), left, "after {after_ms} ms");
    }
}

#[test]
fn a_trim_takes_bounded_steps() {
    let folder = InFolder::new();
    let bench = opened(&folder);
    for first in [0, 800] {
        bench.append((first..first + 800).map(|number| put(number, 1, 0)).collect());
    }
    bench.clock.advance_ms(LOG_KEPT_MS);
    assert_eq!(bench.trim(), TRIM_STEP_MAX);
    assert_eq!(bench.trim(), 1_600 - TRIM_STEP_MAX);
    assert_eq!(bench.trim(), 0);
    assert_eq!(bench.append(vec![put(1_600, 1, 0)]), crate::ledger::conformance::appended(1_601));
    bench.ledger.close();
    assert_eq!(kept(&folder), (1, 0));
    assert_eq!(opened(&folder).sink.reloaded().len(), 1_601);
}

#[test]
fn changes_of_which_no_instant_is_known_are_old() {
    let folder = InFolder::new();
    let first = opened(&folder);
    first.append(vec![put(1, 1, 0), put(2, 1, 0)]);
    drop(first.ledger);
    let database = database(&folder);
    let transaction = database.begin_write().unwrap();
    {
        let mut log = transaction.open_table(LOG).unwrap();
        let entry: LogEntry = prost::Message::decode(log.get(1).unwrap().unwrap().value()).unwrap();
        let earlier = LogEntry { written_at_ms: 0, ..entry };
        log.insert(1, prost::Message::encode_to_vec(&earlier).as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let second = opened(&folder);
    assert_eq!(second.trim(), 1);
    second.ledger.close();
    assert_eq!(kept(&folder), (1, 0));
}
