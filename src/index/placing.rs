//! Where a schedule stands: taken out of the cells and ticks where it stood, put into those where it stands.

use std::sync::Arc;

use super::Index;
use super::node::{Node, Standing};
use crate::domain::geo::EarthVector;
use crate::domain::offer::Offer;

/// Gives a schedule what is known of it now, and moves it to where that stands.
pub(super) fn move_to(index: &Index, node: &Arc<Node>, offer: Offer) {
    let (before, after) = (standing(node), Standing::of(&offer));
    // The facts go first and the filters last: a reader that the filters send finds what they speak of.
    node.resolve(Arc::new(offer));
    place(index, node, &before, &after);
}

/// Takes a schedule away from where it stands.
pub(super) fn take_away(index: &Index, node: &Arc<Node>) {
    place(index, node, &standing(node), &Standing::nowhere());
}

fn standing(node: &Node) -> Standing {
    node.peek().as_deref().map_or_else(Standing::nowhere, Standing::of)
}

/// Moves a schedule from where it stood to where it stands.
fn place(index: &Index, node: &Arc<Node>, old: &Standing, new: &Standing) {
    if old == new {
        return;
    }
    for (number, group) in index.groups.iter().enumerate() {
        let bit = 1 << number;
        let (was, is) = (old.groups & bit != 0, new.groups & bit != 0);
        let empty = Standing::nowhere();
        let (before, after) = (if was { old } else { &empty }, if is { new } else { &empty });
        if was || is {
            group.remote.update(node, before, after);
        }
        let (stood, stands) = (old.position.filter(|_| was), new.position.filter(|_| is));
        if stood.is_some() && stood == stands && stands.is_some_and(|at| group.grid.square(&at).refresh(node, new)) {
            continue;
        }
        // A reader must never find it nowhere; that it finds it twice does no harm.
        let (from, to) = (stood.map(|at| group.grid.square(&at)), stands.map(|at| (group.grid.square(&at), at)));
        let stays = from.as_ref().zip(to.as_ref()).is_some_and(|(from, (to, _))| Arc::ptr_eq(from, to));
        if let Some((square, at)) = to {
            let known = square.load();
            let without = stays.then(|| known.without(node));
            square.store(without.as_ref().unwrap_or(&known).with(node, &EarthVector::from(&at), new));
        }
        if let Some(square) = from.filter(|_| !stays) {
            square.store(square.load().without(node));
        }
    }
}
