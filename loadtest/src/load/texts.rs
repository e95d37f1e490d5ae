//! Contacts who write and call: signed webhooks on their due time, whatever the engine does.
//!
//! A contact always uses the same connection, and a connection has one text under way: so what it sends has an order
//! that the log must keep. A text that waits for its connection is late from when it was due, not from when it left.

use std::{
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::{Duration, Instant},
};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::sync::mpsc;

use super::{
    corpus::Corpus,
    figures::{Figures, Requests, count, get},
    findings::{Findings, Kind},
    http::Connection,
    mark::{Mark, mix},
    scenario::{OPERATORS_FROM, Texts},
    schedule::{Schedule, Zipf},
    world::Tenant,
};
use crate::signature::sign;

/// How often the schedule is looked at.
const TICK: Duration = Duration::from_millis(1);
/// After the end, what still waits for its connection is no longer sent.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// Pauses between tries.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What all generators share.
pub struct Shared {
    /// The businesses.
    pub tenants: Vec<Tenant>,
    /// How often each of them is drawn.
    pub zipf: Zipf,
    /// What is written.
    pub corpus: Arc<Corpus>,
    /// The base of signed URLs.
    pub public_url: String,
    /// How far each operator is.
    pub places: Vec<AtomicU64>,
    /// The first lane of each group of texts.
    pub lanes: Vec<u16>,
    /// What is counted.
    pub figures: Figures,
    /// What is wrong.
    pub findings: Findings,
}

impl Shared {
    /// What a sender's lane belongs to: a group of texts, or replies.
    pub fn requests_of(&self, lane: u16) -> &Requests {
        let group = self.lanes.partition_point(|from| *from <= lane).checked_sub(1);
        let texts = group.filter(|_| lane < OPERATORS_FROM).and_then(|group| self.figures.texts.get(group));
        texts.unwrap_or(&self.figures.replies)
    }
}

/// A text whose time came.
struct Arrival {
    due: Instant,
    tenant: usize,
    contact: u64,
    text: usize,
    /// Nobody takes the call that it is.
    is_call: bool,
}

/// Waits until a time and gives how late it is.
pub async fn wait_until(due: Instant) -> Duration {
    let now = Instant::now();
    if due > now {
        // Timers have a resolution of a millisecond; what is due within it goes together.
        tokio::time::sleep((due - now).max(TICK)).await;
    }
    due.elapsed()
}

/// One group of contacts, from its first text to its last answer. `group` is its place in the figures.
pub async fn run(shared: Arc<Shared>, group: usize, texts: Texts, address: std::net::SocketAddr, timing: Timing) {
    let ended = Arc::<OnceLock<Instant>>::default();
    let (senders, posters) = connections(&shared, group, &texts, address, &ended);
    let mut dice = StdRng::seed_from_u64(timing.seed ^ mix(group as u64));
    let schedule = Schedule::new(texts.rate, texts.spacing, timing.whole, timing.seed.wrapping_add(group as u64));
    let after = Duration::from_secs_f64(texts.after_s);
    let until = texts.for_s.map_or(timing.whole, |for_s| (after + Duration::from_secs_f64(for_s)).min(timing.whole));
    let requests = &shared.figures.texts[group];
    // The shape of the rate is over the whole run; what lies outside the group's own time is left out.
    for at in schedule.skip_while(|at| *at < after).take_while(|at| *at < until) {
        if texts.until_shed.is_some_and(|most| get(&requests.shed) >= most) {
            break;
        }
        let due = timing.start + at;
        let late = wait_until(due).await;
        shared.figures.lag.record(0, late);
        let tenant = tenant_of(&texts, &shared.zipf, &mut dice);
        let contact = dice.random_range(0..texts.contacts);
        let is_call = texts.calls > 0.0 && dice.random::<f64>() < texts.calls;
        let arrival = Arrival { due, tenant, contact, text: dice.random_range(0..usize::MAX), is_call };
        count(&requests.offered);
        let whose = if texts.spread { get(&requests.offered) } else { mix(contact ^ mix(tenant as u64)) };
        let place = whose % senders.len() as u64;
        if senders[usize::try_from(place).unwrap_or(0)].try_send(arrival).is_err() {
            count(&requests.shed);
        }
    }
    // A group that looks for an end may have found it long before the run's.
    ended.get_or_init(Instant::now);
    drop(senders);
    futures_util::future::join_all(posters).await;
}

/// To whom the next one goes.
fn tenant_of(texts: &Texts, zipf: &Zipf, dice: &mut StdRng) -> usize {
    loop {
        let drawn = zipf.place(dice.random());
        if texts.except_tenant.is_none_or(|tenant| usize::from(tenant) != drawn) {
            return texts.only_tenant.map_or(drawn, usize::from);
        }
    }
}

/// When a run begins and how long load is offered.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// The beginning.
    pub start: Instant,
    /// How long.
    pub whole: Duration,
    /// Makes it the same as another.
    pub seed: u64,
}

type Posting = tokio::task::JoinHandle<()>;

fn connections(
    shared: &Arc<Shared>,
    group: usize,
    texts: &Texts,
    address: std::net::SocketAddr,
    ended: &Arc<OnceLock<Instant>>,
) -> (Vec<mpsc::Sender<Arrival>>, Vec<Posting>) {
    let lanes_from = shared.lanes[group];
    let open = |index: u16| {
        let (sender, mut arrivals) = mpsc::channel::<Arrival>(texts.waiting);
        let mut poster = Poster {
            shared: shared.clone(),
            group,
            lane: lanes_from + index,
            connection: Connection::new(address),
            retry: Duration::from_secs_f64(texts.retry_s),
            repeat: texts.repeat,
            dice: StdRng::seed_from_u64(mix(u64::from(lanes_from + index))),
        };
        let ended = ended.clone();
        let posting = tokio::spawn(async move {
            while let Some(arrival) = arrivals.recv().await {
                if ended.get().is_some_and(|end| end.elapsed() > FINISH_WITHIN) {
                    count(&poster.requests().shed);
                } else {
                    poster.post(arrival).await;
                }
            }
        });
        (sender, posting)
    };
    (0..texts.connections).map(open).unzip()
}

