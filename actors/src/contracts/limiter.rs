//! What every [`Limiter`] promises. Run by [`suite`] on each implementation; time is passed in, so nothing waits.

use schema::{
    ids::{AccountId, ChannelId, ContactId, TenantId},
    message::Priority,
    settings::{LimitSettings, NamedLimit},
    time::Stamp,
};
use uuid::Uuid;

use crate::ports::{Admission, DayPart, Limiter, PaceRequest};

const SECOND: u64 = 1_000_000;
/// 2026-06-01T12:00:00-07:00.
const NOON: u64 = 1_780_340_400 * SECOND;

/// Runs every promise, each on a fresh limiter.
pub fn suite<L: Limiter>(fresh: impl Fn() -> L) {
    no_window_holds_more_than_its_limit(&fresh());
    text_larger_than_the_window_goes_alone_and_is_charged_whole(&fresh());
    refusal_charges_nothing(&fresh());
    told_time_lies_ahead_and_is_kept(&fresh());
    own_pace_of_a_contact_is_told_apart(&fresh());
    day_ends_at_midnight_in_pacific_time(&fresh());
    tenants_on_one_account_take_turns(&fresh());
    claims_of_the_log_count(&fresh());
    clock_that_steps_back_lets_no_more_through(&fresh());
    texts_admitted_one_by_one_do_not_leave_together(&fresh());
    limit_of_nothing_lets_nothing_through(&fresh());
}

/// One lane's request, with ids made from small numbers.
#[derive(Debug, Clone)]
pub struct Asker {
    tenant: TenantId,
    account: AccountId,
    channel: ChannelId,
    limits: LimitSettings,
}

impl Asker {
    /// Lane `number` of a tenant on an account.
    pub fn new(tenant: u32, account: u32, number: u32, limits: LimitSettings) -> Self {
        Self {
            tenant: TenantId::new(&format!("t{tenant}")).expect("a slug"),
            account: AccountId::new(&format!("a{account}")).expect("a slug"),
            channel: ChannelId::new(&format!("c{number}")).expect("a slug"),
            limits,
        }
    }

    /// A request for one text.
    pub fn text(&self, contact: u64, segments: u16) -> PaceRequest<'_> {
        PaceRequest {
            tenant: &self.tenant,
            account: &self.account,
            channel: &self.channel,
            contact: ContactId(Uuid::from_u128(u128::from(contact))),
            segments,
            priority: Priority::Interactive,
            part: DayPart::Whole,
            limits: &self.limits,
        }
    }
}

/// No limit anywhere.
pub fn unlimited() -> LimitSettings {
    LimitSettings { number_per_s: None, ..LimitSettings::default() }
}

/// A limit under a name.
pub fn named(name: &str, limit: u32) -> Option<NamedLimit> {
    Some(NamedLimit { name: name.into(), limit })
}

/// A meter without mercy: the windows of `length` that hold more than `limit`, but for those of one text alone.
/// `sent`: microseconds and segments, in order.
pub fn violations(sent: &[(u64, u32)], length: u64, limit: u32) -> usize {
    let (mut first, mut sum, mut found) = (0, 0_u64, 0);
    for (index, (at, segments)) in sent.iter().enumerate() {
        sum += u64::from(*segments);
        while sent[first].0 + length <= *at {
            sum -= u64::from(sent[first].1);
            first += 1;
        }
        found += usize::from(sum > u64::from(limit) && first < index);
    }
    found
}

/// Asks, and when told to wait, asks again then. Returns when it was granted.
fn insist(limiter: &dyn Limiter, request: &PaceRequest<'_>, mut now: Stamp) -> Stamp {
    for _ in 0..10_000 {
        match limiter.admit(request, now) {
            Admission::Granted => return now,
            Admission::NotBefore { at, .. } => now = at,
        }
    }
    panic!("was never admitted");
}

fn refused(limiter: &dyn Limiter, request: &PaceRequest<'_>, now: Stamp) -> (Stamp, bool) {
    match limiter.admit(request, now) {
        Admission::Granted => panic!("should have been refused at {now}"),
        Admission::NotBefore { at, pair } => (at, pair),
    }
}

fn granted(limiter: &dyn Limiter, request: &PaceRequest<'_>, now: Stamp) {
    assert_eq!(limiter.admit(request, now), Admission::Granted, "at {now}");
}

