//! Floods: of one tenant, of one contact. They are refused with a time to come back, or wait within their limits; the others
//! do not notice. And a carrier that goes wrong in every way, then away.

use loadtest::load::scenario::Action;

use super::{assert_holds, disk::at, most};
use crate::{
    load::{play_in, short},
    support::process::short_or_long,
};

/// Beyond this somebody has noticed; in the short form a busy machine is not what is tested.
const NOTICED_MS: (f64, f64) = (5_000.0, 500.0);

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_tenant_is_refused_and_the_others_do_not_notice() {
    let mut scenario = short("noisy-neighbour", 9.0);
    scenario.texts[0].except_tenant = Some(2);
    scenario.texts[1].only_tenant = Some(2);
    // Far below what any machine can do, so that it is the limit that refuses.
    scenario.engine.insert("webhook.line_per_s".to_owned(), number(30));
    scenario.engine.insert("webhook.line_burst".to_owned(), number(30));
    scenario.texts[0].rate = scenario.texts[0].rate.times(0.3);
    scenario.texts[1].rate = scenario.texts[1].rate.times(0.3);
    scenario.texts[1].connections = 16;
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario, 51, None).await;
    assert_holds(&report);
    let [others, flood] = &report.texts[..] else { panic!("two groups") };
    eprintln!("flood: {} offered, {} taken, {} told to come back", flood.offered, flood.acked, flood.told_later);
    assert!(flood.told_later > flood.acked, "the flood is refused with 429");
    assert_eq!((others.refused, others.shed), (0, 0), "nobody else is refused for good");
    assert!(others.latency.p99_ms < short_or_long(NOTICED_MS), "{} ms", others.latency.p99_ms);
}

fn number(number: i64) -> loadtest::load::scenario::toml_value::Scalar {
    loadtest::load::scenario::toml_value::Scalar::Number(number)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_contact_waits_within_its_limits_and_the_others_do_not_notice() {
    let scenario = short("one-contact", 9.0);
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario, 52, None).await;
    assert_holds(&report);
    let [others, flood] = &report.texts[..] else { panic!("two groups") };
    eprintln!(
        "flood: {} offered, {} taken, {} told to come back; others' p99 {:.0} ms",
        flood.offered, flood.acked, flood.told_later, others.latency.p99_ms
    );
    assert!(flood.acked > 0 && others.acked > 100);
    assert_eq!((others.refused, others.shed), (0, 0), "nobody else is refused for good");
    assert!(others.latency.p99_ms < short_or_long(NOTICED_MS), "{} ms", others.latency.p99_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_that_goes_wrong_in_every_way_and_away_takes_nothing_twice() {
    let mut scenario = short("carrier-trouble", 10.0);
    scenario.texts[0].rate = scenario.texts[0].rate.times(0.4);
    scenario.replies.as_mut().unwrap().rate = loadtest::load::schedule::Rate::Constant { per_s: 10.0 };
    scenario.actions.retain(|timed| !matches!(&timed.action, Action::Faults { faults } if faults.close_before == 1.0));
    scenario.actions.push(at(5.0, Action::Away { for_s: 2.0 }));
    let directory = tempfile::tempdir().unwrap();
    let report = play_in(directory.path(), scenario, 53, None).await;
    assert_holds(&report);
    assert_eq!(report.texts[0].refused, 0, "texts in notice nothing");
    assert!(most(&report, (4.0, 9.0), |row| row.acked) > 0.0, "also while it is away");
}
