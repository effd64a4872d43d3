//! What operations look at, as a page of text: conditions, needs, answers by minute, bookings, sources, instances.
//!
//! Invariant: a page fits its room: what does not is cut, and counted. Colours repeat what the text says.

mod needs;
mod page;

use super::Layout;
use super::table::{joined, wrapped};
use super::time::{age, instant, zone};
use super::words;
use crate::domain::time::UtcInstant;
use crate::proto::routing as pb;

use page::{Column, Ink, cut, line, spark};

/// Most sources that a page names.
const SOURCES_MAX: usize = 4;
/// Most instances that a page names.
const INSTANCES_MAX: usize = 6;
/// Most conditions that a page names.
const CONDITIONS_MAX: usize = 4;
/// Most lines of a condition on a screen.
const CONDITION_LINES_MAX: usize = 2;
/// Fewest rows of needs, however low the screen.
const NEEDS_MIN: usize = 3;
/// Lines around the rows of needs.
const NEEDS_FRAME: usize = 2;
/// Characters of an identifier or digest that are shown.
const SHORT: usize = 12;

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// So many lines in all.
    Lines(usize),
    /// So many rows of needs.
    Rows(usize),
}

/// How a page looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look<'a> {
    /// How much is shown.
    pub room: Room,
    /// Whether there are colours.
    pub colour: bool,
    /// What is said of a link that is cut.
    pub lost: Option<&'a str>,
}

impl Look<'_> {
    /// For a file or a program: without colours.
    #[must_use]
    pub const fn plain(room: Room) -> Self {
        Self { room, colour: false, lost: None }
    }
}

/// The page of a board.
#[must_use]
pub fn board(board: &pb::GetBoardResponse, layout: &Layout, look: &Look<'_>) -> String {
    let now = instant(board.made_at.as_ref());
    let ink = Ink(look.colour);
    let Some(now) = now else {
        return ink.red(&cut(look.lost.unwrap_or("En attente d'une réponse."), layout.width));
    };
    let head = head(board, now, layout, look);
    let mut tail = activity(board, layout);
    tail.extend(sources(board, now, layout, ink));
    tail.extend(instances(board, layout, ink));
    let rows = match look.room {
        Room::Rows(rows) => rows,
        Room::Lines(lines) => lines.saturating_sub(head.len() + tail.len() + NEEDS_FRAME).max(NEEDS_MIN),
    };
    // A service of before schedules were looked at less often tells both of the same instant.
    let looked_at = instant(board.tension_at.as_ref()).unwrap_or(now);
    [head, needs::needs(board, (now, looked_at), (layout, ink), rows), tail].concat().join("\n")
}

/// Who tells, when, and what is not as it should be.
fn head(board: &pb::GetBoardResponse, now: UtcInstant, layout: &Layout, look: &Look<'_>) -> Vec<String> {
    let ink = Ink(look.colour);
    let status = board.status.clone().unwrap_or_default();
    let stamp = status.stamp.unwrap_or_default();
    let counts = status.counts.unwrap_or_default();
    let title = joined([
        format!("sas-router {}", status.version),
        now.to_local(zone("")).format("%H:%M:%S (Paris)").to_string(),
        format!("instance {}", short(&status.instance_id)),
        format!("époque {} position {}", stamp.epoch, stamp.position),
        words::counted(counts.schedules, "agenda", "agendas"),
        words::counted(counts.slots, "créneau", "créneaux"),
    ]);
    let mut lines: Vec<String> = look.lost.map(|lost| ink.red(&cut(lost, layout.width))).into_iter().collect();
    lines.push(ink.bold(&cut(&title, layout.width)));
    let lines_max = match look.room {
        Room::Lines(_) => CONDITION_LINES_MAX,
        Room::Rows(_) => usize::MAX,
    };
    for pb::Condition { code, message, degrades } in status.conditions.iter().take(CONDITIONS_MAX) {
        let text = cut(&format!("! {code} : {message}"), usize::MAX);
        let told = wrapped(&text, layout.width, 2);
        let paint = |line: &str| if *degrades { ink.red(line) } else { ink.yellow(line) };
        lines.extend(told.lines().take(lines_max).map(|line| paint(&cut(line, layout.width))));
    }
    let hidden = status.conditions.len().saturating_sub(CONDITIONS_MAX);
    lines.extend((hidden > 0).then(|| {
        format!(
            "! et {} : voir `status`",
            words::counted(u64::try_from(hidden).unwrap_or(u64::MAX), "autre alerte", "autres alertes")
        )
    }));
    lines
}

