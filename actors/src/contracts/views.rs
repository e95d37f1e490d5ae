//! What every store of views must do.

use std::sync::Arc;

use bytes::Bytes;
use schema::{
    ids::{AddressHash, BatchNumber, ContactId, ConversationId, DedupeKey, FeedId, MessageId, Offset, TenantId},
    time::Stamp,
};
use uuid::Uuid;

use super::{Stores, sample::feed};
use crate::ports::{
    Checkpoint, DedupeEntry, InboxCursor, MessageRow, Route, StoredConversation, ViewWrite, Views, ViewsBatch,
};

/// Runs every check, each on new stores.
pub async fn suite<S: Stores>(make: impl Fn() -> S) {
    what_is_not_there_is_not_found(make()).await;
    single_rows_are_read_as_written(make()).await;
    a_later_write_of_a_key_wins(make()).await;
    writing_again_changes_nothing(make()).await;
    tenants_do_not_mix(make()).await;
    a_timeline_is_read_in_pages_both_ways(make()).await;
    the_inbox_is_by_last_activity(make()).await;
    the_outbox_is_oldest_first(make()).await;
    timers_are_earliest_first(make()).await;
    a_checkpoint_never_survives_without_the_writes_before_it(make()).await;
    cleared_views_are_empty_and_can_be_written_anew(make()).await;
}

fn tenant() -> TenantId {
    feed("demo").tenant
}

fn id(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(number))
}

fn message(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(number))
}

fn stored(text: &str, offset: u64) -> StoredConversation {
    StoredConversation { state: Bytes::copy_from_slice(text.as_bytes()), offset: Offset(offset) }
}

fn batch(feed: &FeedId, offset: u64, writes: Vec<ViewWrite>) -> ViewsBatch {
    let checkpoint = Checkpoint { offset: Offset(offset), batch: BatchNumber(offset) };
    ViewsBatch { feed: feed.clone(), stamp: Stamp(offset), checkpoint, writes }
}

async fn write(views: &Arc<dyn Views>, offset: u64, writes: Vec<ViewWrite>) {
    views.write(vec![batch(&feed("demo"), offset, writes)]).await.expect("views can be written");
}

fn entry(offset: u64) -> DedupeEntry {
    DedupeEntry { offset: Offset(offset), content: 5, conversation: Some(id(1)), message: None }
}

fn placed(number: u128, at: u64, before: Option<u64>, open: bool) -> ViewWrite {
    ViewWrite::Conversation {
        conversation: id(number),
        stored: stored(&format!("state {number} at {at}"), at),
        activity: Some(Stamp(at)),
        previous_activity: before.map(Stamp),
        open,
        previous_open: true,
    }
}

async fn what_is_not_there_is_not_found<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    assert_eq!(views.checkpoint(&feed("demo")).await, Ok(Checkpoint::default()));
    assert_eq!(views.accepted(&tenant, DedupeKey([1; 16])).await, Ok(None));
    assert_eq!(views.route(&tenant, AddressHash([1; 16])).await, Ok(None));
    assert_eq!(views.conversation(&tenant, id(1)).await, Ok(None));
    assert_eq!(views.message(&tenant, message(1)).await, Ok(None));
    assert_eq!(views.event(&tenant, id(1), Offset(1)).await, Ok(None));
    assert_eq!(views.setting(&tenant, "settings").await, Ok(None));
    assert_eq!(views.outbox(&tenant, None, 10).await, Ok(Vec::new()));
    assert_eq!(views.timers(&tenant, Stamp(u64::MAX), 10).await, Ok(Vec::new()));
    assert_eq!(views.parked(&tenant, 10).await, Ok(Vec::new()));
    let inbox = views.inbox(&tenant, true, None, 10).await.expect("views can be read");
    assert!(inbox.rows.is_empty() && !inbox.more);
    let page = views.timeline_after(&tenant, id(1), Offset(0), 10).await.expect("views can be read");
    assert!(page.rows.is_empty() && !page.more);
}

