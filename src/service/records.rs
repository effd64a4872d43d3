//! Every record that this instance shows, by key, version and digest, for a comparison with another instance or the ledger.
//!
//! Not on the way of a query. Deliberately absent: what records say.

use crate::domain::record::Position;
use crate::ledger::verify::RecordDigest;

use super::Service;

/// Records of one page.
const PAGE_RECORDS: usize = 1_000;

/// Some of the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordPage {
    /// Where this instance stood when the page was made.
    pub position: Position,
    /// The records; none in the last page.
    pub records: Vec<RecordDigest>,
}

/// Every record that an instance shows.
#[derive(Clone)]
pub struct Records(Service);

impl Service {
    /// Every record that this instance shows.
    #[must_use]
    pub fn records(&self) -> Records {
        Records(self.clone())
    }
}

impl Records {
    /// Hands over page after page until one is refused; takes its time, so not for a thread that answers calls.
    pub fn each_page(&self, mut take: impl FnMut(RecordPage) -> bool) {
        let parts = self.0.parts();
        let position = || parts.index.head();
        let begun_at = position();
        let mut page = RecordPage { position: begun_at, records: Vec::with_capacity(PAGE_RECORDS) };
        let mut goes_on = true;
        parts.index.each_record(&mut |record| {
            if !goes_on {
                return;
            }
            page.records.push(RecordDigest::of(&record));
            if page.records.len() == PAGE_RECORDS {
                let next = RecordPage { position: begun_at, records: Vec::with_capacity(PAGE_RECORDS) };
                goes_on = take(std::mem::replace(&mut page, next));
            }
        });
        if goes_on && !page.records.is_empty() {
            goes_on = take(page);
        }
        if goes_on {
            take(RecordPage { position: position(), records: Vec::new() });
        }
    }
}
