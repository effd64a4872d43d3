//! `demo`: a whole service on this machine, with an invented region and telling cases, in one command.
//!
//! Invariant: everything that is shown came over gRPC from the service that was started, and is gone when it ends.

pub mod cases;
pub mod tour;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use clap::Args;
use tonic::transport::Channel;

use super::serve;
use crate::app::termination;
use crate::cli::connection::{PORT_DEFAULT, connect};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::import::{SendOptions, send};
use crate::cli::render::table::wrapped;
use crate::cli::sample::{SOURCE_ID, region_at};
use crate::cli::terminal::Terminal;
use crate::clock::{Clock as _, Stopwatch, SystemClock};
use crate::config::{self, AdminOverrides, LedgerOverrides, LoggingOverrides, Overrides, ServerOverrides, Sources};
use crate::domain::time::{MS_PER_MINUTE, UtcInstant};
use crate::telemetry;

/// The moment of the demonstration is a multiple of this, so that its times are round.
const ROUNDED_TO_MS: i64 = 5 * MS_PER_MINUTE;
/// Longest wait for one answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// End after the cases instead of serving until Ctrl-C
    #[arg(long)]
    pub exit_after_cases: bool,
}

/// Starts the service, loads the region, shows the cases, and serves until it is told to stop.
///
/// # Errors
/// When the service cannot start or does not answer as it should.
pub async fn run(arguments: &DemoArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("sas-router-demo-")
        .tempdir()
        .map_err(|error| Failure::Local(format!("making a temporary folder: {error}")))?;
    let listen = free_address(terminal);
    // The page of operations, for as long as somebody may look at it.
    let admin = AdminOverrides { listen: (!arguments.exit_after_cases).then(|| "127.0.0.1:0".to_owned()) };
    let overrides = Overrides {
        admin,
        server: ServerOverrides { listen: Some(listen.to_string()), ..ServerOverrides::default() },
        ledger: LedgerOverrides {
            kind: Some("embedded".to_owned()),
            data_dir: Some(folder.path().to_owned()),
            url: None,
        },
        logging: LoggingOverrides { level: Some("warn".to_owned()), ..LoggingOverrides::default() },
        ..Overrides::default()
    };
    let config = config::load(Sources { file: None, overrides }).map_err(|error| Failure::Usage(error.to_string()))?;
    telemetry::start(&config.logging).map_err(|error| Failure::Local(error.to_string()))?;
    let asked_to_end = termination().map_err(serve::no_signals)?;
    let app = serve::start(config).await?;
    let server = format!("http://{}", app.address);
    let server_flag = if app.address.port() == PORT_DEFAULT { String::new() } else { format!(" --server {server}") };

    let shown = show(&server, &server_flag, app.admin_address(), terminal).await;
    if arguments.exit_after_cases || shown.is_err() {
        app.run_until(std::future::ready(())).await;
    } else {
        app.run_until(asked_to_end).await;
    }
    shown.map(|()| Exit::Success)
}

/// Loads the region, shows the cases and the race, and says how to go on.
async fn show(server: &str, server_flag: &str, admin: Option<SocketAddr>, terminal: &Terminal) -> Result<(), Failure> {
    let channel = connect(server, CALL_TIMEOUT).await?;
    load_region(&channel, server, terminal).await?;
    tour::cases(&channel, server_flag, terminal).await?;
    tour::booking(&channel, terminal).await?;
    terminal.answer(&farewell(server_flag, server, admin, terminal));
    Ok(())
}

/// The default port when it is free, else any that is.
fn free_address(terminal: &Terminal) -> SocketAddr {
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT));
    // Only a look: another process may still take the port before the service does, and then the start says so.
    if TcpListener::bind(wanted).is_ok() {
        return wanted;
    }
    terminal.answer(&format!("Le port {PORT_DEFAULT} est pris : un port libre est utilisé."));
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// Imports the region as any publisher would, moved so that its reference moment is now.
async fn load_region(channel: &Channel, server: &str, terminal: &Terminal) -> Result<(), Failure> {
    let now = SystemClock.now();
    let reference_at = UtcInstant::from_ms(now.ms() - now.ms().rem_euclid(ROUNDED_TO_MS));
    let mut plan = region_at(reference_at).map_err(|error| Failure::Local(error.to_string()))?;
    let over = plan.leave_out_past(now);
    let stopwatch = Stopwatch::start();
    let report = send(channel.clone(), plan, &SendOptions::at(SOURCE_ID, now)).await;
    let taken_ms = stopwatch.elapsed().as_millis();
    if !report.is_complete() {
        let refused = report.rows.iter().filter(|row| row.severity == crate::cli::import::Severity::Refused);
        let lines = refused.take(5).map(|row| format!("{}: {} {}", row.origin, row.reason, row.message));
        return Err(Failure::Local(format!("the sample region is refused:\n{}", lines.collect::<Vec<_>>().join("\n"))));
    }
    let (directory, slots) = (&report.directory, &report.slots);
    terminal.answer(&wrapped(
        &format!(
            "Service sas-router sur {server}, état dans un dossier temporaire. Région d'exemple INVENTÉE : {} CPTS, {} lieux, {} \
             professionnels, {} agendas, {} sites d'urgence, {} créneaux importés en {taken_ms} ms ({over} déjà passés laissés de côté).",
            directory.territories,
            directory.places,
            directory.practitioners,
            directory.schedules,
            directory.emergency_sites,
            slots.created,
        ),
        terminal.width(),
        0,
    ));
    terminal.answer(&wrapped(
        "Elle est écrite pour un lundi à 10:00, heure de Paris ; tous les créneaux sont décalés pour que ce moment soit maintenant \
         (arrondi à 5 minutes) : les heures montrées ne sont donc pas des heures d'ouverture vraisemblables.",
        terminal.width(),
        0,
    ));
    Ok(())
}

/// How to go on.
fn farewell(server_flag: &str, server: &str, admin: Option<SocketAddr>, terminal: &Terminal) -> String {
    let first = cases::CASES.first().map_or(String::new(), |case| case.command_line(server_flag));
    let address = server.trim_start_matches("http://");
    let commands = [
        first,
        format!("sas-router find --at 48.885,2.352 --within 4H --output json{server_flag}"),
        format!("sas-router schedule 10999000010@ven-msp{server_flag}"),
        format!("sas-router status{server_flag}"),
    ];
    let mut lines = vec![tour::heading("Interroger le service", terminal)];
    lines.extend(commands.iter().map(|command| tour::shell_lines(command, terminal)));
    lines.push(format!("$ grpcurl -plaintext {address} list"));
    lines.push(match admin {
        None => "\nFin de la démonstration : le service s'arrête et son dossier est effacé.".to_owned(),
        Some(page) => format!(
            "\nSalle d'exploitation, en lecture seule : http://{page}/ ; dans un terminal : sas-router watch{server_flag}\n\
             Le service répond jusqu'à Ctrl-C ; ensuite son dossier est effacé."
        ),
    });
    lines.join("\n")
}
