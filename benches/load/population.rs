//! Who is there: a France-like region of a seed, written into a ledger's folder at the speed of the service itself.
//!
//! The region's day is moved so that its half past seven is the moment at which it is made: most slots are then to come,
//! whatever the hour of the run. A folder that is kept serves for some hours; its slots pass as the day does.

use std::path::Path;
use std::sync::Arc;

use sas_router::clock::{Clock as _, SharedClock, SystemClock};
use sas_router::domain::slot::Slot;
use sas_router::domain::time::Window;
use sas_router::index::Index;
use sas_router::ledger::embedded::{EmbeddedLedger, EmbeddedOptions};
use sas_router::service::Applier;

use super::support::load::{directory, publish};
use super::support::region::{Region, at_minute, region};
use super::support::server::service_of;

/// The minute of the region's day at which a run begins.
const BEGINS: i64 = 7 * 60 + 30;
const SEED: u64 = 42;
/// Where in the folder the ledger is, and the instant at which it was made.
pub const LEDGER: &str = "ledger";
const MADE_AT: &str = "made_at";

/// The region of so many slots as it stands in a folder, which is filled when it is empty.
pub async fn settled(slots: usize, folder: &Path) -> Region {
    let (note, clock) = (folder.join(MADE_AT), SystemClock);
    let kept = std::fs::read_to_string(&note).ok().and_then(|text| {
        let (size, at) = text.trim().split_once(' ')?;
        (size == slots.to_string()).then_some(at.parse::<i64>().ok()?)
    });
    let at_ms = kept.unwrap_or_else(|| clock.now().ms());
    let region = moved(region(slots, SEED), at_ms);
    if kept.is_none() {
        assert!(!folder.join(LEDGER).exists(), "the folder holds another population: name an empty one");
        fill(&region, &folder.join(LEDGER)).await;
        std::fs::write(note, format!("{slots} {at_ms}")).unwrap();
    }
    region
}

/// The region with its slots around an instant; those that are over then are left out.
fn moved(mut region: Region, at_ms: i64) -> Region {
    // Whole minutes, as slots have them.
    let shift_ms = (at_ms - at_minute(BEGINS).ms()).div_euclid(60_000) * 60_000;
    region.slots.retain_mut(|slot| {
        let slot: &mut Slot = Arc::make_mut(slot);
        let (start, end) = (slot.window.start_at().plus_ms(shift_ms), slot.window.end_at().plus_ms(shift_ms));
        slot.window = Window::new(start, end).unwrap();
        end.ms() > at_ms + 10 * 60_000
    });
    region
}

async fn fill(region: &Region, folder: &Path) {
    let index = Arc::new(Index::new());
    let clock: SharedClock = Arc::new(SystemClock);
    let sink = Arc::new(Applier(Arc::clone(&index)));
    std::fs::create_dir_all(folder).unwrap();
    let ledger = EmbeddedLedger::open(folder, EmbeddedOptions::default(), Arc::clone(&clock), sink).unwrap();
    let ledger = Arc::new(ledger);
    let service = service_of(&index, ledger.clone(), clock);
    let records = directory(&service, &region.directory).await;
    let slots = publish(&service, &region.slots).await;
    println!(
        "population: {} records at {records:.0}/s, {} slots at {slots:.0}/s",
        region.directory.len(),
        region.slots.len()
    );
    drop(service);
    tokio::task::spawn_blocking(move || ledger.close()).await.unwrap();
}
