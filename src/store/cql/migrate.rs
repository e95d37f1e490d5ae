//! The keyspace's format: made and raised by `deskwire migrate`, checked at every start.

use std::{collections::HashMap, time::Duration};

use schema::cql::{MIGRATION_TABLE, MIGRATIONS};
use scylla::client::session::Session;

use super::{
    CqlOptions,
    database::connect,
    error::{CqlError, CqlStoreError},
};

/// Time for one change of the schema: all servers must agree on it.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(60);

/// What a migration did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The format before; 0: none.
    pub from: i32,
    /// The format now.
    pub to: i32,
}

/// The format of this version.
fn known() -> i32 {
    i32::try_from(MIGRATIONS.len()).expect("migrations are few")
}

/// Makes the keyspace if it is missing and brings it to this version's format. May be repeated after a failure.
/// One process at a time: servers merge tables badly that two made at once.
pub async fn migrate(options: &CqlOptions) -> Result<Applied, CqlStoreError> {
    check_name("cql.keyspace", &options.keyspace)?;
    let maps = [
        ("cql.replication", &options.replication),
        ("cql.log_compaction", &options.log_compaction),
        ("cql.view_compaction", &options.view_compaction),
    ];
    maps.into_iter().try_for_each(|(key, map)| check_map(key, map))?;
    let slow = CqlOptions { request_timeout: SCHEMA_TIMEOUT, ..options.clone() };
    let session = connect(&slow, None).await?;
    let keyspace = &options.keyspace;
    let made = format!(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {} AND durable_writes = true",
        options.replication
    );
    run(&session, &made).await?;
    session.use_keyspace(keyspace, false).await.map_err(|error| CqlStoreError::Connect(error.to_string()))?;
    run(&session, MIGRATION_TABLE).await?;
    let from = format_of(&session).await?;
    refuse_newer(keyspace, from)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > from) {
        for statement in migration.statements(&options.log_compaction, &options.view_compaction) {
            run(&session, &statement).await?;
        }
        let note = "INSERT INTO migration (one, number, name) VALUES (1, ?, ?)";
        let noted = session.query_unpaged(note, (migration.number, migration.name)).await;
        noted.map_err(CqlError::from)?;
    }
    Ok(Applied { from, to: known() })
}

/// A session with a keyspace of exactly this version's format.
pub(super) async fn open(options: &CqlOptions) -> Result<Session, CqlStoreError> {
    check_name("cql.keyspace", &options.keyspace)?;
    let session = connect(options, None).await?;
    let keyspace = &options.keyspace;
    let older = |found| CqlStoreError::Older { keyspace: keyspace.clone(), found, known: known() };
    let tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'migration'";
    let there = session.query_unpaged(tables, (keyspace.to_lowercase(),)).await.map_err(CqlError::from)?;
    if there.into_rows_result().map_err(CqlError::unreadable)?.rows_num() == 0 {
        return Err(older(0));
    }
    check_replicas(&session, options).await?;
    session.use_keyspace(keyspace, false).await.map_err(|error| CqlStoreError::Connect(error.to_string()))?;
    let found = format_of(&session).await?;
    refuse_newer(keyspace, found)?;
    if found < known() {
        return Err(older(found));
    }
    Ok(session)
}

/// What was configured when the keyspace was made says nothing of what it is now.
async fn check_replicas(session: &Session, options: &CqlOptions) -> Result<(), CqlStoreError> {
    let asked = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?";
    let rows = session.query_unpaged(asked, (&options.keyspace,)).await.map_err(CqlError::from)?;
    let rows = rows.into_rows_result().map_err(CqlError::unreadable)?;
    let (map,) = rows.single_row::<(HashMap<String, String>,)>().map_err(CqlError::unreadable)?;
    if fewest(&map).is_some_and(|fewest| fewest >= options.replicas_min) {
        return Ok(());
    }
    let mut found: Vec<String> = map.into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    found.sort();
    let (keyspace, needed) = (options.keyspace.clone(), options.replicas_min);
    Err(CqlStoreError::Replicas { keyspace, found: found.join(", "), needed })
}

/// The smallest number of whole copies that a replication map names; none: it names no number. `3/1`: of three one is
/// transient, and no copy to count on.
fn fewest(map: &HashMap<String, String>) -> Option<u32> {
    let copies = |value: &String| {
        let (all, transient) = value.split_once('/').unwrap_or((value, "0"));
        all.parse::<u32>().ok()?.checked_sub(transient.parse().ok()?)
    };
    let numbers = map.iter().filter(|(name, _)| *name != "class" && *name != "initial");
    numbers.map(|(_, value)| copies(value).unwrap_or(0)).min()
}

fn refuse_newer(keyspace: &str, found: i32) -> Result<(), CqlStoreError> {
    if found > known() {
        return Err(CqlStoreError::Newer { keyspace: keyspace.to_owned(), found, known: known() });
    }
    Ok(())
}

async fn format_of(session: &Session) -> Result<i32, CqlError> {
    let rows = session.query_unpaged("SELECT number FROM migration WHERE one = 1", ()).await?;
    let rows = rows.into_rows_result().map_err(CqlError::unreadable)?;
    let mut last = 0;
    for row in rows.rows::<(i32,)>().map_err(CqlError::unreadable)? {
        last = last.max(row.map_err(CqlError::unreadable)?.0);
    }
    Ok(last)
}

async fn run(session: &Session, statement: &str) -> Result<(), CqlError> {
    session.query_unpaged(statement, ()).await?;
    Ok(())
}

fn check_name(key: &'static str, name: &str) -> Result<(), CqlStoreError> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_lowercase());
    let plain = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if starts && plain && name.len() <= 48 {
        return Ok(());
    }
    Err(CqlStoreError::Name { key, value: name.to_owned() })
}

/// A CQL map of plain words: nothing that could end the statement.
fn check_map(key: &'static str, map: &str) -> Result<(), CqlStoreError> {
    let inner = map.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"'\"_-.,: ".contains(&byte);
    if inner.is_some_and(|inner| inner.bytes().all(plain)) {
        return Ok(());
    }
    Err(CqlStoreError::Name { key, value: map.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_copies_of_any_data_centre_count() {
        let fewest = |map: &[(&str, &str)]| {
            fewest(&map.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let simple = "org.apache.cassandra.locator.SimpleStrategy";
        let network = "org.apache.cassandra.locator.NetworkTopologyStrategy";
        assert_eq!(fewest(&[("class", simple), ("replication_factor", "1")]), Some(1));
        assert_eq!(fewest(&[("class", network), ("dc1", "3"), ("dc2", "2")]), Some(2));
        assert_eq!(fewest(&[("class", network), ("dc1", "3/2")]), Some(1));
        assert_eq!(fewest(&[("class", network), ("dc1", "many")]), Some(0));
        assert_eq!(fewest(&[("class", "org.apache.cassandra.locator.LocalStrategy")]), None);
    }
}
