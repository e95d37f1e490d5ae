//! Words: what code must not say in certain places, because who may read the clock or log a name is decided once.

use super::SourceFile;
use crate::support::scan;

fn each_path(file: &SourceFile, mut see: impl FnMut(usize, &str)) {
    if file.is_rust() {
        for path in scan::paths(&file.code) {
            see(path.line, &path.segments.join("::"));
        }
    }
}

/// Whether `path` is `name`, or ends with it after a `::`.
fn names(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with("::"))
}

fn is_engine(file: &SourceFile) -> bool {
    ["schema/", "actors/", "src/"].iter().any(|part| file.path.starts_with(part))
}

/// Only `config` reads the environment; tests find their servers through it.
pub fn environment(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if file.path.starts_with("src/config/") || file.path.starts_with("tests/it/support/") {
        return;
    }
    const CALLS: &[&str] = &["env::var", "env::var_os", "env::vars", "env::vars_os", "env::set_var", "env::remove_var"];
    each_path(file, |line, path| {
        if CALLS.iter().any(|call| names(path, call)) {
            report(line, format!("{path}: only src/config reads the environment"));
        }
    });
}

/// Only implementations of the Clock port tell time.
pub fn clock(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if !is_engine(file) || file.code.contains("impl Clock for") {
        return;
    }
    let mut std_instant = false;
    each_path(file, |_, path| std_instant |= path == "std::time::Instant");
    each_path(file, |line, path| {
        let wall = ["SystemTime::now", "Timestamp::now", "Zoned::now"].iter().any(|call| names(path, call));
        let monotonic = path == "std::time::Instant::now" || (path == "Instant::now" && std_instant);
        if wall || monotonic {
            report(line, format!("{path}: only the Clock port tells time"));
        }
    });
}

/// Every queue has a limit.
pub fn unbounded(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    const CALLS: &[&str] = &["unbounded_channel", "mpsc::unbounded", "channel::unbounded", "std::sync::mpsc::channel"];
    each_path(file, |line, path| {
        if CALLS.iter().any(|call| names(path, call)) {
            report(line, format!("{path}: a queue has a limit, and says what happens when it is reached"));
        }
    });
}

/// Tests wait for a condition with a deadline (tests/it/support), or run in virtual time.
pub fn sleeps(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if file.path.starts_with("tests/it/support/") || file.code.contains("start_paused = true") {
        return;
    }
    each_path(file, |line, path| {
        let is_thread = names(path, "thread::sleep");
        let in_test = file.is_test(line) && (names(path, "time::sleep") || names(path, "time::sleep_until"));
        if (is_thread && (is_engine(file) || file.is_test(line))) || in_test {
            report(line, format!("{path}: wait for a condition with a deadline, or use virtual time"));
        }
    });
}

/// Errors that callers act on are enums; `anyhow` is for those who only report.
pub fn anyhow(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    // chitchat's own traits ask for it in the last one.
    const MAY: &[&str] = &["src/main.rs", "src/app", "src/cli", "src/telemetry.rs", "src/cluster/signed.rs"];
    if !is_engine(file) || MAY.iter().any(|part| file.path.starts_with(part)) {
        return;
    }
    each_path(file, |line, path| {
        if path.starts_with("anyhow::") && !file.is_test(line) {
            report(line, "anyhow: say what the caller can do, in a thiserror enum".to_owned());
        }
    });
}

/// Only schema types are serialized. Carrier JSON stays private in its adapter, a token's body in auth.
pub fn serialization(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    const NOT: &[&str] = &["src/webhook", "src/session", "src/api", "src/store", "src/app", "src/cli", "src/config"];
    if !NOT.iter().any(|part| file.path.starts_with(part)) {
        return;
    }
    let derives = file.lines().filter(|(line, code)| code.contains("derive(") && !file.is_test(*line));
    for (line, _) in derives.filter(|(_, code)| scan::tokens(code).iter().any(|(_, token)| token == "Serialize")) {
        report(line, "what is serialized is a type of schema".to_owned());
    }
}

/// The arguments of each call of one of `macros`, as written, with the line it begins at.
fn calls<'a>(file: &'a SourceFile, macros: &'a [&'a str]) -> impl Iterator<Item = (usize, String)> + 'a {
    macros.iter().flat_map(move |name| {
        let starts: Vec<usize> = file.code.match_indices(&format!("{name}!(")).map(|(at, _)| at).collect();
        starts.into_iter().filter_map(move |at| {
            let before = file.code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            let line = file.code[..at].matches('\n').count() + 1;
            let open = at + name.len() + 1;
            let characters = file.code[..open].chars().count();
            let length = closing(&file.code[open..])?;
            Some((line, file.text.chars().skip(characters).take(length).collect()))
        })
    })
}

/// Characters up to the bracket that closes the first one.
fn closing(code: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code.chars().enumerate() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// No text, name or number of a contact in a log line.
pub fn logs(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    const MACROS: &[&str] = &["trace", "debug", "info", "warn", "error", "info_span", "debug_span", "eprintln"];
    const PERSONAL: &[&str] =
        &["text", "body", "address", "phone", "from", "to", "caller", "personal", "token", "secret"];
    if !is_engine(file) || !file.is_rust() {
        return;
    }
    for (line, call) in calls(file, MACROS).filter(|(line, _)| !file.is_test(*line)) {
        for word in PERSONAL.iter().filter(|word| logs_value(&call, word)) {
            report(line, format!("logs `{word}`: log ids, or a keyed hash"));
        }
    }
}

/// Whether a macro's arguments use `word` as a value: an argument outside the strings, or in a string's braces.
fn logs_value(call: &str, word: &str) -> bool {
    let tokens = scan::tokens(&scan::code_only(call));
    // `text.message` is an id of something that is called text; `contact.text` is a text.
    let is_value = |at: usize| tokens[at].1 == *word && tokens.get(at + 1).is_none_or(|(_, next)| next != ".");
    let in_code = (0..tokens.len()).any(is_value);
    let in_braces = call.contains(&format!("{{{word}}}")) || call.contains(&format!("{{{word}:"));
    in_code || in_braces
}

/// Metric labels have bounded values: none names a tenant, a person or an id.
pub fn labels(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    const MACROS: &[&str] = &["counter", "gauge", "histogram"];
    const UNBOUNDED: &[&str] = &[
        "tenant",
        "contact",
        "conversation",
        "operator",
        "message",
        "address",
        "number",
        "line",
        "account",
        "channel_id",
    ];
    if !is_engine(file) || !file.is_rust() {
        return;
    }
    for (line, call) in calls(file, MACROS) {
        for name in UNBOUNDED.iter().filter(|name| call.contains(&format!("\"{name}\" =>"))) {
            report(line, format!("label `{name}` has no bounded values"));
        }
    }
}
