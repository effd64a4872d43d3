//! What no ledger takes.

use super::*;

pub(in crate::ledger) fn what_no_ledger_takes_is_named<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    let most = (0..APPEND_ENTRIES_MAX as u64).map(|number| put(number, 1, 0));
    let too_many: Vec<_> = most.clone().chain([put(9_999, 1, 0)]).collect();
    let entries = too_many.len();
    assert_eq!(bench.append(too_many), AppendOutcome::Invalid(InvalidAppend::TooManyEntries { entries }));
    let twice = bench.append(vec![put(1, 1, 0), Entry::check(key(1), 0)]);
    assert_eq!(twice, AppendOutcome::Invalid(InvalidAppend::DuplicateKey { key: key(1) }));
    let other = Entry { key: key(2), ..put(1, 1, 0) };
    let refused = InvalidAppend::OtherBody { key: key(2), body: key(1) };
    assert_eq!(bench.append(vec![other]), AppendOutcome::Invalid(refused));
    let last = InvalidAppend::VersionExhausted { key: key(1) };
    assert_eq!(bench.append(vec![put(1, 1, u64::MAX)]), AppendOutcome::Invalid(last));
    let result = Bytes::from(vec![0; REQUEST_RESULT_MAX_BYTES + 1]);
    let long = Request { result, ..request("lrm", "r1", 1, "") };
    let refused = InvalidAppend::ResultTooLong { bytes: REQUEST_RESULT_MAX_BYTES + 1 };
    assert_eq!(bench.request(vec![], long), AppendOutcome::Invalid(refused));
    assert_eq!(bench.append(most.collect()), appended(APPEND_ENTRIES_MAX as u64));
}