/// One connection and who writes over it.
struct Poster {
    shared: Arc<Shared>,
    group: usize,
    lane: u16,
    connection: Connection,
    retry: Duration,
    repeat: f64,
    dice: StdRng,
}

/// What became of one try.
enum Tried {
    Taken,
    /// Worth another try, after so long if somebody said so.
    Later(Option<Duration>),
    /// The engine refuses for now, and must say for how long.
    NotNow {
        told: Option<Duration>,
    },
    Never(u16),
}

impl Poster {
    fn requests(&self) -> &Requests {
        &self.shared.figures.texts[self.group]
    }

    async fn post(&mut self, arrival: Arrival) {
        let shared = self.shared.clone();
        let tenant = &shared.tenants[arrival.tenant];
        let mark = tenant.book.begin(self.lane, arrival.due);
        let request = match arrival.is_call {
            true => call(tenant, &shared.public_url, &mark, arrival.contact),
            false => request(tenant, &shared.public_url, &mark, arrival.contact, shared.corpus.text(arrival.text)),
        };
        if !self.deliver(&request, &tenant.book.tenant).await {
            tenant.book.refused(&mark);
            count(&self.requests().refused);
            return;
        }
        self.requests().latency.record(usize::from(self.lane), arrival.due.elapsed());
        count(&self.requests().acked);
        tenant.book.acked(&mark, None, Some(arrival.contact));
        if self.dice.random::<f64>() < self.repeat {
            count(&self.requests().repeated);
            // Whatever comes of it: it must change nothing.
            drop(self.connection.exchange(&request).await);
        }
    }

    /// Posts until it is taken or its time is over.
    async fn deliver(&mut self, request: &[u8], tenant: &str) -> bool {
        let since = Instant::now();
        let mut pause = AGAIN.0;
        loop {
            let wait = match self.once(request).await {
                Tried::Taken => return true,
                Tried::Never(status) => {
                    let findings = &self.shared.findings;
                    findings.add(Kind::Refused, || format!("{tenant}: a signed text got {status}"));
                    return false;
                }
                Tried::Later(told) => told.unwrap_or(pause).min(AGAIN.1),
                Tried::NotNow { told: Some(told) } => told.min(AGAIN.1),
                Tried::NotNow { told: None } => {
                    let findings = &self.shared.findings;
                    findings
                        .add(Kind::Refused, || format!("{tenant}: a 429 or 503 that does not say when to come back"));
                    pause
                }
            };
            if since.elapsed() + wait > self.retry {
                return false;
            }
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(AGAIN.1);
        }
    }

    async fn once(&mut self, request: &[u8]) -> Tried {
        match self.connection.exchange(request).await {
            Ok(answer) if answer.status == 200 => Tried::Taken,
            Ok(answer) if answer.status == 429 || answer.status >= 500 => {
                let told = answer.retry_after_s.map(|seconds| Duration::from_secs(seconds.into()));
                if !matches!(answer.status, 429 | 503) {
                    return Tried::Later(told);
                }
                count(&self.requests().told_later);
                Tried::NotNow { told }
            }
            Ok(answer) => Tried::Never(answer.status),
            Err(_) => Tried::Later(None),
        }
    }
}

/// A contact's number. The same in every tenant: contacts are each tenant's own.
pub fn contact(number: u64) -> String {
    format!("+1415{:07}", 2_000_000 + number)
}

/// One signed request, as Twilio makes them.
pub fn request(tenant: &Tenant, public_url: &str, mark: &Mark, from: u64, body: &str) -> Vec<u8> {
    let sid = mark.sid();
    let form = [
        ("MessageSid", sid.as_str()),
        ("SmsSid", &sid),
        ("AccountSid", &tenant.account_sid),
        ("From", &contact(from)),
        ("To", &tenant.number),
        ("Body", body),
        ("NumMedia", "0"),
        ("NumSegments", &schema::segments::count(body).segments.to_string()),
        ("FromCountry", "US"),
        ("ApiVersion", "2010-04-01"),
    ];
    signed(tenant, public_url, "sms", &form)
}

/// A call to a line that calls are forwarded to when nobody took them: missed from its first webhook on.
fn call(tenant: &Tenant, public_url: &str, mark: &Mark, from: u64) -> Vec<u8> {
    let (sid, from) = (mark.call_sid(), contact(from));
    let form = [
        ("CallSid", sid.as_str()),
        ("AccountSid", &tenant.account_sid),
        ("From", &from),
        ("Caller", &from),
        ("To", &tenant.number),
        ("Called", &tenant.number),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("FromCountry", "US"),
        ("ApiVersion", "2010-04-01"),
    ];
    signed(tenant, public_url, "voice", &form)
}

fn signed(tenant: &Tenant, public_url: &str, hook: &str, form: &[(&str, &str)]) -> Vec<u8> {
    let path = format!("/webhooks/twilio/{}/{hook}", tenant.line);
    let form: Vec<(String, String)> = form.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let signature = sign(&tenant.auth_token, &format!("{public_url}{path}"), &form);
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         X-Twilio-Signature: {signature}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
