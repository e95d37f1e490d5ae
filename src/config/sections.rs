//! The sections of the configuration and what each key allows. Defaults and reasons: config/default.toml.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

use super::section::{Millis, Seconds, Setting, section};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

section! {
    /// The listener and its limits.
    Server("server") {
        /// Where HTTP and the stream are served.
        listen: SocketAddr, "an address and a port, such as 127.0.0.1:8080";
        /// The base of webhook URLs as carriers see it.
        public_url: String, "an http or https URL without a path, query or fragment";
        /// Origins of pages that may use the stream and the API.
        allowed_origins: Vec<String>, "a list of origins, such as [\"https://desk.example.com\"]";
        /// Open connections at once.
        connections_max: usize, 1..=1_000_000;
        /// Largest body.
        body_max_bytes: usize, KIB..=16 * MIB;
        /// Time for a request's headers.
        header_timeout_ms: Millis, 100..=60_000;
        /// Time for a request's body.
        body_timeout_ms: Millis, 100..=60_000;
        /// Time for the answer.
        request_timeout_ms: Millis, 100..=60_000;
        /// Time to finish after SIGTERM.
        drain_ms: Millis, 0..=600_000;
    }
}

section! {
    /// The demo tenant on a simulated carrier.
    Demo("demo") {
        /// Whether it exists.
        enabled: bool, "true or false; true only on a loopback server.listen";
        /// Where the simulated carrier answers.
        carrier_url: String, "an http or https URL without a path, query or fragment";
    }
}

section! {
    /// Where everything is kept.
    Data("data") {
        /// The data directory.
        directory: PathBuf, "a directory that this process may write, or make";
    }
}

section! {
    /// The embedded store.
    Store("store") {
        /// Bytes of one segment of the commit file.
        segment_max_bytes: u64, MIB..=4 * GIB;
        /// Bytes of one group commit.
        group_max_bytes: usize, MIB..=256 * MIB;
        /// Batches that wait for a group commit.
        waiting_max_batches: usize, 16..=1_000_000;
        /// Bytes of segments that are not rows yet.
        behind_max_bytes: u64, 16 * MIB..=64 * GIB;
        /// Free disk space never used.
        reserve_bytes: u64, 0..=1024 * GIB;
        /// Memory for cached blocks.
        cache_max_bytes: u64, MIB..=256 * GIB;
        /// Memory for rows not written out.
        write_buffer_max_bytes: u64, 16 * MIB..=64 * GIB;
        /// Threads that write rows out.
        flush_workers: usize, 1..=64;
    }
}

section! {
    /// One tenant's actors.
    Tenant("tenant") {
        /// Bytes of a batch.
        batch_max_bytes: usize, 16 * KIB..=512 * KIB;
        /// Events of a batch.
        batch_max_events: usize, 1..=65_536;
        /// Requests that wait.
        mailbox_max: usize, 16..=1_000_000;
        /// Bytes of the feed's tail in memory.
        ring_max_bytes: usize, 64 * KIB..=GIB;
        /// Events of the feed's tail in memory.
        ring_max_events: usize, 16..=1_000_000;
        /// When an idle conversation leaves memory.
        conversation_idle_s: Seconds, 1..=86_400;
        /// Conversations in memory.
        conversations_max: usize, 16..=10_000_000;
        /// When an idle tenant leaves memory.
        idle_s: Seconds, 1..=86_400;
        /// Open texts of one contact.
        open_sends_max: usize, 1..=1_000;
        /// Queued texts of the tenant.
        queue_max: usize, 1..=10_000_000;
        /// First pause after a conversation's crash.
        restart_min_ms: Millis, 1..=60_000;
        /// Longest pause after a conversation's crash.
        restart_max_ms: Millis, 1..=3_600_000;
        /// Crashes in a row before it is parked.
        park_after_crashes: u32, 1..=100;
        /// Time for an append, queueing included.
        append_timeout_ms: Millis, 100..=60_000;
    }
}

