//! Emergency sites as they stand now: access, saturation, whom they take.

use super::table::{joined, table};
use super::time::{instant, local, zone};
use super::{Layout, words};
use crate::proto::routing as pb;

/// The sites, each in the local time of its own zone.
#[must_use]
pub fn sites(sites: &[pb::EmergencySite], layout: &Layout) -> String {
    if sites.is_empty() {
        return "Aucun site d'urgence.".to_owned();
    }
    let titles: &[&str] = if layout.is_wide() {
        &["Identifiant", "Site", "Nature", "Accès maintenant", "Saturation", "Accueil"]
    } else {
        &["Identifiant", "Site", "Accès, saturation", "Accueil"]
    };
    let mut table = table(layout.width, titles);
    for site in sites {
        let (access, saturation) = (access(site, layout), saturation(site, layout));
        let kind = words::emergency_kind(kind_code(site));
        let capabilities = capabilities(site);
        let id = site.emergency_site_id.clone();
        if layout.is_wide() {
            table.add_row([id, site.name.clone(), kind, access, saturation, capabilities]);
        } else {
            let state = joined([access, saturation]);
            table.add_row([id, format!("{}\n{kind}", site.name), state, capabilities]);
        }
    }
    table.to_string()
}

fn kind_code(site: &pb::EmergencySite) -> &'static str {
    site.kind().as_str_name().trim_start_matches("EMERGENCY_SITE_KIND_")
}

fn access(site: &pb::EmergencySite, layout: &Layout) -> String {
    let code = site.access().as_str_name().trim_start_matches("EMERGENCY_ACCESS_");
    let access = words::emergency_access(code);
    match instant(site.access_changes_at.as_ref()) {
        Some(at) => format!("{access} jusqu'à {}", local(Some(at), zone(&site.time_zone), layout.now)),
        None => access,
    }
}

fn saturation(site: &pb::EmergencySite, layout: &Layout) -> String {
    let until = site.saturation.as_ref().and_then(|window| instant(window.end_at.as_ref()));
    until.map_or(String::new(), |at| format!("SATURÉ jusqu'à {}", local(Some(at), zone(&site.time_zone), layout.now)))
}

/// What the site stated: `enfants oui, obstétrique non`.
fn capabilities(site: &pb::EmergencySite) -> String {
    let stated = site.capabilities.iter().map(|answer| {
        let offered = if answer.offered() == pb::Knowledge::Yes { "oui" } else { "non" };
        format!("{} {offered}", words::capability(answer.capability).1)
    });
    stated.collect::<Vec<_>>().join(", ")
}
