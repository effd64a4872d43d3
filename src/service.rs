//! The use cases, as transports call them: find care and watch what changes, hold and book, publish, keep the directory, tell how things stand.
//!
//! Joins the index (reads), the ledger (writes) and the matching rules. Every write goes one way (`write`), is carried
//! out in a task of its own, and reaches the index only through the ledger's changes ([`Applier`]). Reads answer from
//! memory and go on while the ledger refuses writes.
//! Deliberately absent: wire types, authentication, and decisions on slots, which the domain takes.

pub mod limits;
pub mod error;
mod write;
mod turns;
mod fingerprint;
mod outcome;
mod find;
mod watch;
mod explain;
mod book;
mod refuse;
mod orientation;
mod attendance;
mod indicators;
mod tension;
mod heard;
mod publish;
mod replace;
mod withdraw;
mod directory;
mod saturation;
mod source;
mod quarantine;
mod condition;
mod starting;
mod status;
mod board;
mod purge;
mod position;
mod records;
mod policy;
mod listener;
mod applier;
pub mod witness;
mod census;

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::clock::SharedClock;
use crate::domain::answer::Stamp;
use crate::domain::id::PrincipalId;
use crate::domain::query::CareQuery;
use crate::domain::regulator::RegulatorRole;
use crate::domain::share::TurnClock;
use crate::domain::time::UtcInstant;
use crate::index::Index;
use crate::ledger::Ledger;
use crate::road::Roads;
use crate::routing::policy::Policy;
use crate::tasks::Tasks;

pub use crate::ledger::{InstanceView, Overview, Standpoint};
pub use crate::road::RoadHealth;
pub use crate::routing::policy::PolicyScope;
pub use applier::Applier;
pub use attendance::Attended;
pub use board::{
    ACTIVITY_MINUTES, AGE_BANDS, Activity, Board, Deed, MapPlace, MapTerritory, Minute, PlaceMap, PlaceState,
    TensionBoard, TensionRow, TensionState,
};
pub use book::{Authority, BookingView, HoldRequest, HoldView, RebookRequest, RebookTarget, RebookView, SettleRequest};
pub use census::{Census, Fill, SlotSort, SlotStanding};
pub use condition::{Condition, ConditionKind};
pub use error::{Error, ErrorKind, Reason};
pub use explain::Explained;
pub use find::Finder;
pub use indicators::{DayIndicators, Indicators};
pub use orientation::OrientationRequest;
pub use policy::{
    AnswerDigest, ChangeSort, ChangedAnswer, PolicyRequest, PolicyView, Preview, PreviewRequest, policy_problems,
};
pub use position::{MIN_POSITION_WAIT, Reach};
pub use publish::{PublishBatch, PublishRow, RowOutcome, RowStatus};
pub use quarantine::QuarantineList;
pub use records::{RecordPage, Records};
pub use refuse::{RefusalList, RefusalRequest, RefusalScope, ScheduleRefusals};
pub use replace::{KeptSlot, ReplaceOutcome, Replacement};
pub use saturation::SaturationEnd;
pub use source::SourceView;
pub use status::{ScheduleView, Status};
pub use tension::Unmet;
pub use watch::{
    Difference, Gone, GoneReason, QuestionDigest, Shown, ShownOption, Watch, WatchLimits, WatchRequest, WatchToken,
    WatchUpdate,
};
pub use withdraw::{WithdrawOutcome, Withdrawal};

use condition::is_degraded;
use limits::QUESTIONS_KEPT_MAX;
use listener::Listener;
use policy::{Asked, Policies};
use position::Arrivals;
use tension::Tension;
use turns::Turns;
use witness::Witnesses;
use write::Written;

/// What a service is made of.
#[derive(Clone)]
pub struct Parts {
    /// State in memory, fed by the ledger through an [`Applier`].
    pub index: Arc<Index>,
    /// Where writes go.
    pub ledger: Arc<dyn Ledger>,
    /// Tells the time; the ledger's own clock decides about guards.
    pub clock: SharedClock,
    /// Owner of the tasks in which writes run.
    pub tasks: Tasks,
    /// This process.
    pub instance_id: Uuid,
    /// Version of the program.
    pub version: &'static str,
}

/// The use cases; cheap to clone.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

