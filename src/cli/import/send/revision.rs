//! Whether a file is older than what its source said before.
//!
//! Slots of an older revision are refused by the server one by one, but directory entries carry no revision: an old file
//! would take places and professionals back to what they were. So an old file is refused whole, before anything is sent.

use super::{SendOptions, Transport};
use crate::cli::import::{ImportPlan, Origin, Reason, RowReport, Severity};
use crate::proto::routing as pb;
use crate::proto::routing::directory_service_client::DirectoryServiceClient;

/// The refusal of a plan that is older than what the server has of one of its schedules.
pub(super) async fn outdated<T: Transport>(
    transport: &T,
    plan: &ImportPlan,
    options: &SendOptions,
) -> Option<RowReport> {
    let mut client = DirectoryServiceClient::new(transport.clone());
    for planned in &plan.schedules {
        let request = pb::GetScheduleEntryRequest { schedule_id: planned.message.schedule_id.clone() };
        // A schedule that is not there, or cannot be asked for, is not newer; the upsert will tell what is wrong.
        let Ok(answer) = client.get_schedule_entry(request).await else { continue };
        let Some(known) = answer.into_inner().schedule else { continue };
        if known.source_id == options.source_id && known.source_revision > options.source_revision {
            let message = format!(
                "nothing is sent: revision {} is older than {}, which the server has of schedule `{}`; give a newer \
                 revision, or leave it to the clock",
                options.source_revision, known.source_revision, known.schedule_id
            );
            return Some(RowReport::new(Origin::File, Severity::Refused, "--revision", Reason::StaleRevision, message));
        }
    }
    None
}
