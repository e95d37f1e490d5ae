//! Saved filters: which conversations of the inbox an operator wants to see by one press.

use serde::{Deserialize, Serialize};

use crate::ids::{ChannelId, OperatorId, Tag};

/// A view of the inbox that a filter narrows down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FilterView {
    /// Whoever looks is on it.
    Mine,
    /// Nobody is on it.
    Unassigned,
    /// Open.
    All,
    /// With a missed call that nobody has answered.
    Missed,
    /// Hidden until later.
    Snoozed,
    /// Done.
    Resolved,
}

/// Conversations that meet all of it. Its name is the operator's own words; it should name no contact, for it is kept clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedFilter {
    /// 1 to 40 characters; an operator has no two of the same name.
    #[schema(min_length = 1, max_length = 40)]
    pub name: String,
    /// What it narrows down.
    pub view: FilterView,
    /// Each of these tags.
    #[serde(default)]
    #[schema(max_items = 8)]
    pub tags: Vec<Tag>,
    /// This operator is on it; none: whoever.
    #[serde(default)]
    pub assigned: Option<OperatorId>,
    /// The contact last used this line; none: any.
    #[serde(default)]
    pub channel: Option<ChannelId>,
    /// Only where the contact waits for a person.
    #[serde(default)]
    pub waiting: bool,
    /// Only with something that nobody has seen.
    #[serde(default)]
    pub unread: bool,
}

impl SavedFilter {
    /// Most filters of one operator.
    pub const MOST: usize = 20;
    /// Longest name, in characters.
    pub const NAME_MAX: usize = 40;
    /// Most tags of one filter.
    pub const TAGS_MAX: usize = 8;
}