async fn single_rows_are_read_as_written<S: Stores>(mut stores: S) {
    let tenant = tenant();
    let route = Route { conversation: id(1), contact: ContactId(Uuid::from_u128(2)) };
    let row = MessageRow { conversation: id(1), offset: Offset(3) };
    let bare = DedupeEntry { offset: Offset(4), content: 0, conversation: None, message: Some(message(3)) };
    let writes = vec![
        ViewWrite::Route { address: AddressHash([1; 16]), route },
        ViewWrite::Message { message: message(1), row },
        ViewWrite::Dedupe { key: DedupeKey([2; 16]), entry: entry(3), stamp: Stamp(1) },
        ViewWrite::Dedupe { key: DedupeKey([3; 16]), entry: bare.clone(), stamp: Stamp(1) },
        ViewWrite::Setting { name: "settings".to_owned(), value: Bytes::from_static(b"value") },
        ViewWrite::Parked { conversation: id(1), parked: true },
        placed(1, 3, None, true),
    ];
    write(&stores.views(), 4, writes).await;
    for _ in 0..2 {
        let views = stores.views();
        assert_eq!(views.route(&tenant, AddressHash([1; 16])).await, Ok(Some(route)));
        assert_eq!(views.message(&tenant, message(1)).await, Ok(Some(row)));
        assert_eq!(views.checkpoint(&feed("demo")).await.map(|at| at.offset), Ok(Offset(4)));
        assert_eq!(views.accepted(&tenant, DedupeKey([2; 16])).await, Ok(Some(entry(3))));
        assert_eq!(views.accepted(&tenant, DedupeKey([3; 16])).await, Ok(Some(bare.clone())));
        assert_eq!(views.setting(&tenant, "settings").await, Ok(Some(Bytes::from_static(b"value"))));
        assert_eq!(views.parked(&tenant, 10).await, Ok(vec![id(1)]));
        assert_eq!(views.conversation(&tenant, id(1)).await, Ok(Some(stored("state 1 at 3", 3))));
        drop(views);
        stores.restart().await;
    }
}

async fn a_later_write_of_a_key_wins<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let set =
        |value: &'static str| ViewWrite::Setting { name: "s".to_owned(), value: Bytes::from_static(value.as_bytes()) };
    let park = |parked| ViewWrite::Parked { conversation: id(1), parked };
    let timer = |due: Option<u64>| ViewWrite::Timer { conversation: id(1), due: due.map(Stamp) };
    let open = |conversation| ViewWrite::Outbox { message: message(1), conversation };
    let writes = vec![
        set("one"),
        set("two"),
        park(true),
        park(false),
        park(true),
        timer(Some(5)),
        timer(Some(7)),
        open(Some(id(1))),
        open(None),
        placed(1, 3, None, true),
        placed(1, 4, Some(3), true),
        placed(1, 5, Some(4), true),
    ];
    write(&views, 5, writes).await;
    assert_eq!(views.setting(&tenant, "s").await, Ok(Some(Bytes::from_static(b"two"))));
    assert_eq!(views.parked(&tenant, 10).await, Ok(vec![id(1)]));
    assert_eq!(views.timers(&tenant, Stamp(100), 10).await, Ok(vec![(Stamp(7), id(1))]));
    assert_eq!(views.outbox(&tenant, None, 10).await, Ok(Vec::new()));
    let inbox = views.inbox(&tenant, true, None, 10).await.expect("views can be read");
    assert_eq!(inbox.rows.len(), 1, "a conversation is in the inbox once");
    // The same over two writes in one call, and over two calls.
    let later =
        vec![batch(&feed("demo"), 6, vec![set("three")]), batch(&feed("demo"), 7, vec![set("four"), timer(None)])];
    views.write(later).await.expect("views can be written");
    assert_eq!(views.setting(&tenant, "s").await, Ok(Some(Bytes::from_static(b"four"))));
    assert_eq!(views.timers(&tenant, Stamp(100), 10).await, Ok(Vec::new()));
    write(&views, 8, vec![park(false)]).await;
    assert_eq!(views.parked(&tenant, 10).await, Ok(Vec::new()));
}

async fn writing_again_changes_nothing<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let first = batch(&feed("demo"), 1, vec![placed(1, 10, None, true)]);
    let second = batch(&feed("demo"), 2, vec![placed(1, 20, Some(10), true)]);
    views.write(vec![first.clone(), second.clone()]).await.expect("views can be written");
    for again in [vec![second.clone()], vec![first.clone()], vec![first, second]] {
        views.write(again).await.expect("views can be written");
        assert_eq!(views.checkpoint(&feed("demo")).await.map(|at| at.offset), Ok(Offset(2)));
        assert_eq!(views.conversation(&tenant, id(1)).await, Ok(Some(stored("state 1 at 20", 20))));
        assert_eq!(views.inbox(&tenant, true, None, 10).await.map(|page| page.rows.len()), Ok(1));
    }
}

