//! One session with the CQL servers: prepared statements, consistency by kind of statement, paging, and a bound on what
//! is under way.

use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt};
use scylla::{
    client::{execution_profile::ExecutionProfile, session::Session, session_builder::SessionBuilder},
    deserialize::row::DeserializeRow,
    policies::{
        load_balancing::DefaultPolicy,
        retry::{DefaultRetryPolicy, FallthroughRetryPolicy},
        speculative_execution::SimpleSpeculativeExecutionPolicy,
    },
    response::{PagingState, query_result::QueryResult},
    serialize::row::SerializeRow,
    statement::{Consistency, SerialConsistency, Statement, prepared::PreparedStatement},
    value::{CqlValue, Row},
};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    CqlOptions,
    error::{CqlError, CqlStoreError},
    lease::Guard,
    tunnel::Tunnels,
};

/// Rows of one page of a scan.
const PAGE_ROWS: i32 = 1_000;
/// When a slow read is asked of a second node.
const SPECULATE_AFTER: Duration = Duration::from_millis(100);
/// Statements of one group that are under way together.
const TOGETHER: usize = 64;

/// How a statement is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// LOCAL_QUORUM; may be asked of another node too.
    Read,
    /// LOCAL_SERIAL: sees what a condition that was met has written.
    SerialRead,
    /// LOCAL_QUORUM, absolute: may be repeated.
    Write,
    /// LOCAL_SERIAL: never repeated by the driver, whose answer is ours to judge.
    Conditional,
}

impl Kind {
    /// For a label.
    fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::SerialRead => "serial_read",
            Self::Write => "write",
            Self::Conditional => "conditional",
        }
    }
}

/// A statement by its text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cql {
    text: &'static str,
    kind: Kind,
    page: i32,
    /// Sent also by who has no lease: it is about leases.
    is_free: bool,
}

impl Cql {
    pub(super) const fn read(text: &'static str) -> Self {
        Self { text, kind: Kind::Read, page: PAGE_ROWS, is_free: false }
    }

    pub(super) const fn serial_read(text: &'static str) -> Self {
        Self { text, kind: Kind::SerialRead, page: PAGE_ROWS, is_free: false }
    }

    pub(super) const fn write(text: &'static str) -> Self {
        Self { text, kind: Kind::Write, page: PAGE_ROWS, is_free: false }
    }

    pub(super) const fn conditional(text: &'static str) -> Self {
        Self { text, kind: Kind::Conditional, page: PAGE_ROWS, is_free: false }
    }

    /// Sent whether this process has a lease or not.
    pub(super) const fn unguarded(self) -> Self {
        Self { is_free: true, ..self }
    }

    /// Rows are long: so many at a time.
    pub(super) const fn by(self, page: i32) -> Self {
        Self { page, ..self }
    }
}

/// A row that owns what it holds.
pub(super) trait OwnedRow: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata> + Send {}

impl<T: for<'frame, 'metadata> DeserializeRow<'frame, 'metadata> + Send> OwnedRow for T {}

/// The answer to a conditional statement.
pub(super) enum Conditional {
    /// The condition held, and it is written.
    Applied,
    /// It did not; what stands there, by column name.
    Standing(HashMap<String, CqlValue>),
}

/// A session, shared by log, views and keys.
pub(super) struct Database {
    session: Session,
    prepared: RwLock<HashMap<&'static str, Arc<PreparedStatement>>>,
    permits: Semaphore,
    wait: Duration,
    guard: Guard,
}

/// Connects, to no keyspace or to the configured one.
pub(super) async fn connect(options: &CqlOptions, keyspace: Option<&str>) -> Result<Session, CqlStoreError> {
    let mut balancing = DefaultPolicy::builder().token_aware(true).permit_dc_failover(false);
    if !options.datacenter.is_empty() {
        balancing = balancing.prefer_datacenter(options.datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial))
        .request_timeout(Some(options.request_timeout))
        .load_balancing_policy(balancing.build())
        .retry_policy(Arc::new(FallthroughRetryPolicy::new()))
        .build();
    let mut builder = SessionBuilder::new()
        .default_execution_profile_handle(profile.into_handle())
        .connection_timeout(options.connect_timeout)
        .tcp_nodelay(true);
    builder = match &options.tls {
        None => builder.known_nodes(&options.contact_points),
        Some(tls) => {
            let points = &options.contact_points;
            let (tunnels, at) = Tunnels::to(points, tls.clone(), options.connect_timeout).await?;
            // A port of a server's own for each shard is none of a tunnel's.
            builder.known_nodes_addr(at).address_translator(tunnels).disallow_shard_aware_port(true)
        }
    };
    if !options.user.is_empty() {
        builder = builder.user(&options.user, &options.password);
    }
    if let Some(keyspace) = keyspace {
        builder = builder.use_keyspace(keyspace, false);
    }
    let session = tokio::time::timeout(options.connect_timeout * 2, builder.build()).await;
    let session = session.map_err(|_| CqlStoreError::Connect("no answer in time".to_owned()))?;
    session.map_err(|error| CqlStoreError::Connect(error.to_string()))
}

impl Database {
    pub(super) fn new(session: Session, options: &CqlOptions) -> Self {
        let permits = Semaphore::new(options.in_flight_max);
        let guard = Guard::default();
        Self { session, prepared: RwLock::default(), permits, wait: options.request_timeout, guard }
    }

