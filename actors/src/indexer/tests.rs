//! The indexer over memory: everything once, also after failures, crashes, a trimmed or another log.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use schema::{
    address::Address,
    command::{Command, ReceiveMessage, Registration, Request},
    event::{Author, Origin, Via},
    ids::{AccountId, ChannelId, ContactId, Epoch, NodeId},
};

use super::*;
use crate::{
    engine::{Engine, Limits, Ports, Setup},
    memory::{MemoryKeys, MemoryLog, MemorySearch, MemoryViews, RecordingCarrier, SystemClock, SystemIds},
    pace::LocalLimiter,
    ports::{Ids, SearchMatches, SearchQuery},
};

/// An index that fails now and then, and forgets on failure what it had not committed, as the contract says.
#[derive(Default)]
struct Unreliable {
    committed: MemorySearch,
    waiting: std::sync::Mutex<Vec<SearchBatch>>,
    failures: AtomicUsize,
    seen: std::sync::Mutex<Vec<Offset>>,
}

impl Unreliable {
    fn fail(&self) -> Result<(), SearchError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left == 0 {
            return Ok(());
        }
        self.failures.store(left - 1, Ordering::Relaxed);
        self.waiting.lock().expect("no panic").clear();
        Err(SearchError::Unavailable("as asked".to_owned()))
    }
}

#[async_trait]
impl Search for Unreliable {
    async fn checkpoint(&self, tenant: &TenantId) -> Result<Option<SearchCheckpoint>, SearchError> {
        let waiting = self.waiting.lock().expect("no panic").last().map(|batch| batch.checkpoint);
        match waiting {
            Some(checkpoint) => Ok(Some(checkpoint)),
            None => self.committed.checkpoint(tenant).await,
        }
    }
    async fn index(&self, batch: SearchBatch) -> Result<(), SearchError> {
        self.fail()?;
        self.waiting.lock().expect("no panic").push(batch);
        Ok(())
    }
    async fn commit(&self) -> Result<(), SearchError> {
        self.fail()?;
        let batches = std::mem::take(&mut *self.waiting.lock().expect("no panic"));
        for batch in batches {
            let offsets = batch.documents.iter().map(|document| document.offset);
            self.seen.lock().expect("no panic").extend(offsets);
            self.committed.index(batch).await?;
        }
        Ok(())
    }
    async fn find(&self, query: SearchQuery) -> Result<SearchMatches, SearchError> {
        self.committed.find(query).await
    }
    async fn forget(&self, tenant: &TenantId, subject: ContactId) -> Result<(), SearchError> {
        self.committed.forget(tenant, subject).await
    }
    async fn clear(&self, tenant: &TenantId) -> Result<(), SearchError> {
        self.committed.clear(tenant).await
    }
    fn highlight(&self, question: &str, text: &str) -> Vec<std::ops::Range<usize>> {
        self.committed.highlight(question, text)
    }
}

struct World {
    engine: Engine,
    log: Arc<MemoryLog>,
    advances: Arc<Advances>,
    search: Arc<Unreliable>,
}

fn acme() -> TenantId {
    TenantId::new("acme").expect("a slug")
}

fn request(command: Command) -> Request {
    let origin = Origin { by: Author::Engine, via: Via::Engine, request: SystemIds.request() };
    Request { command, origin, key: None }
}