fn no_window_holds_more_than_its_limit(limiter: &dyn Limiter) {
    let limits = LimitSettings {
        account_per_s: Some(10),
        campaign_per_min: named("campaign", 300),
        number_per_s: Some(7),
        ..unlimited()
    };
    let lanes: Vec<_> = (0..3).map(|lane| Asker::new(lane, 0, lane, limits.clone())).collect();
    let mut due = [Stamp(NOON); 3];
    let mut sent: Vec<(u64, u32, usize)> = Vec::new();
    for step in 0..3_000_u64 {
        let lane = (0..3).min_by_key(|lane| due[*lane]).expect("three lanes");
        let now = due[lane];
        let segments = [1, 3, 1, 2, 7, 1, 1, 4][(step.wrapping_mul(2_654_435_761) >> 7) as usize % 8];
        match limiter.admit(&lanes[lane].text(step, segments), now) {
            Admission::Granted => sent.push((now.0, u32::from(segments), lane)),
            Admission::NotBefore { at, .. } => due[lane] = at,
        }
    }
    let all: Vec<_> = sent.iter().map(|(at, segments, _)| (*at, *segments)).collect();
    assert!(all.len() > 500, "only {} left", all.len());
    assert_eq!(violations(&all, SECOND, 10), 0, "account");
    assert_eq!(violations(&all, 60 * SECOND, 300), 0, "campaign");
    for lane in 0..3 {
        let own: Vec<_> = sent.iter().filter(|(_, _, of)| *of == lane).map(|(at, s, _)| (*at, *s)).collect();
        assert_eq!(violations(&own, SECOND, 7), 0, "number");
    }
}

fn text_larger_than_the_window_goes_alone_and_is_charged_whole(limiter: &dyn Limiter) {
    let lane = Asker::new(0, 0, 0, LimitSettings { number_per_s: Some(2), ..unlimited() });
    let small = insist(limiter, &lane.text(1, 1), Stamp(NOON));
    let large = insist(limiter, &lane.text(2, 10), small);
    assert!(large.0 >= small.0 + SECOND, "the window is empty");
    let next = insist(limiter, &lane.text(3, 1), large);
    assert!(next.0 >= large.0 + 5 * SECOND, "ten segments at two a second");
    assert!(next.0 <= large.0 + 6 * SECOND, "and no more than that");
    let first = insist(limiter, &lane.text(4, 10), Stamp(next.0 + 10 * SECOND));
    let second = insist(limiter, &lane.text(5, 10), first);
    assert!(second.0 >= first.0 + 5 * SECOND, "a large one also waits until the one before is paid for");
}

fn refusal_charges_nothing(limiter: &dyn Limiter) {
    let limits = LimitSettings { account_per_s: Some(100), number_per_s: Some(1), ..unlimited() };
    let busy = Asker::new(0, 0, 0, limits.clone());
    granted(limiter, &busy.text(1, 1), Stamp(NOON));
    for ask in 0..1_000 {
        refused(limiter, &busy.text(2, 1), Stamp(NOON + 100_000 + ask));
    }
    let other = Asker::new(0, 0, 1, limits);
    granted(limiter, &other.text(3, 1), Stamp(NOON + 200_000));

    let day = LimitSettings { brand_per_day: named("brand", 2), number_per_s: Some(1), ..unlimited() };
    let lane = Asker::new(0, 0, 2, day);
    granted(limiter, &lane.text(1, 1), Stamp(NOON));
    for ask in 0..1_000 {
        refused(limiter, &lane.text(2, 1), Stamp(NOON + 1 + ask));
    }
    granted(limiter, &lane.text(2, 1), Stamp(NOON + 2 * SECOND));
}

fn told_time_lies_ahead_and_is_kept(limiter: &dyn Limiter) {
    let limits = LimitSettings {
        account_per_s: Some(20),
        campaign_per_min: named("campaign", 240),
        number_per_s: Some(5),
        pair_interval_s: Some(6),
        ..unlimited()
    };
    let lane = Asker::new(0, 0, 0, limits);
    let mut now = Stamp(NOON);
    for text in 0..500_u64 {
        let request = lane.text(text % 40, 1 + (text % 3) as u16);
        while let Admission::NotBefore { at, .. } = limiter.admit(&request, now) {
            assert!(at > now);
            now = at;
        }
        assert!(now.0 < NOON + 500 * SECOND, "who is alone is not put off for ever");
    }
}

