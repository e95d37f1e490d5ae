//! How a person wants their desk, in whatever browser.

use serde::{Deserialize, Serialize};

/// What is left out is as the page has it by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// The page's language, as a tag of BCP 47; none: like the browser.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 35, pattern = "^[A-Za-z0-9-]+$", example = "de")]
    pub language: Option<String>,
    /// Seconds that a text can be taken back in; none: four.
    #[serde(default)]
    #[schema(maximum = 30)]
    pub hold_s: Option<u16>,
}

impl Preferences {
    /// Longest tag of a language, in bytes (RFC 5646, 4.4.1).
    pub const LANGUAGE_MAX: usize = 35;

    /// Whether the language looks like a tag. Whether there is a catalogue for it is the page's business.
    pub fn names_a_language(&self) -> bool {
        self.language.as_ref().is_none_or(|tag| {
            (2..=Self::LANGUAGE_MAX).contains(&tag.len())
                && tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
    }
}
