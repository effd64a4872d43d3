//! Which emergency sites go with an answer: the nearest that take this patient, then saturated and closed ones, said so.
//!
//! Invariant: a closed site never stands before one that takes patients, and nothing but the sites themselves decides: an
//! escalation needs neither slots nor the ledger.

use std::sync::Arc;

use crate::domain::answer::SiteDistance;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, LocatedSite};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;

use super::clocks::Clocks;
use super::policy::{Fallback, Pace, Policy};
use super::suitability::SiteNeeds;

/// How many nearest sites are looked at for open ones: mostly the first few suffice.
const LOOKED_AT: [usize; 2] = [8, 24];

/// What the sites are looked at for.
#[derive(Clone, Copy, Debug)]
pub struct SitesQuery<'q> {
    /// Where the patient is.
    pub position: Option<&'q GeoPoint>,
    /// What the patient needs of them.
    pub needs: SiteNeeds,
    /// Whether a mobile unit may be sent, so that SMUR bases matter.
    pub dispatch: bool,
    /// Now.
    pub now: UtcInstant,
    /// The same by the clock.
    clocks: Clocks,
    /// How the patient gets there.
    pub pace: Pace,
    /// How many are shown.
    pub shown: Fallback,
}

impl<'q> SitesQuery<'q> {
    /// What a query looks for at an instant, under a policy.
    #[must_use]
    pub fn new(query: &'q CareQuery, policy: &Policy, dispatch: bool, now: UtcInstant) -> Self {
        let parts = query.parts();
        let travel = policy.travel.at(query.department(), now);
        Self {
            position: parts.position.as_ref(),
            needs: SiteNeeds::of(parts),
            dispatch,
            now,
            clocks: travel.clocks,
            pace: travel.pace(parts.travel_mode),
            shown: policy.fallback,
        }
    }
}

/// The nearest of sites that come in order of identifier and may be ones for the patient: first those that take patients on
/// arrival, then saturated ones, then nearer ones that are closed; none without a position.
#[must_use]
pub fn nearest(sites: &[LocatedSite], query: &SitesQuery<'_>) -> Vec<SiteDistance> {
    let Some(center) = query.position.map(EarthVector::from) else { return Vec::new() };
    let wanted = |site: &LocatedSite| {
        (query.dispatch || site.kind != EmergencySiteKind::Smur) && !query.needs.excludes(site.takes)
    };
    let mut chosen = Vec::new();
    for count in LOOKED_AT {
        let nearest = nearest_of(sites, wanted, &center, count);
        let (shown, is_enough) = choose(&nearest, query);
        chosen = shown;
        if is_enough || nearest.len() < count {
            break;
        }
    }
    chosen
}

/// The nearest of these sites with their distances, nearest first, then by identifier.
fn nearest_of<'s>(
    sites: &'s [LocatedSite],
    wanted: impl Fn(&LocatedSite) -> bool,
    center: &EarthVector,
    count: usize,
) -> Vec<(u32, &'s Arc<EmergencySite>)> {
    let mut nearest: Vec<(u32, &Arc<EmergencySite>)> = Vec::with_capacity(count + 1);
    // A chord as long as the farthest distance dismisses most sites before their own is worked out.
    let mut farthest_squared = f64::INFINITY;
    for known in sites {
        let LocatedSite { vector, site, .. } = known;
        // Nearly all are too far, which is found out soonest.
        if vector.chord_squared(center) >= farthest_squared || !wanted(known) {
            continue;
        }
        let distance_m = vector.distance_m(center);
        let at = nearest.partition_point(|(known_m, known)| (*known_m, &known.id) < (distance_m, &site.id));
        nearest.insert(at, (distance_m, site));
        nearest.truncate(count);
        if let Some((farthest_m, _)) = nearest.get(count - 1) {
            farthest_squared = f64::from(*farthest_m).powi(2);
        }
    }
    nearest
}

/// Where the sites of an answer stand while they are chosen, each list nearest first.
struct Chosen<'s> {
    shown: Fallback,
    dispatch: bool,
    /// SMUR bases that are not closed.
    bases: Vec<Seen<'s>>,
    /// Departments that take patients.
    taking: Vec<Seen<'s>>,
    /// Departments that would, but are saturated.
    saturated: Vec<Seen<'s>>,
    /// Whatever is closed.
    closed: Vec<Seen<'s>>,
}

