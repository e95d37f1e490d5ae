//! The audit trail: the log itself, without anything personal.

use schema::{
    event::StoredEvent,
    ids::{FeedId, Offset, TenantId},
    page::{AuditEntry, AuditPage, PAGE_MAX, Position},
};

use super::{ReadError, Reader};

/// Bytes of log read at once.
const READ_BYTES: usize = 256 * 1024;

impl Reader {
    /// Who did what, from the event after `after` on. What was trimmed is skipped; the page says where the log begins.
    pub async fn audit(&self, tenant: &TenantId, after: Offset, limit: usize) -> Result<AuditPage, ReadError> {
        let feed = FeedId::of(tenant);
        let limit = limit.clamp(1, PAGE_MAX);
        let anchor = self.log.anchor(&feed).await?;
        let end = Offset(self.log.head(&feed).await?.next_offset.0.saturating_sub(1));
        let mut from = Offset(after.0.saturating_add(1)).max(anchor.oldest);
        let mut entries = Vec::with_capacity(limit.min(64));
        while entries.len() < limit && from <= end {
            let batches = self.log.read(&feed, from, READ_BYTES).await?;
            if batches.is_empty() {
                break;
            }
            for batch in &batches {
                for event in batch.events() {
                    let event = event?;
                    if event.header.offset >= from && event.header.offset <= end && entries.len() < limit {
                        entries.push(entry(&event));
                    }
                }
                from = batch.header.end();
            }
        }
        let next = entries.last().map(|entry| entry.offset).filter(|last| *last < end);
        Ok(AuditPage { position: Position::new(anchor.epoch, end), oldest: anchor.oldest, entries, next })
    }
}

fn entry(event: &StoredEvent) -> AuditEntry {
    let header = &event.header;
    AuditEntry {
        offset: header.offset,
        at: header.stamp,
        by: header.origin.by.clone(),
        via: header.origin.via,
        request: header.origin.request,
        r#type: event.fact.name(),
        conversation: header.conversation,
    }
}
