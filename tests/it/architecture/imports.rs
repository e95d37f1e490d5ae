//! Who may import whom. A new arrow changes `MAP`, README.md's copy of it, and says why, in one commit.

use super::SourceFile;
use crate::support::scan;

/// A module of the map.
struct Module {
    /// Where it lives.
    path: &'static str,
    /// What it is.
    what: &'static str,
    /// What it may use of the root package.
    ours: &'static [&'static str],
    /// What it may use of `actors`.
    actors: &'static [&'static str],
}

const HANDLES: &[&str] =
    &["engine", "feed", "figures", "handle", "ports", "presence", "reader", "tenant", "trace", "vault"];
const PORTS: &[&str] = &["follower", "ports", "vault"];
/// Epochs and keys need the system's own randomness, which no seed may repeat; a lease of a keyspace ends by the clock that
/// runs while this machine sleeps.
const STORE: &[&str] = &["memory::SystemClock", "memory::SystemIds", "ports"];
/// What was had of days is noted in the limiter's own words.
const LIMIT: &[&str] = &["pace::DayMark", "ports"];
/// Anything: the root of the tree.
const ALL: &[&str] = &["*"];

const MAP: &[Module] = &[
    Module { path: "src/webhook", what: "edge: carriers come in", ours: &["auth", "config"], actors: HANDLES },
    Module { path: "src/session", what: "edge: operators' stream", ours: &["auth", "config"], actors: HANDLES },
    Module { path: "src/api", what: "edge: REST", ours: &["auth", "config"], actors: HANDLES },
    Module { path: "src/page", what: "edge: the operators' page", ours: &["auth", "config"], actors: HANDLES },
    Module { path: "src/channels", what: "adapter: carriers' formats and REST", ours: &["config"], actors: PORTS },
    Module {
        path: "src/store",
        what: "adapter: log, views and keys, on disk or CQL",
        ours: &["config"],
        actors: STORE,
    },
    Module { path: "src/limit", what: "adapter: shared limits in Redis", ours: &["config"], actors: LIMIT },
    Module {
        path: "src/cluster",
        what: "adapter: other nodes, gossip and relay",
        ours: &["config"],
        actors: &["handle", "ports"],
    },
    Module { path: "src/search", what: "adapter: search, a follower", ours: &["config"], actors: PORTS },
    Module { path: "src/figures", what: "adapter: snapshots of figures", ours: &["config"], actors: PORTS },
    Module { path: "src/auth", what: "tokens and their keys", ours: &["config"], actors: &[] },
    Module { path: "src/config", what: "configuration and its check", ours: &[], actors: &[] },
    Module { path: "src/telemetry", what: "logs, metrics, traces", ours: &["config"], actors: &["trace"] },
    Module { path: "src/app", what: "builds everything, alone", ours: ALL, actors: ALL },
    Module { path: "src/cli", what: "the command line", ours: &["app", "auth", "config", "telemetry"], actors: &[] },
    Module {
        path: "src/main",
        what: "starts and ends the process",
        ours: &["app", "cli", "config", "telemetry"],
        actors: &[],
    },
];

/// What tests inside a module may use of `actors` beyond it.
const IN_TESTS: &[&str] = &["contracts", "memory"];

/// Crates and what they may depend on of ours.
const CRATES: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("actors", &["schema"]),
    ("loadtest", &["schema"]),
    ("deskwire", &["actors", "schema"]),
    ("fuzz", &["actors", "deskwire", "loadtest", "schema"]),
];

/// Crates that `actors` and `schema` must not know: HTTP, CQL, Redis, disks.
const WORLD: &[&str] = &[
    "axum",
    "fjall",
    "figment",
    "hyper",
    "redis",
    "reqwest",
    "rustls",
    "scylla",
    "tantivy",
    "tokio-tungstenite",
    "tower",
];

/// The table of README.md.
pub fn as_markdown() -> String {
    let list = |names: &[&str]| match names {
        [] => "–".to_owned(),
        ["*"] => "everything".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" "),
    };
    let mut table = "| module | what it is | of `src/` | of `actors` |\n|---|---|---|---|\n".to_owned();
    for module in MAP {
        table +=
            &format!("| `{}` | {} | {} | {} |\n", module.path, module.what, list(module.ours), list(module.actors));
    }
    table
}

fn crate_of(path: &str) -> &'static str {
    ["schema", "actors", "loadtest", "fuzz"]
        .into_iter()
        .find(|name| path.starts_with(&format!("{name}/")))
        .unwrap_or("deskwire")
}

fn module_of(path: &str) -> Option<&'static Module> {
    MAP.iter().find(|module| path.strip_prefix(module.path).is_some_and(|rest| rest.starts_with('/') || rest == ".rs"))
}

