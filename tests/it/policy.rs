//! Policies changed in a running service: answers and stamps change at one position, and nothing is half done.

use std::fs;

use sas_router::proto::routing as pb;
use sas_router::proto::routing::policy_service_client::PolicyServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::harness::details::{fields, reason, violations};
use crate::harness::in_process::{InProcess, connect};
use crate::harness::server_process::{ServerProcess, program_command};
use crate::harness::world::{query, settled};

/// Nobody arrives within an hour and a half: the slot in an hour is not reached, the one in two hours is.
const UNHURRIED: &str = "format = 1\nversion = \"rhone-1\"\ndepartment = \"69\"\n[arrival]\nmargin_minutes = 90\n";

fn client(channel: &Channel) -> PolicyServiceClient<Channel> {
    PolicyServiceClient::new(channel.clone())
}

fn document(text: &str) -> pb::PolicyDocument {
    pb::PolicyDocument { name: "rhone.toml".into(), text: text.into() }
}

async fn in_force(channel: &Channel) -> pb::GetPolicyResponse {
    client(channel).get_policy(pb::GetPolicyRequest {}).await.unwrap().into_inner()
}

async fn activate(
    channel: &Channel,
    request_id: &str,
    text: &str,
    expected: &str,
) -> Result<pb::ActivatePolicyResponse, Status> {
    let request = pb::ActivatePolicyRequest {
        request_id: request_id.into(),
        documents: vec![document(text)],
        expected_version: expected.into(),
        reason: "délais revus".into(),
    };
    client(channel).activate_policy(request).await.map(tonic::Response::into_inner)
}

async fn ask(town: &InProcess) -> pb::FindCareResponse {
    town.routing().find_care(pb::FindCareRequest { query: Some(query()) }).await.unwrap().into_inner()
}

fn offered(answer: &pb::FindCareResponse) -> Vec<&str> {
    answer.options.iter().map(|option| option.slot_id.as_str()).collect()
}

#[tokio::test]
async fn an_activation_changes_answers_and_their_stamp_at_once_and_a_reset_takes_it_back() {
    let town = settled().await;
    let before = ask(&town).await;
    assert_eq!(offered(&before), ["a", "b"]);
    let shipped = in_force(&town.channel).await;
    assert_eq!((shipped.documents.len(), shipped.activations.len(), shipped.in_force.len()), (0, 0, 1));

    let activated = activate(&town.channel, "p1", UNHURRIED, &shipped.version).await.unwrap();
    let (activation, at) = (activated.activation.unwrap(), activated.stamp.unwrap().position);
    let after = ask(&town).await;
    assert_eq!(offered(&after), ["b"]);
    let (old, new) = (before.stamp.unwrap(), after.stamp.unwrap());
    assert!(old.position < at && new.position >= at);
    assert!(old.policy_version.starts_with("national-2026-3+") && new.policy_version.starts_with("rhone-1+"));

    let told = in_force(&town.channel).await;
    assert_eq!((told.version.as_str(), told.since_position), (activation.version.as_str(), Some(at)));
    assert_eq!(told.documents, [document(UNHURRIED)]);
    assert_eq!(told.in_force.iter().map(|one| one.department.as_str()).collect::<Vec<_>>(), ["", "69"]);
    assert_eq!((told.activations, activation.reason.as_str()), (vec![activation.clone()], "délais revus"));

    let reset = pb::ResetPolicyRequest {
        request_id: "p2".into(),
        expected_version: activation.version,
        reason: "essai fini".into(),
    };
    client(&town.channel).reset_policy(reset).await.unwrap();
    assert_eq!(offered(&ask(&town).await), ["a", "b"]);
    let told = in_force(&town.channel).await;
    assert_eq!((told.version, told.documents.len()), (shipped.version, 0));
    assert_eq!(
        told.activations.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(),
        ["essai fini", "délais revus"]
    );
}

