//! The committer: one thread that joins the waiting batches of all tenants into one write and one fsync.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender},
    },
    time::Duration,
};

use actors::ports::AppendError;
use tokio::sync::oneshot;

use super::{
    append::{AppendFailure, Appended, Appender},
    disk::Disk,
    feeds::Feeds,
    log::unavailable,
    rows::Rows,
    stage::{Stage, Work},
};
use crate::store::StoreOptions;

/// Somebody's work, and where the answer goes.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) reply: oneshot::Sender<Result<(), AppendError>>,
}

/// A segment that gets no more batches.
pub(super) struct Closed {
    pub(super) segment: Arc<Appended>,
    pub(super) length: u64,
}

/// Where the committer works.
pub(super) struct Committer {
    pub(super) dir: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: StoreOptions,
    pub(super) feeds: Arc<Feeds>,
    pub(super) rows: Arc<Rows>,
    pub(super) active: Appender,
    pub(super) mover: SyncSender<Closed>,
    pub(super) stage: Stage,
    /// Why it writes no more.
    pub(super) stopped: Option<String>,
}

/// The name of a segment's file.
pub(super) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}.log"))
}

impl Committer {
    /// Works until it is told to close, or nobody can ask any more.
    pub(super) fn run(mut self, queue: &Receiver<Job>) {
        let mut jobs = Vec::new();
        while let Ok(job) = queue.recv() {
            let mut bytes = size(&job.work);
            let mut closing = matches!(job.work, Work::Close);
            jobs.push(job);
            while bytes < self.options.commit_group_bytes && !closing {
                let Ok(job) = queue.try_recv() else { break };
                bytes += size(&job.work);
                closing = matches!(job.work, Work::Close);
                jobs.push(job);
            }
            self.commit(&mut jobs, bytes);
            if closing {
                return;
            }
        }
    }

    fn commit(&mut self, jobs: &mut Vec<Job>, bytes: usize) {
        if let Err(error) = self.ready(bytes as u64) {
            answer_all(jobs.drain(..), &error);
            return;
        }
        self.stage.clear();
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            answers.push((self.stage.take(job.work, &self.feeds, &self.rows), job.reply));
        }
        let written = self.write();
        for (answer, reply) in answers {
            // Whoever asked may have gone away: what is stored stays stored.
            let _ = reply.send(written.clone().and(answer));
        }
    }

    /// Whether there is room for a group: nothing is written when there is not.
    fn ready(&mut self, bytes: u64) -> Result<(), AppendError> {
        if let Some(reason) = &self.stopped {
            return Err(AppendError::Stopped { reason: reason.clone() });
        }
        if self.feeds.unmoved_bytes() > self.options.max_unmoved_bytes {
            return Err(AppendError::Unavailable {
                retry_after: Duration::from_millis(200),
                reason: "rows are too far behind the log".to_owned(),
            });
        }
        let free = self.disk.free_bytes(&self.dir).map_err(|error| unavailable(error.to_string()))?;
        if free < self.options.reserve_bytes.saturating_add(bytes) {
            metrics::counter!("deskwire_commits_refused_total", "reason" => "disk_full").increment(1);
            return Err(unavailable(format!("{free} bytes are free on the disk, which is below the reserve")));
        }
        self.rotate().map_err(|error| unavailable(format!("no new segment: {error}")))
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        if self.active.length < self.options.segment_bytes {
            return Ok(());
        }
        let number = self.active.shared.number + 1;
        let next = Appender::create(&segment_path(&self.dir, number), number, &self.disk)?;
        self.feeds.add_unmoved_bytes(next.length);
        let closed = std::mem::replace(&mut self.active, next);
        let closed = Closed { segment: closed.shared, length: closed.length };
        if self.mover.send(closed).is_err() {
            self.stopped = Some("the mover has died".to_owned());
        }
        Ok(())
    }

    /// Makes the frame durable, then lets everybody see it.
    fn write(&mut self) -> Result<(), AppendError> {
        if self.stage.frame.is_empty() {
            return Ok(());
        }
        let before = self.active.length;
        match self.active.append(&mut self.stage.frame) {
            Ok(position) => {
                self.feeds.add_unmoved_bytes(self.active.length - before);
                self.feeds.publish(self.stage.changes(&self.active.shared, position));
                Ok(())
            }
            Err(AppendFailure::Full(error)) => Err(unavailable(error.to_string())),
            Err(AppendFailure::Broken(error)) => {
                let reason = format!("commit file: {error}");
                tracing::error!(%reason, "the log writes no more: a restart is needed");
                metrics::gauge!("deskwire_log_stopped").set(1.0);
                self.stopped = Some(reason.clone());
                Err(AppendError::Stopped { reason })
            }
        }
    }
}

fn size(work: &Work) -> usize {
    match work {
        Work::Append { bytes, .. } => bytes.len() + 32,
        Work::Found { .. } | Work::Adopt { .. } | Work::Trim { .. } | Work::Close => 128,
    }
}

fn answer_all(jobs: impl Iterator<Item = Job>, error: &AppendError) {
    for job in jobs {
        let _ = job.reply.send(Err(error.clone()));
    }
}
