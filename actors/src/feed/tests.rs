//! Feeds: dense, shared, bounded, and never a silent gap.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use schema::{
    event::{
        Author, BatchHeader, Content, ConversationAssigned, Header, NoteAdded, OperatorConfigured, Origin, Part,
        Personal, SealedBatch, StoredEvent, Via,
    },
    ids::{BatchId, BatchNumber, ContactId, ConversationId, KeyId, MessageId, NodeId, OperatorId, RequestId, TenantId},
    role::Role,
    time::Stamp,
};
use uuid::Uuid;

use super::*;
use crate::{
    ports::{Anchor, AppendError, ContactKey, Head as LogHead, KeyError, Keys, LogError, WakeEntry},
    vault::seal_part,
};

const KEY: [u8; 32] = [7; 32];

/// The simplest log: batches in a list.
#[derive(Default)]
struct ListLog {
    batches: RwLock<Vec<SealedBatch>>,
    oldest: RwLock<Offset>,
    reads: AtomicUsize,
}

#[async_trait]
impl Log for ListLog {
    async fn anchor(&self, _: &FeedId) -> Result<Anchor, LogError> {
        Ok(Anchor { epoch: Epoch(5), oldest: *self.oldest.read().unwrap(), oldest_batch: BatchNumber(1) })
    }

    async fn head(&self, _: &FeedId) -> Result<LogHead, LogError> {
        let batches = self.batches.read().unwrap();
        let next_offset = batches.last().map_or(Offset(1), |batch| batch.header.end());
        Ok(LogHead { next_batch: BatchNumber(1), next_offset, stamp: Stamp(0), owner: None })
    }

    async fn append(&self, batch: SealedBatch) -> Result<(), AppendError> {
        self.batches.write().unwrap().push(batch);
        Ok(())
    }

    async fn read(&self, _: &FeedId, from: Offset, max_bytes: usize) -> Result<Vec<SealedBatch>, LogError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let oldest = *self.oldest.read().unwrap();
        if from < oldest {
            return Err(LogError::Trimmed { oldest });
        }
        let mut bytes = 0;
        let batches = self.batches.read().unwrap();
        let wanted = batches.iter().filter(|batch| batch.header.last() >= from);
        let fits = |batch: &&SealedBatch| {
            let fits = bytes <= max_bytes;
            bytes += batch.body.len();
            fits
        };
        Ok(wanted.take_while(fits).cloned().collect())
    }

    async fn trim(&self, _: &FeedId, oldest: Offset) -> Result<(), LogError> {
        *self.oldest.write().unwrap() = oldest;
        Ok(())
    }

    async fn due(&self, _: Stamp, _: usize) -> Result<Vec<WakeEntry>, LogError> {
        Ok(vec![])
    }

    async fn feeds(&self, _: Option<&FeedId>, _: usize) -> Result<Vec<FeedId>, LogError> {
        Ok(vec![])
    }
}

struct OneKey;

#[async_trait]
impl Keys for OneKey {
    async fn create(&self, _: &TenantId, _: ContactId) -> Result<ContactKey, KeyError> {
        Ok(ContactKey { id: KeyId(Uuid::nil()), secret: KEY })
    }

    async fn get(&self, _: &TenantId, id: KeyId) -> Result<ContactKey, KeyError> {
        Ok(ContactKey { id, secret: KEY })
    }

    async fn destroy(&self, _: &TenantId, _: KeyId) -> Result<(), KeyError> {
        Ok(())
    }

    async fn hash_secret(&self, _: &TenantId) -> Result<[u8; 32], KeyError> {
        Ok(KEY)
    }
}

/// A feed over a [`ListLog`], fed with notes and assignments.
struct World {
    log: Arc<ListLog>,
    feed: Feed,
}

fn tenant() -> TenantId {
    TenantId::new("demo").unwrap()
}

impl World {
    fn new(config: FeedConfig) -> Self {
        let log = Arc::new(ListLog::default());
        let vault = Vault::new(Arc::new(OneKey));
        let feed = Feed::new(FeedId::of(&tenant()), Epoch(5), Offset(0), log.clone(), vault, config);
        Self { log, feed }
    }

    /// Stores and publishes one batch.
    async fn batch(&self, facts: Vec<(Fact, Option<&str>)>) {
        let first = self.feed.handle().position().offset.next();
        let events: Vec<Event> =
            facts.into_iter().zip(first.0..).map(|((fact, text), offset)| event(Offset(offset), fact, text)).collect();
        self.store(first, &events).await;
        self.feed.publish(first, events);
    }