impl World {
    async fn new() -> Self {
        let (log, advances) = (Arc::new(MemoryLog::default()), Arc::new(Advances::default()));
        let ports = Ports {
            log: log.clone(),
            views: Arc::new(MemoryViews::default()),
            keys: Arc::new(MemoryKeys::default()),
            limiter: Arc::new(LocalLimiter::default()),
            carrier: Arc::new(RecordingCarrier::default()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        };
        let setup = Setup {
            node: NodeId::new("one").expect("a slug"),
            ports,
            limits: Limits::default(),
            arbiters: 1,
            advances: vec![advances.clone()],
            directory: Arc::default(),
        };
        let engine = Engine::start(setup).await.expect("it starts");
        let register = request(Command::Register(Registration::Tenant(acme())));
        engine.submit(&TenantId::system(), register).await.expect("registered");
        let account = AccountId::new("account").expect("a slug");
        let carrier_id = "AC1".to_owned();
        let known = Registration::Account { account: account.clone(), tenant: acme(), carrier_id };
        engine.submit(&TenantId::system(), request(Command::Register(known))).await.expect("registered");
        Self { engine, log, advances, search: Arc::default() }
    }

    async fn receive(&self, text: &str) -> Offset {
        let message = ReceiveMessage {
            channel: ChannelId::new("line").expect("a slug"),
            from: Address::from_carrier("+12125550001").expect("a number"),
            carrier_id: SystemIds.uuid().to_string(),
            text: text.to_owned(),
            media: Vec::new(),
            segments: 1,
            carrier_keyword: None,
        };
        let reply = self.engine.submit(&acme(), request(Command::Receive(message))).await;
        reply.expect("stored").offset
    }

    fn start(&self) -> tokio::task::JoinHandle<()> {
        let config = IndexerConfig { commit_interval: Duration::from_millis(5), read_bytes: 1 };
        let (vault, search) = (self.engine.vault().clone(), self.search.clone());
        tokio::spawn(Indexer::new(self.log.clone(), vault, search, self.advances.clone(), config).run())
    }

    /// Waits until the committed index holds everything up to `offset`.
    async fn indexed(&self, offset: Offset) -> SearchCheckpoint {
        let wait = async {
            loop {
                let at = self.search.committed.checkpoint(&acme()).await.expect("memory");
                if let Some(at) = at.filter(|at| at.offset >= offset) {
                    return at;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the indexer never caught up")
    }

    fn seen(&self) -> Vec<Offset> {
        self.search.seen.lock().expect("no panic").clone()
    }
}

#[tokio::test]
async fn what_was_there_before_and_what_comes_later_is_indexed_once() {
    let world = World::new().await;
    let before = world.receive("before").await;
    let follower = world.start();
    world.indexed(before).await;
    let later = world.receive("later").await;
    world.indexed(later).await;
    assert!(world.seen().contains(&before) && world.seen().contains(&later));
    follower.abort();
}

#[tokio::test]
async fn an_index_that_fails_is_tried_again_and_holds_nothing_twice() {
    let world = World::new().await;
    let mut last = Offset(0);
    for number in 0..10 {
        last = world.receive(&format!("text {number}")).await;
    }
    world.search.failures.store(3, Ordering::Relaxed);
    let follower = world.start();
    world.indexed(last).await;
    let seen = world.seen();
    let once: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(seen.len(), once.len(), "{seen:?}");
    assert_eq!(seen.len(), 10, "ten texts");
    follower.abort();
}

#[tokio::test]
async fn after_a_crash_it_goes_on_from_the_checkpoint() {
    let world = World::new().await;
    let first = world.receive("first").await;
    let follower = world.start();
    world.indexed(first).await;
    follower.abort();
    let second = world.receive("second").await;
    let follower = world.start();
    world.indexed(second).await;
    assert_eq!(world.seen().iter().filter(|offset| **offset == first).count(), 1);
    follower.abort();
}

#[tokio::test]
async fn an_index_of_another_log_is_thrown_away() {
    let world = World::new().await;
    let stale = SearchCheckpoint { epoch: Epoch(0), offset: Offset(1_000) };
    let batch = SearchBatch { tenant: acme(), documents: Vec::new(), checkpoint: stale };
    world.search.committed.index(batch).await.expect("memory");
    let last = world.receive("hello").await;
    let follower = world.start();
    let wait = async {
        while !world.seen().contains(&last) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the text was never indexed");
    let epoch = world.log.anchor(&FeedId::of(&acme())).await.expect("memory").epoch;
    assert_eq!(world.indexed(last).await.epoch, epoch);
    follower.abort();
}
