//! What writes to the terminal, but for what is drawn in place (`screen`): answers to standard output, notes and errors to
//! standard error.
//!
//! Invariant: standard output carries nothing but the answer, so that a program can read it.
//! Deliberately absent: colours and cursor movements; the text is the same in a file and on a screen.

use std::io::{self, IsTerminal as _, Write as _};

/// Columns of a text that is not written to a screen.
const WIDTH_DEFAULT: usize = 120;
/// Fewest columns for which tables are laid out.
const WIDTH_MIN: usize = 60;
/// Most columns of a table; longer lines are hard to follow.
const WIDTH_MAX: usize = 160;

/// Where a command writes.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    width: usize,
}

impl Terminal {
    /// The process' own standard output and error, laid out for so many columns; absent for the screen's, or 120 without one.
    #[must_use]
    pub fn new(width: Option<u16>) -> Self {
        let screen = if io::stdout().is_terminal() { comfy_table::Table::new().width() } else { None };
        let width = width.or(screen).map_or(WIDTH_DEFAULT, usize::from);
        Self { width: width.clamp(WIDTH_MIN, WIDTH_MAX) }
    }

    /// Columns for which tables are laid out.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Writes a text of the answer and ends the line.
    pub fn answer(&self, text: &str) {
        // A reader that went away, such as `head`, is no failure of ours.
        let mut output = io::stdout().lock();
        let _ = writeln!(output, "{text}").and_then(|()| output.flush());
    }

    /// The standard output, for an answer too long to be made in memory.
    #[must_use]
    pub fn output(&self) -> impl io::Write {
        io::stdout().lock()
    }

    /// Writes a note or an error, beside the answer, and ends the line.
    pub fn note(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
