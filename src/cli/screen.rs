//! A terminal that is drawn again in place, until somebody presses `q` or Ctrl-C.
//!
//! Invariant: whatever ends the command, the terminal is as it was before: dropping the screen gives it back.
//! Deliberately absent: what is drawn, and other keys.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use crossterm::terminal;
use tokio::sync::mpsc;

/// Another page of the terminal, without cursor; the one before comes back with [`CLOSE`].
const OPEN: &str = "\x1b[?1049h\x1b[?25l";
/// The page before, with its cursor.
const CLOSE: &str = "\x1b[?25h\x1b[?1049l";
/// Upper left corner.
const HOME: &str = "\x1b[H";
/// What follows on the line is wiped, and the next line begins: a raw terminal does neither by itself.
const LINE_END: &str = "\x1b[K\r\n";
/// What follows is wiped.
const REST: &str = "\x1b[K\x1b[J";
/// Ctrl-C, which a raw terminal hands on as a character.
const CTRL_C: u8 = 0x03;
/// Size of a terminal that does not say.
const SIZE_DEFAULT: (usize, usize) = (80, 24);

/// A terminal that is drawn again in place.
#[derive(Debug)]
pub struct Screen {
    /// Whether keys are read as they are pressed.
    is_raw: bool,
}

/// Hears when somebody wants to end.
#[derive(Debug)]
pub struct Keys(mpsc::Receiver<()>);

impl Keys {
    /// Waits until somebody presses `q` or Ctrl-C.
    pub async fn ended(&mut self) {
        if self.0.recv().await.is_none() {
            // Nobody can press a key here.
            std::future::pending::<()>().await;
        }
    }
}

impl Screen {
    /// Takes the terminal and its keys; `None` when standard output is none.
    #[must_use]
    pub fn open() -> Option<(Self, Keys)> {
        if !io::stdout().is_terminal() {
            return None;
        }
        let is_raw = io::stdin().is_terminal() && terminal::enable_raw_mode().is_ok();
        let (end, ends) = mpsc::channel(1);
        if is_raw {
            // Ends with the process: nothing can take a thread from its wait for a key.
            let reader = std::thread::Builder::new().name("keys".to_owned());
            let _ = reader.spawn(move || read_keys(&end));
        }
        write(OPEN);
        Some((Self { is_raw }, Keys(ends)))
    }

    /// Columns and lines.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        terminal::size().map_or(SIZE_DEFAULT, |(columns, lines)| (columns.into(), lines.into()))
    }

    /// Draws a text over the one before; what does not fit is cut off at the end.
    pub fn draw(&self, text: &str) {
        let (_, lines) = self.size();
        let shown: Vec<_> = text.lines().take(lines).collect();
        write(&format!("{HOME}{}{REST}", shown.join(LINE_END)));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        write(CLOSE);
        if self.is_raw {
            let _ = terminal::disable_raw_mode();
        }
    }
}

/// Says when a key ends the command.
fn read_keys(end: &mpsc::Sender<()>) {
    let pressed = io::stdin().lock().bytes().map_while(Result::ok);
    for _ in pressed.filter(|key| matches!(key, b'q' | b'Q') || *key == CTRL_C) {
        if end.blocking_send(()).is_err() {
            return;
        }
    }
}

/// Writes to the terminal; one that went away is no failure of ours.
fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}
