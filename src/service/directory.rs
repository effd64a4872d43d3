//! Keeping territories, places, practitioners, schedules and emergency sites.
//!
//! One upsert for all of them; a [`Kept`] kind says what it relates to. What a schedule's source published (revision,
//! when it was heard), when it was first kept, and the saturation of an emergency site are the service's own and survive an upsert. A record that is the same is not written again.
//! Deliberately absent: deletion, and order among territories that name each other as neighbours: either may come first.

use std::sync::Arc;

use crate::domain::directory::{Place, Practitioner, Schedule, Territory};
use crate::domain::emergency::EmergencySite;
use crate::domain::id::{EmergencySiteId, PlaceId, PractitionerId, RequestId, ScheduleId, TerritoryId};
use crate::domain::record::{Body, Key, Versioned};
use crate::domain::time::{UtcInstant, Window};
use crate::ledger::{Entry, codec};
use crate::proto::ledger::{StoredSaturation, StoredUpsert};

use super::error::{Error, Reason};
use super::fingerprint::Digest;
use super::outcome::{OutcomeError, decode_upsert, encode_upsert};
use super::write::{Head, Job, Plan, Sight};
use super::{Caller, Done, Service};

/// A kind of directory record.
trait Kept: Clone + PartialEq + Send + Sync + 'static {
    /// As a body of a record.
    fn to_body(this: Arc<Self>) -> Body;

    /// Refuses what it relates to when that is not there, and what it may not replace.
    fn check(&self, _existing: Option<&Body>, _sight: &Sight<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// The record with what the service itself keeps in it.
    fn settle(&mut self, _existing: Option<&Body>, _now: UtcInstant) {}

    /// What the service itself keeps in it.
    fn own(&self) -> StoredUpsert {
        StoredUpsert::default()
    }

    /// Takes that over from the answer to an earlier call.
    fn set_own(&mut self, _own: &StoredUpsert) {}
}

impl Kept for Territory {
    fn to_body(this: Arc<Self>) -> Body {
        Body::Territory(this)
    }
}

impl Kept for Place {
    fn to_body(this: Arc<Self>) -> Body {
        Body::Place(this)
    }
}

impl Kept for Practitioner {
    fn to_body(this: Arc<Self>) -> Body {
        Body::Practitioner(this)
    }
}

impl Kept for EmergencySite {
    fn to_body(this: Arc<Self>) -> Body {
        Body::EmergencySite(this)
    }

    fn settle(&mut self, existing: Option<&Body>, _now: UtcInstant) {
        self.saturation = match existing {
            Some(Body::EmergencySite(existing)) => existing.saturation,
            Some(_) | None => None,
        };
    }

    fn own(&self) -> StoredUpsert {
        let to_stored =
            |window: Window| StoredSaturation { start_at_ms: window.start_at().ms(), end_at_ms: window.end_at().ms() };
        StoredUpsert { saturation: self.saturation.map(to_stored), ..StoredUpsert::default() }
    }

    fn set_own(&mut self, own: &StoredUpsert) {
        let from_stored = |StoredSaturation { start_at_ms, end_at_ms }: StoredSaturation| {
            Window::new(UtcInstant::from_ms(start_at_ms), UtcInstant::from_ms(end_at_ms)).ok()
        };
        self.saturation = own.saturation.and_then(from_stored);
    }
}

impl Kept for Schedule {
    fn to_body(this: Arc<Self>) -> Body {
        Body::Schedule(this)
    }

    fn check(&self, existing: Option<&Body>, sight: &Sight<'_>) -> Result<(), Error> {
        if let Some(Body::Schedule(existing)) = existing
            && existing.source_id != self.source_id
        {
            let message = format!("schedule `{}` belongs to source `{}`: keep it", self.id, existing.source_id);
            return Err(Error::new(Reason::SourceMismatch, message));
        }
        if sight.index.place(&self.place_id).is_none() {
            let message = format!("place `{}` is unknown: create it first", self.place_id);
            return Err(Error::new(Reason::UnknownPlace, message));
        }
        if let Some(id) = &self.practitioner_id
            && sight.index.practitioner(id).is_none()
        {
            let message = format!("practitioner `{}` is unknown: create it first", id.wire());
            return Err(Error::new(Reason::UnknownPractitioner, message));
        }
        if let Some(id) = self.territories.iter().find(|id| sight.index.territory(id).is_none()) {
            let message = format!("territory `{}` is unknown: create it first", id.wire());
            return Err(Error::new(Reason::UnknownTerritory, message));
        }
        Ok(())
    }

    fn settle(&mut self, existing: Option<&Body>, now: UtcInstant) {
        (self.source_revision, self.received_at, self.first_published_at) = match existing {
            Some(Body::Schedule(existing)) => {
                (existing.source_revision, existing.received_at, existing.first_published_at)
            }
            Some(_) | None => (0, now, Some(now)),
        };
    }

