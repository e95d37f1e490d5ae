//! Three CQL servers under two nodes, and under two bare writers beside them: one server is lost, then two, then they return.
//! They and everything else would starve each other: `make test` runs this after the rest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actors::{
    contracts::sample::{Writer, feed},
    ports::{AppendError, Log},
};
use deskwire::store::cql::{CqlOptions, CqlStore, migrate};
use schema::{event::SealedBatch, ids::Offset};

use super::{Scene, world::World};
use crate::support::{
    cql_cluster::Servers,
    process::short_or_long,
    wait::{pace, until_within},
};

/// A server is missed, and found again, on a busy machine.
const NOTICED: Duration = Duration::from_secs(120);
/// Between two appends of a writer.
const EVERY: Duration = Duration::from_millis(200);

/// An append that was acknowledged.
struct Acked {
    batch: SealedBatch,
    began: Instant,
    ended: Instant,
}

/// Two owners' writers on one feed, each with a connection of its own.
struct Duel {
    options: CqlOptions,
    stop: Arc<AtomicBool>,
    writers: Vec<tokio::task::JoinHandle<Vec<Acked>>>,
}

impl Duel {
    async fn begin(servers: &Servers) -> Self {
        let options = servers.options("duel");
        migrate(&options).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for node in ["n1", "n2"] {
            let log = CqlStore::open(&options).await.unwrap().log();
            let stop = stop.clone();
            writers.push(tokio::spawn(async move { write(&*log, node, &stop).await }));
        }
        Self { options, stop, writers }
    }

    /// What was acknowledged is there, nothing is twice, and there is one order: that of the acknowledgements where one
    /// ended before the other began.
    async fn ends(self) {
        self.stop.store(true, Ordering::Relaxed);
        let mut acked = Vec::new();
        for writer in self.writers {
            let own = writer.await.unwrap();
            assert!(own.len() >= 10, "each of two has its turns: {}", own.len());
            acked.extend(own);
        }
        acked.sort_by_key(|acked| acked.batch.header.number);
        let wrong = acked.iter().enumerate().flat_map(|(at, one)| acked[at..].iter().map(move |later| (one, later)));
        let wrong = wrong.filter(|(one, later)| later.ended < one.began).count();
        assert_eq!(wrong, 0, "pairs of appends whose order is not that of their numbers");
        let numbers: Vec<u64> = acked.iter().map(|acked| acked.batch.header.number.0).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each number is won once");
        let log = CqlStore::open(&self.options).await.unwrap().log();
        let read = log.read(&feed("a"), Offset(1), usize::MAX).await.unwrap();
        assert!(read.iter().eq(acked.iter().map(|acked| &acked.batch)), "and is what is read");
        eprintln!("{} appends of two writers have one order", acked.len());
    }
}

async fn write(log: &dyn Log, node: &'static str, stop: &AtomicBool) -> Vec<Acked> {
    let feed = feed("a");
    let mut acked = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        pace(EVERY).await;
        let Ok(head) = log.head(&feed).await else { continue };
        let mut writer = Writer::new(&feed, node);
        let batch = (0..head.next_batch.0).map(|_| writer.batch(1)).last().expect("numbers begin with 1");
        let began = Instant::now();
        // Until it is certain: the same again.
        loop {
            match log.append(batch.clone()).await {
                Ok(()) => break acked.push(Acked { batch, began, ended: Instant::now() }),
                Err(AppendError::Fenced { .. }) => break,
                Err(AppendError::Unknown { .. } | AppendError::Unavailable { .. }) => pace(EVERY).await,
                Err(error) => panic!("{error}"),
            }
        }
    }
    acked
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cql_servers_acknowledged_stays_in_one_order_whatever_becomes_of_one_or_two_of_them() {
    let mut servers = tokio::task::block_in_place(Servers::start);
    let mut world = World::start_over(&servers, "servers").await;
    let duel = Duel::begin(&servers).await;
    let scene = Scene::begin(&world, world.urls()).await;
    let takes = async |what: &str, texts: usize| {
        let before = scene.load.count();
        until_within(NOTICED, what, async || scene.load.count() >= before + texts).await;
    };
    for &server in short_or_long((&[0][..], &[2, 0, 1])) {
        servers.kill(server);
        takes("texts to be taken with two of three servers", 100).await;
        tokio::task::block_in_place(|| servers.restart(server));
        takes("texts to be taken with three again", 60).await;
    }
    eprintln!("with one of three lost a text waited {:?} at most", scene.load.longest());
    servers.kill(1);
    servers.kill(2);
    let (refused, since) = (scene.load.refused(), Instant::now());
    until_within(NOTICED, "texts to be refused", async || scene.load.refused() >= refused + 40).await;
    eprintln!("with one of three left 40 were refused within {:?}", since.elapsed());
    let taken = scene.load.count();
    until_within(NOTICED, "more to be refused", async || scene.load.refused() >= refused + 80).await;
    eprintln!("and 80 within {:?}", since.elapsed());
    assert_eq!(scene.load.count(), taken, "one copy of three acknowledges nothing");
    tokio::task::block_in_place(|| servers.restart(1));
    takes("texts to be taken again, by itself", 60).await;
    tokio::task::block_in_place(|| servers.restart(2));
    duel.ends().await;
    scene.ends(&mut world).await;
}
