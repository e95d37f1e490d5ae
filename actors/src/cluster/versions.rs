//! Which kinds of events are written: those that every member reads. A member that reads fewer follows and forwards, and owns
//! nothing.

use std::time::Duration;

use schema::{
    command::{Command, Registration, Request},
    event::{Author, Origin, Via, WriteVersion},
    ids::TenantId,
};

use super::Together;
use crate::{
    engine::{Engine, WeakEngine},
    handle::Refusal,
    ports::{Directory as _, MemberState},
};

impl Together {
    /// What every member reads.
    fn read_by_all(&self) -> Option<WriteVersion> {
        let members = self.members();
        members.iter().filter(|member| member.state != MemberState::Left).map(|member| member.reads).min()
    }
}

impl Engine {
    /// What `cluster status` says of this node, for dashboards.
    fn show_owned(&self) {
        let owned = self.owned();
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let set = |name: &'static str, value: u64| metrics::gauge!(name).set(value as f64);
        set("deskwire_cluster_tenants", owned.tenants);
        set("deskwire_cluster_behind_events", owned.behind);
        if let Some(last) = owned.last_takeover {
            set("deskwire_cluster_last_takeover_timestamp_seconds", last.0 / 1_000_000);
        }
    }

    /// From here on these kinds of events may be written, by whoever owns a tenant.
    pub(crate) async fn raise_to(&self, version: WriteVersion) -> Result<(), Refusal> {
        let origin = Origin { by: Author::Engine, via: Via::Engine, request: self.ports().ids.request() };
        let command = Command::Register(Registration::WriteVersion(version));
        self.submit(&TenantId::system(), Request { command, origin, key: None }).await.map(drop)
    }

    /// What may be written, if every member reads it and it is not yet.
    fn may_be_raised_to(&self, together: &Together) -> Option<WriteVersion> {
        let owns_directory = self.running(&TenantId::system()).is_some_and(|system| system.is_here());
        let read = together.read_by_all().filter(|_| owns_directory)?;
        (read > self.inner_node().directory.write_version()).then_some(read)
    }
}

/// The directory's owner says what may be written, when every member has read it for long enough. A node that does not read
/// what is written says so.
pub(crate) async fn raise_write_version(engine: WeakEngine) {
    let mut wanted: Option<(WriteVersion, Duration)> = None;
    let mut was_able = true;
    let Some(every) = engine.upgrade().and_then(|engine| Some(engine.together()?.options.wake_every)) else { return };
    loop {
        tokio::time::sleep(every).await;
        let Some(engine) = engine.upgrade() else { return };
        let Some(together) = engine.together() else { return };
        let written = engine.inner_node().directory.write_version();
        metrics::gauge!("deskwire_cluster_write_version").set(f64::from(written.0));
        engine.show_owned();
        let is_able = together.able(engine.inner_node()).iter().any(|member| member.node == *engine.node());
        if std::mem::replace(&mut was_able, is_able) && !is_able {
            tracing::error!(%written, "events are written that this node does not read: it follows and forwards, and owns \
                nothing until it is upgraded");
        }
        let now = engine.ports().clock.monotonic();
        wanted = engine.may_be_raised_to(together).map(|version| match wanted {
            Some((before, since)) if before == version => (version, since),
            _ => (version, now),
        });
        let Some((version, _)) = wanted.filter(|(_, since)| now >= *since + together.options.raise_after) else {
            continue;
        };
        match engine.raise_to(version).await {
            Ok(()) => {
                tracing::info!(%version, "every member reads more kinds of events: they are written from here on")
            }
            Err(refusal) => tracing::debug!(%version, %refusal, "the write version could not be raised"),
        }
    }
}