fn own_pace_of_a_contact_is_told_apart(limiter: &dyn Limiter) {
    let lane = Asker::new(0, 0, 0, LimitSettings { pair_interval_s: Some(6), number_per_s: Some(1), ..unlimited() });
    granted(limiter, &lane.text(1, 1), Stamp(NOON));
    let later = Stamp(NOON + 2 * SECOND);
    let (at, pair) = refused(limiter, &lane.text(1, 1), later);
    assert!(pair && at.0 >= NOON + 6 * SECOND && at.0 < NOON + 7 * SECOND);
    granted(limiter, &lane.text(2, 1), later);
    let (at, pair) = refused(limiter, &lane.text(1, 1), later);
    assert!(!pair && at.0 < NOON + 4 * SECOND, "while the lane itself must wait, that comes first");
    granted(limiter, &Asker { channel: ChannelId::new("other").expect("a slug"), ..lane.clone() }.text(1, 1), later);
    assert_eq!(limiter.admit(&lane.text(1, 1), Stamp(NOON + 7 * SECOND)), Admission::Granted);
}

fn day_ends_at_midnight_in_pacific_time(limiter: &dyn Limiter) {
    // Seconds since 1970 of a moment and of the midnight after it; the clocks change on the third and fourth day.
    let days = [
        (1_772_740_800, 1_772_784_000), // 2026-03-05 12:00 PST, 2026-03-06 00:00 PST
        (1_780_340_400, 1_780_383_600), // 2026-06-01 12:00 PDT, 2026-06-02 00:00 PDT
        (1_772_985_600, 1_773_039_600), // 2026-03-08 09:00 PDT, 2026-03-09 00:00 PDT: a day of 23 hours
        (1_793_520_000, 1_793_606_400), // 2026-11-01 01:00 PDT, 2026-11-02 00:00 PST: a day of 25 hours
        (1_767_200_400, 1_767_254_400), // 2025-12-31 09:00 PST, 2026-01-01 00:00 PST
    ];
    for (index, (moment, midnight)) in days.into_iter().enumerate() {
        let brand = format!("brand-{index}");
        let limits = LimitSettings { brand_per_day: named(&brand, 3), ..unlimited() };
        let lane = Asker::new(0, 0, 0, limits.clone());
        let now = Stamp(moment * SECOND);
        (0..3).for_each(|contact| granted(limiter, &lane.text(contact, 1), now));
        let other = Asker::new(0, 0, 1, limits);
        assert_eq!(refused(limiter, &other.text(9, 1), now), (Stamp(midnight * SECOND), false), "{brand}");
        refused(limiter, &lane.text(9, 1), Stamp(midnight * SECOND - 1));
        (0..3).for_each(|contact| granted(limiter, &lane.text(contact, 1), Stamp(midnight * SECOND)));
        refused(limiter, &lane.text(9, 1), Stamp(midnight * SECOND + 1));
    }
}

fn tenants_on_one_account_take_turns(limiter: &dyn Limiter) {
    let limits = LimitSettings { account_per_s: Some(10), ..unlimited() };
    let large: Vec<_> = (0..5).map(|lane| Asker::new(1, 0, lane, limits.clone())).collect();
    let small = Asker::new(2, 0, 100, limits);
    let mut due = [Stamp(NOON); 6];
    due[5] = Stamp(NOON + 5 * SECOND);
    let (mut left, mut by_others, mut most_by_others) = (10, 0, 0);
    let mut contact = 0;
    while left > 0 {
        // The large tenant's lanes always ask first.
        let lane = (0..6).min_by_key(|lane| due[*lane]).expect("six lanes");
        let now = due[lane];
        contact += 1;
        match limiter.admit(&large.get(lane).unwrap_or(&small).text(contact, 1), now) {
            Admission::NotBefore { at, .. } => due[lane] = at,
            Admission::Granted if lane < 5 => by_others += u32::from(now.0 >= NOON + 5 * SECOND),
            Admission::Granted => {
                left -= 1;
                most_by_others = most_by_others.max(by_others);
                by_others = 0;
            }
        }
        assert!(now.0 < NOON + 60 * SECOND, "the small tenant starves");
    }
    assert!(most_by_others <= 3, "{most_by_others} texts of the large tenant between two of the small one");
}

