//! Events as dashboards see them, over the stream and REST alike.

use serde::Serialize;

use crate::{
    event::{Author, Content, Event, Fact, MediaRef, Via},
    ids::{ConversationId, Offset, RequestId},
    role::Role,
    time::Stamp,
};

/// One event in JSON: `{"offset":7,"at":…,"conversation":"…","previous":3,"by":"contact","via":"webhook",
/// "request":"…","type":"message.received","data":{…},"text":"…"}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WireEvent<'a> {
    /// Position in the tenant's feed.
    pub offset: Offset,
    /// Microseconds since the epoch.
    pub at: Stamp,
    /// The conversation it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// Offset of the conversation's event before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<Offset>,
    /// Who.
    pub by: &'a Author,
    /// Through which door.
    pub via: Via,
    /// By which request.
    pub request: RequestId,
    /// `type` and `data`.
    #[serde(flatten)]
    pub fact: &'a Fact,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<&'a str>,
    /// The contact's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The contact's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<&'a str>,
    /// Pictures and files.
    #[serde(skip_serializing_if = "<[MediaRef]>::is_empty")]
    pub media: &'a [MediaRef],
    /// The person was erased: text, name and address are gone for good.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
}

impl<'a> WireEvent<'a> {
    /// The event as `role` may see it; `None`: it is hidden from that role.
    pub fn of(event: &'a Event, role: Role) -> Option<Self> {
        if !is_visible(&event.fact, role) {
            return None;
        }
        let personal = event.personal();
        Some(Self {
            offset: event.header.offset,
            at: event.header.stamp,
            conversation: event.header.conversation,
            previous: event.header.conversation.map(|_| event.header.previous),
            by: &event.header.origin.by,
            via: event.header.origin.via,
            request: event.header.origin.request,
            fact: &event.fact,
            text: personal.and_then(|personal| personal.text.as_deref()),
            name: personal.and_then(|personal| personal.name.as_deref()),
            address: personal.and_then(|personal| personal.address.as_ref()).map(crate::address::Address::as_str),
            media: personal.map_or(&[], |personal| &personal.media),
            erased: personal.is_none() && event.parts.iter().any(|part| part.content == Content::Shredded),
        })
    }
}

/// What every role sees of a hidden event, so that its inbox stays dense.
pub const HIDDEN: &str = r#"{"type":"hidden"}"#;

/// Whether `role` may see this kind of event at all.
pub fn is_visible(fact: &Fact, role: Role) -> bool {
    match fact {
        Fact::Foreign(_) => false,
        Fact::NoteAdded(_) | Fact::HoursSet(_) => role >= Role::Operator,
        Fact::FeedTaken(_)
        | Fact::TenantConfigured(_)
        | Fact::ChannelConfigured(_)
        | Fact::LimitConfigured(_)
        | Fact::OperatorConfigured(_)
        | Fact::SecretChanged(_)
        | Fact::CredentialChanged(_)
        | Fact::FiltersSaved(_)
        | Fact::PreferencesSet(_)
        | Fact::TenantRegistered(_)
        | Fact::ChannelClaimed(_)
        | Fact::AccountRegistered(_)
        | Fact::EveryonePaused(_)
        | Fact::WriteVersionRaised(_) => role >= Role::Admin,
        _ => true,
    }
}
