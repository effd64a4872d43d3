//! Why a slot is in an answer, or is not, over a real connection and as the command line shows it.

use sas_router::proto::routing as pb;
use sas_router::proto::routing::explain_slot_request::Subject;
use serde_json::Value;
use tonic::Code;

use crate::harness::details::{fields, reason};
use crate::harness::in_process::InProcess;
use crate::harness::server_process::program_command;
use crate::harness::world::{SOURCE, batch, hold, publish, query, settled, slot};

async fn explain(
    town: &InProcess,
    subject: Subject,
    query: Option<pb::CareQuery>,
) -> Result<pb::ExplainSlotResponse, tonic::Status> {
    let mut client = pb::explanation_service_client::ExplanationServiceClient::new(town.channel.clone());
    let request = pb::ExplainSlotRequest { subject: Some(subject), query };
    client.explain_slot(request).await.map(tonic::Response::into_inner)
}

/// Verdict, rank and the failed rules with their causes of one slot.
fn told(response: &pb::ExplainSlotResponse) -> (pb::SlotVerdict, Option<u32>, Vec<(pb::Rule, &str)>) {
    let slot = &response.schedules[0].slots[0];
    let failed = slot.modalities[0].failed_rules.iter().map(|failed| (failed.rule(), failed.cause.as_str()));
    (slot.verdict(), slot.rank, failed.collect())
}

fn slot_id(id: &str) -> Subject {
    Subject::SlotId(id.into())
}

#[tokio::test]
async fn a_slot_is_explained_as_the_answer_has_it() {
    let town = settled().await;
    let found = town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner();
    for option in &found.options {
        let response = explain(&town, slot_id(&option.slot_id), Some(query())).await.unwrap();
        assert_eq!(told(&response), (pb::SlotVerdict::Option, Some(option.rank), vec![]));
        assert!(response.schedules[0].slots[0].in_answer);
        assert_eq!(response.schedules[0].radius, found.radius);
        assert_eq!(response.schedules[0].rule_id, found.rule_id);
    }
    let second = explain(&town, slot_id("b"), Some(query())).await.unwrap();
    assert_eq!(second.schedules[0].slots[0].behind_slot_ids, ["a"]);
    let within = pb::CareQuery { needed_within_minutes: Some(90), age: "P10Y".into(), ..query() };
    let late = explain(&town, slot_id("b"), Some(within)).await.unwrap();
    assert_eq!(told(&late), (pb::SlotVerdict::Excluded, None, vec![(pb::Rule::Delay, "")]));
    assert_eq!(late.schedules[0].slots[0].modalities[0].failed_rules[0].excess, 30);
}

#[tokio::test]
async fn a_publisher_learns_without_a_patient_what_became_of_a_slot() {
    let town = settled().await;
    let offered = explain(&town, slot_id("a"), None).await.unwrap();
    assert_eq!(told(&offered).0, pb::SlotVerdict::Option);
    let form = offered.schedules[0].publisher_form.as_ref().unwrap();
    assert_eq!((form.needed_within_minutes, form.specialties.as_slice()), (4_320, ["SM54".to_owned()].as_slice()));

    town.bookings().hold_slot(hold("h1", "a")).await.unwrap();
    let held = explain(&town, slot_id("a"), None).await.unwrap();
    assert_eq!(told(&held).2, [(pb::Rule::Capacity, "HELD")]);
    let withdraw = pb::WithdrawSlotsRequest {
        request_id: "w1".into(),
        source_id: SOURCE.into(),
        source_revision: 2,
        slot_ids: vec!["b".into()],
    };
    town.publishing().withdraw_slots(withdraw).await.unwrap();
    let withdrawn = explain(&town, slot_id("b"), None).await.unwrap();
    assert_eq!(told(&withdrawn).2, [(pb::Rule::Capacity, "WITHDRAWN")]);
    assert_eq!(withdrawn.schedules[0].slots[0].state(), pb::SlotState::Withdrawn);
    let kept = pb::SlotInput { visibilities: vec!["CPTS".into()], ..slot("c", 1, 90) };
    publish(&town, batch("b3", 3, vec![kept])).await;
    let of_schedule = explain(&town, Subject::ScheduleId("agenda-1".into()), None).await.unwrap();
    let verdicts: Vec<_> = of_schedule.schedules[0].slots.iter().map(|slot| slot.slot_id.as_str()).collect();
    assert_eq!((verdicts, of_schedule.complete), (vec!["a", "c"], true));
    let cause = &of_schedule.schedules[0].slots[1].modalities[0].failed_rules[0].cause;
    assert_eq!(cause, "CPTS_ONLY");
    let of_practitioner = explain(&town, Subject::PractitionerId("10002909371".into()), None).await.unwrap();
    let schedules: Vec<_> = of_practitioner.schedules.iter().map(|one| one.schedule_id.as_str()).collect();
    assert_eq!(schedules, ["agenda-1", "agenda-2"]);
}

#[tokio::test]
async fn what_cannot_be_explained_is_refused_by_name() {
    let town = settled().await;
    for (subject, expected) in [
        (slot_id("x"), "UNKNOWN_SLOT"),
        (Subject::ScheduleId("x".into()), "UNKNOWN_SCHEDULE"),
        (Subject::PractitionerId("internal:x".into()), "UNKNOWN_PRACTITIONER"),
    ] {
        let status = explain(&town, subject, None).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, expected));
    }
    let wrong = pb::CareQuery { age: "soon".into(), ..query() };
    let status = explain(&town, slot_id(" "), Some(wrong)).await.unwrap_err();
    assert_eq!(fields(&status), ["slot_id", "query.age"]);
    let mut client = pb::explanation_service_client::ExplanationServiceClient::new(town.channel.clone());
    let status = client.explain_slot(pb::ExplainSlotRequest::default()).await.unwrap_err();
    assert_eq!(fields(&status), ["subject"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_why() {
    let town = settled().await;
    let server = format!("http://{}", town.address);
    let run = |arguments: &[&str]| {
        let mut command = program_command();
        command.args(["explain"]).args(arguments).args(["--server", server.as_str()]);
        command.output().expect("the program can be started")
    };
    let shown = run(&["b", "--at", "45.6975,4.8867", "--within", "90"]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    for part in ["Agenda agenda-2", "écarté (EXCLUDED)", "commence 30 min après le délai clinique", "(DELAY de 30 min)"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value = serde_json::from_slice(&run(&["--schedule", "agenda-1", "--output", "json"]).stdout).unwrap();
    assert_eq!(json["schedules"][0]["slots"][0]["verdict"], "SLOT_VERDICT_OPTION");
    assert_eq!(run(&["x"]).status.code(), Some(3), "unknown is a refusal");
    assert_eq!(run(&[]).status.code(), Some(2), "one of slot, schedule and practitioner");
    assert_eq!(run(&["x", "--schedule", "y"]).status.code(), Some(2));
}
