//! Limiters of several nodes that share one Redis, each with a keeper of its own, sending as fast as they may.

use std::{sync::Arc, time::Duration};

use actors::{
    contracts::limiter::{Asker, unlimited, violations},
    memory::SystemClock,
    pace::{DayMark, Keeper, LocalLimiter, PaceOptions, SharedOptions, Standing},
    ports::{Admission, Clock as _, Grants, Limiter as _},
};
use deskwire::limit::{RedisGrants, RedisOptions};
use schema::{settings::LimitSettings, time::Stamp};
use tokio::{sync::mpsc, task::JoinHandle};

use crate::support::{redis::Redis, wait::pace};

/// The longest slice of these tests: short, so that what must wait for its end is seen in seconds.
pub const SLICE: Duration = Duration::from_millis(1_000);
/// An answer that takes longer is none.
pub const WITHIN: Duration = Duration::from_millis(250);
/// Segments a second of the account that all of them send under.
pub const LIMIT: u32 = 60;

/// Where and how to ask.
pub fn options(url: String) -> RedisOptions {
    RedisOptions {
        url,
        sentinel_tls: false,
        authorities: None,
        sentinels: Vec::new(),
        service: "deskwire".to_owned(),
        user: String::new(),
        password: String::new(),
        prefix: "test".to_owned(),
        answer_within: WITHIN,
        replicas: 0,
    }
}

/// The adapter on this server.
pub fn grants(redis: &Redis) -> RedisGrants {
    RedisGrants::new(&options(redis.url())).unwrap()
}

/// A node: a limiter, its keeper, and lanes that send. Ends when dropped.
pub struct Node {
    pub limiter: Arc<LocalLimiter>,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Node `number` of `members`, with four lanes on one account.
    pub fn start(number: u32, members: u32, grants: Arc<dyn Grants>, limits: &LimitSettings, sent: &Sent) -> Self {
        let options = SharedOptions {
            node: format!("node-{number}"),
            holder: format!("process-{number}-{}", SystemClock.now()),
            members,
            slice_max: SLICE,
            answer_within: WITHIN,
        };
        let clock = Arc::new(SystemClock);
        let marks: Option<Vec<DayMark>> = Some(Vec::new());
        let limiter = LocalLimiter::started_at(PaceOptions::default(), clock.now()).timed_by(clock.clone());
        let limiter = Arc::new(limiter.shared(options, marks, clock.now()));
        let keeper = Keeper::new(limiter.clone(), grants, clock, WITHIN, Arc::new(|_| Ok(())));
        let mut tasks = vec![tokio::spawn(keeper.run())];
        for lane in 0..4 {
            let asker = Asker::new(number, 0, number * 100 + lane, limits.clone());
            tasks.push(tokio::spawn(send(limiter.clone(), asker, number, sent.to.clone())));
        }
        Self { limiter, tasks }
    }

    /// Whether the server answers it.
    pub fn is_here(&self) -> bool {
        self.limiter.standing() == Some(Standing::Here)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// A lane that always has a text: admitted, then at the door, stamped as it leaves.
async fn send(limiter: Arc<LocalLimiter>, asker: Asker, node: u32, sent: mpsc::Sender<(Stamp, u32)>) {
    let mut contact = 0;
    loop {
        contact += 1;
        while let Admission::NotBefore { at, .. } = limiter.admit(&asker.text(contact, 1), SystemClock.now()) {
            pace(at.since(SystemClock.now()).clamp(Duration::from_millis(1), Duration::from_secs(1))).await;
        }
        loop {
            let now = SystemClock.now();
            match limiter.depart(&asker.text(contact, 1), now) {
                Admission::Granted => {
                    let _ = sent.try_send((now, node));
                    break;
                }
                Admission::NotBefore { at, .. } => pace(at.since(now).max(Duration::from_millis(1))).await,
            }
        }
    }
}

/// The carrier's meter.
pub struct Sent {
    to: mpsc::Sender<(Stamp, u32)>,
    from: mpsc::Receiver<(Stamp, u32)>,
    all: Vec<(Stamp, u32)>,
}

impl Sent {
    /// Nothing yet.
    pub fn new() -> Self {
        let (to, from) = mpsc::channel(1_000_000);
        Self { to, from, all: Vec::new() }
    }

    /// Everything that has left: when and from which node, in order.
    pub fn all(&mut self) -> &[(Stamp, u32)] {
        while let Ok(sent) = self.from.try_recv() {
            self.all.push(sent);
        }
        self.all.sort_unstable();
        &self.all
    }

    /// Texts of a node since then.
    pub fn of(&mut self, node: u32, since: Stamp) -> usize {
        self.all().iter().filter(|(at, of)| *of == node && *at >= since).count()
    }

    /// Texts of all since then, of what the limit allows in that time.
    pub fn used(&mut self, since: Stamp, limit: u32) -> f64 {
        let texts = self.all().iter().filter(|(at, _)| *at >= since).count();
        texts as f64 / (f64::from(limit) * SystemClock.now().since(since).as_secs_f64())
    }

    /// Windows of a second that held too much, by the stamps of sending.
    pub fn violations(&mut self, limit: u32) -> usize {
        let all: Vec<(u64, u32)> = self.all().iter().map(|(at, _)| (at.0, 1)).collect();
        violations(&all, 1_000_000, limit)
    }
}

/// An account of [`LIMIT`] a second.
pub fn account() -> LimitSettings {
    LimitSettings { account_per_s: Some(LIMIT), ..unlimited() }
}

/// Now, by the clock that texts are stamped with.
pub fn now() -> Stamp {
    SystemClock.now()
}
