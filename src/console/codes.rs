//! What the page offers to choose from: national codes with their French labels, departments with their centres.

use serde_json::{Value, json};

use super::Tiles;
use crate::domain::code::{CareLevel, Motive, Priority, Role, Specialty};
use crate::domain::department::Department;

/// The codes, and where tiles are had.
pub(super) fn codes(tiles: Option<&Tiles>) -> Value {
    let departments = Department::ALL.iter().map(|one| {
        let (latitude, longitude) = one.barycentre();
        json!({ "code": one.code(), "name": one.name(), "latitude": latitude, "longitude": longitude })
    });
    json!({
        "tile_url": tiles.map(|tiles| tiles.url.as_str()),
        "departments": departments.collect::<Vec<_>>(),
        "care_levels": labelled(CareLevel::ALL.iter().map(|one| (one.code(), one.label()))),
        "priorities": labelled(Priority::ALL.iter().map(|one| (one.code(), one.label()))),
        "roles": labelled(Role::ALL.iter().map(|one| (one.code(), one.label()))),
        "motives": labelled(Motive::ALL.iter().map(|one| (one.code(), one.label()))),
        "specialties": labelled(Specialty::ALL.iter().map(|one| (one.code(), one.label()))),
    })
}

fn labelled<'a>(codes: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    codes.map(|(code, label)| json!({ "code": code, "label": label })).collect()
}
