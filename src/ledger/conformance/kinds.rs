//! Every kind of record is kept as it was written.

use super::*;
use crate::ledger::codec::samples;

pub(in crate::ledger) fn every_kind_of_record_is_kept_as_it_is<F: Factory>(factory: &F) {
    let bench = Bench::new(factory);
    // The barest of a kind bears the same name as the fullest.
    let bodies: Vec<Body> = samples::all().into_iter().map(|(_, body)| body).collect();
    for body in &bodies {
        let known = bench.sink.changes().into_iter().filter(|change| change.key == body.key()).count() as u64;
        let written = bench.append(vec![Entry::put(body.clone(), known)]);
        assert!(matches!(written, AppendOutcome::Appended { .. }), "{body:?}: {written:?}");
        let other = bench.append(vec![Entry::check(body.key(), 99)]);
        let current = Some(Versioned { version: known + 1, value: body.clone() });
        assert_eq!(other, AppendOutcome::Conflict { key: body.key(), current });
    }
    let told: Vec<_> = bench.sink.changes().into_iter().map(|change| change.body.unwrap()).collect();
    assert_eq!(told, bodies);
    for key in bodies.iter().map(Body::key).collect::<HashSet<_>>() {
        assert_eq!(Key::parse(&key.to_string()), Ok(key));
    }
}
