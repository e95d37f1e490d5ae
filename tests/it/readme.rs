//! README.md says what is there: its limits are those of config/default.toml, its files and targets exist.

use std::{fs, path::Path};

use deskwire::config::Config;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// Rows `| `section.key` | value | …`.
fn limits(readme: &str) -> Vec<(String, String)> {
    let is_key = |cell: &str| {
        cell.contains('.') && cell.bytes().all(|byte| byte.is_ascii_lowercase() || b"._0123456789".contains(&byte))
    };
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let key = cells.next()?.trim_matches('`').to_owned();
        let value = cells.next()?.to_owned();
        is_key(&key).then_some((key, value))
    })
    .collect()
}

#[test]
fn the_table_of_limits_is_that_of_the_default_configuration() {
    let rules = Config::default().rules();
    let limits = limits(&readme());
    assert!(limits.len() >= 15, "the table was not found");
    for (key, value) in limits {
        let rule = rules.iter().find(|rule| rule.key == key).unwrap_or_else(|| panic!("{key} is not a key"));
        let written: u64 = value.replace(',', "").parse().unwrap_or_else(|_| panic!("{key}: {value} is not a number"));
        assert_eq!(Some(written), rule.number, "{key}");
    }
}

#[test]
fn every_file_that_readme_links_to_exists() {
    let readme = readme();
    let targets = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
        assert!(root().join(target).exists(), "README.md links to {target}");
    }
}

#[test]
fn every_make_target_that_readme_names_exists() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let readme = readme();
    for name in readme.split("make ").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next()) {
        let is_target = name.is_empty() || makefile.lines().any(|line| line.starts_with(&format!("{name}:")));
        assert!(is_target || !readme.contains(&format!("`make {name}")), "README.md names `make {name}`");
    }
}

/// Every Rust file of the workspace, as one text.
fn sources(directory: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

fn code() -> String {
    ["schema/src", "actors/src", "src", "tests/it"].map(|place| sources(&root().join(place))).concat()
}

#[test]
fn every_test_of_a_fault_exists() {
    let (code, readme) = (code(), readme());
    let section = readme.split("## Faults on purpose").nth(1).expect("the section").split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 15, "the table was not found");
    for row in rows {
        let names = row.split('|').nth(2).expect("a second column").split('`').skip(1).step_by(2);
        let mut count = 0;
        for name in names {
            assert!(code.contains(&format!("fn {name}(")), "README.md names {name}, which is no test");
            count += 1;
        }
        assert!(count > 0, "{row}");
    }
}

#[test]
fn every_test_that_keeps_a_promise_exists() {
    let code = code();
    let readme = readme();
    let promises: Vec<&str> = readme.lines().filter(|line| line.starts_with("| P")).collect();
    assert_eq!(promises.len(), 9, "P1 to P9");
    let kept_by = promises.iter().filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    for name in kept_by.flat_map(|tests| tests.split('`').skip(1).step_by(2)) {
        assert!(code.contains(&format!("fn {name}(")), "README.md names {name}, which is no test");
    }
}
