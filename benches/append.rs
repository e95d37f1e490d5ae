//! Bar 3: durable append through the tenant actor, against bare fjall and against a bare write and fdatasync, with the
//! same batches in the same run. The bare ones keep what a log must: a batch of a tenant waits for the one before.
#![allow(clippy::disallowed_methods, reason = "a bench has the real time and its own arguments")]

mod support;

use std::{
    collections::HashMap,
    fs::File,
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use actors::ports::{Anchor, AppendError, Head, Log, LogError, WakeEntry};
use async_trait::async_trait;
use mimalloc::MiMalloc;
use schema::{
    event::SealedBatch,
    ids::{FeedId, Offset},
    time::Stamp,
};
use support::{
    World,
    figures::{Run, Wanted},
    found, limits, send, shipped_store, start, viewed,
};
use tokio::sync::oneshot;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const TENANTS: usize = 64;
const CONTACTS: u64 = 500;
/// Texts under way at once: as many as connections in bar 1.
const TOGETHER: u64 = 256;
/// Most that one fsync carries, as in the engine.
const GROUP_BYTES: usize = 8 << 20;
const RUNS: usize = 3;

fn main() {
    let mut run = Run::new("append");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure(&mut run));
    run.end();
}

/// The store's log, which remembers what was appended while it is told to.
struct Recorder {
    log: Arc<dyn Log>,
    batches: Mutex<Option<Vec<SealedBatch>>>,
}

#[async_trait]
impl Log for Recorder {
    async fn anchor(&self, feed: &FeedId) -> Result<Anchor, LogError> {
        self.log.anchor(feed).await
    }
    async fn head(&self, feed: &FeedId) -> Result<Head, LogError> {
        self.log.head(feed).await
    }
    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        if let Some(batches) = &mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner) {
            batches.push(batch.clone());
        }
        self.log.append(batch).await
    }
    async fn read(&self, feed: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        self.log.read(feed, from, max_bytes).await
    }
    async fn trim(&self, feed: &FeedId, oldest: Offset) -> Result<(), LogError> {
        self.log.trim(feed, oldest).await
    }
    async fn due(&self, until: Stamp, limit: usize) -> Result<Vec<WakeEntry>, LogError> {
        self.log.due(until, limit).await
    }
    async fn feeds(&self, after: Option<&FeedId>, limit: usize) -> Result<Vec<FeedId>, LogError> {
        self.log.feeds(after, limit).await
    }
}

/// Texts a second through the engine, and the batches it made of them.
async fn engine(directory: &Path, texts: u64) -> (f64, Vec<SealedBatch>) {
    let store = shipped_store(directory);
    let recorder = Arc::new(Recorder { log: store.log(), batches: Mutex::new(None) });
    let engine = start(World { log: recorder.clone(), ..World::of(&store) }, limits()).await;
    found(&engine, TENANTS).await;
    let of = |number: u64| (usize::try_from(number).unwrap_or(0) % TENANTS, number / TENANTS as u64 % CONTACTS, number);
    let known = TENANTS as u64 * CONTACTS.min(texts / 100);
    send(&engine, known, TOGETHER, of).await;
    viewed(&engine, TENANTS).await;
    *recorder.batches.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    let since = Instant::now();
    send(&engine, texts, TOGETHER, move |number| {
        // Only contacts who are known: a new one waits for its key's own fsync.
        let (owner, contact, _) = of(number % known);
        (owner, contact, 1_000_000_000 + number)
    })
    .await;
    let took = since.elapsed();
    let batches = recorder.batches.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
    engine.drain(Duration::from_secs(30)).await;
    drop(engine);
    store.close();
    (rate(texts, took), batches)
}

fn rate(texts: u64, took: Duration) -> f64 {
    f64::from(u32::try_from(texts).unwrap_or(u32::MAX)) / took.as_secs_f64()
}

/// One batch on its way to a bare store.
struct Job {
    key: Vec<u8>,
    bytes: bytes::Bytes,
    done: oneshot::Sender<()>,
}

/// Takes what waits, up to a group, and makes it durable in one go.
fn groups(jobs: &mpsc::Receiver<Job>, mut commit: impl FnMut(&[Job])) {
    while let Ok(first) = jobs.recv() {
        let (mut bytes, mut group) = (first.bytes.len(), vec![first]);
        while bytes < GROUP_BYTES
            && let Ok(next) = jobs.try_recv()
        {
            bytes += next.bytes.len();
            group.push(next);
        }
        commit(&group);
        for job in group {
            // Whoever waits is there until the end.
            let _ = job.done.send(());
        }
    }
}

