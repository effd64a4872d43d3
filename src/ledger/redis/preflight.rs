//! What is checked before a server is trusted: who it is, what it may lose, and whose data it holds.
//!
//! Invariant: nothing is written before all checks passed. Deliberately absent: changing the server's settings.

use redis::{Cmd, Pipeline, cmd};

use super::keys::{META, PATTERN};
use super::link::reply::Fields;
use super::link::{Link, LinkError};
use super::replicas::{Replicas, online};
use super::{LEDGER_FORMAT, Trouble};

/// Oldest version of Redis that is understood.
const VERSION_MIN: (u32, u32) = (7, 0);

/// What an acknowledged write survives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Durability {
    /// The server does not let us read its settings.
    Unknown,
    /// Nothing is on disk.
    Memory,
    /// On disk within a second.
    EverySecond,
    /// On disk before it is acknowledged.
    Always,
    /// In the memory of replicas too, on disk within a second.
    Replicated,
    /// On disk before it is acknowledged, and in the memory of replicas.
    AlwaysReplicated,
}

impl Durability {
    fn of(appendonly: Option<&str>, appendfsync: Option<&str>, replicas: u16) -> Self {
        match (appendonly, appendfsync, replicas) {
            (Some("yes"), Some("always"), 0) => Self::Always,
            (Some("yes"), Some("always"), _) => Self::AlwaysReplicated,
            (None, _, _) | (_, None, _) => Self::Unknown,
            (Some("yes"), Some(_), 0) => Self::EverySecond,
            (Some(_), Some(_), 1..) => Self::Replicated,
            (Some(_), Some(_), 0) => Self::Memory,
        }
    }

    /// The same once so many replicas confirm writes too.
    pub(super) const fn confirmed_by(self, replicas: u16) -> Self {
        match (self, replicas) {
            (Self::Always, 1..) => Self::AlwaysReplicated,
            (Self::EverySecond | Self::Memory, 1..) => Self::Replicated,
            (same, _) => same,
        }
    }

    /// Stable code.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Memory => "REDIS_MEMORY",
            Self::EverySecond => "REDIS_SYNCED_EVERY_SECOND",
            Self::Always => "REDIS_SYNCED",
            Self::Replicated => "REDIS_REPLICATED",
            Self::AlwaysReplicated => "REDIS_SYNCED_REPLICATED",
        }
    }

    /// In plain words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Unknown => {
                "unknown: Redis does not let this service read its settings (CONFIG GET), so what an acknowledged write \
                 survives is what its operator configured"
            }
            Self::Memory => "none: Redis keeps nothing on disk; an acknowledged write is lost when it restarts",
            Self::EverySecond => {
                "one Redis, synced every second: a crash of Redis keeps an acknowledged write, a crash of its machine may \
                 lose the last second"
            }
            Self::Always => {
                "one Redis, synced before it is acknowledged: an acknowledged write survives a crash of Redis or its machine, \
                 not the loss of its disk"
            }
            Self::Replicated => {
                "Redis with replicas: an acknowledged write has reached as many replicas as configured, and survives the \
                 loss of the primary's machine"
            }
            Self::AlwaysReplicated => {
                "Redis with replicas, synced before it is acknowledged: an acknowledged write is on the primary's disk and has \
                 reached as many replicas as configured"
            }
        }
    }
}

/// What the checks found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// What an acknowledged write survives.
    pub(super) durability: Durability,
    /// What is risky in its settings; nothing is refused for it.
    pub(super) warnings: Vec<String>,
    /// The deployment whose data it holds; `None` when it holds none.
    pub(super) deployment: Option<String>,
    /// Format of these data; `None` when it holds none.
    pub(super) format: Option<u32>,
}

