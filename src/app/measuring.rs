//! Where telemetry and what it measures meet: neither names the other.

use std::sync::{Arc, Weak};

use crate::admin::Standing;
use crate::grpc::{CallEnd, CallKind, CallWitness, Server, Witnessed};
use crate::service::Service;
use crate::telemetry::{EndedCall, Export, OfProcess, Readings, Telemetry};

use super::{StartError, VERSION};

/// Tells telemetry of calls.
struct Calls(Arc<Telemetry>);

impl CallWitness for Calls {
    fn ended(&self, call: &CallEnd<'_>) {
        let CallEnd { method, code, reason, took } = *call;
        self.0.call_ended(&EndedCall { method, code, reason, took });
    }

    fn shed(&self, kind: CallKind) {
        self.0.call_shed(kind.code());
    }
}

/// What is measured, scraped and, where there is a collector, sent to it.
pub(super) fn telemetry(export: Option<&Export>) -> Result<Telemetry, StartError> {
    let Some(export) = export else { return Ok(Telemetry::new(|readers| readers)?) };
    let (reader, resource) = (export.metric_reader()?, export.resource().clone());
    let telemetry = Telemetry::new(|readers| readers.with_resource(resource).with_reader(reader))?;
    let dropped = export.dropped();
    telemetry.observe(move |readings: &mut Readings| {
        readings.count("sas.telemetry.dropped", dropped.spans(), &["traces"]);
        readings.count("sas.telemetry.dropped", dropped.metrics(), &["metrics"]);
    });
    Ok(telemetry)
}

/// Measures a service, where somebody reads what is measured; who is to be told of its calls.
pub(super) fn of_service(telemetry: &Arc<Telemetry>, service: &Service) -> Witnessed {
    telemetry.attend(service);
    Witnessed(Some(Arc::new(Calls(Arc::clone(telemetry)))))
}

/// Has read off the process, and whether calls should come, from before the ledger is open until the end.
pub(super) fn observe_process(telemetry: &Telemetry, standing: &Arc<Standing>) {
    telemetry.observe(OfProcess::new(VERSION));
    let standing: Weak<Standing> = Arc::downgrade(standing);
    telemetry.observe(move |readings: &mut Readings| {
        let is_ready = standing.upgrade().is_some_and(|standing| standing.is_ready());
        readings.count("sas.ready", usize::from(is_ready), &[]);
    });
}

/// Has the load of a server read off as long as it is there.
pub(super) fn observe_load(telemetry: &Telemetry, server: &Arc<Server>, watches_max: usize) {
    let server: Weak<Server> = Arc::downgrade(server);
    telemetry.observe(move |readings: &mut Readings| {
        let Some(load) = server.upgrade().map(|server| server.load()) else { return };
        let [call, question, watch] = [CallKind::Call, CallKind::Question, CallKind::Watch].map(|kind| [kind.code()]);
        readings.count("sas.calls.active", load.calls, &call);
        readings.count("sas.calls.active", load.questions, &question);
        readings.count("sas.calls.active", load.watches, &watch);
        readings.count("sas.calls.max", load.calls_max, &call);
        readings.count("sas.calls.max", load.questions_max, &question);
        readings.count("sas.calls.max", watches_max, &watch);
        readings.count("sas.connections.active", load.connections, &[]);
    });
}
