//! `verify`: compares all records of a running service with another one's, or with the Redis that they share.
//!
//! Both are read while they may be written to; so they are read again while something moves, and what differs twice differs.

use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::cli::comparison::Comparison;
use crate::cli::connection::{Output, ServerArguments, client, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::ledger::{redis_address, unusable};
use crate::cli::render::{Layout, verify as render};
use crate::cli::terminal::Terminal;
use crate::domain::record::Position;
use crate::ledger::redis::RedisAddress;
use crate::ledger::redis::whole;
use crate::ledger::verify::{ImageDigest, Reading, RecordDigest, Verdict, compare};
use crate::proto::routing as pb;

/// Most readings of both sides.
const ROUNDS_MAX: u32 = 8;
/// Pause between two readings, in which a record under way may arrive.
const PAUSE: Duration = Duration::from_millis(200);
/// Most differences that are listed; all are counted.
const LISTED_MAX: usize = 100;

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("other").required(true)))]
pub struct VerifyArguments {
    /// Another instance to compare with
    #[arg(long, value_name = "URL", group = "other")]
    pub with: Option<String>,
    /// The Redis to compare with, as for `serve`
    #[arg(long, value_name = "URL", group = "other")]
    pub ledger: Option<String>,
    /// Where the service is.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// One side of a comparison.
enum Side {
    Instance { url: String, timeout: Duration },
    Redis(Box<RedisAddress>),
}

/// Reads both sides until it is known whether they are the same.
///
/// # Errors
/// When a side cannot be read.
pub async fn run(arguments: &VerifyArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let timeout = Duration::from_secs(arguments.server.timeout);
    let first = Side::Instance { url: arguments.server.server.clone(), timeout };
    let second = match (&arguments.with, &arguments.ledger) {
        (Some(url), _) => Side::Instance { url: url.clone(), timeout },
        (None, Some(url)) => Side::Redis(Box::new(redis_address(url)?)),
        (None, None) => return Err(Failure::Usage("give --with or --ledger".to_owned())),
    };
    let comparison = compared(&first, &second).await?;
    terminal.answer(&match arguments.server.output {
        Output::Json => comparison.to_json(),
        Output::Table => render::comparison(&comparison, &Layout::new(terminal.width())),
    });
    Ok(comparison.outcome().exit())
}

async fn compared(first: &Side, second: &Side) -> Result<Comparison, Failure> {
    let mut before = Vec::new();
    for round in 1.. {
        let readings = [first.read().await?, second.read().await?];
        let [one, other] = &readings;
        let mut moving = 0;
        let found = match compare(one, other, &before) {
            Verdict::Equal => Vec::new(),
            Verdict::Differ(found) => found,
            Verdict::Again(found) if round < ROUNDS_MAX => {
                before = found;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Verdict::Again(found) => {
                moving = found.len();
                Vec::new()
            }
        };
        let count = found.len();
        let listed = found.into_iter().take(LISTED_MAX).collect();
        return Ok(Comparison { names: [first.name(), second.name()], readings, moving, count, listed });
    }
    Err(Failure::Local("the two were never compared".to_owned()))
}

impl Side {
    fn name(&self) -> String {
        match self {
            Self::Instance { url, timeout: _ } => url.clone(),
            Self::Redis(address) => address.to_string(),
        }
    }

    async fn read(&self) -> Result<Reading, Failure> {
        match self {
            Self::Instance { url, timeout } => read_instance(url, *timeout).await,
            Self::Redis(address) => {
                let whole::Whole { position, clock_at: _, records } =
                    whole::read(address).await.map_err(|error| unusable(&error))?;
                let digests = records.values().map(RecordDigest::of).map(|record| (record.key, record.image));
                Ok(Reading { from: position, to: position, records: digests.collect() })
            }
        }
    }
}

async fn read_instance(url: &str, timeout: Duration) -> Result<Reading, Failure> {
    let mut client = client!(operations_service_client::OperationsServiceClient, connect(url, timeout).await?);
    let mut pages = client.list_record_digests(pb::ListRecordDigestsRequest {}).await?.into_inner();
    let mut reading = Reading::default();
    let (mut is_first, mut is_whole) = (true, false);
    while let Some(page) = pages.message().await? {
        let pb::ListRecordDigestsResponse { epoch, position, records } = page;
        let at = Position { partition: 0, epoch, sequence: position };
        if std::mem::take(&mut is_first) {
            reading.from = at;
        }
        reading.to = at;
        is_whole = records.is_empty();
        for pb::RecordDigest { key, version, image_digest } in records {
            let odd = |_| Failure::Local(format!("{url} tells a digest of `{key}` that is none"));
            let sha1 = image_digest.as_slice().try_into().map_err(odd)?;
            reading.records.insert(key, ImageDigest { version, sha1 });
        }
    }
    if is_whole { Ok(reading) } else { Err(Failure::Local(format!("{url} stopped telling of its records midway"))) }
}
