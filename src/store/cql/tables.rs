//! The sealed tables on CQL, as both stores have them.

use actors::ports::KeyError;
use async_trait::async_trait;
use schema::ids::{AccountId, OperatorId, TenantId};

use super::{people::CqlPeople, secrets::CqlSecrets};
use crate::store::{PersonRow, Tables};

/// Secrets and people of a keyspace.
pub(super) struct CqlTables {
    pub(super) secrets: CqlSecrets,
    pub(super) people: CqlPeople,
}

#[async_trait]
impl Tables for CqlTables {
    fn secrets(&self, account: &AccountId) -> Vec<String> {
        self.secrets.get(account).unwrap_or_default()
    }

    async fn put_secret(&self, account: AccountId, secret: String) -> Result<(), KeyError> {
        Ok(self.secrets.put(&account, &secret).await?)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn refresh(&self) -> Result<(), KeyError> {
        Ok(self.secrets.refresh().await?)
    }

    async fn changed_people(&self) -> Result<Option<Vec<PersonRow>>, KeyError> {
        Ok(self.people.changed().await?)
    }

    fn people(&self) -> Vec<PersonRow> {
        self.people.take()
    }

    async fn put_person(&self, tenant: TenantId, operator: OperatorId, record: Vec<u8>) -> Result<(), KeyError> {
        Ok(self.people.put(&tenant, &operator, &record).await?)
    }
}
