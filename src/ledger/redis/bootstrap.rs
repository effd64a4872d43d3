//! Reads every record of the server, in pages, kind after kind.
//!
//! What is appended meanwhile may or may not be among them; the log from the noted position on settles it, since changes
//! are after-images.

use redis::{Value, cmd};

use super::Trouble;
use super::history::Mark;
use super::keys::{META, records};
use super::link::Link;
use super::link::reply::{Fields, split_record};
use crate::domain::record::Change;
use crate::domain::time::UtcInstant;
use crate::ledger::codec::{self, Interner};
use crate::ledger::kind::{KINDS, key_of};

/// Records of one page.
const PAGE_RECORDS: usize = 2_048;

/// How the ledger stands on a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standing {
    /// The history of this very server; empty while it has none.
    pub(super) run: String,
    /// Where its history stands.
    pub(super) mark: Mark,
    /// What its clock has shown.
    pub(super) clock_at: UtcInstant,
    /// The last instant that a steady clock recorded.
    pub(super) steady_at: Option<UtcInstant>,
    /// Identifies the ledger among all others.
    pub(super) deployment: String,
    /// Epochs that ended, with their last numbers.
    pub(super) ends: Vec<(u64, u64)>,
}

/// Reads how the ledger stands.
pub(super) async fn standing(link: &mut Link) -> Result<Standing, Trouble> {
    let mut read = cmd("HMGET");
    read.arg(META)
        .arg("epoch")
        .arg("seq")
        .arg("digest")
        .arg("clock")
        .arg("deployment")
        .arg("steady")
        .arg("ends")
        .arg("run");
    let mut fields = Fields::of(link.ask(&read).await?)?;
    let mark = Mark { epoch: fields.number()?, sequence: fields.number()?, digest: fields.text()? };
    let clock_at = UtcInstant::from_ms(fields.instant_ms()?);
    let deployment = fields.text()?;
    let steady = fields.text_or_nothing()?.and_then(|steady| steady.parse().ok());
    let ends = fields.text_or_nothing()?.unwrap_or_default();
    let ends = ends.split(' ').filter_map(|end| end.split_once(':'));
    let ends = ends.filter_map(|(epoch, last)| Some((epoch.parse().ok()?, last.parse().ok()?))).collect();
    let run = fields.text_or_nothing()?.unwrap_or_default();
    Ok(Standing { run, mark, clock_at, steady_at: steady.map(UtcInstant::from_ms), deployment, ends })
}

/// Whether the server has been the same all the time since it stood there: one that was emptied meanwhile, and perhaps given
/// everything back, has shown a part of its records at most.
pub(super) async fn is_unbroken_since(link: &mut Link, before: &Standing) -> Result<bool, Trouble> {
    let mut read = cmd("HMGET");
    read.arg(META).arg("run").arg("epoch");
    let mut fields = Fields::of(link.ask(&read).await?)?;
    let (run, epoch) = (fields.text_or_nothing()?, fields.text_or_nothing()?);
    let is_same_epoch = epoch.and_then(|epoch| epoch.parse().ok()) == Some(before.mark.epoch);
    Ok(is_same_epoch && run.unwrap_or_default() == before.run)
}

/// Hands every record over, as if it changed at the mark; how many there were.
pub(super) async fn read_all(
    link: &mut Link,
    mark: &Mark,
    interner: &mut Interner,
    mut take: impl FnMut(&[Change]),
) -> Result<u64, Trouble> {
    let mut count = 0;
    for kind in KINDS {
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = cmd("HSCAN");
            scan.arg(records(kind)).arg(&cursor).arg("COUNT").arg(PAGE_RECORDS);
            let mut answer = Fields::of(link.ask(&scan).await?)?;
            cursor = answer.text()?;
            let changes = read_page(answer.next().unwrap_or(Value::Nil), mark, interner)?;
            count += changes.len() as u64;
            if !changes.is_empty() {
                take(&changes);
            }
            if cursor == "0" {
                break;
            }
        }
    }
    Ok(count)
}

fn read_page(page: Value, mark: &Mark, interner: &mut Interner) -> Result<Vec<Change>, Trouble> {
    let mut fields = Fields::of(page)?;
    let mut changes = Vec::new();
    while let Some(text) = fields.text_or_nothing()? {
        let (version, image) = split_record(&fields.bytes()?)?;
        let body = codec::decode(&image, interner).map_err(|error| Trouble::of_record(&error))?;
        let key = key_of(&body, &text).map_err(Trouble::Damaged)?;
        changes.push(Change { position: mark.position(), key, version, body: Some(body) });
    }
    Ok(changes)
}
