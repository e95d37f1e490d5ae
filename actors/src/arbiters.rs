//! Arbiters: the threads that tenants live on. A tenant, its conversations and its feed share one.

use std::{
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::mpsc,
    thread,
};

use actix::{Arbiter, ArbiterHandle, System};
use schema::ids::TenantId;

/// Tenants that may be starting at the same time on the caller's own thread.
const STARTING: usize = 1_024;

type Task = Box<dyn FnOnce() + Send>;

/// Where tenants live.
pub(crate) enum Arbiters {
    /// A fixed set of arbiters under one actix system, on a thread of its own.
    Threads {
        /// Ends them.
        system: System,
        /// One each.
        handles: Vec<ArbiterHandle>,
    },
    /// The `LocalSet` that started the engine: everything on one thread, in an order that can be repeated.
    Here(tokio::sync::mpsc::Sender<Task>),
}

impl Arbiters {
    /// Starts `count` arbiters; none: the caller's own `LocalSet` is the only one.
    pub(crate) fn start(count: usize) -> std::io::Result<Self> {
        if count == 0 {
            return Ok(Self::here());
        }
        let (ready, started) = mpsc::sync_channel(1);
        thread::Builder::new().name("actors".into()).spawn(move || {
            let runner = System::new();
            let system = System::current();
            let handles = runner.block_on(async move { (0..count).map(|_| Arbiter::new().handle()).collect() });
            let _ = ready.send(Self::Threads { system, handles });
            if let Err(error) = runner.run() {
                tracing::error!(%error, "the actors' system ended with an error");
            }
        })?;
        started.recv().map_err(|_| std::io::Error::other("the actors' thread ended before it was ready"))
    }

    fn here() -> Self {
        let (door, mut tasks) = tokio::sync::mpsc::channel::<Task>(STARTING);
        actix::spawn(async move {
            while let Some(task) = tasks.recv().await {
                task();
            }
        });
        Self::Here(door)
    }

    /// Runs something on the tenant's arbiter: always the same one. What cannot be run is dropped.
    pub(crate) fn spawn<F, T>(&self, tenant: &TenantId, task: F)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = ()> + 'static,
    {
        let task = move || {
            actix::spawn(task());
        };
        match self {
            Self::Threads { handles, .. } => {
                let mut hasher = DefaultHasher::new();
                tenant.hash(&mut hasher);
                let index = usize::try_from(hasher.finish() % handles.len() as u64).expect("an index fits");
                handles[index].spawn_fn(task);
            }
            Self::Here(door) => {
                let _ = door.try_send(Box::new(task));
            }
        }
    }

    /// Ends all arbiters.
    pub(crate) fn stop(&self) {
        if let Self::Threads { system, .. } = self {
            system.stop();
        }
    }
}

impl Drop for Arbiters {
    fn drop(&mut self) {
        self.stop();
    }
}
