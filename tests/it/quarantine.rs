//! What a server loses although it was acknowledged is in quarantine on every instance until somebody settles it.

use sas_router::proto::routing as pb;
use tonic::Code;

use crate::harness::details::{hold_refused, reason};
use crate::harness::site::{Instance, Site, slot};
use crate::harness::world::{SOURCE, batch, hold, query};

/// Holds a slot for a case of its own.
async fn held(instance: &Instance, slot_id: &str) -> String {
    let request = pb::HoldSlotRequest { case_id: format!("case-{slot_id}"), ..hold(&format!("h-{slot_id}"), slot_id) };
    instance.bookings().hold_slot(request).await.unwrap().into_inner().hold.unwrap().hold_id
}

fn confirmation(slot_id: &str, hold_id: &str) -> pb::ConfirmHoldRequest {
    pb::ConfirmHoldRequest { request_id: format!("c-{slot_id}"), hold_id: hold_id.to_owned() }
}

async fn booked(instance: &Instance, slot_id: &str) -> String {
    let id = held(instance, slot_id).await;
    instance.bookings().confirm_hold(confirmation(slot_id, &id)).await.unwrap();
    id
}

async fn quarantined(instance: &Instance) -> Vec<pb::QuarantinedSlot> {
    let request = pb::ListQuarantinedRequest { source_id: SOURCE.into() };
    instance.quarantines().list_quarantined(request).await.unwrap().into_inner().slots
}

async fn offered(instance: &Instance) -> Vec<String> {
    let answer = instance.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner();
    let mut offered: Vec<_> = answer.options.into_iter().map(|option| option.slot_id).collect();
    offered.extend(answer.near_misses.into_iter().map(|miss| {
        let option = miss.option.clone().unwrap_or_default();
        format!("{} fails {}", option.slot_id, miss.rule().as_str_name())
    }));
    offered.sort();
    offered
}

fn settlement(slot_id: &str, claim_id: &str, verdict: pb::QuarantineVerdict) -> pb::SettleQuarantineRequest {
    pb::SettleQuarantineRequest {
        request_id: format!("settle {slot_id}"),
        slot_id: slot_id.into(),
        claim_id: claim_id.into(),
        verdict: verdict.into(),
        settled_by: "secretariat".into(),
        reason: "vu à l'agenda".into(),
        source_id: SOURCE.into(),
    }
}

/// A site whose Redis came back as it was before slot `late` was published, `booked` and `late` were booked and `held` was
/// held; the first instance, which was frozen meanwhile, remembers all of it, the second came after.
async fn with_losses() -> (Site, Vec<(&'static str, String)>) {
    let mut site = Site::start(1).await;
    site.publish(1, vec![slot("booked", 1, 60, 1), slot("held", 2, 70, 1)]).await;
    let older = site.redis.frozen_copy();
    site.publish(2, vec![slot("late", 1, 90, 1)]).await;
    let first = &site.instances[0];
    let mut claims = vec![("held", held(first, "held").await)];
    for slot_id in ["booked", "late"] {
        claims.push((slot_id, booked(first, slot_id).await));
    }
    first.process.signal("-STOP");
    site.redis.kill();
    site.redis.restore(older.path());
    site.redis.run();
    // It waits for the first one's report in vain, and begins an epoch without what that one saw.
    site.instances.push(site.instance().await);
    assert!(offered(&site.instances[1]).await.contains(&"booked".to_owned()), "it knows nothing better yet");
    site.instances[0].process.signal("-CONT");
    for instance in &site.instances {
        instance.wait_until("quarantine", async |_| quarantined(instance).await.len() == 3).await;
    }
    (site, claims)
}

#[tokio::test]
async fn what_a_restored_server_lost_is_barred_named_and_settled_on_every_instance() {
    let (mut site, claims) = with_losses().await;
    let id_of = |slot_id: &str| claims.iter().find(|(known, _)| *known == slot_id).unwrap().1.clone();
    drop(site.instances.remove(1).process.kill());
    site.instances.push(site.instance().await);
    for instance in &site.instances {
        let slots = quarantined(instance).await;
        let told =
            slots.iter().map(|slot| (slot.slot_id.as_str(), slot.claims[0].confirmed_at.is_some(), slot.state()));
        let expected = [
            ("booked", true, pb::SlotState::Open),
            ("held", false, pb::SlotState::Open),
            ("late", true, pb::SlotState::Closed),
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
        assert_eq!(slots[0].claims[0].case_id, "case-booked");
        let status = instance.status().await;
        assert!(status.conditions.iter().any(|one| one.code == "CLAIMS_QUARANTINED"), "{:?}", status.conditions);
        assert!(offered(instance).await.contains(&"booked fails RULE_QUARANTINE".to_owned()));
        let request = pb::HoldSlotRequest { query: Some(query()), case_id: "new".into(), ..hold("new", "booked") };
        let refused = instance.bookings().hold_slot(request).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_QUARANTINED"));
        assert!(hold_refused(&refused).is_some());
        // The holder repeats what was acknowledged, and is told what became of it.
        let retry = confirmation("booked", &id_of("booked"));
        let refused = instance.bookings().confirm_hold(retry).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "CLAIM_QUARANTINED"));
    }
    let [first, second] = site.instances.as_slice() else { panic!("two instances") };
    let again = batch("publish 3", 3, vec![slot("late", 1, 90, 1)]);
    first.publish(again).await;
    let free = settlement("held", "", pb::QuarantineVerdict::Free);
    let settled = second.quarantines().settle_quarantine(free).await.unwrap().into_inner();
    assert_eq!(settled.claims[0].state(), pb::ClaimState::Released);
    let stands = settlement("booked", &id_of("booked"), pb::QuarantineVerdict::Stands);
    let settled = second.quarantines().settle_quarantine(stands).await.unwrap().into_inner();
    let position = settled.stamp.unwrap().position;
    for instance in &site.instances {
        instance.wait_until("settled", async |status| status.stamp.unwrap().position >= position).await;
        let left: Vec<_> = quarantined(instance).await.into_iter().map(|slot| slot.slot_id).collect();
        assert_eq!(left, ["late"], "stating a slot anew settles nothing");
        assert!(offered(instance).await.contains(&"held".to_owned()));
        let request = pb::GetBookingRequest { booking_id: id_of("booked") };
        let booking = instance.bookings().get_booking(request).await.unwrap().into_inner().booking.unwrap();
        assert_eq!(booking.state(), pb::ClaimState::Booked);
    }
}
