//! What is counted and timed while a run goes on, and its course over time. Bounded, however long the run is.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use serde::Serialize;

/// Rows of the course; beyond it two become one.
const ROWS_MAX: usize = 1_200;
/// Recorders that do not wait for each other.
const SHARDS: usize = 8;
/// Longest latency told apart: ten minutes.
const LONGEST_US: u64 = 600_000_000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("bounds and precision are valid")
}

/// Latencies in microseconds.
#[derive(Debug)]
pub struct Latency {
    shards: Vec<Mutex<Histogram<u64>>>,
    whole: Mutex<Histogram<u64>>,
}

impl Default for Latency {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Histogram::new(3).expect("the precision is valid"))).collect();
        Self { shards, whole: Mutex::new(histogram()) }
    }
}

impl Latency {
    /// Adds one. `by` spreads recorders.
    pub fn record(&self, by: usize, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).clamp(1, LONGEST_US);
        // Within its bounds, which grow by themselves.
        let _ = lock(&self.shards[by % SHARDS]).record(micros);
    }

    /// What came since the last time.
    pub fn turn(&self) -> Histogram<u64> {
        let mut since = histogram();
        for shard in &self.shards {
            let mut shard = lock(shard);
            let _ = since.add(&*shard);
            shard.reset();
        }
        let _ = lock(&self.whole).add(&since);
        since
    }

    /// Everything up to the last turn.
    pub fn whole(&self) -> Histogram<u64> {
        lock(&self.whole).clone()
    }
}

/// Requests of one kind.
#[derive(Debug, Default)]
pub struct Requests {
    /// As in reports.
    pub name: String,
    /// Arrivals whose time came.
    pub offered: AtomicU64,
    /// Taken.
    pub acked: AtomicU64,
    /// Told to come back, or not reached, until we gave up.
    pub refused: AtomicU64,
    /// Never sent: their sender was still waiting for too many others.
    pub shed: AtomicU64,
    /// Tries that were told to come back: 429 or 503.
    pub told_later: AtomicU64,
    /// Taken ones that were sent again.
    pub repeated: AtomicU64,
    /// From when it should have been sent to its acknowledgement.
    pub latency: Latency,
    /// From when it should have been sent to each operator's seeing it.
    pub screen: Latency,
}

impl Requests {
    /// Under a name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Offered and not decided yet.
    pub fn outstanding(&self) -> u64 {
        let decided = get(&self.acked) + get(&self.refused) + get(&self.shed);
        get(&self.offered).saturating_sub(decided)
    }
}

/// Reads a counter.
pub fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Adds one to a counter.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Figures {
    /// Texts, by group.
    pub texts: Vec<Requests>,
    /// Replies of operators.
    pub replies: Requests,
    /// Publications that operators received.
    pub pushes: AtomicU64,
    /// From the loss of a connection to having seen everything again.
    pub resume: Latency,
    /// Connections that were lost, for whatever reason.
    pub lost: AtomicU64,
    /// How late the generator released arrivals.
    pub lag: Latency,
    /// Operators who are connected.
    pub connected: AtomicI64,
}

/// A second of the course, or more when the run is long. Rates are a second's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Row {
    /// Since the load began.
    pub at_s: f64,
    /// How much time it covers.
    pub for_s: f64,
    /// Texts whose time came.
    pub offered: f64,
    /// Texts taken.
    pub acked: f64,
    /// Texts refused or never sent.
    pub refused: f64,
    /// Replies taken.
    pub replies: f64,
    /// Publications received.
    pub pushes: f64,
    /// Text to 200, half are faster.
    pub ack_p50_ms: f64,
    /// Text to 200, one in a hundred is slower.
    pub ack_p99_ms: f64,
    /// Text to an operator's screen.
    pub push_p50_ms: f64,
    /// Text to an operator's screen.
    pub push_p99_ms: f64,
    /// Cores that the server uses.
    pub cpu: f64,
    /// The server's memory.
    pub resident_mib: f64,
    /// The harness's own memory.
    pub own_mib: f64,
    /// Operators who are connected.
    pub connected: f64,
}

/// The course of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Course {
    /// In order of time.
    pub rows: Vec<Row>,
    /// Seconds that a row covers now.
    joined: usize,
    /// The row that is being joined.
    #[serde(skip)]
    part: Vec<Row>,
}

