//! Personal parts: everything of an event that can name or quote a person.

use serde::{Deserialize, Serialize};

use crate::{
    address::Address,
    ids::{ContactId, KeyId},
};

/// One personal part: whose it is, which key seals it, and what it says if that key still exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The person it is about.
    pub subject: ContactId,
    /// The key it is sealed with; destroying it erases the part wherever it is kept.
    pub key: KeyId,
    /// What it says.
    pub content: Content,
}

/// What a reader finds in a part.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Readable.
    Open(Personal),
    /// Its key is destroyed: the person was erased.
    Shredded,
}

/// The personal content of an event. A field that an event does not need is empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Personal {
    /// What was written: message, note, raw webhook body.
    pub text: Option<String>,
    /// The contact's address on a channel.
    pub address: Option<Address>,
    /// The contact's name.
    pub name: Option<String>,
    /// Pictures and files, by reference.
    pub media: Vec<MediaRef>,
}

impl Personal {
    /// Only a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Whether there is nothing to seal.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A picture or file, kept by reference to where the carrier holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MediaRef {
    /// Where the carrier serves it.
    pub url: String,
    /// MIME type as the carrier said.
    pub content_type: String,
}