#[tokio::test]
async fn a_candidate_that_is_not_valid_changes_nothing_and_every_problem_has_its_line() {
    let town = settled().await;
    let shipped = in_force(&town.channel).await;
    let wrong = UNHURRIED.replace("= 90", "= 999\ncolour = 2");
    let status = activate(&town.channel, "p1", &wrong, &shipped.version).await.unwrap_err();
    assert_eq!((reason(&status).as_str(), fields(&status).len()), ("INVALID_ARGUMENT", 2));
    let told = violations(&status);
    assert_eq!(told[0].0, "documents[0].text");
    assert!(told[0].1.starts_with("rhone.toml:5: arrival.margin_minutes: give a whole number"), "{told:?}");
    assert!(told[1].1.starts_with("rhone.toml:6: arrival.colour: unknown key"), "{told:?}");
    let (documents, same) = (vec![document(UNHURRIED), document(UNHURRIED)], shipped.version.clone());
    let of = |documents: Vec<pb::PolicyDocument>, reason: &str| pb::ActivatePolicyRequest {
        request_id: "p2".into(),
        documents,
        expected_version: same.clone(),
        reason: reason.into(),
    };
    for (request, field) in [
        (of(vec![], "x"), "documents"),
        (of(documents, "x"), "documents[1].name"),
        (of(vec![document(UNHURRIED)], " "), "reason"),
        (of(vec![document(&"#".repeat(200_000))], "x"), "documents"),
    ] {
        let status = client(&town.channel).activate_policy(request).await.unwrap_err();
        assert_eq!(fields(&status), [field]);
    }
    assert_eq!(offered(&ask(&town).await), ["a", "b"]);
    assert_eq!(in_force(&town.channel).await.activations, []);
}

#[tokio::test]
async fn another_version_than_the_expected_one_is_named_and_a_retry_is_told_the_first_outcome() {
    let town = settled().await;
    let shipped = in_force(&town.channel).await.version;
    let first = activate(&town.channel, "p1", UNHURRIED, &shipped).await.unwrap();
    let version = first.activation.clone().unwrap().version;

    let late = UNHURRIED.replace("rhone-1", "rhone-2");
    let status = activate(&town.channel, "p2", &late, &shipped).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_CHANGED");
    assert!(status.message().contains(&version), "{}", status.message());

    let again = activate(&town.channel, "p1", UNHURRIED, &shipped).await.unwrap();
    assert!(again.replayed && again.activation == first.activation);
    let status = activate(&town.channel, "p1", &late, &shipped).await.unwrap_err();
    assert_eq!(reason(&status), "REQUEST_ID_REUSED");
    assert_eq!(in_force(&town.channel).await.activations.len(), 1);

    let same_name = UNHURRIED.replace("= 90", "= 80");
    let status = activate(&town.channel, "p3", &same_name, &version).await.unwrap_err();
    assert_eq!(reason(&status), "POLICY_NAME_IN_USE");
    activate(&town.channel, "p4", &same_name.replace("rhone-1", "rhone-2"), &version).await.unwrap();
}

#[tokio::test]
async fn of_two_activations_at_once_one_wins() {
    let town = settled().await;
    let shipped = in_force(&town.channel).await.version;
    let texts: Vec<_> = (0..8).map(|number| UNHURRIED.replace("rhone-1", &format!("rhone-{number}"))).collect();
    let tries = texts.iter().enumerate().map(|(number, text)| {
        let (channel, shipped, request_id) = (town.channel.clone(), shipped.clone(), format!("p{number}"));
        async move { activate(&channel, &request_id, text, &shipped).await }
    });
    let outcomes = join_all(tries.collect()).await;
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    let lost = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert_eq!(lost.filter(|status| reason(status) == "POLICY_CHANGED").count(), 7);
    assert_eq!(in_force(&town.channel).await.version, won[0].activation.as_ref().unwrap().version);
}

