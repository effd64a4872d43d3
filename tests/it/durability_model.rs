//! What an acknowledgement is worth: the way of a write through a primary and two replicas, under every order of crashes,
//! cuts, failovers and recoveries that a model checker finds.
//!
//! Two callers want the same slot. Whoever is told that it is booked must keep it: there must never be two of them, and no
//! primary in charge may lack what was acknowledged. The README states in a table which settings keep that promise under
//! which faults; each of its cells is checked here. A promise that is said to hold is checked in every world that can be
//! reached; one that is said to break must be found broken.
//!
//! Bounds: three servers, two instances, one slot, at most one cut, which heals or does not, and one crash of a server, which
//! comes back or does not. Not modelled: disks that lose what was synced, and instances that end, which is to be absent from
//! a recovery.

mod action;
mod history;
mod world;

use std::path::Path;

use stateright::{Checker as _, HasDiscoveries, Model, Property};

use action::Action;
use world::{Rules, World};

impl Model for Rules {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, _: &World, actions: &mut Vec<Action>) {
        Action::all(self, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        next.take(self, action).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(TWICE, |_, world: &World| !world.is_booked_twice()),
            Property::always(LOST, |_, world: &World| !world.has_lost_what_was_acknowledged()),
            Property::sometimes(RECOVERED, |_, world: &World| world.is_acknowledged_after_recovery()),
        ]
    }
}

const TWICE: &str = "never two acknowledged bookings of one slot";
const LOST: &str = "no primary in charge lacks what was acknowledged";
const RECOVERED: &str = "something is acknowledged after a recovery";

const NONE: Rules = Rules { ack_replicas: 0, crashes: 0, cuts: 0, two_phases: true };
const ONE: Rules = Rules { ack_replicas: 1, ..NONE };
const ALL: Rules = Rules { ack_replicas: 2, ..NONE };

/// The columns of the README's table.
const COLUMNS: [&str; 3] = ["a crash", "a partition", "a partition and a crash"];
/// Its rows.
const ROWS: [(&str, Rules); 3] = [("0", NONE), ("1", ONE), ("2, all", ALL)];

/// What a cell says of a setting that keeps the promise.
const KEPT: &str = "nothing is lost";
/// What a cell says of one that does not.
const BROKEN: &str = "a booking can be lost, and its slot booked twice";

/// The steps of the shortest way to a second acknowledged booking of the slot; nothing when every world was seen and in
/// none of them a promise is broken.
fn steps_to_break(rules: Rules) -> Option<usize> {
    let checker = rules.checker().finish_when(HasDiscoveries::AllOf([TWICE].into())).spawn_bfs().join();
    let found = checker.discoveries();
    let steps = found.get(TWICE).map(|path| path.clone().into_actions().len());
    if steps.is_none() {
        assert!(!found.contains_key(LOST), "{rules:?}: {:?}", found[LOST]);
        assert!(found.contains_key(RECOVERED), "nothing is acknowledged after a recovery: {rules:?}");
    }
    steps
}

/// The cells of the README's table, by row and column.
fn stated() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut lines = readme.lines().skip_while(|line| !line.starts_with("| `ledger.ack_replicas` of two |"));
    let header = cells(lines.next().expect("the README has the table"));
    assert_eq!(header[1..], COLUMNS);
    lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect()
}

#[test]
fn the_table_of_the_readme_is_what_the_model_finds() {
    let found = ROWS.map(|(name, rules)| {
        let is_broken = |crashes, cuts| steps_to_break(Rules { crashes, cuts, ..rules }).is_some();
        let (crash, partition) = (is_broken(1, 0), is_broken(0, 1));
        // What breaks under fewer faults breaks under more.
        let cells = [crash, partition, crash || partition || is_broken(1, 1)];
        let words = cells.map(|is_broken| if is_broken { BROKEN } else { KEPT }.to_owned());
        [vec![name.to_owned()], words.to_vec()].concat()
    });
    assert_eq!(stated(), found);
}

#[test]
fn broken_promises_are_found_in_few_steps() {
    assert_eq!(steps_to_break(Rules { crashes: 1, ..NONE }), Some(9));
    assert_eq!(steps_to_break(Rules { cuts: 1, ..NONE }), Some(9));
    assert_eq!(steps_to_break(Rules { cuts: 1, ..ONE }), Some(15));
}

#[test]
fn a_recovery_in_one_phase_books_twice_also_with_all_replicas() {
    assert_eq!(steps_to_break(Rules { crashes: 1, cuts: 1, two_phases: false, ..ALL }), Some(18));
}
