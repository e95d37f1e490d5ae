//! The sections of the configuration and what each key allows. Defaults and reasons: config/default.toml.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

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
        /// Time in which a client must take something of its answer.
        stall_timeout_ms: Millis, 100..=600_000;
        /// Time for a request's body.
        body_timeout_ms: Millis, 100..=60_000;
        /// Time for the answer.
        request_timeout_ms: Millis, 100..=60_000;
        /// Time to finish after SIGTERM.
        drain_ms: Millis, 0..=600_000;
        /// The listener's certificate chain; empty: plain HTTP.
        tls_certificate: PathBuf, "the path of a PEM file, or \"\" for plain HTTP";
        /// Its private key.
        tls_key: PathBuf, "the path of a PEM file, or \"\" for plain HTTP";
        /// Between looks at both files.
        tls_reload_s: Seconds, 1..=86_400;
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

/// Where log, views and keys are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// In the data directory, for one node.
    Embedded,
    /// On CQL servers.
    Cql,
}

impl Setting for StoreKind {}

section! {
    /// Where everything is kept, and the embedded store's sizes.
    Store("store") {
        /// Which store.
        kind: StoreKind, "\"embedded\" or \"cql\"";
        /// Bytes of one segment of the commit file.
        segment_bytes: u64, MIB..=4 * GIB;
        /// Free disk space never used.
        reserve_bytes: u64, 0..=1024 * GIB;
        /// Bytes of batches that are not rows yet.
        unmoved_max_bytes: u64, 16 * MIB..=64 * GIB;
        /// Appends that wait for a group commit.
        commit_queue_max: usize, 16..=1_000_000;
        /// Bytes of one group commit.
        commit_group_bytes: usize, MIB..=256 * MIB;
        /// Key operations that wait.
        key_queue_max: usize, 16..=1_000_000;
        /// Memory for rows of the log.
        log_cache_bytes: u64, MIB..=256 * GIB;
        /// Memory for views.
        view_cache_bytes: u64, MIB..=256 * GIB;
        /// Bytes of a table of recent view writes.
        view_memtable_bytes: u64, MIB..=4 * GIB;
        /// Disk of the views' journal.
        view_journal_bytes: u64, 64 * MIB..=64 * GIB;
    }
}

section! {
    /// The CQL store.
    Cql("cql") {
        /// Some of the servers.
        contact_points: Vec<String>, "a list of host:port, such as [\"10.0.0.1:9042\", \"10.0.0.2:9042\"]";
        /// The keyspace.
        keyspace: String, "a lower case name of letters, digits and _";
        /// The data centre of the servers that are asked.
        datacenter: String, "a data centre's name, or \"\" for any";
        /// Who logs in.
        user: String, "a role's name, or \"\" for none";
        /// Where the password is.
        password_file: PathBuf, "the path of a file, or \"\" without a user";
        /// Whether connections are TLS.
        tls: bool, "true or false";
        /// Who signs the servers' certificates.
        tls_ca_file: PathBuf, "the path of a file of certificates in PEM, or \"\" for the system's";
        /// What the servers' certificates name.
        tls_name: String, "a name that every server's certificate bears, or \"\" for the address that each is reached by";
        /// Where the master key is.
        master_key_file: PathBuf, "the path of a file of 32 bytes, or \"\" for keys/cql-master in the data directory";
        /// Time for a connection.
        connect_timeout_ms: Millis, 100..=60_000;
        /// Time for a statement.
        request_timeout_ms: Millis, 100..=60_000;
        /// Statements under way.
        in_flight_max: usize, 16..=32_768;
        /// Replication of a keyspace that `migrate` makes.
        replication: String, "a CQL map, such as {'class': 'NetworkTopologyStrategy', 'replication_factor': 3}";
        /// Compaction of the log's table.
        log_compaction: String, "a CQL map, such as {'class': 'SizeTieredCompactionStrategy'}";
        /// Compaction of the other tables.
        view_compaction: String, "a CQL map, such as {'class': 'LeveledCompactionStrategy'}";
        /// Whether one replica is enough.
        allow_unsafe: bool, "true or false; true only where losing everything does no harm";
    }
}

section! {
    /// One tenant's actors.
    Tenant("tenant") {
        /// Bytes of a batch.
        batch_max_bytes: usize, 16 * KIB..=512 * KIB;
        /// Requests that wait.
        mailbox_max: usize, 16..=1_000_000;
        /// Requests that wait for room in the batch.
        stalled_max: usize, 16..=1_000_000;
        /// Requests that wait for one conversation's state.
        waiting_max: usize, 1..=1_000_000;
        /// Conversations in memory.
        conversations_max: usize, 16..=10_000_000;
        /// When an idle conversation leaves memory.
        conversation_idle_s: Seconds, 1..=86_400;
        /// When an idle tenant leaves memory.
        idle_s: Seconds, 1..=86_400;
        /// When a contact's words to somebody away go back to nobody.
        away_return_s: Seconds, 1..=86_400;
        /// Batches that wait for the views.
        projections_max: usize, 1..=1_000_000;
        /// Arrivals kept for a parked conversation.
        unprocessed_max: usize, 1..=100_000;
    }
}

