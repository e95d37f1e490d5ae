//! A planted violation for each rule: a rule that convicts nobody guards nothing.

use super::{RULES, SourceFile, violations};

/// Rule, path, text.
const GUILTY: &[(&str, &str, &str)] = &[
    ("header", "src/api/page.rs", "use std::fmt;\n"),
    ("unfinished", "src/api/page.rs", "//! A page.\nfn f() { todo!() }\n"),
    ("unfinished", "actors/src/feed/mod.rs", "//! A feed.\nfn f() { unimplemented!(\"later\") }\n"),
    ("unfinished", "tests/it/api.rs", "//! Tests.\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n"),
    ("ban_list", "clippy.toml", "disallowed-methods = []\n"),
    ("ban_list", "src/api/page.rs", "//! A page.\n#[allow(clippy::disallowed_methods)]\nfn f() {}\n"),
    ("import_map", "src/webhook/mod.rs", "//! An edge.\nuse crate::channels::twilio::verify;\n"),
    ("import_map", "src/webhook/mod.rs", "//! An edge.\nuse crate::{config::Config, session::Session};\n"),
    ("import_map", "src/api/page.rs", "//! An edge.\nuse super::super::webhook::Door;\n"),
    ("import_map", "src/api/page.rs", "//! An edge.\nfn f() { crate::store::open() }\n"),
    ("import_map", "src/api/page.rs", "//! An edge.\nuse actors::conversation::State;\n"),
    ("import_map", "src/api/page.rs", "//! An edge.\nuse actors::memory::MemoryLog;\n"),
    ("import_map", "src/store/mod.rs", "//! An adapter.\nuse crate::search::Index;\n"),
    ("import_map", "src/store/mod.rs", "//! An adapter.\nuse actors::{ports::Log, tenant::TenantHandle};\n"),
    ("import_map", "src/store/mod.rs", "//! An adapter.\nuse actors::engine::Engine;\n"),
    ("import_map", "src/config/mod.rs", "//! Configuration.\nuse crate::store::StoreOptions;\n"),
    ("import_map", "src/cli/mod.rs", "//! Commands.\nuse crate::store::open;\n"),
    ("import_map", "src/novelty.rs", "//! Not on the map.\n"),
    ("import_map", "actors/src/tenant/mod.rs", "//! A tenant.\nuse deskwire::config::Config;\n"),
    ("import_map", "schema/src/ids.rs", "//! Ids.\nuse actors::ports::Ids;\n"),
    ("import_map", "loadtest/src/main.rs", "//! A client.\nuse actors::engine::Engine;\n"),
    ("import_map", "src/api/page.rs", "//! An edge.\nuse loadtest::carrier::CarrierServer;\n"),
    ("cargo_edges", "schema/Cargo.toml", "[dependencies]\nactors.workspace = true\n"),
    ("cargo_edges", "loadtest/Cargo.toml", "[dev-dependencies]\ndeskwire = { path = \"..\" }\n"),
    ("cargo_edges", "Cargo.toml", "[dependencies]\nloadtest.workspace = true\n"),
    ("cargo_edges", "actors/Cargo.toml", "[dependencies]\naxum = \"0.8\"\n"),
    ("actix_stays_inside", "src/api/page.rs", "//! A page.\nuse actix::Addr;\n"),
    ("pure_decide", "actors/src/conversation/decide/mod.rs", "//! Decides.\nuse tokio::time::Instant;\n"),
    ("pure_decide", "actors/src/outbox/lane.rs", "//! A lane.\nfn f() { std::fs::read(\"x\"); }\n"),
    ("environment", "src/app/mod.rs", "//! Builds.\nfn f() { std::env::var(\"HOME\"); }\n"),
    ("clock", "actors/src/tenant/mod.rs", "//! A tenant.\nfn f() { std::time::SystemTime::now(); }\n"),
    ("clock", "src/api/page.rs", "//! A page.\nuse std::time::Instant;\nfn f() { Instant::now(); }\n"),
    ("clock", "src/api/page.rs", "//! A page.\nuse jiff::Timestamp;\nfn f() { Timestamp::now(); }\n"),
    ("unbounded", "src/api/page.rs", "//! A page.\nuse tokio::sync::mpsc::unbounded_channel;\n"),
    ("unbounded", "src/api/page.rs", "//! A page.\nfn f() { std::sync::mpsc::channel(); }\n"),
    ("sleeps", "tests/it/api.rs", "//! Tests.\nasync fn f() { tokio::time::sleep(x).await }\n"),
    ("sleeps", "src/api/page.rs", "//! A page.\n#[cfg(test)]\nmod tests {\nfn f() { std::thread::sleep(x) }\n}\n"),
    ("sleeps", "src/api/page.rs", "//! A page.\nfn f() { std::thread::sleep(x) }\n"),
    ("anyhow", "src/store/mod.rs", "//! A store.\nuse anyhow::Context;\n"),
    ("serialization", "src/api/page.rs", "//! A page.\n#[derive(Debug, Serialize)]\nstruct Page;\n"),
    ("logs", "src/api/page.rs", "//! A page.\nfn f() { tracing::info!(%address, \"came in\") }\n"),
    ("logs", "src/api/page.rs", "//! A page.\nfn f() { warn!(\n    \"it says {text}\"\n) }\n"),
    ("labels", "src/api/page.rs", "//! A page.\nfn f() { metrics::counter!(\"n\", \"tenant\" => name) }\n"),
];

