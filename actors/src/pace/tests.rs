//! The local limiter: its contract, strict windows for any mix of texts, bounds of memory.

use proptest::prelude::*;
use schema::{settings::LimitSettings, time::Stamp};

use super::{day::Calendar, *};
use crate::{
    contracts::limiter::{Asker, named, suite, unlimited, violations},
    memory::GrantTable,
    ports::DayPart,
};

const SECOND: u64 = 1_000_000;
const NOON: u64 = 1_780_340_400 * SECOND;

#[test]
fn local_limiter_keeps_the_contract() {
    suite(LocalLimiter::default);
}

#[test]
fn local_limiter_keeps_the_contract_without_a_guard() {
    suite(|| LocalLimiter::new(PaceOptions { guard: Duration::ZERO, ..PaceOptions::default() }));
}

#[test]
fn local_limiter_keeps_the_contract_when_memory_is_short() {
    suite(|| LocalLimiter::new(PaceOptions { most_pairs: 100, most_lines: 8, ..PaceOptions::default() }));
}

#[test]
fn full_rate_of_a_number_is_within_two_percent_of_its_limit() {
    for limit in [1, 3, 10, 100] {
        let limiter = LocalLimiter::default();
        let lane = Asker::new(0, 0, 0, LimitSettings { number_per_s: Some(limit), ..unlimited() });
        let (mut now, mut sent) = (Stamp(NOON), 0);
        while now.0 < NOON + 100 * SECOND {
            match limiter.admit(&lane.text(sent, 1), now) {
                Admission::Granted => sent += 1,
                Admission::NotBefore { at, .. } => now = at,
            }
        }
        assert!(sent * 100 >= u64::from(limit) * 100 * 98, "{sent} of {} in 100 s", limit * 100);
    }
}

#[test]
fn what_was_claimed_before_a_start_counts_as_if_it_had_left_as_late_as_it_could() {
    let options = PaceOptions { departs_within: Duration::from_secs(20), ..PaceOptions::default() };
    let lane = Asker::new(0, 0, 0, LimitSettings { pair_interval_s: Some(6), ..unlimited() });
    let started = Stamp(NOON + 5 * SECOND);
    let limiter = LocalLimiter::started_at(options, started);
    assert!(limiter.counts_since(&lane.text(1, 1).limits.clone(), started) < Stamp(NOON));
    // Claimed five seconds before the start, it may have left right before it.
    limiter.restore(&lane.text(1, 1), Stamp(NOON));
    let Admission::NotBefore { at, pair: true } = limiter.admit(&lane.text(1, 1), Stamp(NOON + 7 * SECOND)) else {
        panic!("the contact was texted two seconds ago, perhaps")
    };
    assert!(at >= Stamp(NOON + 11 * SECOND), "{at}");
}

#[test]
fn a_contact_is_not_texted_within_an_interval_of_a_start_whatever_the_stamps_of_claims_say() {
    let lane = Asker::new(0, 0, 0, LimitSettings { pair_interval_s: Some(6), ..unlimited() });
    // Texted a second ago; the clock was put five minutes ahead since, before this process started.
    let limiter = LocalLimiter::started_at(PaceOptions::default(), Stamp(NOON + 301 * SECOND));
    limiter.restore(&lane.text(1, 1), Stamp(NOON));
    let Admission::NotBefore { at, pair: true } = limiter.admit(&lane.text(1, 1), Stamp(NOON + 303 * SECOND)) else {
        panic!("texted three seconds ago")
    };
    assert!(at >= Stamp(NOON + 307 * SECOND), "{at}");
    assert_eq!(limiter.admit(&lane.text(1, 1), at), Admission::Granted);
}

