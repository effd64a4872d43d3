//! Options and near misses as tables, each with its sentence and what is needed to hold it.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ColumnConstraint, Table};

use super::table::{joined, table, wrapped};
use super::time::{instant, local, metres, minutes, zone};
use super::{Layout, words};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// Names of territories by identifier.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    territories: BTreeMap<String, String>,
}

impl Names {
    /// Remembers the name of a territory.
    pub fn add_territory(&mut self, territory_id: String, name: String) {
        self.territories.insert(territory_id, name);
    }

    /// The name of a territory, else its identifier.
    pub(super) fn territory<'a>(&'a self, territory_id: &'a str) -> &'a str {
        self.territories.get(territory_id).map_or(territory_id, String::as_str)
    }
}

/// Identifiers of the territories that a list of options names, each once.
pub fn territory_ids<'a>(options: impl Iterator<Item = &'a pb::CareOption>) -> Vec<String> {
    let mut ids: Vec<_> = options.flat_map(|option| option.territory_ids.iter().cloned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The options as a table, then one paragraph each: why, what is unknown, what to hold.
#[must_use]
pub fn options(options: &[pb::CareOption], today: Option<UtcInstant>, layout: &Layout) -> String {
    let mut table = option_table(layout, "N°");
    for option in options {
        table.add_row(option_row(option, option.rank.to_string(), today, layout));
    }
    let mut parts = vec![table.to_string()];
    for option in options {
        parts.push(paragraph(&option.rank.to_string(), &option.sentence, option, layout));
    }
    parts.join("\n")
}

/// The near misses as a table, then one sentence each.
#[must_use]
pub fn near_misses(misses: &[pb::NearMiss], today: Option<UtcInstant>, layout: &Layout) -> String {
    let mut table = option_table(layout, "");
    let mut paragraphs = Vec::new();
    for (letter, miss) in ('a'..='z').zip(misses) {
        let Some(option) = &miss.option else { continue };
        table.add_row(option_row(option, letter.to_string(), today, layout));
        let sentence = format!("{} : {}", excess(miss), miss.sentence);
        paragraphs.push(paragraph(&letter.to_string(), &sentence, option, layout));
    }
    format!("{table}\n{}", paragraphs.join("\n"))
}

/// The failed rule and by how much.
fn excess(miss: &pb::NearMiss) -> String {
    let rule = words::labelled(words::rule(miss.rule));
    let by = match pb::Rule::try_from(miss.rule) {
        Ok(pb::Rule::Arrival | pb::Rule::Delay | pb::Rule::Silence) => minutes(miss.excess),
        Ok(pb::Rule::Radius | pb::Rule::Territory) => metres(miss.excess),
        Ok(pb::Rule::Age) => format!("{} jours", miss.excess),
        Ok(
            pb::Rule::Unspecified
            | pb::Rule::Visibility
            | pb::Rule::Specialty
            | pb::Rule::Modality
            | pb::Rule::Suitability
            | pb::Rule::AppointmentType
            | pb::Rule::Sex
            | pb::Rule::Need
            | pb::Rule::Language
            | pb::Rule::Capacity
            | pb::Rule::Excluded
            | pb::Rule::Quarantine,
        )
        | Err(_) => return rule,
    };
    if miss.excess == 0 { rule } else { format!("{rule}, de {by}") }
}

fn option_table(layout: &Layout, first: &str) -> Table {
    let wide = ["Heure", "Trajet", "Modalité", "Professionnel", "Lieu", "CPTS", "Places"].as_slice();
    let narrow = ["Heure", "Trajet", "Modalité", "Qui, où", "Pl."].as_slice();
    let titles: Vec<_> = [first].iter().chain(if layout.is_wide() { wide } else { narrow }).copied().collect();
    let mut table = table(layout.width, &titles);
    let last = titles.len().saturating_sub(1);
    for index in [0, 1, 2, 3, last] {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    if let Some(column) = table.column_mut(last) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn option_row(option: &pb::CareOption, first: String, today: Option<UtcInstant>, layout: &Layout) -> Vec<String> {
    let parts = option.parts.unwrap_or_default();
    let begins_at = instant(option.care_begins_at.as_ref()).or_else(|| instant(option.start_at.as_ref()));
    let time = format!("{}\ndans {}", local(begins_at, zone(&option.time_zone), today), minutes(parts.wait_minutes));
    let travel = match option.modality.as_str() {
        "VR" => "aucun".to_owned(),
        _ => format!("{}\n{}", minutes(parts.travel_minutes), metres(parts.distance_m)),
    };
    let manner =
        format!("{}\n{}", words::modality(&option.modality), words::appointment_type(&option.appointment_type));
    let practitioner = match option.practitioner_name.as_str() {
        "" => "selon la structure".to_owned(),
        name => name.to_owned(),
    };
    let territories: Vec<_> = option.territory_ids.iter().map(|id| layout.names.territory(id)).collect();
    let preference = words::territory_preference(parts.territory_preference).1;
    let (place, territories) = (place(option), lines([territories.join(", "), preference.to_owned()]));
    let remaining = option.remaining_count.to_string();
    if layout.is_wide() {
        vec![first, time, travel, manner, practitioner, place, territories, remaining]
    } else {
        vec![first, time, travel, manner, lines([practitioner, place, territories]), remaining]
    }
}

/// The place's name and its town.
fn place(option: &pb::CareOption) -> String {
    let town = option.place_address.rsplit(',').next().unwrap_or_default();
    let town = town.trim_start_matches(|character: char| character.is_ascii_digit() || character == ' ');
    lines([option.place_name.clone(), town.trim_end().to_owned()])
}

/// The texts that are not empty, one a line.
fn lines<const COUNT: usize>(texts: [String; COUNT]) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Why, what nobody said, how to reach it, and the slot to hold.
fn paragraph(first: &str, sentence: &str, option: &pb::CareOption, layout: &Layout) -> String {
    let unknowns: Vec<_> = option.unknowns.iter().map(words::unknown).collect();
    let unknowns = if unknowns.is_empty() { String::new() } else { format!("à vérifier : {}", unknowns.join(", ")) };
    let phone = if option.phone.is_empty() { String::new() } else { format!("tél. {}", option.phone) };
    let slot = format!("créneau {}", option.slot_id);
    let indent = first.chars().count() + 2;
    let why = wrapped(&format!("{first}. {sentence}"), layout.width, indent);
    let facts = joined([slot, phone, unknowns, option.booking_url.clone()]);
    format!("{why}\n{}{}", " ".repeat(indent), wrapped(&facts, layout.width.saturating_sub(indent), indent))
}
