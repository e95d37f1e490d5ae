//! Texts that a rule writes: from a template of the tenant, or in the engine's own words.

use std::time::Duration;

use schema::{
    event::{MessageQueued, Personal, Purpose},
    ids::{ChannelId, MessageId, TemplateId},
    message::Priority,
};

use super::{Decision, Inputs};

/// What it says, and where that comes from.
pub(super) struct Words {
    text: String,
    template: Option<TemplateId>,
}

impl Words {
    /// A template's, rendered; none: there is no such template.
    pub(super) fn of(template: &TemplateId, inputs: &Inputs<'_>) -> Option<Self> {
        let text = inputs.settings.templates.get(template)?.render(&inputs.settings.tenant);
        Some(Self { text, template: Some(template.clone()) })
    }

    /// The engine's own.
    pub(super) fn own(text: String) -> Self {
        Self { text, template: None }
    }
}

/// One text to be.
pub(super) struct Automatic<'a> {
    pub(super) message: MessageId,
    pub(super) channel: &'a ChannelId,
    pub(super) words: Words,
    pub(super) purpose: Purpose,
    pub(super) priority: Priority,
    pub(super) validity: Duration,
}

/// Queues it.
pub(super) fn queue(order: Automatic<'_>, inputs: &Inputs<'_>, decision: &mut Decision) {
    let Words { text, template } = order.words;
    decision.push_personal(
        MessageQueued {
            message: order.message,
            channel: order.channel.clone(),
            purpose: order.purpose,
            priority: order.priority,
            segments: schema::segments::count(&text).segments,
            valid_until: inputs.now.plus(order.validity),
            template,
        },
        Personal::text(text),
    );
}
