//! The end of a run: everything comes to rest, everybody has seen everything, and then the questions are asked, of the
//! operators, of the carrier, and of the log itself.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;

use super::{
    book::{Follower, Walk},
    engine::heading,
    figures::{Course, Quantiles, get, to_f64, to_ms},
    findings::Kind,
    operator,
    report::{Generator, Knee, Planted, Report, Server, Side},
    run::{LOOK_EVERY, Stage},
    sampler::Shown,
    scenario::{Scenario, Timed},
    verdict::{Looked, Verdict},
};

/// Logs read by one process.
const TOGETHER: usize = 500;
/// A generator that offers more than this share of what it can do measures itself.
const OF_CEILING: f64 = 0.8;

/// Waits until a condition holds; `false`: not in time.
async fn within(seconds: f64, holds: impl Fn() -> bool) -> bool {
    let since = Instant::now();
    while !holds() {
        if since.elapsed() > Duration::from_secs_f64(seconds) {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    true
}

/// Texts on their way end, replies are answered, operators see everything; then they go home.
pub(super) async fn quiet(stage: &Stage, operators: Vec<JoinHandle<Follower>>) -> anyhow::Result<Vec<Follower>> {
    let (scenario, shared) = (&stage.options.scenario, &stage.shared);
    within(scenario.settle_s, || shared.figures.replies.outstanding() == 0).await;
    // What the carrier never tells the end of stays open: that is no fault.
    within(scenario.settle_s, || shared.tenants.iter().all(|tenant| tenant.book.open() == 0)).await;
    let mut heads = Vec::with_capacity(shared.tenants.len());
    for tenant in &shared.tenants {
        heads.push(operator::head(stage.engine.address(), &tenant.operator, tenant.book.channel()).await?);
    }
    let belongs: Vec<usize> = stage.tenants_of_operators();
    let behind = || shared.places.iter().zip(&belongs).filter(|(place, tenant)| get(place) < heads[**tenant]).count();
    within(scenario.catch_up_s, || behind() == 0).await;
    stage.control.send_modify(|control| control.over = true);
    let followers = futures_util::future::try_join_all(operators).await?;
    for (follower, tenant) in followers.iter().zip(&belongs) {
        let (at, head) = (follower.offset, heads[*tenant]);
        if at < head {
            shared.findings.add(Kind::Behind, || format!("{}: at offset {at} of {head}", follower.who));
        }
    }
    Ok(followers)
}

/// All questions, and the report.
pub(super) async fn judge(
    stage: Stage,
    followers: Vec<Follower>,
    course: Course,
    began: &jiff::Timestamp,
) -> anyhow::Result<Report> {
    let shared = stage.shared.clone();
    let figures = &shared.figures;
    shared.tenants.iter().for_each(|tenant| tenant.book.compare(&shared.findings));
    let acked = figures.texts.iter().chain([&figures.replies]).map(|requests| get(&requests.acked)).sum();
    let mut looked = Looked {
        acked,
        pushes: get(&figures.pushes),
        operators: followers.len() as u64,
        resumes: figures.resume.whole().len(),
        forgotten: shared.tenants.iter().map(|tenant| tenant.book.forgotten()).sum(),
        ..Looked::default()
    };
    let meter = carrier(&stage, &mut looked);
    if stage.engine.is_own() {
        if stage.options.shown != Shown::Not {
            eprintln!("   the load is over; checking the engine's store and reading its logs");
        }
        logs(&stage, &followers, &mut looked).await?;
    }
    let void = void(&stage);
    let verdict = Verdict::new(&shared.findings, &looked, void);
    Ok(report(&stage, course, began, meter, looked, verdict))
}

/// What the carrier has to say.
fn carrier(stage: &Stage, looked: &mut Looked) -> crate::meter::Report {
    let (meter, findings) = (stage.carrier.meter(), &stage.shared.findings);
    looked.taken = meter.texts;
    for violation in &meter.described {
        let (level, used, limit) = (violation.level, violation.used, violation.limit);
        findings.add(Kind::Pace, || format!("{level:?}: {used} of {limit}, {} ms early", violation.early_us / 1_000));
    }
    let beyond = meter.violations.saturating_sub(meter.described.len() as u64);
    if beyond > 0 {
        findings.add_many(Kind::Pace, beyond, || format!("{beyond} more"));
    }
    // Our ids ride in the callback's URL; an attempt is taken once.
    let mut attempts = HashSet::new();
    for message in stage.carrier.messages().iter().filter(|message| !message.inbound) {
        let Some(callback) = &message.callback else { continue };
        let query = callback.split_once('?').map_or("", |(_, query)| query);
        if !attempts.insert(super::mark::mix_text(query)) {
            findings.add(Kind::SentTwice, || format!("the carrier has {} for an attempt it had", message.sid));
        }
    }
    looked.taken_compared = attempts.len() as u64;
    meter
}

/// Ends the engine, and reads what it leaves.
async fn logs(stage: &Stage, followers: &[Follower], looked: &mut Looked) -> anyhow::Result<()> {
    let (shared, engine) = (&stage.shared, &stage.engine);
    let findings = &shared.findings;
    match engine.terminate().await {
        Ok(status) if status.success() => {}
        Ok(status) => findings.add(Kind::Store, || format!("the engine's drain ends with {status}")),
        Err(error) => findings.add(Kind::Store, || format!("{error:#}")),
    }
    if let Err(said) = engine.verify().await? {
        findings.add(Kind::Store, || format!("verify: {said}"));
    }
    let belongs = stage.tenants_of_operators();
    let walk = |(index, tenant): (usize, &super::world::Tenant)| {
        let own = followers.iter().zip(&belongs).filter(|(_, of)| **of == index);
        tenant.book.walk(&own.map(|(follower, _)| follower.clone()).collect::<Vec<_>>())
    };
    let walks: Vec<Walk> = shared.tenants.iter().enumerate().map(walk).collect();
    for (step, walks) in chunks(walks).into_iter().enumerate() {
        read(stage, step * TOGETHER, walks, looked).await;
    }
    looked.logs = true;
    Ok(())
}

/// In steps: a command line has an end.
fn chunks(mut walks: Vec<Walk>) -> Vec<Vec<Walk>> {
    let mut chunks = Vec::new();
    while !walks.is_empty() {
        let rest = walks.split_off(walks.len().min(TOGETHER));
        chunks.push(std::mem::replace(&mut walks, rest));
    }
    chunks
}

/// Reads the logs of the tenants from a place on.
async fn read(stage: &Stage, from: usize, walks: Vec<Walk>, looked: &mut Looked) {
    let (shared, findings) = (&stage.shared, &stage.shared.findings);
    let tenants = &shared.tenants[from..from + walks.len()];
    let names: Vec<&str> = tenants.iter().map(|tenant| &*tenant.book.tenant).collect();
    let (all, only) = (shared.clone(), names.len() == 1);
    // Before the first heading nothing may come, unless there is none.
    let line = move |(walks, place): &mut (Vec<Walk>, Option<usize>), line: &str| {
        if let Some(name) = heading(line).filter(|_| !only) {
            *place = all.tenants[from..from + walks.len()].iter().position(|tenant| tenant.book.tenant == name);
        } else if let Some(place) = *place {
            all.tenants[from + place].book.line(&mut walks[place], line, &all.findings);
        } else {
            all.findings.add(Kind::Store, || "the log of a tenant that was not asked for".to_owned());
        }
    };
    match stage.engine.inspect(&names, (walks, only.then_some(0)), line).await {
        Ok((walks, _)) => {
            for (tenant, walk) in tenants.iter().zip(&walks) {
                tenant.book.end(walk, findings);
                looked.events += walk.events();
                looked.in_logs += walk.texts();
            }
        }
        Err(error) => findings.add(Kind::Store, || format!("{error:#}")),
    }
}

/// Why the figures mean nothing, if so.
fn void(stage: &Stage) -> Vec<String> {
    let mut void = Vec::new();
    let scenario = &stage.options.scenario;
    let lag = to_ms(stage.shared.figures.lag.whole().value_at_quantile(0.99));
    if lag > to_f64(scenario.generator_lag_max_ms) {
        let max = scenario.generator_lag_max_ms;
        void.push(format!(
            "the generator could not keep up: one arrival in a hundred was released {lag:.0} ms late, {max} may be"
        ));
    }
    let peak = scenario.peak_per_s();
    let is_ramp = scenario.texts.iter().any(|texts| texts.rate.is_rising());
    if let Some(ceiling) = &stage.ceiling
        && peak > ceiling.per_s * OF_CEILING
        && !is_ramp
    {
        let able = ceiling.per_s;
        void.push(format!("{peak:.0} texts a second are offered, the generator alone can do {able:.0}"));
    }
    void
}

fn report(
    stage: &Stage,
    course: Course,
    began: &jiff::Timestamp,
    carrier: crate::meter::Report,
    looked: Looked,
    verdict: Verdict,
) -> Report {
    let (scenario, figures) = (&stage.options.scenario, &stage.shared.figures);
    let seconds = offered_for(scenario, &course);
    let texts: Vec<Side> = figures.texts.iter().map(|requests| Side::of(requests, seconds)).collect();
    let rows: Vec<_> = course.rows.iter().filter(|row| row.at_s < seconds).copied().collect();
    let is_ramp = scenario.texts.first().is_some_and(|texts| texts.rate.is_rising());
    let kept = keep(stage, &verdict);
    let books: usize = stage.shared.tenants.iter().map(|tenant| tenant.book.bytes()).sum();
    Report {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        seed: stage.options.seed,
        began: began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        tenants: scenario.tenants,
        seconds,
        word: verdict.word(),
        server: Server::of(&rows, seconds, texts.iter().map(|side| side.acked).sum()),
        replies: Side::of(&figures.replies, seconds),
        pushes_per_s: rows.iter().map(|row| row.pushes * row.for_s).sum::<f64>() / seconds,
        resume: Quantiles::of(&figures.resume.whole()),
        knee: is_ramp.then(|| Knee::of(&rows)),
        generator: Generator {
            ceiling: stage.ceiling.clone(),
            peak_per_s: scenario.peak_per_s(),
            lag_p99_ms: to_ms(figures.lag.whole().value_at_quantile(0.99)),
            books_kib: to_f64(books as u64) / 1_024.0,
        },
        planted: stage
            .proxy
            .as_ref()
            .zip(stage.options.fault)
            .map(|(proxy, fault)| Planted { fault, count: proxy.planted() }),
        moments: moments(scenario),
        texts,
        verdict,
        looked,
        carrier,
        kept,
        course,
    }
}

/// What happened when.
fn moments(scenario: &Scenario) -> Vec<(f64, String)> {
    let word = |timed: &Timed| timed.action.word().to_owned();
    scenario.actions.iter().flat_map(|timed| timed.moments().map(move |at_s| (at_s, word(timed)))).collect()
}

/// How long load was offered: a scenario that looks for an end stops there.
fn offered_for(scenario: &Scenario, course: &Course) -> f64 {
    let last = course.rows.iter().rev().find(|row| row.offered > 0.0).map(|row| row.at_s + row.for_s);
    let may_stop = scenario.texts.iter().any(|texts| texts.until_shed.is_some());
    last.filter(|last| may_stop && *last < scenario.duration_s).unwrap_or(scenario.duration_s)
}

/// Evidence stays; a run without findings leaves nothing, unless its place was chosen.
fn keep(stage: &Stage, verdict: &Verdict) -> Option<String> {
    if !stage.engine.is_own() {
        return None;
    }
    if verdict.holds() && stage.options.directory.is_none() {
        if let Err(error) = std::fs::remove_dir_all(&stage.directory) {
            tracing::warn!(%error, "the scratch directory cannot be removed");
        }
        return None;
    }
    Some(stage.directory.display().to_string())
}

impl Stage {
    /// Whose each operator is, by its place.
    fn tenants_of_operators(&self) -> Vec<usize> {
        let count = self.options.scenario.operators.count;
        (0..count).map(|place| self.seat_of(place).0).collect()
    }
}