/// What looks like a violation and is none.
const INNOCENT: &[(&str, &str)] = &[
    ("tests/it/webhook/flow.rs", "//! The carrier's side.\nuse loadtest::carrier::CarrierServer;\n"),
    (
        "src/webhook/mod.rs",
        "//! An edge; knows no crate::store.\nuse actors::{engine::Engine, tenant::TenantHandle};\n",
    ),
    ("src/api/page.rs", "//! A page.\nuse super::problem::reply;\nuse crate::{auth::Claims, config::Config};\n"),
    (
        "src/store/embedded/mod.rs",
        "//! A store.\n#[cfg(test)]\nmod tests {\nuse actors::{contracts, memory::MemoryLog};\n}\n",
    ),
    ("src/store/tests.rs", "//! Tests.\nuse actors::contracts::log;\n"),
    ("src/app/build.rs", "//! Builds.\nuse crate::{store, channels, webhook};\nuse actors::memory::SystemClock;\n"),
    ("actors/src/memory/clock.rs", "//! Time.\nimpl Clock for S { fn now() { std::time::SystemTime::now() } }\n"),
    ("actors/src/tenant/mod.rs", "//! A tenant.\nuse tokio::time::Instant;\nfn f() { Instant::now(); }\n"),
    (
        "actors/src/tenant/tests.rs",
        "//! Tests.\n#[tokio::test(start_paused = true)]\nasync fn f() { tokio::time::sleep(x) }\n",
    ),
    ("src/api/page.rs", "//! A page.\nfn f() { tracing::info!(request = %id, \"the text went to the address\") }\n"),
    ("src/api/page.rs", "//! A page.\nfn f() { let todo = \"todo!\"; } // unimplemented!\n"),
    ("src/api/page.rs", "//! A page.\n#[expect(clippy::disallowed_methods, reason = \"a measure\")]\nfn f() {}\n"),
    ("loadtest/src/main.rs", "//! A client.\nfn f() { std::time::Instant::now(); std::thread::sleep(x); }\n"),
    ("src/api/page.rs", "//! A page.\nfn f() { metrics::counter!(\"n\", \"status\" => \"tenant\") }\n"),
];

fn convicted(path: &str, text: &str) -> Vec<&'static str> {
    violations(&[SourceFile::new(path, text)]).into_iter().map(|violation| violation.rule).collect()
}

#[test]
fn each_planted_violation_is_convicted_by_its_rule() {
    for (rule, path, text) in GUILTY {
        let found = convicted(path, text);
        assert!(found.contains(rule), "{rule} let {path} go with\n{text}\nonly {found:?}");
    }
}

#[test]
fn long_files_and_functions_are_convicted() {
    let long = format!("//! Long.\n{}", "// line\n".repeat(500));
    assert_eq!(convicted("src/api/page.rs", &long), ["file_length"]);
    let long = format!("//! Long.\nfn f() {{\n{}}}\n", "    g();\n".repeat(69));
    assert_eq!(convicted("src/api/page.rs", &long), ["function_length"]);
    let just = format!("//! Just so.\nfn f() {{\n{}}}\n", "    g();\n".repeat(68));
    assert!(convicted("src/api/page.rs", &just).is_empty());
}

#[test]
fn what_is_allowed_is_let_go() {
    for (path, text) in INNOCENT {
        let found = convicted(path, text);
        assert!(found.is_empty(), "{path} was convicted of {found:?} with\n{text}");
    }
}

#[test]
fn every_rule_has_a_plant() {
    let by_length = ["file_length", "function_length"];
    for (rule, _) in RULES {
        let planted = by_length.contains(rule) || GUILTY.iter().any(|(planted, _, _)| planted == rule);
        assert!(planted, "{rule} has no planted violation");
    }
}
