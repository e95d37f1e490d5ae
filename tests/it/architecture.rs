//! The map of README.md, held against the code: who may import whom, and the rules of style that text alone can show.
//!
//! `violations` is a function over files, so that each rule is itself tested on a planted violation.

mod imports;
mod plants;
mod shape;
mod words;

use std::{fmt, fs, path::Path};

use crate::support::scan;

/// One file as the rules see it.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// As it is.
    pub text: String,
    /// Without comments and strings.
    pub code: String,
    /// First line of its tests; `usize::MAX`: it has none. 0: it is all tests.
    pub tests_from: usize,
}

impl SourceFile {
    /// From its path and text.
    pub fn new(path: &str, text: &str) -> Self {
        let code = if is_rust(path) { scan::code_only(text) } else { text.to_owned() };
        let is_test = path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
        let is_suite = path.contains("/contracts/") || path.contains("src/contracts.rs");
        let tests_from = if is_test || is_suite { 0 } else { scan::tests_from(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, tests_from }
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        is_rust(&self.path)
    }

    /// Whether a line belongs to tests.
    pub fn is_test(&self, line: usize) -> bool {
        line >= self.tests_from
    }

    /// Its code lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(at, line)| (at + 1, line))
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// One thing that the map or the style does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: &'static str,
    /// Which file.
    pub path: String,
    /// Which line; 0: the file as a whole.
    pub line: usize,
    /// What exactly, and what to do instead.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.what)
    }
}

type Rule = fn(&SourceFile, &mut dyn FnMut(usize, String));

/// Every rule by its name.
const RULES: &[(&str, Rule)] = &[
    ("header", shape::header),
    ("file_length", shape::file_length),
    ("function_length", shape::function_length),
    ("unfinished", shape::unfinished),
    ("ban_list", shape::ban_list),
    ("import_map", imports::import_map),
    ("cargo_edges", imports::cargo_edges),
    ("actix_stays_inside", imports::actix_stays_inside),
    ("pure_decide", imports::pure_decide),
    ("environment", words::environment),
    ("clock", words::clock),
    ("unbounded", words::unbounded),
    ("sleeps", words::sleeps),
    ("anyhow", words::anyhow),
    ("serialization", words::serialization),
    ("logs", words::logs),
    ("labels", words::labels),
];

/// Everything in `files` that is not allowed.
pub fn violations(files: &[SourceFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in files {
        for (name, rule) in RULES {
            rule(file, &mut |line, what| {
                found.push(Violation { rule: name, path: file.path.clone(), line, what });
            });
        }
    }
    found
}

/// The repository's own files that the rules look at.
fn repository() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for part in ["schema", "actors", "loadtest", "fuzz", "src", "tests", "benches", "Cargo.toml", "clippy.toml"] {
        collect(root, &root.join(part), &mut files);
    }
    files
}

fn collect(root: &Path, at: &Path, files: &mut Vec<SourceFile>) {
    if at.is_dir() {
        if at.file_name().is_some_and(|name| name == "target" || name == "node_modules") {
            return;
        }
        let mut entries: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| collect(root, entry, files));
    } else if at.extension().is_some_and(|extension| extension == "rs" || extension == "toml") {
        let path = at.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        files.push(SourceFile::new(&path, &fs::read_to_string(at).unwrap()));
    }
}

#[test]
fn the_code_keeps_to_the_map() {
    let files = repository();
    let crates = ["schema/src/", "actors/src/", "loadtest/src/", "src/"];
    for part in crates {
        assert!(files.iter().any(|file| file.path.starts_with(part)), "{part} was not read");
    }
    let found: Vec<String> = violations(&files).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} violations\n{}", found.len(), found.join("\n"));
}

#[test]
fn readme_shows_the_map_that_is_enforced() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let map = imports::as_markdown();
    assert!(readme.contains(&map), "README.md must hold this table as it is:\n{map}");
}
