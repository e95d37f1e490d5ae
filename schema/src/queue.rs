//! What waits to leave: rows, sums, and what an admin confirms before many texts are taken back at once.
//!
//! Ids and numbers only; whom a text goes to and what it says is not here.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    event::{Purpose, QueueCancelOrdered},
    ids::{ChannelId, ConversationId, MessageId, Offset, TemplateId},
    message::Priority,
    page::Position,
    pause::Pauses,
    time::Stamp,
};

/// Which queued texts. What is not named is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueFilter {
    /// Of this line.
    pub channel: Option<ChannelId>,
    /// Made from this template.
    pub template: Option<TemplateId>,
    /// Queued no later than this.
    pub queued_before: Option<Stamp>,
    /// Queued by an event up to this one.
    pub up_to: Option<Offset>,
}

/// A page of queued texts, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct QueuePage {
    /// Read before the rows: rows may be newer, never older.
    #[serde(flatten)]
    pub position: Position,
    /// The texts; a page may be empty and not the last.
    pub rows: Vec<QueuedText>,
    /// Where the next page begins; none: this was the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<MessageId>,
    /// Sums over all pages; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<QueueTotals>,
    /// What is held back; absent: texts leave.
    #[serde(skip_serializing_if = "Pauses::is_empty")]
    pub paused: Pauses,
    /// How lines stand with limits that nodes share; absent: this node shares none, or no line is under one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pace: Vec<LinePace>,
}

/// How one line stands with limits that nodes share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LinePace {
    /// Which.
    pub channel: ChannelId,
    /// How.
    pub standing: PaceStanding,
}

/// Where a node's parts of shared limits come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaceStanding {
    /// Nothing was asked for lately.
    Idle,
    /// It has a part of every limit, granted for now.
    Granted,
    /// It waits for a part of a limit: others have it, or the question is under way.
    Waiting,
    /// Redis does not answer, or knows too little. Texts leave by what was granted before, then by this node's own part.
    Degraded,
}

impl PaceStanding {
    /// For a label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Granted => "granted",
            Self::Waiting => "waiting",
            Self::Degraded => "degraded",
        }
    }
}

/// One queued text.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct QueuedText {
    /// Which.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The line it leaves from.
    pub channel: ChannelId,
    /// Why it was queued.
    pub purpose: Purpose,
    /// Who goes first.
    pub priority: Priority,
    /// The template it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateId>,
    /// Its cost.
    pub segments: u16,
    /// The attempt to come, from 1.
    pub attempt: u16,
    /// When it was queued first.
    pub queued: Stamp,
    /// Never sent after this.
    pub valid_until: Stamp,
}

/// Sums over queued texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueTotals {
    /// How many.
    pub texts: u64,
    /// Their cost.
    pub segments: u64,
    /// As many are at the carrier or claimed for it: too late to take back, unless the carrier refuses them.
    pub on_their_way: u64,
    /// The same by line.
    pub lines: Vec<LineTotal>,
    /// The same by template.
    pub templates: Vec<TemplateTotal>,
}

/// Sums of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LineTotal {
    /// Which.
    pub channel: ChannelId,
    /// How many.
    pub texts: u64,
    /// Their cost.
    pub segments: u64,
}

/// Sums of one template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TemplateTotal {
    /// Which; none: not made from one.
    pub template: Option<TemplateId>,
    /// How many.
    pub texts: u64,
    /// Their cost.
    pub segments: u64,
}

/// What a preview showed, to be confirmed: which texts, as of which event. Opaque to clients: hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueConfirm(Confirmed);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Confirmed {
    channel: Option<ChannelId>,
    template: Option<TemplateId>,
    queued_before: Option<Stamp>,
    up_to: Offset,
    after: Option<MessageId>,
}

impl QueueConfirm {
    /// Of a preview that is true at `up_to`.
    pub fn new(filter: &QueueFilter, up_to: Offset) -> Self {
        Self(Confirmed {
            channel: filter.channel.clone(),
            template: filter.template.clone(),
            queued_before: filter.queued_before,
            up_to,
            after: None,
        })
    }

    /// The same texts, from behind `after` on.
    #[must_use]
    pub fn behind(&self, after: MessageId) -> Self {
        Self(Confirmed { after: Some(after), ..self.0.clone() })
    }

    /// The texts behind this one are still to be taken back; none: all are.
    pub fn after(&self) -> Option<MessageId> {
        self.0.after
    }

    /// The event up to which texts are meant.
    pub fn up_to(&self) -> Offset {
        self.0.up_to
    }

    /// The texts that are meant.
    pub fn filter(&self) -> QueueFilter {
        let Confirmed { channel, template, queued_before, up_to, .. } = self.0.clone();
        QueueFilter { channel, template, queued_before, up_to: Some(up_to) }
    }

    /// The event that says who ordered it.
    pub fn ordered(&self) -> QueueCancelOrdered {
        let Confirmed { channel, template, queued_before, up_to, .. } = self.0.clone();
        QueueCancelOrdered { channel, template, queued_before, up_to }
    }
}

impl fmt::Display for QueueConfirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = postcard::to_stdvec(&self.0).map_err(|_| fmt::Error)?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why a text is nothing that a preview gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing that a preview gave")]
pub struct InvalidConfirm;

impl std::str::FromStr for QueueConfirm {
    type Err = InvalidConfirm;
    fn from_str(text: &str) -> Result<Self, InvalidConfirm> {
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(InvalidConfirm),
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(InvalidConfirm);
        }
        let bytes: Result<Vec<u8>, _> =
            pairs.iter().map(|[high, low]| Ok(nibble(*high)? << 4 | nibble(*low)?)).collect();
        match postcard::take_from_bytes(&bytes?) {
            Ok((confirmed, [])) => Ok(Self(confirmed)),
            _ => Err(InvalidConfirm),
        }
    }
}

impl Serialize for QueueConfirm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QueueConfirm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// What a preview shows, or what one step has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct QueueCanceled {
    /// Whether nothing was done yet.
    pub preview: bool,
    /// A preview: what would be taken back. A step: what this one has taken back.
    #[serde(flatten)]
    pub totals: QueueTotals,
    /// Texts of this step that had left, expired or been canceled meanwhile.
    pub gone: u64,
    /// Texts of this step whose conversation is parked: release it, or leave them to expire.
    pub parked: u64,
    /// Send it as `confirm`, with `"preview": false`, to take back these, or those that are left; none: nothing is left.
    /// The same one sent again takes nothing back twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub confirm: Option<QueueConfirm>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_a_preview_gave_is_read_back() {
        let filter = QueueFilter {
            channel: Some(ChannelId::new("line").expect("a slug")),
            template: Some(TemplateId::new("back").expect("a slug")),
            queued_before: Some(Stamp(1_790_000_000_000_000)),
            up_to: None,
        };
        for confirm in [
            QueueConfirm::new(&filter, Offset(77)),
            QueueConfirm::new(&QueueFilter::default(), Offset(0)),
            QueueConfirm::new(&filter, Offset(77)).behind(MessageId(Uuid::from_u128(5))),
        ] {
            assert_eq!(confirm.to_string().parse(), Ok(confirm));
        }
        let meant = QueueConfirm::new(&filter, Offset(77)).filter();
        assert_eq!(meant, QueueFilter { up_to: Some(Offset(77)), ..filter });
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f]{0,120}|.{0,40}") {
            if let Ok(confirm) = text.parse::<QueueConfirm>() {
                prop_assert_eq!(confirm.to_string().parse(), Ok(confirm));
            }
        }
    }
}
