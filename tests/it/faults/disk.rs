//! A disk that is full, slow, or fails: what is acknowledged is durable all the same, and what is not says when to come back.

use std::{path::Path, process::Command};

use loadtest::load::{
    figures::Row,
    scenario::{Action, Scenario, Timed},
};
use serde_json::Value;

use super::{
    assert_holds, most,
    preload::{Faults, Slot},
};
use crate::{
    load::{play_in, short},
    support::process::loadtest_binary,
};

pub fn at(at_s: f64, action: Action) -> Timed {
    Timed { at_s, times: 1, every_s: 0.0, action }
}

pub fn run(at_s: f64, word: &str, command: String) -> Timed {
    at(at_s, Action::Run { command, word: word.to_owned() })
}

/// Steady business on a process with these faults.
fn scenario(faults: &Faults, seconds: f64, actions: Vec<Timed>) -> Scenario {
    let mut scenario = short("steady", seconds);
    scenario.environment = faults.environment().into();
    scenario.texts[0].retry_s = 30.0;
    scenario.actions = actions;
    scenario
}

/// A user of its own mounts a tmpfs of its own: nothing of it reaches this machine.
fn on_a_small_disk(directory: &Path, loadtest: &str) -> Command {
    let mut command = Command::new("unshare");
    let mounted = format!("mount -t tmpfs -o size=200m none {} && exec {loadtest}", directory.display());
    command.args(["-Urm", "sh", "-c", &mounted]);
    command
}

#[test]
fn a_full_disk_refuses_with_a_time_to_come_back_and_service_returns_by_itself() {
    let (disk, reports) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let json = reports.path().join("report.json");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/full-disk.toml");
    let loadtest = format!(
        "{} run {} --engine {} --directory {} --json {} --no-ceiling --seed 5",
        loadtest_binary().display(),
        scenario.display(),
        env!("CARGO_BIN_EXE_deskwire"),
        disk.path().join("engine").display(),
        json.display()
    );
    let output = on_a_small_disk(disk.path(), &loadtest).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{said}");
    assert!(output.status.success(), "namespaces are needed: scripts/setup-tests.sh says how to allow them");
    let report: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let texts = &report["texts"][0];
    assert!(texts["told_later"].as_u64() > Some(20), "503 while there was no room: {texts}");
    assert_eq!(texts["refused"], 0, "all that were sent were taken in the end");
    let rows: Vec<&Value> = report["course"]["rows"].as_array().unwrap().iter().collect();
    let sum = |what: &str, from: f64, to: f64| -> f64 {
        let within = rows.iter().filter(|row| {
            let at_s = row["at_s"].as_f64().unwrap();
            at_s >= from && at_s + row["for_s"].as_f64().unwrap() <= to
        });
        within.map(|row| row[what].as_f64().unwrap()).sum()
    };
    assert!(sum("acked", 0.0, 3.0) > 50.0, "before: {report}");
    assert_eq!(sum("acked", 4.0, 9.0) as u64, 0, "nothing is acknowledged without room");
    // Its log goes to the same disk: who writes it must not end with it.
    let (acked, pushed) = (sum("acked", 9.0, 16.0), sum("pushes", 9.0, 16.0));
    assert!(acked > 200.0 && pushed > acked, "{acked} a second in all were taken, {pushed} shown, when there was room");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_fsync_raises_latency_and_larger_batches_hold_the_throughput() {
    let faults = Faults::new();
    let slow = run(3.0, "slow fsync", faults.command(Slot::SyncDelayUs, 100_000));
    let well = run(8.0, "well again", faults.command(Slot::SyncDelayUs, 0));
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario(&faults, 11.0, vec![slow, well]), 21, None).await;
    assert_holds(&report);
    let texts = &report.texts[0];
    assert_eq!(texts.refused, 0, "all that were sent were taken");
    let (before, during) = (most(&report, (0.0, 3.0), p50), most(&report, (4.0, 8.0), p50));
    eprintln!("half of the texts were acknowledged within {before:.1} ms before and {during:.1} ms while it was slow");
    assert!(during >= 90.0, "{before} ms, then {during} ms");
    let held = report.course.rows.iter().filter(|row| row.at_s >= 4.0 && row.at_s + row.for_s <= 8.0);
    let (count, acked) = held.fold((0.0, 0.0), |(count, sum), row| (count + 1.0, sum + row.acked));
    eprintln!("at most ten fsyncs a second carried {:.0} texts", acked / count);
    // One text an fsync, and there would be ten; on a busy machine there are fewer than are offered.
    assert!(acked / count > 30.0, "{} texts a second", acked / count);
}

fn p50(row: &Row) -> f64 {
    row.ack_p50_ms
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_fsync_stops_the_log_and_is_never_taken_for_one_that_worked() {
    let faults = Faults::new();
    let fails = run(3.0, "fsync fails", faults.command(Slot::SyncFails, 1));
    // The disk is well again, and what it lost is lost: only a restart reads what there is.
    let well = run(4.0, "well again", faults.command(Slot::SyncFails, 0));
    let directory = tempfile::tempdir().unwrap();
    let scenario = scenario(&faults, 12.0, vec![fails, well, at(7.0, Action::Kill)]);
    let report = play_in(directory.path(), scenario, 22, None).await;
    assert_holds(&report);
    let texts = &report.texts[0];
    eprintln!("{} fsyncs failed; {} tries were told to come back", faults.get(Slot::SyncsFailed), texts.told_later);
    assert!(faults.get(Slot::SyncsFailed) > 0);
    assert!(texts.told_later > 0, "refused with 503 until the restart");
    assert_eq!(most(&report, (4.0, 7.0), |row| row.acked) as u64, 0, "nothing is acknowledged after it");
    assert!(most(&report, (7.0, 12.0), |row| row.acked) > 0.0, "and everything after the restart");
    let said = std::fs::read_to_string(directory.path().join("engine.log")).unwrap();
    assert!(said.contains("the log writes no more"), "{said}");
}