/// Answers by minute, and what became of slots.
fn activity(board: &pb::GetBoardResponse, layout: &Layout) -> Vec<String> {
    let mut outcomes: Vec<i32> =
        board.activity.iter().flat_map(|minute| &minute.answers).map(|one| one.outcome).collect();
    outcomes.sort_unstable();
    outcomes.dedup();
    let wanted = match layout.width {
        0..80 => 15,
        80..116 => 30,
        _ => board.activity.len(),
    };
    let minutes = board.activity.len().min(wanted);
    let shown = board.activity.get(board.activity.len() - minutes..).unwrap_or_default();
    let label_width = layout.width.saturating_sub(minutes + 24).clamp(16, 60);
    let mut lines = vec![String::new()];
    if outcomes.is_empty() {
        lines.push("Réponses : aucune depuis une heure".to_owned());
    } else {
        lines.push(format!("Réponses par minute ({minutes} min)"));
    }
    for outcome in outcomes {
        let in_minute = |minute: &pb::ActivityMinute| -> u64 {
            minute.answers.iter().filter(|one| one.outcome == outcome).map(|one| one.count).sum()
        };
        let counts: Vec<u64> = shown.iter().map(in_minute).collect();
        let (code, label) = words::outcome(outcome);
        let hour: u64 = board.activity.iter().map(in_minute).sum();
        let label = format!("{code} {label}");
        lines.push(line(
            layout.width,
            [
                (label.as_str(), Column::Left(label_width)),
                (spark(&counts).as_str(), Column::Left(minutes)),
                (format!("{} /min", counts.last().copied().unwrap_or(0)).as_str(), Column::Right(9)),
                (format!("{hour} /h").as_str(), Column::Right(10)),
            ],
        ));
    }
    let hour = |of: fn(&pb::ActivityMinute) -> u64| board.activity.iter().map(of).sum::<u64>();
    let bookings = joined([
        format!("Pré-réservations en cours : {}", board.live_hold_count),
        format!("depuis une heure : {}", words::counted(hour(|minute| minute.hold_count), "prise", "prises")),
        words::counted(hour(|minute| minute.conflict_count), "conflit", "conflits"),
        words::counted(hour(|minute| minute.confirm_count), "confirmée", "confirmées"),
        words::counted(hour(|minute| minute.release_count), "rendue", "rendues"),
        words::counted(hour(|minute| minute.expired_hold_count), "expirée", "expirées"),
        words::counted(hour(|minute| minute.cancel_count), "annulation", "annulations"),
        words::counted(hour(|minute| minute.rebook_count), "déplacement", "déplacements"),
    ]);
    lines.extend(wrapped(&bookings, layout.width, 2).lines().map(str::to_owned));
    lines
}

/// Who publishes, the least believed first.
fn sources(board: &pb::GetBoardResponse, now: UtcInstant, layout: &Layout, ink: Ink) -> Vec<String> {
    let all = u64::try_from(board.sources.len()).unwrap_or(u64::MAX) + board.sources_left_out_count;
    let doubted = board.sources.iter().filter(|source| source.confidence() != pb::Confidence::Certain).count();
    let mut lines = vec![String::new(), format!("Éditeurs : {all} · {doubted} à surveiller")];
    for source in board.sources.iter().take(SOURCES_MAX) {
        let at = instant(source.heartbeat_at.as_ref()).max(instant(source.last_received_at.as_ref()));
        let heard = at.map_or("jamais".to_owned(), |at| format!("il y a {}", age(now.seconds_since(at))));
        let text = line(
            layout.width,
            [
                (source.source_id.as_str(), Column::Left(layout.width.saturating_sub(46).clamp(16, 40))),
                (words::confidence(source.confidence()), Column::Left(11)),
                (heard.as_str(), Column::Left(18)),
                (words::counted(source.schedule_count, "agenda", "agendas").as_str(), Column::Right(14)),
            ],
        );
        lines.push(match source.confidence() {
            pb::Confidence::Certain | pb::Confidence::Unspecified => text,
            pb::Confidence::Uncertain => ink.yellow(&text),
            pb::Confidence::Hidden => ink.red(&text),
        });
    }
    lines
}

/// Who shares the ledger; the one that answers where nobody does.
fn instances(board: &pb::GetBoardResponse, layout: &Layout, ink: Ink) -> Vec<String> {
    let Some(status) = &board.status else { return Vec::new() };
    let Some(shared) = &status.shared_ledger else {
        let text = format!("Registre : {} ({}), non partagé", status.ledger_kind, status.durability_class);
        return vec![String::new(), cut(&text, layout.width)];
    };
    let count = shared.instances.len();
    let title =
        format!("Instances : {count}, registre à {}-{} {}", shared.epoch, shared.position, short(&shared.digest));
    let mut lines = vec![String::new(), cut(&title, layout.width)];
    for instance in shared.instances.iter().take(INSTANCES_MAX) {
        let lag = match instance.lag_changes {
            0 => "à jour".to_owned(),
            changes => format!("retard : {changes} ({} ms)", instance.lag_ms),
        };
        let state = match instance.state() {
            pb::InstanceState::Live => "active",
            pb::InstanceState::Silent => "MUETTE",
            pb::InstanceState::Unspecified => "?",
        };
        let differs = if instance.digest_differs { "DIFFÉRENTE" } else { "" };
        let name = format!("{}{}", if instance.is_self { "> " } else { "  " }, short(&instance.instance_id));
        let text = line(
            layout.width,
            [
                (name.as_str(), Column::Left(2 + SHORT)),
                (state, Column::Left(6)),
                (format!("{}-{}", instance.epoch, instance.position).as_str(), Column::Left(12)),
                (lag.as_str(), Column::Left(20)),
                (short(&instance.digest).as_str(), Column::Left(SHORT)),
                (differs, Column::Left(10)),
            ],
        );
        let is_well = state == "active" && differs.is_empty();
        lines.push(if is_well { text } else { ink.red(&text) });
    }
    lines
}

/// The beginning of an identifier or digest, enough to compare by eye.
fn short(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

#[cfg(test)]
mod tests;
