//! Logs, metrics and traces: how they leave the process. Knows nothing of what is logged, counted or traced.
//!
//! Labels have bounded values and never name a tenant or a contact; log lines carry ids, never a text, name or number.
//! A test reads the code for both.

mod otlp;

use std::{io, time::Duration};

use anyhow::Context as _;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt};

pub use otlp::Traces;

use crate::config::{LogFormat, Telemetry};

/// How often histograms are folded, so that they hold no more than one interval's samples.
const UPKEEP: Duration = Duration::from_secs(5);

/// Bounds of every duration in seconds: from a group commit on a fast disk to a carrier's time-out.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0];

/// Starts logging to stderr. Once per process.
pub fn start_logs(telemetry: &Telemetry) -> anyhow::Result<()> {
    let filter: EnvFilter = telemetry.filter.parse().context("telemetry.filter")?;
    // Else a line that cannot be written is told to stderr, which panics where stderr is what cannot be written.
    let lines = fmt().with_env_filter(filter).with_writer(|| Lossy(io::stderr())).log_internal_errors(false);
    let started = match telemetry.format {
        LogFormat::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logs cannot start: {error}"))
}

/// Where lines go if they can. A log on a full disk, or behind a pipe whose reader is gone, must not end what it tells of.
struct Lossy<W>(W);

impl<W: io::Write> io::Write for Lossy<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.write_all(line).is_err() {
            metrics::counter!("deskwire_log_lines_lost_total").increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // As above.
        drop(self.0.flush());
        Ok(())
    }
}

/// What was counted so far.
#[derive(Debug, Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
}

impl Metrics {
    /// Starts counting. Once per process; what was counted before is lost.
    pub fn start() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .context("buckets")?
            .install_recorder()
            .context("metrics cannot start")?;
        Ok(Self { recorder })
    }

    /// The text that `/metrics` answers with (Prometheus exposition format).
    pub fn render(&self) -> String {
        self.recorder.render()
    }

    /// Folds histograms for as long as it is polled; without it they grow until somebody scrapes.
    pub async fn upkeep(self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            self.recorder.run_upkeep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As stderr is when it goes to a file on a full disk.
    struct Full;

    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_counted_and_no_error() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let metrics = Metrics { recorder: recorder.handle() };
        metrics::with_local_recorder(&recorder, || {
            let mut lossy = Lossy(Full);
            io::Write::write_all(&mut lossy, b"a line").unwrap();
            io::Write::flush(&mut lossy).unwrap();
        });
        assert!(metrics.render().contains("deskwire_log_lines_lost_total 1"), "{}", metrics.render());
    }

    #[test]
    fn what_is_counted_is_rendered_with_its_buckets() {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .unwrap()
            .build_recorder();
        let metrics = Metrics { recorder: recorder.handle() };
        metrics::with_local_recorder(&recorder, || {
            metrics::counter!("deskwire_webhooks_total", "status" => "403").increment(2);
            metrics::histogram!("deskwire_commit_seconds").record(0.003);
        });
        let text = metrics.render();
        assert!(text.contains("deskwire_webhooks_total{status=\"403\"} 2"), "{text}");
        assert!(text.contains("deskwire_commit_seconds_bucket{le=\"0.005\"} 1"), "{text}");
    }
}
