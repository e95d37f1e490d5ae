//! Channel names: `inbox:<tenant>`, `conversation:<id>`, `operator:<id>`, `presence:<tenant>`.

use schema::ids::{ConversationId, OperatorId, TenantId};

/// A channel, as its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Channel {
    /// Every event of a tenant.
    Inbox(TenantId),
    /// The events of one conversation.
    Conversation(ConversationId),
    /// What is meant for one operator.
    Operator(OperatorId),
    /// Who is there.
    Presence(TenantId),
}

impl Channel {
    /// None: there is no such channel.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (kind, id) = name.split_once(':')?;
        match kind {
            "inbox" => id.parse().ok().map(Self::Inbox),
            "conversation" => id.parse().ok().map(Self::Conversation),
            "operator" => id.parse().ok().map(Self::Operator),
            "presence" => id.parse().ok().map(Self::Presence),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_four_kinds_are_channels() {
        assert_eq!(Channel::parse("inbox:demo"), Some(Channel::Inbox(TenantId::new("demo").unwrap())));
        assert_eq!(Channel::parse("operator:ana"), Some(Channel::Operator(OperatorId::new("ana").unwrap())));
        assert!(Channel::parse("conversation:0190b2e4-7d1a-7000-8000-000000000000").is_some());
        assert!(Channel::parse("presence:demo").is_some());
        for bad in ["", "inbox", "inbox:", "inbox:a/b", "conversation:demo", "other:demo", "Inbox:demo"] {
            assert_eq!(Channel::parse(bad), None, "{bad}");
        }
    }
}
