//! What the comparison with other engines rests on: they are given the same job, the growth is fitted right, and the plot
//! shows what was measured.

use crate::compare::job::{Answer, Ask, oracle, reduced, rows};
use crate::compare::sqlite::{Design, Sqlite};
use crate::support::fit::power_law;
use crate::support::plot::{Line, svg};
use crate::support::questions::questions;
use crate::support::region::{at_minute, region};

#[test]
fn every_design_of_sqlite_answers_as_brute_force_does() {
    let region = region(20_000, 42);
    let (rows, now) = (rows(&region), at_minute(10 * 60));
    let asks: Vec<Ask> =
        questions(&region, 200, 7).iter().filter_map(|(_, query, _)| reduced(&region, query, now)).collect();
    let expected: Vec<Answer> = asks.iter().map(|ask| oracle(&rows, ask)).collect();
    let full = expected.iter().filter(|answer| answer.len() == 5).count();
    assert!(full > 10 && full < expected.len(), "{full} of {} questions have five answers", expected.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("compared.db");
    Sqlite::load(&file, &rows);
    for design in Design::ALL {
        let engine = Sqlite::open(&file, design);
        for (ask, expected) in asks.iter().zip(&expected) {
            assert_eq!(&engine.ask(ask), expected, "{design:?}: {ask:?}");
        }
    }
}

#[test]
fn the_exponent_of_a_power_law_is_found_again() {
    let points: Vec<(f64, f64)> = [1e4, 1e5, 1e6, 5e6].map(|n: f64| (n, 0.3 * n.powf(0.42))).to_vec();
    let (exponent, factor) = power_law(&points).unwrap();
    assert!((exponent - 0.42).abs() < 1e-9 && (factor - 0.3).abs() < 1e-9, "{exponent} {factor}");
    let (noisy, _) = power_law(&[(1e4, 10.0), (1e5, 40.0), (1e6, 90.0)]).unwrap();
    assert!((0.4..0.6).contains(&noisy), "{noisy}");
}

#[test]
fn one_size_has_no_growth() {
    assert_eq!(power_law(&[(1e4, 10.0)]), None);
    assert_eq!(power_law(&[]), None);
}

#[test]
fn a_plot_places_and_names_what_was_measured() {
    let line = Line { name: "match".to_owned(), points: vec![(1e4, 10.0), (1e6, 100.0)] };
    let plot = svg("Median time of a question", "slots", &[line]);
    for fact in ["10000: 10.0 µs", "1000000: 100.0 µs", "match ~ n^0.50", "prefers-color-scheme:dark"] {
        assert!(plot.contains(fact), "{fact} is not in {plot}");
    }
    // Both axes begin and end on their extremes here: the points are in opposite corners of the frame.
    assert!(plot.contains("M64.0 352.0L490.0 40.0"), "{plot}");
    assert_eq!(plot.matches("<circle").count(), 2);
}