#[test]
fn idle_pairs_and_numbers_are_forgotten() {
    let limiter = LocalLimiter::default();
    let limits = LimitSettings { pair_interval_s: Some(6), number_per_s: Some(1), ..unlimited() };
    let mut now = NOON;
    for lane in 0..20_000 {
        let asker = Asker::new(0, 0, lane, limits.clone());
        assert_eq!(limiter.admit(&asker.text(u64::from(lane), 1), Stamp(now)), Admission::Granted);
        now += 100_000;
    }
    let (pairs, numbers) = limiter.levels().sizes();
    assert!(pairs <= 2_048 && numbers <= 4_096, "{pairs} pairs, {numbers} numbers");
}

#[test]
fn beyond_the_cap_new_contacts_wait_and_known_ones_keep_their_pace() {
    let limiter = LocalLimiter::new(PaceOptions { most_pairs: 100, ..PaceOptions::default() });
    let lane = Asker::new(0, 0, 0, LimitSettings { pair_interval_s: Some(60), ..unlimited() });
    (0..100).for_each(|contact| assert_eq!(limiter.admit(&lane.text(contact, 1), Stamp(NOON)), Admission::Granted));
    let later = Stamp(NOON + SECOND);
    let refusal = Admission::NotBefore { at: Stamp(NOON + 2 * SECOND), pair: false };
    assert_eq!(limiter.admit(&lane.text(100, 1), later), refusal);
    assert!(matches!(limiter.admit(&lane.text(5, 1), later), Admission::NotBefore { pair: true, .. }));
    assert_eq!(limiter.admit(&lane.text(100, 1), Stamp(NOON + 61 * SECOND)), Admission::Granted);
}

#[test]
fn restart_within_a_second_does_not_make_two_texts_of_one() {
    let lane = Asker::new(0, 0, 0, LimitSettings { number_per_s: Some(1), ..unlimited() });
    assert_eq!(LocalLimiter::default().admit(&lane.text(1, 1), Stamp(NOON)), Admission::Granted);
    let restarted = LocalLimiter::started_at(PaceOptions::default(), Stamp(NOON + 1));
    let Admission::NotBefore { at, pair: false } = restarted.admit(&lane.text(2, 1), Stamp(NOON + 2)) else {
        panic!("nobody knows what left before the start")
    };
    assert!(at.0 > NOON + SECOND);
    assert_eq!(restarted.admit(&lane.text(2, 1), at), Admission::Granted);
}

#[test]
fn clock_that_came_back_from_a_far_date_does_not_stop_the_lanes() {
    let limiter = LocalLimiter::default();
    let limits = LimitSettings { number_per_s: Some(1), brand_per_day: named("brand", 3), ..unlimited() };
    let lane = Asker::new(0, 0, 0, limits);
    let far = NOON + 4_000 * 86_400 * SECOND;
    assert_eq!(limiter.admit(&lane.text(1, 1), Stamp(far)), Admission::Granted);
    assert_eq!(
        limiter.admit(&lane.text(2, 1), Stamp(NOON + 2 * SECOND)),
        Admission::NotBefore { at: Stamp(NOON + 3_020_000), pair: false }
    );
    assert_eq!(limiter.admit(&lane.text(2, 1), Stamp(NOON + 4 * SECOND)), Admission::Granted);
    assert_eq!(limiter.admit(&lane.text(3, 1), Stamp(NOON + 6 * SECOND)), Admission::Granted);
    let refused = limiter.admit(&lane.text(4, 1), Stamp(NOON + 8 * SECOND));
    assert!(matches!(refused, Admission::NotBefore { at, .. } if at.0 > NOON + SECOND * 3_600), "three of three today");
}

#[test]
fn text_just_before_midnight_counts_for_both_days() {
    let limiter = LocalLimiter::default();
    let lane = Asker::new(0, 0, 0, LimitSettings { brand_per_day: named("brand", 2), ..unlimited() });
    let midnight = 1_780_383_600 * SECOND;
    assert_eq!(limiter.admit(&lane.text(1, 1), Stamp(midnight - SECOND)), Admission::Granted);
    assert_eq!(limiter.admit(&lane.text(2, 1), Stamp(midnight)), Admission::Granted);
    assert!(matches!(limiter.admit(&lane.text(3, 1), Stamp(midnight + SECOND)), Admission::NotBefore { .. }));
}

