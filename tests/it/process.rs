//! The program as a process: what it announces, how it ends, what keeps it from starting.
//!
//! Deliberately absent: what it answers; see the tests of each service.

use std::net::TcpListener;

use crate::harness::server_process::ServerProcess;

#[test]
fn announced_address_accepts_connections() {
    let data_dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data_dir.path());
    std::net::TcpStream::connect(server.address()).unwrap();
    let ended = server.terminate();
    assert!(ended.stdout.is_empty(), "the announcement is the only line: {:?}", ended.stdout);
}

#[test]
fn terminated_server_drains_and_ends_well() {
    let data_dir = tempfile::tempdir().unwrap();
    let ended = ServerProcess::start(data_dir.path()).terminate();
    assert!(ended.status.success(), "{}\n{}", ended.status, ended.stderr);
}

#[test]
fn killed_server_starts_again_on_its_data() {
    let data_dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data_dir.path()).kill_and_restart();
    assert!(server.terminate().status.success());
}

#[test]
fn data_folder_in_use_is_refused() {
    let data_dir = tempfile::tempdir().unwrap();
    let first = ServerProcess::start(data_dir.path());
    let Err(refused) = ServerProcess::try_start(data_dir.path(), "127.0.0.1:0") else {
        panic!("a second server took the same data folder");
    };
    assert!(!refused.status.success());
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    assert!(first.terminate().status.success());
}

#[test]
fn taken_port_is_refused_by_name() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data_dir = tempfile::tempdir().unwrap();
    let Err(refused) = ServerProcess::try_start(data_dir.path(), &address) else {
        panic!("the server took a port that is taken");
    };
    assert!(!refused.status.success());
    assert!(refused.stderr.contains(&address), "{}", refused.stderr);
}