async fn tenants_do_not_mix<S: Stores>(stores: S) {
    let views = stores.views();
    // Names of which one is the beginning of the other.
    let feeds = [feed("a"), feed("aa"), feed("b")];
    let batches = feeds.iter().enumerate().map(|(index, feed)| {
        let state = placed(1, index as u64 + 1, None, true);
        let open = ViewWrite::Outbox { message: message(1), conversation: Some(id(index as u128)) };
        batch(feed, index as u64 + 1, vec![state, open])
    });
    views.write(batches.collect()).await.expect("views can be written");
    for (index, feed) in feeds.iter().enumerate() {
        let inbox = views.inbox(&feed.tenant, true, None, 10).await.expect("views can be read");
        assert_eq!(inbox.rows.len(), 1);
        assert_eq!(inbox.rows[0].stored.offset, Offset(index as u64 + 1));
        let outbox = views.outbox(&feed.tenant, None, 10).await;
        assert_eq!(outbox, Ok(vec![(message(1), id(index as u128))]));
    }
    views.clear(&feeds[0]).await.expect("views can be cleared");
    assert_eq!(views.conversation(&feeds[0].tenant, id(1)).await, Ok(None));
    assert!(views.conversation(&feeds[1].tenant, id(1)).await.expect("views can be read").is_some());
    assert_eq!(views.checkpoint(&feeds[1]).await.map(|at| at.offset), Ok(Offset(2)));
}

async fn a_timeline_is_read_in_pages_both_ways<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let event = |offset: u64| Bytes::from(format!("event {offset}"));
    let put =
        |number, offset| ViewWrite::Timeline { conversation: id(number), offset: Offset(offset), event: event(offset) };
    // 300 and 40,000 need two and three bytes: an order that is only right for one byte shows.
    let offsets = [1, 2, 255, 256, 300, 40_000];
    let mut writes: Vec<_> = offsets.iter().map(|offset| put(2, *offset)).collect();
    writes.extend([put(1, 7), put(3, 8)]);
    write(&views, 40_000, writes).await;
    let events = |offsets: &[u64]| offsets.iter().map(|offset| event(*offset)).collect::<Vec<_>>();
    let page = views.timeline_after(&tenant, id(2), Offset(0), 3).await.expect("views can be read");
    assert_eq!((page.rows, page.more, page.checkpoint.offset), (events(&[1, 2, 255]), true, Offset(40_000)));
    let page = views.timeline_after(&tenant, id(2), Offset(255), 3).await.expect("views can be read");
    assert_eq!((page.rows, page.more), (events(&[256, 300, 40_000]), false));
    let page = views.timeline_before(&tenant, id(2), Offset(u64::MAX), 2).await.expect("views can be read");
    assert_eq!((page.rows, page.more), (events(&[40_000, 300]), true));
    let page = views.timeline_before(&tenant, id(2), Offset(256), 10).await.expect("views can be read");
    assert_eq!((page.rows, page.more), (events(&[255, 2, 1]), false));
    assert_eq!(views.event(&tenant, id(2), Offset(300)).await, Ok(Some(event(300))));
    assert_eq!(views.event(&tenant, id(2), Offset(7)).await, Ok(None), "another conversation's");
}

async fn the_inbox_is_by_last_activity<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let alias = ViewWrite::Conversation {
        conversation: id(9),
        stored: stored("alias", 1),
        activity: None,
        previous_activity: None,
        open: true,
        previous_open: true,
    };
    let writes = vec![placed(1, 300, None, true), placed(2, 100, None, true), placed(3, 200, None, true), alias];
    write(&views, 1, writes).await;
    let ids = |page: crate::ports::Page<crate::ports::ConversationRow>| {
        (page.rows.iter().map(|row| row.conversation.0.as_u128()).collect::<Vec<_>>(), page.more)
    };
    let inbox = |open, after| views.inbox(&tenant, open, after, 2);
    let page = inbox(true, None).await.expect("views can be read");
    assert_eq!(page.rows[0].stored, stored("state 1 at 300", 300));
    assert_eq!(ids(page), (vec![1, 3], true));
    let after = Some(InboxCursor { activity: Stamp(200), conversation: id(3) });
    assert_eq!(ids(inbox(true, after).await.expect("views can be read")), (vec![2], false));
    // The last becomes the first; another is resolved; a third has the same activity as the first.
    let writes =
        vec![placed(2, 400, Some(100), true), placed(1, 300, Some(300), false), placed(3, 400, Some(200), true)];
    write(&views, 2, writes).await;
    let (both, more) = ids(inbox(true, None).await.expect("views can be read"));
    assert!(!more && both.len() == 2 && both.contains(&2) && both.contains(&3), "{both:?}");
    let after = Some(InboxCursor { activity: Stamp(400), conversation: id(both[0]) });
    assert_eq!(ids(inbox(true, after).await.expect("views can be read")), (vec![both[1]], false), "none is skipped");
    assert_eq!(ids(inbox(false, None).await.expect("views can be read")), (vec![1], false));
    assert_eq!(views.conversation(&tenant, id(9)).await, Ok(Some(stored("alias", 1))));
}