#[test]
fn pacific_midnight_is_right_every_day_for_thirty_years() {
    let calendar = Calendar::pacific();
    let mut now = calendar.next_midnight(Stamp(1_767_225_600 * SECOND));
    let (mut short, mut long) = (0, 0);
    for _ in 0..365 * 30 {
        let next = calendar.next_midnight(now);
        assert_ne!(calendar.date(Stamp(next.0 - 1)), calendar.date(next));
        assert_eq!(calendar.date(Stamp(next.0 - 1)), calendar.date(now));
        match (next.0 - now.0) / SECOND / 3_600 {
            23 => short += 1,
            25 => long += 1,
            hours => assert_eq!(hours, 24),
        }
        now = next;
    }
    assert_eq!((short, long), (30, 30));
}

#[derive(Debug, Clone)]
struct Texts {
    limits: [u32; 3],
    costs: Vec<u16>,
    pauses: Vec<u64>,
}

fn texts() -> impl Strategy<Value = Texts> {
    let limits = [1_u32..20, 5_u32..200, 1_u32..12];
    let costs = proptest::collection::vec(prop_oneof![4 => 1_u16..3, 2 => 1_u16..8, 1 => 1_u16..40], 1..200);
    let pauses = proptest::collection::vec(prop_oneof![3 => Just(0_u64), 1 => 0_u64..3_000_000], 1..50);
    (limits, costs, pauses).prop_map(|(limits, costs, pauses)| Texts { limits, costs, pauses })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn strict_meter_finds_nothing_whatever_is_sent(texts in texts()) {
        let limiter = LocalLimiter::default();
        let [account, campaign, number] = texts.limits;
        let limits = LimitSettings {
            account_per_s: Some(account),
            campaign_per_min: named("campaign", campaign),
            number_per_s: Some(number),
            ..unlimited()
        };
        let lanes = [Asker::new(0, 0, 0, limits.clone()), Asker::new(1, 0, 1, limits)];
        let mut due = [Stamp(NOON); 2];
        let mut sent = Vec::new();
        for asks in 0..texts.costs.len() * 1_000 {
            let Some(segments) = texts.costs.get(sent.len()) else { break };
            let lane = usize::from(due[1] < due[0]);
            let now = due[lane];
            match limiter.admit(&lanes[lane].text(asks as u64, *segments), now) {
                Admission::Granted => {
                    due[lane].0 += texts.pauses[sent.len() % texts.pauses.len()];
                    sent.push((now.0, u32::from(*segments), lane));
                }
                Admission::NotBefore { at, .. } => {
                    prop_assert!(at > now);
                    due[lane] = at;
                }
            }
        }
        prop_assert_eq!(sent.len(), texts.costs.len(), "never admitted");
        let of = |which: Option<usize>| -> Vec<(u64, u32)> {
            sent.iter().filter(|(_, _, lane)| which.is_none_or(|w| w == *lane)).map(|(at, s, _)| (*at, *s)).collect()
        };
        prop_assert_eq!(violations(&of(None), SECOND, account), 0);
        prop_assert_eq!(violations(&of(None), 60 * SECOND, campaign), 0);
        prop_assert_eq!(violations(&of(Some(0)), SECOND, number), 0);
        prop_assert_eq!(violations(&of(Some(1)), SECOND, number), 0);
    }
}

#[test]
fn what_is_kept_of_a_day_is_for_people_and_not_for_campaigns() {
    for (percent, limit, open) in [(20, 10, 8), (20, 1, 0), (0, 3, 3), (100, 3, 0), (33, 10, 6)] {
        let limiter = LocalLimiter::new(PaceOptions { day_kept_percent: percent, ..PaceOptions::default() });
        let lane = Asker::new(0, 0, 0, LimitSettings { brand_per_day: named("brand", limit), ..unlimited() });
        let text = |contact, part| PaceRequest { part, ..lane.text(contact, 1) };
        let granted = |part| {
            let goes = |at: &u32| limiter.admit(&text(u64::from(*at), part), Stamp(NOON)) == Admission::Granted;
            (0..=limit).filter(goes).count()
        };
        assert_eq!(granted(DayPart::Open), open, "{percent} % of {limit}");
        assert_eq!(granted(DayPart::Whole), limit as usize - open, "{percent} % of {limit}");
        let day = &limiter.days(&lane.text(0, 1).limits.clone(), Stamp(NOON))[0];
        assert_eq!((day.used, day.is_used_up(), day.kept), (u64::from(limit), true, limit - open as u32));
    }
}

