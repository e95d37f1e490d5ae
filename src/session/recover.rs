//! Coming back to the inbox: where a client was, and the first page of what it missed.

use actors::feed::{Cursor, FeedError, FeedHandle, Position, Unrecoverable};
use schema::{
    frame::{PositionBody, SubscribeResult},
    ids::{Epoch, Offset},
    role::Role,
};

use super::{StreamLimits, publication::Publications};

/// A position as the wire has it. An epoch that is not a number was never ours.
pub(super) fn position(body: &PositionBody) -> Option<Position> {
    let epoch = body.epoch.parse().ok().map(Epoch)?;
    Some(Position { epoch, offset: Offset(body.offset) })
}

/// The inbox's subscription, and the cursor that goes on where the reply ends.
///
/// `recovered: true` means complete and in order up to the reply's offset: a page that does not hold everything ends
/// the reply, and the rest follows as pushes.
pub(super) async fn inbox(
    feed: &FeedHandle,
    wanted: Option<&PositionBody>,
    role: Role,
    limits: &StreamLimits,
) -> Result<(SubscribeResult, Cursor), FeedError> {
    let Some(wanted) = wanted else { return Ok(begin(feed, false)) };
    let Some(position) = position(wanted) else { return Ok(begin(feed, true)) };
    let mut cursor = match feed.cursor(position).await {
        Ok(cursor) => cursor,
        Err(Unrecoverable::Feed(error)) => return Err(error),
        Err(_) => return Ok(begin(feed, true)),
    };
    match page(&mut cursor, role, limits).await {
        Ok(publications) => {
            let publications = publications.into_array();
            let result = SubscribeResult {
                was_recovering: true,
                recovered: true,
                publications,
                ..positioned(position.epoch, cursor.position())
            };
            Ok((result, cursor))
        }
        Err(FeedError::Trimmed { .. }) => Ok(begin(feed, true)),
        Err(error) => Err(error),
    }
}

/// From the end on.
fn begin(feed: &FeedHandle, was_recovering: bool) -> (SubscribeResult, Cursor) {
    let cursor = feed.tail();
    let result = positioned(feed.position().epoch, cursor.position());
    (SubscribeResult { was_recovering, ..result }, cursor)
}

/// A subscription with positions.
pub(super) fn positioned(epoch: Epoch, offset: Offset) -> SubscribeResult {
    SubscribeResult {
        recoverable: true,
        positioned: true,
        epoch: epoch.to_string(),
        offset: offset.0,
        ..SubscribeResult::default()
    }
}

/// What is there already, up to a page. The cursor stands after its last publication.
async fn page(cursor: &mut Cursor, role: Role, limits: &StreamLimits) -> Result<Publications, FeedError> {
    let mut publications = Publications::default();
    while let Some(slice) = cursor.ready().await? {
        for (index, entry) in slice.entries().iter().enumerate() {
            publications.push_whole(slice.publication(role, index));
            if publications.len() >= limits.page_events || publications.bytes() >= limits.page_bytes {
                cursor.rewind(entry.offset);
                return Ok(publications);
            }
        }
    }
    Ok(publications)
}
