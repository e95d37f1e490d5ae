//! Faults on purpose, on the real binary: its disk fills, slows down, fails, is torn and flipped; its clock steps; those who
//! read and write stop, drip, flood and drop; its carrier stays away; a conversation panics. README has the table of what
//! each showed. The longer forms are played by `make prove`.

mod clock;
mod disk;
mod floods;
mod loris;
mod parked;
pub mod preload;
mod readers;
mod stored;

use std::{fs, time::Duration};

use loadtest::{carrier::Texting, load::report::Report};
use serde_json::Value;

use crate::{crash::world::World, support::process::get};

/// Everything held, and what else there is to say.
fn assert_holds(report: &Report) {
    eprintln!("{}", report.table());
    assert_eq!(report.word, "HOLDS");
}

/// The most of a figure of the course, from one time to another.
fn most(report: &Report, (from, to): (f64, f64), of: impl Fn(&loadtest::load::figures::Row) -> f64) -> f64 {
    let within = report.course.rows.iter().filter(|row| row.at_s >= from && row.at_s + row.for_s <= to);
    within.map(of).fold(0.0, f64::max)
}

/// MiB that a process holds.
fn resident_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says so");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

/// The sum of a metric's series whose labels contain `label`.
fn metric(address: std::net::SocketAddr, name: &str, label: &str) -> f64 {
    let (_, text) = get(address, "/metrics").expect("the server answers");
    let series = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// A contact's text, tried until it is taken.
async fn text(world: &World, from: &str, body: &str) -> String {
    let texting = Texting { from: from.to_owned(), body: body.to_owned(), ..Texting::default() };
    let delivery = world.carrier.text(&texting).await;
    assert!(delivery.is_ok(), "{delivery:?}");
    delivery.sid
}

/// A REST answer.
async fn ask(world: &World, path: &str) -> Value {
    let answer = world.client().get(format!("{}{path}", world.url)).bearer_auth(&world.token).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap()
}

/// The tenant's log as it lies on the disk. Only while no server runs.
fn log(world: &World) -> Vec<Value> {
    let inspected = world.command(&["inspect", "--tenant", "demo", "--personal"]);
    inspected.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Longest that a test of a fault waits for the engine to be itself again.
const BACK_WITHIN: Duration = Duration::from_secs(20);
