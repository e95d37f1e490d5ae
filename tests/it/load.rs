//! The load harness against the real binary: a quiet run and one with kills are acquitted, and a stream that drops,
//! repeats, swaps, leaks or disguises one push in a few is convicted, each time, with the right word.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use loadtest::load::{
    Options, Target,
    proxy::{Fault, Kind},
    report::Report,
    run,
    sampler::Shown,
    scenario::Scenario,
};

/// One push in so many.
const ONE_IN: u64 = 12;
const SEEDS: [u64; 2] = [11, 12];

/// A scenario of the project, shorter and smaller. This machine may be busy: that is not what is tested.
pub fn short(name: &str, seconds: f64) -> Scenario {
    let mut scenario = Scenario::load(name).unwrap();
    scenario.stretch(seconds);
    (scenario.tenants, scenario.operators.count) = (3, 8);
    scenario.operators.viewers = 0.25;
    scenario.generator_lag_max_ms = 120_000;
    scenario.carrier.tolerance_ms = 500;
    (scenario.settle_s, scenario.catch_up_s) = (60.0, 60.0);
    scenario
}

async fn play(scenario: Scenario, seed: u64, fault: Option<Fault>) -> Report {
    let directory = tempfile::tempdir().unwrap();
    play_in(directory.path(), scenario, seed, fault).await
}

/// Plays it on an engine that works, and leaves what it leaves, in a directory.
pub async fn play_in(directory: &Path, scenario: Scenario, seed: u64, fault: Option<Fault>) -> Report {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_deskwire"));
    let options = Options {
        scenario,
        target: Target::Own { binary },
        corpus: None,
        seed,
        measure_ceiling: false,
        fault,
        directory: Some(directory.to_owned()),
        shown: Shown::Not,
    };
    run(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_run_is_acquitted_and_its_report_stands_alone() {
    let mut scenario = short("steady", 3.0);
    scenario.texts[0].repeat = 0.2;
    let report = play(scenario, 1, None).await;
    eprintln!("{}", report.table());
    assert_eq!((report.word, report.verdict.exit_code()), ("HOLDS", 0));
    assert!(report.verdict.checks.iter().all(|check| check.holds == Some(true)), "everything was looked at");
    assert!(report.looked.in_logs >= report.looked.acked && report.texts[0].repeated > 0);
    let (html, json) = (report.html(), report.json());
    assert!(html.contains("HOLDS") && html.contains("<svg") && !html.contains("http"), "nothing is fetched");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["word"], "HOLDS");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_kills_is_acquitted() {
    let mut scenario = short("restart", 6.0);
    scenario.actions.truncate(2);
    let report = play(scenario, 2, None).await;
    eprintln!("{}", report.table());
    assert_eq!(report.word, "HOLDS");
    let operators = 8;
    assert!(report.looked.resumes >= operators, "everybody came back: {}", report.looked.resumes);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_stream_is_convicted() {
    for seed in SEEDS {
        join_all(Kind::ALL.map(|kind| convicted(kind, seed))).await;
    }
}

/// The words that a fault may be convicted with. The engine's log is not to blame for any of them.
async fn convicted(kind: Kind, seed: u64) {
    let mut scenario = short("steady", 1.5);
    scenario.replies = None;
    // Nothing to wait for: what was dropped never comes.
    (scenario.settle_s, scenario.catch_up_s) = (5.0, 2.0);
    // A generator is always a little late.
    scenario.generator_lag_max_ms = 0;
    let report = play(scenario, seed, Some(Fault { kind, one_in: ONE_IN })).await;
    let planted = report.planted.as_ref().unwrap().count;
    let broken: Vec<&str> =
        report.verdict.checks.iter().filter(|check| check.holds == Some(false)).map(|check| check.promise).collect();
    let said = format!("{kind:?}, seed {seed}, {planted} planted:\n{}", report.table());
    assert!(planted > 0, "{said}");
    assert_eq!((report.word, report.verdict.exit_code()), ("BROKEN", 1), "{said}");
    assert!(report.verdict.is_void(), "{said}");
    let expected = if kind == Kind::Leak { "nothing of others" } else { "every operator saw all of it" };
    assert!(broken.iter().any(|promise| promise.contains(expected)), "{said}");
    let innocent = ["deskwire verify", "texted faster", "taken twice", "in the order it was sent"];
    assert!(!broken.iter().any(|promise| innocent.iter().any(|part| promise.contains(part))), "{said}");
}
