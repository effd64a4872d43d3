//! A client of another language drives the released program from end to end.
//!
//! Deliberately absent: the checks themselves, which are in `tests/python/client.py`.

use std::path::Path;
use std::process::Command;

use crate::harness::server_process::ServerProcess;
use crate::harness::{skip, variable};

#[test]
fn python_client_drives_the_program_from_end_to_end() {
    let Some(python) = variable("SAS_ROUTER_TEST_PYTHON") else {
        return skip("python_client_drives_the_program_from_end_to_end", "`tests/run` installs Python and says where");
    };
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/client.py");
    let data_dir = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(data_dir.path());
    let run = Command::new(python).arg("-B").arg(client).arg(server.address()).output().unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    let ended = server.terminate();
    assert!(
        run.status.success(),
        "{}\n{printed}{}\nthe server said:\n{}",
        run.status,
        String::from_utf8_lossy(&run.stderr),
        ended.stderr
    );
    assert!(printed.lines().count() > 40, "only a part of the checks ran:\n{printed}");
}