/// Checks a server.
pub(super) async fn check(link: &mut Link, replicas: &Replicas, deployment: Option<&str>) -> Result<Found, Trouble> {
    check_permissions(link).await?;
    let server = info(link, "server").await?;
    let version = value_of(&server, "redis_version").unwrap_or_default().to_owned();
    if version_of(&version).is_none_or(|version| version < VERSION_MIN) {
        return Err(Trouble::OldServer { version });
    }
    let replication = check_role(link).await?;
    replicas.see(online(&replication));
    let (held, format) = check_contents(link, deployment).await?;
    let settings = Settings::read(link).await?;
    let durability = Durability::of(settings.get("appendonly"), settings.get("appendfsync"), replicas.full());
    Ok(Found { durability, warnings: settings.warnings(replicas.least()), deployment: held, format })
}

/// Makes sure that it is a primary, and hands on what it tells about its replicas.
pub(super) async fn check_role(link: &mut Link) -> Result<String, Trouble> {
    let replication = info(link, "replication").await?;
    if value_of(&replication, "role") == Some("master") {
        return Ok(replication);
    }
    let host = value_of(&replication, "master_host").unwrap_or("?");
    let port = value_of(&replication, "master_port").unwrap_or("?");
    Err(Trouble::Replica { primary: format!("{host}:{port}") })
}

/// Commands that are used, outside and inside of scripts, each with arguments that its check needs. SELECT is not among
/// them: only an address with a database needs it, and then no link comes about without.
pub(super) const COMMANDS: [&[&str]; 22] = [
    &["INFO", "server"],
    &["SCRIPT", "LOAD", "return 1"],
    &["EVALSHA", "0", "1", META],
    &["TIME"],
    &["HGET", META, "run"],
    &["HMGET", META, "run"],
    &["HGETALL", META],
    &["HSET", META, "a", "b"],
    &["HDEL", META, "a"],
    &["HEXISTS", META, "a"],
    &["HSCAN", META, "0"],
    &["XADD", META, "1-1", "a", "b"],
    &["XRANGE", META, "-", "+"],
    &["XREAD", "STREAMS", META, "0-0"],
    &["XTRIM", META, "MAXLEN", "0"],
    &["ZADD", META, "0", "a"],
    &["ZREM", META, "a"],
    &["ZRANGEBYSCORE", META, "0", "0"],
    &["UNLINK", META],
    &["EXISTS", META],
    &["WAIT", "0", "0"],
    &["RENAME", META, META],
];

