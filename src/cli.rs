//! The command line: starts the service, talks to a running one through the generated client, or plays scenarios.
//!
//! Invariant: a client command knows nothing but the protocol, so that whatever it shows any other client can get.
//! Deliberately absent: matching, booking, storage; `serve` and `demo` hand over to the composition root.

pub mod exit;
pub mod terminal;
pub mod screen;
pub mod failure;
pub mod json;
pub mod human;
pub mod connection;
pub mod query;
pub mod comparison;
pub mod render;
pub mod command;
pub mod import;
pub mod sample;
pub mod policies;
pub mod ledger;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use command::{
    booking, completions, demo, explain, export, find, health, import as import_command, indicators, orientation,
    policy, quarantine, refusal, scenario, schedule, serve, sites, source, status, verify, watch,
};
use connection::Output;
use exit::Exit;
use failure::Failure;
use render::Layout;
use terminal::Terminal;

use crate::clock::{Clock as _, SystemClock};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "sas-router",
    version,
    about = "Same-day care routing for the Service d'Accès aux Soins: find, hold and book the right next step",
    after_help = Exit::help(),
    arg_required_else_help = true
)]
struct Arguments {
    /// Lay tables out for this many columns; the screen's, or 120, unless given
    #[arg(
        long,
        global = true,
        value_name = "COLUMNS",
        value_parser = clap::value_parser!(u16).range(60..=1000),
        allow_negative_numbers = true
    )]
    width: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service
    Serve(serve::ServeArguments),
    /// Run a service with an invented region and show telling cases
    Demo(demo::DemoArguments),
    /// Ask where a patient goes next
    Find(Box<find::FindArguments>),
    /// Show why a slot is in an answer, or is not
    Explain(Box<explain::ExplainArguments>),
    /// Hold a slot for a short time
    Hold(Box<booking::HoldArguments>),
    /// Turn a hold into a booking
    Confirm(booking::ConfirmArguments),
    /// Give a hold back
    Release(booking::ReleaseArguments),
    /// Cancel a booking
    Cancel(booking::CancelArguments),
    /// Book another slot for a case that is booked, and cancel its booking
    Rebook(Box<booking::RebookArguments>),
    /// Record that an offer came to nothing for a case, so that it is not made again
    Refuse(refusal::RefuseArguments),
    /// Show how often offers of a CPTS or a schedule came to nothing
    Refusals(refusal::RefusalsArguments),
    /// Record what regulation decided in the end for a case
    Orient(Box<orientation::OrientArguments>),
    /// Record whether the patient of a booking was seen, came late or did not come
    Attend(orientation::AttendArguments),
    /// Write the anonymous figures of a CPTS or department as CSV
    Indicators(indicators::IndicatorsArguments),
    /// Show which needs of a CPTS or department found nothing on a day
    Tension(indicators::TensionArguments),
    /// Read a CSV roster or a FHIR Bundle into a running service
    Import(Box<import_command::ImportArguments>),
    /// Write the whole state of a data folder or a Redis as JSON lines
    Export(export::ExportArguments),
    /// Show a schedule with its slots and what was claimed of them
    Schedule(schedule::ScheduleArguments),
    /// Show the emergency sites: how patients come in now, who is saturated, whom they take
    Sites(sites::SitesArguments),
    /// Say that an emergency site is saturated for a time, or no longer
    Saturation(sites::SaturationArguments),
    /// Say that a publishing system is there
    Heartbeat(source::HeartbeatArguments),
    /// Show the publishing systems and how far each is believed
    Sources(source::SourcesArguments),
    /// Show or settle the holds and bookings that the ledger lost
    Quarantine(quarantine::QuarantineArguments),
    /// Say whether a running instance serves, for health checks
    Health(health::HealthArguments),
    /// Show how a running service stands
    Status(status::StatusArguments),
    /// Show what operations look at, again and again: needs and their first slot, answers, sources, instances
    Watch(watch::WatchArguments),
    /// Compare all records of a running service with another one's, or with Redis
    Verify(verify::VerifyArguments),
    /// Play scenarios: given a world, when somebody asks, then this is answered
    Scenario(scenario::ScenarioArguments),
    /// Show, validate or change the policy: red flags, delays, modalities, travel, costs
    Policy(policy::PolicyArguments),
    /// Print completions for a shell
    Completions(completions::CompletionsArguments),
}

