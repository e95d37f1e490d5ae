//! People who sign in: what is kept of each, sealed beside the log, and what the page and REST say of it.
//!
//! The log says only that a credential changed ([`crate::event::CredentialChange`]); nothing here is ever part of it.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{OperatorId, SessionId, TenantId},
    role::Role,
    time::Stamp,
};

/// Shortest password, in characters (NIST SP 800-63B wants at least 8, and no rules about kinds of characters).
pub const PASSWORD_MIN: usize = 10;
/// Longest password, in bytes.
pub const PASSWORD_MAX: usize = 256;
/// Longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3).
pub const EMAIL_MAX: usize = 254;

/// What is kept of somebody who signs in. JSON: fields may be added, with a default.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// In lower case.
    pub email: String,
    /// Argon2id in PHC's notation; none: invited, and not here yet.
    #[serde(default)]
    pub password: Option<String>,
    /// The one link that sets a password.
    #[serde(default)]
    pub link: Option<Link>,
    /// Where they are signed in, oldest first.
    #[serde(default)]
    pub sessions: Vec<SignedIn>,
}

/// A one-time link, as a hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// SHA-256 of its secret, in hex.
    pub hash: String,
    /// From then on it is worth nothing.
    pub until: Stamp,
}

/// One browser.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Names it.
    pub id: SessionId,
    /// SHA-256 of its cookie, in hex.
    pub hash: String,
    /// When it began.
    pub since: Stamp,
    /// From then on its cookie is worth nothing.
    pub until: Stamp,
    /// What the browser calls itself, shortened.
    pub agent: String,
}

/// How the page asks to be let in: with e-mail and password; with nothing, by its cookie or as the demo does.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSignIn {
    /// In demo mode: as whom; none: by the cookie, else as the demo's own operator.
    #[serde(default)]
    pub operator: Option<OperatorId>,
    /// Who.
    #[serde(default)]
    pub email: Option<String>,
    /// Theirs.
    #[serde(default)]
    pub password: Option<String>,
    /// Where, for whoever has the same e-mail at several; none: the first by name that the password opens.
    #[serde(default)]
    pub tenant: Option<TenantId>,
}

/// What the page calls the API and opens the stream with. Never kept on disk by the page.
#[derive(Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageToken {
    /// A bearer token like any other, of a short life.
    pub token: String,
    /// Seconds until it ends.
    pub valid_s: u64,
    /// Whose data.
    pub tenant: TenantId,
    /// Who the page is now.
    pub operator: OperatorId,
    /// What it may.
    pub role: Role,
    /// Nobody signed in: the demo let its own page in.
    pub demo: bool,
    /// In demo mode: the page of the telephone that callers have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Which sessions end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSignOut {
    /// Another one of the same person; none: this one.
    #[serde(default)]
    pub session: Option<SessionId>,
    /// All of the same person.
    #[serde(default)]
    pub everywhere: bool,
}

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageSession {
    /// Names it.
    pub id: SessionId,
    /// When it began.
    pub since: Stamp,
    /// When it ends by itself.
    pub until: Stamp,
    /// What the browser calls itself.
    pub agent: String,
    /// The one that asks.
    pub current: bool,
}

/// Everywhere somebody is signed in, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageSessions {
    /// Theirs.
    pub email: String,
    /// Each browser.
    pub rows: Vec<PageSession>,
}

/// A one-time link, as the page found it in its own address.
#[derive(Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageLink {
    /// Its secret part.
    pub link: String,
}

/// What a one-time link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PageInvitation {
    /// Where.
    pub tenant: TenantId,
    /// As whom.
    pub operator: OperatorId,
    /// Theirs.
    pub email: String,
    /// What they may.
    pub role: Role,
    /// They have a password, and replace it.
    pub reset: bool,
}

/// A one-time link is used: this is the password from here on.
#[derive(Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageJoin {
    /// Its secret part.
    pub link: String,
    /// At least [`PASSWORD_MIN`] characters.
    pub password: String,
}

/// Somebody who is to sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// As whom the others see them.
    pub operator: OperatorId,
    /// What they sign in with.
    pub email: String,
    /// What they may. Only an owner makes owners.
    pub role: Role,
}

/// A link that sets a password, once. Whoever has it is that operator: hand it over in person or in private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OneTimeLink {
    /// To open in a browser. Its secret stands behind the `#`, which browsers do not send.
    pub link: String,
    /// From then on it is worth nothing.
    pub until: Stamp,
}

/// What of signing in an operator has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignInState {
    /// Invited; has no password yet.
    Invited,
    /// Has a password.
    Active,
}
