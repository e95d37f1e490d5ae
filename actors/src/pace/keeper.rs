//! Keeps a limiter supplied with its parts of shared limits: asks the questions that are due, brings the answers back.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::Instant;

use super::{
    LocalLimiter, Standing,
    shares::{DayMark, Question},
};
use crate::ports::{Ask, Clock, Grants, Outcome, Reply};

/// Questions under way; more wait.
const IN_FLIGHT_MAX: usize = 64;
/// Longest sleep.
const IDLE: Duration = Duration::from_secs(1);

/// Where all that was had of days is kept, before it is used.
pub type KeepMark = Arc<dyn Fn(DayMark) -> Result<(), String> + Send + Sync>;

/// Asks and answers for one limiter.
pub struct Keeper {
    limiter: Arc<LocalLimiter>,
    grants: Arc<dyn Grants>,
    clock: Arc<dyn Clock>,
    answer_within: Duration,
    keep: KeepMark,
}

impl Keeper {
    /// For a limiter that shares. Nothing is asked before [`Keeper::run`].
    pub fn new(
        limiter: Arc<LocalLimiter>,
        grants: Arc<dyn Grants>,
        clock: Arc<dyn Clock>,
        answer_within: Duration,
        keep: KeepMark,
    ) -> Self {
        Self { limiter, grants, clock, answer_within, keep }
    }

    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut open = FuturesUnordered::new();
        let mut standing = None;
        let mut counted: Option<Instant> = None;
        loop {
            let (questions, next) = self.limiter.due(self.clock.now(), IN_FLIGHT_MAX.saturating_sub(open.len()));
            open.extend(questions.into_iter().map(|question| self.ask(question)));
            self.tell(&mut standing);
            if counted.is_none_or(|at| at.elapsed() >= IDLE) {
                counted = Some(Instant::now());
                self.count();
            }
            let sleep = if open.len() < IN_FLIGHT_MAX { next.min(IDLE) } else { IDLE };
            tokio::select! {
                Some((question, reply)) = open.next(), if !open.is_empty() => {
                    self.limiter.answered(&question, reply, self.clock.now());
                }
                () = self.limiter.hurried() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    async fn ask(&self, question: Question) -> (Question, Option<Reply>) {
        let asked = tokio::time::timeout(self.answer_within, self.grants.ask(&question.call, &question.ask)).await;
        let (outcome, reply) = match asked {
            Ok(Ok(reply)) => (label(&reply), Some(reply)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "no answer from the server of shared limits");
                ("failed", None)
            }
            Err(_) => ("timeout", None),
        };
        metrics::counter!("deskwire_pace_questions_total", "about" => about(&question.ask), "outcome" => outcome)
            .increment(1);
        let reply = match (&question.ask, reply) {
            (Ask::Day(_), Some(reply)) => self.kept(&question, reply).await,
            (_, reply) => reply,
        };
        (question, reply)
    }

    /// What was had is on disk before it is used; a part that cannot be noted is lost.
    async fn kept(&self, question: &Question, reply: Reply) -> Option<Reply> {
        let (Ask::Day(ask), Outcome::Part { granted, had, .. }) = (&question.ask, reply.outcome) else {
            return Some(reply);
        };
        if granted == 0 {
            return Some(reply);
        }
        let mark = DayMark { key: ask.key.clone(), begins: ask.begins, ends: ask.ends, had };
        let keep = self.keep.clone();
        match tokio::task::spawn_blocking(move || keep(mark)).await {
            Ok(Ok(())) => Some(reply),
            Ok(Err(error)) => {
                tracing::error!(error, "a part of a day could not be noted and is not used");
                None
            }
            Err(_) => None,
        }
    }

    fn count(&self) {
        for (standing, levels) in self.limiter.census(self.clock.now()) {
            metrics::gauge!("deskwire_pace_levels", "standing" => standing.label()).set(levels as f64);
        }
    }

    fn tell(&self, before: &mut Option<Standing>) {
        let now = self.limiter.standing();
        if now == *before {
            return;
        }
        *before = now;
        let here = now == Some(Standing::Here);
        metrics::gauge!("deskwire_pace_shared").set(if here { 1.0 } else { 0.0 });
        if here {
            tracing::info!("limits are shared with the other nodes");
        } else {
            tracing::warn!(
                "the server of shared limits does not answer, or knows too little: slices run out, then this node's part of each limit"
            );
        }
    }
}

fn about(ask: &Ask) -> &'static str {
    match ask {
        Ask::Beat { .. } => "beat",
        Ask::Rate(_) => "rate",
        Ask::Day(_) => "day",
    }
}

fn label(reply: &Reply) -> &'static str {
    match reply.outcome {
        Outcome::Late => "late",
        Outcome::Unsettled { .. } => "unsettled",
        Outcome::Here => "here",
        Outcome::Slice { share: 0, .. } => "none",
        Outcome::Slice { .. } => "slice",
        Outcome::Part { granted: 0, .. } => "none",
        Outcome::Part { .. } => "part",
    }
}