section! {
    /// The way out.
    Outbox("outbox") {
        /// Time for a carrier call.
        send_timeout_ms: Millis, 100..=60_000;
        /// Time a claim holds.
        claim_deadline_ms: Millis, 200..=120_000;
        /// First back-off.
        retry_min_ms: Millis, 1..=600_000;
        /// Longest back-off.
        retry_max_ms: Millis, 1..=86_400_000;
        /// How much a back-off varies.
        retry_jitter_percent: u32, 0..=100;
        /// Attempts of one text.
        attempts_max: u32, 1..=100;
        /// How long an unknown outcome holds its contact's later texts.
        unknown_hold_s: Seconds, 0..=86_400;
        /// Carrier calls in flight.
        in_flight_max: usize, 1..=10_000;
        /// How long a text-back is worth sending.
        text_back_validity_s: Seconds, 1..=36_000;
        /// How long a confirmation is worth sending.
        confirmation_validity_s: Seconds, 1..=300;
        /// How long an operator's reply is worth sending.
        reply_validity_s: Seconds, 1..=36_000;
    }
}

section! {
    /// The carriers' door.
    Webhook("webhook") {
        /// Webhooks of one line, a second.
        line_per_s: u32, 1..=1_000_000;
        /// Webhooks of one line at once.
        line_burst: u32, 1..=1_000_000;
    }
}

section! {
    /// Twilio's REST.
    Twilio("twilio") {
        /// Its base.
        base_url: String, "an http or https URL without a path, query or fragment";
        /// Time to connect.
        connect_timeout_ms: Millis, 100..=60_000;
        /// Idle connections kept.
        idle_connections_max: usize, 0..=10_000;
    }
}

section! {
    /// The operators' stream.
    Stream("stream") {
        /// Between pings.
        ping_interval_ms: Millis, 100..=600_000;
        /// Time for a pong.
        pong_timeout_ms: Millis, 50..=600_000;
        /// Time for connect.
        first_command_ms: Millis, 100..=60_000;
        /// Largest frame of a client.
        frame_max_bytes: usize, KIB..=MIB;
        /// Read buffer of a connection.
        read_buffer_bytes: usize, KIB..=MIB;
        /// Write buffer of a connection.
        write_buffer_bytes: usize, KIB..=MIB;
        /// Channels of a connection.
        subscriptions_max: usize, 1..=10_000;
        /// Connections of an operator.
        operator_connections_max: usize, 1..=10_000;
        /// Commands of a connection, a second.
        commands_per_s: u32, 1..=100_000;
        /// Commands of a connection at once.
        commands_burst: u32, 1..=100_000;
        /// Bad frames before the close.
        errors_max: u32, 1..=1_000;
        /// How long a transport may take nothing.
        stuck_ms: Millis, 100..=600_000;
        /// Events in a page of a resume.
        resume_page_events: usize, 1..=65_536;
        /// Between position checks.
        position_check_ms: Millis, 100..=600_000;
        /// How long a position may differ.
        position_lag_max_ms: Millis, 100..=600_000;
        /// Over how long sessions close at shutdown.
        drain_spread_ms: Millis, 0..=600_000;
        /// When typing ends.
        typing_ms: Millis, 100..=60_000;
    }
}

section! {
    /// REST.
    Api("api") {
        /// Rows of a page when the client does not say.
        page_default: usize, 1..=1_000;
        /// Rows of a page at most.
        page_max: usize, 1..=1_000;
        /// Requests of an operator, a second.
        requests_per_s: u32, 1..=100_000;
        /// Requests of an operator at once.
        requests_burst: u32, 1..=100_000;
    }
}

section! {
    /// Tokens.
    Auth("auth") {
        /// How long a minted token is valid.
        token_ttl_s: Seconds, 1..=31_536_000;
        /// How far clocks may be apart.
        leeway_s: Seconds, 0..=600;
    }
}

section! {
    /// Search.
    Search("search") {
        /// Memory of the index writer.
        writer_bytes: usize, 16 * MIB..=4 * GIB;
        /// Between commits of the index.
        commit_interval_ms: Millis, 10..=600_000;
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Setting for LogFormat {}

section! {
    /// Logs.
    Telemetry("telemetry") {
        /// How a line looks.
        format: LogFormat, "\"text\" or \"json\"";
        /// What is logged.
        filter: String, "a level (error, warn, info, debug, trace) or levels by module, such as info,deskwire::session=debug";
    }
}
