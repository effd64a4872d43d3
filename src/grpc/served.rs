//! Generated code of the service whose answers are written by [`super::wire`].
//!
//! Everything else is served by the code under [`crate::proto`], which also has the client of this service.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

include!(concat!(env!("OUT_DIR"), "/sas.routing.v1.RoutingService.rs"));
