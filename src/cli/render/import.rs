//! What became of an import: counts, then the rows that need a look.

use super::Layout;
use super::table::{table, wrapped};
use crate::cli::import::{ImportReport, RowReport, Severity};

/// Most rows that are shown; the JSON form has them all.
const ROWS_SHOWN_MAX: usize = 40;

/// The report of an import.
#[must_use]
pub fn report(report: &ImportReport, layout: &Layout) -> String {
    let odd: Vec<_> = report.rows.iter().filter(|row| row.severity != Severity::Ok).collect();
    let mut parts = vec![counts(report, layout)];
    if !odd.is_empty() {
        parts.push(rows(&odd, layout));
    }
    if odd.len() > ROWS_SHOWN_MAX {
        let hidden = odd.len() - ROWS_SHOWN_MAX;
        parts.push(format!("... et {hidden} autres lignes : --output json les montre toutes."));
    }
    parts.push(conclusion(report, layout));
    parts.join("\n")
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

fn rows(odd: &[&RowReport], layout: &Layout) -> String {
    let mut table = table(layout.width, &["Où", "Gravité", "Champ", "Raison", "Que faire"]);
    for row in odd.iter().take(ROWS_SHOWN_MAX) {
        let severity = match row.severity {
            Severity::Ok => "accepté",
            Severity::Skipped => "ignoré",
            Severity::Warning => "douteux",
            Severity::Refused => "REFUSÉ",
        };
        table.add_row([&row.origin.to_string(), severity, &row.field, &row.reason, &row.message]);
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
