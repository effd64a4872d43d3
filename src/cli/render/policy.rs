//! A policy as tables that a physician can read.

use super::table::table;
use crate::domain::code::{Modality, Priority};
use crate::domain::department::Department;
use crate::domain::patient::TravelMode;
use crate::domain::time::UtcInstant;
use crate::routing::policy::{BeyondTerritory, Policy, PolicyScope, ScopedPolicy};

/// Whom a policy is for, in words.
#[must_use]
pub fn scope(scope: PolicyScope) -> String {
    match scope {
        PolicyScope::National => "politique nationale".to_owned(),
        PolicyScope::Territory(territory) => format!("CPTS {territory}"),
        PolicyScope::Department(department) => format!("département {department} {}", department.name()),
    }
}

/// A whole policy.
#[must_use]
pub fn policy(shown: &ScopedPolicy, width: usize) -> String {
    let policy = &*shown.policy;
    let parts = [
        format!("Règles {} ({})", policy.version, scope(shown.scope)),
        red_flags(policy, width),
        delays(policy, width),
        modalities(policy, width),
        travel(policy, width),
        figures(policy, width),
    ];
    parts.join("\n\n")
}

fn red_flags(policy: &Policy, width: usize) -> String {
    let mut table = table(width, &["Signal d'alerte", "Pour", "Décision", "Texte"]);
    for flag in &policy.red_flags {
        let by = if flag.physician_may_override { "\nsauf médecin" } else { "" };
        let decision = format!("{}{by}", flag.outcome.code());
        table.add_row([flag.rule.id.to_string(), flag.when.describe(), decision, flag.rule.text.to_string()]);
    }
    table.to_string()
}

fn delays(policy: &Policy, width: usize) -> String {
    let mut table = table(width, &["Délai par défaut", "Pour", "Minutes", "Texte"]);
    for delay in &policy.delays {
        let (id, text) = (delay.rule.id.to_string(), delay.rule.text.to_string());
        table.add_row([id, delay.when.describe(), delay.minutes.to_string(), text]);
    }
    table.to_string()
}

fn modalities(policy: &Policy, width: usize) -> String {
    let mut table = table(width, &["Modalité écartée", "Pour", "Modalités", "Texte"]);
    for rule in &policy.modalities {
        let unsuitable: Vec<_> = rule.unsuitable.iter().map(Modality::code).collect();
        let by = if rule.physician_may_override { "\nsauf médecin" } else { "" };
        let unsuitable = format!("{}{by}", unsuitable.join(" "));
        table.add_row([rule.rule.id.to_string(), rule.when.describe(), unsuitable, rule.rule.text.to_string()]);
    }
    let tele = &policy.teleconsultation;
    let beyond = match tele.beyond {
        BeyondTerritory::LastResort => "au-delà, faute d'autre réponse",
        BeyondTerritory::Never => "jamais au-delà",
        BeyondTerritory::Always => "sans limite",
    };
    let (id, text) = (tele.rule.id.to_string(), tele.rule.text.to_string());
    table.add_row([id, format!("à {} km ou CPTS, {beyond}", tele.near_m / 1_000), "VR".to_owned(), text]);
    table.to_string()
}

/// Minutes that ten kilometres take, by density class, at some hours of a Parisian day.
fn travel(policy: &Policy, width: usize) -> String {
    let hours = [3, 8, 12, 18, 22];
    // 1970-01-01, when Paris was an hour ahead.
    let at = |hour: i64| UtcInstant::from_ms((hour - 1) * 3_600_000);
    let mut table = table(width, &["10 km en minutes", "3 h", "8 h", "12 h", "18 h", "22 h", "à pied", "sans voiture"]);
    let mut seen: Vec<&str> = Vec::new();
    let paris = |department: &&Department| department.zone() == chrono_tz::Europe::Paris;
    for department in Department::ALL.iter().filter(paris) {
        let Some(class) = policy.travel.class_of(Some(*department)).filter(|class| !seen.contains(&&*class.id)) else {
            continue;
        };
        seen.push(&class.id);
        let minutes = |mode, hour| policy.travel.at(Some(*department), at(hour)).pace(mode).minutes(10_000).to_string();
        let mut row = vec![format!("{} (par ex. {})", class.id, department.name())];
        row.extend(hours.map(|hour| minutes(TravelMode::Car, hour)));
        row.extend([minutes(TravelMode::Walking, 12), minutes(TravelMode::NoCar, 12)]);
        table.add_row(row);
    }
    table.to_string()
}

fn figures(policy: &Policy, width: usize) -> String {
    let mut table = table(width, &["Autres réglages", ""]);
    let holds: Vec<_> = Priority::ALL.iter().map(|one| format!("{one} {} s", policy.hold_seconds(*one))).collect();
    let neighbours: Vec<_> = policy.neighbours.iter().map(ToString::to_string).collect();
    let widened = format!(
        "jusqu'à {} options, {} fois au plus, par {} % du pas officiel",
        policy.enough_options, policy.widened_max, policy.step_percent
    );
    let preference =
        format!("voisine {} s, autre {} s", policy.neighbour_cost_seconds, policy.other_territory_cost_seconds);
    let age = format!(
        "au-delà de {} min, {} s ; masquées au-delà de {} min, ou {} min après la fin d'un bail",
        policy.fading.uncertain_after_seconds / 60,
        policy.doubt_cost_seconds,
        policy.fading.hidden_after_seconds / 60,
        policy.fading.hidden_after_lease_seconds / 60
    );
    table.add_row(["Pré-réservation", &holds.join(", ")]);
    table.add_row(["Marge d'arrivée", &format!("{} min", policy.arrival_margin_minutes)]);
    table.add_row(["Élargissement", &widened]);
    table.add_row(["Visite à domicile", &format!("{} km si l'agenda ne dit rien", policy.home_visit_radius_m / 1_000)]);
    table.add_row(["Coût hors CPTS", &preference]);
    let agreements = if neighbours.is_empty() { "aucun".to_owned() } else { neighbours.join(", ") };
    table.add_row(["Accords de voisinage", &agreements]);
    table.add_row(["Coût d'une donnée ancienne", &age]);
    table.to_string()
}