async fn the_outbox_is_oldest_first<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let open = |number: u128, conversation| ViewWrite::Outbox { message: message(number), conversation };
    write(&views, 1, vec![open(3, Some(id(30))), open(1, Some(id(10))), open(2, Some(id(20))), open(4, Some(id(40)))])
        .await;
    write(&views, 2, vec![open(2, None)]).await;
    let rows =
        |numbers: &[u128]| Ok(numbers.iter().map(|number| (message(*number), id(number * 10))).collect::<Vec<_>>());
    assert_eq!(views.outbox(&tenant, None, 10).await, rows(&[1, 3, 4]));
    assert_eq!(views.outbox(&tenant, None, 2).await, rows(&[1, 3]));
    assert_eq!(views.outbox(&tenant, Some(message(1)), 10).await, rows(&[3, 4]));
    assert_eq!(views.outbox(&tenant, Some(message(2)), 10).await, rows(&[3, 4]), "after one that is gone");
    assert_eq!(views.outbox(&tenant, Some(message(4)), 10).await, rows(&[]));
}

async fn timers_are_earliest_first<S: Stores>(stores: S) {
    let (views, tenant) = (stores.views(), tenant());
    let timer = |number, due: Option<u64>| ViewWrite::Timer { conversation: id(number), due: due.map(Stamp) };
    write(&views, 1, vec![timer(1, Some(300)), timer(2, Some(100)), timer(3, Some(200)), timer(4, Some(50))]).await;
    write(&views, 2, vec![timer(4, None), timer(2, Some(250))]).await;
    let due =
        |rows: &[(u64, u128)]| Ok(rows.iter().map(|(due, number)| (Stamp(*due), id(*number))).collect::<Vec<_>>());
    assert_eq!(views.timers(&tenant, Stamp(1_000), 10).await, due(&[(200, 3), (250, 2), (300, 1)]));
    assert_eq!(views.timers(&tenant, Stamp(250), 10).await, due(&[(200, 3), (250, 2)]), "a time that has come is due");
    assert_eq!(views.timers(&tenant, Stamp(1_000), 1).await, due(&[(200, 3)]));
}

async fn a_checkpoint_never_survives_without_the_writes_before_it<S: Stores>(mut stores: S) {
    let tenant = tenant();
    for round in 1..=20_u64 {
        write(&stores.views(), round, vec![placed(u128::from(round), round, None, true)]).await;
        if round % 5 == 0 {
            stores.restart().await;
            let checkpoint = stores.views().checkpoint(&feed("demo")).await.expect("views can be read");
            for before in 1..=checkpoint.offset.0 {
                let state = stores.views().conversation(&tenant, id(u128::from(before))).await;
                assert!(state.expect("views can be read").is_some(), "{before} of {}", checkpoint.offset);
            }
        }
    }
}

async fn cleared_views_are_empty_and_can_be_written_anew<S: Stores>(mut stores: S) {
    let tenant = tenant();
    write(&stores.views(), 5, vec![placed(1, 3, None, true), placed(2, 4, None, true)]).await;
    stores.views().clear(&feed("demo")).await.expect("views can be cleared");
    for _ in 0..2 {
        let views = stores.views();
        assert_eq!(views.checkpoint(&feed("demo")).await, Ok(Checkpoint::default()));
        assert_eq!(views.conversation(&tenant, id(1)).await, Ok(None));
        assert_eq!(views.inbox(&tenant, true, None, 10).await.map(|page| page.rows.len()), Ok(0));
        drop(views);
        stores.restart().await;
    }
    write(&stores.views(), 1, vec![placed(1, 1, None, true)]).await;
    assert_eq!(stores.views().checkpoint(&feed("demo")).await.map(|at| at.offset), Ok(Offset(1)));
}
