//! How a section of the configuration is declared: each key with its type and what it allows, in one place.

use std::{fmt, net::SocketAddr, num::NonZeroU32, ops::RangeInclusive, path::PathBuf, time::Duration};

use serde::Deserialize;

/// What a key may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// A whole number in these bounds.
    Range(RangeInclusive<u64>),
    /// In words; the type has checked it.
    Words(&'static str),
}

impl From<RangeInclusive<u64>> for Allowed {
    fn from(range: RangeInclusive<u64>) -> Self {
        Self::Range(range)
    }
}

impl From<&'static str> for Allowed {
    fn from(words: &'static str) -> Self {
        Self::Words(words)
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) => write!(f, "a whole number from {} to {}", range.start(), range.end()),
            Self::Words(words) => f.write_str(words),
        }
    }
}

/// One key: what it is called, what it holds, what it allows.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `section.key`.
    pub key: String,
    /// The value as a number, if it is one.
    pub number: Option<u64>,
    /// What is allowed.
    pub allowed: Allowed,
}

impl Rule {
    /// Whether the value is within its bounds.
    pub fn holds(&self) -> bool {
        match (&self.allowed, self.number) {
            (Allowed::Range(range), Some(number)) => range.contains(&number),
            _ => true,
        }
    }
}

/// A value that may be a number with bounds.
pub(super) trait Setting {
    /// The number to hold against the bounds.
    fn number(&self) -> Option<u64> {
        None
    }
}

impl Setting for SocketAddr {}
impl Setting for String {}
impl Setting for PathBuf {}
impl Setting for bool {}
impl Setting for f64 {}
impl<T> Setting for Vec<T> {}

impl Setting for u8 {
    fn number(&self) -> Option<u64> {
        Some(u64::from(*self))
    }
}

impl Setting for u16 {
    fn number(&self) -> Option<u64> {
        Some(u64::from(*self))
    }
}

impl Setting for u32 {
    fn number(&self) -> Option<u64> {
        Some(u64::from(*self))
    }
}

impl Setting for NonZeroU32 {
    fn number(&self) -> Option<u64> {
        Some(u64::from(self.get()))
    }
}

impl Setting for u64 {
    fn number(&self) -> Option<u64> {
        Some(*self)
    }
}

impl Setting for usize {
    fn number(&self) -> Option<u64> {
        u64::try_from(*self).ok()
    }
}

/// A secret that stands in the configuration. Never shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }
}

macro_rules! duration {
    ($(#[$doc:meta])* $name:ident, $from:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// As the standard library's duration.
            pub const fn duration(self) -> Duration {
                $from(self.0)
            }
        }

        impl From<$name> for Duration {
            fn from(value: $name) -> Self {
                value.duration()
            }
        }

        impl Setting for $name {
            fn number(&self) -> Option<u64> {
                Some(self.0)
            }
        }
    };
}

duration!(/// A key that ends in `_ms`.
    Millis, Duration::from_millis);
duration!(/// A key that ends in `_s`.
    Seconds, Duration::from_secs);

/// Declares a section: `key: Type, allowed;` with a range or words. No key has a default here: config/default.toml has.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident($section:literal) { $( $(#[$key_doc:meta])* $key:ident: $type:ty, $allowed:expr; )* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[$key_doc])* pub $key: $type, )*
        }

        impl $name {
            /// The section's name in the file.
            pub const SECTION: &str = $section;

            pub(super) fn rules(&self) -> Vec<$crate::config::section::Rule> {
                vec![$( $crate::config::section::Rule {
                    key: concat!($section, ".", stringify!($key)).to_owned(),
                    number: $crate::config::section::Setting::number(&self.$key),
                    allowed: $allowed.into(),
                }, )*]
            }

            pub(super) fn allowed(key: &str) -> Option<$crate::config::section::Allowed> {
                match key {
                    $( stringify!($key) => Some($allowed.into()), )*
                    _ => None,
                }
            }
        }
    };
}

pub(super) use section;