impl Command {
    /// How the command's answer is written.
    fn output(&self) -> Output {
        match self {
            Self::Find(arguments) => arguments.server.output,
            Self::Explain(arguments) => arguments.server.output,
            Self::Hold(arguments) => arguments.server.output,
            Self::Confirm(arguments) => arguments.server.output,
            Self::Release(arguments) => arguments.server.output,
            Self::Cancel(arguments) => arguments.server.output,
            Self::Rebook(arguments) => arguments.server.output,
            Self::Refuse(arguments) => arguments.server.output,
            Self::Refusals(arguments) => arguments.server.output,
            Self::Orient(arguments) => arguments.server.output,
            Self::Attend(arguments) => arguments.server.output,
            Self::Indicators(arguments) => arguments.server.output,
            Self::Tension(arguments) => arguments.server.output,
            Self::Import(arguments) => arguments.server.output,
            Self::Schedule(arguments) => arguments.server.output,
            Self::Sites(arguments) => arguments.server.output,
            Self::Saturation(arguments) => arguments.server.output,
            Self::Heartbeat(arguments) => arguments.server.output,
            Self::Sources(arguments) => arguments.server.output,
            Self::Quarantine(arguments) => arguments.output(),
            Self::Health(arguments) => arguments.server.output,
            Self::Status(arguments) => arguments.server.output,
            Self::Watch(arguments) => arguments.server.output,
            Self::Verify(arguments) => arguments.server.output,
            Self::Scenario(arguments) => arguments.output(),
            Self::Policy(arguments) => arguments.output(),
            Self::Serve(_) | Self::Demo(_) | Self::Export(_) | Self::Completions(_) => Output::Table,
        }
    }
}

/// Reads the command line of this process, does what it says, and tells how it went.
#[must_use]
pub fn run() -> ExitCode {
    // A wrong command line ends here, with its message and number 2.
    let arguments = Arguments::parse();
    let terminal = Terminal::new(arguments.width);
    let output = arguments.command.output();
    let ended = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(perform(arguments.command, &terminal)),
        Err(error) => Err(Failure::Local(format!("the runtime cannot start: {error}"))),
    };
    let exit = ended.unwrap_or_else(|failure| {
        terminal.note(&match output {
            Output::Table => render::refusal::failure(&failure, &Layout::new(terminal.width()).at(SystemClock.now())),
            Output::Json => render::refusal::failure_json(&failure),
        });
        failure.exit()
    });
    exit.into()
}

async fn perform(command: Command, terminal: &Terminal) -> Result<Exit, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments, terminal).await,
        Command::Demo(arguments) => demo::run(&arguments, terminal).await,
        Command::Find(arguments) => find::run(&arguments, terminal).await,
        Command::Explain(arguments) => explain::run(&arguments, terminal).await,
        Command::Hold(arguments) => booking::hold(&arguments, terminal).await,
        Command::Confirm(arguments) => booking::confirm(&arguments, terminal).await,
        Command::Release(arguments) => booking::release(&arguments, terminal).await,
        Command::Cancel(arguments) => booking::cancel(&arguments, terminal).await,
        Command::Rebook(arguments) => booking::rebook(&arguments, terminal).await,
        Command::Refuse(arguments) => refusal::refuse(&arguments, terminal).await,
        Command::Refusals(arguments) => refusal::refusals(&arguments, terminal).await,
        Command::Orient(arguments) => orientation::orient(&arguments, terminal).await,
        Command::Attend(arguments) => orientation::attend(&arguments, terminal).await,
        Command::Indicators(arguments) => indicators::run(&arguments, terminal).await,
        Command::Tension(arguments) => indicators::tension(&arguments, terminal).await,
        Command::Import(arguments) => import_command::run(&arguments, terminal).await,
        Command::Export(arguments) => export::run(&arguments, terminal).await,
        Command::Schedule(arguments) => schedule::run(&arguments, terminal).await,
        Command::Sites(arguments) => sites::sites(&arguments, terminal).await,
        Command::Saturation(arguments) => sites::saturation(&arguments, terminal).await,
        Command::Heartbeat(arguments) => source::heartbeat(&arguments, terminal).await,
        Command::Sources(arguments) => source::list(&arguments, terminal).await,
        Command::Quarantine(arguments) => quarantine::run(&arguments, terminal).await,
        Command::Health(arguments) => health::run(&arguments, terminal).await,
        Command::Status(arguments) => status::run(&arguments, terminal).await,
        Command::Watch(arguments) => watch::run(&arguments, terminal).await,
        Command::Verify(arguments) => verify::run(&arguments, terminal).await,
        Command::Scenario(arguments) => scenario::run(&arguments, terminal).await,
        Command::Policy(arguments) => policy::run(&arguments, terminal).await,
        Command::Completions(arguments) => {
            completions::run(&arguments, &mut Arguments::command(), terminal);
            Ok(Exit::Success)
        }
    }
}

#[cfg(test)]
mod tests;
