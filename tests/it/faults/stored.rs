//! Files that a crash tore or a disk flipped: a torn tail is cut and said, damage before it stops the start and names the
//! place; whatever lies behind the log is either found to be damaged or reads as before, and can be made anew.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use loadtest::carrier::Chance;

use super::{log, text};
use crate::{
    crash::world::World,
    support::process::{Server, short_or_long},
};

/// Texts before the fault.
const TEXTS: usize = 60;
/// Bits flipped in each file, and with `make prove`.
const FLIPS: (usize, usize) = (1, 8);

/// A store with something in it, whose process is gone.
async fn stored(beside: &[(&str, &str)], is_killed: bool) -> World {
    let beside = beside.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let (world, server) = World::start_with(&Chance::new(81), beside).await;
    for number in 0..TEXTS {
        text(&world, &format!("+13125553{:03}", number % 7), &format!("text {number} {}", "and so on ".repeat(100)))
            .await;
    }
    match is_killed {
        true => tokio::task::block_in_place(|| server.kill()),
        false => assert!(tokio::task::block_in_place(|| server.terminate()).success()),
    }
    world
}

/// The segment that is written.
fn active(world: &World) -> PathBuf {
    let segments = fs::read_dir(world.data().join("commit")).unwrap().map(|entry| entry.unwrap().path());
    segments.max().expect("a segment")
}

/// Starts where nothing may be wrong.
fn started(world: &World) -> Server {
    let mut server = world.spawn();
    server.wait_until_ready();
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_cut_and_said_and_everything_before_it_is_kept() {
    let world = stored(&[], true).await;
    let before = log(&world);
    let segment = active(&world);
    let whole = fs::read(&segment).unwrap();
    // As after a power cut: a part of a write reached the disk, or none of its contents but its length.
    let tails = [whole[whole.len() - 300..whole.len() - 20].to_vec(), vec![0; 5_000], vec![0xa5; 17]];
    for tail in tails {
        fs::write(&segment, [&whole[..], &tail].concat()).unwrap();
        let server = tokio::task::block_in_place(|| started(&world));
        assert!(server.log().contains("cut a torn tail"), "{}", server.log());
        tokio::task::block_in_place(|| server.kill());
        let after = log(&world);
        assert_eq!(after[..before.len()], before, "every acknowledged event");
        world.command(&["verify"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_before_the_end_of_the_log_stops_the_start_and_names_the_place() {
    let world = stored(&[], true).await;
    let segment = active(&world);
    let whole = fs::read(&segment).unwrap();
    for at in [40, whole.len() / 3, whole.len() / 2] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(&segment, &flipped).unwrap();
        for arguments in [&["serve"][..], &["verify"], &["inspect", "--tenant", "demo"]] {
            let output = tokio::task::block_in_place(|| world.attempt(arguments));
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "deskwire {arguments:?} with byte {at} flipped");
            assert!(said.contains("damaged at byte"), "{said}");
        }
        assert_eq!(fs::read(&segment).unwrap(), flipped, "nothing is mended by guessing");
    }
    fs::write(&segment, &whole).unwrap();
    drop(tokio::task::block_in_place(|| started(&world)));
}

/// Every file that is not empty.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path())),
            false if entry.metadata().unwrap().len() > 0 => found.push(entry.path()),
            false => {}
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    drop(fs::remove_dir_all(to));
    let copied = Command::new("cp").args(["-a", "--sparse=always"]).args([from, to]).status().unwrap();
    assert!(copied.success());
}

/// Rows and views lie behind the log, in a database with checksums of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_rows_or_views_is_reported_or_changes_nothing_and_views_can_be_made_anew() {
    let small = [("DESKWIRE__STORE__VIEW_MEMTABLE_BYTES", "1048576")];
    let world = stored(&small, false).await;
    let before = log(&world);
    world.command(&["verify"]);
    let (data, kept) = (world.data(), world.data().with_extension("kept"));
    copy(&data, &kept);
    let chance = Chance::new(82);
    let (mut reported, mut harmless) = (0, 0);
    for place in ["log", "views"] {
        for file in files(&kept.join(place)) {
            let name = file.strip_prefix(&kept).unwrap().to_owned();
            for _ in 0..short_or_long(FLIPS) {
                copy(&kept, &data);
                let mut bytes = fs::read(&file).unwrap();
                let end = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
                let at = chance.below(end);
                bytes[at] ^= 1 << chance.below(8);
                fs::write(data.join(&name), bytes).unwrap();
                let output = tokio::task::block_in_place(|| world.attempt(&["verify"]));
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                let what = format!("byte {at} of {end} of {} flipped", name.display());
                eprintln!("{what}: {} {}", output.status, said.lines().last().unwrap_or_default());
                if output.status.success() {
                    harmless += 1;
                    assert_eq!(log(&world), before, "{what}: not reported, and something else is read");
                    continue;
                }
                reported += 1;
                if place == "views" {
                    world.command(&["rebuild"]);
                    world.command(&["verify"]);
                    assert_eq!(log(&world), before, "{what}: the log is whole");
                }
            }
        }
    }
    eprintln!("{reported} flips reported, {harmless} changed nothing that is read");
    assert!(reported > 0);
}
