//! How the benches make and start the service: under the product's defaults, written out so that they need no configuration.

use std::sync::Arc;
use std::time::Duration;

use sas_router::clock::SharedClock;
use sas_router::grpc::{Options, Witnessed};
use sas_router::index::Index;
use sas_router::ledger::Ledger;
use sas_router::service::{Parts, Service};
use sas_router::tasks::Tasks;
use sas_router::trace::Tracer;

/// The service of an index and the ledger that fills it.
pub fn service_of(index: &Arc<Index>, ledger: Arc<dyn Ledger>, clock: SharedClock) -> Service {
    Service::new(Parts {
        index: Arc::clone(index),
        ledger,
        clock,
        tasks: Tasks::new(),
        instance_id: uuid::Uuid::nil(),
        version: "bench",
    })
}

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
