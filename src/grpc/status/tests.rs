//! Every reason has its code, and details stay small.

use super::*;

/// The documented table: reason kinds and their gRPC codes.
const CODES: [(ErrorKind, Code); 10] = [
    (ErrorKind::InvalidArgument, Code::InvalidArgument),
    (ErrorKind::NotFound, Code::NotFound),
    (ErrorKind::FailedPrecondition, Code::FailedPrecondition),
    (ErrorKind::Aborted, Code::Aborted),
    (ErrorKind::AlreadyExists, Code::AlreadyExists),
    (ErrorKind::ResourceExhausted, Code::ResourceExhausted),
    (ErrorKind::Unavailable, Code::Unavailable),
    (ErrorKind::Unauthenticated, Code::Unauthenticated),
    (ErrorKind::PermissionDenied, Code::PermissionDenied),
    (ErrorKind::Internal, Code::Internal),
];

fn details(status: &Status) -> Vec<Any> {
    let details = rpc::Status::decode(status.details()).unwrap();
    assert_eq!(details.code, i32::from(status.code()), "the details repeat the code");
    details.details
}

fn detail<M: prost::Message + Default>(status: &Status, name: &str) -> Option<M> {
    let found = details(status).into_iter().find(|detail| detail.type_url == format!("type.googleapis.com/{name}"))?;
    Some(M::decode(found.value.as_slice()).unwrap())
}

#[test]
fn every_reason_travels_with_its_code_and_what_to_do() {
    for reason in Reason::ALL.iter().copied() {
        let status = from_error(Error::new(reason, "a sentence"));
        let code = CODES.iter().find(|(kind, _)| *kind == reason.kind()).unwrap().1;
        assert_eq!(status.code(), code, "{}", reason.code());
        let info: rpc::ErrorInfo = detail(&status, "google.rpc.ErrorInfo").unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.code(), DOMAIN));
        assert_eq!(info.metadata["help"], reason.help());
        assert_eq!(reason_of(&status), reason.code());
    }
}

#[test]
fn an_internal_failure_shows_a_request_id_and_nothing_else() {
    let status = from_error(Error { subject: Some("case-7".into()), ..Error::new(Reason::Internal, "secret path") });
    let info: rpc::RequestInfo = detail(&status, "google.rpc.RequestInfo").unwrap();
    assert!(status.message().contains(&info.request_id) && !info.request_id.is_empty());
    assert!(!format!("{status:?}").contains("secret") && !format!("{status:?}").contains("case-7"));
}

#[test]
fn when_to_try_again_is_told() {
    let info: rpc::RetryInfo = detail(&overloaded(1_250), "google.rpc.RetryInfo").unwrap();
    let delay = info.retry_delay.unwrap();
    assert_eq!((delay.seconds, delay.nanos), (1, 250_000_000));
}

#[test]
fn details_stay_below_what_clients_accept() {
    let wrong =
        |n| Violation::new(format!("rows[{n}].capacity"), if n == 0 { "é".repeat(600) } else { "é".repeat(120) });
    let violations: Vec<_> = (0..100).map(wrong).collect();
    let status = from_violations(violations);
    assert!(status.details().len() <= DETAILS_RAW_MAX_BYTES, "{}", status.details().len());
    let bad: rpc::BadRequest = detail(&status, "google.rpc.BadRequest").unwrap();
    let last = bad.field_violations.last().unwrap();
    assert!(bad.field_violations.len() > 5);
    assert_eq!(last.description, format!("{} more wrong fields are not listed", 101 - bad.field_violations.len()));
}

#[test]
fn few_violations_are_all_listed() {
    let violations = vec![Violation::new("a", "wrong"), Violation::new("b.c", "too")];
    let status = from_violations(violations);
    let bad: rpc::BadRequest = detail(&status, "google.rpc.BadRequest").unwrap();
    let fields: Vec<_> = bad.field_violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["a", "b.c"]);
    assert_eq!(status.message(), "a: wrong (and 1 more wrong fields)");
}

#[test]
fn alternatives_that_do_not_fit_are_dropped_from_the_end() {
    let option = |rank: u32| pb::CareOption { rank, sentence: "x".repeat(1_200), ..pb::CareOption::default() };
    let options = [option(1), option(2), option(3)].map(|option| Written::of(|to| to.fields(&option)));
    let told = pb::HoldRefused { reason: "SLOT_TAKEN".into(), ..pb::HoldRefused::default() };
    let fitting = |room| pb::HoldRefused::decode(fit_options(&told, &options, room).as_slice()).unwrap();
    let ranks = |room| fitting(room).alternatives.iter().map(|option| option.rank).collect::<Vec<_>>();
    assert_eq!([ranks(5_000), ranks(3_000), ranks(100)], [vec![1, 2, 3], vec![1, 2], vec![]]);
    assert_eq!(fitting(100), told);
}

#[test]
fn a_refused_hold_says_so_even_without_alternatives() {
    let status = from_hold_error(Error::new(Reason::SlotTaken, "taken"), "slot-1");
    let refused: pb::HoldRefused = detail(&status, "sas.routing.v1.HoldRefused").unwrap();
    assert_eq!((refused.reason.as_str(), refused.slot_id.as_str()), ("SLOT_TAKEN", "slot-1"));
    let status = from_hold_error(Error::new(Reason::LedgerUnavailable, "no"), "slot-1");
    assert!(detail::<pb::HoldRefused>(&status, "sas.routing.v1.HoldRefused").is_none());
}

#[test]
fn long_messages_are_cut() {
    let status = from_error(Error::new(Reason::SlotTaken, "é".repeat(10_000)));
    assert_eq!(status.message().len(), MESSAGE_MAX_BYTES);
    assert_eq!(rpc::Status::decode(status.details()).unwrap().message, status.message());
}
