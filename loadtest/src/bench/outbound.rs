//! Bar 7's first half: two hundred lanes at mixed limits send as fast as they may and never faster, by the simulated
//! carrier's own meter.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    cli::Options,
    figure::{Row, Wanted},
    ingest::posting,
    post::{Posting, post},
    rest::{Rest, post_bytes},
    stand::{Setup, Stand, seconds},
};
use crate::{
    carrier::{CarrierConfig, CarrierHandle, CarrierServer, Latency, Message},
    load::{
        engine::free_port,
        figures::to_f64,
        http::Connection,
        scenario::Scenario,
        texts::contact,
        world::{self, Tenant},
    },
    meter::{Limits, Report},
};

/// Lanes of the bar.
const LANES: usize = 200;
/// Contacts of each, who wrote before.
const CONTACTS: u64 = 20;
/// More than a lane can send in the time, so that it is never idle.
const AHEAD: f64 = 1.15;
/// What the meter forgives: this machine's jitter between the engine's clock and the carrier's.
const TOLERANCE_MS: u64 = 50;
/// Connections that queue texts.
pub const QUEUEING: usize = 32;
/// A request that was refused for now is tried again so often.
const TRIES: usize = 200;

/// A stand with a carrier behind it.
pub struct Outward {
    /// The carrier goes last.
    pub stand: Stand,
    /// It.
    pub carrier: CarrierHandle,
}

/// Limits of a lane.
pub fn mixed(lane: usize) -> Limits {
    let none = Limits { number_per_s: None, ..Limits::default() };
    match lane % 10 {
        // Long codes, as most are; toll-free numbers; a short code; an account and a campaign that are narrower.
        0..=4 => Limits { number_per_s: Some(1), ..none },
        5 | 6 => Limits { number_per_s: Some(3), ..none },
        7 => Limits { number_per_s: Some(10), ..none },
        8 => Limits { number_per_s: Some(10), account_per_s: Some(5), ..none },
        _ => Limits { number_per_s: Some(10), campaign_per_min: Some(120), ..none },
    }
}

/// Segments that may leave in a stretch that begins with a full allowance.
pub fn allowed(limits: &Limits, stretch_s: f64) -> f64 {
    let of = |limit: Option<u32>, window_s: f64| limit.map(|limit| f64::from(limit) * (stretch_s / window_s).max(1.0));
    let each = [of(limits.number_per_s, 1.0), of(limits.account_per_s, 1.0), of(limits.campaign_per_min, 60.0)];
    each.into_iter().flatten().fold(f64::INFINITY, f64::min)
}

impl Outward {
    /// An engine and a carrier that know each other, with these limits on both sides.
    pub async fn start(
        options: &Options,
        lanes: usize,
        limits: impl Fn(usize) -> Limits,
        messages: usize,
    ) -> anyhow::Result<Self> {
        let run = rand::random();
        let listen = SocketAddr::from(([127, 0, 0, 1], free_port(rand::random())?));
        let carrier = Some(format!("http://{listen}"));
        let setup = Setup { binary: options.engine.clone(), tenants: lanes, carrier, ..Setup::default() };
        let stand = setup.start_as(run).await?;
        let mut scenario = Scenario::load("steady")?;
        scenario.tenants = lanes;
        (scenario.carrier.latency, scenario.carrier.tolerance_ms) = (Latency::none(), TOLERANCE_MS);
        let config = world::carrier_config(run, &scenario, &stand.engine, &listen.to_string())?;
        let mut config = CarrierConfig { messages_max: messages + 1_000, ..config };
        for (lane, line) in config.lines.iter_mut().enumerate() {
            line.limits = limits(lane);
        }
        let carrier = CarrierServer::start(config).await.context("the simulated carrier")?;
        for (lane, tenant) in stand.tenants.iter().enumerate() {
            let name = &tenant.book.tenant;
            let path = format!("/v1/admin/channels/{}/limits", tenant.line);
            stand.admin(lane).await?.put(&path, &settings(&limits(lane), name)).await?;
        }
        Ok(Self { stand, carrier })
    }

    /// Contacts write first: nobody else may be written to.
    pub async fn greet(&self, contacts: u64) -> anyhow::Result<()> {
        let most = contacts * self.stand.tenants.len() as u64;
        let greeting =
            Posting { warm_up: Duration::ZERO, counted: seconds(300.0), most, contacts, ..posting(&self.stand, 0) };
        let posted = post(greeting).await?;
        ensure!(posted.all == most, "{} of {most} contacts could write", posted.all);
        Ok(())
    }

    /// Holds everything back, or lets it leave.
    pub async fn pause(&self, pause: &str) -> anyhow::Result<()> {
        let token = self.stand.engine.token("system", "admin").await?;
        let rest = Rest::new(&format!("http://{}", self.stand.engine.address()), &token)?;
        rest.put("/v1/admin/pause", &json!({"pause": pause})).await.map(drop)
    }

    /// Texts that the carrier took, in its order.
    pub fn taken(&self) -> Vec<Message> {
        let mut taken: Vec<Message> = self.carrier.messages().into_iter().filter(|message| !message.inbound).collect();
        taken.sort_by_key(|message| message.created_us);
        taken
    }
}

fn settings(limits: &Limits, name: &str) -> Value {
    let named = |limit: Option<u32>| limit.map(|limit| json!({"name": name, "limit": limit}));
    json!({
        "account_per_s": limits.account_per_s,
        "brand_per_day": named(limits.brand_per_day),
        "campaign_per_min": named(limits.campaign_per_min),
        "number_per_s": limits.number_per_s,
        "pair_interval_s": limits.pair_interval_s,
    })
}

