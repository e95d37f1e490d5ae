//! One run from its beginning to its verdict: an engine, its businesses, a carrier, contacts, operators; then silence,
//! and the questions.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use schema::role::Role;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    actions,
    book::Follower,
    ceiling::{self, Ceiling},
    corpus::Corpus,
    end,
    engine::{Engine, free_port},
    figures::{Course, Figures, Requests, get, to_f64},
    findings::{Findings, Kind},
    mark::mix,
    operator::{Answering, Control, Operator, Seat},
    proxy::{Fault, Proxy},
    replies,
    report::Report,
    sampler::{self, Shown},
    scenario::Scenario,
    schedule::Zipf,
    texts::{self, Shared, Timing},
    world,
};
use crate::carrier::{CarrierHandle, CarrierServer};

/// Operators must all be there before the load begins.
const SEATED_WITHIN: Duration = Duration::from_secs(60);
/// Between that and the load.
const BREATH: Duration = Duration::from_millis(300);
/// How often something awaited is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Seconds of the generator's own measurement before a run.
const CEILING_S: f64 = 2.0;

/// Which engine.
#[derive(Debug, Clone)]
pub enum Target {
    /// Our own, from its binary.
    Own {
        /// `deskwire`.
        binary: PathBuf,
    },
    /// One that runs already; it must send to `carrier_listen`.
    Running {
        /// Where.
        address: SocketAddr,
        /// The base that it verifies signatures with.
        public_url: String,
        /// What mints tokens: takes the arguments of `deskwire token`.
        token_command: String,
        /// Where the simulated carrier listens.
        carrier_listen: SocketAddr,
        /// Its process, if it runs here.
        pid: Option<u32>,
    },
}

/// How a scenario is played.
#[derive(Debug, Clone)]
pub struct Options {
    /// What happens.
    pub scenario: Scenario,
    /// To whom.
    pub target: Target,
    /// What contacts write, a text a line.
    pub corpus: Option<PathBuf>,
    /// Repeats arrivals and choices.
    pub seed: u64,
    /// Whether the generator's own ceiling is measured first.
    pub measure_ceiling: bool,
    /// Tries the verdict itself.
    pub fault: Option<Fault>,
    /// Where an engine of our own works; none: a directory that is removed if everything holds.
    pub directory: Option<PathBuf>,
    /// Whether the run is shown while it goes on.
    pub shown: Shown,
}

/// What stands while a run goes on.
pub(super) struct Stage {
    pub(super) options: Options,
    pub(super) engine: Arc<Engine>,
    pub(super) carrier: CarrierHandle,
    pub(super) shared: Arc<Shared>,
    pub(super) proxy: Option<Proxy>,
    pub(super) directory: PathBuf,
    pub(super) ceiling: Option<Ceiling>,
    pub(super) control: watch::Sender<Control>,
}

/// Operators at work.
struct Seated {
    running: Vec<JoinHandle<Follower>>,
    /// Those who may answer, by tenant.
    answering: Vec<Vec<mpsc::Sender<Answering>>>,
}

/// Plays a scenario.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    options.scenario.check()?;
    let stage = set(options).await?;
    let seated = stage.seat();
    stage.all_there().await?;
    let began = jiff::Timestamp::now();
    let timing =
        Timing { start: Instant::now() + BREATH, whole: stage.options.scenario.duration(), seed: stage.options.seed };
    let (over, is_over) = watch::channel(false);
    let pid = match &stage.options.target {
        Target::Own { .. } => None,
        Target::Running { pid, .. } => *pid,
    };
    let sampling = sampler::run(stage.shared.clone(), stage.engine.clone(), pid, timing, stage.options.shown, is_over);
    let sampling = tokio::spawn(sampling);
    stage.play(timing, seated.answering).await?;
    let followers = end::quiet(&stage, seated.running).await?;
    over.send_replace(true);
    let course: Course = sampling.await?;
    end::judge(stage, followers, course, &began).await
}

/// Everything before the first operator.
async fn set(options: Options) -> anyhow::Result<Stage> {
    let seed = options.seed;
    let corpus = match &options.corpus {
        Some(path) => Corpus::read(path)?,
        None => Corpus::made(seed),
    };
    let corpus = Arc::new(corpus);
    let ceiling = if options.measure_ceiling {
        let connections = options.scenario.texts.iter().map(|texts| texts.connections).sum::<u16>().max(1);
        Some(ceiling::measure(ceiling::Options { connections, seconds: CEILING_S }, corpus.clone()).await?)
    } else {
        None
    };
    // Never the same: what another run left in an engine, or on this machine, is not mistaken for ours.
    let run = rand::random::<u32>();
    let scratch = std::env::temp_dir().join(format!("deskwire-load-{run:08x}"));
    let directory = options.directory.clone().unwrap_or(scratch);
    let (engine, carrier_listen) = engine(&options, &directory, run)?;
    if engine.is_own() {
        engine.start().await?;
    } else {
        ensure!(engine.is_ready().await, "nobody is ready at {}", engine.address());
    }
    let config = world::carrier_config(run, &options.scenario, &engine, &carrier_listen.to_string())?;
    let carrier = CarrierServer::start(config).await.context("the simulated carrier")?;
    let tenants = world::found(run, &options.scenario, &engine).await?;
    let proxy = match options.fault {
        Some(fault) => Some(Proxy::start(engine.address(), fault, seed).await?),
        None => None,
    };
    let figures = Figures {
        texts: options.scenario.texts.iter().map(|texts| Requests::new(&texts.name)).collect(),
        replies: Requests::new("replies"),
        ..Figures::default()
    };
    let shared = Arc::new(Shared {
        zipf: Zipf::new(options.scenario.tenants, options.scenario.zipf),
        public_url: engine.public_url().to_owned(),
        places: (0..options.scenario.operators.count).map(|_| AtomicU64::new(0)).collect(),
        lanes: lanes(&options.scenario),
        findings: Findings::default(),
        tenants,
        corpus,
        figures,
    });
    let (engine, control) = (Arc::new(engine), watch::Sender::new(Control::default()));
    Ok(Stage { options, engine, carrier, shared, proxy, directory, ceiling, control })
}

