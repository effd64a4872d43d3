//! Integration tests, one module a capability.
#![cfg(test)]

#[path = "../../benches/support/mod.rs"]
mod support;

mod architecture;
mod index_oracle;
