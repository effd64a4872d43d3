//! `watch`: what operations look at, drawn again and again in a terminal, for a room without a browser.
//!
//! Invariant: a link that is cut is said to be, the last board stays in sight, and the link is tried again until somebody ends
//! the command; what was asked wrongly is not asked again.

use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::Channel;

use super::show;
use crate::cli::connection::{Output, ServerArguments, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::json;
use crate::cli::render::Layout;
use crate::cli::render::board::{Look, Room, board};
use crate::cli::screen::Screen;
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// Pauses before a link that is cut is tried again, in seconds; the last one stays.
const PAUSES_SECONDS: [u64; 5] = [1, 2, 4, 8, 15];
/// More rows than any screen has lines.
const ROWS_MAX: u32 = 500;

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Show the board once and end
    #[arg(long)]
    pub once: bool,
    /// Draw it again after so many seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u64).range(1..=60),
        allow_negative_numbers = true
    )]
    pub interval: u64,
    /// Most rows of needs where there is no screen to fill
    #[arg(
        long,
        value_name = "ROWS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(ROWS_MAX)),
        allow_negative_numbers = true
    )]
    pub rows: u32,
    /// Show no colours, as when the variable `NO_COLOR` is set to anything
    #[arg(long, env = "NO_COLOR", value_parser = is_said, default_value = "false", default_missing_value = "true", num_args = 0)]
    pub no_color: bool,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Whether a variable that only has to be there is.
#[allow(clippy::unnecessary_wraps, reason = "what reads a value of the command line may fail")]
fn is_said(text: &str) -> Result<bool, String> {
    Ok(!matches!(text, "" | "false"))
}

/// What is known of the service.
#[derive(Default)]
struct Seen {
    channel: Option<Channel>,
    board: Option<pb::GetBoardResponse>,
    /// Why there is nothing newer, and after how many seconds it is tried again.
    lost: Option<(String, u64)>,
    /// Tries in a row that failed.
    tries: usize,
}

/// Shows the board until somebody ends it.
///
/// # Errors
/// With `--once` when the service cannot be reached; else when it refuses to be asked.
pub async fn run(arguments: &WatchArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    if arguments.once {
        let channel = arguments.server.connect().await?;
        let told = ask(&channel, arguments.rows).await?;
        show(terminal, arguments.server.output, "GetBoardResponse", &told, || {
            board(&told, &Layout::new(terminal.width()), &Look::plain(Room::Rows(rows(arguments))))
        })?;
        return Ok(Exit::Success);
    }
    let taken = if arguments.server.output == Output::Table { Screen::open() } else { None };
    let (screen, mut keys) = taken.unzip();
    let mut terminated = signal(SignalKind::terminate()).map_err(|error| Failure::Local(error.to_string()))?;
    let mut seen = Seen::default();
    loop {
        let turn = async {
            seen.look(arguments, if screen.is_some() { ROWS_MAX } else { arguments.rows }).await?;
            seen.show(arguments, screen.as_ref(), terminal)?;
            let seconds = seen.lost.as_ref().map_or(arguments.interval, |(_, seconds)| *seconds);
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<(), Failure>(())
        };
        let pressed = async {
            match &mut keys {
                Some(keys) => keys.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            done = turn => done?,
            () = pressed => return Ok(Exit::Success),
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Success),
            _ = terminated.recv() => return Ok(Exit::Success),
        }
    }
}

impl Seen {
    /// Asks anew, over a new link when the last one was cut.
    async fn look(&mut self, arguments: &WatchArguments, rows: u32) -> Result<(), Failure> {
        let told = async {
            let channel = match self.channel.take() {
                Some(channel) => channel,
                None => arguments.server.connect().await?,
            };
            let told = ask(&channel, rows).await?;
            Ok::<_, Failure>((channel, told))
        };
        match told.await {
            Ok((channel, told)) => {
                *self = Self { channel: Some(channel), board: Some(told), lost: None, tries: 0 };
                Ok(())
            }
            Err(failure) if failure.exit() == Exit::Unreachable => {
                let pause = PAUSES_SECONDS.get(self.tries).or(PAUSES_SECONDS.last()).copied().unwrap_or(1);
                self.lost = Some((failure.to_string(), pause));
                self.tries += 1;
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Shows what is known: on the screen, or as one more text or line of JSON.
    fn show(&self, arguments: &WatchArguments, screen: Option<&Screen>, terminal: &Terminal) -> Result<(), Failure> {
        let lost = self.lost.as_ref().map(|(why, seconds)| lost_line(why, *seconds));
        if let Some(screen) = screen {
            let (width, lines) = screen.size();
            let look = Look { room: Room::Lines(lines), colour: !arguments.no_color, lost: lost.as_deref() };
            let none = pb::GetBoardResponse::default();
            screen.draw(&board(self.board.as_ref().unwrap_or(&none), &Layout::new(width), &look));
            return Ok(());
        }
        if let Some(lost) = lost {
            terminal.note(&lost);
            return Ok(());
        }
        let Some(told) = &self.board else { return Ok(()) };
        let text = match arguments.server.output {
            Output::Json => json::to_value("GetBoardResponse", told)?.to_string(),
            Output::Table => {
                let shown = board(told, &Layout::new(terminal.width()), &Look::plain(Room::Rows(rows(arguments))));
                format!("{shown}\n")
            }
        };
        terminal.answer(&text);
        Ok(())
    }
}

/// Asks for the board with at most so many rows.
async fn ask(channel: &Channel, rows: u32) -> Result<pb::GetBoardResponse, Failure> {
    let mut client = client!(operations_service_client::OperationsServiceClient, channel.clone());
    let request = pb::GetBoardRequest { tension_max: Some(rows) };
    Ok(client.get_board(request).await?.into_inner())
}

/// Rows of needs where there is no screen to fill.
fn rows(arguments: &WatchArguments) -> usize {
    usize::try_from(arguments.rows).unwrap_or(usize::MAX)
}

/// What is said of a link that is cut; one line.
fn lost_line(why: &str, seconds: u64) -> String {
    let why = why.lines().next().unwrap_or_default();
    format!("LIEN COUPÉ : {why} ; nouvel essai dans {seconds} s")
}
