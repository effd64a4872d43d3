//! Saturation of emergency sites: said with an end, extended, ended early. It ends by the clock when it is read.
//!
//! Deliberately absent: a task that clears what is over; who reads a site judges by the instant.

use std::sync::Arc;

use crate::domain::emergency::{EmergencySite, saturation};
use crate::domain::id::{EmergencySiteId, RequestId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::time::UtcInstant;
use crate::domain::violation::Violation;
use crate::ledger::Entry;

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::outcome::{OutcomeError, decode_emergency_site, encode_emergency_site};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// When a saturation ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaturationEnd {
    /// At an instant.
    At(UtcInstant),
    /// So much later than it is said, by the service's clock; a retry is told the first end.
    After {
        /// In minutes.
        minutes: u32,
    },
}

impl Service {
    /// Says that an emergency site is saturated until an instant, or extends that.
    ///
    /// # Errors
    /// When the site is unknown, the end is past or too far away, or the ledger cannot write.
    pub async fn set_saturation(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: EmergencySiteId,
        end: SaturationEnd,
    ) -> Result<Done<Arc<EmergencySite>>, Error> {
        self.saturate(caller, request_id, SaturationJob { id, end: Some(end) }).await
    }

    /// Ends a saturation early.
    ///
    /// # Errors
    /// When the site is unknown, or the ledger cannot write.
    pub async fn end_saturation(
        &self,
        caller: &Caller,
        request_id: RequestId,
        id: EmergencySiteId,
    ) -> Result<Done<Arc<EmergencySite>>, Error> {
        self.saturate(caller, request_id, SaturationJob { id, end: None }).await
    }

    async fn saturate(
        &self,
        caller: &Caller,
        request_id: RequestId,
        job: SaturationJob,
    ) -> Result<Done<Arc<EmergencySite>>, Error> {
        let mut digest = Digest::of("saturation");
        digest.text(job.id.as_str());
        match job.end {
            Some(SaturationEnd::At(until_at)) => digest.text("at").text(&until_at.to_string()),
            Some(SaturationEnd::After { minutes }) => digest.text("after").number(u64::from(minutes)),
            None => digest.text("now"),
        };
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint: digest.finish() };
        Ok(self.done(self.write(head, job).await?, |site| site))
    }

    /// The instant by which what is read now is judged.
    #[must_use]
    pub fn now(&self) -> UtcInstant {
        self.parts().clock.now()
    }
}

struct SaturationJob {
    id: EmergencySiteId,
    /// `None` to end it now.
    end: Option<SaturationEnd>,
}

impl Job for SaturationJob {
    type Outcome = Arc<EmergencySite>;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Arc<EmergencySite>>, Error> {
        let key = Key::EmergencySite(self.id.clone());
        let Some(Versioned { version, value: Body::EmergencySite(site) }) = sight.record(&key) else {
            let message = format!("emergency site `{}` is unknown", self.id);
            return Err(Error::new(Reason::UnknownEmergencySite, message).about(&self.id));
        };
        let said = self.end.map(|end| {
            let (field, until_at) = match end {
                SaturationEnd::At(until_at) => ("until_at", until_at),
                SaturationEnd::After { minutes } => ("for_minutes", sight.now.plus_minutes(minutes)),
            };
            let said = saturation(site.saturation, sight.now, until_at);
            said.map_err(|error| Error::invalid(vec![Violation::new(field, error.to_string())]))
        });
        let said = said.transpose()?;
        let outcome = Arc::new(EmergencySite { saturation: said, ..EmergencySite::clone(&site) });
        let is_same = *outcome == *site;
        let entries =
            if is_same { Vec::new() } else { vec![Entry::put(Body::EmergencySite(Arc::clone(&outcome)), version)] };
        Ok(Plan::Write { entries, outcome })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(Key::EmergencySite(self.id.clone()))
    }

    fn encode(&self, outcome: &Arc<EmergencySite>) -> Vec<u8> {
        encode_emergency_site(outcome)
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Arc<EmergencySite>, OutcomeError> {
        decode_emergency_site(stored)
    }
}
