//! Whether a small table was changed by another node: marks are read instead of the table.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actors::{memory::SystemIds, ports::Ids as _};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    database::{Cql, Database},
    error::CqlError,
};

const MARKS: Cql = Cql::read("SELECT node, mark FROM revision WHERE what = ?");
const MARK: Cql = Cql::write("INSERT INTO revision (what, node, mark) VALUES (?, ?, ?)");
/// The table is read whatever the marks say after so long: a node may have died between a change and its mark.
const READ_EVERY: Duration = Duration::from_secs(60);

/// Every node's mark.
pub(super) type Marks = HashMap<String, Uuid>;

/// The revision of one table.
pub(super) struct Revision {
    database: Arc<Database>,
    what: &'static str,
    node: String,
    seen: Mutex<Seen>,
}

struct Seen {
    marks: Marks,
    at: Instant,
}

impl Revision {
    /// As it stands before the table is read for the first time.
    pub(super) async fn open(database: Arc<Database>, what: &'static str, node: &str) -> Result<Self, CqlError> {
        let marks = marks(&database, what).await?;
        let seen = Mutex::new(Seen { marks, at: Instant::now() });
        Ok(Self { database, what, node: node.to_owned(), seen })
    }

    /// This node has changed the table. Without its mark the others see it within a minute.
    pub(super) async fn raise(&self) {
        let mark = SystemIds.uuid();
        if let Err(error) = self.database.write(MARK, (self.what, self.node.as_str(), mark)).await {
            tracing::warn!(table = self.what, %error, "a change was not marked for other nodes");
        }
    }

    /// What to [note](Self::note) once the table was read; none: nothing has changed.
    pub(super) async fn changed(&self) -> Result<Option<Marks>, CqlError> {
        let marks = marks(&self.database, self.what).await?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((marks != seen.marks || seen.at.elapsed() >= READ_EVERY).then_some(marks))
    }

    /// The table was read after these marks.
    pub(super) fn note(&self, marks: Marks) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { marks, at: Instant::now() };
    }
}

async fn marks(database: &Database, what: &str) -> Result<Marks, CqlError> {
    Ok(database.rows::<(String, Uuid)>(MARKS, (what,)).await?.into_iter().collect())
}
