//! What holds for every roster, sound or not.

use proptest::prelude::*;

use super::parse_roster;
use super::tests::read_rows;
use crate::cli::import::ImportOptions;

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse_roster(&bytes, &ImportOptions::for_source("any"));
    }

    #[test]
    fn no_rows_make_the_reader_panic(
        rows in proptest::collection::vec(proptest::collection::vec("[0-9A-Za-z:|,. é\"-]{0,12}", 0..12), 0..6)
    ) {
        let rows: Vec<String> = rows.into_iter().map(|cells| cells.join(";")).collect();
        let plan = read_rows(&rows.join("\n"));
        prop_assert!(plan.slots.len() <= rows.len() * 300);
    }

    #[test]
    fn slots_of_an_opening_never_overlap_and_never_leave_it(day in 0i64..3_000, start in 0u32..1_440, minutes in 5u32..1_440, slot in 5u32..120) {
        let date = chrono::NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + chrono::TimeDelta::days(day);
        let end = (start + minutes) % 1_440;
        let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
        let plan = read_rows(&format!("m;18033;10999000010;{date};{};{};{slot};AMB;SNP", time(start), time(end)));
        for pair in plan.slots.windows(2) {
            prop_assert_eq!(pair[0].window.end_at(), pair[1].window.start_at());
        }
        for planned in &plan.slots {
            prop_assert_eq!(planned.window.length_ms(), i64::from(slot) * 60_000);
        }
    }
}
