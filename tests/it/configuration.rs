//! The configuration of the real binary: what it refuses, with which exit code, before anything is opened.

use std::{fs, net::TcpListener};

use crate::support::process::run;

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_configuration_ends_with_64_and_names_key_value_and_what_is_allowed() {
    let wrong = [("DESKWIRE__TENANT__MAILBOX_MAX", "3")];
    for command in ["check-config", "serve"] {
        let output = run(&[command], &wrong);
        assert_eq!(output.status.code(), Some(64), "{command}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("tenant.mailbox_max = 3") && said.contains("from 16 to 1000000"), "{command}: {said}");
    }
}

#[test]
fn demo_mode_on_another_address_is_refused_before_any_socket_or_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let probe = TcpListener::bind("0.0.0.0:0").unwrap();
    // The port is taken: had the server tried to bind it, the complaint would be another.
    let listen = format!("0.0.0.0:{}", probe.local_addr().unwrap().port());
    let output = run(
        &["serve"],
        &[
            ("DESKWIRE__DEMO__ENABLED", "true"),
            ("DESKWIRE__SERVER__LISTEN", &listen),
            ("DESKWIRE__DATA__DIRECTORY", data.to_str().unwrap()),
        ],
    );
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
    assert!(stderr(&output).contains("demo.enabled = true"), "{}", stderr(&output));
    assert!(!data.exists(), "nothing may be made");
}

#[test]
fn an_unknown_command_or_flag_ends_with_64() {
    for arguments in [&["srve"][..], &["serve", "--portt"], &[]] {
        let output = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn the_default_configuration_prints_itself_and_is_accepted_as_a_file() {
    let output = run(&["default-config"], &[]);
    assert!(output.status.success());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.toml");
    fs::write(&file, &output.stdout).unwrap();
    let output = run(&["--config", file.to_str().unwrap(), "check-config"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn every_shipped_configuration_is_valid() {
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let output = run(&["--config", path.to_str().unwrap(), "check-config"], &[]);
            assert!(output.status.success(), "{}: {}", path.display(), stderr(&output));
        }
    }
}
