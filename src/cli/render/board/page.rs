//! Lines of a page: columns of fixed width, small charts, colours.

/// Steps of a small chart; none is a dot, so that it is seen where it is.
const STEPS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column of so many characters.
#[derive(Clone, Copy)]
pub(super) enum Column {
    Left(usize),
    Right(usize),
}

/// Colours, or none.
#[derive(Clone, Copy)]
pub(super) struct Ink(pub(super) bool);

impl Ink {
    pub(super) fn red(self, text: &str) -> String {
        self.paint(text, 31)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.paint(text, 33)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint(text, 1)
    }

    fn paint(self, text: &str, code: u8) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The text in at most so many characters, with an ellipsis where it was cut; a control character is a blank.
pub(super) fn cut(text: &str, width: usize) -> String {
    let plain = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    if text.chars().count() <= width {
        return plain.collect();
    }
    plain.take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Texts side by side, a blank between them.
pub(super) fn line<'a>(columns: impl IntoIterator<Item = (&'a str, Column)>) -> String {
    let cell = |(text, column)| match column {
        Column::Left(width) => format!("{:<width$}", cut(text, width)),
        Column::Right(width) => format!("{:>width$}", cut(text, width)),
    };
    columns.into_iter().map(cell).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// A small chart, one character a number, as high as the greatest.
pub(super) fn spark(numbers: &[u64]) -> String {
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let top = STEPS.len() as u64 - 1;
    let step = |number: u64| {
        // Anything is more than nothing.
        let at = number.saturating_mul(top).div_ceil(most);
        usize::try_from(at).ok().and_then(|at| STEPS.get(at)).copied().unwrap_or('█')
    };
    numbers.iter().map(|number| step(*number)).collect()
}
