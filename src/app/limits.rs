//! From configuration to the bounds of the engine, the pace and the sessions.

use std::time::Duration;

use actors::{
    catch_up::CatchUpOptions,
    conversation::Policy,
    engine::Limits,
    feed::FeedConfig,
    outbox::{LaneOptions, ReconcileOptions, RetryPolicy},
    pace::PaceOptions,
};

use crate::{
    api::ApiLimits, auth::people::PeopleLimits, channels::twilio::TwilioInboundSettings, config::Config,
    session::StreamLimits, store::StoreOptions, webhook::WebhookSettings,
};

/// What the engine goes by.
pub(crate) fn limits(config: &Config) -> Limits {
    let (tenant, outbox, feed) = (&config.tenant, &config.outbox, &config.feed);
    Limits {
        mailbox: tenant.mailbox_max,
        batch_bytes: tenant.batch_max_bytes,
        stalled: tenant.stalled_max,
        conversations: tenant.conversations_max,
        waiting: tenant.waiting_max,
        conversation_idle: tenant.conversation_idle_s.duration(),
        queue: outbox.queue_max,
        lane: LaneOptions { capacity: outbox.lane_max, in_flight: outbox.lane_in_flight_max },
        tenant_idle: tenant.idle_s.duration(),
        send_deadline: outbox.send_deadline_ms.duration(),
        unknown_hold: outbox.unknown_hold_s.duration(),
        reconcile: ReconcileOptions {
            margin: outbox.reconcile_margin_ms.duration(),
            again_min: outbox.reconcile_min_ms.duration(),
            again_max: outbox.reconcile_max_ms.duration(),
            time_out: outbox.list_timeout_ms.duration(),
            interval: outbox.list_interval_ms.duration(),
        },
        projections: tenant.projections_max,
        feed: FeedConfig {
            ring_events: feed.ring_max_events,
            ring_bytes: feed.ring_max_bytes,
            reread_bytes: feed.reread_max_bytes,
            read_bytes: feed.read_max_bytes,
            concurrent_reads: feed.reads_max,
        },
        policy: policy(config),
    }
}

#[allow(clippy::needless_update, reason = "with the feature `contracts` a policy has one field more")]
fn policy(config: &Config) -> Policy {
    let outbox = &config.outbox;
    Policy {
        reply_validity: outbox.reply_validity_s.duration(),
        text_back_validity: outbox.text_back_validity_s.duration(),
        confirmation_validity: outbox.confirmation_validity_s.duration(),
        verdict_wait: config.twilio.verdict_wait_s.duration(),
        answered_min: Duration::from_secs(u64::from(config.twilio.answered_min_s)),
        away_return: config.tenant.away_return_s.duration(),
        max_open_sends: outbox.open_sends_max,
        retry: RetryPolicy {
            base: outbox.retry_min_ms.duration(),
            longest: outbox.retry_max_ms.duration(),
            shortest: outbox.retry_floor_ms.duration(),
            transient_attempts: outbox.transient_attempts_max,
        },
        max_unprocessed: config.tenant.unprocessed_max,
        ..Policy::default()
    }
}

/// How what was missed is read back.
pub(crate) fn catch_up(config: &Config) -> CatchUpOptions {
    let catch_up = &config.catch_up;
    CatchUpOptions {
        every: catch_up.every_s.duration(),
        after_gap: catch_up.after_gap_s.duration(),
        overlap: catch_up.overlap_s.duration(),
        back_max: catch_up.back_max_s.duration(),
        requests_max: catch_up.requests_max,
        window_requests_max: catch_up.window_requests_max,
        lines_max: catch_up.lines_max,
        time_out: catch_up.timeout_ms.duration(),
    }
}

/// How limits are kept.
pub(crate) fn pace(config: &Config) -> PaceOptions {
    let pace = &config.pace;
    PaceOptions {
        guard: pace.guard_ms.duration(),
        grace: pace.grace_ms.duration(),
        midnight: pace.midnight_s.duration(),
        day_kept_percent: pace.day_kept_percent,
        departs_within: config.outbox.send_deadline_ms.duration(),
        most_pairs: pace.pairs_max,
        most_lines: pace.lines_max,
    }
}

