//! What an operator may set: one struct a subsystem, from four layers, each over the one before: defaults, a TOML file, the
//! environment (`SAS_ROUTER_<SECTION>__<KEY>`), flags.
//!
//! Invariant: a [`Config`] is valid as a whole; whatever is wrong or unknown is reported at once, with its path, the value,
//! where it came from and what to give. This is the only module that reads the environment, and the only one that knows
//! the names of settings. Deliberately absent: anything that a regulator or a publisher decides.

mod layer;
mod problem;
mod reader;
mod server;
mod admin;
mod limits;
mod ledger;
mod purge;
mod logging;
mod road_times;
mod telemetry;
mod console;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use layer::Layer;
use reader::Reader;

pub use admin::AdminConfig;
pub use console::{ConsoleConfig, TilesConfig};
pub use layer::Origin;
pub use ledger::{LedgerConfig, LedgerKind, ReplicasConfig, SecretUrl};
pub use limits::LimitsConfig;
pub use logging::{LogFormat, LoggingConfig};
pub use problem::{Problem, Problems};
pub use purge::PurgeConfig;
pub use reader::Setting;
pub use road_times::RoadTimesConfig;
pub use server::ServerConfig;
pub use telemetry::{ExportConfig, ExportTls, SecretHeaders, TelemetryConfig};

/// Everything that an operator may set.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Where and how the server listens.
    pub server: ServerConfig,
    /// Where the admin port listens.
    pub admin: AdminConfig,
    /// How much is served at once.
    pub limits: LimitsConfig,
    /// Where state is kept.
    pub ledger: LedgerConfig,
    /// How slots that are over are forgotten.
    pub purge: PurgeConfig,
    /// What is logged, and how.
    pub logging: LoggingConfig,
    /// Whether travel is asked of a road table.
    pub road_times: RoadTimesConfig,
    /// Where traces and metrics are sent.
    pub telemetry: TelemetryConfig,
    /// What the page of operations shows beside the service's data.
    pub console: ConsoleConfig,
    settings: Vec<Setting>,
}

/// Where settings come from, besides the defaults and the environment.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Sources {
    /// TOML file; it must be there when it is named.
    pub file: Option<PathBuf>,
    /// Flags of the command line, the last word.
    pub overrides: Overrides,
}

/// Flags of the command line by subsystem; what is `None` was not given.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct Overrides {
    /// Of the server.
    pub server: ServerOverrides,
    /// Of the admin port.
    pub admin: AdminOverrides,
    /// Of the ledger.
    pub ledger: LedgerOverrides,
    /// Of the logs.
    pub logging: LoggingOverrides,
    /// Of the road times.
    pub road_times: RoadTimesOverrides,
}

/// Flags of the road times.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct RoadTimesOverrides {
    /// Address of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `osrm` or `valhalla`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// Flags of the server.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct ServerOverrides {
    /// Address and port to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// Longest wait for calls under way at shutdown, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_timeout_seconds: Option<u64>,
}

/// Flags of the admin port.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct AdminOverrides {
    /// Address and port to listen on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
}

/// Flags of the ledger.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct LedgerOverrides {
    /// `memory`, `embedded` or `redis`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Folder of the embedded ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Address of the Redis that instances share.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Flags of the logs.
#[derive(Clone, PartialEq, Default, Debug, Serialize)]
pub struct LoggingOverrides {
    /// Least level that is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// `text` or `json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// Reads every layer.
///
/// # Errors
/// With everything that is wrong or unknown.
pub fn load(sources: Sources) -> Result<Config, Problems> {
    #[allow(clippy::disallowed_methods, reason = "this is the one module that reads the environment")]
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    load_with(sources, environment)
}

/// The same with an environment that is given.
fn load_with(sources: Sources, environment: impl Iterator<Item = (String, String)>) -> Result<Config, Problems> {
    let Sources { file, overrides } = sources;
    let mut problems = Vec::new();
    let mut layers = Vec::new();
    if let Some(path) = file {
        match Layer::of_file(&path) {
            Ok(layer) => layers.push(layer),
            Err(problem) => problems.push(problem),
        }
    }
    layers.push(Layer::of_environment(environment, &mut problems));
    match toml::Table::try_from(&overrides) {
        Ok(table) => layers.push(Layer::new(Origin::Flags, table)),
        Err(error) => problems.push(Problem::whole(Origin::Flags.to_string(), error.to_string())),
    }
    let mut reader = Reader::new(layers, problems);
    let server = ServerConfig::read(&mut reader);
    let config = Config {
        admin: AdminConfig::read(&mut reader, &server),
        server,
        limits: LimitsConfig::read(&mut reader),
        ledger: LedgerConfig::read(&mut reader),
        purge: PurgeConfig::read(&mut reader),
        logging: LoggingConfig::read(&mut reader),
        road_times: RoadTimesConfig::read(&mut reader),
        telemetry: TelemetryConfig::read(&mut reader),
        console: ConsoleConfig::read(&mut reader),
        settings: Vec::new(),
    };
    let settings = reader.finish()?;
    Ok(Config { settings, ..config })
}

/// Where the service manager that started this process wants to be told how it stands; none when nobody does.
#[must_use]
pub fn notify_socket() -> Option<OsString> {
    #[allow(clippy::disallowed_methods, reason = "this is the one module that reads the environment")]
    std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty())
}

impl Config {
    /// The settings in force, in the order of the file that [`Self::to_toml`] writes.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The settings in force as a file that gives the same configuration, each with where it came from; credentials are
    /// left out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text =
            String::from("# The configuration in force: defaults, then the file, then the environment, then flags.\n");
        let mut section = "";
        for setting in &self.settings {
            let (of, key) = setting.path.split_once('.').unwrap_or(("", setting.path));
            if of != section {
                text.push_str(&format!("\n[{of}]\n"));
                section = of;
            }
            text.push_str(&format!("# {}\n", setting.meaning));
            match &setting.value {
                Some(value) => text.push_str(&format!("{key} = {value} # {}\n", setting.origin)),
                None => text.push_str(&format!("# {key} = (not set)\n")),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
