//! Whether the index answers as brute force does.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::{Duration, Instant};

use sas_router::domain::directory::Schedule;
use sas_router::domain::share::CaseNumber;
use sas_router::service::Finder;

use super::oracle::{Found, Oracle};
use super::questions::Asked;

/// Asks both, fails where they differ, and says how long the brute force took for each question.
pub fn agree(finder: &Finder<'_>, oracle: &Oracle, asked: &[Asked]) -> Vec<Duration> {
    let mut times = Vec::new();
    for (_, query, now) in asked {
        let started = Instant::now();
        let case = query.parts().case_id.as_ref().map_or(CaseNumber::NONE, CaseNumber::of);
        let precedence = |schedule: &Schedule| {
            let turn = finder.index.offer(&schedule.id).map(|offer| offer.share.turn(case).counted_at(*now));
            (false, turn.unwrap_or_default())
        };
        let expected = oracle.find(query, *now, &precedence);
        times.push(started.elapsed());
        let found = finder.matches(query, *now).0.into_iter().map(|one| -> Found {
            (one.cost_seconds, one.offer.schedule.id.to_string(), one.slot().unwrap().id.to_string(), one.modality)
        });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
    times
}
