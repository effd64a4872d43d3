//! How many questions a second are answered here, and how many by what one would take instead?
//!
//! Method: one run, the same region and questions for all, 64 questions in flight, each engine through its own protocol
//! and by turns, a few seconds a round; the ratio is that of the middle rounds. This service answers the whole question
//! over gRPC; the other engines do the part of it that `job.rs` describes, which leaves out what is hard to express, in
//! their favour. Before anything is timed, every design of every engine must answer a sample as brute force does, and
//! this service's match must answer the whole questions as the brute force of `support/oracle.rs` does. All designs of an
//! engine take the same rounds; its fastest is compared, the others are named. A no-op call whose answer has the mean size is what the transport allows.
//! Run: `benches/compare/run`, which starts the servers and ends them.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench prints and panics"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::wildcard_enum_match_arm,
    reason = "figures are small, and only one kind of row is read"
)]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock and its arguments, and starts tasks")]
#![allow(unreachable_pub, reason = "a test reads some of these files too")]

#[path = "../support/mod.rs"]
mod support;

mod load;
mod ours;
mod postgres;
mod redis;
mod report;
mod shared;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sas_router::domain::query::CareQuery;
use sas_router::routing::policy::Policy;
use sas_router::service::Finder;
use sas_router::tasks::Tasks;

use load::{Round, middle, round};
use shared::job::{self, Answer, Ask, Row};
use shared::sqlite;
use support::agree::agree;
use support::oracle::Oracle;
use support::questions::questions;
use support::region::{Region, at_minute, region};
use support::served::{ASKED_MINUTE, index_of};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const QUESTIONS: usize = 4_000;

/// What the command line says.
struct Arguments {
    slots: usize,
    rounds: usize,
    lasts: Duration,
    sample: usize,
    postgres: Option<String>,
    redis: Option<String>,
    sqlite: Option<String>,
    json: Option<String>,
}

/// A design of an engine, ready to be asked.
enum Engine {
    NoOp(ours::Grpc),
    Ours(ours::Grpc),
    Postgres(postgres::Postgres),
    Redis(redis::Redis),
    Sqlite(sqlite::Sqlite),
}

/// An engine under its name, with what is asked and what was measured.
struct Entry {
    name: &'static str,
    design: String,
    asked: Arc<(Engine, Arc<Vec<Ask>>)>,
    rounds: Vec<Round>,
}

fn main() {
    let arguments = arguments();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(run(&arguments));
}

fn arguments() -> Arguments {
    let all: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = all.iter().position(|argument| argument == name)?;
        Some(all.get(at + 1).unwrap_or_else(|| panic!("{name} wants a value")).clone())
    };
    let number = |name: &str, usual: usize| {
        option(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} wants a number, not {text}")))
    };
    Arguments {
        slots: number("--slots", 1_000_000),
        rounds: number("--rounds", 5),
        lasts: Duration::from_secs(number("--seconds", 5) as u64),
        sample: number("--sample", 300),
        postgres: option("--postgres"),
        redis: option("--redis"),
        sqlite: option("--sqlite"),
        json: option("--json"),
    }
}

async fn run(arguments: &Arguments) {
    let region = region(arguments.slots, 42);
    let rows = job::rows(&region);
    let (queries, asks) = asked(&region);
    println!("{} slots, {} schedules; {} questions", arguments.slots, rows.len(), asks.len());
    whole_questions(&region, &queries[..arguments.sample.min(200)]);
    let expected: Vec<Answer> = asks.iter().take(arguments.sample).map(|ask| job::oracle(&rows, ask)).collect();
    let found = expected.iter().filter(|answer| !answer.is_empty()).count();
    println!("brute force found something for {found} of {} sampled questions", expected.len());
    let asks = Arc::new(asks);
    let tasks = Tasks::new();
    let ours = ours::Ours::start(&region, &queries, &tasks).await;
    let answer_bytes = ours.answer_bytes;
    drop(region);
    let mut entries = vec![
        Entry::new("no-op gRPC", "same size", Engine::NoOp(ours.no_op), &asks),
        Entry::new("sas-router", "whole question over gRPC", Engine::Ours(ours.full), &asks),
    ];
    for (name, design, engine) in others(arguments, &rows).await {
        let entry = Entry::new(name, &design, engine, &asks);
        entry.check(&expected).await;
        println!("{name}, {design}: the same answers to {} questions", expected.len());
        entries.push(entry);
    }
    measure(&mut entries, arguments).await;
    let machine = report::machine();
    report::table(&entries.iter().map(Entry::figure).collect::<Vec<_>>(), answer_bytes, &machine);
    if let Some(file) = &arguments.json {
        let all = entries.iter().map(Entry::figure).collect::<Vec<_>>();
        report::json(Path::new(file), &all, arguments.slots, answer_bytes, &machine);
    }
}

