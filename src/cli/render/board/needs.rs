//! How needs are met, one line each, the tensest first.

use super::super::Layout;
use super::super::time::{instant, local, minutes, zone};
use super::super::words;
use super::page::{Column, Ink, cut, line};
use crate::domain::code::{Profession, Specialty};
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

/// What the columns with a width of their own take, but for when the first slot begins.
const FIXED_WIDE: usize = 56;
/// The same on a narrow screen.
const FIXED_NARROW: usize = 33;
/// Least width of when the first slot begins: its title, and a day with a time of Paris.
const FIRST_MIN: usize = 16;

/// At most so many rows, under what they sum up to and, where they are older than the board, when that was.
pub(super) fn needs(
    board: &pb::GetBoardResponse,
    (now, looked_at): (UtcInstant, UtcInstant),
    (layout, ink): (&Layout, Ink),
    rows: usize,
) -> Vec<String> {
    let counts = board.tension_counts.unwrap_or_default();
    let pb::TensionCounts { met, tense, none_free, left_out: _ } = counts;
    let all = met + tense + none_free;
    let shown = board.tension.len().min(rows);
    let seen = match looked_at < now {
        true => format!(" · à {}", looked_at.to_local(zone("")).format("%H:%M:%S")),
        false => String::new(),
    };
    let title = format!(
        "Besoins : {all} · {none_free} sans créneau · {tense} au-delà du délai · {met} dans le délai (R3){seen}{}",
        match shown as u64 {
            shown if shown == all => String::new(),
            1 => " · le plus tendu :".to_owned(),
            shown => format!(" · les {shown} plus tendus :"),
        }
    );
    let mut lines = vec![cut(&title, layout.width)];
    if board.tension.is_empty() {
        lines.push("Aucun agenda n'appartient à une CPTS.".to_owned());
        return lines;
    }
    let told: Vec<_> = board.tension.iter().take(rows).map(|need| (need, first(need, looked_at))).collect();
    // A time of elsewhere says its offset, and takes the room that it needs.
    let width = told.iter().map(|(_, first)| first.chars().count()).max().unwrap_or(0).max(FIRST_MIN);
    let titles = ["CPTS", "Besoin", "Âge", "Premier créneau", "Attente", "Délai", "24 h", "Agendas", "État"];
    lines.push(ink.bold(&row_of(titles, width, layout)));
    lines.extend(told.iter().map(|(need, first)| row(need, (first.as_str(), width), looked_at, (layout, ink))));
    lines
}

/// When the first slot begins, where the CPTS is.
fn first(need: &pb::NeedTension, now: UtcInstant) -> String {
    let first_at = instant(need.first_slot_at.as_ref());
    first_at.map_or("—".to_owned(), |at| local(Some(at), zone(&need.time_zone), Some(now)))
}

fn row(
    need: &pb::NeedTension,
    (first, width): (&str, usize),
    now: UtcInstant,
    (layout, ink): (&Layout, Ink),
) -> String {
    let first_at = instant(need.first_slot_at.as_ref());
    let wait = first_at.map_or("—".to_owned(), |at| minutes(at.minutes_since(now)));
    let schedules = match need.silent_schedule_count {
        0 => need.schedule_count.to_string(),
        silent if layout.is_wide() => {
            format!("{} ({})", need.schedule_count, words::counted(silent.into(), "muet", "muets"))
        }
        silent => format!("{} ({silent})", need.schedule_count),
    };
    let (delay, free) = (minutes(need.threshold_seconds / 60), need.free_count.to_string());
    let (state, paint): (_, fn(Ink, &str) -> String) = match need.state() {
        pb::TensionState::NoneFree => ("AUCUN", Ink::red),
        pb::TensionState::Tense => ("TENDU", Ink::yellow),
        pb::TensionState::Met => ("tenu", |_, text| text.to_owned()),
        pb::TensionState::Unspecified => ("?", |_, text| text.to_owned()),
    };
    let wanted = wanted(need);
    let band = age_band(&need.age_band);
    let texts = [&need.territory_name, &wanted, band, first, &wait, &delay, &free, &schedules, state];
    paint(ink, &row_of(texts, width, layout))
}

fn row_of(texts: [&str; 9], first_width: usize, layout: &Layout) -> String {
    let [territory, wanted, band, first, wait, delay, free, schedules, state] = texts;
    let fixed = if layout.is_wide() { FIXED_WIDE } else { FIXED_NARROW };
    let rest = layout.width.saturating_sub(fixed + first_width);
    let (name, need) = (rest - rest / 2, rest / 2);
    if layout.is_wide() {
        return line(
            layout.width,
            [
                (territory, Column::Left(name)),
                (wanted, Column::Left(need)),
                (band, Column::Left(11)),
                (first, Column::Left(first_width)),
                (wait, Column::Right(8)),
                (delay, Column::Right(8)),
                (free, Column::Right(4)),
                (schedules, Column::Left(12)),
                (state, Column::Left(5)),
            ],
        );
    }
    line(
        layout.width,
        [
            (territory, Column::Left(name)),
            (wanted, Column::Left(need)),
            (band, Column::Left(11)),
            (first, Column::Left(first_width)),
            (free, Column::Right(4)),
            (schedules, Column::Left(7)),
            (state, Column::Left(5)),
        ],
    )
}

/// The code with its label.
fn wanted(need: &pb::NeedTension) -> String {
    let label = |code: &str, label: Option<&'static str>| match label {
        Some(label) => {
            format!("{code} {}", label.trim_end_matches(" (SM)").trim_end_matches(" (SI)").trim_end_matches(" (SCD)"))
        }
        None => code.to_owned(),
    };
    if need.profession.is_empty() {
        label(&need.specialty, Specialty::parse(&need.specialty).ok().map(Specialty::label))
    } else {
        label(&need.profession, Profession::parse(&need.profession).ok().map(Profession::label))
    }
}

/// A band of ages in years.
fn age_band(code: &str) -> &str {
    match code {
        "NOURRISSON" => "0-1 an",
        "ENFANT" => "2-14 ans",
        "ADULTE" => "15-74 ans",
        "SENIOR" => "75 ans et +",
        other => other,
    }
}