/// Each connection is a lane; the first of each group.
fn lanes(scenario: &Scenario) -> Vec<u16> {
    let mut next = 0;
    let first = scenario.texts.iter().map(|texts| {
        next += texts.connections;
        next - texts.connections
    });
    first.collect()
}

fn engine(options: &Options, directory: &std::path::Path, run: u32) -> anyhow::Result<(Engine, SocketAddr)> {
    match &options.target {
        Target::Own { binary } => {
            std::fs::create_dir_all(directory)?;
            let carrier = SocketAddr::from(([127, 0, 0, 1], free_port(run)?));
            let port = free_port(run.wrapping_add(carrier.port().into()))?;
            let mut engine = Engine::own(binary, directory, port, &format!("http://{carrier}"))?;
            engine.configure(&options.scenario.engine);
            engine.surround(&options.scenario.environment);
            Ok((engine, carrier))
        }
        Target::Running { address, public_url, token_command, carrier_listen, .. } => {
            Ok((Engine::running(*address, public_url, token_command), *carrier_listen))
        }
    }
}

impl Stage {
    /// Where operators connect.
    pub(super) fn stream(&self) -> SocketAddr {
        self.proxy.as_ref().map_or(self.engine.address(), |proxy| proxy.address)
    }

    /// Puts every operator on a chair: each tenant has one, the rest fall as zipf has it.
    fn seat(&self) -> Seated {
        let scenario = &self.options.scenario;
        let mut seated = Seated { running: Vec::new(), answering: vec![Vec::new(); scenario.tenants] };
        let retry_for = scenario.replies.as_ref().map_or(0.0, |replies| replies.retry_s);
        for place in 0..scenario.operators.count {
            let (tenant, role) = self.seat_of(place);
            let seat = Seat {
                address: self.stream(),
                tenant,
                place,
                role,
                control: self.control.subscribe(),
                retry_for: Duration::from_secs_f64(retry_for),
            };
            let (sender, arrivals) = mpsc::channel(replies::WAITING);
            if role == Role::Operator {
                seated.answering[tenant].push(sender);
            }
            seated.running.push(tokio::spawn(Operator::new(self.shared.clone(), seat, arrivals).run()));
        }
        seated
    }

    /// Whose an operator is, and what it may see: the same in every run.
    pub(super) fn seat_of(&self, place: usize) -> (usize, Role) {
        let scenario = &self.options.scenario;
        if place < scenario.tenants {
            return (place, Role::Operator);
        }
        let throw = |number: u64| to_f64(mix(number) >> 11) / to_f64(1 << 53);
        let others = (scenario.operators.count - scenario.tenants).max(1);
        let viewers = scenario.operators.viewers * to_f64(scenario.operators.count as u64) / to_f64(others as u64);
        let role = if throw(!(place as u64)) < viewers { Role::Viewer } else { Role::Operator };
        (self.shared.zipf.place(throw(place as u64)), role)
    }

    async fn all_there(&self) -> anyhow::Result<()> {
        let (since, count) = (Instant::now(), self.options.scenario.operators.count);
        loop {
            let seated = self.shared.places.iter().filter(|place| get(place) > 0).count();
            if seated == count {
                return Ok(());
            }
            ensure!(
                since.elapsed() < SEATED_WITHIN,
                "{seated} of {count} operators are connected; see the engine's log"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The load, and what goes wrong meanwhile.
    async fn play(&self, timing: Timing, answering: Vec<Vec<mpsc::Sender<Answering>>>) -> anyhow::Result<()> {
        let mut loading = Vec::new();
        for (group, texts) in self.options.scenario.texts.iter().enumerate() {
            let (shared, address) = (self.shared.clone(), self.engine.address());
            loading.push(tokio::spawn(texts::run(shared, group, texts.clone(), address, timing)));
        }
        if let Some(replies) = self.options.scenario.replies.clone() {
            loading.push(tokio::spawn(replies::run(self.shared.clone(), replies, answering, timing)));
        } else {
            drop(answering);
        }
        let actions = actions::run(self, timing);
        let (loaded, acted) = tokio::join!(futures_util::future::try_join_all(loading), actions);
        loaded?;
        acted?;
        if let Some(status) = self.engine.ended()? {
            let findings = &self.shared.findings;
            findings.add(Kind::Store, || format!("the engine ended by itself: {status}"));
        }
        Ok(())
    }
}
