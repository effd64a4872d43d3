//! A whole answer: what to do, the options, what nearly fitted, what was left out, where emergencies go, from which state.

use chrono_tz::Tz;

use super::options::{near_misses, options};
use super::table::{joined, table, wrapped};
use super::time::{age, instant, local, metres, minutes, zone_of_answer};
use super::{Layout, words};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// The answer of `FindCare`.
#[must_use]
pub fn answer(answer: &pb::FindCareResponse, layout: &Layout) -> String {
    let zone = zone_of_answer(answer);
    let today = answer.stamp.as_ref().and_then(|stamp| instant(stamp.answered_at.as_ref()));
    let mut parts = vec![heading(answer, zone, today, layout)];
    if !answer.options.is_empty() {
        parts.push(format!("Options\n{}", options(&answer.options, today, layout)));
    }
    if let Some(doubt) = &answer.road_times_doubt {
        parts.push(wrapped(&format!("Trajets : {} ({})", doubt.sentence, doubt.reason), layout.width, 2));
    }
    if !answer.near_misses.is_empty() {
        parts.push(format!("Presque possibles\n{}", near_misses(&answer.near_misses, today, layout)));
    }
    if let Some(text) = exclusions(answer, layout) {
        parts.push(text);
    }
    if !answer.alike_left_out.is_empty() {
        let lines = answer.alike_left_out.iter().map(|one| words::alike(one.likeness(), one.count));
        parts.push(wrapped(&format!("Laissés de côté : {}", lines.collect::<Vec<_>>().join(" · ")), layout.width, 2));
    }
    if !answer.what_ifs.is_empty() {
        let lines = answer.what_ifs.iter().map(|one| wrapped(&format!("- {}", one.sentence), layout.width, 2));
        parts.push(format!("Et si\n{}", lines.collect::<Vec<_>>().join("\n")));
    }
    if !answer.silent_sources.is_empty() {
        parts.push(silent_sources(&answer.silent_sources, zone, today, layout));
    }
    if !answer.emergency_sites.is_empty() {
        parts.push(format!(
            "Urgences les plus proches\n{}",
            emergency_sites(&answer.emergency_sites, zone, today, layout)
        ));
    }
    if let Some(stamp) = &answer.stamp {
        parts.push(wrapped(&stamp_line(stamp, zone), layout.width, 2));
    }
    parts.join("\n\n")
}

/// A doubt about the question.
#[must_use]
pub fn warning(warning: &pb::QueryWarning, layout: &Layout) -> String {
    wrapped(&format!("attention : {} ({})", warning.sentence, warning.reason), layout.width, 2)
}

