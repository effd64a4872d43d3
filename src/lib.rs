#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;
pub mod routing;
pub mod index;
pub mod ledger;
pub mod road;
pub mod service;
pub mod scenario;
pub mod clock;
mod seeded;
pub mod tasks;
pub mod trace;
pub mod proto;
pub mod config;
pub mod telemetry;
pub mod grpc;
pub mod admin;
pub mod app;
pub mod cli;
