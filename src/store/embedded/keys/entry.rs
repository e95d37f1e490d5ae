//! What the key file holds, and how an entry is sealed with the master key.

use std::collections::HashMap;

use actors::ports::ContactKey;
use rand::TryRngCore;
use schema::{
    ids::{AccountId, ContactId, KeyId, OperatorId, TenantId},
    seal::{self, NONCE},
};
use uuid::Uuid;

use crate::store::embedded::record::{put_tenant, take_tenant};

const KEY: u8 = 1;
const HASH: u8 = 2;
const ACCOUNT: u8 = 3;
const PERSON: u8 = 4;
const CONTEXT: &[u8] = b"deskwire keys 1";

/// One entry.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A contact's key.
    Key {
        /// Whose contact.
        tenant: TenantId,
        /// Whose key.
        contact: ContactId,
        /// The key.
        key: ContactKey,
    },
    /// A tenant's secret for address hashes.
    Hash {
        /// Whose.
        tenant: TenantId,
        /// 256 bits.
        secret: [u8; 32],
    },
    /// The secrets of an account at a carrier, newest first.
    Account {
        /// Which.
        account: AccountId,
        /// All that are valid.
        secrets: Vec<String>,
    },
    /// What an operator signs in with.
    Person {
        /// Whose operator.
        tenant: TenantId,
        /// Who.
        operator: OperatorId,
        /// Opaque here; empty: forgotten.
        record: Vec<u8>,
    },
}

impl Entry {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        match self {
            Self::Key { tenant, contact, key } => {
                out.push(KEY);
                put_tenant(tenant, &mut out);
                out.extend_from_slice(contact.0.as_bytes());
                out.extend_from_slice(key.id.0.as_bytes());
                out.extend_from_slice(&key.secret);
            }
            Self::Hash { tenant, secret } => {
                out.push(HASH);
                put_tenant(tenant, &mut out);
                out.extend_from_slice(secret);
            }
            Self::Account { account, secrets } => {
                out.push(ACCOUNT);
                for text in std::iter::once(account.as_str()).chain(secrets.iter().map(String::as_str)) {
                    out.extend_from_slice(&(text.len() as u64).to_be_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
            }
            Self::Person { tenant, operator, record } => {
                out.push(PERSON);
                put_tenant(tenant, &mut out);
                out.extend_from_slice(&(operator.as_str().len() as u64).to_be_bytes());
                out.extend_from_slice(operator.as_str().as_bytes());
                out.extend_from_slice(record);
            }
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            KEY => {
                let (tenant, rest) = take_tenant(rest)?;
                let (contact, rest) = rest.split_first_chunk()?;
                let (id, rest) = rest.split_first_chunk()?;
                let contact = ContactId(Uuid::from_bytes(*contact));
                let key = ContactKey { id: KeyId(Uuid::from_bytes(*id)), secret: rest.try_into().ok()? };
                Some(Self::Key { tenant, contact, key })
            }
            HASH => {
                let (tenant, rest) = take_tenant(rest)?;
                Some(Self::Hash { tenant, secret: rest.try_into().ok()? })
            }
            ACCOUNT => {
                let mut texts = Vec::new();
                let mut rest = rest;
                while !rest.is_empty() {
                    let (length, after) = rest.split_first_chunk()?;
                    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
                    let (text, after) = after.split_at_checked(length)?;
                    texts.push(std::str::from_utf8(text).ok()?.to_owned());
                    rest = after;
                }
                let mut texts = texts.into_iter();
                Some(Self::Account { account: AccountId::new(&texts.next()?).ok()?, secrets: texts.collect() })
            }
            PERSON => {
                let (tenant, rest) = take_tenant(rest)?;
                let (length, rest) = rest.split_first_chunk()?;
                let (operator, record) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
                let operator = OperatorId::new(std::str::from_utf8(operator).ok()?).ok()?;
                Some(Self::Person { tenant, operator, record: record.to_vec() })
            }
            _ => None,
        }
    }

    /// Whether it is of somebody who signs in.
    pub(super) fn is_person(&self) -> bool {
        matches!(self, Self::Person { .. })
    }

    /// Whether it says only that something is no longer there.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Person { record, .. } if record.is_empty())
    }
}

/// Random bytes of the operating system, good enough for keys.
pub(super) fn random<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// Seals entries with the master key, and opens them.
pub(super) struct Seal([u8; 32]);

impl Seal {
    pub(super) fn new(master: &[u8; 32]) -> Self {
        Self(*master)
    }

