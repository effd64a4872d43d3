//! What became of an import: counts, then what needs a look, one line per cause.

use std::collections::HashMap;
use std::path::Path;

use super::Layout;
use super::table::{table, wrapped};
use crate::cli::import::{ImportReport, RowReport, Severity};

/// Most causes that are shown; the JSON form has every row.
const CAUSES_SHOWN_MAX: usize = 40;
/// Most rows that are named for a cause.
const ORIGINS_SHOWN_MAX: usize = 3;

/// The report of an import.
#[must_use]
pub fn report(report: &ImportReport, layout: &Layout) -> String {
    let causes = causes(&report.rows);
    let mut parts = vec![counts(report, layout)];
    if !causes.is_empty() {
        parts.push(rows(&causes, &report.file, layout));
    }
    if causes.len() > CAUSES_SHOWN_MAX {
        let hidden = causes.len() - CAUSES_SHOWN_MAX;
        parts.push(format!("... et {hidden} autres causes : --output json montre chaque ligne."));
    }
    parts.push(conclusion(report, layout));
    parts.join("\n")
}

/// Rows of which the same is said; the first speaks for all.
struct Cause<'a> {
    rows: Vec<&'a RowReport>,
}

impl Cause<'_> {
    /// How often it was found, slot by slot.
    fn count(&self) -> usize {
        self.rows.iter().map(|row| row.count()).sum()
    }

    /// The first rows, each once, and how many follow.
    fn origins(&self) -> String {
        let mut origins: Vec<_> = self.rows.iter().map(|row| &row.origin).collect();
        origins.dedup();
        let mut lines: Vec<_> = origins.iter().take(ORIGINS_SHOWN_MAX).map(ToString::to_string).collect();
        if origins.len() > ORIGINS_SHOWN_MAX {
            lines.push(format!("et {} autres", origins.len() - ORIGINS_SHOWN_MAX));
        }
        lines.join("\n")
    }
}

/// What needs a look, by cause, in the order of the file.
fn causes(rows: &[RowReport]) -> Vec<Cause<'_>> {
    let mut places = HashMap::new();
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for row in rows.iter().filter(|row| row.severity != Severity::Ok) {
        // A flag is given once for the whole file, so its fault is one, whatever identifier the message names.
        let message = if row.field.starts_with("--") { "" } else { &row.message };
        let place = *places.entry((row.severity, &row.field, &row.reason, message)).or_insert(causes.len());
        match causes.get_mut(place) {
            Some(cause) => cause.rows.push(row),
            None => causes.push(Cause { rows: vec![row] }),
        }
    }
    causes
}

fn counts(report: &ImportReport, layout: &Layout) -> String {
    let (directory, slots) = (&report.directory, &report.slots);
    let mut table = table(layout.width, &["Annuaire", "dans le fichier", "Créneaux", ""]);
    table.add_row(["CPTS", &directory.territories.to_string(), "dans le fichier", &slots.planned.to_string()]);
    table.add_row(["Lieux", &directory.places.to_string(), "créés", &slots.created.to_string()]);
    table.add_row(["Professionnels", &directory.practitioners.to_string(), "modifiés", &slots.updated.to_string()]);
    table.add_row(["Agendas", &directory.schedules.to_string(), "inchangés", &slots.unchanged.to_string()]);
    table.add_row(["Sites d'urgence", &directory.emergency_sites.to_string(), "refusés", &slots.refused.to_string()]);
    let entries = format!("{} acceptés, {} refusés", directory.accepted, directory.refused);
    table.add_row(["Envoi", &entries, "sans réponse", &slots.unanswered.to_string()]);
    table.to_string()
}

fn rows(causes: &[Cause<'_>], file: &str, layout: &Layout) -> String {
    // The folder is known to whoever typed it, and would take the width from what is to be done.
    let name = Path::new(file).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let place = if name.is_empty() { "Où".to_owned() } else { format!("Dans {name}") };
    let mut table = table(layout.width, &[&place, "Gravité", "Champ", "Raison", "Fois", "Que faire"]);
    for cause in causes.iter().take(CAUSES_SHOWN_MAX) {
        let Some(row) = cause.rows.first() else { continue };
        let severity = match row.severity {
            Severity::Ok => "accepté",
            Severity::Skipped => "ignoré",
            Severity::Warning => "douteux",
            Severity::Refused => "REFUSÉ",
        };
        let count = cause.count().to_string();
        table.add_row([&cause.origins(), severity, &row.field, &row.reason, &count, &row.message]);
    }
    table.to_string()
}

fn conclusion(report: &ImportReport, layout: &Layout) -> String {
    let what = if report.dry_run { "Essai à blanc, rien n'est envoyé" } else { "Import" };
    let text = format!(
        "{what} : {} lignes sans remarque, {} ignorées, {} douteuses, {} refusées. Éditeur {}, révision {} (la même révision une \
         seconde fois ne change rien).",
        report.ok_count,
        report.skipped_count,
        report.warning_count,
        report.refused_count,
        report.source_id,
        report.source_revision
    );
    wrapped(&text, layout.width, 2)
}
