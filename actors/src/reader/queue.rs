//! What waits to leave, read from the views page by page: a queue of any length costs no memory.

use std::collections::BTreeMap;

use schema::{
    ids::{ChannelId, ConversationId, MessageId, TemplateId, TenantId},
    message::Status,
    queue::{LineTotal, QueueFilter, QueueTotals, QueuedText, TemplateTotal},
};

use super::{ReadError, Reader};
use crate::conversation::{Send, State};

/// Open texts read at once.
const READ_TOGETHER: usize = 500;
/// Most open texts looked at for one page: a filter that nothing fits must not read for ever.
const LOOKED_AT: usize = 10_000;

impl Reader {
    /// Queued texts that a filter names, oldest first, and where to go on; fewer than `limit` does not mean the last.
    pub async fn queue(
        &self,
        tenant: &TenantId,
        filter: &QueueFilter,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<(Vec<QueuedText>, Option<MessageId>), ReadError> {
        let (mut rows, mut walk) = (Vec::new(), Walk::new(after));
        while let Some((message, send)) = self.next_open(tenant, &mut walk).await? {
            if send.status == Status::Queued && names(filter, &send) {
                rows.push(row(message, walk.conversation(), send));
            }
            if rows.len() >= limit || walk.seen >= LOOKED_AT {
                return Ok((rows, Some(message)));
            }
        }
        Ok((rows, None))
    }

    /// Sums over the texts that a filter names.
    pub async fn queue_totals(&self, tenant: &TenantId, filter: &QueueFilter) -> Result<QueueTotals, ReadError> {
        let mut sums = Sums::default();
        let mut walk = Walk::new(None);
        while let Some((_, send)) = self.next_open(tenant, &mut walk).await? {
            if names(filter, &send) {
                sums.add(&send);
            }
        }
        Ok(sums.totals())
    }

    /// The next text that is open at its lane.
    async fn next_open(&self, tenant: &TenantId, walk: &mut Walk) -> Result<Option<(MessageId, Send)>, ReadError> {
        loop {
            let Some((message, conversation)) = walk.page.next() else {
                if walk.is_last {
                    return Ok(None);
                }
                // Stores may answer without waiting: others on this thread get their turn.
                tokio::task::yield_now().await;
                let page = self.views.outbox(tenant, walk.after, READ_TOGETHER).await?;
                walk.is_last = page.len() < READ_TOGETHER;
                walk.page = page.into_iter();
                continue;
            };
            walk.after = Some(message);
            walk.seen += 1;
            if walk.state.as_ref().is_none_or(|state| state.conversation != conversation) {
                let stored = self.views.conversation(tenant, conversation).await?;
                walk.state = stored.map(|stored| State::load(&stored)).transpose()?;
            }
            if let Some(send) = walk.state.as_ref().and_then(|state| state.sends.get(&message)) {
                return Ok(Some((message, send.clone())));
            }
        }
    }
}

/// A walk over open texts.
struct Walk {
    page: std::vec::IntoIter<(MessageId, ConversationId)>,
    after: Option<MessageId>,
    is_last: bool,
    seen: usize,
    /// Of the last text: texts of one conversation often stand together.
    state: Option<State>,
}

impl Walk {
    fn new(after: Option<MessageId>) -> Self {
        Self { page: Vec::new().into_iter(), after, is_last: false, seen: 0, state: None }
    }

    fn conversation(&self) -> ConversationId {
        self.state.as_ref().map(|state| state.conversation).expect("a text was found in a state")
    }
}

fn names(filter: &QueueFilter, send: &Send) -> bool {
    filter.channel.as_ref().is_none_or(|channel| *channel == send.channel)
        && filter.template.as_ref().is_none_or(|template| send.template.as_ref() == Some(template))
        && filter.queued_before.is_none_or(|latest| send.queued <= latest)
        && filter.up_to.is_none_or(|up_to| send.queued_at <= up_to)
}

fn row(message: MessageId, conversation: ConversationId, send: Send) -> QueuedText {
    QueuedText {
        message,
        conversation,
        channel: send.channel,
        purpose: send.purpose,
        priority: send.priority,
        template: send.template,
        segments: send.segments,
        attempt: send.attempt,
        queued: send.queued,
        valid_until: send.valid_until,
    }
}

/// Texts and segments, counted. Lines and templates are bounded by the tenant's settings.
#[derive(Default)]
struct Sums {
    all: (u64, u64),
    on_their_way: u64,
    lines: BTreeMap<ChannelId, (u64, u64)>,
    templates: BTreeMap<Option<TemplateId>, (u64, u64)>,
}

impl Sums {
    fn add(&mut self, send: &Send) {
        match send.status {
            Status::Queued => {
                let line = self.lines.entry(send.channel.clone()).or_default();
                let template = self.templates.entry(send.template.clone()).or_default();
                for (texts, segments) in [&mut self.all, line, template] {
                    *texts += 1;
                    *segments += u64::from(send.segments);
                }
            }
            Status::Claimed | Status::Unknown => self.on_their_way += 1,
            _ => {}
        }
    }

    fn totals(self) -> QueueTotals {
        let (texts, segments) = self.all;
        let line = |(channel, (texts, segments))| LineTotal { channel, texts, segments };
        let template = |(template, (texts, segments))| TemplateTotal { template, texts, segments };
        QueueTotals {
            texts,
            segments,
            on_their_way: self.on_their_way,
            lines: self.lines.into_iter().map(line).collect(),
            templates: self.templates.into_iter().map(template).collect(),
        }
    }
}