/// Asks the server which of the commands this user may run; a server that does not tell lets them fail when they are run.
async fn check_permissions(link: &mut Link) -> Result<(), Trouble> {
    let mut whoami = cmd("ACL");
    whoami.arg("WHOAMI");
    let user = match link.ask(&whoami).await {
        Ok(redis::Value::BulkString(user)) => user,
        Ok(_) => return Ok(()),
        Err(LinkError::Said { .. }) => return Ok(()),
        Err(lost) => return Err(lost.into()),
    };
    let mut asked = Pipeline::new();
    for command in COMMANDS {
        let mut dry_run = cmd("ACL");
        dry_run.arg("DRYRUN").arg(&user);
        command.iter().for_each(|word| {
            dry_run.arg(*word);
        });
        asked.add_command(dry_run);
    }
    let mut missing = Vec::new();
    for (command, reply) in COMMANDS.iter().zip(link.send(&asked).await?) {
        // Anything but OK says why not; a refusal says that the dry run itself is not allowed.
        if let Ok(redis::Value::BulkString(_)) = reply {
            missing.push(command.first().map_or(String::new(), |name| format!("+{}", name.to_lowercase())));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let user = String::from_utf8_lossy(&user).into_owned();
    Err(Trouble::Permissions { user, missing: missing.join(" "), pattern: PATTERN })
}

/// Whose data it holds, and in which format.
pub(super) async fn check_contents(
    link: &mut Link,
    deployment: Option<&str>,
) -> Result<(Option<String>, Option<u32>), Trouble> {
    let mut read = cmd("HMGET");
    read.arg(META).arg("format").arg("partitions").arg("deployment");
    let mut fields = Fields::of(link.ask(&read).await?)?;
    let (format, partitions) = (fields.text_or_nothing()?, fields.text_or_nothing()?);
    let held = fields.text_or_nothing()?;
    let format: Option<u32> = format.and_then(|format| format.parse().ok());
    if let Some(found) = format.filter(|found| *found > LEDGER_FORMAT) {
        return Err(Trouble::NewerFormat { found });
    }
    if let Some(found) = partitions.filter(|partitions| partitions != "1") {
        return Err(Trouble::Partitions { found });
    }
    match (held, deployment) {
        (Some(held), Some(ours)) if held != ours => {
            Err(Trouble::OtherDeployment { found: held, ours: ours.to_owned() })
        }
        (held, _) => Ok((held, format)),
    }
}

/// What the server tells about itself.
pub(super) async fn info(link: &mut Link, section: &str) -> Result<String, LinkError> {
    let mut info = cmd("INFO");
    info.arg(section);
    let redis::Value::BulkString(text) = link.ask(&info).await? else { return Err(LinkError::Odd("INFO")) };
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The value of a name in it.
pub(super) fn value_of<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn version_of(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

/// The server's settings that decide what it may lose.
struct Settings(Vec<(&'static str, Option<String>)>);

/// The settings that are read, with the value that loses nothing and what another one means.
const SETTINGS: [(&str, Option<&str>, &str); 5] = [
    ("appendonly", Some("yes"), "nothing is kept on disk"),
    ("appendfsync", Some("always"), "an acknowledged write may be lost when the machine fails"),
    ("aof-load-truncated", Some("no"), "a file that was cut is loaded without a word"),
    ("maxmemory-policy", Some("noeviction"), "records may be evicted"),
    ("min-replicas-to-write", None, ""),
];

impl Settings {
    /// Reads them; a server that forbids it leaves them unknown.
    async fn read(link: &mut Link) -> Result<Self, LinkError> {
        let mut asked = Pipeline::new();
        for (name, _, _) in SETTINGS {
            let mut get: Cmd = cmd("CONFIG");
            get.arg("GET").arg(name);
            asked.add_command(get);
        }
        let mut settings = Vec::new();
        for ((name, _, _), reply) in SETTINGS.iter().zip(link.send(&asked).await?) {
            let value = reply.ok().and_then(|reply| {
                let mut fields = Fields::of(reply).ok()?;
                fields.next();
                fields.text_or_nothing().ok()?
            });
            settings.push((*name, value));
        }
        Ok(Self(settings))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_deref())
    }

    fn warnings(&self, least_replicas: u16) -> Vec<String> {
        let mut warnings = Vec::new();
        for (name, wanted, meaning) in SETTINGS {
            if let (Some(value), Some(wanted)) = (self.get(name), wanted)
                && value != wanted
            {
                warnings.push(format!("{name} is {value}: {meaning}; set it to {wanted}"));
            }
        }
        let waits_for = self.get("min-replicas-to-write").and_then(|count| count.parse::<u16>().ok());
        if let Some(count) = waits_for.filter(|count| *count < least_replicas) {
            warnings.push(format!(
                "min-replicas-to-write is {count}: a primary that is cut off accepts writes that no replica has; set it to \
                 {least_replicas}"
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability_is_what_disk_and_replicas_give() {
        let cases = [
            (Some("yes"), Some("always"), 0, Durability::Always),
            (Some("yes"), Some("always"), 1, Durability::AlwaysReplicated),
            (Some("yes"), Some("everysec"), 0, Durability::EverySecond),
            (Some("yes"), Some("everysec"), 2, Durability::Replicated),
            (Some("no"), Some("always"), 0, Durability::Memory),
            (Some("no"), Some("always"), 1, Durability::Replicated),
            (None, None, 0, Durability::Unknown),
        ];
        for (appendonly, appendfsync, replicas, expected) in cases {
            assert_eq!(Durability::of(appendonly, appendfsync, replicas), expected, "{appendonly:?} {appendfsync:?}");
        }
    }

    #[test]
    fn what_info_says_is_found_by_its_whole_name() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n";
        assert_eq!(value_of(info, "redis_version"), Some("7.0.15"));
        assert_eq!(value_of(info, "redis"), None);
        assert_eq!((version_of("7.0.15"), version_of("6"), version_of("x")), (Some((7, 0)), None, None));
    }
}
