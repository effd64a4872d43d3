//! Bytes of any kind that decode to a message are either read or refused, never a panic.

use proptest::prelude::*;
use prost::Message as _;

use super::super::common::instant_from_proto;
use super::super::query::query_from_proto;
use super::super::row::rows_from_proto;
use super::super::schedule::schedule_from_proto;
use super::{Findings, ROOT};
use crate::proto::routing as pb;

proptest! {
    #[test]
    fn any_instant_is_read_or_refused(seconds in any::<i64>(), nanos in any::<i32>()) {
        let mut findings = Findings::default();
        let read = instant_from_proto(Some(prost_types::Timestamp { seconds, nanos }), ROOT, &mut findings);
        prop_assert_eq!(read.is_none(), findings.violations.len() == 1);
    }

    #[test]
    fn any_texts_of_a_query_are_read_or_refused(texts in prop::collection::vec("\\PC{0,20}", 12), number in any::<i32>()) {
        let message = pb::CareQuery {
            case_id: texts[0].clone(),
            commune_code: texts[1].clone(),
            department: texts[2].clone(),
            care_level: texts[3].clone(),
            priority: texts[4].clone(),
            motive: texts[5].clone(),
            age: texts[6].clone(),
            sex: texts[7].clone(),
            specialties: vec![texts[8].clone()],
            territory_ids: vec![texts[9].clone()],
            languages: vec![texts[10].clone()],
            role: texts[11].clone(),
            needs: vec![number],
            ..pb::CareQuery::default()
        };
        let mut findings = Findings::default();
        let read = query_from_proto(Some(message), ROOT, &mut findings);
        prop_assert!(read.is_some() || !findings.violations.is_empty());
    }

    #[test]
    fn any_bytes_that_decode_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(batch) = pb::PublishSlotsRequest::decode(bytes.as_slice()) {
            let count = batch.rows.len();
            prop_assert_eq!(rows_from_proto(batch.rows).len(), count);
        }
        if let Ok(schedule) = pb::Schedule::decode(bytes.as_slice()) {
            let mut findings = Findings::default();
            let read = schedule_from_proto(Some(schedule), ROOT, &mut findings);
            prop_assert!(read.is_some() || !findings.violations.is_empty());
        }
    }
}