#[test]
fn claims_are_wanted_as_far_back_as_the_longest_window() {
    let limiter = LocalLimiter::default();
    let since = |limits: LimitSettings| NOON - limiter.counts_since(&limits, Stamp(NOON)).0;
    assert!(since(unlimited()) <= 2 * SECOND);
    assert!((600 * SECOND..620 * SECOND).contains(&since(LimitSettings { pair_interval_s: Some(600), ..unlimited() })));
    let minute = LimitSettings { campaign_per_min: named("campaign", 1), ..unlimited() };
    assert!((60 * SECOND..62 * SECOND).contains(&since(minute)));
    let day = LimitSettings { brand_per_day: named("brand", 1), ..unlimited() };
    assert_eq!(since(day), 12 * 3_600 * SECOND + 60 * SECOND, "midnight, and what counts for both days");
}

/// A limiter that shares, and the server that it asks.
struct Shared {
    limiter: LocalLimiter,
    table: GrantTable,
    now: Stamp,
}

impl Shared {
    /// A tenth of a second later; questions are answered, or lost.
    fn step(&mut self, answers: bool) {
        self.now = Stamp(self.now.0 + SECOND / 10);
        for question in self.limiter.due(self.now, 64).0 {
            let reply = answers.then(|| self.table.ask(&question.call, &question.ask, self.now.0));
            self.limiter.answered(&question, reply, self.now);
        }
    }

    fn until(&mut self, answers: bool, standing: PaceStanding, asker: &Asker) {
        for _ in 0..300 {
            if self.standing(asker) == Some(standing) {
                return;
            }
            self.step(answers);
        }
        panic!("{standing:?} never came: {:?}", self.standing(asker));
    }

    fn standing(&self, asker: &Asker) -> Option<PaceStanding> {
        let text = asker.text(0, 1);
        self.limiter.shared_standing(text.account, text.limits, self.now)
    }
}

#[test]
fn a_line_says_how_it_stands_with_limits_that_are_shared() {
    let options = SharedOptions {
        node: "n1".to_owned(),
        holder: "p1".to_owned(),
        members: 2,
        slice_max: Duration::from_secs(1),
        answer_within: Duration::from_millis(250),
    };
    let now = Stamp(NOON);
    let limiter = LocalLimiter::default().shared(options, Some(Vec::new()), now);
    let mut shared = Shared { limiter, table: GrantTable::default(), now };
    let lane = Asker::new(0, 0, 0, LimitSettings { account_per_s: Some(10), ..unlimited() });
    let alone = Asker::new(0, 0, 1, LimitSettings { number_per_s: Some(10), ..unlimited() });
    assert_eq!(shared.standing(&alone), None, "its number is its own");
    assert_eq!(shared.standing(&lane), Some(PaceStanding::Degraded), "nobody has answered yet");
    shared.until(true, PaceStanding::Idle, &lane);
    let _ = shared.limiter.admit(&lane.text(1, 1), shared.now);
    assert_eq!(shared.standing(&lane), Some(PaceStanding::Waiting), "the question is not answered yet");
    assert_eq!(shared.limiter.census(shared.now)[1], (PaceStanding::Waiting, 1));
    shared.until(true, PaceStanding::Granted, &lane);
    shared.until(false, PaceStanding::Degraded, &lane);
    assert_eq!(shared.limiter.census(shared.now)[2], (PaceStanding::Degraded, 1));
}