fn claims_of_the_log_count(limiter: &dyn Limiter) {
    let limits = LimitSettings {
        account_per_s: Some(10),
        brand_per_day: named("brand", 2_000),
        networks_per_day: Vec::new(),
        campaign_per_min: named("campaign", 4),
        number_per_s: Some(10),
        pair_interval_s: Some(6),
    };
    let lane = Asker::new(0, 0, 0, limits.clone());
    for claim in 0..1_999 {
        limiter.restore(&lane.text(claim, 1), Stamp(NOON - (2_000 - claim) * SECOND));
    }
    let at = insist(limiter, &lane.text(5_000, 1), Stamp(NOON));
    assert!(at.0 >= NOON + 10 * SECOND, "the minute before the start is full");
    assert!(at.0 <= NOON + 61 * SECOND, "and empties");
    let later = Stamp(at.0 + 60 * SECOND);
    let (at, _) = refused(limiter, &lane.text(5_001, 1), later);
    assert_eq!(at, Stamp(1_780_383_600 * SECOND), "2,000 of 2,000: tomorrow");

    let no_brand = LimitSettings { brand_per_day: None, campaign_per_min: None, ..limits };
    let pair = Asker::new(0, 1, 1, no_brand);
    limiter.restore(&pair.text(1, 1), later);
    let (at, pair) = refused(limiter, &pair.text(1, 1), Stamp(later.0 + SECOND));
    assert!(pair && at.0 >= later.0 + 6 * SECOND);
}

fn clock_that_steps_back_lets_no_more_through(limiter: &dyn Limiter) {
    let limits = LimitSettings { number_per_s: Some(1), brand_per_day: named("brand", 10), ..unlimited() };
    let lane = Asker::new(0, 0, 0, limits);
    // Real time goes on evenly; the clock steps back five minutes, over midnight, after the day's last text.
    let midnight = 1_780_383_600 * SECOND;
    let clock = |real: u64| if real < midnight + 30 * SECOND { real } else { real - 300 * SECOND };
    let mut sent = Vec::new();
    for tick in 0..6_000_u64 {
        let real = midnight - 20 * SECOND + tick * 10_000;
        if limiter.admit(&lane.text(tick, 1), Stamp(clock(real))) == Admission::Granted {
            sent.push((real, 1));
        }
    }
    assert_eq!(violations(&sent, SECOND, 1), 0);
    assert!(sent.len() >= 10, "the day before had room");
    assert!(sent.iter().filter(|(real, _)| *real >= midnight).count() <= 10, "one day's texts, by whatever clock");

    // A day used up is used up, also while the clock shows the day before, which had room.
    let lane = Asker::new(0, 0, 1, LimitSettings { brand_per_day: named("other", 10), ..unlimited() });
    granted(limiter, &lane.text(1, 1), Stamp(midnight - 3_600 * SECOND));
    (0..10).for_each(|contact| granted(limiter, &lane.text(contact, 1), Stamp(midnight + 120 * SECOND)));
    refused(limiter, &lane.text(1, 1), Stamp(midnight - 180 * SECOND));
}

fn texts_admitted_one_by_one_do_not_leave_together(limiter: &dyn Limiter) {
    let limits = LimitSettings { account_per_s: Some(20), number_per_s: Some(10), ..unlimited() };
    let lane = Asker::new(0, 0, 0, limits);
    // Appends stall for a second and a half every four seconds: claims become durable in heaps.
    let durable = |at: u64| if at % (4 * SECOND) < 1_500_000 { at - at % (4 * SECOND) + 1_500_000 } else { at };
    let (mut claimed, mut sent) = (Vec::new(), Vec::new());
    for now in (NOON..NOON + 40 * SECOND).step_by(5_000) {
        if limiter.admit(&lane.text(now, 1), Stamp(now)) == Admission::Granted {
            claimed.push((durable(now), now));
        }
        while let Some((at, text)) = claimed.get(sent.len())
            && *at <= now
            && limiter.depart(&lane.text(*text, 1), Stamp(now)) == Admission::Granted
        {
            sent.push((now, 1));
        }
    }
    let claims: Vec<_> = claimed.iter().map(|(at, _)| (*at, 1)).collect();
    assert!(violations(&claims, SECOND, 10) > 0, "without the second question they would");
    assert_eq!(violations(&sent, SECOND, 10), 0);
    assert!(sent.len() > claimed.len() - 20, "and they catch up: {} of {}", sent.len(), claimed.len());
}

fn limit_of_nothing_lets_nothing_through(limiter: &dyn Limiter) {
    let none = [
        LimitSettings { account_per_s: Some(0), ..unlimited() },
        LimitSettings { brand_per_day: named("closed", 0), ..unlimited() },
        LimitSettings { campaign_per_min: named("closed", 0), ..unlimited() },
        LimitSettings { number_per_s: Some(0), ..unlimited() },
    ];
    for (index, limits) in none.into_iter().enumerate() {
        let lane = Asker::new(0, 9, index as u32, limits);
        let (at, pair) = refused(limiter, &lane.text(1, 1), Stamp(NOON));
        assert!(!pair && at.0 > NOON + SECOND);
    }
}