    /// Until when this process may use the store.
    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    async fn prepare(&self, cql: Cql) -> Result<Arc<PreparedStatement>, CqlError> {
        if let Some(known) = self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(cql.text) {
            return Ok(known.clone());
        }
        let statement = Statement::new(cql.text).with_page_size(cql.page);
        let mut prepared =
            self.session.prepare(statement).await.map_err(|error| CqlError::NotDone(error.to_string()))?;
        match cql.kind {
            Kind::Read => {
                prepared.set_is_idempotent(true);
                prepared.set_retry_policy(Some(Arc::new(DefaultRetryPolicy::new())));
                let speculating =
                    SimpleSpeculativeExecutionPolicy { max_retry_count: 1, retry_interval: SPECULATE_AFTER };
                let profile = self.session.get_default_execution_profile_handle().pointee_to_builder();
                let profile = profile.speculative_execution_policy(Some(Arc::new(speculating))).build();
                prepared.set_execution_profile_handle(Some(profile.into_handle()));
            }
            Kind::Write => {
                prepared.set_is_idempotent(true);
                prepared.set_retry_policy(Some(Arc::new(DefaultRetryPolicy::new())));
            }
            Kind::SerialRead => prepared.set_consistency(Consistency::LocalSerial),
            Kind::Conditional => {}
        }
        let prepared = Arc::new(prepared);
        self.prepared.write().unwrap_or_else(PoisonError::into_inner).insert(cql.text, prepared.clone());
        Ok(prepared)
    }

    /// Room for one more statement. A server that is slow makes callers wait, then refuses them; memory stays bounded.
    async fn permit(&self) -> Result<SemaphorePermit<'_>, CqlError> {
        match tokio::time::timeout(self.wait, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                metrics::counter!("deskwire_cql_refused_total").increment(1);
                Err(CqlError::NotDone("too many statements wait for the CQL servers".to_owned()))
            }
        }
    }

    async fn page(
        &self,
        cql: Cql,
        values: &(impl SerializeRow + Sync),
        state: PagingState,
    ) -> Result<(QueryResult, Option<PagingState>), CqlError> {
        let prepared = self.prepare(cql).await?;
        let _permit = self.permit().await?;
        if !cql.is_free {
            self.guard.check()?;
        }
        metrics::counter!("deskwire_cql_statements_total", "kind" => cql.kind.label()).increment(1);
        let answer = self.session.execute_single_page(&prepared, values, state).await;
        let (result, next) = answer.inspect_err(|_| {
            metrics::counter!("deskwire_cql_errors_total").increment(1);
        })?;
        let next = match next.into_paging_control_flow() {
            ControlFlow::Continue(next) => Some(next),
            ControlFlow::Break(()) => None,
        };
        Ok((result, next))
    }

    /// Every row, page after page.
    pub(super) async fn rows<R: OwnedRow>(
        &self,
        cql: Cql,
        values: impl SerializeRow + Sync,
    ) -> Result<Vec<R>, CqlError> {
        let mut all = Vec::new();
        self.scan(cql, values, |row| {
            all.push(row);
            Ok(true)
        })
        .await?;
        Ok(all)
    }

    /// Shows rows one by one until `visit` has enough (`false`).
    pub(super) async fn scan<R: OwnedRow>(
        &self,
        cql: Cql,
        values: impl SerializeRow + Sync,
        mut visit: impl FnMut(R) -> Result<bool, CqlError> + Send,
    ) -> Result<(), CqlError> {
        let mut state = PagingState::start();
        loop {
            let (result, next) = self.page(cql, &values, state).await?;
            let rows = result.into_rows_result().map_err(CqlError::unreadable)?;
            for row in rows.rows::<R>().map_err(CqlError::unreadable)? {
                if !visit(row.map_err(CqlError::unreadable)?)? {
                    return Ok(());
                }
            }
            match next {
                Some(next) => state = next,
                None => return Ok(()),
            }
        }
    }

    /// The first row.
    pub(super) async fn first<R: OwnedRow>(
        &self,
        cql: Cql,
        values: impl SerializeRow + Sync,
    ) -> Result<Option<R>, CqlError> {
        let mut found = None;
        self.scan(cql, values, |row| {
            found = Some(row);
            Ok(false)
        })
        .await?;
        Ok(found)
    }

    /// Writes.
    pub(super) async fn write(&self, cql: Cql, values: impl SerializeRow + Sync) -> Result<(), CqlError> {
        self.page(cql, &values, PagingState::start()).await.map(drop)
    }

    /// Writes if the statement's condition holds.
    pub(super) async fn conditionally(
        &self,
        cql: Cql,
        values: impl SerializeRow + Sync,
    ) -> Result<Conditional, CqlError> {
        let (result, _) = self.page(cql, &values, PagingState::start()).await?;
        let rows = result.into_rows_result().map_err(CqlError::unreadable)?;
        let names: Vec<String> = rows.column_specs().iter().map(|column| column.name().to_owned()).collect();
        let row: Row = rows.first_row().map_err(CqlError::unreadable)?;
        let standing = names.into_iter().zip(row.columns).filter_map(|(name, value)| Some((name, value?)));
        let standing: HashMap<String, CqlValue> = standing.collect();
        // Servers differ in what else they return, and where it stands.
        match standing.get("[applied]") {
            Some(CqlValue::Boolean(true)) => Ok(Conditional::Applied),
            Some(CqlValue::Boolean(false)) => Ok(Conditional::Standing(standing)),
            _ => Err(CqlError::unreadable("a conditional statement without [applied]")),
        }
    }
}

/// Carries out statements, some at a time; ends at the first that fails.
pub(super) async fn together<F, T>(statements: impl IntoIterator<Item = F>) -> Result<Vec<T>, CqlError>
where
    F: Future<Output = Result<T, CqlError>>,
{
    futures_util::stream::iter(statements).buffered(TOGETHER).try_collect().await
}

/// A number as CQL has it. Ours are never that large, but for bounds.
pub(super) fn big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// And back.
pub(super) fn number(big: i64) -> u64 {
    u64::try_from(big).unwrap_or(0)
}
