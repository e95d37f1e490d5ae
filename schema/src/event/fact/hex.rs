//! Hashes and keys: bytes on disk, hex in JSON.

pub(super) mod hex_hash {
    //! Hashes: bytes on disk, hex in JSON.
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::AddressHash;

    pub fn serialize<S: Serializer>(hash: &AddressHash, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{hash:?}"))
        } else {
            hash.serialize(serializer)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AddressHash, D::Error> {
        AddressHash::deserialize(deserializer)
    }
}

pub(super) mod hex_key {
    //! Keys: bytes on disk, hex in JSON.
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::DedupeKey;

    pub fn serialize<S: Serializer>(key: &DedupeKey, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{key:?}"))
        } else {
            key.serialize(serializer)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DedupeKey, D::Error> {
        DedupeKey::deserialize(deserializer)
    }
}
