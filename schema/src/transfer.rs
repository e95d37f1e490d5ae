//! A tenant on its way from one store to another: what its file says beside the log.

use serde::{Deserialize, Serialize};

use crate::{
    event::SealedBatch,
    ids::{AccountId, BatchNumber, ChannelId, ContactId, Epoch, KeyId, Offset, OperatorId, TenantId},
};

/// What the file is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whose.
    pub tenant: TenantId,
    /// The log's epoch: it stays the same, so that dashboards resume in the new place.
    pub epoch: Epoch,
    /// First offset of the log.
    pub oldest: Offset,
    /// Its batch.
    pub oldest_batch: BatchNumber,
    /// Version of the views, which a baseline is part of.
    pub views: u32,
}

/// What the directory says of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Accounts, with the carrier's ids of them.
    pub accounts: Vec<(AccountId, String)>,
    /// Lines, with their accounts and numbers.
    pub lines: Vec<(ChannelId, AccountId, String)>,
}

/// Something that is sealed in the file. Its `Debug` is none: it would show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Secret {
    /// A contact's key.
    Key {
        /// Whose.
        contact: ContactId,
        /// Its id.
        id: KeyId,
        /// It.
        secret: [u8; 32],
    },
    /// The tenant's secret for address hashes.
    Hash([u8; 32]),
    /// An account's secrets, newest first.
    Account(AccountId, Vec<String>),
    /// A record of somebody who signs in.
    Person(OperatorId, Vec<u8>),
}

/// What a file holds of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Batches.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
    /// Offset after the last one.
    pub next_offset: Offset,
}

impl Totals {
    /// Of a log that begins here.
    pub fn from(oldest: Offset) -> Self {
        Self { next_offset: oldest, ..Self::default() }
    }

    /// With one more batch.
    pub fn add(&mut self, batch: &SealedBatch) {
        self.batches += 1;
        self.events += u64::from(batch.header.count);
        self.next_offset = batch.header.end();
    }
}

/// What the last record says of those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Of the log.
    pub totals: Totals,
    /// Secrets.
    pub secrets: u64,
    /// Of every byte before this record, in hexadecimal digits.
    pub sha256: String,
}
