//! Facts of consent: whether a contact may be texted, who said so, and what was said for it.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ChannelId, MessageId},
    time::Stamp,
};

/// Whether a contact may be texted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// Never asked not to be. A contact who wrote or called first has implied consent to be answered.
    #[default]
    Implied,
    /// Said START.
    OptedIn,
    /// Said STOP, or somebody said it for them.
    OptedOut,
}

/// Where a change of consent came from: decides who may lift it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// A keyword of the contact.
    Contact,
    /// The carrier refused because of an opt-out it holds (21610).
    Carrier,
    /// An operator recorded it.
    Operator,
    /// An admin recorded what the contact said.
    Admin,
}

body!(/// Consent of a contact on every line of the tenant.
ConsentChanged {
    /// From here on.
    consent: Consent,
    /// Who said so.
    source: ConsentSource,
    /// The line it was said on, if any.
    channel: Option<ChannelId>,
});

/// How a contact gave new consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMethod {
    /// Face to face.
    InPerson,
    /// In a call.
    Phone,
    /// Signed on paper.
    Paper,
    /// In a form on a web page.
    Web,
    /// By e-mail.
    Email,
    /// Over another channel.
    Other,
}

body!(/// Lifts every opt-out of ours; the carrier's own list only the contact can lift. Part: the exact words, as text.
ConsentRecorded {
    /// How it was given.
    how: ConsentMethod,
    /// When it was given.
    given: Stamp,
});

body!(/// Automatic texts are held until the contact or a person says what is meant.
ConsentQuestioned {
    /// The text that seems to ask for it.
    message: MessageId,
});