section! {
    /// A feed's memory.
    Feed("feed") {
        /// Events of the tail in memory.
        ring_max_events: usize, 16..=1_000_000;
        /// Bytes of the tail in memory.
        ring_max_bytes: usize, 64 * KIB..=GIB;
        /// Bytes kept of what lagging readers read.
        reread_max_bytes: usize, 64 * KIB..=GIB;
        /// Bytes of one read from the log.
        read_max_bytes: usize, KIB..=64 * MIB;
        /// Reads from the log at once.
        reads_max: usize, 1..=1_000;
    }
}

section! {
    /// The way out.
    Outbox("outbox") {
        /// Open texts of a tenant.
        queue_max: usize, 1..=10_000_000;
        /// Texts queued in a lane.
        lane_max: usize, 1..=10_000_000;
        /// Texts of a lane at the carrier.
        lane_in_flight_max: usize, 1..=10_000;
        /// Time for a carrier call.
        send_deadline_ms: Millis, 100..=120_000;
        /// How long an unknown outcome holds its contact's later texts.
        unknown_hold_s: Seconds, 0..=86_400;
        /// Time for a text to appear in the carrier's list.
        reconcile_margin_ms: Millis, 0..=3_600_000;
        /// Bound of the first wait before another question.
        reconcile_min_ms: Millis, 1..=3_600_000;
        /// Bound of every wait before another question.
        reconcile_max_ms: Millis, 1..=86_400_000;
        /// Time for a question to the carrier's list.
        list_timeout_ms: Millis, 100..=120_000;
        /// Between two questions of one account.
        list_interval_ms: Millis, 0..=600_000;
        /// Open texts of one contact.
        open_sends_max: usize, 1..=1_000;
        /// Bound of the first wait before another attempt.
        retry_min_ms: Millis, 1..=600_000;
        /// Bound of every wait before another attempt.
        retry_max_ms: Millis, 1..=86_400_000;
        /// Shortest wait before another attempt.
        retry_floor_ms: Millis, 1..=600_000;
        /// Attempts of a text whose error may pass.
        transient_attempts_max: u16, 1..=100;
        /// How long a text-back is worth sending.
        text_back_validity_s: Seconds, 1..=36_000;
        /// How long a confirmation is worth sending.
        confirmation_validity_s: Seconds, 1..=300;
        /// How long an operator's reply is worth sending.
        reply_validity_s: Seconds, 1..=36_000;
    }
}

section! {
    /// Reading back what was missed.
    CatchUp("catch_up") {
        /// Between two looks at a line.
        every_s: Seconds, 1..=86_400;
        /// After a webhook was not acknowledged.
        after_gap_s: Seconds, 1..=86_400;
        /// How much of the last look is looked at again.
        overlap_s: Seconds, 1..=86_400;
        /// How far back at most.
        back_max_s: Seconds, 60..=31_536_000;
        /// Requests of one look at one line.
        requests_max: usize, 2..=100_000;
        /// Requests for one stretch of time.
        window_requests_max: usize, 2..=10_000;
        /// Lines looked at together.
        lines_max: usize, 1..=1_000;
        /// Time for a request.
        timeout_ms: Millis, 100..=120_000;
    }
}

section! {
    /// How limits are kept.
    Pace("pace") {
        /// What every window is longer by.
        guard_ms: Millis, 0..=10_000;
        /// How long a lane whose turn it is is waited for.
        grace_ms: Millis, 0..=10_000;
        /// How near to midnight a text counts for both days.
        midnight_s: Seconds, 0..=3_600;
        /// Hundredths of a day kept for people.
        day_kept_percent: u8, 0..=100;
        /// Contact pairs remembered.
        pairs_max: usize, 1_000..=100_000_000;
        /// Numbers, accounts, brands and campaigns remembered.
        lines_max: usize, 100..=10_000_000;
    }
}

/// Who counts shared limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitsKind {
    /// This process, alone.
    Local,
    /// Redis, for several nodes.
    Redis,
}

impl Setting for LimitsKind {}

section! {
    /// Who counts shared limits.
    SharedLimits("limits") {
        /// Who.
        kind: LimitsKind, "\"local\" or \"redis\"";
        /// Nodes that share limits.
        members: u32, 1..=1_000;
    }
}

