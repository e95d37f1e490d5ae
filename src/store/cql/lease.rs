//! Who works on a keyspace. Nodes that serve share it; a command that changes what lies under all feeds (trim, rebuild,
//! verify, export, import) has it alone.
//!
//! Both are rows of one partition, taken under conditions, so that the servers order them: a node does not join while a
//! command is alone, a command does not begin while a node is there. Rows lapse by a TTL. A node stops using the store
//! well before its row can have lapsed, by a clock that runs while it is suspended.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actors::{
    memory::{SystemClock, SystemIds},
    ports::{Clock as _, Ids as _},
};
use scylla::value::CqlValue;
use tokio::sync::Notify;

use super::{
    database::{Conditional, Cql, Database},
    error::{CqlError, CqlStoreError},
};

/// Seconds until a row lapses.
const TTL_S: i32 = 60;
/// For so long after it was asked for a lease is used.
const USED_FOR: Duration = Duration::from_secs(40);
/// Between renewals; after one that failed much sooner.
const RENEW_EVERY: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(1);

const BEGIN: Cql = Cql::conditional("UPDATE lease SET times = 0 WHERE one = 1 IF times = null").unguarded();
const STATE: Cql = Cql::serial_read("SELECT node, process, alone, times FROM lease WHERE one = 1").unguarded();
const JOIN: Cql = Cql::conditional(
    "UPDATE lease USING TTL ? SET process = ? WHERE one = 1 AND node = ? IF alone = null AND times = ?",
)
.unguarded();
const LEAVE: Cql = Cql::conditional("DELETE FROM lease WHERE one = 1 AND node = ? IF process = ?").unguarded();
const ALONE: Cql = Cql::conditional("UPDATE lease USING TTL ? SET alone = ? WHERE one = 1 IF alone = null").unguarded();
const STILL_ALONE: Cql =
    Cql::conditional("UPDATE lease USING TTL ? SET alone = ? WHERE one = 1 IF alone = ?").unguarded();
const COUNT: Cql = Cql::conditional("UPDATE lease SET times = ? WHERE one = 1 IF alone = ?").unguarded();
const RELEASE: Cql = Cql::conditional("DELETE alone FROM lease WHERE one = 1 IF alone = ?").unguarded();

type StateRow = (Option<String>, Option<i64>, Option<String>, Option<i64>);

/// How somebody works on a keyspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A node, beside other nodes.
    Serve,
    /// A command that must be alone.
    Alone,
    /// A command that only reads: beside anybody.
    Read,
}

/// Until when statements may be sent, in microseconds of the monotonic clock; the end of time for whoever has no lease.
pub(super) struct Guard {
    until: AtomicU64,
    lost: AtomicU64,
    changed: Notify,
}

impl Default for Guard {
    fn default() -> Self {
        Self { until: AtomicU64::new(u64::MAX), lost: AtomicU64::new(0), changed: Notify::new() }
    }
}

fn monotonic() -> u64 {
    u64::try_from(SystemClock.monotonic().as_micros()).unwrap_or(u64::MAX)
}

impl Guard {
    /// Whether a statement may be sent now.
    pub(super) fn check(&self) -> Result<(), CqlError> {
        let until = self.until.load(Ordering::Acquire);
        if until == u64::MAX || monotonic() < until {
            return Ok(());
        }
        let why = match self.is_lost() {
            true => "a command had this keyspace alone meanwhile: this node must start anew",
            false => "this node's lease of the keyspace could not be renewed in time",
        };
        Err(CqlError::NotDone(why.to_owned()))
    }

    fn extend(&self, asked: u64) {
        self.until.store(asked + u64::try_from(USED_FOR.as_micros()).unwrap_or(0), Ordering::Release);
    }

    fn lose(&self) {
        self.until.store(0, Ordering::Release);
        self.lost.store(1, Ordering::Release);
        self.changed.notify_waiters();
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire) == 1
    }

    /// Returns when the lease is gone for good.
    pub(super) async fn lost(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_lost() {
                return;
            }
            changed.await;
        }
    }
}

/// Takes a data directory for this process alone, as the embedded store does: a node's name is in there, and two processes
/// of one name would take each other for themselves.
fn take(directory: &Path) -> Result<File, CqlStoreError> {
    let wrong = |error: std::io::Error| CqlStoreError::Directory(format!("{}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(wrong)?;
    let path = directory.join("LOCK");
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(wrong)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(CqlStoreError::Directory(format!("{} is in use by another process", directory.display())))
        }
        Err(TryLockError::Error(error)) => Err(wrong(error)),
    }
}

