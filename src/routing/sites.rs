//! Which emergency sites go with an answer: the nearest that take patients, and nearer ones that do not, said so.

use std::sync::Arc;

use crate::domain::answer::SiteDistance;
use crate::domain::emergency::{EmergencyAccess, EmergencySite, EmergencySiteKind, LocatedSite};
use crate::domain::geo::{EarthVector, GeoPoint};
use crate::domain::patient::Age;
use crate::domain::time::UtcInstant;

use super::policy::Policy;
use super::travel::{travel_minutes, travel_seconds};

/// Most sites of each sort in an answer.
const SITES_MAX: usize = 3;
/// Closed sites that are shown so that nobody drives to one by mistake.
const CLOSED_SITES_MAX: usize = 2;
/// Sites beyond this distance in metres are left out when nearer ones take patients.
const FAR_M: u32 = 150_000;
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
}

/// The nearest of sites that come in order of identifier: first those that take patients on arrival, then nearer ones that do not; none without a position.
#[must_use]
pub fn nearest(sites: &[LocatedSite], query: &SitesQuery<'_>, policy: &Policy) -> Vec<SiteDistance> {
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
        let (shown, is_enough) = choose(&nearest, query, policy);
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
fn choose(
    nearest: &[(u32, &Arc<EmergencySite>)],
    query: &SitesQuery<'_>,
    policy: &Policy,
) -> (Vec<SiteDistance>, bool) {
    let (mut taking, mut closed, mut bases) = (Vec::new(), Vec::new(), Vec::new());
    let mut is_enough = false;
    for (distance_m, site) in nearest {
        is_enough = taking.len() >= SITES_MAX && (!query.dispatch || bases.len() >= SITES_MAX);
        if is_enough {
            break;
        }
        let seen = seen(site, *distance_m, query.now, policy);
        let list = match (site.kind, seen.access) {
            (EmergencySiteKind::Smur, _) => &mut bases,
            (_, EmergencyAccess::Closed) if taking.len() < SITES_MAX => &mut closed,
            (_, EmergencyAccess::Closed) => continue,
            (_, EmergencyAccess::Open | EmergencyAccess::Regulated) => &mut taking,
        };
        list.push(seen);
    }
    taking.truncate(SITES_MAX);
    if taking.first().is_some_and(|first: &SiteDistance| first.distance_m <= FAR_M) {
        taking.retain(|seen| seen.distance_m <= FAR_M);
    }
    bases.truncate(SITES_MAX);
    closed.truncate(CLOSED_SITES_MAX);
    let mut sites = if query.dispatch { bases } else { Vec::new() };
    sites.append(&mut taking);
    sites.append(&mut closed);
    (sites, is_enough)
}

fn seen(site: &Arc<EmergencySite>, distance_m: u32, now: UtcInstant, policy: &Policy) -> SiteDistance {
    let arrival_at = now.plus_seconds(travel_seconds(policy, distance_m));
    SiteDistance {
        site: Arc::clone(site),
        distance_m,
        travel_minutes: travel_minutes(policy, distance_m),
        access: site.access_at(arrival_at),
        access_changes_at: site.access_changes_at(arrival_at),
    }
}
