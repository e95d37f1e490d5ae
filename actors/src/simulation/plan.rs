//! What kind of world a seed is: who is in it, and what goes wrong how often.

use std::time::Duration;

use schema::{
    address::{Address, E164},
    command::{Registration, Setting},
    ids::{AccountId, ChannelId, TemplateId, TenantId},
    settings::{
        CarrierAnswers, ChannelSettings, LimitSettings, NamedLimit, Ring, TemplateSettings, TenantSettings, VoiceMode,
        VoiceSettings,
    },
    time::Stamp,
};

use super::dice::Dice;
use crate::{
    conversation::Policy,
    engine::Limits,
    feed::FeedConfig,
    outbox::{LaneOptions, ReconcileOptions},
};

/// Tenants of every world.
pub(super) const TENANTS: usize = 2;
/// Contacts of each tenant; the same people write to all tenants.
pub(super) const CONTACTS: usize = 3;
/// One text-back per caller in this time.
pub(super) const COOL_DOWN: Duration = Duration::from_secs(25);

/// Chances are in thousandths.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The wall clock at the beginning.
    pub(super) epoch: Stamp,
    /// How long things go badly.
    pub(super) chaos: Duration,
    /// Steps until the machine dies, life after life; then it dies no more.
    pub(super) deaths: Vec<u64>,
    pub(super) append_unknown: u64,
    pub(super) append_unavailable: u64,
    pub(super) log_stops: u64,
    pub(super) views_fail: u64,
    pub(super) carrier_trouble: u64,
    pub(super) webhook_trouble: u64,
    pub(super) fsync_ms: u64,
    pub(super) clock_steps: bool,
    /// Each node's clock is off on its own.
    pub(super) clocks_apart: bool,
    pub(super) trims: bool,
    pub(super) small: bool,
    limits: LimitSettings,
}

impl Plan {
    pub(super) fn of(dice: &mut Dice) -> Self {
        let near_midnight = dice.permille(300);
        // 2026-11-21 at noon in Pacific time; or four minutes before midnight.
        let epoch = if near_midnight { 1_795_334_160_000_000 } else { 1_795_291_200_000_000 };
        let deaths = (0..dice.below(4)).map(|_| 20 + dice.below(1_200)).collect();
        let mut often = |most: u64| if dice.permille(600) { dice.below(most) } else { 0 };
        let (append_unknown, append_unavailable) = (often(150), often(150));
        let (views_fail, carrier_trouble, webhook_trouble) = (often(150), often(600), often(600));
        let per_day = dice.permille(300).then(|| NamedLimit {
            name: "brand".to_owned(),
            limit: 4 + u32::try_from(dice.below(12)).expect("it is small"),
        });
        let limits = LimitSettings {
            account_per_s: None,
            campaign_per_min: None,
            number_per_s: Some(1 + u32::try_from(dice.below(4)).expect("it is small")),
            pair_interval_s: dice.permille(250).then_some(2),
            networks_per_day: Vec::new(),
            brand_per_day: per_day,
        };
        Self {
            epoch: Stamp(epoch),
            chaos: dice.between(Duration::from_secs(10), Duration::from_secs(35)),
            deaths,
            append_unknown,
            append_unavailable,
            log_stops: if dice.permille(100) { 5 } else { 0 },
            views_fail,
            carrier_trouble,
            webhook_trouble,
            fsync_ms: if dice.permille(200) { 400 } else { 8 },
            // The judge counts days by the true clock.
            clock_steps: !near_midnight && dice.permille(300),
            clocks_apart: false,
            // What is trimmed is not counted after a start: only what no limit needs any more may go.
            trims: limits.brand_per_day.is_none() && limits.pair_interval_s.is_none() && dice.permille(400),
            small: dice.permille(200),
            limits,
        }
    }

    /// The same world for several nodes: its store is one that they share, and survives each of them.
    pub(super) fn of_nodes(self, dice: &mut Dice) -> Self {
        let deaths = (0..dice.below(4)).map(|_| 20 + dice.below(3_000)).collect();
        let clocks_apart = self.clock_steps;
        Self { deaths, log_stops: 0, fsync_ms: 8, clock_steps: false, clocks_apart, trims: false, ..self }
    }

