//! Why a server cannot be used, each with what to do about it.

use super::LEDGER_FORMAT;
use super::keys::PATTERN;
use super::link::LinkError;
use crate::ledger::codec::DecodeError;

/// What Redis says to a user who may not choose a database, as an address with one wants; the client library passes on only this.
const SELECT_FORBIDDEN: &str = " has no permissions to run the 'select' command";

/// Why a server cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// It cannot be reached, or stopped answering.
    #[error("it does not answer ({0}): check that it runs, its address and the network")]
    Away(String),
    /// It does not accept the credentials.
    #[error(
        "it refuses the credentials ({0}): give user and password in ledger.url, or leave them out where the server wants \
         none"
    )]
    Credentials(String),
    /// An encrypted link cannot be had.
    #[error("an encrypted link cannot be had ({0})")]
    Untrusted(String),
    /// A sentinel does not accept the credentials.
    #[error(
        "the sentinel {sentinel} refuses the credentials ({why}): give sentinel_user and sentinel_password behind a ? in \
         ledger.url, or leave them out where the sentinels want none"
    )]
    SentinelCredentials {
        /// Where it is.
        sentinel: String,
        /// What it says.
        why: String,
    },
    /// A sentinel's address is no sentinel's.
    #[error(
        "{server} is no sentinel: give the addresses of sentinels (their port is mostly 26379), or redis:// for one server"
    )]
    NoSentinel {
        /// Where it is.
        server: String,
    },
    /// The sentinels do not watch the service.
    #[error("the sentinels watch no service `{service}`, only {known}: give the name that is in their configuration")]
    UnknownService {
        /// The service.
        service: String,
        /// Those that they watch.
        known: String,
    },
    /// A single server was expected and sentinels are there.
    #[error("it is a sentinel: give redis+sentinel://host:port,host:port/service")]
    Sentinel,
    /// A single server was expected and a cluster is there.
    #[error("it is a server of a cluster: give redis+cluster://host:port,host:port")]
    ClusterServer,
    /// A cluster was expected and a single server is there.
    #[error("{server} is of no cluster: give redis:// for one server, or the addresses of a cluster")]
    NoCluster {
        /// Where it is.
        server: String,
    },
    /// No server of the cluster has the keys.
    #[error("no server of the cluster has slot {slot}, where the keys are: give it to one (redis-cli --cluster fix)")]
    SlotUnassigned {
        /// The slot.
        slot: u16,
    },
    /// Nobody who knows the primary answers.
    #[error("none of those that know the primary answers ({0}): check that they run, their addresses and the network")]
    NobodyKnows(String),
    /// There is no primary just now.
    #[error("there is no primary now ({0}): wait for the failover, and look at its replicas when none comes")]
    NoPrimary(String),
    /// The keys are at another server, or on the way to it.
    #[error("the keys are moving to another server ({0})")]
    Moved(String),
    /// The cluster does not serve the keys.
    #[error(
        "the cluster does not serve the keys now ({0}): wait for the failover, or repair it (redis-cli --cluster check)"
    )]
    ClusterDown(String),
    /// It is loading its data.
    #[error("it is still loading its data: wait, or start this service after it")]
    Loading,
    /// It says no.
    #[error("it refuses a command ({0})")]
    Said(String),
    /// It is too old.
    #[error("it is version {version}: this version needs Redis 7.0 or newer")]
    OldServer {
        /// Its version.
        version: String,
    },
    /// It is a replica.
    #[error("it is a replica of {primary}: give the address of the primary")]
    Replica {
        /// The primary.
        primary: String,
    },
    /// The user may not run what is needed.
    #[error("its user `{user}` may not run what is needed: give it {missing} on the keys {pattern} (ACL SETUSER)")]
    Permissions {
        /// The user.
        user: String,
        /// The commands, as an access list names them.
        missing: String,
        /// The keys.
        pattern: &'static str,
    },
    /// A newer version of the program wrote its data.
    #[error(
        "its ledger has format {found}, this version knows up to {LEDGER_FORMAT}: start the version that wrote it, or give \
         another database"
    )]
    NewerFormat {
        /// Format of the data.
        found: u32,
    },
    /// The data are cut into partitions that this version does not have.
    #[error(
        "its ledger has {found} partitions, this version keeps one: start the version that wrote it, or give another database"
    )]
    Partitions {
        /// How many there are.
        found: String,
    },
    /// The data are another deployment's.
    #[error("it holds the ledger of deployment {found}, not of {ours}: check ledger.url")]
    OtherDeployment {
        /// The deployment whose data it holds.
        found: String,
        /// The deployment that is expected.
        ours: String,
    },
    /// There is nothing to read.
    #[error("it holds no ledger: check the address and the database")]
    NoLedger,
    /// There are records, and no epoch has begun.
    #[error(
        "it holds the records of an import that was cut before its end: repeat that very import, which finishes it, or give an \
         empty database"
    )]
    Unfinished,
    /// Too few replicas saw a recovery.
    #[error("{reached} of {wanted} replicas answer: start the others, or lower ledger.ack_replicas")]
    FewReplicas {
        /// How many saw it.
        reached: u64,
        /// How many must see it.
        wanted: u16,
    },
    /// A record cannot be read.
    #[error("its data are damaged ({0}): restore them from a backup or an export")]
    Damaged(String),
    /// The server has begun anew once more meanwhile.
    #[error("it has begun anew once more")]
    BegunAnew,
    /// The ledger's thread cannot be had.
    #[error("the ledger's thread cannot be started: {0}")]
    Thread(String),
}