/// Queues a text; what is refused for now is tried again.
pub async fn queue(connection: &mut Connection, tenant: &Tenant, to: u64, text: &str) -> anyhow::Result<()> {
    let body = json!({"to": contact(to), "channel": tenant.line, "text": text, "idempotency_key": text});
    let request = post_bytes("/v1/messages", &tenant.operator, &body);
    for _ in 0..TRIES {
        match connection.exchange(&request).await?.status {
            200 => return Ok(()),
            429 | 503 => tokio::time::sleep(Duration::from_millis(50)).await,
            status => anyhow::bail!("a text to be queued got {status}"),
        }
    }
    anyhow::bail!("a text was refused {TRIES} times")
}

/// Queues what each lane can send in the time and a little more.
async fn queue_ahead(outward: &Outward, stretch_s: f64) -> anyhow::Result<u64> {
    let address = outward.stand.engine.address();
    let queueing = (0..QUEUEING).map(|share| {
        let tenants = outward.stand.tenants.clone();
        tokio::spawn(async move {
            let (mut connection, mut queued) = (Connection::new(address), 0);
            for (lane, tenant) in tenants.iter().enumerate().skip(share).step_by(QUEUEING) {
                for number in 0..count(&mixed(lane), stretch_s) {
                    queue(&mut connection, tenant, number % CONTACTS, &format!("text {number} of lane {lane}")).await?;
                    queued += 1;
                }
            }
            anyhow::Ok(queued)
        })
    });
    let mut queued = 0;
    for each in futures_util::future::join_all(queueing).await {
        queued += each??;
    }
    Ok(queued)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
fn count(limits: &Limits, stretch_s: f64) -> u64 {
    (allowed(limits, stretch_s) * AHEAD).ceil() as u64 + 2
}

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let (lanes, stretch_s) = (options.full_or_quick(LANES, 10), options.full_or_quick(60.0, 2.0));
    let most = (0..lanes).map(|lane| usize::try_from(count(&mixed(lane), stretch_s)).unwrap_or(0)).sum();
    let outward = Outward::start(options, lanes, mixed, most).await?;
    outward.greet(CONTACTS).await?;
    outward.pause("all").await?;
    let queued = queue_ahead(&outward, stretch_s).await?;
    options.say(&format!("{queued} texts are queued on {lanes} lanes"));
    outward.pause("none").await?;
    let before = outward.stand.cpu()?;
    // A lane's time begins with its first text; the last lane's may be a little later than ours.
    tokio::time::sleep(seconds(stretch_s + options.full_or_quick(5.0, 1.0))).await;
    let used = outward.stand.cpu()?.since(&before);
    let (taken, meter) = (outward.taken(), outward.carrier.meter());
    let (share, least) = shares(&outward.stand.tenants, &taken, stretch_s)?;
    let texts = to_f64(taken.len() as u64);
    let note = format!("the slowest lane {:.1} %; {texts:.0} texts in {stretch_s:.0} s", least * 100.0);
    let forgiven = forgiven(&meter);
    Ok(vec![
        Row::new(7, &format!("texts of {lanes} lanes at mixed limits, of what those allow"), "%", vec![share * 100.0])
            .wants(Wanted::AtLeast(97.0))
            .note(note),
        Row::new(7, "… too early, by the carrier's meter", "texts", vec![to_f64(meter.violations)])
            .wants(Wanted::AtMost(0.0))
            .note(forgiven),
        Row::new(7, "… CPU of the engine for each, callbacks included", "µs", vec![used.as_secs_f64() * 1e6 / texts]),
    ])
}

/// What the meter let pass, and what it did not: at which levels, how early.
fn forgiven(meter: &Report) -> String {
    let mut early: Vec<u64> = meter.described.iter().map(|violation| violation.early_us / 1_000).collect();
    early.sort_unstable();
    let within = format!("{} within {TOLERANCE_MS} ms", meter.within_tolerance);
    let Some(most) = early.last() else { return within };
    let levels: BTreeSet<String> = meter.described.iter().map(|violation| format!("{:?}", violation.level)).collect();
    let levels = levels.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "{within}; of the first {} beyond: {levels}, median {} ms, at most {most} ms",
        early.len(),
        early[early.len() / 2]
    )
}

/// Of what the limits allow: all lanes together, and the slowest.
fn shares(tenants: &[Tenant], taken: &[Message], stretch_s: f64) -> anyhow::Result<(f64, f64)> {
    let mut by_line: HashMap<&str, Vec<u64>> = HashMap::new();
    taken.iter().for_each(|message| by_line.entry(&message.from).or_default().push(message.created_us));
    let (mut sent, mut may, mut least) = (0.0, 0.0, f64::INFINITY);
    for (lane, tenant) in tenants.iter().enumerate() {
        let times = by_line.get(tenant.number.as_str()).with_context(|| format!("lane {lane} sent nothing"))?;
        let from = times.iter().min().copied().unwrap_or(0);
        let within = times.iter().filter(|at| to_f64(**at - from) < stretch_s * 1e6).count();
        let (within, allowed) = (to_f64(within as u64), allowed(&mixed(lane), stretch_s));
        sent += within.min(allowed);
        may += allowed;
        least = least.min(within / allowed);
    }
    Ok((sent / may, least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_lane_may_send_is_its_narrowest_limit() {
        let of = |lane| allowed(&mixed(lane), 60.0);
        assert_eq!([of(0), of(5), of(7), of(8), of(9)], [60.0, 180.0, 600.0, 300.0, 120.0]);
        assert_eq!(allowed(&mixed(9), 2.0), 20.0, "a campaign's minute is not divided");
    }
}
