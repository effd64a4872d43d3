//! What is kept by group of care: schedules by place, and those that offer teleconsultation by time.
//!
//! Rare groups have larger cells, so that an empty countryside costs little.

use super::grid::Grid;
use super::group::GROUPS;
use super::remote::RemoteIndex;

/// Size of a cell in kilometres, by group.
const CELL_KM: [u16; GROUPS] = [8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 8, 8, 16, 16, 16];

/// One group: its schedules by place, and those that offer teleconsultation by time.
#[derive(Debug)]
pub(super) struct GroupIndex {
    pub(super) grid: Grid,
    pub(super) remote: RemoteIndex,
}

/// All groups, empty.
pub(super) fn all() -> Box<[GroupIndex]> {
    CELL_KM.iter().map(|km| GroupIndex { grid: Grid::new(*km), remote: RemoteIndex::new() }).collect()
}
