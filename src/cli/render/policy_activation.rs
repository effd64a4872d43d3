//! Which policies a service answers under, and who put them in force.

use super::Layout;
use super::answer::stamp_line;
use super::table::table;
use super::time::{instant, local, zone};
use super::words;
use crate::proto::routing as pb;

/// An activation that was made.
#[must_use]
pub fn activated(activation: Option<&pb::PolicyActivation>, replayed: bool, stamp: Option<&pb::Stamp>) -> String {
    let version = activation.map_or("", |activation| activation.version.as_str());
    let replayed = if replayed { "\nDéjà fait par une demande de même identifiant." } else { "" };
    let position = stamp.map_or(0, |stamp| stamp.position);
    let stamp = stamp.map_or(String::new(), |stamp| format!("\n{}", stamp_line(stamp, zone(""))));
    format!("Règles {version} en vigueur à partir de la position {position}.{replayed}{stamp}")
}

/// The policies in force.
#[must_use]
pub fn in_force(response: &pb::GetPolicyResponse, layout: &Layout) -> String {
    let now = response.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut policies = table(layout.width, &["Règles en vigueur", "Version"]);
    for one in &response.in_force {
        policies.add_row([scope(one), one.version.clone()]);
    }
    let documents: Vec<_> = response.documents.iter().map(|document| document.name.as_str()).collect();
    let documents =
        if documents.is_empty() { "aucun (politique nationale livrée)".to_owned() } else { documents.join(", ") };
    let mut parts =
        vec![format!("Version d'ensemble {} ; fichiers : {documents}", response.version), policies.to_string()];
    if !response.problem.is_empty() {
        parts.push(format!("ATTENTION : {}", response.problem));
    }
    if !response.activations.is_empty() {
        let mut history = table(layout.width, &["Activée à", "Version", "Par", "Motif"]);
        for one in &response.activations {
            let at = local(instant(one.activated_at.as_ref()), zone(""), now);
            history.add_row([at, one.version.clone(), one.activated_by.clone(), one.reason.clone()]);
        }
        parts.push(history.to_string());
    }
    parts.extend(response.stamp.as_ref().map(|stamp| stamp_line(stamp, zone(""))));
    parts.join("\n")
}

/// Whom a policy is for, in words.
fn scope(one: &pb::PolicyInForce) -> String {
    match (one.territory_id.as_str(), one.department.as_str()) {
        ("", "") => "politique nationale".to_owned(),
        ("", department) => format!("département {}", words::department(department)),
        (territory, _) => format!("CPTS {territory}"),
    }
}