/// Runs futures at the same time.
async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in futures.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_watch_is_answered_anew_under_the_new_policy() {
    let town = settled().await;
    let request = pb::WatchCareRequest { query: Some(query()), ..pb::WatchCareRequest::default() };
    let mut watch = town.routing().watch_care(request).await.unwrap().into_inner();
    let first = watch.message().await.unwrap().unwrap().answer.unwrap();
    assert_eq!(offered(&first), ["a", "b"]);
    let shipped = in_force(&town.channel).await.version;
    activate(&town.channel, "p1", UNHURRIED, &shipped).await.unwrap();
    let next = tokio::time::timeout(std::time::Duration::from_secs(10), watch.message()).await.unwrap();
    let next = next.unwrap().unwrap().answer.unwrap();
    assert_eq!(offered(&next), ["b"]);
    assert!(next.stamp.unwrap().policy_version.starts_with("rhone-1+"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_process_keeps_its_policy_over_a_power_cut_and_in_an_export() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rhone.toml"), UNHURRIED).unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let run = |server: &str, line: &str| {
        let mut command = program_command();
        command.arg("policy").args(line.split(' ')).args(["--server", server]).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (exit, told, noted) = run(server.address(), "activate rhone.toml --reason essai");
    assert_eq!(exit, Some(0), "{noted}");
    assert!(told.contains("en vigueur à partir de la position"), "{told}");
    assert!(noted.contains("replaces version national-2026-3+") && noted.contains("request id: "), "{noted}");
    let (exit, _, noted) = run(server.address(), "activate rhone.toml --reason essai --expected-version other");
    assert_eq!(exit, Some(3), "{noted}");
    assert!(noted.contains("POLICY_CHANGED"), "{noted}");

    let server = server.kill_and_restart();
    let (exit, told, _) = run(server.address(), "active");
    assert_eq!(exit, Some(0));
    for part in ["rhone-1+", "département 69 Rhône", "essai", "rhone.toml", "local"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let channel = connect(server.address().parse().unwrap()).await;
    let asked = pb::FindCareRequest { query: Some(query()) };
    let mut routing = pb::routing_service_client::RoutingServiceClient::new(channel.clone());
    let stamp = routing.find_care(asked).await.unwrap().into_inner().stamp.unwrap();
    assert!(stamp.policy_version.starts_with("rhone-1+"), "{}", stamp.policy_version);
    assert_eq!(in_force(&channel).await.since_position, None, "this process did not see the change");
    server.terminate();

    let export = |arguments: &[&str]| {
        let status = program_command().args(arguments).current_dir(folder.path()).status();
        assert!(status.unwrap().success(), "{arguments:?}");
    };
    export(&["export", "--data-dir", "state", "--to", "export.jsonl"]);
    export(&["import", "export.jsonl", "--data-dir", "copy"]);
    let server = ServerProcess::start(&folder.path().join("copy"));
    let (_, json, _) = run(server.address(), "active --output json");
    assert!(json.contains("rhone-1+") && json.contains("margin_minutes = 90"), "{json}");
    let (exit, told, noted) = run(server.address(), "reset --reason fini --output json");
    assert_eq!(exit, Some(0), "{noted}");
    assert!(told.contains("national-2026-3+"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_of_a_newer_program_degrades_the_service_and_does_not_keep_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(&folder.path().join("state"));
    let channel = connect(server.address().parse().unwrap()).await;
    let shipped = in_force(&channel).await.version;
    activate(&channel, "p1", UNHURRIED, &shipped).await.unwrap();
    server.terminate();
    let run = |arguments: &[&str]| {
        assert!(program_command().args(arguments).current_dir(folder.path()).status().unwrap().success());
    };
    run(&["export", "--data-dir", "state", "--to", "export.jsonl"]);
    let export = fs::read_to_string(folder.path().join("export.jsonl")).unwrap();
    fs::write(folder.path().join("newer.jsonl"), export.replace("format = 1\\n", "format = 2\\n")).unwrap();
    run(&["import", "newer.jsonl", "--data-dir", "newer"]);

    let server = ServerProcess::start(&folder.path().join("newer"));
    let channel = connect(server.address().parse().unwrap()).await;
    let told = in_force(&channel).await;
    assert!(told.problem.contains("rhone.toml:1: format") && told.problem.contains("goes on with national-2026-3+"));
    assert_eq!(told.in_force.len(), 1, "the national policy that ships");
    assert!(told.stamp.unwrap().degraded);
    let mut operations = pb::operations_service_client::OperationsServiceClient::new(channel.clone());
    let status = operations.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    let codes: Vec<_> = status.conditions.iter().map(|one| (one.code.as_str(), one.degrades)).collect();
    assert_eq!(codes, [("POLICY_UNREADABLE", true)]);
    activate(&channel, "p2", UNHURRIED, &told.version).await.unwrap();
    let status = operations.get_status(pb::GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.conditions, status.stamp.unwrap().degraded), (vec![], false));
}

async fn preview(town: &InProcess, texts: &[&str], changes_max: Option<u32>) -> pb::PreviewPolicyResponse {
    let documents = texts.iter().map(|text| document(text)).collect();
    let request = pb::PreviewPolicyRequest { documents, questions_max: None, changes_max };
    client(&town.channel).preview_policy(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn a_preview_tells_which_answers_would_differ_and_no_patient() {
    let town = settled().await;
    let elsewhere = pb::CareQuery { department: "75".into(), commune_code: String::new(), ..query() };
    let vital = pb::CareQuery { care_level: "R1".into(), ..query() };
    let child = pb::CareQuery { age: "P8Y".into(), case_id: "case-that-stays-here".into(), ..query() };
    for asked in [elsewhere, vital, child] {
        town.routing().find_care(pb::FindCareRequest { query: Some(asked) }).await.unwrap();
    }
    let before = ask(&town).await;
    let told = preview(&town, &[UNHURRIED], None).await;
    assert_eq!((told.kept_count, told.compared_count, told.changed_count), (4, 4, 2), "of the Rhône, when not vital");
    assert_eq!(told.active_version, in_force(&town.channel).await.version);
    let counts: Vec<_> = told.change_counts.iter().map(|one| (one.change(), one.count)).collect();
    assert_eq!(counts, [(pb::AnswerChange::FirstOption, 2), (pb::AnswerChange::Options, 2)]);
    let child = told.changes.iter().find(|change| change.age_band == "ENFANT").unwrap();
    assert_eq!((child.local_hour, child.department.as_str(), child.care_level.as_str()), (9, "69", "R3"));
    let (old, new) = (child.before.as_ref().unwrap(), child.after.as_ref().unwrap());
    assert_eq!((old.option_count, new.option_count, child.first_rank_after), (2, 1, None));
    assert_eq!((old.first_begins_in_minutes, new.first_begins_in_minutes), (Some(60), Some(120)));
    let text = format!("{told:?}");
    for hidden in ["case-that-stays-here", "45.69", "agenda-1", "69259"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    assert_eq!(preview(&town, &[], None).await.changed_count, 0, "what is in force changes nothing");
    assert_eq!(preview(&town, &[UNHURRIED], Some(1)).await.changes.len(), 1);
    let after = ask(&town).await;
    assert_eq!((after.options, after.near_misses), (before.options, before.near_misses), "a preview leaves no trace");
}

#[tokio::test]
async fn questions_are_kept_for_a_day_and_in_a_bounded_number() {
    let town = settled().await;
    for _ in 0..2_003 {
        ask(&town).await;
    }
    assert_eq!(preview(&town, &[], None).await.kept_count, 2_000);
    town.clock.advance_seconds(24 * 3_600 + 1);
    assert_eq!(preview(&town, &[], None).await.kept_count, 0);
    let wrong = UNHURRIED.replace("= 90", "= 999");
    let mut request = pb::PreviewPolicyRequest { documents: vec![document(&wrong)], ..Default::default() };
    let status = client(&town.channel).preview_policy(request.clone()).await.unwrap_err();
    assert!(violations(&status)[0].1.starts_with("rhone.toml:5: arrival.margin_minutes"), "{status:?}");
    (request.questions_max, request.changes_max) = (Some(0), Some(201));
    let status = client(&town.channel).preview_policy(request).await.unwrap_err();
    assert_eq!(fields(&status), ["questions_max", "changes_max"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_what_would_differ() {
    let town = settled().await;
    ask(&town).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rhone.toml"), UNHURRIED).unwrap();
    let server = format!("http://{}", town.address);
    let run = |line: &str| {
        let mut command = program_command();
        command.arg("policy").args(line.split(' ')).args(["--server", server.as_str()]).current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (exit, table) = run("diff rhone.toml");
    assert_eq!(exit, Some(0), "{table}");
    for part in ["rejouées : 1", "réponses changées : 1", "premier choix : 1", "dép. 69", "disparaît", "AMB"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let (exit, json) = run("diff rhone.toml --output json");
    assert_eq!(exit, Some(0));
    assert!(json.contains("ANSWER_CHANGE_FIRST_OPTION"), "{json}");
}
