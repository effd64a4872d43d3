//! Integration tests, by capability.
#![cfg(test)]

mod architecture;
