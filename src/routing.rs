//! The thinking: from a question to an outcome, ranked options, near misses and reasons.
//!
//! Pure: `now` is an argument, candidates come from a walk that the caller makes, nothing waits. Escalation
//! ([`triage`]) needs no candidate at all, so it answers whatever else is broken. Names only the domain.

pub mod clocks;
pub mod policy;
pub mod triage;
pub mod radius;
pub mod question;
pub mod eligibility;
pub mod contact;
pub mod fairness;
pub mod ranking;
pub mod diversity;
mod failures;
pub mod near;
pub mod road;
pub mod what_if;
pub mod silence;
pub mod suitability;
pub mod sites;
mod wording;
pub mod explanation;
pub mod verdict;