impl Trouble {
    /// Whether other settings of this service, or of the server, would help; otherwise something is down.
    #[must_use]
    pub const fn is_of_settings(&self) -> bool {
        match self {
            Self::Credentials(_)
            | Self::Untrusted(_)
            | Self::SentinelCredentials { .. }
            | Self::NoSentinel { .. }
            | Self::UnknownService { .. }
            | Self::Sentinel
            | Self::ClusterServer
            | Self::NoCluster { .. }
            | Self::SlotUnassigned { .. }
            | Self::OldServer { .. }
            | Self::Replica { .. }
            | Self::Permissions { .. }
            | Self::NewerFormat { .. }
            | Self::Partitions { .. }
            | Self::NoLedger
            | Self::Unfinished
            | Self::OtherDeployment { .. } => true,
            Self::Away(_)
            | Self::NobodyKnows(_)
            | Self::NoPrimary(_)
            | Self::Moved(_)
            | Self::ClusterDown(_)
            | Self::Loading
            | Self::Said(_)
            | Self::FewReplicas { .. }
            | Self::Damaged(_)
            | Self::BegunAnew
            | Self::Thread(_) => false,
        }
    }

    /// Whether it may pass while one waits; otherwise a service that starts is better told at once.
    pub(super) const fn may_pass(&self) -> bool {
        !self.is_of_settings() && !matches!(self, Self::Damaged(_) | Self::Thread(_))
    }

    /// What is the matter, where several say what to do in common.
    pub(super) fn in_short(&self) -> String {
        if let Self::Away(why) = self { why.clone() } else { self.to_string() }
    }

    /// A record that cannot be decoded.
    pub(super) fn of_record(error: &DecodeError) -> Self {
        if let DecodeError::NewerFormat { found, known: _ } = *error {
            return Self::NewerFormat { found: found.into() };
        }
        Self::Damaged(error.to_string())
    }
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Self {
        match &error {
            LinkError::Lost(why) => Self::Away(why.clone()),
            LinkError::Untrusted(why) => Self::Untrusted(why.clone()),
            LinkError::Odd(_) => Self::Damaged(error.to_string()),
            LinkError::Said { text, .. } if text.contains(SELECT_FORBIDDEN) => {
                let user = text.split_once(SELECT_FORBIDDEN).and_then(|(who, _)| who.strip_prefix("User "));
                // Some versions of Redis do not say which.
                let user = user.unwrap_or("of ledger.url").to_owned();
                Self::Permissions { user, missing: "+select".to_owned(), pattern: PATTERN }
            }
            LinkError::Said { code, text } => match code.as_str() {
                "WRONGPASS" | "NOAUTH" => Self::Credentials(text.clone()),
                "LOADING" => Self::Loading,
                "NOSCRIPT" => Self::BegunAnew,
                "MOVED" | "ASK" | "TRYAGAIN" => Self::Moved(error.to_string()),
                "CLUSTERDOWN" => Self::ClusterDown(text.clone()),
                "READONLY" => Self::Replica { primary: "another server".to_owned() },
                _ => Self::Said(error.to_string()),
            },
        }
    }
}