/// Arrows between crates, and between the modules of the root package.
pub fn import_map(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if !file.is_rust() {
        return;
    }
    let home = crate_of(&file.path);
    let known = CRATES.iter().find(|(name, _)| *name == home).map_or(&[][..], |(_, known)| *known);
    if home == "deskwire"
        && file.path.starts_with("src/")
        && file.path != "src/lib.rs"
        && module_of(&file.path).is_none()
    {
        report(0, "is not on the map: README.md and tests/it/architecture/imports.rs".to_owned());
    }
    for path in scan::paths(&file.code) {
        let segments = absolute(&file.path, path.segments);
        let (first, second) = (segments[0].as_str(), segments.get(1).map_or("*", String::as_str));
        let item = segments[1..segments.len().min(3)].join("::");
        let is_ours = CRATES.iter().any(|(name, _)| *name == first);
        let in_tests_of_the_whole = file.path.starts_with("tests/") && first == "loadtest";
        if is_ours && first != home && !known.contains(&first) && !in_tests_of_the_whole {
            report(path.line, format!("{home} must not import {first}"));
        }
        let Some(module) = module_of(&file.path) else { continue };
        let is_test = file.is_test(path.line);
        let allowed = allows(module.actors, second) || module.actors.contains(&item.as_str());
        if first == "actors" && !allowed && !(is_test && IN_TESTS.contains(&second)) {
            report(path.line, format!("{} must not import actors::{item}", module.path));
        }
        if matches!(first, "crate" | "deskwire")
            && is_module(second)
            && !is_own(module, second)
            && !allows(module.ours, second)
        {
            report(path.line, format!("{} must not import {second}", module.path));
        }
    }
}

fn allows(names: &[&str], name: &str) -> bool {
    names == ALL || names.contains(&name)
}

fn is_module(name: &str) -> bool {
    MAP.iter().any(|module| module.path.strip_prefix("src/") == Some(name))
}

fn is_own(module: &Module, name: &str) -> bool {
    module.path.strip_prefix("src/") == Some(name)
}

/// `super::…` as `crate::…`, for what leaves the top module.
fn absolute(path: &str, segments: Vec<String>) -> Vec<String> {
    let ups = segments.iter().take_while(|segment| *segment == "super").count();
    if ups == 0 {
        return segments;
    }
    let inside = path.rsplit_once("src/").map_or(path, |(_, inside)| inside);
    let mut module: Vec<&str> = inside.trim_end_matches(".rs").split('/').filter(|part| *part != "mod").collect();
    module.truncate(module.len().saturating_sub(ups));
    let start = std::iter::once("crate").chain(module).map(str::to_owned);
    start.chain(segments.into_iter().skip(ups)).collect()
}

/// The same arrows in the manifests: what is not a dependency cannot be imported by accident.
pub fn cargo_edges(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    let home = match file.path.as_str() {
        "Cargo.toml" => "deskwire",
        path => match path.strip_suffix("/Cargo.toml") {
            Some(home) => home,
            None => return,
        },
    };
    let known = CRATES.iter().find(|(name, _)| *name == home).map_or(&[][..], |(_, known)| *known);
    let mut table = "";
    for (number, line) in file.lines() {
        if line.starts_with('[') {
            table = line.trim();
        }
        if !matches!(table, "[dependencies]" | "[dev-dependencies]" | "[build-dependencies]") {
            continue;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        let is_ours = CRATES.iter().any(|(ours, _)| *ours == name);
        let is_the_tests_carrier = table == "[dev-dependencies]" && home == "deskwire" && name == "loadtest";
        if is_ours && name != home && !known.contains(&name) && !is_the_tests_carrier {
            report(number, format!("{home} must not depend on {name}"));
        }
        if matches!(home, "schema" | "actors") && WORLD.contains(&name) {
            report(number, format!("{home} must not know {name}: it belongs to src/"));
        }
    }
}

/// Callers hold plain handles.
pub fn actix_stays_inside(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    if !file.is_rust() || crate_of(&file.path) == "actors" {
        return;
    }
    for path in scan::paths(&file.code).into_iter().filter(|path| path.segments[0].starts_with("actix")) {
        report(path.line, "no actix type leaves actors/: hold a handle".to_owned());
    }
}

/// Decisions and folds are functions of their arguments.
pub fn pure_decide(file: &SourceFile, report: &mut dyn FnMut(usize, String)) {
    const PURE: &[&str] = &[
        "actors/src/conversation/apply.rs",
        "actors/src/conversation/decide/",
        "actors/src/conversation/keyword.rs",
        "actors/src/conversation/state.rs",
        "actors/src/outbox/",
        "actors/src/tenant/settings.rs",
    ];
    if !PURE.iter().any(|part| file.path.starts_with(part)) || file.tests_from == 0 {
        return;
    }
    for path in scan::paths(&file.code).into_iter().filter(|path| !file.is_test(path.line)) {
        let first = path.segments[0].as_str();
        let is_io = path.segments.starts_with(&["std".to_owned(), "fs".to_owned()]);
        if matches!(first, "tokio" | "actix" | "rand" | "metrics" | "tracing") || is_io {
            report(path.line, format!("{first} in a pure function: pass what it needs, return what it wants done"));
        }
    }
}
