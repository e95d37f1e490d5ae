//! Contract suites: one per port, run on every implementation.

pub mod baseline;
pub mod keys;
pub mod limiter;
pub mod log;
pub mod sample;
pub mod search;
pub mod snapshots;
pub mod views;

use std::sync::Arc;

use async_trait::async_trait;

use crate::ports::{Keys, Log, Views};

/// Stores under test, new and empty.
#[async_trait]
pub trait Stores: Send {
    /// The log.
    fn log(&self) -> Arc<dyn Log>;
    /// The views.
    fn views(&self) -> Arc<dyn Views>;
    /// The keys.
    fn keys(&self) -> Arc<dyn Keys>;
    /// The process ends and another one opens what is left.
    async fn restart(&mut self);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryKeys, MemoryLog, MemoryViews};

    #[derive(Default)]
    struct Memory {
        log: Arc<MemoryLog>,
        views: Arc<MemoryViews>,
        keys: Arc<MemoryKeys>,
    }

    #[async_trait]
    impl Stores for Memory {
        fn log(&self) -> Arc<dyn Log> {
            self.log.clone()
        }

        fn views(&self) -> Arc<dyn Views> {
            self.views.clone()
        }

        fn keys(&self) -> Arc<dyn Keys> {
            self.keys.clone()
        }

        async fn restart(&mut self) {
            self.log.restart(self.views.clone()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn memory_keeps_the_contract_of_the_log() {
        log::suite(Memory::default).await;
    }

    #[tokio::test]
    async fn memory_keeps_the_contract_of_the_views() {
        views::suite(Memory::default).await;
    }

    #[tokio::test]
    async fn memory_keeps_the_contract_of_the_baseline() {
        baseline::suite(Memory::default).await;
    }

    #[tokio::test]
    async fn memory_keeps_the_contract_of_the_keys() {
        keys::suite(Memory::default).await;
    }
}
