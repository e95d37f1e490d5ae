//! From configuration to the engine's bounds.

use std::num::NonZeroU32;

use actors::{
    conversation::Policy,
    engine::Limits,
    feed::FeedConfig,
    outbox::{LaneOptions, RetryPolicy},
};

use crate::{config::Config, session::StreamLimits};

/// Commands that may wait for one conversation's state, and behind a full batch, in mailboxes.
const STALLED_MAILBOXES: usize = 2;

/// What the engine goes by.
pub(crate) fn limits(config: &Config) -> Limits {
    let (tenant, outbox) = (&config.tenant, &config.outbox);
    Limits {
        mailbox: tenant.mailbox_max,
        batch_bytes: tenant.batch_max_bytes,
        stalled: tenant.mailbox_max * STALLED_MAILBOXES,
        conversations: tenant.conversations_max,
        conversation_idle: tenant.conversation_idle_s.duration(),
        queue: tenant.queue_max,
        lane: LaneOptions { capacity: tenant.queue_max, in_flight: outbox.in_flight_max },
        tenant_idle: tenant.idle_s.duration(),
        send_deadline: outbox.claim_deadline_ms.duration(),
        unknown_hold: outbox.unknown_hold_s.duration(),
        feed: FeedConfig {
            ring_events: tenant.ring_max_events,
            ring_bytes: tenant.ring_max_bytes,
            ..FeedConfig::default()
        },
        policy: policy(config),
        ..Limits::default()
    }
}

fn policy(config: &Config) -> Policy {
    let outbox = &config.outbox;
    Policy {
        reply_validity: outbox.reply_validity_s.duration(),
        text_back_validity: outbox.text_back_validity_s.duration(),
        confirmation_validity: outbox.confirmation_validity_s.duration(),
        max_open_sends: config.tenant.open_sends_max,
        retry: RetryPolicy {
            base: outbox.retry_min_ms.duration(),
            longest: outbox.retry_max_ms.duration(),
            ..RetryPolicy::default()
        },
        ..Policy::default()
    }
}

/// What sessions go by.
pub(crate) fn stream_limits(config: &Config) -> StreamLimits {
    let stream = &config.stream;
    let rate = |per_s: u32| NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN);
    StreamLimits {
        connect_within: stream.first_command_ms.duration(),
        ping_every: stream.ping_interval_ms.duration(),
        pong_within: stream.pong_timeout_ms.duration(),
        write_stall: stream.stuck_ms.duration(),
        position_lag: stream.position_lag_max_ms.duration(),
        frame_bytes: stream.frame_max_bytes,
        buffer_bytes: stream.read_buffer_bytes,
        page_events: stream.resume_page_events,
        errors: stream.errors_max,
        channels: stream.subscriptions_max,
        connections: config.server.connections_max,
        operator_connections: stream.operator_connections_max,
        commands_per_s: rate(stream.commands_per_s),
        operator_commands_per_s: rate(stream.commands_per_s),
        drain_over: stream.drain_spread_ms.duration(),
        ..StreamLimits::default()
    }
}
