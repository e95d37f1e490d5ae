//! Bar 7's second half: a queue of a hundred thousand texts on one line drains, each text once, in order per contact.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use super::{
    cli::Options,
    figure::{Row, Wanted},
    outbound::{Outward, QUEUEING, queue},
};
use crate::{
    carrier::Message,
    load::{
        figures::{grouped, to_f64},
        http::Connection,
    },
    meter::Limits,
};

/// Texts of one contact: below `outbox.open_sends_max`.
const OF_CONTACT: u64 = 50;
/// Faster than the engine can send: the lane is what is measured.
const PER_S: u32 = 100_000;
const DRAIN_WITHIN: Duration = Duration::from_secs(600);

/// Runs it.
pub async fn run(options: &Options) -> anyhow::Result<Vec<Row>> {
    let texts = options.full_or_quick(100_000_u64, 500);
    let contacts = texts / OF_CONTACT;
    let limits = |_| Limits { number_per_s: Some(PER_S), ..Limits::default() };
    let outward = Outward::start(options, 1, limits, usize::try_from(texts + contacts)?).await?;
    outward.greet(contacts).await?;
    outward.pause("all").await?;
    let since = Instant::now();
    fill(&outward, contacts).await?;
    let queued_per_s = to_f64(texts) / since.elapsed().as_secs_f64();
    options.say(&format!("{texts} texts are queued, {queued_per_s:.0}/s"));
    let held = outward.carrier.meter().texts;
    ensure!(held == 0, "{held} texts left while everything was held back");
    outward.pause("none").await?;
    let since = Instant::now();
    let mut said = 0;
    while outward.carrier.meter().texts < texts {
        ensure!(since.elapsed() < DRAIN_WITHIN, "{} of {texts} left", outward.carrier.meter().texts);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if since.elapsed().as_secs() / 10 > said {
            said = since.elapsed().as_secs() / 10;
            options.say(&format!("{} left after {} s", outward.carrier.meter().texts, said * 10));
        }
    }
    let took = since.elapsed().as_secs_f64();
    let wrong = disorder(&outward.taken())?;
    let what =
        format!("a queue of {} texts on one line drains: texts twice or out of their contact's order", grouped(texts));
    Ok(vec![
        Row::new(7, &what, "texts", vec![to_f64(wrong)]).wants(Wanted::AtMost(0.0)),
        Row::new(7, "… its pace, where no limit holds it", "texts/s", vec![to_f64(texts) / took])
            .note(format!("queued at {queued_per_s:.0}/s over REST")),
    ])
}

/// Each connection has its own contacts, so that a contact's texts have an order.
async fn fill(outward: &Outward, contacts: u64) -> anyhow::Result<()> {
    let address = outward.stand.engine.address();
    let queueing = (0..QUEUEING as u64).map(|share| {
        let tenants = outward.stand.tenants.clone();
        tokio::spawn(async move {
            let mut connection = Connection::new(address);
            for turn in 0..OF_CONTACT {
                for to in (share..contacts).step_by(QUEUEING) {
                    queue(&mut connection, &tenants[0], to, &format!("{turn} for contact {to}")).await?;
                }
            }
            anyhow::Ok(())
        })
    });
    for each in futures_util::future::join_all(queueing).await {
        each??;
    }
    Ok(())
}

/// Texts that came twice, or after a later one to the same contact.
fn disorder(taken: &[Message]) -> anyhow::Result<u64> {
    let (mut last, mut seen, mut wrong) = (HashMap::<&str, u64>::new(), HashSet::new(), 0);
    for message in taken {
        let turn = message.body.split(' ').next().and_then(|turn| turn.parse().ok()).context("a text of ours")?;
        let before = last.insert(&message.to, turn);
        if before.is_some_and(|before| before >= turn) || !seen.insert(&message.body) {
            wrong += 1;
        }
    }
    Ok(wrong)
}
