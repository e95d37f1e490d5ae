//! README's "Run three nodes", as it is typed there.

use std::{
    fs,
    os::unix::{fs::symlink, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::{
    cassandra,
    process::{bare, deskwire},
    redis::Redis,
    wait::{pace, until_within},
};

/// Three starts on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the three nodes, however the test ends.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        drop(Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0)]).status());
    }
}

/// The first block of commands below a heading.
fn commands_below(heading: &str) -> String {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split(heading).nth(1).expect("the section");
    section.split("```").nth(1).expect("commands").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_run_as_readme_has_it() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("target/debug")).unwrap();
    symlink(env!("CARGO_BIN_EXE_deskwire"), directory.path().join("target/debug/deskwire")).unwrap();
    let redis = Redis::start();
    // Only where the servers are differs.
    let options = cassandra::options(&format!("t{}_typed", std::process::id()));
    let mut environment = cassandra::environment(&options);
    environment.retain(|(name, _)| !["DESKWIRE__STORE__KIND", "DESKWIRE__CQL__ALLOW_UNSAFE"].contains(name));
    environment.push(("DESKWIRE__REDIS__URL", redis.url()));
    let mut typed = bare("bash");
    typed.args(["-euc", &commands_below("### Run three nodes\n")]).process_group(0).current_dir(directory.path());
    typed.envs(environment.clone());
    let mut typed =
        typed.stdin(Stdio::null()).stderr(fs::File::create(directory.path().join("log")).unwrap()).spawn().unwrap();
    let _group = Group(typed.id());
    let status = tokio::task::block_in_place(|| typed.wait()).unwrap();
    let said = fs::read_to_string(directory.path().join("log")).unwrap();
    assert!(status.success(), "{status}:\n{said}");
    until_within(PATIENCE, "three nodes to serve", async || {
        pace(Duration::from_millis(200)).await;
        (1..=3).all(|node| {
            let mut status = deskwire(&["--config", "nodes/all.toml", "cluster", "status"]);
            status.args(["--url", &format!("http://127.0.0.1:808{node}")]).envs(environment.clone());
            status.env("DESKWIRE__DATA__DIRECTORY", format!("nodes/{node}")).current_dir(directory.path());
            let said = status.output().unwrap();
            String::from_utf8_lossy(&said.stdout).matches("serving").count() == 3
        })
    })
    .await;
}
