//! Knees, tables, pages.

use super::*;

fn rows(of: impl Fn(u32) -> (f64, f64, f64)) -> Vec<Row> {
    let row = |second: u32| {
        let (offered, acked, ack_p99_ms) = of(second);
        Row { at_s: second.into(), for_s: 1.0, offered, acked, ack_p99_ms, resident_mib: 50.0, ..Row::default() }
    };
    (0..100).map(row).collect()
}

#[test]
fn the_knee_is_where_it_no_longer_keeps_up_and_a_hiccup_is_none() {
    let offered = |second: u32| f64::from(second) * 10.0;
    let knee = Knee::of(&rows(|second| (offered(second), offered(second).min(500.0), 5.0)));
    assert!(knee.reached && (490.0..=500.0).contains(&knee.per_s), "{knee:?}");
    let hiccup = Knee::of(&rows(|second| (offered(second), if second == 30 { 0.0 } else { offered(second) }, 5.0)));
    assert!(!hiccup.reached && hiccup.per_s > 980.0, "{hiccup:?}");
    let late = Knee::of(&rows(|second| (offered(second), offered(second), if second > 40 { 2_000.0 } else { 5.0 })));
    assert!(late.reached && (390.0..=410.0).contains(&late.per_s), "{late:?}");
}

#[test]
fn numbers_are_written_for_people() {
    assert_eq!([number(0.0), number(999.0), number(1_000.0), number(1_234_567.0)], ["0", "999", "1,000", "1,234,567"]);
    assert_eq!([ms(0.1234), ms(12.34), ms(123.4), ms(12_345.0)], ["0.12 ms", "12.3 ms", "123 ms", "12.3 s"]);
    assert_eq!([rate(1.25), rate(12_345.6)], ["1.2/s", "12,346/s"]);
}