/// What sessions go by.
pub(crate) fn stream_limits(config: &Config) -> StreamLimits {
    let stream = &config.stream;
    StreamLimits {
        connect_within: stream.first_command_ms.duration(),
        ping_every: stream.ping_interval_ms.duration(),
        pong_within: stream.pong_timeout_ms.duration(),
        write_stall: stream.stuck_ms.duration(),
        close_within: stream.close_timeout_ms.duration(),
        expiry_grace: stream.expiry_grace_ms.duration(),
        position_lag: stream.position_lag_max_ms.duration(),
        frame_bytes: stream.frame_max_bytes,
        read_buffer_bytes: stream.read_buffer_bytes,
        write_buffer_bytes: stream.write_buffer_bytes,
        message_bytes: stream.message_bytes,
        page_events: stream.page_max_events,
        page_bytes: stream.page_max_bytes,
        scan_events: stream.scan_max_events,
        bad_commands: stream.bad_commands_max,
        errors: stream.errors_max,
        excess: stream.excess_max,
        channels: stream.channels_max,
        connections: stream.connections_max,
        operator_connections: stream.operator_connections_max,
        commands_per_s: stream.commands_per_s,
        operator_commands_per_s: stream.operator_commands_per_s,
        drain_over: stream.drain_spread_ms.duration(),
    }
}

/// What the carriers' door goes by.
pub(crate) fn webhook_settings(config: &Config) -> WebhookSettings {
    let (server, webhook) = (&config.server, &config.webhook);
    WebhookSettings {
        body_max: server.body_max_bytes,
        body_timeout: server.body_timeout_ms.duration(),
        request_timeout: server.request_timeout_ms.duration(),
        line_per_s: webhook.line_per_s.get(),
        line_burst: webhook.line_burst.get(),
        in_flight_max: webhook.in_flight_max,
        line_in_flight_max: webhook.line_in_flight_max,
    }
}

/// How Twilio's webhooks are read.
pub(crate) fn inbound_settings(config: &Config) -> TwilioInboundSettings {
    TwilioInboundSettings { public_url: config.server.public_url.clone(), answered_min_s: config.twilio.answered_min_s }
}

/// What the embedded store goes by.
pub(crate) fn store_options(config: &Config) -> StoreOptions {
    let store = &config.store;
    StoreOptions {
        segment_bytes: store.segment_bytes,
        reserve_bytes: store.reserve_bytes,
        max_unmoved_bytes: store.unmoved_max_bytes,
        commit_queue: store.commit_queue_max,
        commit_group_bytes: store.commit_group_bytes,
        key_queue: store.key_queue_max,
        log_cache_bytes: store.log_cache_bytes,
        view_cache_bytes: store.view_cache_bytes,
        view_memtable_bytes: store.view_memtable_bytes,
        view_journal_bytes: store.view_journal_bytes,
    }
}

/// What REST goes by.
pub(crate) fn api_limits(config: &Config) -> ApiLimits {
    let (server, api) = (&config.server, &config.api);
    ApiLimits {
        page_default: api.page_default,
        page_max: api.page_max,
        cancel_step: api.cancel_step_max,
        requests_per_s: api.requests_per_s,
        requests_burst: api.requests_burst,
        body_bytes: server.body_max_bytes,
        body_within: server.body_timeout_ms.duration(),
        answer_within: server.request_timeout_ms.duration(),
    }
}

/// How people sign in.
pub(crate) fn people_limits(config: &Config) -> PeopleLimits {
    let sign_in = &config.sign_in;
    PeopleLimits {
        attempts_per_minute: sign_in.attempts_per_minute,
        peer_attempts_per_minute: sign_in.peer_attempts_per_minute,
        session: sign_in.session_s.duration(),
        sessions_max: sign_in.sessions_max,
        invitation: sign_in.invitation_s.duration(),
        reset: sign_in.reset_s.duration(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn assert_same(file: &impl Debug, code: &impl Debug) {
        assert_eq!(format!("{file:#?}"), format!("{code:#?}"));
    }

    #[test]
    fn the_annotated_file_and_the_code_agree_on_every_default() {
        let config = Config::default();
        assert_same(&limits(&config), &Limits::default());
        let departs_within = Limits::default().send_deadline;
        assert_same(&pace(&config), &PaceOptions { departs_within, ..PaceOptions::default() });
        assert_same(&catch_up(&config), &CatchUpOptions::default());
        assert_same(&stream_limits(&config), &StreamLimits::default());
        assert_same(&webhook_settings(&config), &WebhookSettings::default());
        assert_same(&store_options(&config), &StoreOptions::default());
        assert_same(&api_limits(&config), &ApiLimits::default());
    }
}
