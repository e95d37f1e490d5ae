//! The real binary as a process: it becomes ready, shuts its doors by default, drains, and shares its data with nobody.

use std::process::Stdio;

use crate::support::process::{Server, deskwire, free_port, get, run};

#[test]
fn a_server_is_ready_and_ends_in_order_on_sigterm() {
    let (server, directory) = Server::start(&[]);
    let (status, _) = get(server.address(), "/healthz").unwrap();
    assert_eq!(status, 200);
    let (status, metrics) = get(server.address(), "/metrics").unwrap();
    assert_eq!(status, 200, "{metrics}");
    assert!(server.terminate().success());
    // What it leaves behind is whole.
    let data = directory.path().join("data");
    let verified = run(&["verify"], &[("DESKWIRE__DATA__DIRECTORY", data.to_str().unwrap())]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn routes_without_a_token_answer_401() {
    let (server, _directory) = Server::start(&[]);
    for path in ["/v1/inbox", "/v1/admin/channels", "/v1/audit"] {
        assert_eq!(get(server.address(), path).unwrap().0, 401, "{path}");
    }
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let (_server, directory) = Server::start(&[]);
    let listen = format!("127.0.0.1:{}", free_port());
    let mut second = deskwire(&["serve"]);
    second.env("DESKWIRE__SERVER__LISTEN", listen).env("DESKWIRE__DATA__DIRECTORY", directory.path().join("data"));
    let output = second.stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("data.directory"), "{output:?}");
}

#[test]
fn a_token_is_printed_and_nothing_else_and_keys_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let environment = [("DESKWIRE__DATA__DIRECTORY", data.to_str().unwrap())];
    let output = run(&["token", "--tenant", "demo", "--operator", "ana"], &environment);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.trim_end().split('.').count(), 3, "{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    for entry in std::fs::read_dir(data.join("keys")).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}
