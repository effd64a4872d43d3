//! Scenarios that a physician can read: given a world, when somebody asks, then this is answered.
//!
//! They are read from TOML and judged against the real service over a ledger in memory, with a clock that stands still.
//! Everything that is given goes through the service, so that its own checks hold; what it refuses fails the scenario.
//! Invariant: a scenario that states nothing, or names what is not there, is refused before anything runs.
//! Deliberately absent: figures of the matching policy; a scenario states what a regulator gets, in ranges where the
//! policy may choose.

mod problem;
mod fields;
mod local_time;
mod holiday;
mod town;
mod given;
mod supply;
mod emergency;
mod question;
mod words;
mod expectation;
mod act;
mod step;
mod file;
mod world;
mod check;
mod run;
mod shipped;

pub use check::Difference;
pub use file::{Corpus, Scenario, load, shipped};
pub use problem::{Problem, Problems};
pub use run::{Verdict, run, run_under};
