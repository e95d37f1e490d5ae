//! Settings that live in a tenant's own log: lines, templates, limits. They hold nothing of a contact; numbers in them are the business's own.

use serde::{Deserialize, Serialize};

use crate::segments;

mod filter;
mod hours;
mod line;
mod preferences;

pub use filter::{FilterView, SavedFilter};
pub use hours::{HoursSpan, WeekHours, Weekday};
pub use line::{
    CarrierAnswers, ChannelSettings, ChannelSettings1, KeywordAnswers, NumberType, Ring, VoiceMode, VoiceSettings,
    Voicemail,
};
pub use preferences::Preferences;

/// Settings of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TenantSettings {
    /// The business's name as contacts know it; `{business}` in templates.
    #[schema(max_length = 100)]
    pub business_name: String,
}

/// A text with variables in braces: `{business}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TemplateSettings {
    /// The text.
    #[schema(min_length = 1, max_length = 1600)]
    pub text: String,
}

impl TemplateSettings {
    /// Longest text, in characters (Twilio's `Body`).
    pub const TEXT_MAX: usize = 1_600;

    /// Fills in the variables; an unknown one stays as it is.
    pub fn render(&self, tenant: &TenantSettings) -> String {
        self.text.replace("{business}", &tenant.business_name)
    }

    /// Its cost when rendered.
    pub fn segments(&self, tenant: &TenantSettings) -> u16 {
        segments::count(&self.render(tenant)).segments
    }
}

/// How fast a line may send: levels from the account down to the pair (carriers.md D.7). `None`: no limit at that level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LimitSettings {
    /// Segments per second of the whole carrier account.
    pub account_per_s: Option<u32>,
    /// Brand the day level is counted under, and its segments per Pacific day.
    pub brand_per_day: Option<NamedLimit>,
    /// Campaign the minute level is counted under, and its segments per minute.
    pub campaign_per_min: Option<NamedLimit>,
    /// Segments per second of this number.
    pub number_per_s: Option<u32>,
    /// Seconds between two messages to one contact.
    pub pair_interval_s: Option<u32>,
    /// What networks take of a brand in a Pacific day. Nobody tells us the network of a number: a text counts against
    /// every one of these.
    #[serde(default)]
    pub networks_per_day: Vec<NetworkLimit>,
}

/// As it was before networks had caps of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LimitSettings1 {
    /// See [`LimitSettings`].
    pub account_per_s: Option<u32>,
    /// See [`LimitSettings`].
    pub brand_per_day: Option<NamedLimit>,
    /// See [`LimitSettings`].
    pub campaign_per_min: Option<NamedLimit>,
    /// See [`LimitSettings`].
    pub number_per_s: Option<u32>,
    /// See [`LimitSettings`].
    pub pair_interval_s: Option<u32>,
}

impl From<LimitSettings1> for LimitSettings {
    fn from(old: LimitSettings1) -> Self {
        let LimitSettings1 { account_per_s, brand_per_day, campaign_per_min, number_per_s, pair_interval_s } = old;
        let networks_per_day = Vec::new();
        Self { account_per_s, brand_per_day, campaign_per_min, number_per_s, pair_interval_s, networks_per_day }
    }
}

/// What one network takes of one brand in a day (carriers.md D.7: T-Mobile's caps by brand).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLimit {
    /// The network's name, for example `t-mobile`.
    #[schema(min_length = 1, max_length = 100)]
    pub network: String,
    /// The brand's id.
    #[schema(min_length = 1, max_length = 100)]
    pub brand: String,
    /// Segments per Pacific day.
    pub limit: u32,
}

impl NetworkLimit {
    /// Most caps of one line.
    pub const MOST: usize = 16;
}

/// A limit shared under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedLimit {
    /// The brand or campaign id.
    pub name: String,
    /// Segments per window.
    pub limit: u32,
}

impl Default for LimitSettings {
    /// A US long code: one segment a second (carriers.md B.1).
    fn default() -> Self {
        Self {
            account_per_s: None,
            brand_per_day: None,
            campaign_per_min: None,
            number_per_s: Some(1),
            pair_interval_s: None,
            networks_per_day: Vec::new(),
        }
    }
}
