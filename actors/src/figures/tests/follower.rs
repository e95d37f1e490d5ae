//! The follower over memory: from a snapshot, from a damaged one, over a trimmed log, with little memory.

use schema::{
    event::{BatchHeader, SealedBatch, StoredEvent},
    ids::{BatchId, BatchNumber},
};

use super::*;
use crate::memory::{MemoryLog, MemorySnapshots};

struct World {
    log: Arc<MemoryLog>,
    snapshots: Arc<MemorySnapshots>,
    config: FiguresConfig,
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

/// A batch of one missed call.
fn call(name: &str, number: u64) -> SealedBatch {
    let fact = CallMissed { carrier_id: String::new(), channel: line(0) }.into();
    let stamp = Stamp(1_700_000_000 * SECOND + number);
    let header = header(number as usize - 1, stamp, ConversationId(Uuid::from_u128(1)));
    let mut body = Vec::new();
    StoredEvent { header, fact, parts: Vec::new() }.encode(&mut body).unwrap();
    let header = BatchHeader {
        feed: FeedId::of(&tenant(name)),
        number: BatchNumber(number),
        id: BatchId(Uuid::from_u128(u128::from(number))),
        first: Offset(number),
        count: 1,
        stamp,
        node: NodeId::new("one").unwrap(),
        wake_at: None,
    };
    SealedBatch { header, body: body.into() }
}

impl World {
    fn new() -> Self {
        // So little at once that each batch is a read of its own.
        let config = FiguresConfig { save_every: Duration::ZERO, read_bytes: 1, ..FiguresConfig::default() };
        Self { log: Arc::default(), snapshots: Arc::default(), config }
    }

    fn figures(&self) -> Figures {
        Figures::new(self.log.clone(), self.snapshots.clone(), self.config.clone())
    }

    async fn calls(&self, name: &str, numbers: std::ops::RangeInclusive<u64>) {
        for number in numbers {
            self.log.append(call(name, number)).await.unwrap();
        }
    }
}

async fn page(figures: &Figures, name: &str) -> FiguresPage {
    let query = FiguresQuery { now: Stamp(u64::MAX), hours: u32::MAX, channel: None };
    let page = figures.page(&tenant(name), &query).await.unwrap();
    assert!(!page.behind, "so short a log is counted at once");
    page
}

async fn missed(figures: &Figures, name: &str) -> u32 {
    page(figures, name).await.total.counts.missed
}

/// Until something is so.
async fn until(what: impl AsyncFn() -> bool) {
    let looked = async {
        while !what().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), looked).await.expect("it never came to be");
}

#[tokio::test(start_paused = true)]
async fn a_restart_goes_on_from_the_snapshot_and_counts_nothing_twice() {
    let world = World::new();
    world.calls("a", 1..=3).await;
    let advances = Arc::new(Advances::default());
    let task = tokio::spawn(world.figures().run(advances.clone()));
    advances.mark(&FeedId::of(&tenant("a")));
    until(async || world.snapshots.load(&tenant("a")).await.unwrap().is_some()).await;
    task.abort();
    world.calls("a", 4..=5).await;
    let kept: Count = postcard::from_bytes(&world.snapshots.load(&tenant("a")).await.unwrap().unwrap()).unwrap();
    assert_eq!(kept.offset, Offset(3));
    let page = page(&world.figures(), "a").await;
    assert_eq!((page.total.counts.missed, page.position.offset), (5, Offset(5)));
    assert_eq!(page.hours.len(), 1);
}

#[tokio::test]
async fn a_snapshot_that_is_damaged_or_of_another_log_is_counted_anew() {
    let world = World::new();
    world.calls("a", 1..=3).await;
    world.snapshots.save(&tenant("a"), vec![255; 40]).await.unwrap();
    assert_eq!(missed(&world.figures(), "a").await, 3);
    let mut other = Count::new(Epoch(1));
    other.offset = Offset(2);
    world.snapshots.save(&tenant("a"), postcard::to_stdvec(&other).unwrap()).await.unwrap();
    assert_eq!(missed(&world.figures(), "a").await, 3);
}

#[tokio::test]
async fn of_a_trimmed_log_what_is_left_is_counted_and_it_says_since_when() {
    let world = World::new();
    world.calls("a", 1..=5).await;
    world.log.trim(&FeedId::of(&tenant("a")), Offset(4)).await.unwrap();
    let page = page(&world.figures(), "a").await;
    assert_eq!((page.total.counts.missed, page.since), (2, Some(Stamp(1_700_000_000 * SECOND + 4))));
}

#[tokio::test(start_paused = true)]
async fn more_tenants_than_have_room_are_counted_all_the_same() {
    let world = World { config: FiguresConfig { tenants_max: 1, ..World::new().config }, ..World::new() };
    let names = ["a", "b", "c"];
    let figures = world.figures();
    let advances = Arc::new(Advances::default());
    let task = tokio::spawn(figures.clone().run(advances.clone()));
    for name in names {
        world.calls(name, 1..=2).await;
        advances.mark(&FeedId::of(&tenant(name)));
    }
    until(async || figures.held().len() == 1).await;
    task.abort();
    for name in names {
        assert_eq!(missed(&figures, name).await, 2, "{name}");
    }
}
