//! The meter sees every window that was too full, and none that was not.

use super::*;

const SECOND: Micros = 1_000_000;

fn metered(limits: &Limits, texts: &[(Micros, u32, &str)]) -> Report {
    let mut meter = Meter::new(0);
    for (at, segments, to) in texts {
        let sample = Sample {
            at: *at,
            segments: *segments,
            account: "AC1",
            brand: "brand",
            campaign: "campaign",
            from: "+14155550199",
            to,
            limits,
        };
        meter.record(&sample);
    }
    meter.report()
}

fn number(texts: &[(Micros, u32)], limit: u32) -> u64 {
    let limits = Limits { number_per_s: Some(limit), ..Limits::default() };
    let texts: Vec<_> = texts.iter().map(|(at, segments)| (*at, *segments, "+1")).collect();
    metered(&limits, &texts).violations
}

#[test]
fn a_second_text_within_the_window_is_seen_and_one_after_it_is_not() {
    assert_eq!(number(&[(0, 1), (SECOND - 1, 1)], 1), 1);
    assert_eq!(number(&[(0, 1), (SECOND, 1), (2 * SECOND, 1)], 1), 0);
}

#[test]
fn windows_slide_over_whole_seconds() {
    let texts = [(900_000, 1), (950_000, 1), (1_000_000, 1), (1_899_999, 1)];
    assert_eq!(number(&texts, 3), 1, "four within (0.9, 1.9)");
    assert_eq!(number(&[(900_000, 1), (950_000, 1), (1_000_000, 1), (1_900_000, 1)], 3), 0);
}

#[test]
fn a_text_larger_than_its_window_goes_at_zero_debt_and_is_charged_whole() {
    assert_eq!(number(&[(0, 3)], 1), 0);
    assert_eq!(number(&[(0, 3), (3 * SECOND, 1)], 1), 0);
    assert_eq!(number(&[(0, 3), (3 * SECOND - 1, 1)], 1), 1);
    assert_eq!(number(&[(0, 1), (SECOND / 2, 3)], 1), 1, "there was debt");
}

#[test]
fn how_early_a_text_came_is_told() {
    let limits = Limits::default();
    let report = metered(&limits, &[(0, 1, "+1"), (400_000, 1, "+1")]);
    assert_eq!(report.described[0].early_us, 600_000);
    assert_eq!(report.fullest[&Level::Number], ("+14155550199".to_owned(), 2, 1));
}

#[test]
fn jitter_is_counted_apart() {
    let mut meter = Meter::new(10);
    let limits = Limits::default();
    for at in [0, SECOND - 9_000, 2 * SECOND - 30_000] {
        let sample = Sample {
            at,
            segments: 1,
            account: "",
            brand: "",
            campaign: "",
            from: "+14155550199",
            to: "+1",
            limits: &limits,
        };
        meter.record(&sample);
    }
    assert_eq!((meter.report().violations, meter.report().within_tolerance), (1, 1));
}

#[test]
fn a_contact_gets_one_text_per_interval() {
    let limits = Limits { number_per_s: None, pair_interval_s: Some(6), ..Limits::default() };
    let texts = [(0, 5, "+1"), (SECOND, 1, "+2"), (6 * SECOND, 1, "+1"), (6 * SECOND, 1, "+2")];
    let report = metered(&limits, &texts);
    assert_eq!(report.violations, 1);
    assert_eq!(report.described[0].level, Level::Pair);
}

#[test]
fn accounts_and_campaigns_are_shared_by_their_numbers() {
    let limits = Limits { number_per_s: None, account_per_s: Some(2), campaign_per_min: Some(3), ..Limits::default() };
    let texts = [(0, 2, "+1"), (SECOND, 1, "+2"), (59 * SECOND, 1, "+3")];
    let report = metered(&limits, &texts);
    assert_eq!((report.violations, report.described[0].level), (1, Level::Campaign));
}

#[test]
fn a_brands_day_ends_at_midnight_in_pacific_time() {
    let limits = Limits { number_per_s: None, brand_per_day: Some(2), ..Limits::default() };
    // 2026-07-01T06:59:59Z is the last second of June 30th there; 2026-01-01T07:59:59Z of December 31st.
    for midnight in [1_782_889_200_u64, 1_767_254_400] {
        let midnight = midnight * SECOND;
        let before = [(midnight - 2, 1, "+1"), (midnight - 1, 1, "+1"), (midnight, 2, "+1")];
        assert_eq!(metered(&limits, &before).violations, 0);
        let report = metered(&limits, &[(midnight - 2, 2, "+1"), (midnight - 1, 1, "+1")]);
        assert_eq!((report.violations, report.described[0].early_us), (1, 1));
    }
}
