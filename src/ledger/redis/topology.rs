//! Which server holds the ledger: one that is named, the one that sentinels name, or the primary of its slot in a cluster.
//!
//! Asked anew at every session, so that a failover costs a session and nothing else; the fence of the scripts makes a late
//! notice safe. Invariant: a link is handed on only to a server that called itself a primary on that very link.
//! Deliberately absent: following redirections, repeating commands, and links that outlive a failure.

mod cluster;
mod sentinel;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::Trouble;
use super::address::{Host, RedisAddress, Target, Way};
use super::link::{Link, LinkError};
use super::preflight::{info, value_of};

/// Longest wait for a connection to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for what a sentinel, or a server of the cluster, says about others; whoever takes longer is passed over.
const ASKED_FOR: Duration = Duration::from_secs(1);
/// How often those who know the primary are asked whether it still is, while a session stands.
const WATCHED_EVERY: Duration = Duration::from_secs(3);

/// The replicas of the server that holds the ledger, as those say who decide on a failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Replicas {
    /// How many there are, reachable or not.
    pub(super) known: u16,
    /// How many of them they hold for reachable.
    pub(super) reachable: u16,
}

/// The servers of one address, and who leads them.
pub(super) struct Topology {
    address: RedisAddress,
    /// Servers that the cluster named, asked besides those of the address, which may all have gone since.
    named: Mutex<Vec<Host>>,
    /// The primary that was found last.
    primary: Mutex<Option<Host>>,
    doubts: Doubts,
}

/// Those who were asked and passed over, each with the trouble that was told last, so that it is told once.
#[derive(Default)]
struct Doubts(Mutex<BTreeMap<Host, Trouble>>);

impl Doubts {
    fn note(&self, host: Host, trouble: Trouble) {
        let mut known = self.0.lock();
        if known.get(&host) != Some(&trouble) {
            tracing::warn!(redis = %host, error = %trouble, "a server that should know the primary is passed over");
            known.insert(host, trouble);
        }
    }

    fn forget(&self, host: &Host) {
        if self.0.lock().remove(host).is_some() {
            tracing::info!(redis = %host, "a server that should know the primary answers again");
        }
    }
}

impl Topology {
    /// The servers of an address, before any was asked.
    pub(super) fn new(address: RedisAddress) -> Self {
        Self { address, named: Mutex::new(Vec::new()), primary: Mutex::new(None), doubts: Doubts::default() }
    }

    /// Where the server is that holds the ledger, as far as is known now.
    pub(super) async fn primary(&self) -> Result<Host, Trouble> {
        let found = self.find().await?;
        *self.primary.lock() = Some(found.clone());
        Ok(found)
    }

    async fn find(&self) -> Result<Host, Trouble> {
        match self.address.way() {
            Way::Standalone => self.address.hosts().first().cloned().ok_or_else(nobody),
            Way::Sentinel { service, .. } => sentinel::primary(&self.address, service, &self.doubts).await,
            Way::Cluster => self.look_into_cluster().await.map(|view| view.primary),
        }
    }

    /// Waits until another server is the primary: one that is cut off from those who decide does not know it.
    pub(super) async fn is_replaced(&self, primary: &Host) -> Trouble {
        loop {
            tokio::time::sleep(WATCHED_EVERY).await;
            // While nobody knows better, the one that answers is gone on with.
            if let Ok(found) = self.find().await
                && found != *primary
            {
                return Trouble::Moved(format!("{found} has taken the place of {primary}"));
            }
        }
    }

    /// Connects to the primary, and makes sure that it is one.
    pub(super) async fn open(&self, primary: &Host, response_timeout: Duration) -> Result<Link, Trouble> {
        let target = self.address.server(primary).ok_or_else(nobody)?;
        let opened = Link::open(target, CONNECT_TIMEOUT, response_timeout).await;
        let mut link = opened.map_err(|error| self.trouble_of(primary, error))?;
        self.check(&mut link, primary).await?;
        Ok(link)
    }

    /// The replicas of the primary; `None` when nobody but the primary itself knows of any.
    pub(super) async fn known_replicas(&self) -> Result<Option<Replicas>, Trouble> {
        match self.address.way() {
            Way::Standalone => Ok(None),
            Way::Sentinel { service, .. } => {
                let primary = self.primary.lock().clone();
                sentinel::replicas(&self.address, service, primary.as_ref(), &self.doubts).await.map(Some)
            }
            Way::Cluster => Ok(Some(self.look_into_cluster().await?.replicas)),
        }
    }