section! {
    /// The Redis of shared limits.
    Redis("redis") {
        /// Where it is.
        url: String, "a URL such as redis://10.0.0.1:6379/0, or rediss:// for TLS";
        /// Whether Sentinels, and the servers they name, are reached with TLS.
        sentinel_tls: bool, "true or false";
        /// Who signs the servers' certificates.
        tls_ca_file: PathBuf, "the path of a file of certificates in PEM, or \"\" for the system's";
        /// Who knows where it is.
        sentinels: Vec<String>, "a list of host:port, such as [\"10.0.0.1:26379\", \"10.0.0.2:26379\"], or [] for none";
        /// What they call it.
        service: String, "a name";
        /// Who logs in.
        user: String, "a user's name, or \"\" for none";
        /// Where the password is.
        password_file: PathBuf, "the path of a file, or \"\" for none";
        /// What keys begin with.
        prefix: String, "letters, digits, - and _";
        /// Time for an answer.
        answer_within_ms: Millis, 20..=10_000;
        /// Longest slice.
        slice_max_ms: Millis, 500..=60_000;
        /// Replicas that must have an answer.
        replicas_min: u32, 0..=16;
    }
}

section! {
    /// The carriers' door.
    Webhook("webhook") {
        /// Webhooks of one line, a second.
        line_per_s: NonZeroU32, 1..=1_000_000;
        /// Webhooks of one line at once.
        line_burst: NonZeroU32, 1..=1_000_000;
        /// Webhooks of one line under way.
        line_in_flight_max: usize, 1..=1_000_000;
        /// Webhooks under way.
        in_flight_max: usize, 1..=1_000_000;
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
        /// A shorter call was not answered by a person.
        answered_min_s: u32, 0..=120;
        /// How long the verdict on a call that is over is waited for.
        verdict_wait_s: Seconds, 5..=3_600;
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
        /// How long a transport may take nothing.
        stuck_ms: Millis, 100..=600_000;
        /// Time for the closing handshake.
        close_timeout_ms: Millis, 10..=60_000;
        /// How long an expired token is borne.
        expiry_grace_ms: Millis, 0..=600_000;
        /// How long a feed may be behind its log.
        position_lag_max_ms: Millis, 100..=600_000;
        /// Largest frame of a client.
        frame_max_bytes: usize, KIB..=MIB;
        /// Read buffer of a connection.
        read_buffer_bytes: usize, KIB..=MIB;
        /// Write buffer of a connection.
        write_buffer_bytes: usize, KIB..=MIB;
        /// Bytes that are joined into one message.
        message_bytes: usize, KIB..=MIB;
        /// Publications in one reply.
        page_max_events: usize, 1..=65_536;
        /// Bytes of publications in one reply.
        page_max_bytes: usize, KIB..=16 * MIB;
        /// How far back an operator's channel is recovered.
        scan_max_events: u64, 1..=100_000_000;
        /// Unreadable commands before the close.
        bad_commands_max: u32, 1..=1_000;
        /// Errors in a row before the close.
        errors_max: u32, 1..=1_000_000;
        /// Commands over the rate in a row before the close.
        excess_max: u32, 1..=1_000_000;
        /// Channels of a connection.
        channels_max: usize, 1..=10_000;
        /// Connections of this node.
        connections_max: usize, 1..=10_000_000;
        /// Connections of an operator.
        operator_connections_max: usize, 1..=10_000;
        /// Commands of a connection, a second.
        commands_per_s: NonZeroU32, 1..=100_000;
        /// Commands of an operator, a second.
        operator_commands_per_s: NonZeroU32, 1..=100_000;
        /// Over how long sessions close at shutdown.
        drain_spread_ms: Millis, 0..=600_000;
    }
}

section! {
    /// REST.
    Api("api") {
        /// Rows of a page when the client does not say.
        page_default: usize, 1..=1_000;
        /// Rows of a page at most.
        page_max: usize, 1..=1_000;
        /// Queued texts that one request takes back.
        cancel_step_max: usize, 1..=10_000;
        /// Requests of an operator, a second.
        requests_per_s: NonZeroU32, 1..=100_000;
        /// Requests of an operator at once.
        requests_burst: NonZeroU32, 1..=100_000;
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

section! {
    /// Figures.
    Figures("figures") {
        /// Days whose hours are kept.
        keep_days: u32, 8..=400;
        /// Tenants whose counts are in memory.
        tenants_max: usize, 1..=1_000_000;
        /// Between snapshots of one tenant.
        save_s: Seconds, 1..=86_400;
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
    /// Logs and traces.
    Telemetry("telemetry") {
        /// How a line looks.
        format: LogFormat, "\"text\" or \"json\"";
        /// What is logged.
        filter: String, "a level (error, warn, info, debug, trace) or levels by module, such as info,deskwire::session=debug";
        /// Where traces go; empty: nowhere.
        otlp_endpoint: String, "an http or https URL without a path, query or fragment, or \"\" for no traces";
        /// The share of requests that are traced.
        otlp_sample_ratio: f64, "a number from 0 to 1";
        /// What this service is called in traces.
        otlp_service_name: String, "a name";
        /// Spans that wait for their export.
        otlp_queue_max: usize, 64..=1_000_000;
        /// Between exports.
        otlp_interval_ms: Millis, 10..=60_000;
        /// Time for one export.
        otlp_timeout_ms: Millis, 100..=60_000;
    }
}
