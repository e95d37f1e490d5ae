//! Arbiters: the threads that tenants live on. A tenant, its conversations and its feed share one.

use std::{
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::mpsc,
    thread,
};

use actix::{Arbiter, ArbiterHandle, System};
use schema::ids::TenantId;

/// A fixed set of arbiters under one actix system, on a thread of its own.
pub(crate) struct Arbiters {
    system: System,
    handles: Vec<ArbiterHandle>,
}

impl Arbiters {
    /// Starts `count` arbiters, at least one.
    pub(crate) fn start(count: usize) -> std::io::Result<Self> {
        let (ready, started) = mpsc::sync_channel(1);
        thread::Builder::new().name("actors".into()).spawn(move || {
            let runner = System::new();
            let system = System::current();
            let handles = runner.block_on(async move { (0..count.max(1)).map(|_| Arbiter::new().handle()).collect() });
            let _ = ready.send(Self { system, handles });
            if let Err(error) = runner.run() {
                tracing::error!(%error, "the actors' system ended with an error");
            }
        })?;
        started.recv().map_err(|_| std::io::Error::other("the actors' thread ended before it was ready"))
    }

    /// Runs something on the tenant's arbiter: always the same one.
    pub(crate) fn spawn<F, T>(&self, tenant: &TenantId, task: F)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = ()> + 'static,
    {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % self.handles.len() as u64).expect("an index fits");
        self.handles[index].spawn_fn(move || {
            actix::spawn(task());
        });
    }

    /// Ends all arbiters.
    pub(crate) fn stop(&self) {
        self.system.stop();
    }
}

impl Drop for Arbiters {
    fn drop(&mut self) {
        self.system.stop();
    }
}
