//! Which emergency sites go with an answer: the nearest that take patients, and nearer ones that do not, said so.

use std::sync::Arc;

use crate::domain::answer::SiteDistance;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, LocatedSite};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::patient::Age;
use crate::domain::query::CareQuery;
use crate::domain::time::UtcInstant;

use super::policy::{Fallback, Pace, Policy};
use super::radius::department_of;

/// How many nearest sites are looked at for open ones: mostly the first few suffice.
const LOOKED_AT: [usize; 2] = [8, 24];
/// Age in years from which paediatric sites are not shown.
const PAEDIATRIC_UNTIL_YEARS: u16 = 18;

/// What the sites are looked at for.
#[derive(Clone, Copy, Debug)]
pub struct SitesQuery<'q> {
    /// Where the patient is.
    pub position: Option<&'q GeoPoint>,
    /// Age, when known.
    pub age: Option<Age>,
    /// Whether a mobile unit may be sent, so that SMUR bases matter.
    pub dispatch: bool,
    /// Now.
    pub now: UtcInstant,
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
        let pace = policy.travel.pace(parts.travel_mode, department_of(query), now);
        Self { position: parts.position.as_ref(), age: parts.age, dispatch, now, pace, shown: policy.fallback }
    }
}

/// The nearest of sites that come in order of identifier: first those that take patients on arrival, then nearer ones that do not; none without a position.
#[must_use]
pub fn nearest(sites: &[LocatedSite], query: &SitesQuery<'_>) -> Vec<SiteDistance> {
    let Some(center) = query.position.map(EarthVector::from) else { return Vec::new() };
    let adult = query.age.is_some_and(|age| age >= Age::from_years(PAEDIATRIC_UNTIL_YEARS));
    let wanted = |kind: EmergencySiteKind| match kind {
        EmergencySiteKind::Department => true,
        EmergencySiteKind::Smur => query.dispatch,
        EmergencySiteKind::Paediatric => !adult,
    };
    let mut chosen = Vec::new();
    for count in LOOKED_AT {
        let nearest = nearest_of(sites.iter().filter(|site| wanted(site.kind)), &center, count);
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
    sites: impl Iterator<Item = &'s LocatedSite>,
    center: &EarthVector,
    count: usize,
) -> Vec<(u32, &'s Arc<EmergencySite>)> {
    let mut nearest: Vec<(u32, &Arc<EmergencySite>)> = Vec::with_capacity(count + 1);
    // A chord as long as the farthest distance dismisses most sites before their own is worked out.
    let mut farthest_squared = f64::INFINITY;
    for LocatedSite { vector, site, .. } in sites {
        if vector.chord_squared(center) >= farthest_squared {
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

/// Those of the nearest sites that are shown, and whether a look at more of them would show the same.
fn choose(nearest: &[(u32, &Arc<EmergencySite>)], query: &SitesQuery<'_>) -> (Vec<SiteDistance>, bool) {
    let Fallback { sites_max, closed_sites_max, far_m } = query.shown;
    let (mut taking, mut closed, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_enough = false;
    for (distance_m, site) in nearest {
        is_enough = taking.len() >= sites_max && (!query.dispatch || bases.len() >= sites_max);
        if is_enough {
            break;
        }
        let seen = seen(site, *distance_m, query);
        let list = match (site.kind, seen.access) {
            (EmergencySiteKind::Smur, _) => &mut bases,
            (_, EmergencyAccess::Closed) if taking.len() < sites_max => &mut closed,
            (_, EmergencyAccess::Closed) => continue,
            (_, EmergencyAccess::Open | EmergencyAccess::Regulated) => &mut taking,
        };
        list.push(seen);
    }
    taking.truncate(sites_max);
    if taking.first().is_some_and(|first: &SiteDistance| first.distance_m <= far_m) {
        taking.retain(|seen| seen.distance_m <= far_m);
    }
    bases.truncate(sites_max);
    closed.truncate(closed_sites_max);
    let mut sites = if query.dispatch { bases } else { Vec::new() };
    sites.append(&mut taking);
    sites.append(&mut closed);
    (sites, is_enough)
}

fn seen(site: &Arc<EmergencySite>, distance_m: u32, query: &SitesQuery<'_>) -> SiteDistance {
    let arrival_at = query.now.plus_seconds(query.pace.seconds(distance_m));
    SiteDistance {
        site: Arc::clone(site),
        distance_m,
        travel_minutes: query.pace.minutes(distance_m),
        access: site.access_at(arrival_at),
        access_changes_at: site.access_changes_at(arrival_at),
    }
}
