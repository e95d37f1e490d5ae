//! The machine that figures are of: cores, memory, kernel, and how long its disk takes to make a write durable.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    process::Command,
    time::Instant,
};

use serde::{Deserialize, Serialize};

/// Writes of the measurement, and their size.
const SYNCS: usize = 200;
const SYNC_BYTES: usize = 4_096;

/// What a reader must know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that a process may use.
    pub cores: usize,
    /// What the processor calls itself.
    pub cpu: String,
    /// GiB.
    pub memory_gib: f64,
    /// `uname -sr`.
    pub kernel: String,
    /// Median of a 4 KiB append with fdatasync, in milliseconds.
    pub sync_p50_ms: f64,
    /// One in a hundred is slower.
    pub sync_p99_ms: f64,
    /// Processes that wanted to run while it was looked at (the load average of a minute).
    pub load: f64,
}

impl Machine {
    /// Looks; `directory` is on the disk that counts.
    pub fn look(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let (sync_p50_ms, sync_p99_ms) = sync_ms(directory)?;
        let field = |file: &str, name: &str| -> Option<String> {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let kib = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Ok(Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            memory_gib: kib.unwrap_or(0.0) / 1_048_576.0,
            kernel: said("uname", &["-sr"]),
            sync_p50_ms,
            sync_p99_ms,
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        })
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The commit that is checked out. The table itself does not count as a change.
pub fn commit() -> String {
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.md"]);
    let commit = said("git", &["rev-parse", "--short=10", "HEAD"]);
    format!("{commit}{}", if changed.is_empty() { "" } else { "+" })
}

fn sync_ms(directory: &Path) -> anyhow::Result<(f64, f64)> {
    let path = directory.join("sync.tmp");
    let mut file = File::create(&path)?;
    let mut took = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let since = Instant::now();
        file.write_all(&[7; SYNC_BYTES])?;
        file.sync_data()?;
        took.push(since.elapsed().as_secs_f64() * 1e3);
    }
    fs::remove_file(&path)?;
    took.sort_by(f64::total_cmp);
    Ok((took[SYNCS / 2], took[SYNCS * 99 / 100]))
}
