//! The `sas-router` program.

fn main() {}