struct Shared {
    parts: Parts,
    policies: Arc<Policies>,
    /// The last questions.
    asked: Asked,
    /// Held while a candidate is tried on them.
    previewing: Mutex<()>,
    started_at: UtcInstant,
    /// Whether the ledger was open once.
    has_opened: AtomicBool,
    /// Why the machine's clock is not trusted with forgetting.
    clock_doubt: ArcSwapOption<String>,
    /// In which regulators hold.
    turns: Turns,
    /// Slots that were held or booked beyond the clinical delay since the start.
    beyond_delay_count: AtomicU64,
    watches: Arc<watch::Hub>,
    /// Who waits for the index to go on.
    arrivals: Arc<Arrivals>,
    /// Rung when the index doubts promises.
    doubts: Arc<Notify>,
    /// Which needs found nothing.
    tension: Tension,
    /// Road times, when a server for them is configured.
    roads: OnceLock<Arc<Roads>>,
    /// What operations look at.
    boards: board::Boards,
    /// What was answered and written in the last hour.
    activity: Arc<board::Tallied>,
    /// Numbers the turns of those whom answers name first.
    share_turns: TurnClock,
    /// Who is told what happens.
    witnesses: Witnesses,
    census: census::CensusKept,
}

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Whose request ids these are.
    pub principal: PrincipalId,
    /// The role that the caller proved; absent while callers prove nothing, and what requests state counts then.
    pub role: Option<RegulatorRole>,
}

/// What a write came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Done<T> {
    /// The outcome.
    pub value: T,
    /// Whether an earlier call with the same request id brought it about.
    pub replayed: bool,
    /// The state in which it is visible.
    pub stamp: Stamp,
}

impl Service {
    /// A service over these parts, under the policies that the index has, else the national ones.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let started_at = parts.clock.now();
        let (policies, watches) = (Arc::new(Policies::shipped()), Arc::<watch::Hub>::default());
        let (arrivals, doubts) = (Arc::<Arrivals>::default(), Arc::<Notify>::default());
        let listener = Listener {
            policies: Arc::clone(&policies),
            watches: Arc::clone(&watches),
            arrivals: Arc::clone(&arrivals),
            doubts: Arc::clone(&doubts),
        };
        parts.index.observe(Arc::new(listener));
        // Only now, so that no change falls between.
        policies.take_from(&parts.index);
        let activity = Arc::new(board::Tallied::new(Arc::clone(&parts.clock)));
        let shared = Shared {
            parts,
            policies,
            asked: Asked::new(QUESTIONS_KEPT_MAX),
            previewing: Mutex::new(()),
            started_at,
            has_opened: AtomicBool::new(false),
            clock_doubt: ArcSwapOption::empty(),
            turns: Turns::default(),
            beyond_delay_count: AtomicU64::new(0),
            watches,
            arrivals,
            doubts,
            tension: Tension::new(),
            roads: OnceLock::new(),
            boards: board::Boards::default(),
            activity: Arc::clone(&activity),
            share_turns: TurnClock::default(),
            witnesses: Witnesses::default(),
            census: census::CensusKept::default(),
        };
        let service = Self { shared: Arc::new(shared) };
        service.witnessed_by(activity);
        service
    }

    /// Gives it road times to ask for; a second time changes nothing.
    pub fn ask_roads(&self, roads: Arc<Roads>) {
        let _ = self.shared.roads.set(roads);
    }

    /// Road times, when there are any.
    fn roads(&self) -> Option<&Roads> {
        self.shared.roads.get().map(Arc::as_ref)
    }

    /// What it is made of.
    fn parts(&self) -> &Parts {
        &self.shared.parts
    }

    /// The matching policy of whoever has no other.
    fn policy(&self) -> Arc<Policy> {
        Arc::clone(self.policies().load().set.national())
    }

    /// The matching policies in force.
    fn policies(&self) -> &Policies {
        &self.shared.policies
    }

    /// The matching policy of a query.
    fn policy_of(&self, query: &CareQuery) -> Arc<Policy> {
        Arc::clone(self.policies().load().set.of_query(query))
    }

    /// Whether callers are served less than they should be.
    fn is_degraded(&self, now: UtcInstant) -> bool {
        is_degraded(&self.parts().ledger.health(), now) || self.policies().load().problem.is_some()
    }

    /// Whether an acknowledged write survives less than configured.
    fn is_durability_reduced(&self) -> bool {
        self.parts().ledger.health().reduction.is_some()
    }

    /// What is told of a write.
    fn done<O, T>(&self, written: Written<O>, view: impl FnOnce(O) -> T) -> Done<T> {
        let Written { outcome, replayed, position } = written;
        Done { value: view(outcome), replayed, stamp: self.stamp_at(position) }
    }

    /// When it was made.
    fn started_at(&self) -> UtcInstant {
        self.shared.started_at
    }
}

impl Caller {
    /// Whoever reaches the service while callers present neither certificate nor token.
    #[must_use]
    pub fn local() -> Self {
        Self { principal: PrincipalId::local(), role: None }
    }
}

#[cfg(test)]
mod tests;
