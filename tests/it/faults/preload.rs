//! A library between the engine's process and the C library: its wall clock steps, its fsync is slow or fails, while the
//! process runs. Compiled with `cc` by the first test that needs it.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use tempfile::TempDir;

/// What can be set, and read. The same order as in preload.c.
#[derive(Debug, Clone, Copy)]
pub enum Slot {
    /// What the wall clock shows beside the time, in microseconds.
    ClockOffsetUs,
    /// How long each fsync takes longer, in microseconds.
    SyncDelayUs,
    /// Whether each fsync fails, and what it should have made durable is forgotten.
    SyncFails,
    /// How many failed so far.
    SyncsFailed,
}

const SLOTS: usize = 4;

/// One process's faults.
pub struct Faults {
    directory: TempDir,
    file: File,
}

fn library() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("preload.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults/preload.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]).arg(&path).arg(source).arg("-ldl");
        let built = cc.status().expect("cc is needed: apt-get install gcc libc6-dev");
        assert!(built.success(), "cc: {built}");
        (directory, path)
    });
    path
}

impl Faults {
    /// None yet.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("faults");
        fs::write(&path, [0; SLOTS * 8]).unwrap();
        let file = File::options().read(true).write(true).open(path).unwrap();
        Self { directory, file }
    }

    /// What the process needs.
    pub fn environment(&self) -> [(String, String); 2] {
        let path = |path: &Path| path.to_str().expect("temporary directories have plain names").to_owned();
        [
            ("LD_PRELOAD".to_owned(), path(library())),
            ("DESKWIRE_FAULTS".to_owned(), path(&self.directory.path().join("faults"))),
        ]
    }

    /// From now on.
    pub fn set(&self, slot: Slot, value: i64) {
        self.file.write_all_at(&value.to_ne_bytes(), 8 * slot as u64).unwrap();
    }

    /// As it stands.
    pub fn get(&self, slot: Slot) -> i64 {
        let mut value = [0; 8];
        self.file.read_exact_at(&mut value, 8 * slot as u64).unwrap();
        i64::from_ne_bytes(value)
    }

    /// A command of the shell that sets it, for an action of a scenario.
    pub fn command(&self, slot: Slot, value: i64) -> String {
        let bytes: String = value.to_ne_bytes().iter().map(|byte| format!("\\{byte:03o}")).collect();
        let path = self.directory.path().join("faults");
        let seek = slot as u64;
        format!("printf '{bytes}' | dd of={} bs=8 seek={seek} conv=notrunc status=none", path.display())
    }
}
