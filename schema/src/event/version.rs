//! Which kinds of events may be written: those that every node reads.

use serde::{Deserialize, Serialize};

use super::Fact;

/// Stands for all kinds of events, and versions of kinds, that came with it or before it. The one in force is in the
/// directory; it is only ever raised, once every node reads what it allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct WriteVersion(pub u16);

/// Kinds, and versions of kinds, that are younger than the first write version: number, version, and what they came with.
/// Whoever adds one names it here and raises [`WriteVersion::NEWEST`].
const YOUNGER: &[(u16, u8, WriteVersion)] = &[];

impl WriteVersion {
    /// In force where nothing else was said.
    pub const FIRST: Self = Self(1);
    /// All that this version of the engine reads, and writes once it is in force.
    pub const NEWEST: Self = Self(1);
}

impl std::fmt::Display for WriteVersion {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(to)
    }
}

impl Fact {
    /// What must be in force before it is written.
    pub fn since(&self) -> WriteVersion {
        let (number, version) = self.kind();
        let younger = YOUNGER.iter().find(|(kind, of, _)| (*kind, *of) == (number, version));
        younger.map_or(WriteVersion::FIRST, |(_, _, since)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::KINDS, *};

    #[test]
    fn what_is_younger_than_the_first_is_a_kind_and_is_read() {
        for (number, version, since) in YOUNGER {
            assert!(
                KINDS.iter().any(|(kind, of, _)| (kind, of) == (number, version)),
                "{number} v {version} is no kind"
            );
            assert!((WriteVersion::FIRST..=WriteVersion::NEWEST).contains(since), "{number} v {version} is not read");
        }
        assert!(
            YOUNGER.iter().map(|(_, _, since)| *since).max().unwrap_or(WriteVersion::FIRST) == WriteVersion::NEWEST
        );
    }
}