    async fn store(&self, first: Offset, events: &[Event]) {
        let mut body = Vec::new();
        for event in events {
            seal(event).encode(&mut body).unwrap();
        }
        let header = BatchHeader {
            feed: FeedId::of(&tenant()),
            number: BatchNumber(first.0),
            id: BatchId(Uuid::from_u128(u128::from(first.0))),
            first,
            count: u32::try_from(events.len()).unwrap(),
            stamp: Stamp(first.0),
            node: NodeId::new("one").unwrap(),
            wake_at: None,
        };
        self.log.append(SealedBatch { header, body: body.into() }).await.unwrap();
    }

    async fn notes(&self, batches: u64, size: usize) {
        for _ in 0..batches {
            self.batch(vec![note("hello"); size]).await;
        }
    }
}

fn note(text: &str) -> (Fact, Option<&str>) {
    (NoteAdded { note: MessageId(Uuid::nil()) }.into(), Some(text))
}

fn assigned(operator: &str) -> (Fact, Option<&'static str>) {
    (ConversationAssigned { operator: Some(OperatorId::new(operator).unwrap()) }.into(), None)
}

fn event(offset: Offset, fact: Fact, text: Option<&str>) -> Event {
    let header = Header {
        offset,
        stamp: Stamp(offset.0),
        conversation: Some(ConversationId(Uuid::nil())),
        previous: Offset(offset.0 - 1),
        origin: Origin { by: Author::Engine, via: Via::Engine, request: RequestId(Uuid::nil()) },
        accepted: None,
    };
    let parts = text.map(|text| Part {
        subject: ContactId(Uuid::nil()),
        key: KeyId(Uuid::nil()),
        content: Content::Open(Personal::text(text)),
    });
    Event { header, fact, parts: parts.into_iter().collect() }
}

fn seal(event: &Event) -> StoredEvent {
    let key = ContactKey { id: KeyId(Uuid::nil()), secret: KEY };
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&event.header.offset.0.to_le_bytes());
    let parts = event.personal().map(|personal| seal_part(&key, ContactId(Uuid::nil()), personal, nonce));
    StoredEvent { header: event.header.clone(), fact: event.fact.clone(), parts: parts.into_iter().collect() }
}

async fn read_all(cursor: &mut Cursor) -> Vec<u64> {
    let mut offsets = Vec::new();
    while let Some(slice) = cursor.ready().await.unwrap() {
        offsets.extend(slice.entries().iter().map(|entry| entry.offset.0));
    }
    offsets
}

fn at(offset: u64) -> Position {
    Position { epoch: Epoch(5), offset: Offset(offset) }
}

#[tokio::test]
async fn a_waiting_cursor_gets_what_is_published_and_nothing_twice() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    let waiting = tokio::spawn(async move {
        let first = cursor.next().await.unwrap().last();
        let second = cursor.next().await.unwrap().last();
        (first, second)
    });
    tokio::task::yield_now().await;
    world.notes(1, 3).await;
    world.notes(1, 2).await;
    assert_eq!(waiting.await.unwrap(), (Offset(3), Offset(5)));
}