    pub(super) fn close(&self, entry: &Entry) -> std::io::Result<Vec<u8>> {
        let nonce = random::<NONCE>()?;
        let sealed = seal::seal(&self.0, &nonce, CONTEXT, entry.encode());
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open(&self, bytes: &[u8]) -> Option<Entry> {
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        Entry::decode(seal::open(&self.0, nonce, CONTEXT, &mut sealed.to_vec())?)
    }
}

/// All entries, in memory: about 150 bytes a contact.
#[derive(Default)]
pub(super) struct Tables {
    keys: HashMap<(TenantId, KeyId), (ContactId, [u8; 32])>,
    contacts: HashMap<(TenantId, ContactId), KeyId>,
    hashes: HashMap<TenantId, [u8; 32]>,
    accounts: HashMap<AccountId, Vec<String>>,
    people: HashMap<(TenantId, OperatorId), Vec<u8>>,
    /// Entries of people in the file, also those that later ones replace.
    written: usize,
}

impl Tables {
    pub(super) fn put(&mut self, entry: Entry) {
        match entry {
            Entry::Key { tenant, contact, key } => {
                self.contacts.insert((tenant.clone(), contact), key.id);
                self.keys.insert((tenant, key.id), (contact, key.secret));
            }
            Entry::Hash { tenant, secret } => {
                self.hashes.insert(tenant, secret);
            }
            Entry::Account { account, secrets } => {
                self.accounts.insert(account, secrets);
            }
            Entry::Person { tenant, operator, record } => {
                self.people.insert((tenant, operator), record);
            }
        }
    }

    pub(super) fn destroy(&mut self, name: &(TenantId, KeyId)) {
        if let Some((contact, _)) = self.keys.remove(name) {
            self.contacts.remove(&(name.0.clone(), contact));
        }
    }

    pub(super) fn key(&self, tenant: &TenantId, id: KeyId) -> Option<ContactKey> {
        self.keys.get(&(tenant.clone(), id)).map(|(_, secret)| ContactKey { id, secret: *secret })
    }

    pub(super) fn key_of(&self, tenant: &TenantId, contact: ContactId) -> Option<ContactKey> {
        self.key(tenant, *self.contacts.get(&(tenant.clone(), contact))?)
    }

    pub(super) fn hash(&self, tenant: &TenantId) -> Option<[u8; 32]> {
        self.hashes.get(tenant).copied()
    }

    pub(super) fn account(&self, account: &AccountId) -> Option<Vec<String>> {
        self.accounts.get(account).cloned()
    }

    pub(super) fn people(&self) -> impl Iterator<Item = (&(TenantId, OperatorId), &Vec<u8>)> {
        self.people.iter().filter(|(_, record)| !record.is_empty())
    }

    pub(super) fn has_person(&self, tenant: &TenantId, operator: &OperatorId) -> bool {
        self.people.contains_key(&(tenant.clone(), operator.clone()))
    }

    /// Entries of the file that later ones of the same person replace.
    pub(super) fn outdated(&self) -> usize {
        self.written.saturating_sub(self.people.len())
    }

    /// So many entries of people joined the file.
    pub(super) fn wrote(&mut self, people: usize) {
        self.written += people;
    }

    /// The file was written anew.
    pub(super) fn settle(&mut self) {
        self.people.retain(|_, record| !record.is_empty());
        self.written = self.people.len();
    }

    /// Everything, one by one.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let key = |((tenant, id), (contact, secret)): (&(TenantId, KeyId), &(ContactId, [u8; 32]))| Entry::Key {
            tenant: tenant.clone(),
            contact: *contact,
            key: ContactKey { id: *id, secret: *secret },
        };
        let hash = |(tenant, secret): (&TenantId, &[u8; 32])| Entry::Hash { tenant: tenant.clone(), secret: *secret };
        let account = |(account, secrets): (&AccountId, &Vec<String>)| Entry::Account {
            account: account.clone(),
            secrets: secrets.clone(),
        };
        let person = |((tenant, operator), record): (&(TenantId, OperatorId), &Vec<u8>)| Entry::Person {
            tenant: tenant.clone(),
            operator: operator.clone(),
            record: record.clone(),
        };
        let secrets = self.hashes.iter().map(hash).chain(self.accounts.iter().map(account));
        self.keys.iter().map(key).chain(secrets).chain(self.people.iter().map(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_opens_only_with_its_own_master_key_and_unchanged() {
        let account = AccountId::new("acct").unwrap();
        let entry = Entry::Account { account, secrets: vec!["new".to_owned(), "old".to_owned()] };
        let seal = Seal::new(&[1; 32]);
        let mut sealed = seal.close(&entry).unwrap();
        assert!(seal.open(&sealed) == Some(entry));
        assert!(Seal::new(&[2; 32]).open(&sealed).is_none());
        sealed[30] ^= 1;
        assert!(seal.open(&sealed).is_none());
    }
}
