//! Integration tests, one module a capability.

#[path = "../../benches/support/mod.rs"]
mod support;

mod index_oracle;