#[tokio::test]
async fn a_cursor_may_start_inside_a_batch() {
    let world = World::new(FeedConfig::default());
    world.notes(2, 5).await;
    let mut cursor = world.feed.handle().cursor(at(3)).await.unwrap();
    assert_eq!(read_all(&mut cursor).await, (4..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_behind_the_ring_reads_from_the_log_without_a_gap() {
    let world = World::new(FeedConfig { ring_events: 20, read_bytes: 2_000, ..FeedConfig::default() });
    world.notes(100, 10).await;
    let mut cursor = world.feed.handle().cursor(at(0)).await.unwrap();
    assert_eq!(read_all(&mut cursor).await, (1..=1_000).collect::<Vec<_>>());
    assert!(world.log.reads.load(Ordering::Relaxed) > 1, "what the ring has lost was read from the log");
}

#[tokio::test]
async fn what_is_read_from_the_log_looks_as_it_did_live() {
    let world = World::new(FeedConfig { ring_events: 1, ..FeedConfig::default() });
    let mut live = world.feed.handle().tail();
    world.batch(vec![note("ünïcode \"quoted\"\n"), assigned("ana")]).await;
    let live = live.next().await.unwrap();
    world.notes(3, 4).await;
    let mut late = world.feed.handle().cursor(at(0)).await.unwrap();
    let late = late.next().await.unwrap();
    for role in Role::ALL {
        assert_eq!(live.frames(role, 0, usize::MAX), late.frames(role, 0, usize::MAX));
    }
}

#[tokio::test]
async fn readers_that_lag_together_share_one_read() {
    let world = World::new(FeedConfig { ring_events: 1, ..FeedConfig::default() });
    world.notes(10, 10).await;
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let mut cursor = world.feed.handle().cursor(at(0)).await.unwrap();
        readers.spawn(async move { read_all(&mut cursor).await.len() });
    }
    while let Some(read) = readers.join_next().await {
        assert_eq!(read.unwrap(), 100);
    }
    assert!(world.log.reads.load(Ordering::Relaxed) <= 4, "one read per permit at most, not one per reader");
}

#[tokio::test]
async fn the_ring_stays_within_its_limits() {
    let mut ring = Ring::new(100, 1 << 20);
    let chunk = |first: u64| {
        let events = (first..first + 10).map(|offset| event(Offset(offset), note("x").0, Some("x"))).collect();
        Arc::new(Chunk::new("inbox:demo", events).unwrap())
    };
    for batch in 0..50 {
        ring.push(chunk(batch * 10 + 1));
    }
    assert!(ring.find(Offset(400)).is_none());
    assert_eq!(ring.find(Offset(401)).unwrap().first(), Offset(401));
    assert_eq!(ring.find(Offset(500)).unwrap().last(), Offset(500));
    assert!(ring.find(Offset(501)).is_none());

    let mut narrow = Ring::new(1_000_000, chunk(1).weight() * 3);
    for batch in 0..50 {
        narrow.push(chunk(batch * 10 + 1));
    }
    assert!(narrow.find(Offset(470)).is_none(), "the limit in bytes holds too");
    assert!(narrow.find(Offset(471)).is_some());
}

#[tokio::test]
async fn a_position_that_cannot_be_continued_is_refused() {
    let world = World::new(FeedConfig { ring_events: 1, ..FeedConfig::default() });
    world.notes(10, 1).await;
    let handle = world.feed.handle();
    let other = Position { epoch: Epoch(4), offset: Offset(3) };
    assert_eq!(handle.cursor(other).await.err(), Some(Unrecoverable::Epoch { now: Epoch(5) }));
    assert_eq!(handle.cursor(at(11)).await.err(), Some(Unrecoverable::Ahead { head: Offset(10) }));
    world.log.trim(handle.id(), Offset(6)).await.unwrap();
    assert_eq!(handle.cursor(at(4)).await.err(), Some(Unrecoverable::Trimmed { oldest: Offset(6) }));
    assert!(handle.cursor(at(5)).await.is_ok(), "what follows is all there");
    assert!(handle.cursor(at(10)).await.is_ok(), "nothing follows");
}

#[tokio::test(start_paused = true)]
async fn a_position_that_the_log_holds_is_waited_for() {
    let world = World::new(FeedConfig::default());
    world.notes(2, 1).await;
    let handle = world.feed.handle();
    // Another node has written it, and this one is not told yet.
    let events: Vec<Event> = (3..=4).map(|offset| event(Offset(offset), note("hello").0, None)).collect();
    world.store(Offset(3), &events).await;
    let came_back = {
        let handle = handle.clone();
        tokio::spawn(async move { handle.cursor(at(4)).await.map(|cursor| cursor.position()) })
    };
    tokio::task::yield_now().await;
    assert!(!came_back.is_finished(), "not refused, and not begun from elsewhere");
    world.feed.publish(Offset(3), events);
    assert_eq!(came_back.await.unwrap(), Ok(Offset(4)));
    assert_eq!(handle.cursor(at(5)).await.err(), Some(Unrecoverable::Ahead { head: Offset(4) }));
    world.store(Offset(5), &[event(Offset(5), note("hello").0, None)]).await;
    let behind = handle.cursor(at(5)).await.err();
    assert!(matches!(behind, Some(Unrecoverable::Feed(FeedError::Unavailable(_)))), "{behind:?}: to be asked again");
}

#[tokio::test]
async fn a_log_trimmed_under_a_slow_reader_says_so() {
    let world = World::new(FeedConfig { ring_events: 1, reread_bytes: 0, ..FeedConfig::default() });
    world.notes(10, 1).await;
    let mut cursor = world.feed.handle().cursor(at(2)).await.unwrap();
    world.log.trim(world.feed.handle().id(), Offset(6)).await.unwrap();
    assert_eq!(cursor.next().await.err(), Some(FeedError::Trimmed { oldest: Offset(6) }));
}

#[tokio::test]
async fn a_closed_feed_gives_what_is_left_and_then_the_reason() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    world.notes(1, 2).await;
    world.feed.close(CloseReason::Moved);
    assert_eq!(cursor.next().await.unwrap().last(), Offset(2));
    assert_eq!(cursor.next().await.err(), Some(FeedError::Closed(CloseReason::Moved)));
    drop(world.feed);
    assert_eq!(cursor.next().await.err(), Some(FeedError::Closed(CloseReason::Moved)), "the first reason stays");
}

#[tokio::test]
async fn a_feed_that_is_dropped_lets_its_readers_go() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    let waiting = tokio::spawn(async move { cursor.next().await.err() });
    tokio::task::yield_now().await;
    drop(world);
    assert_eq!(waiting.await.unwrap(), Some(FeedError::Closed(CloseReason::Restarted)));
}