/// The outcome, its sentence, the rule that decided, the radius and the delay.
fn heading(answer: &pb::FindCareResponse, zone: Tz, today: Option<UtcInstant>, layout: &Layout) -> String {
    let outcome = words::labelled(words::outcome(answer.outcome));
    let hub = [answer.decision_type.as_str(), answer.orientation_type.as_str()];
    let hub = hub.into_iter().filter(|code| !code.is_empty()).collect::<Vec<_>>().join(" / ");
    let hub = if hub.is_empty() { hub } else { format!("Hub Santé : {hub}") };
    let rule = if answer.rule_id.is_empty() { String::new() } else { format!("règle {}", answer.rule_id) };
    let needed_by = instant(answer.needed_by_at.as_ref());
    let needed_by =
        needed_by.map_or(String::new(), |at| format!("début au plus tard {}", local(Some(at), zone, today)));
    let radius = answer.radius.as_ref().map_or(String::new(), radius);
    let facts = wrapped(&joined([hub, rule, needed_by, radius]), layout.width, 2);
    let policy = answer
        .policy_rules
        .iter()
        .map(|rule| wrapped(&format!("règle {} : {}", rule.rule_id, rule.sentence), layout.width, 2));
    let lines = [format!("=> {outcome}"), wrapped(&answer.sentence, layout.width, 0), facts];
    lines.into_iter().chain(policy).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn radius(radius: &pb::Radius) -> String {
    if radius.source == i32::from(pb::RadiusSource::Unspecified) {
        return String::new();
    }
    let source = words::radius_source(radius.source).1;
    let department = match radius.department.as_str() {
        "" => String::new(),
        code => format!(", {}", words::department(code)),
    };
    let widened = match radius.widened_count {
        0 => String::new(),
        count => format!(", élargi {count} fois depuis {}", metres(radius.initial_radius_m)),
    };
    format!("rayon {} ({source}{department}{widened})", metres(radius.radius_m))
}

/// How many slots each rule left out; nothing when nothing was examined.
fn exclusions(answer: &pb::FindCareResponse, layout: &Layout) -> Option<String> {
    if answer.examined_count == 0 {
        return None;
    }
    let counts =
        answer.exclusions.iter().map(|one| format!("{} {}", words::labelled(words::rule(one.rule)), one.count));
    let counts = counts.collect::<Vec<_>>().join(" · ");
    let counts = if counts.is_empty() { "aucun".to_owned() } else { counts };
    let extent = if answer.examined_all { "tous ceux du rayon" } else { "la recherche a pu s'arrêter avant la fin" };
    let text = format!("Écartés : {counts} (sur {} créneaux examinés, {extent})", answer.examined_count);
    Some(wrapped(&text, layout.width, 2))
}

/// Whose word is not believed in full.
fn silent_sources(sources: &[pb::SilentSource], zone: Tz, today: Option<UtcInstant>, layout: &Layout) -> String {
    let one = |source: &pb::SilentSource| {
        let (confidence, heard_at) = (words::confidence(source.confidence()), instant(source.last_heard_at.as_ref()));
        let heard_at = local(heard_at, zone, today);
        format!("{} ({confidence}, dernier signe {heard_at}, {} agendas)", source.source_id, source.schedule_count)
    };
    let all = sources.iter().map(one).collect::<Vec<_>>().join(" · ");
    wrapped(&format!("Éditeurs silencieux : {all}"), layout.width, 2)
}

fn emergency_sites(
    sites: &[pb::EmergencySiteDistance],
    zone: Tz,
    today: Option<UtcInstant>,
    layout: &Layout,
) -> String {
    let titles: &[&str] = if layout.is_wide() {
        &["Site", "Nature", "Trajet", "À l'arrivée", "Téléphone"]
    } else {
        &["Site", "Trajet", "À l'arrivée", "Téléphone"]
    };
    let mut table = table(layout.width, titles);
    for site in sites {
        let (time, distance) = (minutes(site.travel_minutes), metres(site.distance_m));
        let (kind, access) = (words::emergency_kind(&site.kind), words::emergency_access(&site.access));
        let changes_at = instant(site.access_changes_at.as_ref());
        let until = changes_at.map_or(String::new(), |at| format!("jusqu'à {}", local(Some(at), zone, today)));
        let saturated_until = instant(site.saturated_until_at.as_ref());
        let access = match saturated_until {
            Some(at) => format!("SATURÉ jusqu'à {}, {access}", local(Some(at), zone, today)),
            None => access,
        };
        let phone = if site.phone.is_empty() { "-".to_owned() } else { site.phone.clone() };
        if layout.is_wide() {
            let access = format!("{access} {until}");
            table.add_row(vec![site.name.clone(), kind, format!("{time}, {distance}"), access, phone]);
        } else {
            let name = format!("{}\n{kind}", site.name);
            table.add_row(vec![name, format!("{time}\n{distance}"), format!("{access}\n{until}"), phone]);
        }
    }
    let remarks = sites.iter().filter_map(|site| site_remark(site, layout));
    [table.to_string()].into_iter().chain(remarks).collect::<Vec<_>>().join("\n")
}

/// What is to be done or asked before somebody is sent to a site; nothing for one that is simply open.
fn site_remark(site: &pb::EmergencySiteDistance, layout: &Layout) -> Option<String> {
    let is_plain = site.access == "OPEN" && site.saturated_until_at.is_none() && site.unknowns.is_empty();
    let is_told = !is_plain && !site.sentence.is_empty();
    is_told.then(|| wrapped(&format!("{} · {}", site.name, site.sentence), layout.width, 2))
}

/// From which state an answer was given, in one line.
#[must_use]
pub fn stamp_line(stamp: &pb::Stamp, zone: Tz) -> String {
    let at = instant(stamp.answered_at.as_ref());
    let data_age = stamp.data_age_seconds.map_or(String::new(), |seconds| format!("données de {}", age(seconds)));
    let policy =
        if stamp.policy_version.is_empty() { String::new() } else { format!("règles {}", stamp.policy_version) };
    let behind = if stamp.behind_min_position { "EN RETARD sur la position demandée" } else { "" };
    let degraded = match (stamp.durability_reduced, stamp.degraded) {
        (true, _) => "SERVICE DÉGRADÉ : durabilité réduite, voir `status`",
        (false, true) => "SERVICE DÉGRADÉ : les écritures peuvent être refusées",
        (false, false) => "",
    };
    joined([
        format!("État : {}", local(at, zone, at)),
        format!("époque {}, position {}", stamp.epoch, stamp.position),
        data_age,
        policy,
        degraded.to_owned(),
        behind.to_owned(),
    ])
}
