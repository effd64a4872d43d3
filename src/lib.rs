#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;
pub mod index;
pub mod ledger;
pub mod clock;
pub mod tasks;
pub mod proto;