#[tokio::test]
async fn each_role_sees_a_dense_inbox_and_only_what_it_may() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    let revoked: Fact = OperatorConfigured { operator: OperatorId::new("bob").unwrap(), role: None }.into();
    world.batch(vec![note("secret"), (revoked, None), assigned("ana")]).await;
    let slice = cursor.next().await.unwrap();
    for (role, seen) in
        [(Role::Viewer, [false, false, true]), (Role::Operator, [true, false, true]), (Role::Admin, [true, true, true])]
    {
        let (frames, count) = slice.frames(role, 0, usize::MAX);
        assert_eq!(count, 3);
        let frames = std::str::from_utf8(&frames).unwrap();
        assert_eq!(frames.contains("secret"), role >= Role::Operator);
        for (index, frame) in frames.split('\n').enumerate() {
            let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
            let publication = &frame["push"]["pub"];
            assert_eq!(frame["push"]["channel"], "inbox:demo");
            assert_eq!(publication["offset"], index + 1);
            assert_eq!(publication["data"]["type"] != "hidden", seen[index], "{role:?} {index}");
            assert_eq!(slice.is_visible(role, index), seen[index]);
            let alone: serde_json::Value = serde_json::from_slice(slice.publication(role, index)).unwrap();
            assert_eq!(&alone, publication);
            let data: serde_json::Value = serde_json::from_slice(slice.data(role, index)).unwrap();
            assert_eq!(data, publication["data"]);
        }
    }
}

#[tokio::test]
async fn frames_are_encoded_once_and_shared() {
    let world = World::new(FeedConfig::default());
    let (mut one, mut two) = (world.feed.handle().tail(), world.feed.handle().tail());
    world.batch(vec![assigned("ana"), assigned("bob")]).await;
    let (one, two) = (one.next().await.unwrap(), two.next().await.unwrap());
    let pointer = one.frames(Role::Viewer, 0, usize::MAX).0.as_ptr();
    assert_eq!(two.frames(Role::Viewer, 0, usize::MAX).0.as_ptr(), pointer);
    assert_eq!(two.frames(Role::Admin, 0, usize::MAX).0.as_ptr(), pointer, "roles that see the same share too");
}

#[tokio::test]
async fn a_long_batch_can_be_written_in_pieces() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    world.notes(1, 100).await;
    let slice = cursor.next().await.unwrap();
    let (whole, _) = slice.frames(Role::Admin, 0, usize::MAX);
    let (mut start, mut pieces) = (0, Vec::new());
    while start < slice.len() {
        let (piece, count) = slice.frames(Role::Admin, start, 4_096);
        assert!(piece.len() <= 4_096 && count > 1);
        pieces.push(piece);
        start += count;
    }
    assert_eq!(pieces.join(&b'\n'), whole);
    assert_eq!(slice.frames(Role::Admin, 0, 1).1, 1, "one frame always goes, however long");
}

#[tokio::test]
async fn an_event_names_the_operators_it_is_meant_for() {
    let world = World::new(FeedConfig::default());
    let mut cursor = world.feed.handle().tail();
    world.batch(vec![assigned("ana"), note("@bob, see @ana. Mail me@x.org"), note("@ @- no one")]).await;
    let slice = cursor.next().await.unwrap();
    let names = |index: usize| {
        slice.entries()[index].meant_for.iter().map(|operator| operator.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(0), ["ana"]);
    assert_eq!(names(1), ["bob", "ana"]);
    assert!(names(2).is_empty());
}

#[tokio::test]
async fn a_change_of_rights_wakes_who_watches() {
    let world = World::new(FeedConfig::default());
    let mut rights = world.feed.handle().rights();
    world.notes(1, 1).await;
    assert!(!rights.has_changed().unwrap());
    let fact: Fact = OperatorConfigured { operator: OperatorId::new("bob").unwrap(), role: None }.into();
    world.batch(vec![(fact, None)]).await;
    rights.changed().await.unwrap();
    assert_eq!(*rights.borrow(), Offset(2));
}

#[tokio::test]
async fn a_feed_that_does_not_keep_up_with_its_log_is_noticed() {
    let world = World::new(FeedConfig::default());
    let handle = world.feed.handle();
    let (second, every) = (std::time::Duration::from_secs(1), std::time::Duration::from_millis(500));
    world.notes(1, 1).await;
    assert!(handle.lag(second, every).await.is_zero());
    let (fact, text) = note("stored, never published");
    world.store(Offset(2), &[event(Offset(2), fact, text)]).await;
    assert!(handle.lag(second * 2, every).await.is_zero(), "first seen now");
    assert_eq!(handle.lag(second * 5, every).await, second * 3);
}
