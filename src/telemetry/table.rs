//! The catalog as a table for people.

use super::catalog::{Kind, METRICS};

/// The table in Markdown, a line each metric, under the name with which it is scraped.
#[must_use]
pub fn table() -> String {
    let mut table = "| metric | kind | by | series | what it tells |\n|---|---|---|---:|---|\n".to_owned();
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let by: Vec<_> = metric.attributes.iter().map(|name| format!("`{}`", name.replace('.', "_"))).collect();
        let (name, by) = (metric.scraped_name(), by.join(" "));
        table.push_str(&format!("| `{name}` | {kind} | {by} | {} | {} |\n", metric.series_max, metric.help));
    }
    table
}
