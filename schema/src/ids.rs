//! Ids as newtypes: what names a thing is never a bare string or integer.
//!
//! Slugs (`TenantId`, `ChannelId`, `OperatorId`, …) are chosen by people; UUIDs are made by us (v7, ordered by time).

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Longest slug, in bytes.
pub const SLUG_MAX: usize = 64;

/// Why a string is not a slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be 1 to {SLUG_MAX} of a-z A-Z 0-9 . _ @ - and start with a letter or digit")]
pub struct InvalidSlug {
    /// Which id was asked for.
    pub kind: &'static str,
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= SLUG_MAX
        && bytes[0].is_ascii_alphanumeric()
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b".-_@".contains(b))
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, utoipa::ToSchema)]
        #[schema(value_type = String, pattern = "^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the charset and the length.
            pub fn new(text: &str) -> Result<Self, InvalidSlug> {
                if is_slug(text) { Ok(Self(text.into())) } else { Err(InvalidSlug { kind: $kind }) }
            }

            /// The slug as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidSlug;
            fn from_str(text: &str) -> Result<Self, InvalidSlug> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(de::Error::custom)
            }
        }
    };
}

slug!(/// One business.
    TenantId, "tenant");
slug!(/// One line of a business: a number at a carrier, unique over all tenants.
    ChannelId, "channel");
slug!(/// Who answers. Unique within a tenant.
    OperatorId, "operator");
slug!(/// An account at a carrier: rates, secrets and channels hang on it. Unique over all tenants.
    AccountId, "account");
slug!(/// A text with variables. Unique within a tenant.
    TemplateId, "template");
slug!(/// A process that owns tenants. Stable over restarts of the same data directory.
    NodeId, "node");
slug!(/// A label on a conversation. Unique within a tenant.
    Tag, "tag");

impl TenantId {
    /// The tenant whose feed is the directory: who exists and which address routes where.
    pub fn system() -> Self {
        Self("system".into())
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub Uuid);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id!(/// The lifelong exchange of one tenant with one contact, over all lines.
    ConversationId);
uuid_id!(/// Who asks.
    ContactId);
uuid_id!(/// One message, in or out.
    MessageId);
uuid_id!(/// A personal key: one per contact, destroyed to erase the contact.
    KeyId);
uuid_id!(/// One request of the outside world, the same in the log, in problems and in events.
    RequestId);
uuid_id!(/// The random id of a batch: tells our own append from another's after a time-out.
    BatchId);

uuid_id!(/// One browser in which somebody is signed in.
    SessionId);

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(/// Place of an event in its tenant's feed: dense, from 1. 0 is "before the first".
    Offset);
number!(/// Place of a batch in its tenant's feed: dense, from 1. 0 is "before the first".
    BatchNumber);
number!(/// Which log this is. It changes only when the log is another log (restored, re-created).
    Epoch);

/// Which part of a tenant's feed: 0 everywhere today; the type is there so that a giant can be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub u16);

/// Names one log: a tenant and a partition of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FeedId {
    /// Whose log.
    pub tenant: TenantId,
    /// Which part of it.
    pub partition: Partition,
}

impl FeedId {
    /// The only partition a tenant has today.
    pub fn of(tenant: &TenantId) -> Self {
        Self { tenant: tenant.clone(), partition: Partition(0) }
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.partition.0)
    }
}

/// Keyed hash (HMAC-SHA-256, first 16 bytes) of a contact's address within a tenant.
/// Stands for the address in keys, routes and logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AddressHash(pub [u8; 16]);

impl fmt::Debug for AddressHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_bytes(self.0).simple())
    }
}

/// Hash of what makes a command the same command: a carrier's id or an operator's idempotency key,
/// with the namespace it belongs to. First 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DedupeKey(pub [u8; 16]);

impl fmt::Debug for DedupeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Uuid::from_bytes(self.0).simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_keeps_out_what_could_break_a_path_or_a_key() {
        for good in ["demo", "demo-line", "ana", "a.b@c", "0"] {
            assert!(TenantId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a/b", "a b", "a\n", "é", &"x".repeat(65)] {
            assert!(TenantId::new(bad).is_err(), "{bad}");
        }
    }
}
