//! Generated code of the protocol definitions under `proto/`, and their descriptors.
//!
//! Only `grpc` and `cli` name [`routing`], only `ledger` and `service` name [`ledger`]: the domain never meets a wire type.

/// The public interface, `sas.routing.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod routing {
    tonic::include_proto!("sas.routing.v1");
}

/// Records and outcomes on disk, `sas.ledger.v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod ledger {
    tonic::include_proto!("sas.ledger.v1");

    /// Descriptors of these records, for their canonical JSON form.
    pub const DESCRIPTORS: &[u8] = super::DESCRIPTORS;
}

/// Descriptors of every definition, for reflection and for the canonical JSON form.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