    /// How fast a tenant's line may send. Each tenant is a brand of its own.
    pub(super) fn pace(&self, tenant: usize) -> LimitSettings {
        let brand_per_day = self.limits.brand_per_day.clone();
        let brand_per_day = brand_per_day.map(|day| NamedLimit { name: format!("brand-{tenant}"), ..day });
        LimitSettings { brand_per_day, ..self.limits.clone() }
    }

    /// The engine's bounds: short times, so that everything ends within minutes.
    pub(super) fn engine(&self) -> Limits {
        let reconcile = ReconcileOptions {
            margin: Duration::from_secs(3),
            again_min: Duration::from_secs(3),
            again_max: Duration::from_secs(20),
            time_out: Duration::from_secs(2),
            interval: Duration::from_millis(200),
        };
        let policy = Policy {
            reply_validity: Duration::from_secs(60),
            text_back_validity: Duration::from_secs(20),
            confirmation_validity: Duration::from_secs(30),
            verdict_wait: Duration::from_secs(8),
            ..Policy::default()
        };
        Limits {
            mailbox: if self.small { 4 } else { 64 },
            batch_bytes: if self.small { 600 } else { 64 * 1024 },
            stalled: if self.small { 4 } else { 64 },
            conversations: if self.small { 2 } else { 1_000 },
            waiting: if self.small { 2 } else { 64 },
            conversation_idle: Duration::from_secs(3),
            queue: if self.small { 6 } else { 1_000 },
            lane: LaneOptions { capacity: 1_000, in_flight: 4 },
            tenant_idle: Duration::from_secs(8),
            send_deadline: Duration::from_secs(4),
            unknown_hold: Duration::from_secs(4),
            reconcile,
            projections: if self.small { 1 } else { 64 },
            feed: FeedConfig { ring_events: 24, reread_bytes: 4 << 10, read_bytes: 2 << 10, ..FeedConfig::default() },
            policy,
        }
    }
}

pub(super) fn tenant(number: usize) -> TenantId {
    TenantId::new(&format!("tenant-{number}")).expect("a slug")
}

pub(super) fn line(number: usize) -> ChannelId {
    ChannelId::new(&format!("line-{number}")).expect("a slug")
}

pub(super) fn account(number: usize) -> AccountId {
    AccountId::new(&format!("account-{number}")).expect("a slug")
}

pub(super) fn line_number(number: usize) -> String {
    format!("+1415555019{number}")
}

/// What every text to and from a contact of a tenant holds, and no other tenant's.
pub(super) fn mark(tenant: usize, contact: usize) -> String {
    format!("t{tenant}c{contact}n")
}

pub(super) fn business(tenant: usize) -> String {
    format!("Business{tenant}")
}

pub(super) fn contact(number: usize) -> Address {
    Address::from_carrier(&format!("+1415555010{number}")).expect("an address")
}

pub(super) fn registrations(number: usize) -> [Registration; 3] {
    let (tenant, account) = (tenant(number), account(number));
    [
        Registration::Tenant(tenant.clone()),
        Registration::Account { account: account.clone(), tenant: tenant.clone(), carrier_id: format!("AC{number}") },
        Registration::Channel { channel: line(number), tenant, account, address: line_number(number) },
    ]
}

pub(super) fn settings(number: usize, limits: &LimitSettings) -> [Setting; 4] {
    let template = TemplateId::new("textback").expect("a slug");
    let ring = Ring { phone: E164::new("+14155550177").expect("a number"), ring_s: 20, confirm: false };
    let mode = if number == 1 { VoiceMode::Ring(ring) } else { VoiceMode::Forwarded };
    let channel = ChannelSettings {
        coverage: true,
        text_back: Some(template.clone()),
        cool_down_s: u32::try_from(COOL_DOWN.as_secs()).expect("it is small"),
        carrier_answers: Some(CarrierAnswers { stop: false, start: false, help: false }),
        voice: VoiceSettings { mode, ..VoiceSettings::default() },
        ..ChannelSettings::new(line_number(number), account(number))
    };
    [
        Setting::Tenant(TenantSettings { business_name: business(number) }),
        Setting::Template(template, Some(TemplateSettings { text: "{business} missed your call".to_owned() })),
        Setting::Channel(line(number), channel),
        Setting::Limits(line(number), limits.clone()),
    ]
}
