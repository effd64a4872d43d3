//! `serve`: runs the service until it is told to stop.
//!
//! Invariant: standard output gets one line, `listening on ADDRESS`, when the service listens, and before it, with an admin port,
//! `admin port on ADDRESS`, when that one does; logs go to the error output.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::app::{App, Listeners, Supervisor, termination};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::terminal::Terminal;
use crate::clock::SystemClock;
use crate::config::{
    self, AdminOverrides, Config, LedgerOverrides, LoggingOverrides, Overrides, RoadTimesOverrides, ServerOverrides,
    Sources,
};
use crate::telemetry;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Settings in TOML; --print-config shows all of them
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder in which state is kept; made when it is not there
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Redis in which many instances share state; give a password in the environment (`ledger.url`), since others see
    /// command lines
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub ledger: Option<String>,
    /// Address and port to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Address and port for operations over HTTP: the page of operations, /metrics, /livez, /readyz, /startupz; none unless given
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
    /// Least level of the log: error, warn, info, debug, trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How lines of the log look: text, json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// OSRM or Valhalla server that is asked for road times of the last candidates
    #[arg(long, value_name = "URL")]
    pub road_times_url: Option<String>,
    /// What that server speaks: osrm, valhalla
    #[arg(long, value_name = "ENGINE")]
    pub road_times_engine: Option<String>,
    /// Print the settings in force, each with where it came from, and end
    #[arg(long)]
    pub print_config: bool,
}

impl ServeArguments {
    fn sources(&self) -> Sources {
        Sources {
            file: self.config.clone(),
            overrides: Overrides {
                server: ServerOverrides { listen: self.listen.clone(), ..ServerOverrides::default() },
                admin: AdminOverrides { listen: self.admin_listen.clone() },
                ledger: LedgerOverrides { kind: None, data_dir: self.data_dir.clone(), url: self.ledger.clone() },
                logging: LoggingOverrides { level: self.log_level.clone(), format: self.log_format.clone() },
                road_times: RoadTimesOverrides {
                    url: self.road_times_url.clone(),
                    engine: self.road_times_engine.clone(),
                },
            },
        }
    }
}

/// Starts the service and waits until it has drained.
///
/// # Errors
/// When the settings are not valid, or the service cannot start.
pub async fn run(arguments: &ServeArguments, terminal: &Terminal) -> Result<Exit, Failure> {
    let config = config::load(arguments.sources()).map_err(|problems| Failure::Usage(problems.to_string()))?;
    if arguments.print_config {
        terminal.answer(config.to_toml().trim_end());
        return Ok(Exit::Success);
    }
    telemetry::start(&config.logging).map_err(|error| Failure::Local(error.to_string()))?;
    // Listened for before the announcement, so that whoever reads it may end the service at once.
    let asked_to_end = termination().map_err(no_signals)?;
    let listeners = Listeners::bind(&config).await.map_err(|error| Failure::of_start(&error))?;
    if let Some(address) = listeners.admin_address() {
        terminal.answer(&format!("admin port on {address}"));
    }
    let app = App::start_with(config, Arc::new(SystemClock), listeners).await;
    let app = app.map_err(|error| Failure::of_start(&error))?;
    terminal.answer(&format!("listening on {}", app.address));
    let supervisor = Supervisor::at(config::notify_socket());
    supervisor.ready(&format!("listening on {}", app.address));
    let told_to_end = async {
        asked_to_end.await;
        supervisor.stopping();
    };
    app.run_until(told_to_end).await;
    Ok(Exit::Success)
}

/// Starts a service on the machine's clock.
///
/// # Errors
/// When it cannot start; the message says what to do.
pub async fn start(config: Config) -> Result<App, Failure> {
    App::start(config, Arc::new(SystemClock)).await.map_err(|error| Failure::of_start(&error))
}

/// What to say when the system does not let the process listen for signals.
#[must_use]
pub fn no_signals(error: std::io::Error) -> Failure {
    Failure::Local(format!("the process cannot listen for signals: {error}"))
}