    async fn look_into_cluster(&self) -> Result<cluster::View, Trouble> {
        let mut asked = self.address.hosts().to_vec();
        asked.extend(self.named.lock().iter().filter(|host| !self.address.hosts().contains(host)).cloned());
        let view = cluster::look(&self.address, &asked, &self.doubts).await?;
        self.named.lock().clone_from(&view.servers);
        Ok(view)
    }

    /// Whether the server is of the kind that the address says, and the primary where others named it.
    async fn check(&self, link: &mut Link, primary: &Host) -> Result<(), Trouble> {
        // A server that does not tell is looked at with the permissions of its user, before anything is written.
        let server = match info(link, "server").await {
            Ok(server) => server,
            Err(LinkError::Said { .. }) => return Ok(()),
            Err(error) => return Err(self.trouble_of(primary, error)),
        };
        let mode = value_of(&server, "redis_mode");
        match (self.address.way(), mode) {
            (_, Some("sentinel")) => return Err(Trouble::Sentinel),
            (Way::Standalone, Some("cluster")) => return Err(Trouble::ClusterServer),
            // A replica is refused with the address of its primary when the server is checked.
            (Way::Standalone, _) => return Ok(()),
            (Way::Sentinel { .. } | Way::Cluster, _) => {}
        }
        let replication = info(link, "replication").await.map_err(|error| self.trouble_of(primary, error))?;
        if value_of(&replication, "role") == Some("master") {
            return Ok(());
        }
        Err(Trouble::NoPrimary(format!("{primary} is named, and calls itself a replica")))
    }

    /// What a failed link to the primary means: one that others name and that is away is about to be replaced.
    fn trouble_of(&self, primary: &Host, error: LinkError) -> Trouble {
        match (self.address.way(), error) {
            (Way::Sentinel { .. } | Way::Cluster, LinkError::Lost(why)) => {
                Trouble::NoPrimary(format!("{primary} is named, and does not answer: {why}"))
            }
            (_, error) => error.into(),
        }
    }
}

impl fmt::Display for Topology {
    /// The address, and the primary that was found last where others name it; no credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)?;
        match (self.address.way(), &*self.primary.lock()) {
            (Way::Sentinel { .. } | Way::Cluster, Some(primary)) => write!(f, " (primary {primary})"),
            _ => Ok(()),
        }
    }
}

fn nobody() -> Trouble {
    Trouble::NobodyKnows("no address was given".to_owned())
}

/// A link on which a single question is asked.
async fn open_to_ask(target: Option<Target>) -> Result<Link, LinkError> {
    let target = target.ok_or_else(|| LinkError::Lost("its address is none".to_owned()))?;
    Link::open(target, ASKED_FOR, ASKED_FOR).await
}

/// Asks all at once, until enough is known or each has had its time; what was said, by whoever said something.
async fn ask_all<T: Send + 'static, F: Future<Output = Result<T, Trouble>> + Send + 'static>(
    hosts: &[Host],
    ask: impl Fn(Host) -> F,
    is_enough: impl Fn(&[T]) -> bool,
    doubts: &Doubts,
) -> Result<Vec<T>, Trouble> {
    let mut asked = JoinSet::new();
    for host in hosts {
        let (answer, host) = (ask(host.clone()), host.clone());
        asked.spawn(async move {
            let silent = || Err(Trouble::Away("it is silent".to_owned()));
            (host, tokio::time::timeout(ASKED_FOR, answer).await.unwrap_or_else(|_| silent()))
        });
    }
    let (mut said, mut troubles) = (Vec::new(), Vec::new());
    while let Some(Ok((host, answer))) = asked.join_next().await {
        match answer {
            Ok(answer) => {
                doubts.forget(&host);
                said.push(answer);
            }
            Err(trouble) => troubles.push((host, trouble)),
        }
        if is_enough(&said) {
            break;
        }
    }
    if !said.is_empty() {
        troubles.into_iter().for_each(|(host, trouble)| doubts.note(host, trouble));
        return Ok(said);
    }
    // What settings would help against is said first: it does not pass by itself.
    if let Some((_, trouble)) = troubles.iter().find(|(_, trouble)| trouble.is_of_settings()) {
        return Err(trouble.clone());
    }
    let each: Vec<String> = troubles.iter().map(|(host, trouble)| format!("{host}: {}", trouble.in_short())).collect();
    Err(Trouble::NobodyKnows(each.join("; ")))
}

/// Whether this many of so many are more than half of them.
const fn is_majority(count: usize, of: usize) -> bool {
    count * 2 > of
}
