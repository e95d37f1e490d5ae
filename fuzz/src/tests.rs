//! Every corpus through its target: what was found once is a test for good.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

/// A target by its name.
type Target = (&'static str, fn(&[u8]));

/// Every target, named as in `fuzz_targets/` and `corpus/`.
const TARGETS: [Target; 7] = [
    ("codec", crate::codec::run),
    ("config", crate::config::run),
    ("frames", crate::frames::run),
    ("jwt", crate::jwt::run),
    ("template", crate::template::run),
    ("twiml", crate::twiml::run),
    ("webhook", crate::webhook::run),
];

/// A corpus is a few seeds and what broke us once, not everything a fuzzer ever kept.
const CORPUS_MAX: u64 = 16 * 1024;

fn names(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| name(&entry.unwrap().path())).collect();
    names.sort();
    names
}

#[test]
fn every_target_has_a_corpus_and_a_way_into_libfuzzer() {
    let targets = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
}

#[test]
fn what_is_in_a_corpus_breaks_nothing() {
    for (name, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 3, "{name}: a corpus of {} seeds", files.len());
        let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert!(bytes <= CORPUS_MAX, "{name}: {bytes} bytes, at most {CORPUS_MAX}");
        for file in files {
            let data = fs::read(&file).unwrap();
            let outcome = std::panic::catch_unwind(|| run(&data));
            assert!(outcome.is_ok(), "{} breaks {name}", file.display());
        }
    }
}