impl Course {
    /// The next second.
    pub fn push(&mut self, row: Row) {
        self.part.push(row);
        if self.part.len() < self.joined.max(1) {
            return;
        }
        let joined = join(&self.part);
        self.part.clear();
        self.rows.push(joined);
        if self.rows.len() >= ROWS_MAX {
            self.rows = self.rows.chunks(2).map(join).collect();
            self.joined = self.joined.max(1) * 2;
        }
    }

    /// What is left.
    pub fn finish(&mut self) {
        if !self.part.is_empty() {
            self.rows.push(join(&self.part));
            self.part.clear();
        }
    }
}

/// Rates are averaged, the rest is the worst.
fn join(rows: &[Row]) -> Row {
    let for_s: f64 = rows.iter().map(|row| row.for_s).sum();
    let mean = |of: fn(&Row) -> f64| rows.iter().map(|row| of(row) * row.for_s).sum::<f64>() / for_s.max(1e-9);
    let most = |of: fn(&Row) -> f64| rows.iter().map(of).fold(0.0, f64::max);
    Row {
        at_s: rows.first().map_or(0.0, |row| row.at_s),
        for_s,
        offered: mean(|row| row.offered),
        acked: mean(|row| row.acked),
        refused: mean(|row| row.refused),
        replies: mean(|row| row.replies),
        pushes: mean(|row| row.pushes),
        ack_p50_ms: most(|row| row.ack_p50_ms),
        ack_p99_ms: most(|row| row.ack_p99_ms),
        push_p50_ms: most(|row| row.push_p50_ms),
        push_p99_ms: most(|row| row.push_p99_ms),
        cpu: mean(|row| row.cpu),
        resident_mib: most(|row| row.resident_mib),
        own_mib: most(|row| row.own_mib),
        connected: mean(|row| row.connected),
    }
}

/// Latencies as reports name them.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many.
    pub count: u64,
    /// Half are faster.
    pub p50_ms: f64,
    /// One in ten is slower.
    pub p90_ms: f64,
    /// One in a hundred is slower.
    pub p99_ms: f64,
    /// One in a thousand is slower.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// The whole curve: each percentile with its milliseconds.
    pub curve: Vec<(f64, f64)>,
}

impl Quantiles {
    /// Of a histogram of microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |quantile: f64| to_ms(histogram.value_at_quantile(quantile));
        let steps = (0..=50_u32).map(|step| 1.0 - 10_f64.powf(-f64::from(step) / 10.0));
        let curve = steps.map(|quantile| (quantile * 100.0, ms(quantile))).collect();
        Self {
            count: histogram.len(),
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: to_ms(histogram.max()),
            curve: if histogram.is_empty() { Vec::new() } else { curve },
        }
    }
}

/// Microseconds as milliseconds.
pub fn to_ms(micros: u64) -> f64 {
    to_f64(micros) / 1e3
}

/// With commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// For people.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_of_any_length_stays_small_and_keeps_its_rates_and_its_worst() {
        let mut course = Course::default();
        for second in 0..100_000_u32 {
            let slow = if second == 77_777 { 900.0 } else { 5.0 };
            let row = Row { at_s: second.into(), for_s: 1.0, acked: 100.0, ack_p99_ms: slow, ..Row::default() };
            course.push(row);
        }
        course.finish();
        assert!(course.rows.len() <= ROWS_MAX, "{}", course.rows.len());
        assert!(course.rows.iter().all(|row| (row.acked - 100.0).abs() < 1e-6));
        assert!(course.rows.iter().any(|row| row.ack_p99_ms == 900.0));
        let whole: f64 = course.rows.iter().map(|row| row.for_s).sum();
        assert!((whole - 100_000.0).abs() < 1e-6);
    }

    #[test]
    fn latencies_are_turned_over_into_the_whole() {
        let latency = Latency::default();
        (1..=100).for_each(|ms| latency.record(usize::try_from(ms).unwrap(), Duration::from_millis(ms)));
        assert_eq!(latency.turn().len(), 100);
        assert_eq!(latency.turn().len(), 0);
        let quantiles = Quantiles::of(&latency.whole());
        assert!((49.0..51.5).contains(&quantiles.p50_ms), "{quantiles:?}");
        assert!(quantiles.curve.is_sorted_by(|a, b| a.1 <= b.1));
    }
}
