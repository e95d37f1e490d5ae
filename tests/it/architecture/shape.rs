//! Shape: what a file opens with, how long it and its functions are, what must not be left in it.

use super::SourceFile;
use crate::support::scan;

const FILE_MAX: usize = 500;
const FUNCTION_MAX: usize = 70;

/// Files that were longer before the rule was, and how long they may stay. They may only shrink.
const OVERLONG: &[(&str, usize)] = &[];

/// Every file says what it is for.
pub fn header(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if file.is_rust() && !file.text.lines().next().is_some_and(|line| line.len() > 8 && line.starts_with("//! ")) {
        report(1, "open with `//!`: what it is for and what it does not know".to_owned());
    }
}

/// A file is read in one sitting.
pub fn file_length(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    let most = OVERLONG.iter().find(|(path, _)| *path == file.path).map_or(FILE_MAX, |(_, most)| *most);
    let lines = file.text.lines().count();
    if file.is_rust() && lines > most {
        report(0, format!("{lines} lines, at most {most}: split it where its subjects part"));
    }
}

/// A function fits on a screen.
pub fn function_length(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if !file.is_rust() {
        return;
    }
    for (name, line, lines) in scan::functions(&file.code).into_iter().filter(|(_, _, lines)| *lines > FUNCTION_MAX) {
        report(line, format!("`{name}` has {lines} lines, at most {FUNCTION_MAX}"));
    }
}

/// Nothing is promised for later.
pub fn unfinished(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if !file.is_rust() {
        return;
    }
    const WORDS: &[&str] = &["todo!", "unimplemented!", "#[ignore"];
    for (line, code) in file.lines() {
        for word in WORDS.iter().filter(|word| code.contains(**word)) {
            report(line, format!("`{word}` is a promise, not code"));
        }
    }
}

/// What the ban list must hold; clippy reports a path that does not exist.
const BANNED: &[&str] = &[
    "actix::Addr::do_send",
    "actix::Recipient::do_send",
    "actix::Supervisor",
    "tokio::sync::mpsc::unbounded_channel",
    "std::sync::mpsc::channel",
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "jiff::Timestamp::now",
    "uuid::Uuid::new_v4",
    "uuid::Uuid::now_v7",
    "rand::random",
    "rand::rng",
    "std::env::var",
    "std::env::vars",
    "std::thread::sleep",
];

/// The ban list is there, each with its reason, and nobody lifts a ban without one.
pub fn ban_list(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if file.path == "clippy.toml" {
        for name in BANNED {
            let entry = file.text.lines().find(|line| line.contains(&format!("\"{name}\"")));
            if !entry.is_some_and(|line| line.contains("reason = \"")) {
                report(0, format!("must ban {name}, with a reason"));
            }
        }
    }
    if file.is_rust() {
        let lines: Vec<&str> = file.code.lines().collect();
        let lifted = (0..lines.len()).filter(|at| lines[*at].contains("clippy::disallowed_"));
        for at in
            lifted.filter(|at| !lines[at.saturating_sub(2)..(at + 3).min(lines.len())].concat().contains("reason"))
        {
            report(at + 1, "a ban is lifted only with `reason = \"…\"`".to_owned());
        }
    }
}