/// A lease that is renewed for as long as it is held.
pub(super) struct Lease {
    database: Arc<Database>,
    access: Access,
    node: String,
    process: i64,
    renewing: tokio::task::AbortHandle,
    _directory: File,
}

impl Lease {
    /// Takes one; none for who only reads.
    pub(super) async fn take(
        database: &Arc<Database>,
        access: Access,
        node: &str,
        directory: &Path,
    ) -> Result<Option<Self>, CqlStoreError> {
        let (node, process) = (node.to_owned(), SystemIds.random().cast_signed());
        if access == Access::Read {
            return Ok(None);
        }
        let _directory = take(directory)?;
        database.conditionally(BEGIN, ()).await?;
        let asked = monotonic();
        let times = match access {
            Access::Serve => join(database, &node, process).await?,
            _ => alone(database, &node).await?,
        };
        database.guard().extend(asked);
        let held = Held { database: database.clone(), access, node: node.clone(), process, times };
        let renewing = tokio::spawn(held.renew()).abort_handle();
        Ok(Some(Self { database: database.clone(), access, node, process, renewing, _directory }))
    }

    /// Gives it back; without that it lapses.
    pub(super) async fn end(&self) {
        self.renewing.abort();
        let ended = match self.access {
            Access::Serve => self.database.conditionally(LEAVE, (self.node.as_str(), self.process)).await,
            _ => self.database.conditionally(RELEASE, (self.node.as_str(),)).await,
        };
        if let Err(error) = ended {
            tracing::info!(%error, "a lease of the keyspace was not given back: it lapses within a minute");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Everybody there, who is alone, and how often somebody was.
pub(super) async fn state(database: &Database) -> Result<(Vec<String>, Option<String>, i64), CqlError> {
    let rows: Vec<StateRow> = database.rows(STATE, ()).await?;
    let first = rows.first().cloned().unwrap_or_default();
    let nodes = rows.into_iter().filter(|(_, process, ..)| process.is_some()).filter_map(|(node, ..)| node).collect();
    Ok((nodes, first.2, first.3.unwrap_or(0)))
}

async fn join(database: &Database, node: &str, process: i64) -> Result<i64, CqlStoreError> {
    let (_, alone, times) = state(database).await?;
    // Our own command, which has ended: this process has the directory now.
    if alone.as_deref() == Some(node) {
        database.conditionally(RELEASE, (node,)).await?;
    }
    match database.conditionally(JOIN, (TTL_S, process, node, times)).await? {
        Conditional::Applied => Ok(times),
        Conditional::Standing(_) => {
            let by = alone.unwrap_or_else(|| "another node's command".to_owned());
            Err(CqlStoreError::Busy { by: format!("a command on {by}"), lapse_s: TTL_S })
        }
    }
}

async fn alone(database: &Database, node: &str) -> Result<i64, CqlStoreError> {
    if let Conditional::Standing(there) = database.conditionally(ALONE, (TTL_S, node)).await? {
        let by = there.get("alone").and_then(CqlValue::as_text).cloned().unwrap_or_default();
        if by != node {
            return Err(CqlStoreError::Busy { by: format!("a command on {by}"), lapse_s: TTL_S });
        }
    }
    let (mut nodes, _, times) = state(database).await?;
    // A row of our own name is of a process that has ended: this one has its directory.
    nodes.retain(|there| there != node);
    if !nodes.is_empty() {
        database.conditionally(RELEASE, (node,)).await?;
        return Err(CqlStoreError::Busy { by: nodes.join(", "), lapse_s: TTL_S });
    }
    database.conditionally(COUNT, (times + 1, node)).await?;
    Ok(times + 1)
}

/// What is renewed.
struct Held {
    database: Arc<Database>,
    access: Access,
    node: String,
    process: i64,
    times: i64,
}

impl Held {
    async fn renew(self) {
        let mut wait = RENEW_EVERY;
        loop {
            tokio::time::sleep(wait).await;
            let asked = monotonic();
            let (database, node) = (&self.database, self.node.as_str());
            let renewed = match self.access {
                Access::Serve => database.conditionally(JOIN, (TTL_S, self.process, node, self.times)).await,
                _ => database.conditionally(STILL_ALONE, (TTL_S, node, node)).await,
            };
            wait = match renewed {
                Ok(Conditional::Applied) => {
                    database.guard().extend(asked);
                    RENEW_EVERY
                }
                Ok(Conditional::Standing(_)) => {
                    tracing::error!("somebody else had this keyspace alone: this process writes no more and ends");
                    return database.guard().lose();
                }
                Err(error) => {
                    tracing::warn!(%error, "the lease of the keyspace was not renewed");
                    AGAIN
                }
            };
        }
    }
}
