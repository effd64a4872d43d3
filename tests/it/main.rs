//! Integration tests, one module a capability.
#![cfg(test)]

mod harness;
#[path = "../../benches/support/mod.rs"]
mod support;
#[path = "../../benches/compare/shared/mod.rs"]
mod compare;

mod architecture;
mod index_oracle;
mod comparison;
mod instructions;
mod grpc_round_trip;
mod grpc_reasons;
mod booking_rules;
mod refusals;
mod road_tables;
mod road_times;
mod road_oracle;
mod explanation;
mod orientation;
mod tension;
mod metrics;
mod board;
mod failover;
mod fair_share;
mod grpc_limits;
mod overload;
mod load_generator;
mod grpc_server;
mod watch;
mod process;
mod emergency_sites;
mod python;
mod cli_health;
mod cli_story;
mod cli_policy;
mod policy;
mod clocks;
mod national_examples;
mod chaos;
mod crash;
mod redis;
mod seen;
mod traces;
mod export;
mod privacy;
mod moving;
mod starting;
mod admin;
mod outages;
mod quarantine;
mod durability_model;
mod console;
mod deploy;
mod alarms;
mod dashboards;
mod simulation;
mod full_disk;
mod scenarios;
mod sources;