/// Questions that other engines can be asked too, whole and reduced.
fn asked(region: &Region) -> (Vec<CareQuery>, Vec<Ask>) {
    let now = at_minute(ASKED_MINUTE);
    let all = questions(region, QUESTIONS, 7).into_iter();
    all.filter_map(|(_, query, _)| job::reduced(region, &query, now).map(|ask| (query, ask))).unzip()
}

/// This service's match answers the whole questions as brute force does.
fn whole_questions(region: &Region, queries: &[CareQuery]) {
    let index = index_of(region);
    let policy = Policy { widened_max: 0, ..Policy::default() };
    let finder = Finder { index: &index, policy: &policy, degraded: false };
    let classes = support::questions::Class::ALL;
    let asked: Vec<_> = queries.iter().map(|query| (classes[0], query.clone(), at_minute(ASKED_MINUTE))).collect();
    let times = agree(&finder, &Oracle::new(region), &asked);
    println!("sas-router, whole question: the same answers as brute force to {} questions", times.len());
}

/// Every design of every engine that was started.
async fn others(arguments: &Arguments, rows: &[Row]) -> Vec<(&'static str, String, Engine)> {
    let mut all = Vec::new();
    if let Some(file) = &arguments.sqlite {
        loaded("SQLite", || sqlite::Sqlite::load(Path::new(file), rows));
        for design in sqlite::Design::ALL {
            let engine = sqlite::Sqlite::open(Path::new(file), design);
            all.push(("SQLite R*Tree", format!("{design:?}"), Engine::Sqlite(engine)));
        }
    }
    if let Some(socket) = &arguments.redis {
        let started = Instant::now();
        redis::Redis::load(socket, rows).await;
        println!("Redis loaded in {:.1} s", started.elapsed().as_secs_f64());
        for design in redis::Design::ALL {
            let engine = redis::Redis::open(socket, design).await;
            all.push(("Redis GEOSEARCH", format!("{design:?}"), Engine::Redis(engine)));
        }
    }
    if let Some(folder) = &arguments.postgres {
        let started = Instant::now();
        postgres::Postgres::load(folder, rows).await;
        let version = postgres::Postgres::version(folder).await;
        println!("PostgreSQL loaded in {:.1} s: {version}", started.elapsed().as_secs_f64());
        for design in postgres::Design::ALL {
            let engine = postgres::Postgres::open(folder, design).await;
            all.push(("PostGIS", format!("{design:?}"), Engine::Postgres(engine)));
        }
    }
    all
}

fn loaded(name: &str, load: impl FnOnce()) {
    let started = Instant::now();
    load();
    println!("{name} loaded in {:.1} s", started.elapsed().as_secs_f64());
}

/// A short round warms everybody up, then all take turns.
async fn measure(entries: &mut [Entry], arguments: &Arguments) {
    for entry in entries.iter() {
        entry.round((arguments.lasts / 2).max(Duration::from_millis(500))).await;
    }
    for number in 1..=arguments.rounds {
        for entry in entries.iter_mut() {
            let round = entry.round(arguments.lasts).await;
            println!("round {number}: {} {}: {:.0}/s", entry.name, entry.design, round.per_second);
            entry.rounds.push(round);
        }
    }
}

impl Entry {
    fn new(name: &'static str, design: &str, engine: Engine, asks: &Arc<Vec<Ask>>) -> Self {
        Self { name, design: design.to_owned(), asked: Arc::new((engine, Arc::clone(asks))), rounds: vec![] }
    }

    async fn check(&self, expected: &[Answer]) {
        let (engine, asks) = &*self.asked;
        for (number, (ask, expected)) in asks.iter().zip(expected).enumerate() {
            let found = engine.ask(number, number, ask).await;
            assert_eq!(&found, expected, "{} {} on question {number}: {ask:?}", self.name, self.design);
        }
    }

    async fn round(&self, lasts: Duration) -> Round {
        let questions = self.asked.1.len();
        round(&self.asked, questions, lasts, |asked, worker, question| async move {
            let (engine, asks) = &*asked;
            std::hint::black_box(engine.ask(worker, question, &asks[question]).await);
        })
        .await
    }

    fn figure(&self) -> report::Figure {
        report::Figure { name: self.name, design: self.design.clone(), round: middle(self.rounds.clone()) }
    }
}

impl Engine {
    /// The answer; empty where it is this service's own, which `whole_questions` looked at.
    async fn ask(&self, worker: usize, question: usize, ask: &Ask) -> Answer {
        match self {
            Self::NoOp(grpc) | Self::Ours(grpc) => {
                grpc.ask(worker, question).await;
                Answer::new()
            }
            Self::Postgres(engine) => engine.ask(worker, ask).await,
            Self::Redis(engine) => engine.ask(worker, ask).await,
            Self::Sqlite(engine) => {
                let answer = engine.ask(ask);
                // A call of a function does not suspend; the other questions in flight have their turn.
                tokio::task::yield_now().await;
                answer
            }
        }
    }
}
