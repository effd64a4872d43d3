//! The vocabulary of the product: pure types and rules, without I/O, clock or wire format.

pub mod code;
pub mod department;
pub mod id;
