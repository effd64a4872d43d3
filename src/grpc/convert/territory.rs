//! Territories.

use std::sync::Arc;

use super::common::{
    NAME_MAX_CHARACTERS, phone_from_proto, phone_to_proto, territories_from_proto, territories_to_proto,
};
use crate::domain::directory::Territory;
use crate::domain::id::{CommuneCode, TerritoryId};
use crate::grpc::findings::{Findings, Path};
use crate::proto::routing as pb;

/// Most communes of a territory.
const COMMUNES_MAX: usize = 2_000;
/// Most neighbours of a territory.
const NEIGHBOURS_MAX: usize = 50;

/// Reads a territory.
pub(in crate::grpc) fn territory_from_proto(
    message: Option<pb::Territory>,
    path: Path<'_>,
    findings: &mut Findings,
) -> Option<Territory> {
    let Some(pb::Territory { territory_id, name, commune_codes, neighbour_territory_ids, phone }) = message else {
        findings.refuse(path, "missing: give the territory");
        return None;
    };
    let id = findings.checked(path.field("territory_id"), TerritoryId::parse(&territory_id));
    let name = findings.text(path.field("name"), &name, 1, NAME_MAX_CHARACTERS);
    let communes = communes_from_proto(&commune_codes, path.field("commune_codes"), findings);
    let neighbours = territories_from_proto(
        &neighbour_territory_ids,
        path.field("neighbour_territory_ids"),
        NEIGHBOURS_MAX,
        findings,
    );
    let phone = phone_from_proto(&phone, path.field("phone"), findings);
    Some(Territory { id: id?, name: Arc::from(name?), communes, neighbours, phone })
}

fn communes_from_proto(codes: &[String], path: Path<'_>, findings: &mut Findings) -> Vec<CommuneCode> {
    if !findings.within(path, codes.len(), COMMUNES_MAX) {
        return Vec::new();
    }
    let parse = |(index, code): (usize, &String)| findings.take(path.index(index), CommuneCode::parse(code));
    codes.iter().enumerate().filter_map(parse).collect()
}

/// Writes a territory.
pub(in crate::grpc) fn territory_to_proto(territory: &Territory) -> pb::Territory {
    let Territory { id, name, communes, neighbours, phone } = territory;
    pb::Territory {
        territory_id: id.wire(),
        name: name.to_string(),
        commune_codes: communes.iter().map(ToString::to_string).collect(),
        neighbour_territory_ids: territories_to_proto(neighbours),
        phone: phone_to_proto(*phone),
    }
}