/// Texts a second of the same batches through a bare store: each tenant's one after the other, all tenants at once.
async fn bare(batches: &[SealedBatch], texts: u64, commit: impl FnMut(&[Job]) + Send + 'static) -> f64 {
    let mut by_feed: HashMap<&FeedId, Vec<(Vec<u8>, bytes::Bytes)>> = HashMap::new();
    for batch in batches {
        let number = batch.header.number.0.to_be_bytes();
        let key = [batch.header.feed.to_string().as_bytes(), &number].concat();
        by_feed.entry(&batch.header.feed).or_default().push((key, batch.encode().expect("it was appended")));
    }
    let (queue, jobs) = mpsc::sync_channel::<Job>(4_096);
    let since = Instant::now();
    let thread = std::thread::spawn(move || groups(&jobs, commit));
    let writers: Vec<_> = by_feed
        .into_values()
        .map(|batches| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for (key, bytes) in batches {
                    let (done, durable) = oneshot::channel();
                    queue.send(Job { key, bytes, done }).expect("the writer waits for jobs");
                    durable.await.expect("the writer answers");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let took = since.elapsed();
    drop(queue);
    thread.join().expect("the writer ends");
    rate(texts, took)
}

async fn bare_fjall(directory: &Path, batches: &[SealedBatch], texts: u64) -> f64 {
    let database = fjall::Database::builder(directory).open().expect("a scratch directory");
    let rows = database.keyspace("log", fjall::KeyspaceCreateOptions::default).expect("a keyspace");
    let commit = move |group: &[Job]| {
        let batch = fjall::OwnedWriteBatch::with_capacity(database.clone(), group.len());
        let mut batch = batch.durability(Some(fjall::PersistMode::SyncData));
        group.iter().for_each(|job| batch.insert(&rows, job.key.as_slice(), &*job.bytes));
        batch.commit().expect("a scratch disk takes it");
    };
    bare(batches, texts, commit).await
}

async fn bare_file(path: &Path, batches: &[SealedBatch], texts: u64) -> f64 {
    let mut file = File::create(path).expect("a scratch directory");
    let commit = move |group: &[Job]| {
        let bytes: Vec<u8> = group.iter().flat_map(|job| job.bytes.iter().copied()).collect();
        file.write_all(&bytes).and_then(|()| file.sync_data()).expect("a scratch disk takes it");
    };
    bare(batches, texts, commit).await
}

async fn measure(run: &mut Run) {
    let texts = run.full_or_quick(300_000, 2_000);
    let (mut rates, mut of_fjall, mut of_file) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fjalls, mut files, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..run.full_or_quick(RUNS, 1) {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let (through, batches) = engine(&directory.path().join("engine"), texts).await;
        let fjall = bare_fjall(&directory.path().join("fjall"), &batches, texts).await;
        let file = bare_file(&directory.path().join("file"), &batches, texts).await;
        run.say(&format!("run {turn}: {through:.0}/s, fjall {fjall:.0}/s, file {file:.0}/s"));
        sizes.push(rate(texts, Duration::from_secs(batches.len().max(1) as u64)));
        of_fjall.push(through / fjall);
        of_file.push(through / file);
        for (figures, figure) in [(&mut rates, through), (&mut fjalls, fjall), (&mut files, file)] {
            figures.push(figure);
        }
    }
    let size = format!("{:.1} texts a batch", sizes[sizes.len() / 2]);
    run.row(
        3,
        "durable append through the tenant actor, 64 tenants, 256 under way",
        "/s",
        rates,
        &Wanted::Nothing,
        &size,
    );
    run.row(3, "… bare fjall, same batches, an fdatasync a group", "/s", fjalls, &Wanted::Nothing, "");
    run.row(3, "… bare write and fdatasync, same batches", "/s", files, &Wanted::Nothing, "");
    run.row(3, "… the engine, of bare fjall", "×", of_fjall, &Wanted::AtLeast(0.8), "views written behind it included");
    run.row(3, "… the engine, of write and fdatasync", "×", of_file, &Wanted::Nothing, "");
}
