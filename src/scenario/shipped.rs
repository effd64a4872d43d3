//! The corpus that ships, compiled in: what a candidate policy is judged by where no sources are at hand.

/// What all of them share.
pub(super) const COMMON: &str = include_str!("../../tests/scenarios/_common.toml");

macro_rules! files {
    ($($name:literal)+) => { &[$(($name, include_str!(concat!("../../tests/scenarios/", $name)))),+] };
}

/// Names and texts, in order of name; a test compares them with the folder.
pub(super) const FILES: &[(&str, &str)] = files! {
    "adult-day.toml"
    "booking.toml"
    "borders.toml"
    "care-levels.toml"
    "clock-change.toml"
    "corsica.toml"
    "cpts-only.toml"
    "dense-paris.toml"
    "elderly-at-home.toml"
    "emergency-access.toml"
    "empty-rural.toml"
    "fair-share.toml"
    "freshness.toml"
    "infant.toml"
    "island.toml"
    "mountain.toml"
    "night-duty.toml"
    "no-car.toml"
    "overseas.toml"
    "preferred.toml"
    "pregnant.toml"
    "red-flags.toml"
    "refused-offers.toml"
    "silent-sources.toml"
    "sundays-and-holidays.toml"
    "teleconsultation-then-visit.toml"
    "two-cpts.toml"
    "walk-in-closing.toml"
    "walk-in-full.toml"
    "wheelchair.toml"
    "without-cpts.toml"
};
