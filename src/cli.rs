//! The command line: talks to a running server through the generated client, and nothing else.

pub mod import;
pub mod sample;