    fn own(&self) -> StoredUpsert {
        StoredUpsert {
            source_revision: self.source_revision,
            received_at_ms: self.received_at.ms(),
            first_published_at_ms: self.first_published_at.map(UtcInstant::ms),
            ..StoredUpsert::default()
        }
    }

    fn set_own(&mut self, own: &StoredUpsert) {
        let StoredUpsert { source_revision, received_at_ms, first_published_at_ms, saturation: _ } = own;
        self.source_revision = *source_revision;
        self.received_at = UtcInstant::from_ms(*received_at_ms);
        self.first_published_at = first_published_at_ms.map(UtcInstant::from_ms);
    }
}

struct UpsertJob<T> {
    record: T,
    key: Key,
}

impl<T: Kept> Job for UpsertJob<T> {
    type Outcome = Arc<T>;

    fn decide(&self, sight: &Sight<'_>) -> Result<Plan<Arc<T>>, Error> {
        let existing = sight.record(&self.key);
        let (version, existing) = existing.map_or((0, None), |record| (record.version, Some(record.value)));
        self.record.check(existing.as_ref(), sight).map_err(|error| error.about(&self.key))?;
        let mut record = self.record.clone();
        record.settle(existing.as_ref(), sight.now);
        let outcome = Arc::new(record);
        let body = T::to_body(Arc::clone(&outcome));
        let entries = if existing.as_ref() == Some(&body) { Vec::new() } else { vec![Entry::put(body, version)] };
        Ok(Plan::Write { entries, outcome })
    }

    fn probed(&self, _sight: &Sight<'_>) -> Result<Key, Error> {
        Ok(self.key.clone())
    }

    fn encode(&self, outcome: &Arc<T>) -> Vec<u8> {
        encode_upsert(outcome.own())
    }

    fn decode(&self, stored: &[u8], _sight: &Sight<'_>) -> Result<Arc<T>, OutcomeError> {
        let mut record = self.record.clone();
        record.set_own(&decode_upsert(stored)?);
        Ok(Arc::new(record))
    }
}

impl Service {
    async fn upsert<T: Kept>(
        &self,
        caller: &Caller,
        request_id: RequestId,
        mut record: T,
    ) -> Result<Done<Arc<T>>, Error> {
        // What the service keeps itself is no part of what the caller asks.
        record.set_own(&StoredUpsert::default());
        let body = T::to_body(Arc::new(record.clone()));
        let fingerprint = Digest::of("upsert").bytes(&codec::encode(&body)).finish();
        let job = UpsertJob { record, key: body.key() };
        let head = Head { principal: caller.principal.clone(), request_id, fingerprint };
        Ok(self.done(self.write(head, job).await?, |record| record))
    }
}

/// The public face of one kind: upsert, look up, list.
macro_rules! kinds {
    ($($kind:literal $type:ident $id:ident $unknown:ident: $upsert:ident $get:ident $list:ident $page:ident, $shown:expr;)+) => {
        impl Service {
            $(
                #[doc = concat!("Creates or replaces a ", $kind, ".")]
                ///
                /// # Errors
                /// When something that it names is unknown or another source's, or the ledger cannot write.
                pub async fn $upsert(
                    &self,
                    caller: &Caller,
                    request_id: RequestId,
                    record: $type,
                ) -> Result<Done<Arc<$type>>, Error> {
                    self.upsert(caller, request_id, record).await
                }

                #[doc = concat!("The ", $kind, " with this identifier.")]
                ///
                /// # Errors
                /// When it is unknown.
                pub fn $get(&self, id: &$id) -> Result<Arc<$type>, Error> {
                    let unknown = || {
                        let shown: String = $shown(id);
                        let message = format!("{} `{shown}` is unknown", $kind);
                        Error::new(Reason::$unknown, message).about(shown)
                    };
                    self.parts().index.$get(id).map(|record| record.value).ok_or_else(unknown)
                }

                #[doc = concat!("At most `limit` records of kind ", $kind, " after an identifier, in order of identifier.")]
                #[must_use]
                pub fn $list(&self, after: Option<$id>, limit: usize) -> Vec<Arc<$type>> {
                    let page = self.parts().index.$page(after.as_ref(), limit);
                    page.into_iter().map(|Versioned { version: _, value }| value).collect()
                }
            )+
        }
    };
}

kinds! {
    "territory" Territory TerritoryId UnknownTerritory:
        upsert_territory territory territories territories_after, TerritoryId::wire;
    "place" Place PlaceId UnknownPlace:
        upsert_place place places places_after, PlaceId::to_string;
    "practitioner" Practitioner PractitionerId UnknownPractitioner:
        upsert_practitioner practitioner practitioners practitioners_after, PractitionerId::wire;
    "schedule" Schedule ScheduleId UnknownSchedule:
        upsert_schedule schedule schedules schedules_after, ScheduleId::to_string;
    "emergency site" EmergencySite EmergencySiteId UnknownEmergencySite:
        upsert_emergency_site emergency_site emergency_sites emergency_sites_after, EmergencySiteId::to_string;
}
