//! One look for every table, and lines that do not run off the screen.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with these column titles, as wide as its content needs and at most so many columns.
#[must_use]
pub fn table(width: usize, titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(titles);
    table
}

/// The text in lines of at most `width` characters, each after the first begun with as many blanks as `indent` says.
#[must_use]
pub fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let Some(line) = lines.last_mut() else { break };
        let used = line.chars().count();
        if used > indent && used + 1 + word.chars().count() > width {
            lines.push(format!("{}{word}", " ".repeat(indent)));
        } else {
            let is_begun = line.chars().any(|character| character != ' ');
            line.push_str(if is_begun { " " } else { "" });
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// A line of facts, those that are empty left out, with a middle dot between them.
#[must_use]
pub fn joined<const COUNT: usize>(facts: [String; COUNT]) -> String {
    facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_between_words() {
        assert_eq!(wrapped("un deux trois quatre", 11, 2), "un deux\n  trois\n  quatre");
        assert_eq!(wrapped("anticonstitutionnellement", 5, 0), "anticonstitutionnellement");
        assert_eq!(wrapped("", 5, 0), "");
    }
}
