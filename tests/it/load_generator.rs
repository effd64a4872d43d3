//! The arithmetic of the load generator: what it calls latency, capacity, recovery and worse.
#![allow(unreachable_pub, dead_code, reason = "shared with the bench, which uses all of it")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small figures"
)]

#[path = "../../benches/load/compare.rs"]
mod compare;
#[path = "../../benches/load/plan.rs"]
mod plan;
#[path = "../../benches/load/report.rs"]
mod report;
#[path = "../../benches/load/tally.rs"]
mod tally;

use std::collections::BTreeMap;
use std::time::Duration;

use plan::{Piece, Search, count, due, latency, recovery};
use report::{ALL, Figures, Phase, Report};
use tally::{OVERLOADED, Outcome, Tally};

const MS: Duration = Duration::from_millis(1);

#[test]
fn calls_are_due_by_their_number_and_the_rate_alone() {
    assert_eq!([0, 1, 250].map(|number| due(number, 250.0)), [Duration::ZERO, MS * 4, MS * 1_000]);
    assert_eq!(count(250.0, MS * 2_000), 500);
}

#[test]
fn the_wait_for_a_server_that_stalled_is_in_the_latency() {
    // 1,000 calls a second, a server that answers at once but stands still from 100 ms to 1,100 ms.
    let mut tally = Tally::new(Duration::MAX);
    for number in 0..2_000 {
        let due = due(number, 1_000.0);
        let ended = if (MS * 100..MS * 1_100).contains(&due) { MS * 1_100 } else { due };
        tally.tell("find", due, latency(due, ended), Duration::ZERO, Outcome::Answered);
    }
    let figures = tally.phase("p", 1_000.0, MS * 2_000).operations[ALL];
    assert_eq!(figures.count, 2_000);
    assert!(figures.p99_us > 970_000 && figures.max_us >= 999_000, "{figures:?}");
    assert!((200..5_000).contains(&figures.p50_us) || figures.p50_us <= 1_001, "half were late: {figures:?}");
    assert!(figures.p90_us > 790_000, "{figures:?}");
}

#[test]
fn a_backlog_that_is_worked_off_afterwards_is_not_followed() {
    let mut tally = Tally::new(Duration::MAX);
    for number in 0..1_000 {
        // Half as fast as calls come.
        let (due, ended) = (due(number, 1_000.0), due(number + 1, 500.0));
        tally.tell("find", due, latency(due, ended), Duration::ZERO, Outcome::Answered);
    }
    let goodput = tally.phase("p", 1_000.0, MS * 1_000).goodput_per_second;
    assert!((goodput - 500.0).abs() < 1.0, "{goodput}");
}

#[test]
fn capacity_is_the_most_that_was_answered_when_answers_no_longer_follow() {
    let mut search = Search::from(1_000.0);
    while search.answered(search.rate().min(3_000.0)) {}
    assert!((search.capacity() - 3_000.0).abs() < 1.0, "{search:?}");
    let mut endless = Search::from(1.0);
    let steps = std::iter::from_fn(|| endless.answered(endless.rate()).then_some(())).take(1_000).count();
    assert!(steps < 100, "the search is bounded");
}

#[test]
fn a_server_is_itself_again_with_the_first_of_five_good_pieces() {
    let (good, bad) = (Piece { calls: 100, bad: 2 }, Piece { calls: 100, bad: 3 });
    let row = |pieces: &[Piece]| recovery(pieces);
    assert_eq!(row(&[good; 5]), Some(Duration::ZERO));
    assert_eq!(row(&[bad, good, bad, good, good, good, good, good]), Some(plan::PIECE * 3));
    assert_eq!(row(&[bad; 20]), None);
    assert_eq!(
        row(&[[good; 5], [bad; 5], [good; 5]].concat()),
        Some(plan::PIECE * 10),
        "it was well for a moment only"
    );
    assert_eq!(row(&[Piece::default(); 20]), None, "nobody called");
}

#[test]
fn refusals_for_want_of_room_are_no_goodput_and_refusals_by_a_rule_are() {
    let mut tally = Tally::new(MS);
    for (outcome, sent) in [
        (Outcome::Answered, MS),
        (Outcome::Refused("SLOT_TAKEN".into()), MS),
        (Outcome::Shed, MS * 2),
        (Outcome::Failed("NOT_SENT".into()), Duration::ZERO),
    ] {
        tally.tell("hold", Duration::ZERO, MS, sent, outcome);
    }
    let mut twice = Tally::new(MS);
    twice.add(&tally);
    twice.add(&tally);
    let phase = twice.phase("p", 8.0, MS * 1_000);
    assert!((phase.goodput_per_second - 4.0).abs() < 0.01, "{phase:?}");
    assert_eq!(phase.errors, BTreeMap::from([(OVERLOADED.to_owned(), 2), ("NOT_SENT".to_owned(), 2)]));
    assert_eq!(phase.refusals, BTreeMap::from([("SLOT_TAKEN".to_owned(), 2)]));
    assert_eq!((phase.shed.count, phase.shed.p50_us / 10), (2, 200));
    assert_eq!(twice.pieces(), [Piece { calls: 8, bad: 4 }]);
}

fn run(goodput: f64, p99_us: u64) -> Report {
    let figures = Figures { count: 10, p50_us: 100, p99_us, ..Figures::default() };
    let mut phase = Tally::new(MS).phase("load", 1_000.0, MS * 1_000);
    phase.goodput_per_second = goodput;
    phase.operations = BTreeMap::from([("find".to_owned(), figures)]);
    let parameters = BTreeMap::from([("mix".to_owned(), "Day".to_owned())]);
    let (commit, machine) = ("c".to_owned(), BTreeMap::new());
    Report { commit, machine, parameters, capacity_per_second: Some(goodput), phases: vec![phase], targets: vec![] }
}

fn worse(before: &Report, now: &Report) -> Vec<String> {
    let ratios = compare::compare(before, now).ratios;
    ratios.into_iter().filter(|ratio| ratio.is_worse).map(|ratio| ratio.name).collect()
}

#[test]
fn comparing_names_what_got_worse() {
    let before = run(1_000.0, 500);
    assert_eq!(worse(&before, &before), Vec::<String>::new());
    assert_eq!(worse(&before, &run(1_000.0, 549)), Vec::<String>::new(), "within the tolerance");
    assert_eq!(worse(&before, &run(2_000.0, 600)), ["load: find p99, µs"]);
    assert_eq!(worse(&before, &run(800.0, 400)), ["capacity", "load: answered a second"]);
    let table = compare::table(&compare::compare(&before, &run(1_000.0, 600)));
    assert!(table.contains("worse by 20 %") && !table.contains("not alike"), "{table}");
}

#[test]
fn comparing_says_what_is_not_alike() {
    let (before, mut now) = (run(1_000.0, 500), run(1_000.0, 500));
    now.parameters.insert("mix".to_owned(), "Find".to_owned());
    now.phases.push(Phase { name: "2x".to_owned(), ..now.phases[0].clone() });
    let differences = compare::compare(&before, &now).differences;
    assert_eq!(differences, ["mix was Day, is Find", "the saved run has no phase 2x"]);
}

#[test]
fn a_run_that_is_written_is_read_back() {
    let written = run(1_000.0, 500);
    let text = serde_json::to_string(&written).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), written);
    assert!(report::table(&written.phases[0]).contains("find"), "and shown");
}
