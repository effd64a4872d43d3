//! `health` as the health check of a container runs it: the number it ends with says whether the instance is to be called.

use std::process::Output;

use crate::harness::redis_server::{Server, free_port};
use crate::harness::server_process::{ServerProcess, program_command};

fn health(address: &str, flags: &[&str]) -> Output {
    program_command().args(["health", "--server", address, "--timeout", "5"]).args(flags).output().unwrap()
}

fn said(output: &Output) -> (i32, String) {
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[test]
fn an_instance_that_serves_is_healthy() {
    let data_dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data_dir.path());
    assert_eq!(said(&health(server.address(), &[])), (0, "SERVING".to_owned()));
    let as_json = health(server.address(), &["--output", "json"]);
    assert_eq!(said(&as_json), (0, r#"{"service":"sas.routing.v1.RoutingService","status":"SERVING"}"#.to_owned()));
    let unknown = health(server.address(), &["--service", "sas.routing.v1.Nothing"]);
    assert_eq!(unknown.status.code(), Some(3), "{}", String::from_utf8_lossy(&unknown.stderr));
}

#[test]
fn an_instance_that_waits_for_its_redis_is_alive_and_not_healthy() {
    let redis = Server::absent_with(&[]);
    let server = ServerProcess::start_on_redis(&redis.url(), &[]);
    assert_eq!(said(&health(server.address(), &[])), (3, "NOT_SERVING".to_owned()));
    assert_eq!(said(&health(server.address(), &["--service", ""])), (0, "SERVING".to_owned()));
}

#[test]
fn where_nothing_listens_the_number_is_that_of_no_answer() {
    let nobody = health(&format!("127.0.0.1:{}", free_port()), &[]);
    assert_eq!(nobody.status.code(), Some(4), "{}", String::from_utf8_lossy(&nobody.stderr));
}
