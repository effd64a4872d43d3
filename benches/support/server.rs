//! How the benches start the server: under the product's defaults, written out so that they need no configuration.

use std::time::Duration;

use sas_router::grpc::{Options, Witnessed};
use sas_router::trace::Tracer;

/// The defaults.
pub fn options() -> Options {
    Options {
        calls_max: 1_024,
        call_timeout: Duration::from_secs(30),
        connections_max: 1_024,
        streams_per_connection_max: 256,
        preface_deadline: Duration::from_secs(5),
        keepalive_interval: Duration::from_secs(20),
        keepalive_timeout: Duration::from_secs(10),
        tracer: Tracer::default(),
        witnessed: Witnessed::default(),
    }
}