/// A site at the time of arrival.
struct Seen<'s> {
    site: &'s Arc<EmergencySite>,
    distance_m: u32,
    arrival_at: UtcInstant,
    access: EmergencyAccess,
    saturated_until: Option<UtcInstant>,
}

impl<'s> Seen<'s> {
    fn new(site: &'s Arc<EmergencySite>, distance_m: u32, query: &SitesQuery<'_>) -> Self {
        let arrival_at = query.now.plus_seconds(query.pace.seconds(distance_m));
        let saturated_until = site.saturated_until(arrival_at);
        Self { site, distance_m, arrival_at, access: site.access_at(arrival_at), saturated_until }
    }

    /// As the answer shows it.
    fn told(self, query: &SitesQuery<'_>) -> SiteDistance {
        let mut told = SiteDistance {
            distance_m: self.distance_m,
            travel_minutes: query.pace.minutes(self.distance_m),
            access: self.access,
            access_changes_at: self.site.access_changes_at(self.arrival_at),
            saturated_until: self.saturated_until,
            unknowns: query.needs.doubts(self.site.takes()),
            sentence: String::new(),
            site: Arc::clone(self.site),
        };
        told.sentence = site_sentence(&told, query.clocks);
        told
    }
}

impl<'s> Chosen<'s> {
    fn new(query: &SitesQuery<'_>) -> Self {
        let (bases, taking, saturated, closed) = (vec![], vec![], vec![], vec![]);
        Self { shown: query.shown, dispatch: query.dispatch, bases, taking, saturated, closed }
    }

    fn add(&mut self, seen: Seen<'s>) {
        let is_closed = seen.access == EmergencyAccess::Closed;
        let list = match seen.site.kind {
            // What is closed beyond enough that take patients misleads nobody.
            _ if is_closed && self.taking.len() >= self.shown.sites_max => return,
            _ if is_closed => &mut self.closed,
            EmergencySiteKind::Smur => &mut self.bases,
            _ if seen.saturated_until.is_some() => &mut self.saturated,
            EmergencySiteKind::Department | EmergencySiteKind::Paediatric => &mut self.taking,
        };
        list.push(seen);
    }

    /// Whether a look at farther sites would show the same.
    fn is_enough(&self) -> bool {
        let free_bases = self.bases.iter().filter(|base| base.saturated_until.is_none()).count();
        self.taking.len() >= self.shown.sites_max && (!self.dispatch || free_bases >= self.shown.sites_max)
    }

    /// The sites in the order of the answer.
    fn in_order(mut self) -> impl Iterator<Item = Seen<'s>> {
        let Fallback { sites_max, closed_sites_max, far_m } = self.shown;
        // Stable, so that the nearest of each sort stays first.
        self.bases.sort_by_key(|base| base.saturated_until.is_some());
        self.bases.truncate(sites_max);
        self.taking.truncate(sites_max);
        if self.taking.first().is_some_and(|first| first.distance_m <= far_m) {
            self.taking.retain(|seen| seen.distance_m <= far_m);
        }
        let missing = sites_max.saturating_sub(self.taking.len());
        self.saturated.truncate(missing.max(closed_sites_max));
        self.closed.truncate(closed_sites_max);
        self.bases.into_iter().chain(self.taking).chain(self.saturated).chain(self.closed)
    }
}

/// Those of the nearest sites that are shown, and whether a look at more of them would show the same.
fn choose(nearest: &[(u32, &Arc<EmergencySite>)], query: &SitesQuery<'_>) -> (Vec<SiteDistance>, bool) {
    let mut chosen = Chosen::new(query);
    for (distance_m, site) in nearest {
        if chosen.is_enough() {
            break;
        }
        chosen.add(Seen::new(site, *distance_m, query));
    }
    let is_enough = chosen.is_enough();
    (chosen.in_order().map(|seen| seen.told(query)).collect(), is_enough)
}

mod sentence;

use sentence::site_sentence;
pub use sentence::sites_sentence;
