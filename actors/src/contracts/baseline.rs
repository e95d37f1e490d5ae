//! What every store of views must do with baselines and trims.

use std::sync::Arc;

use bytes::Bytes;
use schema::{
    ids::{BatchNumber, ConversationId, DedupeKey, MessageId, Offset, TenantId},
    time::Stamp,
};
use uuid::Uuid;

use super::{Stores, sample::feed};
use crate::ports::{
    Checkpoint, DedupeEntry, Forget, MessageRow, StoredConversation, ViewError, ViewWrite, Views, ViewsBatch,
};

/// Runs every check, each on new stores.
pub async fn suite<S: Stores>(make: impl Fn() -> S) {
    cleared_views_go_back_to_their_baseline(make()).await;
    a_trim_forgets_all_that_is_not_pinned_on_both_sides(make()).await;
    other_tenants_keep_everything(make()).await;
}

fn id(number: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(number))
}

/// Every event is a message and an accepted command of conversation 1, whose state pins event 2.
fn batch(tenant: &str, offset: u64) -> ViewsBatch {
    let state = StoredConversation { state: Bytes::from_static(b"2"), offset: Offset(offset) };
    let row = MessageRow { conversation: id(1), offset: Offset(offset) };
    let message = MessageId(Uuid::from_u128(u128::from(offset)));
    let entry = DedupeEntry { offset: Offset(offset), content: 1, conversation: Some(id(1)), message: Some(message) };
    let key = DedupeKey([u8::try_from(offset).expect("small"); 16]);
    ViewsBatch {
        feed: feed(tenant),
        stamp: Stamp(offset),
        checkpoint: Checkpoint { offset: Offset(offset), batch: BatchNumber(offset) },
        writes: vec![
            ViewWrite::Timeline { conversation: id(1), offset: Offset(offset), event: Bytes::from_static(b"event") },
            ViewWrite::Message { message, row },
            ViewWrite::Dedupe { key, entry, stamp: Stamp(offset) },
            ViewWrite::Conversation {
                conversation: id(1),
                stored: state,
                activity: Some(Stamp(offset)),
                previous_activity: (offset > 1).then(|| Stamp(offset - 1)),
                open: true,
                previous_open: true,
            },
        ],
    }
}

fn pinned(stored: &StoredConversation) -> Result<Vec<Offset>, ViewError> {
    let text = std::str::from_utf8(&stored.state).ok().and_then(|text| text.parse().ok());
    text.map(|offset| vec![Offset(offset)]).ok_or_else(|| ViewError::Damaged("not a number".to_owned()))
}

async fn baseline(views: &Arc<dyn Views>) -> Arc<dyn Views> {
    let baseline = views.baseline().await.expect("readable").expect("views have a baseline");
    assert!(baseline.baseline().await.expect("readable").is_none(), "a baseline has none itself");
    baseline
}

async fn write(views: &Arc<dyn Views>, tenant: &str, offsets: std::ops::RangeInclusive<u64>) {
    views.write(offsets.map(|offset| batch(tenant, offset)).collect()).await.expect("views can be written");
}

/// Offsets whose event, message row and accepted command are there.
async fn known(views: &Arc<dyn Views>, tenant: &TenantId) -> [Vec<u64>; 3] {
    let mut found = [Vec::new(), Vec::new(), Vec::new()];
    for offset in 1..=20 {
        let event = views.event(tenant, id(1), Offset(offset)).await.expect("readable");
        let message = views.message(tenant, MessageId(Uuid::from_u128(u128::from(offset)))).await.expect("readable");
        let key = DedupeKey([u8::try_from(offset).expect("small"); 16]);
        let seen = views.accepted(tenant, key).await.expect("readable");
        let there = [event.is_some(), message.is_some(), seen.is_some()];
        for (found, there) in found.iter_mut().zip(there) {
            found.extend(there.then_some(offset));
        }
    }
    found
}

async fn cleared_views_go_back_to_their_baseline<S: Stores>(mut stores: S) {
    let tenant = feed("demo").tenant;
    let views = stores.views();
    let base = baseline(&views).await;
    write(&base, "demo", 1..=4).await;
    base.sync().await.expect("synced");
    write(&views, "demo", 1..=9).await;
    drop((views, base));
    stores.restart().await;
    stores.views().clear(&feed("demo")).await.expect("cleared");
    for _ in 0..2 {
        let views = stores.views();
        assert_eq!(views.checkpoint(&feed("demo")).await.map(|at| at.offset), Ok(Offset(4)));
        assert_eq!(known(&views, &tenant).await, [vec![1, 2, 3, 4], vec![1, 2, 3, 4], vec![1, 2, 3, 4]]);
        let inbox = views.inbox(&tenant, true, None, 10).await.expect("readable");
        assert_eq!(inbox.rows.iter().map(|row| row.stored.offset).collect::<Vec<_>>(), [Offset(4)]);
        drop(views);
        stores.restart().await;
    }
    let views = stores.views();
    write(&views, "demo", 5..=9).await;
    assert_eq!(known(&views, &tenant).await[0], (1..=9).collect::<Vec<_>>(), "they go on from there");
}

async fn a_trim_forgets_all_that_is_not_pinned_on_both_sides<S: Stores>(mut stores: S) {
    let tenant = feed("demo").tenant;
    let views = stores.views();
    let base = baseline(&views).await;
    write(&base, "demo", 1..=6).await;
    write(&views, "demo", 1..=9).await;
    let forget = Forget { below: Offset(7), dedupe_from: Stamp(5), pinned };
    views.forget(&feed("demo"), forget).await.expect("forgotten");
    base.sync().await.expect("synced");
    drop((views, base));
    for _ in 0..2 {
        stores.restart().await;
        let views = stores.views();
        assert_eq!(known(&views, &tenant).await, [vec![2, 7, 8, 9], vec![2, 7, 8, 9], vec![5, 6, 7, 8, 9]]);
        assert_eq!(known(&baseline(&views).await, &tenant).await, [vec![2], vec![2], vec![5, 6]]);
        assert!(views.conversation(&tenant, id(1)).await.expect("readable").is_some(), "states stay");
        // Asked again, as after a crash, it changes nothing.
        views.forget(&feed("demo"), forget).await.expect("forgotten");
    }
}

async fn other_tenants_keep_everything<S: Stores>(stores: S) {
    let views = stores.views();
    let base = baseline(&views).await;
    for tenant in ["demo", "demo2"] {
        write(&base, tenant, 1..=6).await;
        write(&views, tenant, 1..=9).await;
    }
    let forget = Forget { below: Offset(7), dedupe_from: Stamp(7), pinned };
    views.forget(&feed("demo"), forget).await.expect("forgotten");
    assert_eq!(known(&views, &feed("demo2").tenant).await[0].len(), 9);
    views.clear(&feed("demo")).await.expect("cleared");
    assert_eq!(views.checkpoint(&feed("demo2")).await.map(|at| at.offset), Ok(Offset(9)));
    assert_eq!(known(&views, &feed("demo2").tenant).await[0].len(), 9);
}
