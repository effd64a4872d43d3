//! `find --watch`: the answer, then what changes of it, resumed where the link was cut.
//!
//! Invariant: what is shown is what the service told, and a link that is cut is said to be; with JSON every message is one
//! line.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::{FindArguments, exit_of, layout_for, warn};
use crate::cli::connection::{Output, client};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::json;
use crate::cli::render::answer::answer;
use crate::cli::render::watch::changes;
use crate::cli::terminal::Terminal;
use crate::proto::routing as pb;

/// How often a link that is cut is tried again before the command gives up.
const TRIES_MAX: u32 = 10;
/// Between two tries.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What was told so far.
#[derive(Default)]
struct Told {
    exit: Option<Exit>,
    resume_token: Vec<u8>,
}

/// Shows the answer and what changes of it.
pub(super) async fn run(
    channel: &Channel,
    query: pb::CareQuery,
    arguments: &FindArguments,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let ends_at = Instant::now() + Duration::from_secs(arguments.watch_seconds.into());
    let mut told = Told::default();
    tokio::select! {
        ended = follow_on(channel, &query, ends_at, &mut told, (arguments, terminal)) => ended?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(told.exit.unwrap_or(Exit::Success))
}

/// Shows what streams tell, one after the other where one is cut, until the time is over.
async fn follow_on(
    channel: &Channel,
    query: &pb::CareQuery,
    ends_at: Instant,
    told: &mut Told,
    shown: (&FindArguments, &Terminal),
) -> Result<(), Failure> {
    let mut tries = 0;
    loop {
        let before = told.resume_token.clone();
        let Some(status) = follow(channel, query, ends_at, told, shown).await? else { return Ok(()) };
        tries = if told.resume_token == before { tries + 1 } else { 1 };
        if told.exit.is_none() || !is_cut(&status) || tries > TRIES_MAX {
            return Err(Failure::from(status));
        }
        shown.1.note(&format!("lien coupé ({}), reprise dans une seconde", status.message()));
        sleep(TRY_AGAIN_AFTER).await;
    }
}

/// Shows what one stream tells; how it was cut, or `None` when the time is over.
async fn follow(
    channel: &Channel,
    query: &pb::CareQuery,
    ends_at: Instant,
    told: &mut Told,
    (arguments, terminal): (&FindArguments, &Terminal),
) -> Result<Option<Status>, Failure> {
    let left = ends_at.saturating_duration_since(Instant::now());
    let Some(seconds) =
        u32::try_from(left.as_secs() + u64::from(left.subsec_nanos() > 0)).ok().filter(|left| *left > 0)
    else {
        return Ok(None);
    };
    let request = pb::WatchCareRequest {
        query: Some(query.clone()),
        duration_seconds: Some(seconds),
        resume_token: told.resume_token.clone(),
    };
    let mut client = client!(routing_service_client::RoutingServiceClient, channel.clone());
    let mut messages = match client.watch_care(request).await {
        Ok(messages) => messages.into_inner(),
        Err(status) => return Ok(Some(status)),
    };
    loop {
        match timeout_at(ends_at, messages.message()).await {
            Err(_) | Ok(Ok(None)) => return Ok(None),
            Ok(Err(status)) => return Ok(Some(status)),
            Ok(Ok(Some(message))) => {
                let is_first = told.exit.is_none();
                show(&message, is_first, channel, (arguments, terminal)).await?;
                told.exit = message.answer.as_ref().map(exit_of);
                told.resume_token = message.resume_token;
            }
        }
    }
}

async fn show(
    message: &pb::WatchCareResponse,
    is_first: bool,
    channel: &Channel,
    (arguments, terminal): (&FindArguments, &Terminal),
) -> Result<(), Failure> {
    if arguments.server.output == Output::Json {
        terminal.answer(&json::to_value("WatchCareResponse", message)?.to_string());
        return Ok(());
    }
    let Some(found) = &message.answer else { return Ok(()) };
    let layout = layout_for(found, terminal, channel).await;
    if is_first {
        warn(found, terminal);
    } else {
        terminal.answer(&format!("\n{}\n", changes(message, &layout)));
    }
    terminal.answer(&answer(found, &layout));
    Ok(())
}

/// Whether it is the link that failed, or the instance that went, and not the question.
fn is_cut(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal)
}
