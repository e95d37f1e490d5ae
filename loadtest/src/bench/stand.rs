//! The stand: a fresh engine with some tenants, on a scratch directory that goes away with it.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;

use super::{CpuTime, rest::Rest};
use crate::load::{
    engine::{Engine, free_port},
    scenario::{Scenario, toml_value::Scalar},
    world::{self, Tenant},
};

/// What it is set up with.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The engine's binary.
    pub binary: PathBuf,
    /// Businesses, one line each.
    pub tenants: usize,
    /// Keys of the engine's configuration beside those that keep its guards out of the way.
    pub keys: Vec<(&'static str, i64)>,
    /// The one core that the engine may use; none: all.
    pub core: Option<usize>,
    /// The carrier's REST; none: nobody answers there.
    pub carrier: Option<String>,
    /// `perf record` it, and write where its time goes to this file.
    pub profile: Option<PathBuf>,
}

/// An engine that runs.
pub struct Stand {
    /// It. Ended before its directory goes.
    pub engine: Engine,
    /// Its businesses.
    pub tenants: Arc<Vec<Tenant>>,
    /// Tells this stand's ids from others'.
    pub run: u32,
    directory: Scratch,
    profile: Option<PathBuf>,
}

/// A directory that goes away.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "a scratch directory stays behind");
        }
    }
}

impl Setup {
    /// The scenario that says how many tenants there are; its load is not played.
    fn scenario(&self) -> anyhow::Result<Scenario> {
        let mut scenario = Scenario::load("steady")?;
        scenario.tenants = self.tenants;
        scenario.operators.count = self.tenants;
        scenario.operators.viewers = 0.0;
        Ok(scenario)
    }

    /// Starts it, and makes its tenants.
    pub async fn start(&self) -> anyhow::Result<Stand> {
        self.start_as(rand::random()).await
    }

    /// With ids that are known before.
    pub async fn start_as(&self, run: u32) -> anyhow::Result<Stand> {
        let directory = std::env::temp_dir().join(format!("deskwire-bench-{run:08x}"));
        fs::create_dir_all(&directory)?;
        // From here on it goes away whatever happens.
        let scratch = Scratch(directory.clone());
        let carrier = self.carrier.clone().unwrap_or_else(|| "http://127.0.0.1:9".to_owned());
        let binary = match self.core {
            Some(core) => held_to(core, &self.binary, &directory)?,
            None => self.binary.clone(),
        };
        let mut engine = Engine::own(&binary, &directory, free_port(run)?, &carrier)?;
        let mut keys = guards_away();
        keys.extend(self.keys.iter().map(|(key, value)| ((*key).to_owned(), Scalar::Number(*value))));
        engine.configure(&keys);
        let (tenants, profile) = (Arc::default(), self.profile.clone());
        let mut stand = Stand { engine, tenants, run, directory: scratch, profile };
        stand.engine.start().await?;
        stand.tenants = Arc::new(world::found(run, &self.scenario()?, &stand.engine).await?);
        Ok(stand)
    }
}

/// What protects a node from a flood would be all that is measured.
fn guards_away() -> BTreeMap<String, Scalar> {
    let keys = [
        ("webhook.line_per_s", 1_000_000),
        ("webhook.line_burst", 1_000_000),
        ("webhook.line_in_flight_max", 8_192),
        ("server.connections_max", 18_000),
    ];
    keys.into_iter().map(|(key, value)| (key.to_owned(), Scalar::Number(value))).collect()
}

/// A start that keeps to one core from the first thread on, so that the engine makes no more threads than that needs.
fn held_to(core: usize, binary: &Path, directory: &Path) -> anyhow::Result<PathBuf> {
    let binary = binary.canonicalize().with_context(|| binary.display().to_string())?;
    let path = directory.join("deskwire-on-one-core");
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o755).open(&path)?;
    writeln!(file, "#!/bin/sh\nexec taskset -c {core} '{}' \"$@\"", binary.display())?;
    Ok(path)
}

impl Stand {
    /// What its process has used.
    pub fn cpu(&self) -> anyhow::Result<CpuTime> {
        CpuTime::of(self.engine.pid().context("the engine runs")?).context("the engine's process")
    }

    /// MiB.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        Ok(crate::load::figures::to_f64(self.cpu()?.resident_kib) / 1_024.0)
    }

    /// An admin of a tenant.
    pub async fn admin(&self, tenant: usize) -> anyhow::Result<Rest> {
        let token = self.engine.token(&self.tenants[tenant].book.tenant, "admin").await?;
        Rest::new(&self.url(), &token)
    }

    /// Somebody at the desk of a tenant.
    pub fn operator(&self, tenant: usize) -> anyhow::Result<Rest> {
        Rest::new(&self.url(), &self.tenants[tenant].operator)
    }

    fn url(&self) -> String {
        format!("http://{}", self.engine.address())
    }

    /// Bytes of what the engine keeps on disk.
    pub fn stored_bytes(&self) -> u64 {
        bytes_of(&self.directory.0.join("data"))
    }

    /// Free bytes where it keeps it.
    pub fn free_bytes(&self) -> u64 {
        free_bytes(&self.directory.0)
    }

    /// Watches where its time goes until [`Profile::end`].
    pub fn profile(&self) -> anyhow::Result<Option<Profile>> {
        let Some(table) = self.profile.clone() else { return Ok(None) };
        let pid = self.engine.pid().context("the engine runs")?.to_string();
        // It stays beside the table, for flame graphs.
        let data = table.with_extension("data");
        fs::create_dir_all(table.parent().context("a file in a directory")?)?;
        let mut command = Command::new("perf");
        command.args(["record", "-q", "-F", "499", "-g", "-p", &pid, "-o"]).arg(&data);
        let recorder = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("perf")?;
        Ok(Some(Profile { recorder, data, table }))
    }
}

/// A `perf record` under way.
pub struct Profile {
    recorder: Child,
    data: PathBuf,
    table: PathBuf,
}

impl Profile {
    /// Ends it, and writes the table: threads, then functions.
    pub fn end(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-INT", &self.recorder.id().to_string()]).status()?;
        self.recorder.wait()?;
        let mut text = String::new();
        for by in ["comm", "sym"] {
            let mut report = Command::new("perf");
            report.args(["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.5", "--sort", by]);
            let said = report.arg("-i").arg(&self.data).stderr(Stdio::null()).output().context("perf report")?;
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            said.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).for_each(|line| {
                text += line.trim_end();
                text.push('\n');
            });
            text.push('\n');
        }
        if text.trim().is_empty() {
            text = "perf took no samples: the run was too short, or it may not look (kernel.perf_event_paranoid)\n"
                .to_owned();
        }
        fs::write(&self.table, &text)?;
        eprintln!("where the engine's time goes: {}", self.table.display());
        Ok(())
    }
}

fn bytes_of(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else { return fs::metadata(path).map_or(0, |metadata| metadata.len()) };
    entries.filter_map(Result::ok).map(|entry| bytes_of(&entry.path())).sum()
}

/// Free bytes on the disk of a directory, as `df` has it.
pub fn free_bytes(directory: &Path) -> u64 {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(directory).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().nth(1).and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

/// Seconds as a duration.
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}
